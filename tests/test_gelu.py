"""GELU: what its composition gives, as exactly in single precision as there are digits, over any number of blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends.cpu.gelu import BLOCK
from tensorgrad.nn import functional as F


def composed(x, approximate):
    if approximate == "none":
        return x * 0.5 * (1.0 + tg.erf(x * math.sqrt(0.5)))
    return 0.5 * x * (1.0 + tg.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))


def with_derivatives(function, x, *args):
    x = x.clone().requires_grad_()
    y = function(x, *args)
    (first,) = tg.autograd.grad(y, x, tg.cos(x.detach()), create_graph=True)
    (second,) = tg.autograd.grad(first, x, tg.sin(x.detach()))
    return [z.detach().numpy() for z in (y, first, second)]


every_approximation = pytest.mark.parametrize("approximate", ["none", "tanh"])


@every_approximation
@pytest.mark.parametrize(("dtype", "tolerance"), [(tg.float64, 1e-13), (tg.float32, 1e-5), (tg.float16, 4e-3)], ids=str)
def test_it_equals_its_composition(approximate, dtype, tolerance):
    x = tg.linspace(-8.0, 8.0, 4001, dtype=tg.float64)
    expected = with_derivatives(composed, x.to(dtype).double(), approximate)
    for ours, exact in zip(with_derivatives(F.gelu, x.to(dtype), approximate), expected, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, exact, atol=tolerance, rtol=tolerance)


def test_single_precision_is_exact_to_half_a_unit_of_the_distribution_function():
    x = np.linspace(-12.0, 12.0, 200_001)
    x = x.astype(np.float32).astype(np.float64)
    exact = F.gelu(tg.from_numpy(x)).numpy()
    error = np.abs(F.gelu(tg.from_numpy(x.astype(np.float32))).numpy() - exact)
    assert (error <= 1.5e-7 * np.maximum(np.abs(x), 1e-3)).all()


@every_approximation
def test_large_arrays_are_the_same_as_small_ones_whatever_their_layout(approximate):
    x = tg.randn(3, BLOCK - 5)
    y = F.gelu(x, approximate)
    for i in range(3):
        np.testing.assert_allclose(y[i], F.gelu(x[i], approximate), rtol=1e-6, atol=1e-7)
    assert F.gelu(x.t(), approximate).t().tolist() == y.tolist()


@every_approximation
def test_limits(approximate):
    x = tg.tensor([0.0, -0.0, 50.0, -50.0, math.inf, math.nan])
    assert F.gelu(x, approximate)[:4].tolist() == [0.0, 0.0, 50.0, 0.0]
    assert math.isnan(F.gelu(x, approximate)[5].item())
    assert F.gelu(tg.zeros(0, 3), approximate).shape == (0, 3)
    assert F.gelu(tg.tensor(1.0), approximate).shape == ()
