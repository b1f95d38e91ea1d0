"""Pooling: PyTorch's values, indices, gradients and refusals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from side_by_side import compare_by_expression, normal, torch_on_one_thread

import tensorgrad as tg
import tensorgrad.nn.functional as F
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.testing import gradgradcheck

SHAPES = {
    1: [(2, 3, 11), (3, 8), (0, 2, 7)],
    2: [(2, 3, 9, 7), (3, 6, 8), (0, 2, 5, 5)],
    3: [(2, 2, 6, 5, 7), (2, 4, 6, 5)],
}
WINDOWS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": 3, "stride": 2, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
    {"kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": True},
    {"kernel_size": 1, "stride": 2},
]
DILATED = [{"kernel_size": 2, "dilation": 2}, {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}]


def pairs(*shape, dtype=np.float64):
    """The same values, with many ties, as our leaf and as PyTorch's."""
    torch = torch_on_one_thread()
    x = np.random.default_rng(0).integers(-3, 4, shape).astype(dtype)
    floating = x.dtype.kind == "f"
    return tg.tensor(x, requires_grad=floating), torch.tensor(x, requires_grad=floating)


def agree(name, shape, *args, dtype=np.float64, tolerance=1e-12, **settings):
    """Ours and PyTorch's function give the same values, dtypes, indices and gradients, or both refuse."""
    torch = pytest.importorskip("torch")
    a, b = pairs(*shape, dtype=dtype)
    try:
        theirs = getattr(torch.nn.functional, name)(b, *args, **settings)
    except RuntimeError:
        with pytest.raises(ValueError, match=f"^{name}: "):
            getattr(F, name)(a, *args, **settings)
        return
    ours = getattr(F, name)(a, *args, **settings)
    if isinstance(theirs, tuple):
        np.testing.assert_array_equal(ours[1].numpy(), theirs[1].numpy())
        assert ours[1].dtype == tg.int64
        ours, theirs = ours[0], theirs[0]
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance)
    assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
    if a.requires_grad:
        g = np.random.default_rng(1).standard_normal(ours.shape).astype(dtype)
        ours.backward(tg.tensor(g))
        theirs.backward(torch.tensor(g))
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=tolerance, atol=tolerance)
        with tg.no_grad():
            again = getattr(F, name)(a, *args, **settings)
        np.testing.assert_array_equal((again[0] if isinstance(again, tuple) else again).numpy(), ours.detach().numpy())


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("settings", WINDOWS + DILATED, ids=str)
@pytest.mark.parametrize("indices", [False, True])
def test_max_pooling_is_pytorchs(n, settings, indices):
    for shape in SHAPES[n]:
        agree(f"max_pool{n}d", shape, **settings, return_indices=indices)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_every_padding_dilation_and_ceil_mode_of_max_pooling_is_pytorchs(size, kernel):
    torch = pytest.importorskip("torch")
    for stride, padding, dilation, ceil_mode in itertools.product((1, 2, 4), (0, 1, 2), (1, 2, 4), (False, True)):
        for n in (1, 2):
            settings = (kernel, 2)[:n], (stride, 1)[:n], (padding, 1)[:n], (dilation, 2)[:n], ceil_mode
            a, b = pairs(2, size, 3) if n == 2 else pairs(2, size)
            try:
                expected, at = getattr(torch.nn.functional, f"max_pool{n}d")(b, *settings, True)
            except RuntimeError:
                with pytest.raises(ValueError, match=f"^max_pool{n}d: "):
                    getattr(F, f"max_pool{n}d")(a, *settings, True)
                continue
            y, index = getattr(F, f"max_pool{n}d")(a, *settings, return_indices=True)
            np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
            np.testing.assert_array_equal(index.numpy(), at.numpy())
            if expected.isfinite().all():  # elsewhere PyTorch writes the gradient outside of the input's memory
                y.sum().backward()
                expected.sum().backward()
                np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_a_window_that_lies_wholly_in_the_padding_gives_no_gradient():
    x = tg.tensor([[5.0], [7.0]], dtype=tg.float64, requires_grad=True)
    y, index = F.max_pool1d(x, 2, stride=1, padding=1, dilation=2, return_indices=True)
    assert y.tolist() == [[-math.inf]] * 2
    assert index.tolist() == [[1], [1]]
    y.backward(tg.full((2, 1), math.inf, dtype=tg.float64))
    assert x.grad.tolist() == [[0.0], [0.0]]
    z = tg.randn(1, 1, 3, dtype=tg.float64, requires_grad=True)
    pool = lambda z: F.max_pool2d(z, (2, 1), 1, (1, 0), (2, 1)).clamp(min=-1.0) ** 2  # noqa: E731
    assert gradgradcheck(pool, [z])


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("settings", WINDOWS, ids=str)
def test_average_pooling_is_pytorchs(n, settings):
    for shape in SHAPES[n]:
        for counting in ({}, {"count_include_pad": False}, {"divisor_override": 5}):
            if n > 1 or "divisor_override" not in counting:
                agree(f"avg_pool{n}d", shape, **settings, **counting)


