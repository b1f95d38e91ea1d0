"""What every primitive must do, for every row of the catalogue."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from catalogue import CATALOGUE, Row
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import tensorgrad as tg
from tensorgrad.autograd.op import REGISTRY
from tensorgrad.testing import GradcheckError, gradcheck, gradgradcheck

every_row = pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.id)
every_differentiable_row = pytest.mark.parametrize(
    "row", [row for row in CATALOGUE if row.differentiable], ids=lambda row: row.id
)
every_elementwise_row = pytest.mark.parametrize(
    "row", [row for row in CATALOGUE if row.elementwise], ids=lambda row: row.id
)


def arrays_of(row: Row, shapes=None, seed=0):
    source = np.random.default_rng(seed)
    shapes = [draw.shape for draw in row.inputs] if shapes is None else shapes
    return [draw.array(source, shape) for draw, shape in zip(row.inputs, shapes, strict=True)]


def tensors_of(arrays, grad=True):
    """Tensors in the arrays' own memory and strides; the floating ones require a gradient."""
    return [tg.from_numpy(a).requires_grad_(grad and a.dtype.kind == "f") for a in arrays]


def through_nodes(tensors):
    """The same values as results of operations: a vjp that reads what it did not keep gets no value from those."""
    return [x * 1.0 if x.requires_grad else x for x in tensors]


def each(y):
    """The outputs of an op, which may have several, as a tuple."""
    return tuple(y) if isinstance(y, tuple) else (y,)


def references(row, arrays):
    return tuple(np.asarray(y) for y in each(row.reference(*arrays)))


def with_graph(ys):
    return [y for y in each(ys) if y.requires_grad]


def outputs_equal(row: Row, arrays) -> None:
    for y, expected in zip(each(row.call(*tensors_of(arrays))), references(row, arrays), strict=True):
        assert y.shape == expected.shape
        assert y.dtype.kind == expected.dtype.kind
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-10, atol=1e-12)


def test_every_primitive_has_a_row():
    assert {row.op for row in CATALOGUE} == set(REGISTRY)


@every_row
def test_forward_is_what_the_reference_says(row):
    outputs_equal(row, arrays_of(row))


@pytest.mark.parametrize("row", [row for row in CATALOGUE if row.op != "cast"], ids=lambda row: row.id)
def test_single_precision_stays_single(row):
    arrays = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays_of(row)]
    for y, expected in zip(each(row.call(*tensors_of(arrays))), references(row, arrays), strict=True):
        if expected.dtype.kind == "f" and any(a.dtype.kind == "f" for a in arrays):
            assert y.dtype == np.float32
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("row", [r for r in CATALOGUE if not r.tensors_only], ids=lambda row: row.id)
def test_arrays_in_give_arrays_out(row):
    arrays = arrays_of(row)
    for y, expected in zip(each(row.call(*arrays)), references(row, arrays), strict=True):
        assert isinstance(y, np.ndarray | np.generic)
        np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-12)


@every_differentiable_row
def test_the_gradient_is_that_of_finite_differences(row):
    assert gradcheck(lambda *xs: row.call(*through_nodes(xs)), tensors_of(arrays_of(row)))


@every_differentiable_row
def test_the_second_derivative_is_that_of_finite_differences(row):
    assert gradgradcheck(lambda *xs: row.call(*through_nodes(xs)), tensors_of(arrays_of(row)))


def wanted_inputs(row):
    return [i for i, draw in enumerate(row.inputs) if draw.kind == "f"]


ZERO_GRADIENTS = {*((name, 0) for name in ("copy", "floor", "ceil", "trunc", "round", "sign")), ("copysign", 1)}
EVERY_VJP = [(row, i) for row in CATALOGUE if row.differentiable for i in wanted_inputs(row)]


@pytest.mark.parametrize(("row", "position"), EVERY_VJP, ids=lambda x: x.id if isinstance(x, Row) else str(x))
def test_each_vjp_is_found_when_it_is_wrong(row, position, monkeypatch):
    """One vjp at a time: an op whose gradient the drawn inputs do not reach would pass whatever it says."""
    op = REGISTRY[row.op]
    # Where the gradient is zero by nature there is nothing to be wrong by a factor.
    added = 0.01 if (row.op, position) in ZERO_GRADIENTS else 0.0
    if op.joint is not None:
        right = op.joint

        def wrong(*args, **attrs):
            grads = right(*args, **attrs)
            return tuple(g * 1.01 if i == position and g is not None else g for i, g in enumerate(grads))

        monkeypatch.setattr(op, "joint", wrong)
    else:
        vjp = op.vjps[position]
        scaled = lambda *args, **attrs: vjp(*args, **attrs) * 1.01 + added  # noqa: E731
        monkeypatch.setattr(op, "vjps", (*op.vjps[:position], scaled, *op.vjps[position + 1 :]))
    inputs = tensors_of(arrays_of(row))
    with pytest.raises(GradcheckError, match=r"by autograd and .* by finite differences"):
        gradcheck(row.call, inputs)


