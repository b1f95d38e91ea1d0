"""Layers: how they print, and those that are made of a single function."""

from __future__ import annotations

import math

import numpy as np
import pytest
from side_by_side import both, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

LAYERS = [
    lambda n: n.Linear(2, 3),
    lambda n: n.Linear(2, 3, bias=False),
    lambda n: n.Flatten(0, 1),
    lambda n: n.Unflatten(1, (2, 3)),
    lambda n: n.Identity(3, unused=True),
    lambda n: n.Dropout(),
    lambda n: n.Dropout(0.1, True),
    lambda n: n.ReLU(),
    lambda n: n.ReLU(True),
    lambda n: n.LeakyReLU(),
    lambda n: n.LeakyReLU(0.2, True),
    lambda n: n.Sigmoid(),
    lambda n: n.Tanh(),
    lambda n: n.Softmax(1),
    lambda n: n.LogSoftmax(-1),
    lambda n: n.GELU(),
    lambda n: n.GELU("tanh"),
    lambda n: n.SiLU(True),
    lambda n: n.ELU(2),
    lambda n: n.ELU(0.5, True),
    lambda n: n.Softplus(2, 10),
    lambda n: n.Sequential(),
    lambda n: n.ModuleList(),
    lambda n: n.ModuleDict({"x": n.Tanh()}),
    lambda n: n.ModuleList([n.Tanh(), n.ReLU(), n.ReLU(), n.Tanh()]),
    lambda n: n.Sequential(n.ModuleList([n.Sequential(n.Tanh()), n.Sequential(n.Tanh())])),
]


@pytest.mark.parametrize("make", LAYERS)
def test_a_layer_has_torchs_repr(make):
    ours, theirs = both(lambda library: repr(make(library.nn)))
    assert ours == theirs


def test_linear_takes_any_leading_dimensions():
    m = nn.Linear(3, 2)
    for leading in [(), (5,), (0,), (2, 1, 4)]:
        x = tg.randn(*leading, 3)
        np.testing.assert_allclose(
            m(x).detach(), x.numpy() @ m.weight.detach().numpy().T + m.bias.detach().numpy(), rtol=1e-5, atol=1e-6
        )
    assert nn.Linear(0, 2)(tg.ones(4, 0)).shape == (4, 2)
    assert nn.Linear(3, 0)(tg.ones(4, 3)).shape == (4, 0)
    assert nn.Linear(3, 2, bias=False).bias is None
    assert nn.Linear(3, 2, True, "cpu", tg.float64).weight.dtype == tg.float64


def test_the_layers_that_only_reshape_give_torchs_shapes():
    ours, theirs = both(
        lambda library: (
            [
                tuple(layer(library.zeros(2, 3, 4, 5)).shape)
                for layer in (
                    library.nn.Flatten(),
                    library.nn.Flatten(0),
                    library.nn.Flatten(1, 2),
                    library.nn.Flatten(-2),
                    library.nn.Identity(),
                )
            ]
            + [tuple(library.nn.Unflatten(1, (2, 3))(library.zeros(5, 6)).shape)]
        )
    )
    assert ours == theirs


def test_linear_starts_within_torchs_bounds_and_fills_them():
    m = nn.Linear(400, 300)
    for values in (m.weight, m.bias):
        values = values.detach().numpy()
        assert np.abs(values).max() <= 0.05
        assert np.abs(values).max() > 0.049
        assert values.std() == pytest.approx(0.05 / math.sqrt(3), rel=0.1)
        assert abs(values.mean()) < 0.005


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
