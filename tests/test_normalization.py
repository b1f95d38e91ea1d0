"""Normalisation: PyTorch's values, gradients, running statistics, layers and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import torch_on_one_thread

import tensorgrad as tg
import tensorgrad.nn.functional as F
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.testing import gradcheck, gradgradcheck

TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 2e-3}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape) * 2 + 0.5


def agree(name, inputs, dtype="float64", **settings):
    """Ours and PyTorch's function of (input, weight, bias) give the same value, dtype and gradients."""
    torch = torch_on_one_thread()
    results = []
    for library, functional in ((tg, F), (torch, torch.nn.functional)):
        leaves = {k: library.tensor(v.astype(dtype), requires_grad=True) for k, v in inputs.items()}
        y = getattr(functional, name)(**leaves, **settings)
        g = draw(*y.shape, seed=1).astype(dtype)
        y.backward(library.tensor(g))
        results.append([y.detach().numpy(), *(x.grad.numpy() for x in leaves.values())])
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == theirs.dtype
        tolerance = TOLERANCE[dtype]
        scale = np.abs(theirs).max(initial=1.0)  # half precision: the gradients are sums of rounded ones
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)


def affine(x, *shape, weight=True, bias=True):
    inputs = {"input": x}
    if weight:
        inputs["weight"] = draw(*shape, seed=2)
    if bias:
        inputs["bias"] = draw(*shape, seed=3)
    return inputs


AFFINE = [{}, {"weight": False, "bias": False}, {"bias": False}, {"weight": False}]
SHAPES = [(4, 3), (4, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 2), (1, 3, 6), (6, 3, 1), (1, 3, 1, 4)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("given", AFFINE, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_batch_norm_is_pytorchs(shape, given, dtype):
    agree("batch_norm", affine(draw(*shape), 3, **given), dtype, running_mean=None, running_var=None, training=True)


@pytest.mark.parametrize("given", AFFINE, ids=str)
def test_batch_norm_by_given_statistics_is_pytorchs(given):
    torch = pytest.importorskip("torch")
    results = []
    for library, functional in ((tg, F), (torch, torch.nn.functional)):
        mean, var = library.tensor([0.1, 0.2, 0.3]).double(), library.tensor([1.0, 2.0, 3.0]).double()
        leaves = {k: library.tensor(v, requires_grad=True) for k, v in affine(draw(2, 3, 4), 3, **given).items()}
        y = functional.batch_norm(leaves.pop("input"), mean, var, **leaves)
        results.append([y.detach().numpy(), mean.numpy()])
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12)
    np.testing.assert_array_equal(results[0][1], results[1][1])


@pytest.mark.parametrize("shape", [(2, 6), (2, 6, 5), (3, 6, 4, 2), (1, 6, 2, 2, 2), (0, 6, 3)], ids=str)
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("given", AFFINE[:3], ids=str)
def test_group_norm_is_pytorchs(shape, groups, given):
    if len(shape) > 2 or groups < 6:
        agree("group_norm", affine(draw(*shape), 6, **given), num_groups=groups)


def test_group_norm_leaves_an_expanded_input_as_it_is():
    x = tg.tensor([[1.0], [3.0]]).expand(2, 4)
    y = F.group_norm(x, 2)
    assert x.tolist() == [[1.0] * 4, [3.0] * 4]
    assert not y.any()


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 4, 2), (1, 3, 2, 2, 2)], ids=str)
@pytest.mark.parametrize("given", AFFINE[:3], ids=str)
def test_instance_norm_is_pytorchs(shape, given):
    agree("instance_norm", affine(draw(*shape), 3, **given))


@pytest.mark.parametrize(
    ("shape", "last"), [((4, 6), 1), ((2, 3, 6), 1), ((2, 3, 6), 2), ((6,), 1), ((3, 2, 2), 3), ((0, 4), 1)], ids=str
)
@pytest.mark.parametrize("given", AFFINE, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_layer_norm_is_pytorchs(shape, last, given, dtype):
    agree("layer_norm", affine(draw(*shape), *shape[-last:], **given), dtype, normalized_shape=shape[-last:], eps=1e-3)


@pytest.mark.parametrize(("shape", "last"), [((4, 6), 1), ((2, 3, 6), 2), ((6,), 1), ((0, 4), 1)], ids=str)
@pytest.mark.parametrize("eps", [None, 1e-2])
@pytest.mark.parametrize("weight", [True, False])
def test_rms_norm_is_pytorchs(shape, last, eps, weight):
    inputs = affine(draw(*shape), *shape[-last:], weight=weight, bias=False)
    for dtype in ("float64", "float32"):
        agree("rms_norm", inputs, dtype, normalized_shape=shape[-last:], eps=eps)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 5, 2, 3), (1, 5, 2, 2, 2)], ids=str)
