"""What is shipped for tests of one's own: the strategies that draw tensors, and gradcheck."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import find, given
from side_by_side import leaf

import tensorgrad as tg
from tensorgrad.autograd import Function
from tensorgrad.errors import DtypeError
from tensorgrad.testing import GradcheckError, gradcheck, gradgradcheck, strategies


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


# What gradcheck finds and refuses


def test_gradcheck_says_which_input_which_entry_and_both_values():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, grad):
            x, w = ctx.saved_tensors
            bad = x.clone()
            bad[1] = 99.0
            return grad * w, grad * bad

    inputs = leaf(1.0, 2.0), leaf(3.0, 4.0)
    message = r"output 0\[1\] with respect to input 1\[1\] is 99 by autograd and 2 by .*1 of 4 entries"
    with pytest.raises(GradcheckError, match=message):
        gradcheck(Wrong.apply, inputs)
    assert gradcheck(Wrong.apply, inputs, raise_exception=False) is False


def test_gradcheck_finds_a_gradient_that_is_nan():
    class Nan(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad * float("nan")

    with pytest.raises(GradcheckError, match="nan by autograd"):
        gradcheck(Nan.apply, leaf(1.0))


def test_gradcheck_refuses_what_it_cannot_check():
    with pytest.raises(DtypeError, match=r"inputs\[0\] is float32.*\.double\(\)"):
        gradcheck(lambda x: x * 2, tg.ones(1, requires_grad=True))
    for check in (gradcheck, gradgradcheck):
        with pytest.raises(ValueError, match=f"^{check.__name__}: none of the inputs requires a gradient"):
            check(lambda x: x * 2, tg.ones(1, dtype=tg.float64))


LAYOUTS = {
    "transposed": lambda x: x.t(),
    "every second": lambda x: x[:, ::2],
    "backwards": lambda x: tg.from_numpy(x.numpy()[::-1, ::-2]),
    "no elements": lambda x: x[:, :0],
    "no dimensions": lambda x: x[0, 1],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_gradcheck_keeps_to_memory_of_its_own_with_the_strides_of_the_input(name):
    base = tg.arange(12.0, dtype=tg.float64).reshape(3, 4)
    x = LAYOUTS[name](base).detach().requires_grad_()
    seen = []

    def spoils(x):
        seen.append(x.stride())
        y = x * x
        with tg.no_grad():
            x.zero_()
        return y.detach() + x * 0

    gradcheck(spoils, x)
    assert seen[0] == x.stride()
    assert base.flatten().tolist() == list(range(12))


def test_gradgradcheck_finds_a_wrong_second_derivative():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * x.detach() ** 2

    x = leaf(2.0)
    assert gradcheck(Wrong.apply, x)
    with pytest.raises(GradcheckError):
        gradgradcheck(Wrong.apply, x)


def test_gradcheck_does_not_pass_for_want_of_anything_to_check():
    with pytest.raises(ValueError, match="no floating output"):
        gradcheck(lambda x: (x > 0).long(), leaf(1.0))
    with pytest.raises(DtypeError, match="returned NoneType as output 0"):
        gradcheck(lambda x: None, leaf(1.0))
