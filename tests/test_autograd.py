"""The graph and its walk: what backward and grad give, what is kept meanwhile, and whose memory a gradient is."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from side_by_side import both, leaf, same

import tensorgrad as tg
from tensorgrad.errors import AutogradError, ShapeError

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


def positions(L):
    x, w, unused = (L.tensor(v, dtype=L.float64, requires_grad=True) for v in ([1.0, 2.0, 3.0], 2.0, [1.0]))
    y, z = (x**2 * w).sin(), (x.sum() * w).exp() / 1e4
    rows, numbers = L.eye(3, dtype=L.float64), L.tensor([1.0, 2.0, 3.0], dtype=L.float64)
    ones = [L.ones(3, dtype=L.float64), L.tensor(1.0, dtype=L.float64)]
    grad = L.autograd.grad
    found = [
        *grad([y, z], [x, unused], ones, True, False, True, True),
        *grad([y, z], [x, unused], ones, True, False, True, None, False, True),
        *grad([y, z], [x, w, unused], [rows, numbers], True, False, True, True, True),
        *grad(y, [x, unused], rows, True, False, True, None, True, True),
    ]
    (j,) = grad(y, x, rows, create_graph=True, is_grads_batched=True)
    found += [j, *grad(j.square().sum(), [x, w], retain_graph=True)]
    L.autograd.backward([y, z], ones, True, False, None, [x])
    with pytest.warns(FutureWarning, match="grad_variables"):
        L.autograd.backward([y, z], None, None, False, ones, [w])
    return [*found, x.grad, w.grad]


def test_arguments_stand_where_pytorch_has_them_and_gradients_come_in_batches():
    for ours, theirs in zip(*both(positions), strict=True):
        assert (ours is None) == (theirs is None)
        same(ours, theirs)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda x, y: tg.autograd.grad(y, x, is_grads_batched=True), ShapeError, "all of grad_outputs must be given"),
        (
            lambda x, y: tg.autograd.grad(y, x, tg.tensor(1.0), is_grads_batched=True),
            ShapeError,
            "with is_grads_batched .* a batch of each",
        ),
        (
            lambda x, y: tg.autograd.grad(y, x, tg.ones(2), allow_unused=False, materialize_grads=True),
            ValueError,
            "materialize_grads gives zeros for what allow_unused=False",
        ),
        (
            lambda x, y: tg.autograd.backward(y, tg.ones(2), grad_variables=tg.ones(2)),
            ValueError,
            "the older name of grad_tensors",
        ),
    ],
)
def test_arguments_that_exclude_one_another_are_refused(call, error, match):
    x = leaf(1.0, 2.0)
    with pytest.raises(error, match=match):
        call(x, x * x)


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


def test_a_joint_vjp_must_return_a_gradient_for_each_input():
    from tensorgrad.autograd.op import Op, apply

    short = Op("short", np.add, joint=lambda g, wants, y, a, b: (g,))
    with pytest.raises(AutogradError, match="joint vjp of short returned 1 gradients for 2 inputs"):
        apply(short, (leaf(1.0), leaf(2.0))).backward()


def test_a_graph_can_be_followed_to_its_leaves():
    x, w = tg.ones(2), tg.ones(2, requires_grad=True)
    y = ((x * w) + w).sum()
    ((added, index),) = y.grad_fn.next_functions
    assert (y.grad_fn.name, added.name, index) == ("sum", "add", 0)
    (product, _), (leaf, _) = added.next_functions
    assert (leaf.name, leaf.variable is w, leaf.next_functions) == ("AccumulateGrad", True, ())
    assert product.next_functions == ((None, 0), (leaf, 0))


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
