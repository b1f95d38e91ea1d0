"""Functions of users: their derivatives of every order, what they save, and how they are refused."""

from __future__ import annotations

import pytest
from side_by_side import leaf

import tensorgrad as tg
from tensorgrad.autograd import Function, once_differentiable
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.testing import gradcheck, gradgradcheck


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x * x


class Both(Function):
    @staticmethod
    def forward(ctx, x, scale, w):
        y = x * w * scale
        ctx.scale = scale
        ctx.save_for_backward(x, w, y)
        return y, x + w

    @staticmethod
    def backward(ctx, gy, gz):
        assert ctx.needs_input_grad[1] is False
        x, w, _ = ctx.saved_tensors
        return gy * w * ctx.scale + gz, None, gy * x * ctx.scale + gz


class FromOutput(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * y


def test_functions_of_users_have_derivatives_of_every_order():
    x, w = leaf(0.3, -1.2), leaf(0.7, 2.0)
    assert gradcheck(Cube.apply, x)
    assert gradgradcheck(Cube.apply, x)
    assert gradcheck(lambda x, w: Both.apply(x, 2.0, w), (x, w))
    assert gradgradcheck(lambda x, w: Both.apply(x, 2.0, w), (x, w))
    assert gradcheck(FromOutput.apply, x)
    assert gradgradcheck(FromOutput.apply, x)


def test_an_output_of_a_function_that_is_not_used_gets_zeros_or_none():
    seen = []

    class Two(Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append(b if b is None else b.tolist())
            return a, None

    for materialize in (True, False):
        Two.apply(leaf(1.0), materialize)[0].backward()
    assert seen == [[0.0], None]


def test_a_function_that_is_not_recorded_costs_no_graph():
    with tg.no_grad():
        assert not Cube.apply(leaf(1.0)).requires_grad
    assert not Cube.apply(tg.ones(1)).requires_grad


def test_saved_tensors_are_watched_and_released():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = Cube.apply(y)
    y.add_(1)
    with pytest.raises(AutogradError, match="Cube needs its saved tensor 0"):
        z.sum().backward()
    z = Cube.apply(x).sum()
    z.backward()
    with pytest.raises(AutogradError, match="second time"):
        z.backward()


def test_a_backward_of_the_wrong_kind_says_so():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, w, result):
            ctx.result = result
            return x * w

        @staticmethod
        def backward(ctx, grad):
            return ctx.result(grad)

    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    for result, error, text in (
        (lambda g: g, AutogradError, "returned 1 gradients, and forward took 3 arguments"),
        (lambda g: (g, 3.0, None), DtypeError, "returned float as gradient 1"),
        (lambda g: (g, tg.ones(3), None), ShapeError, r"shape \(3,\) for argument 1, which has shape \(2,\)"),
    ):
        with pytest.raises(error, match=text):
            Wrong.apply(x, w, result).sum().backward()


def test_once_differentiable_refuses_a_second_derivative():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 2 * x

    x = leaf(3.0)
    Once.apply(x).backward()
    assert x.grad.tolist() == [6.0]
    (g,) = tg.autograd.grad(Once.apply(x), x, create_graph=True)
    with pytest.raises(AutogradError, match="marked once_differentiable"):
        g.backward()


def test_an_input_returned_as_it_came_is_a_tensor_of_its_own():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 7

    x = leaf(1.0)
    y = Same.apply(x)
    assert y is not x
    y.backward()
    assert x.grad.tolist() == [7.0]


def test_outputs_of_a_function_do_not_share_memory():
    class Parts(Function):
        @staticmethod
        def forward(ctx, x):
            whole = x * 2
            return whole, whole[:1], x[:1]

        @staticmethod
        def backward(ctx, whole, part, first):
            whole = whole.clone()
            whole[:1] += part
            g = whole * 2
            g[:1] += first
            return g

    x = leaf(1.0, 2.0)
    whole, part, first = Parts.apply(x)
    whole.mul_(2)
    first.mul_(5)
    assert (part.tolist(), x.tolist()) == ([2.0], [1.0, 2.0])
    (part.sum() + first.sum()).backward()
    assert x.grad.tolist() == [7.0, 0.0]


def test_a_function_refuses_tensors_by_name_and_dirty_inputs_that_it_keeps():
    with pytest.raises(DtypeError, match="given by position, and w was given by name"):
        Both.apply(leaf(1.0), 2.0, w=leaf(1.0))

    class Dirty(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g * 2

    with pytest.raises(AutogradError, match="marked an input dirty, and must return it"):
        Dirty.apply(leaf(1.0) * 1)


class TwiceWithSetup(tg.autograd.Function):
    @staticmethod
    def forward(x, factor):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None


def test_a_function_may_keep_what_it_needs_in_setup_context():
    x = tg.randn(3, dtype=tg.float64, requires_grad=True)
    assert tg.testing.gradcheck(lambda x: TwiceWithSetup.apply(x, 2.0), x)
    assert TwiceWithSetup.apply(x, 2.0).tolist() == (x * 2).tolist()


def test_anomaly_mode_takes_functions_of_several_outputs():
    x, w = leaf(2.0), leaf(3.0)
    with tg.autograd.detect_anomaly():
        y, z = Both.apply(x, 2.0, w)
        (y + z).backward()
    assert x.grad.tolist() == [7.0]
