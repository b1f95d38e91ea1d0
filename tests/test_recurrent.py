"""Recurrent layers, cells and packed sequences: PyTorch's numbers, and that what is fused equals what it is made of."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.utils import rnn
from tensorgrad.testing import gradcheck, gradgradcheck

LAYERS = ("RNN", "LSTM", "GRU")
CELLS = ("RNNCell", "LSTMCell", "GRUCell")


@pytest.fixture(autouse=True)
def _seeded():
    tg.manual_seed(0)


def array(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def flat(x):
    """The tensors in what a layer returns, in order."""
    if isinstance(x, rnn.PackedSequence) or type(x).__name__ == "PackedSequence":
        return [x.data]
    if isinstance(x, tuple | list):
        return [part for item in x for part in flat(item)]
    return [x]


def pair(name, *args, **kwargs):
    """A layer and PyTorch's, with the same parameters, in double precision."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(torch.nn, name)(*args, **kwargs).double()
    ours = getattr(tg.nn, name)(*args, **kwargs).double()
    ours.load_state_dict({key: value.detach().numpy() for key, value in theirs.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    return torch, ours, theirs


def agree(torch, ours, theirs, x, hx=None, pack=None):
    """Outputs, and the gradients of everything, with weights that tell all elements apart."""
    results = []
    for lib, layer in ((tg, ours), (torch, theirs)):
        leaves = [lib.tensor(a, requires_grad=True) for a in flat([x, [] if hx is None else hx])]
        given = leaves[0] if pack is None else pack(lib, leaves[0])
        state = None if hx is None else tuple(leaves[1:]) if isinstance(hx, tuple) else leaves[1]
        ys = flat(layer(given, state))
        loss = sum((y * lib.tensor(array(*y.shape, seed=7 + i))).sum() for i, y in enumerate(ys))
        loss.backward()
        grads = [leaf.grad for leaf in leaves] + [p.grad for p in layer.parameters()]
        results.append([y.detach().numpy() for y in ys] + [g.numpy() for g in grads])
    for got, expected in zip(*results, strict=True):
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11)


def state_of(name, lead, batch, width, c_width=None):
    h = array(*lead, *batch, width, seed=3)
    return (h, array(*lead, *batch, c_width or width, seed=4)) if name.startswith("LSTM") else h


SETTINGS = [
    {},
    {"bias": False},
    {"num_layers": 3},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
    {"num_layers": 2, "bidirectional": True, "bias": False, "dropout": 0.0},
]
PROJECTED = [
    {"proj_size": 2},
    {"proj_size": 1, "num_layers": 2, "bidirectional": True, "batch_first": True},
    {"proj_size": 2, "bias": False},
]
EVERY_SETTING = [
    *itertools.product(LAYERS, SETTINGS),
    *(("LSTM", settings) for settings in PROJECTED),
    ("RNN", {"nonlinearity": "relu", "bidirectional": True}),
]
every_setting = pytest.mark.parametrize(("name", "settings"), EVERY_SETTING, ids=str)


@every_setting
@pytest.mark.parametrize("batch", [(4,), (1,), ()], ids=str)
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "hx"])
def test_layers_agree_with_pytorch(name, settings, batch, given):
    torch, ours, theirs = pair(name, 3, 5, **settings)
    x = array(7, *batch, 3)
    if batch and settings.get("batch_first"):
        x = x.swapaxes(0, 1)
    lead = settings.get("num_layers", 1) * (2 if settings.get("bidirectional") else 1)
    hx = state_of(name, (lead,), batch, settings.get("proj_size", 5), 5) if given else None
    agree(torch, ours, theirs, x, hx)


@every_setting
@pytest.mark.parametrize("lengths", [[6, 4, 4, 1], [2, 6, 1, 3], [5, 5, 5, 5]], ids=str)
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "hx"])
def test_layers_agree_with_pytorch_on_packed_sequences(name, settings, lengths, given):
    torch, ours, theirs = pair(name, 3, 5, **settings)
    lead = settings.get("num_layers", 1) * (2 if settings.get("bidirectional") else 1)
    hx = state_of(name, (lead,), (4,), settings.get("proj_size", 5), 5) if given else None

    def pack(lib, x):
        return lib.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)

    agree(torch, ours, theirs, array(6, 4, 3), hx, pack)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("settings", [{}, {"bias": False}], ids=str)
