"""The strategies that users draw tensors with."""

from __future__ import annotations

import numpy as np
from hypothesis import find, given

import tensorgrad as tg
from tensorgrad.testing import gradcheck, gradgradcheck, strategies


@given(strategies.tensors(low=-1.0, high=3.0, away_from=(0.0, 1.0), margin=0.25))
def test_elements_keep_to_their_range_and_away_from_kinks(x):
    values = x.detach().numpy()
    assert x.dtype == tg.float64
    assert x.requires_grad
    assert ((values >= -1) & (values <= 3)).all()
    assert (np.abs(values) >= 0.25).all()
    assert (np.abs(values - 1) >= 0.25).all()


def test_empty_and_dimensionless_tensors_are_among_them():
    assert find(strategies.tensors(), lambda x: x.numel() == 0 and x.ndim > 0).numel() == 0
    assert find(strategies.tensors(), lambda x: x.ndim == 0).shape == ()


@given(strategies.tensors((2, 3), dtype=tg.int64))
def test_other_dtypes_and_fixed_shapes_can_be_drawn(x):
    assert (x.shape, x.dtype, x.requires_grad) == ((2, 3), tg.int64, False)


@given(strategies.broadcastable(3, low=0.5, high=2.0))
def test_a_composition_over_broadcast_shapes_has_right_derivatives_of_two_orders(inputs):
    def composed(a, b, c):
        return (a * b).tanh() / c

    shape = np.broadcast_shapes(*(x.shape for x in inputs))
    assert composed(*inputs).shape == shape
    if np.prod(shape) <= 12:
        assert gradcheck(composed, inputs)
        assert gradgradcheck(composed, inputs)
