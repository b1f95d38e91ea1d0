"""Convolutions, their transposes, folding, and the layers of them: PyTorch's numbers, derivatives and refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from side_by_side import compare_derivatives, derivatives, normal, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.backends.cpu import convolution as kernels
from tensorgrad.backends.cpu import depthwise
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck

CONVS = ("conv1d", "conv2d", "conv3d")
TRANSPOSED = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")


def same_as_torch(name, arrays, tolerance=1e-9, **settings):
    ours, theirs = (getattr(L.nn.functional, name) for L in (tg, torch_on_one_thread()))
    compare_derivatives(lambda *xs: ours(*xs, **settings), lambda *xs: theirs(*xs, **settings), arrays, tolerance)


def weights(name, groups, in_channels, out_channels, kernel):
    if name in TRANSPOSED:
        return normal(in_channels, out_channels // groups, *kernel, seed=3)
    return normal(out_channels, in_channels // groups, *kernel, seed=3)


SETTINGS = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"padding": 3},
    {"dilation": 2, "padding": 2},
    {"stride": 3, "padding": 2, "dilation": 2},
    {"groups": 2},
    {"groups": 4, "stride": 2, "padding": 1},
    {"groups": 4, "padding": 1},
]


def named(settings):
    return "-".join(f"{k}={v}" for k, v in settings.items()) or "plain"


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
@pytest.mark.parametrize("name", CONVS + TRANSPOSED)
def test_values_and_both_derivatives_are_those_of_torch(name, settings):
    dims = int(name[-2])
    size, kernel = (7, 6, 5)[:dims], (3, 2, 3)[:dims]
    w = weights(name, settings.get("groups", 1), 4, 8, kernel)
    same_as_torch(name, [normal(2, 4, *size), w, normal(8)], **settings)
    same_as_torch(name, [normal(4, *size), w], **settings)


UNEVEN = [
    ("conv2d", {"stride": (1, 2), "padding": (2, 0), "dilation": (1, 2)}),
    ("conv2d", {"stride": (3,), "padding": (1,)}),
    ("conv2d", {"padding": "valid", "stride": 2}),
    ("conv2d", {"padding": "same"}),
    ("conv2d", {"padding": "same", "dilation": (3, 1)}),
    ("conv_transpose2d", {"stride": (3, 2), "padding": (0, 1), "output_padding": (2, 1)}),
    ("conv_transpose2d", {"stride": (1, 3), "output_padding": (1, 2), "dilation": (2, 1)}),
]


@pytest.mark.parametrize(("name", "settings"), UNEVEN, ids=lambda x: x if isinstance(x, str) else named(x))
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_settings_for_each_dimension_are_those_of_torch(name, settings):
    for kernel in ((3, 2), (4, 1)):
        same_as_torch(name, [normal(2, 3, 9, 8), weights(name, 1, 3, 5, kernel), normal(5)], **settings)


@pytest.mark.parametrize("kernel", [1, 2, 4])
@pytest.mark.parametrize("stride", [1, 2, 4, 5])
def test_strides_below_and_above_the_kernel_are_those_of_torch(kernel, stride):
    same_as_torch("conv2d", [normal(2, 3, 11, 10), normal(5, 3, kernel, kernel)], stride=stride)
    same_as_torch("conv_transpose2d", [normal(2, 3, 4, 5), normal(3, 5, kernel, kernel)], stride=stride)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("tile", [1, 50, 1000])
@pytest.mark.parametrize("wider", [0.0, 100.0])
@pytest.mark.parametrize("shape", [(5, 1, 9, 8), (3, 6, 9, 8)], ids=["channels first", "channels last"])
def test_every_layout_tiling_division_and_way_back_gives_the_same(shape, tile, wider, threads, monkeypatch):
    x, w, b = normal(*shape), normal(4, shape[1], 3, 3), normal(4)
    leaves = [tg.from_numpy(a).requires_grad_() for a in (x, w, b)]
    whole = derivatives(lambda *xs: F.conv2d(*xs, padding=2), leaves, tg)
    monkeypatch.setattr(kernels, "TILE", tile)
    monkeypatch.setattr(kernels, "WIDER", wider)
    monkeypatch.setattr(kernels, "ALONE", 0)
    monkeypatch.setattr(kernels, "get_num_threads", lambda: threads)
    parts = derivatives(lambda *xs: F.conv2d(*xs, padding=2), leaves, tg)
    for got, expected in zip(parts[:-1], whole[:-1], strict=True):  # the bias has no second derivative
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("settings", [*SETTINGS[:6], {"stride": 2, "padding": 1}], ids=named)
@pytest.mark.parametrize("name", CONVS + TRANSPOSED)
def test_channels_by_themselves_are_those_of_torch(name, settings):
    dims = int(name[-2])
    x, w, b = normal(2, 4, *(7, 6, 5)[:dims]), normal(4, 1, *(3, 2, 3)[:dims]), normal(4)
    same_as_torch(name, [x, w, b], groups=4, **settings)
    same_as_torch(name, [x[0], w], groups=4, **settings)


@pytest.mark.parametrize("number", [np.inf, np.nan])
def test_what_is_not_finite_reaches_only_its_own_weights_where_channels_are_by_themselves(number):
    torch = torch_on_one_thread()
    x = normal(2, 3, 6, 5)
    x[0, 1, 2, 4] = number
    gradients = []
    for L in (tg, torch):
        w = L.tensor(normal(3, 1, 3, 3), requires_grad=True)
        L.nn.functional.conv2d(L.tensor(x), w, padding=1, groups=3).sum().backward()
        gradients.append(w.grad.numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-9)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("tile", [1, 2000])
@pytest.mark.parametrize("stride", [1, 2])
def test_channels_by_themselves_do_not_depend_on_tiles(stride, tile, threads, monkeypatch):
    leaves = [tg.from_numpy(a).requires_grad_() for a in (normal(3, 5, 9, 8), normal(5, 1, 3, 3), normal(5))]

    def derived():
        return derivatives(lambda *xs: F.conv2d(*xs, padding=1, stride=stride, groups=5), leaves, tg)[:-1]

    whole = derived()
    monkeypatch.setattr(depthwise, "_TILE", tile)
    monkeypatch.setattr(kernels, "ALONE", 0)
    monkeypatch.setattr(kernels, "get_num_threads", lambda: threads)
    for got, expected in zip(derived(), whole, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_dtypes_are_those_of_torch():
    same_as_torch("conv2d", [a.astype(np.float32) for a in (normal(2, 3, 6, 6), normal(4, 3, 3, 3))], 1e-4)
    torch = torch_on_one_thread()
    for dtype, tolerance in (("int64", 0), ("float16", 2e-2)):
        arrays = [(normal(2, 3, 6, 6) * 3).astype(dtype), (normal(4, 3, 3, 3) * 3).astype(dtype)]
        ours = F.conv2d(*map(tg.from_numpy, arrays)).numpy()
        theirs = torch.nn.functional.conv2d(*map(torch.from_numpy, arrays)).numpy()
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_an_empty_batch_gives_an_empty_batch_and_gradients_of_zero():
    same_as_torch("conv2d", [normal(0, 3, 6, 6), normal(4, 3, 3, 3), normal(4)])
    assert F.conv_transpose2d(tg.ones(0, 3, 4, 4), tg.ones(3, 2, 2, 2)).shape == (0, 2, 5, 5)


def test_no_channels_give_the_bias():
    assert (F.conv1d(tg.ones(2, 0, 4), tg.ones(3, 0, 2), tg.ones(3)) == 1).all()


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), list(itertools.product((1, 2), (0, 2), (1, 2), (1, 2)))
)
def test_gradients_of_both_orders_are_those_of_finite_differences(name, stride, padding, dilation, groups):
    x, w, b = normal(1, 2, 5, 5), weights(name, groups, 2, 2, (2, 3)), normal(2)
    if name == "conv_transpose2d" and padding:
        x, padding = normal(1, 2, 3, 2), 1

    def function(*inputs):
        return getattr(F, name)(*inputs, stride=stride, padding=padding, dilation=dilation, groups=groups)

    inputs = [tg.from_numpy(a).requires_grad_() for a in (x, w, b)]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_a_transposed_convolution_is_the_transpose():
    x, w = tg.from_numpy(normal(1, 3, 8, 7)), tg.from_numpy(normal(4, 3, 3, 2))
    y = F.conv2d(x, w, stride=2, padding=1)
    g = tg.from_numpy(normal(*y.shape, seed=5))
    back = F.conv_transpose2d(g, w, stride=2, padding=1, output_padding=(1, 1))
    assert back.shape == x.shape
    assert (y * g).sum().item() == pytest.approx((x * back).sum().item())


def test_a_convolution_is_the_product_with_the_unfolded_blocks():
    x, w = tg.from_numpy(normal(2, 3, 8, 7)), tg.from_numpy(normal(4, 3, 3, 2))
    columns = F.unfold(x, (3, 2), stride=2, padding=1)
    y = F.conv2d(x, w, stride=2, padding=1)
    np.testing.assert_allclose((w.flatten(1) @ columns).reshape(y.shape).numpy(), y.numpy(), rtol=1e-9, atol=1e-9)


def test_the_bias_in_the_kernel_is_the_bias_added():
    x, w, b = tg.from_numpy(normal(2, 3, 8, 7)), tg.from_numpy(normal(4, 3, 3, 2)), tg.from_numpy(normal(4))
    np.testing.assert_allclose(F.conv2d(x, w, b).numpy(), (F.conv2d(x, w) + b.reshape(-1, 1, 1)).numpy(), rtol=1e-12)


def test_no_windows_are_kept_for_the_gradient():
    x = tg.randn(2, 3, 8, 8, requires_grad=True)
    w = tg.randn(4, 3, 3, 3, requires_grad=True)
    kept = F.conv2d(x, w).grad_fn.kept
    assert [a is b for a, b in zip(kept[1:], (x._data, w._data), strict=True)] == [True, True]


FOLDS = [
    {"kernel_size": 2},
    {"kernel_size": (3, 2), "padding": (1, 2), "stride": (2, 1)},
    {"kernel_size": (2, 3), "dilation": (3, 2), "padding": 2, "stride": 2},
    {"kernel_size": 3, "stride": 3},
]


@pytest.mark.parametrize("settings", FOLDS, ids=named)
def test_unfold_and_fold_are_those_of_torch(settings):
    for batch in ((2,), ()):
        same_as_torch("unfold", [normal(*batch, 3, 7, 8)], **settings)
        blocks = F.unfold(tg.from_numpy(normal(*batch, 3, 7, 8)), **settings).numpy()
        same_as_torch("fold", [blocks], output_size=(7, 8), **settings)


LAYERS = [
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1}),
    ("Conv1d", (4, 6, 3), {"padding": "same", "dilation": 2, "bias": False}),
    ("Conv2d", (4, 6, 3), {}),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}),
    ("Conv2d", (4, 6, 3), {"padding": 2, "padding_mode": "reflect"}),
    ("Conv2d", (4, 6, 3), {"padding": (1, 2), "padding_mode": "replicate", "stride": 2}),
    ("Conv2d", (4, 6, (4, 3)), {"padding": "same", "padding_mode": "circular"}),
    ("Conv2d", (4, 6, 3), {"padding": "valid", "padding_mode": "circular"}),
    ("Conv3d", (4, 6, 2), {"groups": 2, "bias": False}),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    ("ConvTranspose2d", (4, 6, (3, 2)), {"stride": (2, 1), "dilation": (1, 2), "groups": 2, "bias": False}),
    ("ConvTranspose3d", (4, 6, 2), {"stride": 2}),
]


@pytest.mark.parametrize(("layer", "args", "settings"), LAYERS, ids=lambda x: named(x) if isinstance(x, dict) else None)
def test_layers_are_those_of_torch(layer, args, settings):
    torch = torch_on_one_thread()
    theirs = getattr(torch.nn, layer)(*args, **settings, dtype=torch.float64)
    ours = getattr(nn, layer)(*args, **settings, dtype=tg.float64)
    assert repr(ours) == repr(theirs)
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
    ]
    ours.load_state_dict({k: tg.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    x = normal(2, 4, *(7, 6, 5)[: ours.dims])
    for array in (x, x[0]):
        np.testing.assert_allclose(
            ours(tg.from_numpy(array.copy())).detach().numpy(),
            theirs(torch.from_numpy(array.copy())).detach().numpy(),
            rtol=1e-9,
            atol=1e-9,
        )


@pytest.mark.parametrize("size", [(9, 11), (10, 12), (2, 6, 10, 11)])
def test_an_output_size_chooses_the_padding_as_in_torch(size):
    torch = torch_on_one_thread()
    ours, theirs = (lib.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1) for lib in (tg, torch))
    assert ours(tg.ones(2, 4, 5, 6), output_size=size).shape == tuple(
        theirs(torch.ones(2, 4, 5, 6), output_size=size).shape
    )


@pytest.mark.parametrize("layer", ["Conv2d", "ConvTranspose2d"])
def test_parameters_start_uniform_within_the_bound_of_torch(layer):
    ours = getattr(nn, layer)(8, 16, 5)
    bound = 1 / np.sqrt(np.prod(ours.weight.shape[1:]))
    for p in (ours.weight, ours.bias):
        assert p.abs().max().item() <= bound
    w = ours.weight.detach().numpy()
    assert np.abs(w).max() > 0.99 * bound
    assert w.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_folding_layers_are_their_functions():
    x = tg.randn(2, 3, 6, 6)
    blocks = nn.Unfold(2, stride=2)(x)
    assert (blocks == F.unfold(x, 2, stride=2)).all()
    assert (nn.Fold((6, 6), 2, stride=2)(blocks) == x).all()
    torch = torch_on_one_thread()
    assert repr(nn.Unfold(2, padding=(1, 0))) == repr(torch.nn.Unfold(2, padding=(1, 0)))
    assert repr(nn.Fold((2, 2), 2)) == repr(torch.nn.Fold((2, 2), 2))


X, W = (2, 4, 6, 6), (8, 4, 3, 3)
MISTAKES = [
    ("conv2d", (6, 6), W, {}, ShapeError, r"conv2d: input must be \(batch, channels, height, width\).*\(6, 6\)"),
    ("conv2d", X, (8, 4, 3), {}, ShapeError, r"conv2d: weight must have 4 dimensions.*\(8, 4, 3\)"),
    ("conv2d", X, (0, 4, 3, 3), {}, ShapeError, "conv2d: weight must have 4 dimensions, none of them empty"),
    ("conv2d", X, (8, 3, 3, 3), {}, ShapeError, "has 4 channels, and weight .* takes 3"),
    ("conv2d", X, W, {"groups": 2}, ShapeError, "has 4 channels, and weight .* groups=2 takes 8"),
    ("conv2d", X, (7, 2, 3, 3), {"groups": 2}, ValueError, "groups must be 1 or more and divide the 7 channels"),
    ("conv2d", X, W, {"groups": 0}, ValueError, "groups must be 1 or more"),
    ("conv2d", X, W, {"bias": (4,)}, ShapeError, r"bias must have shape \(8,\)"),
    ("conv2d", X, W, {"stride": 0}, ValueError, "stride must be an int of 1 or more, or 2 of them, not 0"),
    ("conv2d", X, W, {"stride": (1, 1, 1)}, ValueError, "stride must be .* 2 of them"),
    ("conv2d", X, W, {"stride": 1.5}, ValueError, "stride must be an int"),
    ("conv2d", X, W, {"padding": -1}, ValueError, "padding must be an int of 0 or more"),
    ("conv2d", X, W, {"padding": "full"}, ValueError, "padding must be ints, 'valid' or 'same', not 'full'"),
    ("conv2d", X, W, {"padding": "same", "stride": 2}, ValueError, "padding='same' needs stride 1"),
    ("conv2d", X, W, {"dilation": 3}, ShapeError, r"kernel of \(3, 3\) with dilation \(3, 3\) does not fit"),
    ("conv1d", (2, 4, 0), (8, 4, 1), {}, ShapeError, "does not fit an input"),
    ("conv3d", X, W, {}, ShapeError, "conv3d: weight must have 5 dimensions"),
    ("conv_transpose2d", X, W, {}, ShapeError, "has 4 channels, and weight .* takes 8"),
    (
        "conv_transpose2d",
        X,
        (4, 8, 3, 3),
        {"output_padding": 1},
        ValueError,
        r"output_padding \(1, 1\) must be smaller",
    ),
    ("conv_transpose2d", X, (4, 8, 3, 3), {"padding": 5}, ShapeError, r"size of \(-2, -2\); take less padding"),
]


@pytest.mark.parametrize(("name", "x", "w", "settings", "error", "message"), MISTAKES)
def test_a_mistake_is_explained_where_torch_refuses_it(name, x, w, settings, error, message):
    def call(lib):
        given = {k: lib.ones(v) if k == "bias" else v for k, v in settings.items()}
        return getattr(lib.nn.functional, name)(lib.ones(x), lib.ones(w), **given)

    with pytest.raises(error, match=message):
        call(tg)
    with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)):
        call(torch_on_one_thread())


def test_dtypes_must_be_one():
    for function in (F.conv1d, F.conv_transpose1d):
        with pytest.raises(DtypeError, match="input 0 is float32, input 1 is float64"):
            function(tg.ones(2, 3, 4), tg.ones(3, 3, 2, dtype=tg.float64))
        with pytest.raises(DtypeError, match="bool"):
            function(tg.ones(2, 3, 4) > 0, tg.ones(3, 3, 2) > 0)
    with pytest.raises(DtypeError, match="bias must be float32"):
        F.conv_transpose1d(tg.ones(2, 3, 4), tg.ones(3, 3, 2), tg.ones(3, dtype=tg.float64))
    with pytest.raises(DtypeError, match="conv1d: input must be a Tensor, not list"):
        F.conv1d([1.0], tg.ones(3, 3, 2))


WRONG_LAYERS = [
    ("Conv2d", (3, 4, 3), {"groups": 2}, "in_channels must be a multiple of groups=2, not 3"),
    ("Conv2d", (4, 3, 3), {"groups": 2}, "out_channels must be a multiple of groups=2, not 3"),
    ("Conv2d", (4, 4, 3), {"groups": 0}, "groups must be an int of 1 or more"),
    ("Conv2d", (4, 4, -3), {}, "kernel_size must be an int of 1 or more"),
    ("Conv2d", (4, 4, 3), {"padding": "full"}, "padding must be ints, 'valid' or 'same', not 'full'"),
    ("Conv2d", (4, 4, 3), {"padding": "same", "stride": 2}, "padding='same' needs stride 1"),
    ("Conv2d", (4, 4, 3), {"padding_mode": "mirror"}, "padding_mode must be one of 'zeros', 'reflect'"),
    ("ConvTranspose2d", (4, 4, 3), {"padding_mode": "reflect"}, "padding_mode must be 'zeros'"),
]


@pytest.mark.parametrize(("layer", "args", "settings", "message"), WRONG_LAYERS)
def test_a_layer_refuses_settings_that_torch_refuses(layer, args, settings, message):
    with pytest.raises(ValueError, match=f"{layer}: {message}"):
        getattr(nn, layer)(*args, **settings)
    with pytest.raises((RuntimeError, ValueError)):
        getattr(torch_on_one_thread().nn, layer)(*args, **settings)


def test_a_size_that_a_layer_cannot_make_is_refused():
    with pytest.raises(ShapeError, match=r"output_size \(13, 13\) must be from \(9, 9\) to \(10, 10\)"):
        nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1)(tg.ones(2, 4, 5, 5), output_size=(13, 13))


def test_blocks_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"blocks of \(5, 5\) .* do not fit images of \(3, 3\)"):
        F.unfold(tg.ones(1, 2, 3, 3), 5)
    with pytest.raises(ShapeError, match=r"input must be \(N, C, H, W\)"):
        F.unfold(tg.ones(3, 3), 2)
    for shape in ((1, 8, 5), (1, 7, 4), (8,)):
        with pytest.raises(ShapeError, match=r"fold: input must be \(N, C \* 4, 4\)"):
            F.fold(tg.ones(shape), (3, 3), 2)