@pytest.mark.parametrize(
    "settings", [{"kernel_size": (2, 3), "stride": (3, 1)}, {"kernel_size": [3, 1], "padding": (1, 0)}]
)
def test_windows_may_differ_between_dimensions(settings):
    for name in ("max_pool2d", "avg_pool2d"):
        agree(name, (2, 3, 9, 7), **settings)
    agree("max_pool2d", (2, 3, 9, 17), 17, padding=(8, 4), return_indices=True)  # more places than a byte counts


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
def test_adaptive_pooling_is_pytorchs(n, size):
    for shape in SHAPES[n][:2]:
        agree(f"adaptive_avg_pool{n}d", shape, size)
        agree(f"adaptive_max_pool{n}d", shape, size, return_indices=True)
        agree(f"adaptive_max_pool{n}d", shape, size)


@pytest.mark.parametrize("size", [(None, 3), (2, None), (1, None), (4, 1)])
def test_adaptive_sizes_may_be_the_inputs(size):
    agree("adaptive_avg_pool2d", (2, 3, 5, 6), size)
    agree("adaptive_max_pool2d", (2, 3, 5, 6), size)


def test_an_adaptive_size_of_nothing_gives_nothing():
    x = tg.ones(2, 3, 5, 6, requires_grad=True)
    for pool in (F.adaptive_avg_pool2d, F.adaptive_max_pool2d):
        assert pool(x, (0, 2)).shape == (2, 3, 0, 2)
    (F.adaptive_avg_pool2d(x, (0, 2)).sum() + F.adaptive_avg_pool2d(x, (2, 0)).sum()).backward()
    assert not x.grad.any()


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("p", [2, 3.0])
def test_norms_of_windows_are_pytorchs(n, p):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).uniform(0.5, 2.0, SHAPES[n][0])
    a, b = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    for settings in ({}, {"stride": 1}, {"ceil_mode": True}):
        ours = getattr(F, f"lp_pool{n}d")(a, p, 2, **settings)
        theirs = getattr(torch.nn.functional, f"lp_pool{n}d")(b, p, 2, **settings)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy())
        ours.sum().backward()
        theirs.sum().backward()
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy())


def test_the_norm_of_a_window_of_zeros_has_a_gradient_of_zero():
    x = tg.zeros(1, 4, requires_grad=True)
    F.lp_pool1d(x, 2, 2).sum().backward()
    assert x.grad.tolist() == [[0.0] * 4]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling_is_pytorchs(n):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    for shape, settings in (((2, 3, *(6,) * n), {}), ((3, *(7,) * n), {"output_size": (7,) * n})):
        a, b = pairs(*shape)
        y, at = getattr(F, f"max_pool{n}d")(a, 2, return_indices=True)
        z, to = getattr(functional, f"max_pool{n}d")(b, 2, return_indices=True)
        ours, theirs = (
            getattr(F, f"max_unpool{n}d")(y, at, 2, **settings),
            getattr(functional, f"max_unpool{n}d")(z, to, 2, **settings),
        )
        np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())
        g = np.random.default_rng(1).standard_normal(ours.shape)
        ours.backward(tg.tensor(g))
        theirs.backward(torch.tensor(g))
        np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64", "int32", "uint8"])
