"""Activations as functions and layers: PyTorch's numbers, gradients, arguments and refusals."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from side_by_side import compare_arguments, compare_derivatives, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck

# Kinks, the far ends, and what lies between.
POINTS = [-np.inf, -1e4, -100, -30, -6, -3, -1.5, -1, -0.5, -0.25, -0.125, -0.0, 0.0]
POINTS += [0.125, 0.25, 0.5, 1, 1.5, 3, 6, 20, 25, 100, 1e4, np.inf]

# The function, its settings, the layer of the same settings.
ACTIVATIONS = [
    ("relu", {}, "ReLU"),
    ("relu6", {}, "ReLU6"),
    ("hardtanh", {}, "Hardtanh"),
    ("hardtanh", {"min_val": -0.5, "max_val": 3.0}, "Hardtanh"),
    ("leaky_relu", {}, "LeakyReLU"),
    ("leaky_relu", {"negative_slope": 0.25}, "LeakyReLU"),
    ("leaky_relu", {"negative_slope": 0.0}, "LeakyReLU"),
    ("leaky_relu", {"negative_slope": 1.5}, "LeakyReLU"),
    ("leaky_relu", {"negative_slope": -0.5}, "LeakyReLU"),
    ("rrelu", {"lower": 0.25, "upper": 0.5}, "RReLU"),
    ("elu", {}, "ELU"),
    ("elu", {"alpha": 0.25}, "ELU"),
    ("celu", {}, "CELU"),
    ("celu", {"alpha": 0.25}, "CELU"),
    ("celu", {"alpha": -2.0}, "CELU"),
    ("selu", {}, "SELU"),
    ("threshold", {"threshold": 0.25, "value": 9.0}, "Threshold"),
    ("gelu", {}, "GELU"),
    ("gelu", {"approximate": "tanh"}, "GELU"),
    ("silu", {}, "SiLU"),
    ("mish", {}, "Mish"),
    ("sigmoid", {}, "Sigmoid"),
    ("logsigmoid", {}, "LogSigmoid"),
    ("hardsigmoid", {}, "Hardsigmoid"),
    ("hardswish", {}, "Hardswish"),
    ("tanh", {}, "Tanh"),
    ("tanhshrink", {}, "Tanhshrink"),
    ("softplus", {}, "Softplus"),
    ("softplus", {"beta": 2.0, "threshold": 3.0}, "Softplus"),
    ("softplus", {"beta": 2.0, "threshold": 1.0}, "Softplus"),
    ("softplus", {"beta": 0.5}, "Softplus"),
    ("softsign", {}, "Softsign"),
    ("hardshrink", {}, "Hardshrink"),
    ("hardshrink", {"lambd": 1.5}, "Hardshrink"),
    ("softshrink", {}, "Softshrink"),
    ("softshrink", {"lambd": 0.0}, "Softshrink"),
    ("glu", {"dim": 0}, "GLU"),
    ("softmin", {"dim": -1}, "Softmin"),
    ("softmax", {"dim": 0}, "Softmax"),
    ("log_softmax", {"dim": 1}, "LogSoftmax"),
]
IN_PLACE = [row for row in ACTIVATIONS if "inplace" in inspect.signature(getattr(F, row[0])).parameters]
ALONG = ("glu", "softmin", "softmax", "log_softmax")
every_activation = pytest.mark.parametrize(("name", "settings", "layer"), ACTIVATIONS, ids=str)
in_place_ones = pytest.mark.parametrize(("name", "settings", "layer"), IN_PLACE, ids=str)
TOLERANCE = {np.float64: 1e-12, np.float32: 3e-6, np.float16: 3e-3}


def value_and_gradient(function, make, array, **settings):
    """The result, and the gradient of its product with fixed numbers, as arrays."""
    x = make(array.copy()).requires_grad_()
    y = function(x * 1.0, **settings)
    weights = np.random.default_rng(3).uniform(0.5, 1.5, tuple(y.shape)).astype(array.dtype)
    y.backward(make(weights))
    return y.detach().numpy(), x.grad.numpy()


def same_as_torch(name, settings, array):
    torch = torch_on_one_thread()
    ours = value_and_gradient(getattr(F, name), tg.from_numpy, array, **settings)
    theirs = value_and_gradient(getattr(torch.nn.functional, name), torch.from_numpy, array, **settings)
    tolerance = TOLERANCE[array.dtype.type]
    for got, expected in zip(ours, theirs, strict=True):
        assert got.shape == expected.shape
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance / 3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@every_activation
def test_values_and_gradients_are_torchs_at_kinks_and_far_out(name, settings, layer, dtype):
    points = np.array(POINTS[1:-1] if name in (*ALONG, "gelu", "hardswish", "hardsigmoid") else POINTS, dtype)
    if name == "hardsigmoid" and dtype == np.float64:
        pytest.skip("PyTorch's gradient is a sixth in single precision")
    if name in ALONG:
        points = np.concatenate([points, points[::-1]])[:40].reshape(4, -1).clip(-30, 30)
        points = points / dtype(8 if dtype == np.float16 else 1)
    if dtype == np.float16:
        points = points[np.abs(points) < 4] if name not in ALONG else points
    same_as_torch(name, settings, points)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 3, 4)], ids=str)
@every_activation
def test_any_shape_will_do(name, settings, layer, shape):
    if name in ALONG and len(shape) < 2:
        return
    same_as_torch(name, settings, np.random.default_rng(0).normal(0, 2, shape).astype(np.float32))


@every_activation
def test_derivatives_are_those_of_finite_differences(name, settings, layer):
    x = tg.from_numpy(np.random.default_rng(1).normal(0, 2, (4, 3))).requires_grad_()
    assert gradcheck(lambda x: getattr(F, name)(x, **settings), [x])
    assert gradgradcheck(lambda x: getattr(F, name)(x, **settings), [x])


# PyTorch's second derivative of mish is NaN at 1e4, and hardsigmoid has none there.
TWICE = [row for row in ACTIVATIONS if row[0] not in ("mish", "hardsigmoid")]


@pytest.mark.parametrize(("name", "settings", "layer"), TWICE, ids=str)
def test_second_derivatives_are_torchs_far_out_too(name, settings, layer):
    torch = torch_on_one_thread()
    compare_derivatives(
        lambda x: getattr(F, name)(x, **settings),
        lambda x: getattr(torch.nn.functional, name)(x, **settings),
        [np.array([[1e4, -1e4], [50.0, -50.0], [20.5, -20.5], [3.7, -3.7]])],
        1e-10,
    )


@in_place_ones
def test_in_place_is_the_same_and_keeps_the_graph(name, settings, layer):
    function = getattr(F, name)
    leaf = tg.randn(4, 5, dtype=tg.float64, requires_grad=True)
    x = leaf * 2.0
    y = function(x, **settings, inplace=True)
    assert y is x
    y.sum().backward()
    other = leaf.detach().requires_grad_()
    expected = function(other * 2.0, **settings)
    expected.sum().backward()
    np.testing.assert_allclose(y.detach(), expected.detach(), rtol=1e-14)
    np.testing.assert_allclose(leaf.grad, other.grad, rtol=1e-14)
    assert gradgradcheck(lambda x: function(x * 1.0, **settings, inplace=True), [leaf])
    with pytest.raises(AutogradError, match="leaf tensor"):
        function(leaf, **settings, inplace=True)
    if hasattr(F, f"{name}_"):
        x = leaf.detach().clone()
        assert getattr(F, f"{name}_")(x, **settings) is x
        np.testing.assert_allclose(x, function(leaf.detach(), **settings), rtol=1e-14)


def test_a_value_that_backward_needs_cannot_be_overwritten_unnoticed():
    x = tg.randn(3, requires_grad=True)
    y = x.exp()
    F.relu(y * 1.0, inplace=True)  # of another tensor: fine
    F.relu(y, inplace=True)
    with pytest.raises(AutogradError, match="backward of exp needs its output"):
        y.sum().backward()


def test_torchs_in_place_names_are_there():
    names = "relu_ elu_ leaky_relu_ celu_ selu_ rrelu_ threshold_ hardtanh_".split()
    assert [name for name in names if not callable(getattr(F, name, None))] == []


@every_activation
def test_a_layer_gives_what_its_function_gives_and_prints_as_torchs(name, settings, layer):
    x = tg.randn(4, 4)
    ours = getattr(nn, layer)(**settings).eval()
    np.testing.assert_array_equal(ours(x), getattr(F, name)(x, **settings))
    torch = torch_on_one_thread()
    for more in {}, {"inplace": True}:
        if not more or "inplace" in inspect.signature(getattr(nn, layer)).parameters:
            assert repr(getattr(nn, layer)(**settings, **more)) == repr(getattr(torch.nn, layer)(**settings, **more))


LAYERS = sorted({layer for _, _, layer in ACTIVATIONS} | {"PReLU", "Softmax2d"})


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_take_torchs_arguments(layer):
    compare_arguments(layer)


# PReLU, softmax over channels, random slopes, Gumbel


@pytest.mark.parametrize(
    ("shape", "weights"), [((), 1), ((5,), 1), ((3, 4), 1), ((3, 4), 4), ((2, 3, 4), 3), ((2, 3, 2, 2), 3), ((0, 3), 3)]
)
def test_prelu_and_its_gradients_are_torchs(shape, weights):
    torch = torch_on_one_thread()
    source = np.random.default_rng(0)
    x, w = source.normal(0, 1, shape), source.normal(0, 1, weights)
    results = []
    for make, functional in ((tg.from_numpy, F), (torch.from_numpy, torch.nn.functional)):
        leaves = [make(a.copy()).requires_grad_() for a in (np.asarray(x), w)]
        y = functional.prelu(*leaves)
        y.sum().backward()
        results.append([y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_prelu_is_a_layer_with_torchs_state():
    layer = nn.PReLU(3, init=0.5, dtype=tg.float64)
    assert {k: v.tolist() for k, v in layer.state_dict().items()} == {"weight": [0.5, 0.5, 0.5]}
    assert layer.weight.dtype == tg.float64
    assert layer(-tg.ones(2, 3, 2, dtype=tg.float64)).detach().tolist() == [[[-0.5] * 2] * 3] * 2
    assert repr(layer) == "PReLU(num_parameters=3)"


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5)])
def test_softmax2d_is_the_softmax_over_channels(shape):
    x = tg.randn(shape)
    assert nn.Softmax2d()(x).tolist() == x.softmax(-3).tolist()


def test_random_slopes_lie_between_their_bounds_and_make_the_gradient():
    leaf = tg.randn(100, 100, requires_grad=True)
    y = nn.RReLU(0.2, 0.4)(leaf)
    y.sum().backward()
    slopes = leaf.grad.numpy()
    below = leaf.detach().numpy() <= 0
    np.testing.assert_allclose(y.detach(), leaf.detach().numpy() * slopes)
    assert (slopes[~below] == 1).all()
    assert slopes[below].min() >= 0.2
    assert slopes[below].max() <= 0.4
    assert slopes[below].mean() == pytest.approx(0.3, abs=0.005)


def test_gumbel_softmax_draws_classes_by_their_probabilities():
    p = tg.tensor([0.1, 0.2, 0.7])
    logits = p.log().expand(20000, 3)
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True)
    np.testing.assert_allclose(hard.mean(0), p, atol=0.02)
    np.testing.assert_allclose(hard.sum(1), 1.0, rtol=1e-6)
    soft = F.gumbel_softmax(tg.randn(4, 3, requires_grad=True), dim=0)
    np.testing.assert_allclose(soft.detach().sum(0), 1.0, rtol=1e-6)


def test_a_hard_gumbel_sample_has_the_gradient_of_the_soft_one():
    weights, grads = tg.randn(5, 3), []
    for hard in (False, True):
        tg.manual_seed(1)
        logits = tg.zeros(5, 3, requires_grad=True)
        (F.gumbel_softmax(logits, hard=hard) * weights).sum().backward()
        grads.append(logits.grad.numpy())
    np.testing.assert_allclose(*grads, atol=1e-7)


# What they refuse

X = tg.zeros(2, 3)
REFUSED = [
    (lambda: F.hardtanh(X, 1.0, 0.0), ValueError, "min_val 1.0 must not be above max_val 0.0"),
    (lambda: nn.Hardtanh(1.0, 1.0), ValueError, "min_val 1.0 must be below max_val 1.0"),
    (lambda: F.rrelu(X, 0.5, 0.1), ValueError, "lower 0.5 must not be above upper 0.1"),
    (lambda: F.celu(X, 0.0), ZeroDivisionError, "celu: alpha must not be 0"),
    (lambda: F.softshrink(X, -1.0), ValueError, "lambd must be 0 or more, not -1.0"),
    (lambda: F.gelu(X, "erf"), ValueError, "approximate must be 'none' or 'tanh', not 'erf'"),
    (lambda: F.glu(X), ShapeError, r"dimension -1 must have an even size to be halved, in input of shape \(2, 3\)"),
    (lambda: F.glu(tg.tensor(1.0)), ShapeError, "even size"),
    (lambda: F.glu(X, 2), IndexError, "dim 2 is out of range"),
    (lambda: F.softmax(X), TypeError, "softmax: give dim"),
    (lambda: F.softmin(X), TypeError, "softmin: give dim"),
    (lambda: nn.Softmax2d()(X), ShapeError, r"Softmax2d: input must be \(N, C, H, W\)"),
    (lambda: F.prelu(X, tg.zeros(2)), ShapeError, "one number, or 3, one for each channel"),
    (lambda: F.prelu(X, tg.zeros(1, 1)), ShapeError, r"a vector or a number, and has shape \(1, 1\)"),
    (
        lambda: F.prelu(X, tg.zeros(1).double()),
        DtypeError,
        "share one dtype, but input is float32, (target|weight) is float64",
    ),
    (lambda: F.elu(X.long()), DtypeError, "elu: input 0 is int64"),
    (lambda: F.leaky_relu(X.long()), DtypeError, "leaky_relu: input 0 is int64"),
    (lambda: F.softplus(X.long()), DtypeError, "softplus: input 0 is int64"),
    (lambda: F.silu(X.long()), DtypeError, "silu: it needs a floating dtype, not int64"),
    (lambda: F.hardshrink(X.long()), DtypeError, "hardshrink: it needs a floating dtype"),
    (lambda: F.gumbel_softmax(X.long()), DtypeError, "gumbel_softmax: it needs a floating dtype"),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSED, ids=[text for _, _, text in REFUSED])
def test_what_does_not_fit_is_refused_with_the_reason(call, error, text):
    with pytest.raises(error, match=text):
        call()


INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "bool")


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("bounds", [(), (0, 2), (-0.5, 1.5), (1.5, 4)], ids=str)
def test_bounds_keep_integers_as_pytorch_does(dtype, bounds):
    torch = pytest.importorskip("torch")
    results = []
    for L in (tg, torch):
        x = L.tensor([7, 1, 0, 3]).to(getattr(L, dtype))
        try:
            y = L.nn.functional.hardtanh(x, *bounds), L.nn.functional.relu6(x)
            results.append([(str(part.dtype).removeprefix("torch."), part.tolist()) for part in y])
        except RuntimeError:
            results.append(None)
    assert results[0] == results[1]


@pytest.mark.parametrize("name", ["hardsigmoid", "hardsigmoid_", "hardswish", "silu"])
def test_what_needs_fractions_refuses_integers(name):
    with pytest.raises(DtypeError):
        getattr(F, name.removesuffix("_"))(tg.tensor([1, 2]), **{"inplace": True} if name.endswith("_") else {})