@every_elementwise_row
@given(data=st.data())
def test_broadcast_shapes_forward_and_backward(row, data):
    drawn = data.draw(
        mutually_broadcastable_shapes(num_shapes=len(row.inputs), max_dims=3, min_side=0, max_side=3)
    ).input_shapes
    arrays = arrays_of(row, drawn, seed=1)
    outputs_equal(row, arrays)
    if row.differentiable and sum(a.size for a in arrays) <= 30:
        assert gradcheck(row.call, tensors_of(arrays))


@every_row
def test_inputs_that_are_not_contiguous_give_the_same(row):
    arrays = arrays_of(row)
    strided = []
    for a in arrays:
        wide = np.zeros([2 * n for n in a.shape[::-1]], a.dtype)
        view = wide.T[tuple(slice(None, None, 2) for _ in a.shape)] if a.ndim else wide
        view[...] = a
        strided.append(view)
    assert any(not s.flags.c_contiguous for s in strided) or all(a.ndim == 0 for a in arrays)
    outputs_equal(row, strided)
    if row.differentiable:
        for got, expected in zip(gradients(row, strided), gradients(row, arrays), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def gradients(row, arrays):
    leaves = tensors_of(arrays)
    ys = with_graph(row.call(*leaves))
    source = np.random.default_rng(7)
    tg.autograd.backward(ys, [tg.from_numpy(np.asarray(source.standard_normal(y.shape))) for y in ys])
    return [x.grad.numpy() for x in leaves if x.requires_grad]


@every_row
def test_zero_size_input(row):
    if isinstance(row.empty, type):
        shapes = [(0, *d.shape[1:]) for d in row.inputs]
        with pytest.raises(row.empty):
            row.call(*tensors_of(arrays_of(row, shapes)))
        return
    shapes = row.empty or [(0, *d.shape[1:]) for d in row.inputs]
    if row.elementwise:
        shapes = [(0, 4)] * len(row.inputs)
    arrays = arrays_of(row, shapes)
    leaves = tensors_of(arrays)
    ys = each(row.call(*leaves))
    with np.errstate(all="ignore"):
        if row.op != "mean":  # NumPy warns of the mean of nothing; PyTorch's NaN is ours
            assert [y.shape for y in ys] == [y.shape for y in references(row, arrays)]
    if row.differentiable:
        tg.autograd.backward([y.sum() for y in with_graph(ys)])
        assert all(x.grad.shape == x.shape for x in leaves if x.requires_grad)


@every_row
def test_no_input_is_changed(row):
    arrays = arrays_of(row)
    before = [a.tobytes() for a in arrays]
    leaves = tensors_of(arrays)
    ys = with_graph(row.call(*leaves))
    if row.differentiable:
        wanted = [x for x in leaves if x.requires_grad]
        incoming = [tg.ones_like(y) for y in ys]
        tg.autograd.grad(ys, wanted, incoming, create_graph=True)
        tg.autograd.backward(ys, incoming)
        assert all(
            not np.shares_memory(x.grad.numpy(), a) for x, a in zip(leaves, arrays, strict=True) if x.grad is not None
        )
        assert all(bool((g == 1).all()) for g in incoming)
    assert [a.tobytes() for a in arrays] == before


@every_differentiable_row
def test_nothing_is_left_for_the_garbage_collector(row):
    arrays = arrays_of(row)
    gc.collect()
    gc.disable()
    try:
        leaves = tensors_of(arrays)
        ys = with_graph(row.call(*through_nodes(leaves)))
        wanted = [x for x in leaves if x.requires_grad]
        first = tg.autograd.grad(ys, wanted, [tg.ones_like(y) for y in ys], create_graph=True)
        live = [g.sum() for g in first if g.requires_grad]
        if live:
            tg.autograd.backward(live)
        del leaves, ys, wanted, first, live
        assert gc.collect() == 0
    finally:
        gc.enable()