@pytest.mark.parametrize("batch", [(4,), (1,), (0,), ()], ids=str)
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "hx"])
def test_cells_agree_with_pytorch(name, settings, batch, given):
    torch, ours, theirs = pair(name, 3, 5, **settings)
    agree(torch, ours, theirs, array(*batch, 3), state_of(name, (), batch, 5) if given else None)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("inputs", "hidden"), [(0, 5), (3, 0)])
def test_cells_without_inputs_or_units_agree_with_pytorch(name, inputs, hidden):
    agree(*pair(name, inputs, hidden), array(4, inputs), state_of(name, (), (4,), hidden))


def test_a_cell_with_relu_agrees_with_pytorch():
    agree(*pair("RNNCell", 3, 5, nonlinearity="relu"), array(4, 3), array(4, 5, seed=1))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float16", 2e-3)])
def test_single_and_half_precision_are_pytorchs(name, dtype, tolerance):
    torch, ours, theirs = pair(name, 3, 5, num_layers=2, bidirectional=True)
    x = array(7, 4, 3)
    y, h = ours.to(getattr(tg, dtype))(tg.tensor(x, dtype=getattr(tg, dtype)))
    expected, _ = theirs.to(getattr(torch, dtype))(torch.tensor(x, dtype=getattr(torch, dtype)))
    assert y.dtype == flat(h)[0].dtype == dtype
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), atol=tolerance)
    y.sum().backward()
    assert {p.grad.dtype for p in ours.parameters()} == {np.dtype(dtype)}


@pytest.mark.parametrize("name", LAYERS)
def test_a_batch_of_none_gives_none(name):
    layer = getattr(tg.nn, name)(3, 2, bidirectional=True)
    x = tg.zeros(4, 0, 3, requires_grad=True)
    y, h = layer(x)
    assert y.shape == (4, 0, 4)
    assert flat(h)[0].shape == (2, 0, 2)
    y.sum().backward()
    assert x.grad.shape == (4, 0, 3)
    assert all((p.grad == 0).all() for p in layer.parameters())


@pytest.mark.parametrize(("name", "cell"), [*zip(LAYERS, CELLS)])
def test_a_layer_is_its_cell_step_by_step(name, cell):
    layer, one = getattr(tg.nn, name)(3, 5).double(), getattr(tg.nn, cell)(3, 5).double()
    one.load_state_dict({key.removesuffix("_l0"): value for key, value in layer.state_dict().items()})
    x, state = tg.tensor(array(7, 4, 3)), None
    y, last = layer(x)
    for t in range(7):
        state = one(x[t], state)
        np.testing.assert_allclose(flat(state)[0].detach().numpy(), y[t].detach().numpy(), rtol=1e-12)
    for a, b in zip(flat(state), flat(last), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b[0].detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_kernel_and_the_composition_give_the_same_gradients(name, packed, reverse):
    """A walk on arrays runs the kernel; one that records itself runs the composition."""
    layer = getattr(tg.nn, name)(3, 5, bidirectional=reverse).double()
    x = tg.tensor(array(6, 4, 3), requires_grad=True)
    y, h = layer(rnn.pack_padded_sequence(x, [6, 3, 3, 1]) if packed else x)
    loss = sum((part**2).sum() for part in flat([y, h]))
    wanted = [x, *layer.parameters()]
    fused = tg.autograd.grad(loss, wanted, retain_graph=True)
    composed = tg.autograd.grad(loss, wanted, create_graph=True)
    for a, b in zip(fused, composed, strict=True):
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("name", "settings"), [*((name, {}) for name in LAYERS), ("LSTM", {"proj_size": 1})], ids=str)
def test_gradients_of_packed_layers_are_those_of_finite_differences_twice(name, settings):
    layer = getattr(tg.nn, name)(2, 2, bidirectional=True, **settings).double()

    def run(x):
        return tuple(flat(layer(rnn.pack_padded_sequence(x, [3, 1, 2], enforce_sorted=False))))

    x = tg.tensor(array(3, 3, 2), requires_grad=True)
    assert gradcheck(run, [x])
    assert gradgradcheck(run, [x])


