"""Activations as functions and layers: PyTorch's values, gradients and second derivatives, in place too."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare_derivatives, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError
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
    compare_derivatives(
        lambda x: getattr(F, name)(x, **settings),
        lambda x: getattr(torch.nn.functional, name)(x, **settings),
        [x],
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