def test_local_response_norm_is_pytorchs(size, shape):
    agree("local_response_norm", {"input": draw(*shape)}, size=size, alpha=0.5, beta=0.6, k=1.5)


@pytest.mark.parametrize(
    "settings", [{}, {"p": 1.0}, {"p": 3.0, "dim": 0}, {"p": float("inf"), "dim": -1}, {"dim": (1, 2)}], ids=str
)
def test_normalize_is_pytorchs(settings):
    agree("normalize", {"input": draw(2, 3, 4)}, **settings)
    assert F.normalize(tg.zeros(2, 2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_half_precision_is_computed_in_single():
    half = "float16"
    agree("batch_norm", affine(draw(8, 3, 4), 3), half, running_mean=None, running_var=None, training=True)
    agree("layer_norm", affine(draw(5, 6), 6), half, normalized_shape=(6,))
    agree("group_norm", affine(draw(2, 6, 4), 6), half, num_groups=2)
    agree("rms_norm", affine(draw(5, 6), 6, bias=False), half, normalized_shape=(6,))
    assert F.layer_norm(tg.ones(2, 3).half(), (3,), tg.ones(3)).dtype == tg.float16


def test_a_large_mean_costs_no_more_accuracy_than_in_pytorch():
    torch = pytest.importorskip("torch")
    x = (draw(16, 4, 50) + 1e3).astype(np.float32)
    exact = (x.astype(np.float64) - x.mean((0, 2), keepdims=True, dtype=np.float64)) / np.sqrt(
        x.var((0, 2), keepdims=True, dtype=np.float64) + 1e-5
    )
    ours = np.abs(F.batch_norm(tg.tensor(x), None, None, training=True).numpy() - exact).max()
    theirs = np.abs(torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True).numpy() - exact).max()
    assert ours < max(2 * theirs, 1e-4)


# Fused and composed


def composed(x, weight, bias, layout, batch, eps=1e-5):
    """The same from operations."""
    dims = (0, 2, 3) if batch else (2, 3)
    z = x.reshape(layout)
    z = (z - z.mean(dims, keepdim=True)) / (z.var(dims, correction=0, keepdim=True) + eps).sqrt()
    shape = (1, *layout[1:3], 1)
    return (z * weight.reshape(shape) + bias.reshape(shape)).reshape(x.shape)


FUSED = [
    ("batch_norm", (4, 3, 5), (4, 3, 1, 5), True, {"running_mean": None, "running_var": None, "training": True}),
    ("batch_norm", (4, 3), (4, 3, 1, 1), True, {"running_mean": None, "running_var": None, "training": True}),
    ("group_norm", (2, 6, 3), (2, 2, 3, 3), False, {"num_groups": 2}),
    ("group_norm", (2, 6), (2, 2, 3, 1), False, {"num_groups": 2}),
    ("instance_norm", (2, 3, 5), (2, 3, 1, 5), False, {}),
    ("layer_norm", (4, 6), (4, 1, 6, 1), False, {"normalized_shape": (6,)}),
]


@pytest.mark.parametrize(("name", "shape", "layout", "batch", "settings"), FUSED)
def test_the_fused_norms_are_their_composition_and_so_are_their_derivatives(name, shape, layout, batch, settings):
    channels = layout[1] * layout[2]
    first, second = [], []
    for call in (
        lambda x, w, b: getattr(F, name)(x, weight=w, bias=b, **settings),
        lambda x, w, b: composed(x, w, b, layout, batch),
    ):
        leaves = [tg.tensor(draw(*s), requires_grad=True) for s in (shape, (channels,), (channels,))]
        y = call(*leaves)
        grads = tg.autograd.grad((y**3).sum(), leaves, create_graph=True)
        first.append([y, *grads])
        second.append(tg.autograd.grad(sum((g**2).sum() for g in grads), leaves))
    for fused, plain in zip(first[0] + list(second[0]), first[1] + list(second[1]), strict=True):
        np.testing.assert_allclose(fused.detach().numpy(), plain.detach().numpy(), rtol=1e-8, atol=1e-8)


def test_given_statistics_are_the_composition():
    x, w, b = (tg.tensor(draw(*s), requires_grad=True) for s in ((4, 3, 5), (3,), (3,)))
    mean, var = tg.tensor(draw(3)), tg.tensor(draw(3) ** 2)
    fused = F.batch_norm(x, mean, var, w, b)
    r = tg.rsqrt(var + 1e-5)
    plain = (x - mean[:, None]) * (r * w)[:, None] + b[:, None]
    np.testing.assert_allclose(fused.detach().numpy(), plain.detach().numpy(), rtol=1e-10, atol=1e-12)
    for ours, theirs in zip(
        tg.autograd.grad((fused**3).sum(), [x, w, b]), tg.autograd.grad((plain**3).sum(), [x, w, b])
    ):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)
    assert gradgradcheck(lambda *xs: F.batch_norm(xs[0], mean, var, *xs[1:]) ** 2, [x, w, b])