@pytest.mark.parametrize("name", LAYERS)
def test_layers_can_be_mapped_over_examples_and_differentiated_there(name):
    layer = getattr(tg.nn, name)(3, 2).double()
    x = tg.tensor(array(4, 5, 3), requires_grad=True)
    each = tg.func.vmap(tg.func.grad(lambda one: (layer(one)[0] ** 2).sum()))(x.detach())
    (layer(x.transpose(0, 1))[0] ** 2).sum().backward()
    np.testing.assert_allclose(each.detach().numpy(), x.grad.numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", LAYERS)
def test_steps_after_the_end_of_a_sequence_get_no_gradient(name):
    x = tg.tensor(array(5, 2, 3), requires_grad=True)
    y, _ = getattr(tg.nn, name)(3, 2).double()(rnn.pack_padded_sequence(x, [5, 2]))
    y.data.sum().backward()
    assert (x.grad[2:, 1] == 0).all()
    assert (x.grad[:2] != 0).all()


def test_dropout_is_between_layers_and_in_training_only():
    layer = tg.nn.GRU(3, 4, num_layers=2, dropout=0.5)
    x = tg.tensor(array(5, 2, 3, dtype=np.float32))
    assert not (layer(x)[0] == layer(x)[0]).all()
    layer.eval()
    assert (layer(x)[0] == layer(x)[0]).all()
    everything = tg.nn.GRU(3, 4, num_layers=2, dropout=1.0)
    (a, _), (b, _) = everything(x), everything(x * 2)
    assert (a == b).all()
    with pytest.warns(UserWarning, match="num_layers is 1"):
        tg.nn.LSTM(3, 4, dropout=0.5)


@pytest.mark.parametrize("name", [*LAYERS, *CELLS])
def test_parameters_start_uniform_in_what_pytorch_says(name):
    values = np.concatenate([p.detach().numpy().ravel() for p in getattr(tg.nn, name)(64, 25).parameters()])
    assert np.abs(values).max() <= 0.2
    assert values.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.05)


def test_all_weights_are_by_layer_and_direction_and_flattening_is_harmless():
    layer = tg.nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2)
    layer.flatten_parameters()
    assert [len(weights) for weights in layer.all_weights] == [5] * 4
    assert layer.all_weights[3][4] is layer.weight_hr_l1_reverse


