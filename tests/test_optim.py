"""The algorithms: PyTorch's numbers, in every dtype and layout, and state that goes on from a file."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest
from optim_cases import (
    CASES,
    EMPTY,
    EVERY,
    EVERY_ID,
    IDS,
    SHAPES,
    as_torch,
    assert_same_bits,
    give,
    leaves,
    optimizers,
    start,
    values,
    walk,
    walk_both,
)

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim import run


@pytest.fixture
def double_scalars():
    """PyTorch keeps some numbers of its state in the default dtype, we in double precision."""
    torch = pytest.importorskip("torch")
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
@pytest.mark.usefixtures("double_scalars")
def test_a_hundred_steps_in_float64_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    shapes = SHAPES if name == "Adafactor" else EMPTY
    ours, optimizer, theirs, peer = optimizers(name, options, start(shapes))
    rng = np.random.default_rng(1)
    for i in range(100):
        # Now and then a parameter has no gradient: its own count of steps then falls behind.
        grads = [None if (i + k) % 7 == 3 else rng.standard_normal(p.shape) for k, p in enumerate(ours)]
        give(ours, grads)
        for q, g in zip(theirs, grads):
            q.grad = None if g is None else torch.tensor(g)
        assert optimizer.step() is None
        peer.step()
    for p, q, a in zip(ours, theirs, start(shapes)):
        assert p.numel() == 0 or not np.allclose(p.detach().numpy(), a)
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
def test_the_losses_of_a_training_in_float32_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    options = {**options, "lr": 1e-3, "maximize": False}
    ours, optimizer, theirs, peer = optimizers(name, options, start([(5, 8), (8,), (8, 2)], np.float32))
    x, y = start([(16, 5), (16, 2)], np.float32, seed=3)
    losses = []
    for (w1, b1, w2), opt, lib in ((ours, optimizer, tg), (theirs, peer, torch)):
        run_losses = []
        for _ in range(100):
            opt.zero_grad()
            error = (lib.tensor(x) @ w1 + b1).tanh() @ w2 - lib.tensor(y)
            loss = (error * error).mean()
            loss.backward()
            opt.step()
            run_losses.append(float(loss.item()))
        losses.append(run_losses)
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_large_small_and_strided_parameters_get_the_same_update(name, options, monkeypatch):
    arrays = start([(40, 30), (7, 5), (6,)])
    together = leaves(arrays)
    walk(getattr(optim, name)(together, **options), together, 5)
    monkeypatch.setattr(run, "SMALL", 0)
    monkeypatch.setattr(run, "PIECE", 100)
    apart = leaves(arrays)
    optimizer = getattr(optim, name)(apart, **options)
    walk(optimizer, apart, 5)
    assert max(len(r.pieces) for r in optimizer._layouts[0].runs) == 12
    assert_same_bits(values(together), values(apart))
    strided = [tg.from_numpy(np.asfortranarray(a)).requires_grad_() for a in arrays]
    rng = np.random.default_rng(1)
    optimizer = getattr(optim, name)(strided, **options)
    for _ in range(5):
        for p in strided:
            p.grad = tg.from_numpy(np.asfortranarray(rng.standard_normal(p.shape)))
        optimizer.step()
    assert not strided[0].is_contiguous()
    assert_same_bits(values(together), values(strided))


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
def test_a_step_never_writes_to_the_gradient_and_records_nothing(name, options):
    params = leaves(start(EMPTY))
    grads = start(EMPTY, seed=5)
    give(params, grads)
    optimizer = getattr(optim, name)(params, **options)
    optimizer.step()
    optimizer.step()
    assert_same_bits([p.grad.numpy() for p in params], grads)
    assert all(p.is_leaf and p.requires_grad for p in params)


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
def test_a_loaded_state_goes_on_bit_for_bit(name, options):
    straight = leaves(start())
    optimizer = getattr(optim, name)(straight, **options)
    walk(optimizer, straight, 5)
    resumed = leaves(values(straight))
    saved = pickle.loads(pickle.dumps(optimizer.state_dict()))
    other = getattr(optim, name)(resumed, lr=123.0)
    other.load_state_dict(saved)
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    for o, ps in ((optimizer, straight), (other, resumed)):
        walk(o, ps, 5, seed=9)
    assert_same_bits(values(straight), values(resumed))


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
@pytest.mark.usefixtures("double_scalars")
def test_state_dict_has_pytorchs_layout_and_keys_and_goes_both_ways(name, options):
    ours, optimizer, theirs, peer = optimizers(name, options, start())
    walk_both(ours, optimizer, theirs, peer, 3)
    mine, reference = optimizer.state_dict(), peer.state_dict()
    assert mine["state"].keys() == reference["state"].keys()
    for i, entry in reference["state"].items():
        assert mine["state"][i].keys() == entry.keys()
        for key, value in entry.items():
            np.testing.assert_allclose(as_torch(mine["state"][i][key]), value.numpy(), atol=1e-12)
    assert mine["param_groups"] == reference["param_groups"]
    other, peers_other = type(optimizer)(ours), type(peer)(theirs)
    other.load_state_dict(reference)
    state = {i: {key: as_torch(value) for key, value in entry.items()} for i, entry in mine["state"].items()}
    peers_other.load_state_dict({"state": state, "param_groups": mine["param_groups"]})
    walk_both(ours, other, theirs, peers_other, 3, seed=2)
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-9)


MUON = [
    {},
    {"lr": 0.1, "weight_decay": 0.0, "nesterov": False, "ns_steps": 3},
    {"lr": 0.1, "momentum": 0.5, "adjust_lr_fn": "match_rms_adamw", "ns_coefficients": (3.0, -4.0, 2.0)},
    {"lr": 0.1, "adjust_lr_fn": "original", "eps": 1e-3},
]


@pytest.mark.parametrize("options", MUON, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_muons_steps_are_pytorchs_to_the_precision_of_bfloat16(options, dtype):
    ours, optimizer, theirs, peer = optimizers("Muon", options, start([(4, 3), (10, 20), (6, 6)], dtype))
    walk_both(ours, optimizer, theirs, peer, 30)
    for p, q in zip(ours, theirs):  # a sum in another order may round to the next number of bfloat16
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), atol=1e-3)
        assert np.median(np.abs(p.detach().numpy() - q.detach().numpy())) < 1e-4
    assert optimizer.state_dict()["param_groups"] == peer.state_dict()["param_groups"]


def test_a_learning_rate_may_be_a_tensor():
    for name, options in EVERY:
        number, tensor = leaves(start()), leaves(start())
        rate = tg.tensor(0.25)
        for params, lr in ((number, 0.25), (tensor, rate)):
            walk(getattr(optim, name)(params, **{**options, "lr": lr}), params, 3)
        assert_same_bits(values(number), values(tensor))
    optimizer = optim.SGD(leaves([np.zeros(1)]), lr=rate)
    other = optim.SGD(leaves([np.zeros(1)]))
    other.load_state_dict(optimizer.state_dict())
    rate.fill_(1.0)
    assert optimizer.param_groups[0]["lr"].item() == 1.0
    assert other.param_groups[0]["lr"].item() == 0.25


def test_pytorchs_choices_of_kernel_are_accepted_and_change_nothing():
    for name, options in EVERY:
        for switch, value in (("foreach", True), ("fused", True), ("capturable", True)):
            if switch in getattr(optim, name)(leaves(start())).defaults:
                plain, switched = leaves(start()), leaves(start())
                walk(getattr(optim, name)(plain, **options), plain, 2)
                walk(getattr(optim, name)(switched, **options, **{switch: value}), switched, 2)
                assert_same_bits(values(plain), values(switched))


def test_signatures_are_pytorchs():
    torch = pytest.importorskip("torch")
    for name in [*dict(EVERY), "Muon", "LBFGS"]:
        ours, theirs = (inspect.signature(getattr(library.optim, name)).parameters for library in (tg, torch))
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in theirs.values()
        ], name


@pytest.mark.parametrize("name", list(dict(EVERY)))
def test_float16_parameters_are_updated_in_float32(name):
    params = leaves(start([(3, 2), (2,)], np.float16))
    wide = leaves([p.detach().numpy().astype(np.float32) for p in params])
    for p, q in zip(params, wide):
        g = np.full(p.shape, 1e-4, np.float16)  # whose square is 0 in float16
        g.flat[0] = 0
        give([p, q], [g, g])
    for ps in (params, wide):
        getattr(optim, name)(ps, lr=0.01).step()
    for p, q in zip(params, wide):
        assert p.dtype == tg.float16
        assert np.isfinite(p.detach().numpy()).all()
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=2e-3, atol=1e-6)


def test_adafactor_leaves_a_matrix_of_zero_gradients_where_it_is():
    ours, optimizer, theirs, peer = optimizers("Adafactor", {}, start([(3, 2)]))
    give(ours, [np.zeros((3, 2))])
    theirs[0].grad = theirs[0].detach() * 0
    before = values(ours)
    for each in (optimizer, peer):
        each.step()
    assert_same_bits(values(ours), before)
    assert_same_bits(values(theirs), before)


def test_centered_rmsprop_stays_finite_on_a_constant_gradient():
    (p,) = params = leaves([np.zeros(50, np.float32)])
    optimizer = optim.RMSprop(params, alpha=0.5, centered=True)
    give(params, [np.linspace(0.1, 1, 50)])
    for _ in range(60):
        optimizer.step()
    assert np.isfinite(p.detach().numpy()).all()


def test_repr_is_pytorchs():
    for name, options in EVERY:
        _, optimizer, _, peer = optimizers(name, options, start())
        assert repr(optimizer) == repr(peer)
