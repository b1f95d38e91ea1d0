"""Activations and dropout as functions and layers: PyTorch's values, gradients and second derivatives, in place too."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError, DtypeError
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck

# The function, its settings, and the layer with its settings.
ACTIVATIONS = [
    ("relu", {}, "ReLU", {}),
    ("leaky_relu", {}, "LeakyReLU", {}),
    ("leaky_relu", {"negative_slope": 0.2}, "LeakyReLU", {"negative_slope": 0.2}),
    ("sigmoid", {}, "Sigmoid", {}),
    ("tanh", {}, "Tanh", {}),
    ("softmax", {"dim": 0}, "Softmax", {"dim": 0}),
    ("softmax", {"dim": -1}, "Softmax", {"dim": -1}),
    ("log_softmax", {"dim": 1}, "LogSoftmax", {"dim": 1}),
    ("gelu", {}, "GELU", {}),
    ("gelu", {"approximate": "tanh"}, "GELU", {"approximate": "tanh"}),
    ("silu", {}, "SiLU", {}),
    ("elu", {}, "ELU", {}),
    ("elu", {"alpha": 0.5}, "ELU", {"alpha": 0.5}),
    ("softplus", {}, "Softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 1.0}, "Softplus", {"beta": 2.0, "threshold": 1.0}),
    ("logsigmoid", {}, "LogSigmoid", {}),
]
IN_PLACE = [row for row in ACTIVATIONS if row[0] in ("relu", "leaky_relu", "elu", "silu")]
every_activation = pytest.mark.parametrize(("name", "settings", "layer", "arguments"), ACTIVATIONS)
every_in_place_activation = pytest.mark.parametrize(("name", "settings", "layer", "arguments"), IN_PLACE)


def torch_on_one_thread():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def derivatives(function, x, make, grad):
    """The value, the gradient and the second derivative along fixed directions, as arrays."""
    source = np.random.default_rng(1)
    x = make(x.copy()).requires_grad_()
    y = function(x)
    (first,) = grad(y, x, make(source.standard_normal(x.shape).astype(x.detach().numpy().dtype)), create_graph=True)
    results = [y, first]
    if first.requires_grad:
        direction = make(source.standard_normal(x.shape).astype(x.detach().numpy().dtype))
        results += grad((first * direction).sum(), x)
    return [r.detach().numpy(force=True) for r in results]


def same_as_torch(ours, theirs, x, tolerance):
    torch = torch_on_one_thread()
    a = derivatives(ours, x, tg.from_numpy, tg.autograd.grad)
    b = derivatives(theirs, x, torch.from_numpy, torch.autograd.grad)
    assert len(b) >= 2
    # A second derivative that is zero everywhere may be absent in one of the two.
    missing = np.zeros_like(x)
    a, b = (r + [missing] * (3 - len(r)) for r in (a, b))
    for got, expected in zip(a, b, strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


@every_activation
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-5)])
@pytest.mark.parametrize("kind", ["usual", "extreme", "empty"])
def test_an_activation_and_its_derivatives_are_those_of_torch(name, settings, layer, arguments, dtype, tolerance, kind):
    torch = torch_on_one_thread()
    x = {
        "usual": np.concatenate([np.random.default_rng(0).normal(0, 2, (3, 4)), [[0.0, -0.0, 1e-8, -1e-8]]]),
        "extreme": np.array([[1e4, -1e4], [50.0, -50.0], [20.5, -20.5], [100.0, -100.0]]),
        "empty": np.zeros((0, 3)),
    }[kind].astype(dtype)
    if name == "elu":
        x = x[:3]  # its second derivative jumps at 0, and has no value there
    same_as_torch(
        lambda x: getattr(F, name)(x, **settings),
        lambda x: getattr(torch.nn.functional, name)(x, **settings),
        x,
        tolerance,
    )


@every_activation
def test_a_layer_gives_what_its_function_gives(name, settings, layer, arguments):
    x = tg.randn(4, 5)
    assert getattr(nn, layer)(**arguments)(x).tolist() == getattr(F, name)(x, **settings).tolist()


@every_activation
def test_the_derivatives_of_an_activation_are_those_of_finite_differences(name, settings, layer, arguments):
    x = np.random.default_rng(0).uniform(0.2, 2.0, (3, 2)) * np.array([[1], [-1], [1]])
    x[np.abs(x - 0.5) < 0.05] = 0.6  # softplus becomes linear where beta * x is at the threshold
    x = tg.from_numpy(x).requires_grad_()
    assert gradcheck(lambda x: getattr(F, name)(x, **settings), x)
    assert gradgradcheck(lambda x: getattr(F, name)(x, **settings), x)


@every_in_place_activation
def test_in_place_after_a_linear_layer_equals_torch(name, settings, layer, arguments):
    torch = torch_on_one_thread()
    x = np.random.default_rng(2).standard_normal((5, 3))
    gradients = []
    weights = None
    for make, layers in ((torch.from_numpy, torch.nn), (tg.from_numpy, nn)):
        net = layers.Sequential(
            layers.Linear(3, 4), getattr(layers, layer)(**arguments, inplace=True), layers.Linear(4, 2)
        ).double()
        weights = weights or {k: v.numpy().copy() for k, v in net.state_dict().items()}
        net.load_state_dict({k: make(v) for k, v in weights.items()})
        x_leaf = make(x.copy()).requires_grad_()
        loss = (net(x_leaf) ** 2).sum()
        loss.backward()
        gradients.append([loss.item(), x_leaf.grad.numpy(), *(p.grad.numpy() for p in net.parameters())])
    for theirs, ours in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@every_in_place_activation
def test_in_place_writes_into_its_input_and_equals_the_out_of_place_form(name, settings, layer, arguments):
    function = getattr(F, name)
    x = tg.randn(4, 5, dtype=tg.float64)
    expected = function(x, **settings)
    y = x.clone()
    assert function(y, **settings, inplace=True) is y
    assert y.tolist() == expected.tolist()
    leaf = x.clone().requires_grad_()
    with pytest.raises(AutogradError, match="a leaf tensor that requires a gradient"):
        function(leaf, **settings, inplace=True)
    assert leaf.tolist() == x.tolist()
    assert gradcheck(lambda x: function(x * 1.0, **settings, inplace=True), leaf)
    assert gradgradcheck(lambda x: function(x * 1.0, **settings, inplace=True), leaf)


def test_a_value_that_backward_needs_cannot_be_overwritten_unnoticed():
    x = tg.randn(3, requires_grad=True)
    y = x.exp()
    F.relu(y * 1.0, inplace=True)  # of another tensor: fine
    F.relu(y, inplace=True)
    with pytest.raises(AutogradError, match="backward of exp needs its output"):
        y.sum().backward()


def test_softmax_is_a_distribution_however_large_its_input():
    x = tg.tensor([[1e4, -1e4, 0.0], [3e38, 3e38, -3e38]])
    y = F.softmax(x, dim=1)
    assert y.tolist() == [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]
    assert F.log_softmax(x, dim=1)[0].tolist() == [0.0, -2e4, -1e4]


def test_softmax_may_convert_first_and_promotes_integers():
    x = tg.tensor([[1.0, 2.0]])
    assert F.softmax(x, dim=1, dtype=tg.float64).dtype == tg.float64
    assert F.log_softmax(x, dim=1, dtype=tg.float64).dtype == tg.float64
    np.testing.assert_allclose(F.softmax(x, dim=1), np.exp([[1.0, 2.0]]) / np.exp([1.0, 2.0]).sum(), rtol=1e-6)


def test_a_softmax_without_a_dimension_is_refused():
    for function in (F.softmax, F.log_softmax):
        with pytest.raises(TypeError, match=f"{function.__name__}: give dim"):
            function(tg.ones(2, 2))
    with pytest.raises(TypeError, match="give dim"):
        nn.Softmax()(tg.ones(2, 2))
    with pytest.raises(IndexError, match="softmax"):
        F.softmax(tg.ones(2, 2), dim=2)


def test_an_unknown_approximation_of_gelu_is_refused():
    with pytest.raises(ValueError, match="approximate must be 'none' or 'tanh', not 'exact'"):
        F.gelu(tg.ones(1), approximate="exact")


def test_dropout_leaves_its_input_alone_and_is_exact_in_every_dtype():
    for dtype in (tg.float16, tg.float32, tg.float64):
        x = tg.ones(1000, dtype=dtype)
        y = F.dropout(x, 0.5)
        assert y.dtype == np.dtype(dtype)
        assert set(y.tolist()) == {0.0, 2.0}
        assert set(x.tolist()) == {1.0}


def test_dropout_in_place_writes_into_its_input():
    x = tg.ones(100)
    assert F.dropout(x, 0.5, inplace=True) is x
    assert set(x.tolist()) == {0.0, 2.0}


def test_dropout_refuses_bad_probabilities_and_integers():
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="p must be between 0 and 1"):
            F.dropout(tg.ones(2), p)
    with pytest.raises(DtypeError, match="needs a floating tensor, not int64"):
        F.dropout(tg.tensor([1, 2]), 0.5)


def test_linear_and_one_hot_equal_torch():
    torch = torch_on_one_thread()
    source = np.random.default_rng(3)
    x, w, b = source.normal(size=(2, 4, 3)), source.normal(size=(5, 3)), source.normal(size=5)
    for bias in (None, b):
        results = []
        for make, functional in ((tg.from_numpy, F), (torch.from_numpy, torch.nn.functional)):
            leaves = [make(a.copy()).requires_grad_() for a in (x, w, *([] if bias is None else [bias]))]
            y = functional.linear(*leaves)
            (y * y).sum().backward()
            results.append([y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    labels = np.array([[0, 2], [1, 1]])
    for classes in (-1, 4):
        ours = F.one_hot(tg.from_numpy(labels), classes)
        assert ours.tolist() == torch.nn.functional.one_hot(torch.from_numpy(labels), classes).tolist()