def test_an_lstm_learns_to_remember_the_first_element():
    tg.manual_seed(0)
    layer, head = tg.nn.LSTM(1, 16, batch_first=True), tg.nn.Linear(16, 1)
    optimizer = tg.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.02)
    for _ in range(200):
        x = tg.randn(32, 5, 1)
        loss = ((head(layer(x)[1][0][0]) - x[:, 0]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3


MISTAKES = [
    (lambda: tg.nn.LSTM(3, 0), ValueError, "LSTM: hidden_size must be an int of 1 or more"),
    (lambda: tg.nn.LSTM(3.0, 2), TypeError, "LSTM: input_size must be an int"),
    (lambda: tg.nn.GRU(3, 2, 0), ValueError, "GRU: num_layers must be an int of 1 or more"),
    (lambda: tg.nn.GRU(3, 2, bias=1), TypeError, "GRU: bias must be True or False"),
    (lambda: tg.nn.RNN(3, 2, batch_first="yes"), TypeError, "RNN: batch_first must be True or False"),
    (lambda: tg.nn.RNN(3, 2, nonlinearity="gelu"), ValueError, "RNN: nonlinearity must be 'tanh' or 'relu'"),
    (lambda: tg.nn.LSTM(3, 2, dropout=2), ValueError, "LSTM: dropout must be a probability"),
    (lambda: tg.nn.LSTM(3, 2, dropout=True), ValueError, "LSTM: dropout must be a probability"),
    (lambda: tg.nn.LSTM(3, 2, proj_size=2), ValueError, "LSTM: proj_size must be 0, for none, or less than"),
    (lambda: tg.nn.GRU(3, 2, proj_size=1), TypeError, "proj_size"),
    (lambda: tg.nn.RNNBase("MLP", 3, 2), ValueError, "RNNBase: mode must be one of"),
    (lambda: tg.nn.RNNCell(3, 2, nonlinearity="elu"), ValueError, "RNNCell: nonlinearity"),
    (lambda: tg.nn.GRUCell(3, -1), ValueError, "GRUCell: hidden_size must be an int of 0 or more"),
    (lambda: tg.nn.LSTM(3, 2)(tg.ones(3)), ShapeError, r"LSTM: the input .* be \(T, B, H_in\) or \(T, H_in\) with"),
    (lambda: tg.nn.GRU(3, 2)(tg.ones(5, 4, 2)), ShapeError, "GRU: the input has shape .* with H_in 3"),
    (lambda: tg.nn.GRU(3, 2)(tg.ones(0, 4, 3)), ShapeError, "there must be a step or more"),
    (lambda: tg.nn.GRU(3, 2)(tg.ones(5, 4, 3).long()), DtypeError, "GRU: the input is int64, and the weights are"),
    (lambda: tg.nn.GRU(3, 2)([1.0]), TypeError, "GRU: the input must be a Tensor or a PackedSequence, not list"),
    (lambda: tg.nn.GRU(3, 2)(tg.ones(5, 4, 3), tg.ones(4, 2)), ShapeError, r"GRU: hx .* must have \(1, 4, 2\)"),
    (lambda: tg.nn.GRU(3, 2)(tg.ones(5, 3), tg.ones(1, 1, 2)), ShapeError, r"GRU: hx .* must have \(1, 2\)"),
    (lambda: tg.nn.LSTM(3, 2)(tg.ones(5, 4, 3), tg.ones(1, 4, 2)), TypeError, r"hx must be a pair \(h_0, c_0\)"),
    (lambda: tg.nn.LSTM(3, 2)(tg.ones(5, 4, 3), (tg.ones(1, 4, 2), tg.ones(1, 4, 3))), ShapeError, "LSTM: c_0 has"),
    (lambda: tg.nn.RNN(3, 2)(tg.ones(5, 4, 3), tg.ones(1, 4, 2).double()), DtypeError, "RNN: hx is float64"),
    (lambda: tg.nn.RNN(3, 2)(tg.ones(5, 4, 3), 0), TypeError, r"RNN: hx must be a Tensor of shape \(1, 4, 2\)"),
    (lambda: tg.nn.LSTMCell(3, 2)(tg.ones(4, 2)), ShapeError, r"LSTMCell: the input .* must be \(B, 3\)"),
    (lambda: tg.nn.LSTMCell(3, 2)(tg.ones(1, 4, 3)), ShapeError, "LSTMCell: the input has shape"),
    (lambda: tg.nn.LSTMCell(3, 2)(tg.ones(4, 3), tg.ones(4, 2)), TypeError, "LSTMCell: hx must be a pair"),
    (lambda: tg.nn.GRUCell(3, 2)(tg.ones(4, 3), tg.ones(1, 2)), ShapeError, r"GRUCell: hx has shape \(1, 2\)"),
    (lambda: tg.nn.GRUCell(3, 2)(tg.ones(3), tg.ones(1, 2)), ShapeError, r"GRUCell: .* must have \(2,\)"),
    (lambda: tg.nn.GRUCell(3, 2)(tg.ones(4, 3).double()), DtypeError, "GRUCell: the input is float64"),
    (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [1, 2]), ValueError, "must not increase.*enforce_sorted=False"),
    (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [2, 0]), ValueError, "lengths must be from 1 to 3"),
    (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [4, 1]), ValueError, "lengths must be from 1 to 3"),
    (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [3]), ShapeError, "the batch 2 sequences"),
    (lambda: rnn.pack_padded_sequence(tg.ones(3), [3]), ShapeError, r"\(T, B, ...\)"),
    (lambda: rnn.pad_packed_sequence(rnn.pack_sequence([tg.ones(3)]), total_length=2), ValueError, "total_length is 2"),
    (lambda: rnn.pad_sequence([]), ValueError, "there are no sequences"),
    (lambda: rnn.pad_sequence([tg.ones(2), tg.ones(2, 2)]), ShapeError, "sequence 1 has"),
    (lambda: rnn.pad_sequence([tg.ones(())]), ShapeError, "must have a length"),
    (lambda: rnn.pad_sequence([tg.ones(2)], padding_side="top"), ValueError, "'right' or 'left'"),
    (lambda: rnn.unpad_sequence(tg.ones(3, 2), tg.tensor([1])), ShapeError, "unpad_sequence: lengths"),
    (lambda: rnn.PackedSequence(tg.ones(3)), TypeError, "PackedSequence: without batch_sizes"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Packing and padding

BATCHES = {
    "sorted": [(4,), (3,), (1,)],
    "unsorted": [(1,), (4,), (3,), (4,)],
    "wide": [(2, 3), (5, 3)],
    "one": [(3, 2, 2)],
    "equal": [(3,), (3,)],
}
every_batch = pytest.mark.parametrize("shapes", BATCHES.values(), ids=BATCHES.keys())


def sequences(lib, shapes, requires_grad=False):
    return [lib.tensor(array(*shape, seed=i), requires_grad=requires_grad) for i, shape in enumerate(shapes)]


def equal(ours, theirs):
    if theirs is None:
        assert ours is None
    elif isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs):
            equal(a, b)
    else:
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())


