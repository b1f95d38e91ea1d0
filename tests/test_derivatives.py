"""Derivatives of every order, and the values that they have by convention."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import both, leaf, same

import tensorgrad as tg
from tensorgrad.errors import AutogradError, ShapeError


def test_third_derivative_of_a_power():
    x = leaf(2.0)
    y = (x**4).sum()
    for expected in (32.0, 48.0, 48.0, 24.0):
        (y,) = tg.autograd.grad(y.sum(), x, create_graph=True)
        assert y.item() == pytest.approx(expected)


def test_backward_with_create_graph_makes_grad_differentiable():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    (second,) = tg.autograd.grad(x.grad.sum(), x)
    assert second.tolist() == [18.0]


def test_jacobian_hessian_and_products_agree_with_each_other():
    a = tg.randn(3, 3, dtype=tg.float64)
    f = lambda x: (a @ x).tanh()  # noqa: E731
    x, v, u = (tg.randn(3, dtype=tg.float64) for _ in range(3))
    j = tg.autograd.jacobian(f, x)
    np.testing.assert_allclose(tg.autograd.jvp(f, x, v)[1].numpy(), (j @ v).numpy(), rtol=1e-12)
    np.testing.assert_allclose(tg.autograd.vjp(f, x, u)[1].numpy(), (u @ j).numpy(), rtol=1e-12)
    s = lambda x: (f(x) ** 2).sum()  # noqa: E731
    h = tg.autograd.hessian(s, x)
    np.testing.assert_allclose(h.numpy(), h.T.numpy(), atol=1e-12)
    np.testing.assert_allclose(tg.autograd.hvp(s, x, v)[1].numpy(), (h @ v).numpy(), rtol=1e-10)
    numeric = np.stack(
        [
            (tg.autograd.vjp(s, x + d)[1] - tg.autograd.vjp(s, x - d)[1]).numpy() / 2e-5
            for d in (tg.eye(3, dtype=tg.float64) * 1e-5)
        ]
    )
    np.testing.assert_allclose(h.numpy(), numeric, atol=1e-8)


def test_a_product_with_a_hessian_is_that_of_one_output():
    x = tg.ones(2)
    for outputs in (lambda x: (x.sum(), x.prod()), lambda x: (x.prod(),)):
        with pytest.raises(ShapeError, match="hvp: the function must return a Tensor of one element, not tuple"):
            tg.autograd.hvp(outputs, x, x)


def test_jacobian_and_hessian_of_several_inputs_are_nested_tuples():
    x, w = tg.tensor([1.0, 2.0]), tg.tensor(3.0)
    (jx, jw), (kx, kw) = tg.autograd.jacobian(lambda x, w: (x * w, x.sum()), (x, w))
    assert jx.tolist() == [[3.0, 0.0], [0.0, 3.0]]
    assert jw.tolist() == [1.0, 2.0]
    assert kx.tolist() == [1.0, 1.0]
    assert kw.item() == 0.0
    h = tg.autograd.hessian(lambda x, w: (x * x * w).sum(), (x, w))
    assert h[0][1].tolist() == [2.0, 4.0]
    assert h[1][0].tolist() == [2.0, 4.0]
    assert h[1][1].item() == 0.0


@pytest.mark.parametrize("options", [(False, False), (False, True), (True, False, True, "reverse-mode")])
def test_options_of_the_jacobian_and_the_hessian_are_pytorchs(options):
    def matrices(L):
        f = lambda x, w: (x**2 * w).sin()  # noqa: E731
        at = (L.tensor([1.0, 2.0], dtype=L.float64), L.tensor(3.0, dtype=L.float64))
        rows = L.autograd.functional.hessian(lambda x, w: f(x, w).sum(), at, *options)
        return [*L.autograd.functional.jacobian(f, at, *options), *sum(rows, ())]

    for ours, theirs in zip(*both(matrices), strict=True):
        same(ours, theirs)


def test_a_strategy_that_is_none_is_refused_and_independence_is_where_it_is_strict():
    x = tg.ones(2)
    with pytest.raises(ValueError, match="jacobian: strategy must be 'reverse-mode' or 'forward-mode', not 'sideways'"):
        tg.autograd.jacobian(tg.exp, x, strategy="sideways")
    with pytest.raises(ValueError, match="hessian: outer_jacobian_strategy must be"):
        tg.autograd.hessian(tg.sum, x, outer_jacobian_strategy="sideways")
    with pytest.raises(AutogradError, match="output 0 does not depend on the inputs"):
        tg.autograd.hessian(lambda x: tg.ones(()), x, strict=True)


def test_derivatives_of_a_function_can_be_differentiated_through():
    x = leaf(2.0)
    _, g = tg.autograd.vjp(lambda x: x**3, x, tg.ones(1, dtype=tg.float64), create_graph=True)
    g.backward()
    assert x.grad.tolist() == [12.0]


def test_inputs_of_a_jacobian_are_left_as_they_were():
    x = tg.tensor([1.0, 2.0])
    tg.autograd.jacobian(lambda x: x * 2, x)
    assert not x.requires_grad
    assert x.grad is None


# Values that are a convention, or nearly out of range


def test_ties_share_the_gradient_and_powers_of_zero_have_a_finite_one():
    a, b = leaf(1.0, 2.0), leaf(1.0, 1.0)
    tg.maximum(a, b).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([0.5, 1.0], [0.5, 0.0])
    x, e = leaf(0.0, 0.0, 2.0), leaf(0.0, 2.0, 0.0)
    (x**e).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    assert e.grad.tolist() == pytest.approx([0.0, 0.0, np.log(2.0)])


def test_std_and_norms_have_the_gradient_zero_where_they_are_zero():
    x = leaf(1.0, 1.0, 1.0)
    x.std().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    for p in (0.5, 1.5, 2, 3):
        z = leaf(0.0, 0.0)
        z.norm(p).backward()
        assert z.grad.tolist() == [0.0, 0.0]
    y = leaf(0.0, 4.0)
    y.norm(0.5).backward()
    assert y.grad.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("dtype", "size"), [(tg.float16, 300.0), (tg.float32, 1e25), (tg.float64, 1e200)])
def test_the_gradient_of_a_quotient_does_not_leave_the_range_on_the_way(dtype, size):
    a, b = leaf(size, dtype=dtype), leaf(size, dtype=dtype)
    (a / b).sum().backward()
    assert b.grad.item() == pytest.approx(-1 / size, rel=1e-2)


def test_norms_of_negative_order_are_zero_with_a_zero():
    assert tg.tensor([0.0, 1.0, 2.0]).norm(-1).item() == 0.0
    assert tg.tensor([1.0, 1.0]).norm(-1).item() == 0.5
