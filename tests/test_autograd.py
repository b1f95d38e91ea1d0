"""The graph and its walk: modes, hooks, memory, in-place writes, functions of users, derivatives of every order."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import Function, once_differentiable
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.testing import GradcheckError, gradcheck, gradgradcheck


def leaf(*values, dtype=tg.float64):
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


# backward and grad


def test_gradients_accumulate_over_backwards_and_uses():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]


def test_backward_of_a_vector_takes_its_gradient():
    x = leaf(1.0, 2.0)
    (x * x).backward(tg.tensor([1.0, 10.0], dtype=tg.float64))
    assert x.grad.tolist() == [2.0, 40.0]


def test_backward_with_inputs_touches_only_those():
    x, w = leaf(2.0), leaf(3.0)
    h = x * w
    (h * h).sum().backward(inputs=[w, h])
    assert x.grad is None
    assert w.grad.tolist() == [24.0]
    assert h.grad.tolist() == [12.0]


def test_grad_leaves_grad_alone_and_names_unused_inputs():
    x, unused = leaf(2.0), leaf(1.0)
    y = (x**3).sum()
    (g,) = tg.autograd.grad(y, x, retain_graph=True)
    assert g.tolist() == [12.0]
    assert x.grad is None
    with pytest.raises(AutogradError, match=r"do not depend on inputs\[1\].*allow_unused=True"):
        tg.autograd.grad(y, [x, unused], retain_graph=True)
    assert tg.autograd.grad(y, [x, unused], allow_unused=True, retain_graph=True)[1] is None
    assert tg.autograd.grad(y, [x, unused], materialize_grads=True)[1].tolist() == [0.0]


def test_grad_of_an_intermediate_and_of_the_output_itself():
    x = leaf(2.0)
    h = x * 3
    y = h * h
    gh, gy = tg.autograd.grad(y, [h, y])
    assert (gh.item(), gy.item()) == (12.0, 1.0)


def test_two_inputs_get_gradients_that_share_no_memory():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (a + b).backward(tg.tensor([1.0, 1.0], dtype=tg.float64))
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())
    a.grad.add_(1)
    assert b.grad.tolist() == [1.0, 1.0]
    ga, gb = tg.autograd.grad((a + b).sum(), [a, b])
    assert not np.shares_memory(ga.numpy(), gb.numpy())


def test_the_gradient_given_to_backward_is_not_taken_over():
    x = leaf(1.0, 2.0)
    incoming = tg.ones(2, dtype=tg.float64)
    (x + 0.0).backward(incoming)
    x.grad.mul_(5)
    assert incoming.tolist() == [1.0, 1.0]


def test_the_gradient_has_the_dtype_and_shape_of_its_leaf():
    x = tg.ones(3, 1, requires_grad=True)
    w = tg.ones(2, dtype=tg.float64, requires_grad=True)
    (x * w).sum().backward()
    assert (x.grad.dtype, x.grad.shape) == (tg.float32, (3, 1))
    assert (w.grad.dtype, w.grad.shape) == (tg.float64, (2,))


def test_backward_twice_needs_retain_graph_only_where_values_were_kept():
    x = leaf(2.0)
    plain = (x + x).sum()
    plain.backward()
    plain.backward()
    assert x.grad.tolist() == [4.0]
    y = x.exp()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(AutogradError, match=r"backward of exp a second time.*retain_graph=True"):
        y.backward()


def test_a_leaf_can_be_the_output():
    x = leaf(3.0)
    x.backward()
    assert x.grad.tolist() == [1.0]


def test_what_fails_in_backward_changes_no_grad():
    x, w = leaf(1.0), leaf(2.0)
    y = x.exp()
    z = y * w
    y.add_(1)
    with pytest.raises(AutogradError):
        z.backward()
    assert x.grad is None
    assert w.grad is None


def test_a_chain_of_100_000_operations_works_forward_backward_and_when_dropped():
    x = tg.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    assert x.grad.tolist() == [1.0]
    (g,) = tg.autograd.grad(y.sum(), x)
    assert g.tolist() == [1.0]
    del y


def test_nodes_are_walked_newest_first_whatever_the_shape_of_the_graph():
    x = leaf(0.5)
    a = x * 2
    b = a * a
    c = b + a
    d = c * b + a * c
    d.backward()
    y = 0.5
    f = lambda x: ((2 * x) ** 2 + 2 * x) * (2 * x) ** 2 + 2 * x * ((2 * x) ** 2 + 2 * x)  # noqa: E731
    assert x.grad.item() == pytest.approx((f(y + 1e-6) - f(y - 1e-6)) / 2e-6, rel=1e-6)


# Memory


def test_what_is_not_kept_dies_as_soon_as_the_user_lets_go():
    x = leaf(1.0, 2.0)
    h = x + 1.0
    dead = weakref.ref(h)
    y = h * 2.0
    del h
    assert dead() is None
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_kept_arrays_are_released_while_backward_goes():
    x = leaf(1.0)
    a = x.exp()
    b = a.exp()
    b.backward()
    assert a.grad_fn.kept is None
    assert b.grad_fn.kept is None


def test_only_what_a_wanted_gradient_reads_is_kept():
    x, constant = leaf(1.0), tg.tensor([2.0], dtype=tg.float64)
    node = (x * constant).grad_fn
    kept = [value for value in node.kept if isinstance(value, np.ndarray)]
    assert len(kept) == 1
    assert kept[0] is constant.numpy()


def test_a_training_step_leaves_no_garbage():
    model = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.Tanh(), tg.nn.Dropout(0.1), tg.nn.Linear(8, 3))
    optimizer = tg.optim.Adam(model.parameters())

    def step():
        optimizer.zero_grad()
        x = tg.randn(5, 4)
        h = model(x[1:].reshape(-1, 4))
        h[0] = h[0] * 2
        loss = tg.nn.functional.cross_entropy(h, tg.randint(0, 3, (4,)))
        loss.backward(create_graph=True)
        optimizer.step()

    step()
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            step()
        assert gc.collect() == 0
    finally:
        gc.enable()


# Modes


def test_modes_nest_and_end_with_their_block():
    x = leaf(1.0)
    with tg.no_grad():
        assert not (x * 2).requires_grad
        with tg.enable_grad():
            assert (x * 2).requires_grad
        with tg.set_grad_enabled(True):
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert tg.is_grad_enabled()


def test_set_grad_enabled_works_as_a_call():
    tg.set_grad_enabled(False)
    try:
        assert not tg.is_grad_enabled()
    finally:
        tg.set_grad_enabled(True)


@pytest.mark.parametrize(
    "decorator",
    [
        lambda: tg.no_grad(),
        lambda: tg.no_grad,
        lambda: tg.inference_mode(),
        lambda: tg.inference_mode,
        lambda: tg.set_grad_enabled(False),
    ],
)
def test_modes_decorate_functions(decorator):
    @decorator()
    def run(x):
        return (x * 2).requires_grad

    assert run(leaf(1.0)) is False
    assert tg.is_grad_enabled()


def test_a_decorated_generator_holds_the_mode_only_inside():
    @tg.no_grad()
    def run():
        received = yield tg.is_grad_enabled()
        yield (received, tg.is_grad_enabled())

    generator = run()
    assert next(generator) is False
    assert tg.is_grad_enabled()
    assert generator.send("sent") == ("sent", False)
    assert tg.is_grad_enabled()


def test_modes_are_per_thread():
    seen = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_threads_can_walk_their_own_graphs_at_once():
    w = leaf(*np.linspace(-1, 1, 50))
    results = [None] * 4

    def work(i):
        for _ in range(30):
            (results[i],) = tg.autograd.grad(((w * (i + 1)).tanh() ** 2).sum(), w)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, g in enumerate(results):
        (expected,) = tg.autograd.grad(((w * (i + 1)).tanh() ** 2).sum(), w)
        assert g.tolist() == expected.tolist()


def test_anomaly_mode_names_the_line_of_the_user():
    x = leaf(0.0)
    message = r"div gave NaN for its input 0.*test_autograd.py:\d+ in test_anomaly.*x / x"
    with pytest.raises(AutogradError, match=message), tg.autograd.detect_anomaly():
        (x / x).sum().backward()
    with tg.autograd.detect_anomaly():
        y = x.exp()
        y.add_(1)
        with pytest.raises(AutogradError, match=r"called at .*y = x.exp\(\)"):
            y.backward()


# Hooks


def test_a_hook_sees_the_whole_gradient_and_may_replace_it():
    x = leaf(2.0)
    h = x * 3
    seen = []
    h.register_hook(lambda g: seen.append(g.item()))
    handle = h.register_hook(lambda g: g * 10)
    (h * 1.0 + h).backward(retain_graph=True)
    assert seen == [2.0]
    assert x.grad.tolist() == [60.0]
    handle.remove()
    x.grad = None
    (h + h).backward()
    assert x.grad.tolist() == [6.0]


def test_a_hook_on_a_leaf_runs_before_grad_is_set():
    x = leaf(2.0)
    x.register_hook(lambda g: g * 2)
    (x * 1.0 + x * 3.0).backward()
    assert x.grad.tolist() == [8.0]


def test_a_hook_must_return_a_tensor_of_the_same_shape():
    x = leaf(1.0, 2.0)
    (h := x * 2).register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match=r"gradient's shape \(2,\)"):
        h.sum().backward()


def test_retain_grad_keeps_an_intermediate_gradient():
    x = leaf(3.0)
    h = x * x
    h.retain_grad()
    (h * 2).backward()
    assert h.grad.tolist() == [2.0]
    assert h.grad_fn is not None


# Derivatives of every order


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


# In place


def test_a_changed_kept_value_is_an_error_never_a_wrong_gradient():
    x = leaf(1.0, 2.0)
    w = tg.tensor([3.0, 4.0], dtype=tg.float64)
    y = x * w
    w.add_(1)
    with pytest.raises(AutogradError, match=r"backward of mul needs its input 1, float64\[2\], but that was changed"):
        y.sum().backward()


def test_a_change_through_a_view_an_array_or_detach_is_noticed():
    for change in (
        lambda y: y[0].zero_(),
        lambda y: y.detach().zero_(),
        lambda y: y.data.zero_(),
        lambda y: tg.from_numpy(y.detach().numpy()).zero_(),
    ):
        x = leaf(1.0, 2.0)
        y = x.exp()
        z = y.sum()
        change(y)
        with pytest.raises(AutogradError, match="exp needs its output"):
            z.backward()


def test_a_change_of_what_was_not_kept_is_fine():
    x = leaf(1.0, 2.0)
    y = x + 1
    z = (y * 3).sum()
    y.zero_()
    z.backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_in_place_on_a_leaf_that_requires_a_gradient_is_refused_outside_no_grad():
    x = leaf(1.0, 2.0)
    with pytest.raises(AutogradError, match=r"add_: a leaf tensor that requires a gradient.*no_grad"):
        x += 1
    with pytest.raises(AutogradError, match=r"view of a leaf"):
        x[0].mul_(2)
    with tg.no_grad():
        x += 1
    assert x.tolist() == [2.0, 3.0]


def test_a_write_to_a_view_reaches_the_base_and_its_other_views():
    x = leaf(1.0, 2.0)
    base = tg.zeros(4, dtype=tg.float64)
    early = base[1:3]
    base[1:3] = x
    early.mul_(x * 3)
    late = base[2]
    (base.sum() + late + early.sum()).backward()
    assert base.tolist() == [0.0, 3.0, 12.0, 0.0]
    assert x.grad.tolist() == [12.0, 36.0]


def test_an_in_place_operation_keeps_its_own_copy_of_what_it_overwrites():
    x, w = leaf(2.0), leaf(5.0)
    y = x * 1.0
    y *= w
    y *= y
    y.backward()
    assert (x.grad.item(), w.grad.item()) == (100.0, 40.0)


def test_a_view_made_in_no_grad_cannot_be_written_to_with_gradients():
    x = leaf(1.0, 2.0)
    base = x * 1
    with tg.no_grad():
        view = base[0]
    with pytest.raises(AutogradError, match="made inside no_grad"):
        view.mul_(x[0])


def test_recurrent_writes_into_a_buffer_leave_no_garbage_and_give_the_right_gradient():
    w = leaf(0.5)
    assert gradcheck(recurrent, w)
    gc.collect()
    gc.disable()
    try:
        recurrent(w).backward()
        assert gc.collect() == 0
    finally:
        gc.enable()


def recurrent(w):
    state = tg.ones(1, dtype=tg.float64)
    out = tg.zeros(5, 1, dtype=tg.float64)
    for t in range(5):
        state = (state * w).tanh()
        out[t] = state
    return out.sum()


# Function


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


# gradcheck


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
    with pytest.raises(ValueError, match="none of the inputs requires a gradient"):
        gradcheck(lambda x: x * 2, tg.ones(1, dtype=tg.float64))


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


# Views whose base changes under them


def test_a_view_made_in_no_grad_is_refused_once_its_base_was_written_to_with_gradients():
    w = leaf(2.0, 3.0)
    x = tg.ones(2, dtype=tg.float64)
    with tg.no_grad():
        view = x[:1]
    deeper = view[0]
    x.mul_(w)
    for stale in (view, deeper):
        with pytest.raises(AutogradError, match="made inside no_grad"):
            stale * 2
    assert repr(view) == "tensor([2.], dtype=float64)"
    with tg.no_grad():
        assert (view * 2).tolist() == [4.0]


def test_a_view_follows_a_base_that_comes_to_require_a_gradient():
    x = tg.ones(3)
    view = x[:2]
    x.requires_grad_()
    with pytest.raises(AutogradError, match="view of a leaf"):
        view.mul_(2)
    (view * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 0.0]


def test_a_view_made_a_leaf_follows_a_write_to_its_base():
    w = leaf(1.0, 1.0, 1.0)
    x = tg.ones(3, dtype=tg.float64)
    view = x[:2]
    view.requires_grad_()
    assert view.is_leaf
    (view * 3).sum().backward()
    assert view.grad.tolist() == [3.0, 3.0]
    with pytest.raises(AutogradError, match="a leaf tensor that requires a gradient"):
        view.mul_(2)
    x.mul_(w)
    (view * 2).sum().backward()
    assert w.grad.tolist() == [2.0, 2.0, 0.0]


def test_retain_grad_follows_a_write_in_place():
    x = leaf(1.0, 2.0)
    y = x * 3
    y.retain_grad()
    y.mul_(2)
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0]
    base = x * 3
    view = base[0]
    view.retain_grad()
    base.mul_(2)
    (view * 5).backward()
    assert view.grad.item() == 5.0
    assert x.grad.tolist() == [6.0 + 30.0, 6.0]


# Whose memory a gradient is


def test_grad_never_aliases_what_a_hook_saw_or_returned():
    seen, x, mine = [], leaf(1.0, 1.0), tg.zeros(2, dtype=tg.float64)
    x.register_hook(seen.append)
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert seen[0].tolist() == [2.0, 2.0]
    z = leaf(1.0, 1.0)
    z.register_hook(lambda g: mine.copy_(g))
    (z * 3).sum().backward()
    (z * 5).sum().backward()
    assert z.grad.tolist() == [8.0, 8.0]
    assert mine.tolist() == [5.0, 5.0]


def test_grad_never_aliases_with_create_graph():
    a, b, g = leaf(0.0, 0.0), leaf(0.0, 0.0), tg.ones(2, dtype=tg.float64)
    (a + b).backward(g, create_graph=True)
    (a + b).backward(g)
    assert (a.grad.tolist(), b.grad.tolist(), g.tolist()) == ([2.0, 2.0], [2.0, 2.0], [1.0, 1.0])


def test_grad_never_aliases_a_view_of_what_backward_was_given():
    x, g = leaf(1.0, 2.0, 3.0, 4.0), tg.ones(2, 2, dtype=tg.float64)
    x.reshape(2, 2).backward(g)
    x.grad.add_(5)
    assert g.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_the_same_input_twice_gives_gradients_of_their_own():
    x = leaf(1.0, 2.0)
    first, second = tg.autograd.grad((x * x).sum(), [x, x])
    assert not np.shares_memory(first.numpy(), second.numpy())


def test_a_gradient_that_backward_adds_to_counts_as_changed():
    x, w = leaf(2.0), leaf(3.0)
    (x * x).backward()
    z = (x.grad * w).sum()
    (x * x).backward()
    with pytest.raises(AutogradError, match="mul needs its input 0"):
        z.backward()


def test_a_leaf_that_was_frozen_before_backward_gets_no_gradient():
    x, w = leaf(1.0), leaf(2.0)
    y = x * w
    x.requires_grad_(False)
    y.backward()
    assert x.grad is None
    assert w.grad.tolist() == [1.0]


def test_a_grad_whose_leaf_got_data_of_another_shape_is_refused():
    x = leaf(1.0, 2.0)
    x.sum().backward()
    x.data = tg.ones(3, dtype=tg.float64)
    with pytest.raises(ShapeError, match=r"\.grad has shape \(2,\), and its new gradient \(3,\)"):
        x.sum().backward()


# More of writes in place


def test_a_leaf_that_is_itself_a_view_is_protected():
    x = tg.arange(6.0).reshape(2, 3).requires_grad_()
    view = x[0]
    with pytest.raises(AutogradError, match="view of a leaf"):
        view.mul_(2.0)
    with pytest.raises(AutogradError, match="view of a leaf"):
        x[0].fill_(3.0)
    (view * 2).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]]


def test_a_constant_written_through_a_no_grad_view_is_refused():
    x = leaf(1.0, 1.0, 1.0)
    base = x * 1
    with tg.no_grad():
        view = base[:2]
    for write in (lambda: view.mul_(3.0), lambda: view.zero_()):
        with pytest.raises(AutogradError, match="made inside no_grad"):
            write()


def test_an_operand_that_overlaps_what_it_is_written_to_is_read_before():
    w = leaf(2.0, 3.0, 4.0)
    y = w * 1
    y[1:].mul_(y[:-1])
    y.sum().backward()
    assert y.tolist() == [2.0, 6.0, 12.0]
    assert w.grad.tolist() == [4.0, 6.0, 3.0]


def test_a_view_first_looked_at_inside_no_grad_still_follows_its_base():
    w, x = leaf(5.0, 5.0), tg.ones(2, dtype=tg.float64)
    view = x[:1]
    x.mul_(w)
    with tg.no_grad():
        assert view.requires_grad
    view.sum().backward()
    assert w.grad.tolist() == [1.0, 0.0]


def test_an_expanded_view_follows_a_write_to_its_base():
    x = leaf(1.0, 1.0, 1.0)
    base = x * 1
    wide = base.expand(2, 3)
    base.mul_(2)
    wide.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0, 4.0]


# More of hooks, functions and modes


def test_removing_a_hook_twice_removes_it_once():
    x, seen = leaf(1.0), []
    hook = lambda g: seen.append(1)  # noqa: E731
    first = x.register_hook(hook)
    x.register_hook(hook)
    first.remove()
    first.remove()
    (x * 1).backward()
    assert seen == [1]


def test_a_hook_may_not_change_the_dtype_and_does_not_record():
    x, modes = leaf(1.0), []
    x.register_hook(lambda g: modes.append(tg.is_grad_enabled()))
    (x * 2).backward()
    assert modes == [False]
    x.register_hook(lambda g: g.float())
    with pytest.raises(DtypeError, match="float64, and it returned float32"):
        (x * 2).backward()


def test_retain_grad_keeps_what_the_hooks_left_and_only_once():
    x = leaf(1.0)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    (y * 1).backward()
    assert y.grad.tolist() == [10.0]


def test_anomaly_mode_takes_functions_of_several_outputs():
    x, w = leaf(2.0), leaf(3.0)
    with tg.autograd.detect_anomaly():
        y, z = Both.apply(x, 2.0, w)
        (y + z).backward()
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


def test_a_decorated_generator_can_be_thrown_into():
    @tg.no_grad()
    def run():
        try:
            yield 1
        except KeyError:
            yield tg.is_grad_enabled()

    generator = run()
    next(generator)
    assert generator.throw(KeyError()) is False
    assert tg.is_grad_enabled()


def test_gradcheck_does_not_pass_for_want_of_anything_to_check():
    with pytest.raises(ValueError, match="no floating output"):
        gradcheck(lambda x: (x > 0).long(), leaf(1.0))
    with pytest.raises(DtypeError, match="returned NoneType as output 0"):
        gradcheck(lambda x: None, leaf(1.0))


def test_a_joint_vjp_must_return_a_gradient_for_each_input():
    from tensorgrad.autograd.op import Op, apply

    short = Op("short", np.add, joint=lambda g, wants, y, a, b: (g,))
    with pytest.raises(AutogradError, match="joint vjp of short returned 1 gradients for 2 inputs"):
        apply(short, (leaf(1.0), leaf(2.0))).backward()


# Values at which derivatives are a convention, or nearly out of range


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


def test_half_precision_is_summed_in_single():
    ones = tg.ones(5000, 3, dtype=tg.float16)
    assert ones.sum(0).tolist() == [5000.0] * 3
    assert (ones * 100).mean().item() == 100.0
    assert ones[:, 0].cumsum(0)[-1].item() == 5000.0
    assert tg.tensor([300.0, 400.0], dtype=tg.float16).norm().item() == 500.0
    wide = tg.tensor([100.0, 300.0, -250.0], dtype=tg.float16)
    assert wide.std().item() == pytest.approx(278.4, rel=1e-3)
    assert wide.norm(3).item() == pytest.approx(352.0, rel=1e-2)
    bias = tg.zeros(3, dtype=tg.float16, requires_grad=True)
    (ones + bias).sum().backward()
    assert bias.grad.tolist() == [5000.0] * 3


def test_long_columns_are_summed_as_exactly_as_rows():
    x = tg.rand(200_003, 3)
    exact = x.double().sum(0).numpy()
    np.testing.assert_allclose(x.sum(0).numpy(), exact, rtol=1e-6)
    np.testing.assert_allclose(x.reshape(200_003, 1, 3).mean((0, 1)).numpy(), exact / 200_003, rtol=1e-6)
    assert x.sum(0, keepdim=True).shape == (1, 3)
    np.testing.assert_allclose(tg.stack([x, x]).sum(1).numpy()[1], exact, rtol=1e-6)


@pytest.mark.parametrize("shape", [(600, 0), (3, 0, 600), (0, 600, 2), (2, 513, 3), (511, 2), (512, 1, 2), (1024, 2)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_sums_by_blocks_have_the_shapes_and_values_of_plain_ones(shape, keepdim):
    x = tg.rand(*shape)
    for dim in (0, 1, (0, 1)):
        got = x.sum(dim, keepdim)
        expected = x.double().numpy().sum(dim, keepdims=keepdim)
        assert got.shape == expected.shape
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5)


def test_norms_of_negative_order_are_zero_with_a_zero():
    assert tg.tensor([0.0, 1.0, 2.0]).norm(-1).item() == 0.0
    assert tg.tensor([1.0, 1.0]).norm(-1).item() == 0.5


def test_a_retained_gradient_that_is_also_asked_for_counts_once():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward(inputs=[y])
    assert y.grad.tolist() == [4.0, 8.0]


def test_a_graph_can_be_followed_to_its_leaves():
    x, w = tg.ones(2), tg.ones(2, requires_grad=True)
    y = ((x * w) + w).sum()
    ((added, index),) = y.grad_fn.next_functions
    assert (y.grad_fn.name, added.name, index) == ("sum", "add", 0)
    (product, _), (leaf, _) = added.next_functions
    assert (leaf.name, leaf.variable is w, leaf.next_functions) == ("AccumulateGrad", True, ())
    assert product.next_functions == ((None, 0), (leaf, 0))


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