@every_batch
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_is_pytorchs(shapes, batch_first, side):
    torch = pytest.importorskip("torch")
    got, expected = (
        lib.nn.utils.rnn.pad_sequence(sequences(lib, shapes), batch_first, -1.5, side) for lib in (tg, torch)
    )
    equal(got, expected)


@every_batch
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("total_length", [None, 7])
def test_packing_and_its_inverse_are_pytorchs(shapes, batch_first, total_length):
    torch = pytest.importorskip("torch")
    results = []
    for lib in (tg, torch):
        packed = lib.nn.utils.rnn.pack_sequence(sequences(lib, shapes), enforce_sorted=False)
        results.append([packed, lib.nn.utils.rnn.pad_packed_sequence(packed, batch_first, 2.5, total_length)])
    equal(*results)


@every_batch
def test_unpacking_gives_the_sequences_back(shapes):
    given = sequences(tg, shapes)
    for got in (
        rnn.unpack_sequence(rnn.pack_sequence(given, enforce_sorted=False)),
        rnn.unpad_sequence(rnn.pad_sequence(given), [len(x) for x in given]),
    ):
        assert all((a == b).all() and a.shape == b.shape for a, b in zip(got, given, strict=True))


def test_gradients_go_through_packing_and_padding():
    given = sequences(tg, [(1, 2), (3, 2), (2, 2)], requires_grad=True)

    def run(*xs):
        padded, _ = rnn.pad_packed_sequence(rnn.pack_sequence(xs, enforce_sorted=False))
        return padded, rnn.pad_sequence(xs, padding_side="left")

    assert gradcheck(run, given)


def test_integers_can_be_packed():
    packed = rnn.pack_padded_sequence(tg.tensor([[1, 2, 0], [3, 0, 0]]), tg.tensor([2, 1]), batch_first=True)
    assert packed.data.tolist() == [1, 3, 2]
    assert packed.data.dtype == tg.int64
    assert packed.sorted_indices is packed.unsorted_indices is None


def test_a_packed_sequence_is_converted_and_taken_apart():
    packed = rnn.pack_sequence([tg.ones(2, 3), tg.ones(1, 3)])
    assert packed.to(tg.float32) is packed.float() is packed.cpu() is packed
    for method in ("double", "half", "long", "int", "short", "char", "byte"):
        converted = getattr(packed, method)()
        assert converted.data.dtype == tg.ones(1).to(converted.data.dtype).dtype != tg.float32
        assert isinstance(converted, rnn.PackedSequence)
    data, sizes, _, _ = packed
    assert rnn.PackedSequence((data, sizes)).batch_sizes is packed.batch_sizes
    assert not packed.is_cuda
    assert rnn.PackedSequence(data, sizes, tg.tensor([1, 0])).unsorted_indices.tolist() == [1, 0]