def test_dtypes_are_kept(dtype):
    agree("max_pool2d", (2, 3, 6, 6), 3, 2, 1, dtype=np.dtype(dtype))
    if dtype.startswith("float"):
        agree(
            "avg_pool2d", (2, 3, 6, 6), 3, 2, 1, dtype=np.dtype(dtype), tolerance=2e-3 if dtype == "float16" else 1e-5
        )
        agree(
            "adaptive_avg_pool2d",
            (2, 3, 7, 6),
            4,
            dtype=np.dtype(dtype),
            tolerance=2e-3 if dtype == "float16" else 1e-5,
        )


@pytest.mark.parametrize("at", [0, 1, 3])
def test_nan_and_infinity_are_passed_on(at):
    torch = pytest.importorskip("torch")
    for value in (math.nan, math.inf, -math.inf):
        x = np.zeros((1, 1, 4, 4))
        x[0, 0, :2, :2] = -math.inf
        x[0, 0, at // 2, at % 2] = value
        ours = F.max_pool2d(tg.tensor(x), 3, 1, 1, return_indices=True)
        theirs = torch.nn.functional.max_pool2d(torch.tensor(x), 3, 1, 1, return_indices=True)
        for mine, other in zip(ours, theirs):
            np.testing.assert_array_equal(mine.numpy(), other.numpy())
        mine, other = (
            f(t(x), (3, 3))
            for f, t in ((F.adaptive_avg_pool2d, tg.tensor), (torch.nn.functional.adaptive_avg_pool2d, torch.tensor))
        )
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


def test_gradients_go_to_the_first_of_equal_elements_only():
    x = tg.zeros(1, 4, requires_grad=True)
    F.max_pool1d(x, 2).backward(tg.tensor([[math.inf, 2.0]]))
    assert x.grad.tolist() == [[math.inf, 0.0, 2.0, 0.0]]


def test_pooling_has_second_derivatives():
    x = tg.randn(1, 5, 5, dtype=tg.float64, requires_grad=True)
    for pool in (F.max_pool2d, F.avg_pool2d):
        assert gradgradcheck(lambda x: pool(x, 3, 2, 1) ** 3, [x])  # noqa: B023


MISTAKES = [
    (
        ShapeError,
        r"max_pool2d: it takes \(C, H, W\) or \(N, C, H, W\).*\(4, 4\)",
        lambda: F.max_pool2d(tg.ones(4, 4), 2),
    ),
    (ShapeError, r"avg_pool1d: it takes \(C, L\) or \(N, C, L\)", lambda: F.avg_pool1d(tg.ones(4), 2)),
    (ShapeError, "max_pool3d: .*sizes of 1 or more", lambda: F.max_pool3d(tg.ones(2, 0, 3, 3, 3), 2)),
    (ShapeError, r"max_pool1d: .*\(1, 4\) is too small: a window covers 5", lambda: F.max_pool1d(tg.ones(1, 4), 5)),
    (
        ValueError,
        "max_pool1d: padding 2 must be at most half of the kernel, which is 2",
        lambda: F.max_pool1d(tg.ones(1, 4), 2, padding=2),
    ),
    (
        ValueError,
        "max_pool2d: kernel_size must be an int of 1 or more, or 2 of them, not 0",
        lambda: F.max_pool2d(tg.ones(1, 4, 4), 0),
    ),
    (ValueError, "avg_pool2d: stride must be", lambda: F.avg_pool2d(tg.ones(1, 4, 4), 2, stride=-1)),
    (ValueError, "avg_pool2d: kernel_size", lambda: F.avg_pool2d(tg.ones(1, 4, 4), (2, 2, 2))),
    (
        ValueError,
        "avg_pool2d: divisor_override must not be 0",
        lambda: F.avg_pool2d(tg.ones(1, 4, 4), 2, divisor_override=0),
    ),
    (DtypeError, "avg_pool2d: it needs a floating dtype, not int64", lambda: F.avg_pool2d(tg.ones(1, 4, 4).long(), 2)),
    (
        DtypeError,
        "max_pool2d: it does not take bools",
        lambda: F.max_pool2d(tg.ones(1, 4, 4).bool(), 2),
    ),
    (ValueError, "adaptive_avg_pool2d: output_size", lambda: F.adaptive_avg_pool2d(tg.ones(1, 4, 4), (1, 2, 3))),
    (
        ShapeError,
        "max_unpool1d: indices must be int64 of the input's shape",
        lambda: F.max_unpool1d(tg.ones(1, 2), tg.ones(1, 2), 2),
    ),
    (
        IndexError,
        "max_unpool1d: the indices reach from 0 to 9",
        lambda: F.max_unpool1d(tg.ones(1, 2), tg.tensor([[0, 9]]), 2),
    ),
    (
        ShapeError,
        r"max_unpool1d: output_size \(9,\)",
        lambda: F.max_unpool1d(tg.ones(1, 2), tg.tensor([[0, 1]]), 2, output_size=(9,)),
    ),
]


@pytest.mark.parametrize(("kind", "message", "mistake"), MISTAKES)
def test_mistakes_are_named(kind, message, mistake):
    with pytest.raises(kind, match=message):
        mistake()


LAYERS = [
    layer.format(n=n)
    for n in (1, 2, 3)
    for layer in (
        "MaxPool{n}d(2)",
        "MaxPool{n}d(3, 2, 1, ceil_mode=True)",
        "MaxPool{n}d(2, dilation=2, return_indices=True)",
        "AvgPool{n}d(2)",
        "AvgPool{n}d(3, 2, 1, count_include_pad=False)",
        "LPPool{n}d(2, 2)",
        "LPPool{n}d(2.0, 3, 1)",
        "AdaptiveAvgPool{n}d(3)",
        "AdaptiveMaxPool{n}d(4)",
        "AdaptiveMaxPool{n}d(2, return_indices=True)",
    )
] + ["AdaptiveAvgPool2d((None, 2))", "AvgPool2d(2, divisor_override=3)", "MaxPool2d((2, 3), (1, 2))"]


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_pytorchs(layer):
    n = int(layer[layer.index("d(") - 1])
    compare_by_expression(layer, normal(*(2, 3, 7, 6, 8)[: n + 2]))


@pytest.mark.parametrize("layer", ["MaxUnpool1d(2)", "MaxUnpool2d(2, stride=(2, 2))", "MaxUnpool3d(2)"])
def test_unpooling_layers_are_pytorchs(layer):
    torch = pytest.importorskip("torch")
    n = int(layer[layer.index("d(") - 1])
    ours, theirs = eval(f"nn.{layer}", {"nn": nn}), eval(f"nn.{layer}", {"nn": torch.nn})
    assert repr(ours) == repr(theirs)
    a, _ = pairs(2, 3, *(6,) * n)
    y, at = getattr(F, f"max_pool{n}d")(a.detach(), 2, return_indices=True)
    np.testing.assert_array_equal(
        ours(y, at, output_size=(7,) * n).numpy(),
        theirs(torch.tensor(y.numpy()), torch.tensor(at.numpy()), output_size=(7,) * n).numpy(),
    )


def test_the_largest_elements_can_be_changed_in_place_as_only_their_places_are_kept():
    x = tg.tensor([[[[1.0, 3.0], [2.0, 0.0]]]], requires_grad=True)
    y = F.max_pool2d(x, 2)
    y += 1
    F.relu(y, inplace=True).backward()
    assert x.grad.tolist() == [[[[0.0, 1.0], [0.0, 0.0]]]]