def test_blocks_of_rows_give_the_same_as_one(monkeypatch):
    from tensorgrad.backends.cpu import blocks

    def gradients():
        leaves = [tg.tensor(draw(*s), requires_grad=True) for s in ((8, 6, 5), (6,), (6,), (8, 6), (6,), (6,))]
        a, b = F.group_norm(leaves[0], 2, *leaves[1:3]), F.layer_norm(leaves[3], (6,), *leaves[4:])
        return tg.autograd.grad((a**2).sum() + (b**3).sum(), leaves)

    whole = gradients()
    for name, value in (("_BLOCK", 7), ("_ALONE", 0), ("get_num_threads", lambda: 2)):
        monkeypatch.setattr(blocks, name, value)
    for a, b in zip(whole, gradients(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_second_derivatives_without_weight_and_in_evaluation():
    x = tg.tensor(draw(3, 2, 4), requires_grad=True)
    assert gradgradcheck(lambda x: F.batch_norm(x, None, None, training=True) ** 2, [x])
    assert gradgradcheck(lambda x: F.layer_norm(x, (4,)) ** 2, [x])
    mean, var = tg.zeros(2).double(), tg.ones(2).double()
    assert gradcheck(lambda x: F.batch_norm(x, mean, var) ** 2, [x])


# Layers

LAYERS = [
    ("BatchNorm1d(3)", (4, 3)),
    ("BatchNorm1d(3, momentum=None)", (4, 3, 5)),
    ("BatchNorm2d(3, 1e-3, 0.3)", (2, 3, 4, 5)),
    ("BatchNorm3d(3)", (2, 3, 2, 3, 4)),
    ("BatchNorm2d(3, affine=False)", (2, 3, 4, 5)),
    ("BatchNorm2d(3, bias=False)", (2, 3, 4, 5)),
    ("BatchNorm1d(3, track_running_stats=False)", (4, 3)),
    ("InstanceNorm1d(3)", (2, 3, 5)),
    ("InstanceNorm1d(3)", (3, 5)),
    ("InstanceNorm2d(3, affine=True)", (2, 3, 4, 5)),
    ("InstanceNorm2d(3, affine=True, track_running_stats=True)", (2, 3, 4, 5)),
    ("InstanceNorm3d(3, affine=True)", (3, 2, 3, 4)),
    ("LayerNorm(5)", (2, 3, 5)),
    ("LayerNorm((3, 5), 1e-3)", (2, 3, 5)),
    ("LayerNorm(5, bias=False)", (2, 5)),
    ("LayerNorm([5], elementwise_affine=False)", (2, 5)),
    ("GroupNorm(2, 4)", (2, 4, 3)),
    ("GroupNorm(4, 4, affine=False)", (2, 4, 3)),
    ("RMSNorm(5)", (2, 5)),
    ("RMSNorm((3, 5), 1e-3, False)", (2, 3, 5)),
    ("LocalResponseNorm(3, 0.1)", (2, 5, 4)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_layers_are_pytorchs_in_training_and_evaluation(layer, shape):
    torch = pytest.importorskip("torch")
    ours, theirs = eval(f"nn.{layer}", {"nn": nn}), eval(f"nn.{layer}", {"nn": torch.nn})
    assert repr(ours) == repr(theirs)
    for step in range(3):
        x = draw(*shape, seed=step).astype(np.float32)
        a, b = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = ours(a), theirs(b)
        (y**3).sum().backward()
        (z**3).sum().backward()
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-3, atol=1e-3)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-4, atol=1e-3)
    state, other = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(other)
    for name, value in other.items():
        assert state[name].dtype.name == str(value.dtype).removeprefix("torch.")
        np.testing.assert_allclose(state[name].numpy(), value.numpy(), rtol=1e-5, atol=1e-6)
    before = {name: value.numpy().copy() for name, value in state.items()}
    x = draw(*shape, seed=9).astype(np.float32)
    np.testing.assert_allclose(
        ours.eval()(tg.tensor(x)).detach().numpy(),
        theirs.eval()(torch.tensor(x)).detach().numpy(),
        rtol=1e-4,
        atol=1e-5,
    )
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_running_statistics_are_reset_and_saved_and_loaded():
    layer, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    layer(tg.tensor(draw(5, 2).astype(np.float32)))
    other.load_state_dict(layer.state_dict())
    assert other.num_batches_tracked.item() == 1
    assert other.running_mean.tolist() == layer.running_mean.tolist()
    layer.reset_parameters()
    assert (layer.running_mean.tolist(), layer.running_var.tolist(), layer.num_batches_tracked.item()) == (
        [0, 0],
        [1, 1],
        0,
    )


def test_factory_arguments_reach_parameters_and_statistics():
    for layer in (
        nn.BatchNorm2d(2, dtype=tg.float64),
        nn.LayerNorm(2, dtype=tg.float64),
        nn.GroupNorm(1, 2, dtype=tg.float64),
    ):
        assert {x.dtype for x in layer.state_dict().values()} <= {tg.float64, tg.int64}
        assert layer.weight.dtype == tg.float64


def test_an_empty_batch_leaves_the_statistics_alone():
    layer = nn.BatchNorm1d(3)
    assert layer(tg.zeros(0, 3, 4)).shape == (0, 3, 4)
    assert layer.running_mean.tolist() == [0.0, 0.0, 0.0]
    assert layer.running_var.tolist() == [1.0, 1.0, 1.0]


def test_channels_of_no_places_give_nothing():
    x = tg.zeros(2, 4, 0, requires_grad=True)
    for y in (F.batch_norm(x, None, None, training=True), F.group_norm(x, 2), F.layer_norm(x, (4, 0))):
        assert y.shape == (2, 4, 0)
        y.sum().backward()


def test_training_keeps_the_input_and_not_what_is_computed_from_it():
    x = tg.randn(8, 3, 16, 16, requires_grad=True)
    y = nn.BatchNorm2d(3)(x)
    kept = [k for k in y._node.kept if isinstance(k, np.ndarray)]
    assert sum(k.nbytes for k in kept) < x.nbytes + 200


X = tg.ones(2, 3, 4)
MISTAKES = [
    (
        ValueError,
        r"batch_norm: in training there must be more than one value per channel.*\(1, 3\)",
        lambda: nn.BatchNorm1d(3)(tg.ones(1, 3)),
    ),
    (
        ShapeError,
        r"BatchNorm1d: an input of shape \(2, 4\) has 4 channels, and the layer 3",
        lambda: nn.BatchNorm1d(3)(tg.ones(2, 4)),
    ),
    (ShapeError, "BatchNorm2d: it takes 4 dimensions", lambda: nn.BatchNorm2d(3)(X)),
    (ShapeError, "InstanceNorm1d: it takes 2 or 3 dimensions", lambda: nn.InstanceNorm1d(3)(tg.ones(3))),
    (ShapeError, "InstanceNorm1d: .*3 channels, and the layer 4", lambda: nn.InstanceNorm1d(4, affine=True)(X)),
    (ValueError, "instance_norm: there must be more than one value", lambda: F.instance_norm(tg.ones(2, 3, 1))),
    (ValueError, "running_mean and running_var must be given", lambda: F.batch_norm(X, None, None)),
    (
        ShapeError,
        r"batch_norm: weight of shape \(4,\) .* must be \(3,\)",
        lambda: F.batch_norm(X, None, None, tg.ones(4), training=True),
    ),
    (ShapeError, r"layer_norm: normalized_shape \(3,\) must be the last dimensions", lambda: F.layer_norm(X, 3)),
    (ShapeError, r"layer_norm: bias of shape \(3,\)", lambda: F.layer_norm(X, (4,), None, tg.ones(3))),
    (ShapeError, r"rms_norm: normalized_shape \(3,\)", lambda: nn.RMSNorm(3)(X)),
    (
        DtypeError,
        "layer_norm: the input is float64, and weight float32",
        lambda: F.layer_norm(X.double(), (4,), tg.ones(4)),
    ),
    (
        DtypeError,
        "batch_norm: it needs a floating dtype, not int64",
        lambda: F.batch_norm(X.long(), None, None, training=True),
    ),
    (DtypeError, "rms_norm: it needs a floating dtype", lambda: F.rms_norm(X.long(), (4,))),
    (ShapeError, "group_norm: it takes .* and 2 groups", lambda: F.group_norm(X, 2)),
    (ValueError, "GroupNorm: 4 channels are not a multiple of 3 groups", lambda: nn.GroupNorm(3, 4)),
    (ValueError, "group_norm: there must be more than one value in a group", lambda: F.group_norm(tg.ones(1, 1), 1)),
    (ShapeError, "local_response_norm: it takes", lambda: F.local_response_norm(tg.ones(2, 3), 2)),
    (ValueError, "local_response_norm: size must be 1 or more", lambda: F.local_response_norm(X, 0)),
]


@pytest.mark.parametrize(("kind", "message", "mistake"), MISTAKES)
def test_mistakes_are_named(kind, message, mistake):
    with pytest.raises(kind, match=message):
        mistake()
