"""Writes in place: the graph goes on from them, views follow them, and what they spoil is refused."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from side_by_side import leaf

import tensorgrad as tg
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.testing import gradcheck

# What is written to


def test_a_changed_kept_value_is_an_error_that_says_which_and_how_to_avoid_it():
    x = leaf(1.0, 2.0)
    w = tg.tensor([3.0, 4.0], dtype=tg.float64)
    y = x * w
    w.add_(1)
    text = r"backward of mul needs its input 1, float64\[2\], but that was changed in place.* Use the out-of-place form"
    with pytest.raises(AutogradError, match=text):
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
    with pytest.raises(AutogradError, match=r"put_: a leaf tensor"):
        x[0] = 3.0
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


def recurrent(w):
    state = tg.ones(1, dtype=tg.float64)
    out = tg.zeros(5, 1, dtype=tg.float64)
    for t in range(5):
        state = (state * w).tanh()
        out[t] = state
    return out.sum()


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


def test_a_write_to_a_view_of_a_view_that_was_a_leaf_reaches_the_base():
    w = leaf(1.0, 1.0, 1.0)
    x = tg.ones(3, dtype=tg.float64)
    view = x[:2]
    view.requires_grad_()
    inner = view[:1]
    x.mul_(w)
    inner.mul_(5)
    (x.sum() + view.sum()).backward()
    assert x.tolist() == [5.0, 1.0, 1.0]
    assert w.grad.tolist() == [10.0, 2.0, 1.0]


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


# Dtypes, shapes and the ways to write


def test_views_share_memory_in_both_directions():
    x = tg.zeros(2, 3)
    for view in (
        x.t(),
        x.view(6),
        x[0],
        x.unsqueeze(0),
        x.diagonal(),
        x.narrow(1, 1, 2),
        x.expand(1, 2, 3),
        x.detach(),
    ):
        view.fill_(1)
        assert float(x.sum()) > 0
        x.zero_()
        assert not view.any()


def test_a_result_of_another_shape_or_category_is_refused_and_nothing_is_written():
    x = tg.tensor([1, 2])
    for write in (lambda: x.add_(1.5), lambda: x.div_(2), lambda: x.sqrt_()):
        with pytest.raises(DtypeError, match="cannot be written into int64"):
            write()
    for write in (lambda: x.copy_(tg.ones(3)), lambda: x.fill_(tg.ones(2))):
        with pytest.raises(ShapeError):
            write()
    assert x.tolist() == [1, 2]


def test_an_expanded_tensor_is_not_written_to_unless_nothing_repeats():
    with pytest.raises(AutogradError, match="expanded"):
        tg.zeros(2).expand(3, 2).add_(1)
    x = tg.zeros(2)
    x.expand(1, 2).add_(1)
    assert x.tolist() == [1, 1]
    with pytest.raises(ShapeError):
        tg.broadcast_to(tg.zeros(2, 3), (3, 2))


def test_a_write_across_dtypes_brings_the_gradient_back_in_the_sources_dtype():
    w = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    x = tg.zeros(2)
    x.copy_(w)
    x.mul_(2)
    x[0] = w[1] * 3
    x.sum().backward()
    assert x.dtype == tg.float32
    assert w.grad.dtype == tg.float64
    assert w.grad.tolist() == [0, 5]


def test_a_write_through_a_view_has_second_derivatives():
    x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    y = x * 3
    y[:1].mul_(x[:1])
    (g,) = tg.autograd.grad((y**3).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    assert g.tolist() == [27 * 6, 81 * 4]  # 27 x^6 and 27 x^3
    assert h.tolist() == [27 * 30, 162 * 2]


def test_a_bound_that_is_met_exactly_gives_the_gradient_to_the_input():
    x, low = tg.tensor([1.0, 2.0, 1.5], requires_grad=True), tg.tensor([1.5, 0.0, 1.5], requires_grad=True)
    tg.clamp(x, min=low).sum().backward()
    assert x.grad.tolist() == [0, 1, 1]
    assert low.grad.tolist() == [1, 0, 0]


def test_contiguous_puts_the_elements_in_order_and_carries_the_gradient():
    x = tg.arange(6.0).reshape(2, 3).requires_grad_()
    y = x.t().contiguous()
    assert y.is_contiguous()
    (y.view(-1) * tg.arange(6.0)).sum().backward()
    assert x.grad.tolist() == [[0, 2, 4], [1, 3, 5]]


def test_a_composed_method_in_place_keeps_what_another_gradient_reads():
    a, b = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0], requires_grad=True)
    z = a * 1
    z.divide_(b).sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), [-1 / 9, -2 / 16], rtol=1e-6)


def test_what_backward_does_not_read_may_be_changed():
    logits = tg.randn(3, 4, requires_grad=True)
    losses = tg.nn.functional.cross_entropy(logits, tg.tensor([0, 1, 2]), reduction="none")
    y = tg.nn.functional.gelu(logits)
    (expected,) = tg.autograd.grad((losses * 2).sum() + (y + 1).sum(), logits, retain_graph=True)
    losses *= 2
    y += 1
    (losses.sum() + y.sum()).backward()
    assert logits.grad.tolist() == expected.tolist()
