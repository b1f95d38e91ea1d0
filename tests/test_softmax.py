"""Softmax and its logarithm: what they promise beside PyTorch's numbers."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F


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
