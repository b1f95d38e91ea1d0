"""Reading and writing by index, by function: gather, scatter, `index_add` and their kin, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import DTYPES, compare, compare_in_place, drawn, equal, ints, mask, mistakes

import tensorgrad as tg
from tensorgrad.errors import DtypeError, ShapeError

PICKING = {
    "masked_select": (lambda L, a: (L.masked_select(a, mask(L, 1, 0, 1)), a.masked_select(a > 0)), (2, 3)),
    "gather": (lambda L, a: (L.gather(a, 1, ints(L, [[2, 0], [1, 1]])), a.gather(0, ints(L, [[1, 0, 1]]))), (2, 3)),
    "gather 0-d": (lambda L, a: (L.gather(a, 0, L.tensor(0)), a.gather(0, ints(L, 0, 0))), ()),
    "gather one": (lambda L, a: L.gather(a, 0, L.tensor(1)), (3,)),
    "gather strided": (lambda L, a: L.gather(a.transpose(0, 2), 1, ints(L, [[[2, 0]], [[1, 1]]])), (2, 3, 4)),
    "gather nothing": (lambda L, a: L.gather(a, 1, L.zeros(2, 0, dtype=L.int64)), (2, 3)),
    "index_select": (lambda L, a: (L.index_select(a, 1, ints(L, 2, 0, 2)), a.index_select(-2, L.tensor(1))), (2, 3)),
    "index_select strided": (lambda L, a: L.index_select(a.t(), 0, ints(L, 2, 0, 2)), (2, 3)),
    "index_select 0-d": (lambda L, a: a.index_select(0, L.tensor([0])), ()),
    "take": (lambda L, a: (L.take(a, ints(L, [[0, -1], [4, 4]])), a.t().take(L.tensor(1))), (2, 3)),
    "take_along_dim": (lambda L, a: (L.take_along_dim(a, ints(L, [[2], [0]]), 1), a.take_along_dim(ints(L, 5, 0))),
        (2, 3)),
    "take_along_dim broadcasts": (lambda L, a: L.take_along_dim(a, ints(L, [[2, 0]]), dim=1), (2, 3)),
    "where": (lambda L, a: L.where(a > 0), (2, 3)),
    "nonzero": (lambda L, a: (L.nonzero(a > 0), *L.nonzero(a > 0, as_tuple=True), L.argwhere(a), a.argwhere()), (2, 3)),
    "nonzero 0-d": (lambda L, a: (L.nonzero(a), *L.nonzero(a, as_tuple=True)), ()),
}  # fmt: skip

SCATTERING = {
    "by keyword": (lambda L, a, b: (
        L.gather(a, dim=0, index=ints(L, [[1]])), L.index_select(input=a, dim=0, index=ints(L, 1, 0)),
        L.scatter(a, dim=0, index=ints(L, [[1], [0]]), src=b),
        L.scatter_add(a, dim=0, index=ints(L, [[1], [1]]), src=b),
        L.scatter_reduce(a, dim=0, index=ints(L, [[1], [0]]), src=b, reduce="sum"), L.take(a, index=ints(L, 1, 2)),
        L.index_add(a, dim=1, index=L.tensor([0]), source=a[:, :1]), L.masked_fill(a, mask=mask(L, 1, 0, 1), value=0),
        L.index_copy(a, dim=1, index=L.tensor([0]), source=a[:, :1]), L.select_scatter(a, src=b[:, 0], dim=1, index=0),
        L.index_fill(a, dim=0, index=L.tensor([0]), value=1), L.take_along_dim(a, indices=ints(L, [[1]]), dim=0),
        L.masked_scatter(a, mask=mask(L, 0, 0, 1), source=b), L.slice_scatter(a, src=b, dim=1, start=0, end=1),
    ), (2, 3), (2, 1)),
    "diagonal_scatter": (lambda L, a, b: L.diagonal_scatter(a, b, 1), (2, 3), (2,)),
    "select_scatter": (lambda L, a, b: (L.select_scatter(a, b, 1, -1), a.select_scatter(b, -1, 0)), (2, 3), (2,)),
    "slice_scatter": (lambda L, a, b: (L.slice_scatter(a, b, 0, -3, None, 2), a.slice_scatter(b, start=1, end=3)),
        (4,), (2,)),
    "index_add": (lambda L, a, b: L.index_add(a, 1, ints(L, 2, 0, 2, 2), b), (2, 3), (2, 4)),
    "index_add on rows": (lambda L, a, b: a.index_add(0, ints(L, 2, 0, 2, 2), b), (3, 2), (4, 2)),
    "index_add alpha": (lambda L, a, b: a.index_add(-1, L.tensor(1), b, alpha=-2), (2, 3), (2, 1)),
    "index_add 0-d": (lambda L, a, b: a.index_add(0, L.tensor([0]), b), (), ()),
    "index_copy": (lambda L, a, b: (L.index_copy(a, 1, ints(L, 2, 0), b), a.index_copy(0, ints(L, 1, 0), a.clone())),
        (2, 3), (2, 2)),
    "index_fill": (lambda L, a: (L.index_fill(a, 1, ints(L, 2, -3), 1), a.index_fill(0, L.tensor(1), 0)), (2, 3)),
    "index_fill by a tensor": (lambda L, a, b: L.index_fill(a, 1, ints(L, 2, 0), b), (2, 3), ()),
    "index_put": (lambda L, a, b: L.index_put(a, (ints(L, 1, 0), ints(L, 2, -1)), b), (2, 3), (2,)),
    "index_put, broadcast": (lambda L, a, b: (L.index_put(a, (ints(L, 1, 0),), b), a.index_put([mask(L, 1, 0)], b)),
        (2, 3), (3,)),
    "index_put, added": (lambda L, a, b: L.index_put(a, (ints(L, 1, -1, 1),), b, accumulate=True), (2, 3), (3,)),
    "index_put, added at two": (lambda L, a, b: a.index_put((ints(L, 1, -1, 1), ints(L, 0, 2, 0)), b, True), (2, 3),
        (3,)),
    "masked_fill": (lambda L, a: (L.masked_fill(a, mask(L, 1, 0, 1), 1), a.masked_fill(a > 0, 0)), (2, 3)),
    "masked_fill grows": (lambda L, a: a.masked_fill(ints(L, [[1, 0, 1], [0, 1, 1]]).bool(), 1), (3,)),
    "masked_fill by a tensor": (lambda L, a, b: L.masked_fill(a, mask(L, 1, 0, 1), b), (2, 3), ()),
    "masked_scatter": (lambda L, a, b: L.masked_scatter(a, mask(L, 1, 0, 1), b), (2, 3), (5,)),
    "masked_scatter grows": (lambda L, a, b: a.masked_scatter(ints(L, [[1, 0, 1], [0, 1, 1]]).bool(), b), (3,), (2, 2)),
    "scatter": (lambda L, a, b: L.scatter(a, 1, ints(L, [[2, 0], [1, 0]]), b), (2, 3), (2, 2)),
    "scatter a number": (lambda L, a: (a.scatter(0, ints(L, [[1, 0, 1]]), 1), L.scatter(a, 1, ints(L, [[1]]),
        value=0)), (2, 3)),
    "scatter one": (lambda L, a: L.scatter(a, 0, L.tensor(1), 1), (3,)),
    "scatter 0-d": (lambda L, a, b: a.scatter(0, L.tensor(0), b), (), ()),
    "scatter nothing": (lambda L, a: a.scatter(0, L.zeros(0, dtype=L.int64), a.detach()), (3,)),
    "scatter_add": (lambda L, a, b: (L.scatter_add(a, 1, ints(L, [[2, 2, 2, 0]] * 2), b)), (2, 3), (2, 4)),
    "scatter_add at rows": (lambda L, a, b: a.scatter_add(0, ints(L, [[0, 1, 1], [1, 1, 0]]), b), (2, 3), (2, 3)),
}  # fmt: skip

CASES = {**PICKING, **SCATTERING}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_shapes_dtypes_and_gradients_are_those_of_pytorch(name, dtype):
    if dtype == "bool" and "alpha" in name:
        return
    call, *shapes = CASES[name]
    compare(call, [drawn(shape, dtype, i) for i, shape in enumerate(shapes)])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scatter_reduce_is_pytorch_s(reduce, include_self, dtype):
    index = [[0, 2, 2, 0], [1, 1, 1, 1]]

    def call(L, a, b):
        return L.scatter_reduce(a, 1, ints(L, index), b, reduce, include_self=include_self)

    compare(call, [drawn((2, 4), dtype, 0), drawn((2, 4), dtype, 1)])


def test_a_product_with_zeros_has_pytorch_s_gradient():
    a, b = np.array([2.0, 0.0, 3.0, 0.0]), np.array([0.0, 4.0, 5.0, 0.0, 0.0, 2.0])
    compare(lambda L, a, b: L.scatter_reduce(a, 0, ints(L, 0, 0, 1, 2, 2, 3), b, "prod"), [a, b])


def test_equal_extremes_share_the_gradient():
    a, b = np.array([2.0, 1.0]), np.array([2.0, 2.0, 0.0])
    compare(lambda L, a, b: L.scatter_reduce(a, 0, ints(L, 0, 0, 1), b, "amax"), [a, b])


@pytest.mark.filterwarnings("ignore:The reduce argument")
@pytest.mark.parametrize("reduce", ["add", "multiply"])
def test_scatter_with_a_reduction_is_pytorch_s(reduce):
    torch = pytest.importorskip("torch")
    for L_src in (lambda L: L.tensor([[2.0, 3.0, 4.0]]), lambda L: 5.0):
        ours, theirs = (L.ones(1, 2).scatter(1, ints(L, [[0, 0, 1]]), L_src(L), reduce=reduce) for L in (tg, torch))
        equal(ours, theirs)


def test_of_an_index_that_repeats_the_last_element_stays_and_has_the_gradient():
    src = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = tg.zeros(2).scatter(0, tg.tensor([0, 0, 1]), src)
    y.sum().backward()
    assert y.tolist() == [2, 3]
    assert src.grad.tolist() == [0, 1, 1]


# Many entries, few and many per row, along every dimension: the ways in which gradients are added up by index.


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(
    ("rows", "count", "width"), [(5, 400, 32), (300, 200, 8), (7, 3000, 1), (70_000, 50, 3), (4, 2000, 40), (40, 90, 9)]
)
def test_gradients_of_rows_read_many_times_add_up(rows, count, width, dtype):
    source = np.random.default_rng(0)
    index = source.integers(-rows, rows, count)
    if dtype == "float16":
        count, index = min(count, 60), index[:60]
    g = source.standard_normal((count, width)).astype(dtype)
    expected = np.zeros((rows, width))
    np.add.at(expected, index, g)
    for transposed in (False, True):
        x = tg.zeros(width, rows, dtype=dtype).t() if transposed else tg.zeros(rows, width, dtype=dtype)
        x.requires_grad_()
        x[tg.tensor(index)].backward(tg.tensor(g))
        np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-2 if dtype == "float16" else 1e-4, atol=1e-2)
    x = tg.zeros(2, rows, width, dtype="float64", requires_grad=True)
    x[:, tg.tensor(index)].backward(tg.tensor(np.stack([g, -g])).double())
    np.testing.assert_allclose(x.grad.numpy(), [expected, -expected], rtol=1e-6, atol=1e-6)


# In place

IN_PLACE = {
    "scatter_": lambda L, x: x.scatter_(1, ints(L, [[0], [2]]), 7.0),
    "scatter_add_": lambda L, x: x.scatter_add_(1, ints(L, [[0, 0], [2, 2]]), L.ones(2, 2)),
    "scatter_reduce_": lambda L, x: x.scatter_reduce_(1, ints(L, [[0, 0], [2, 2]]), L.ones(2, 2) * 2, "amax"),
    "index_add_": lambda L, x: x.index_add_(0, ints(L, 1, 1), L.ones(2, 3), alpha=2),
    "index_copy_": lambda L, x: x.index_copy_(1, ints(L, 2, 0), L.ones(2, 2)),
    "index_fill_": lambda L, x: x.index_fill_(1, ints(L, 2, 0), 5.0),
    "index_put_": lambda L, x: x.index_put_((ints(L, 1, 0),), L.ones(3)),
    "index_put_ added": lambda L, x: x.index_put_((ints(L, 1, 1),), L.ones(3), accumulate=True),
    "masked_fill_": lambda L, x: x.masked_fill_(mask(L, 1, 0, 1), 9.0),
    "masked_scatter_": lambda L, x: x.masked_scatter_(mask(L, 1, 0, 1), L.arange(9.0)),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_methods_are_pytorch_s_and_gradients_follow(name):
    compare_in_place(IN_PLACE[name])


def test_what_comes_in_place_has_its_gradient():
    for name in ("scatter_", "scatter_add_", "index_add_", "index_copy_"):
        src = tg.ones(1, 3, requires_grad=True)
        index = tg.zeros(1, 3, dtype=tg.int64) if name.startswith("scatter") else tg.tensor([1])
        x = tg.zeros(2, 3)
        (getattr(x, name)(0, index, src) * 3).sum().backward()
        assert src.grad.tolist() == [[3, 3, 3]]


# Mistakes

X = tg.zeros(2, 3)
I = tg.tensor([0, 1])  # noqa: E741
MISTAKES = [
    (lambda: X.gather(1, tg.tensor([[3]])), IndexError, "gather: the index holds 3 to 3, and dimension 1 has size 3"),
    (lambda: X.gather(1, tg.tensor([[-1]])), IndexError, "gather: the index holds -1"),
    (lambda: X.gather(0, I), ShapeError, r"gather: an index of shape \(2,\)"),
    (lambda: X.gather(0, I.float()), DtypeError, "gather: the index must hold integers"),
    (lambda: X.index_select(0, tg.tensor([-1])), IndexError, "index_select: the index holds -1"),
    (lambda: X.index_select(0, tg.tensor([[0]])), ShapeError, "index_select: the index must be a vector"),
    (lambda: X.take(tg.tensor([6])), IndexError, "take: the index holds 6"),
    (lambda: X.take(tg.tensor([0.0])), DtypeError, "take: the index must hold integers"),
    (lambda: X.masked_select(X), DtypeError, "masked_select: the mask must hold bools"),
    (lambda: X.take_along_dim(I, 1), ShapeError, "take_along_dim: indices"),
    (lambda: X.scatter(1, tg.tensor([[0]]), tg.zeros(1, 1).double()), DtypeError, "scatter: src must have the input's"),
    (lambda: X.scatter(1, tg.tensor([[0]])), TypeError, "scatter: give either"),
    (lambda: X.scatter(1, tg.tensor([[0]]), 1.0, reduce="max"), ValueError, "scatter: reduce must"),
    (lambda: X.scatter(1, tg.tensor([[0, 0]]), tg.zeros(1, 1)),
        ShapeError, r"scatter: an index .* src of shape \(1, 1\)"),
    (lambda: X.scatter_add(1, tg.tensor([[3]]), tg.zeros(1, 1)), IndexError, "scatter_add: the index holds 3"),
    (lambda: X.scatter_reduce(1, tg.tensor([[0]]), tg.zeros(1, 1), "max"), ValueError, "scatter_reduce: reduce must"),
    (lambda: X.index_add(0, I, tg.zeros(1, 3)), ShapeError, r"index_add: a source of shape \(1, 3\) .* \(2, 3\)"),
    (lambda: X.index_add(0, tg.tensor([-1]), tg.zeros(1, 3)), IndexError, "index_add: the index holds -1"),
    (lambda: X.index_add(0, I, tg.zeros(2, 3).double()), DtypeError, "index_add: source must have"),
    (lambda: X.index_copy(0, tg.tensor([5]), tg.zeros(1, 3)), IndexError, "index_copy: the index holds 5"),
    (lambda: X.index_fill(0, tg.tensor([-3]), 1), IndexError, "index_fill: the index holds -3"),
    (lambda: X.index_fill(0, I, X), ShapeError, "index_fill: the value"),
    (lambda: X.index_put(I, tg.zeros(3)), TypeError, "index_put: indices must be a tuple"),
    (lambda: X.index_put((tg.tensor([4]),), tg.zeros(3), True), IndexError, "does not fit a tensor of shape"),
    (lambda: X.index_put((I,), tg.zeros(4)), ShapeError, r"index_put: a value of shape \(4,\)"),
    (lambda: X.index_put((I,), tg.zeros(3).double()), DtypeError, "index_put: values must have"),
    (lambda: X.masked_scatter(X > -1, tg.zeros(3)), ShapeError, "masked_scatter: the mask holds in 6 places"),
    (lambda: X.masked_scatter(X, tg.zeros(6)), DtypeError, "masked_scatter: the mask"),
    (lambda: tg.zeros(3).masked_scatter_(X > -1, tg.zeros(6)), ShapeError, "masked_scatter_: a mask of shape"),
    (lambda: tg.zeros(3).masked_fill_(X > -1, 1.0), ShapeError, "expand"),
    (lambda: tg.select_scatter(X, tg.zeros(2), 0, 0), ShapeError, r"select_scatter: src of shape \(2,\) .* \(3,\)"),
    (lambda: tg.select_scatter(X, tg.zeros(3), 0, 2), IndexError, "select_scatter: index 2"),
    (lambda: tg.slice_scatter(X, X, step=0), ShapeError, "slice_scatter: the step"),
    (lambda: tg.diagonal_scatter(X, tg.zeros(3)), ShapeError, "diagonal_scatter: src of shape"),
    (lambda: X.scatter_(1, tg.tensor([[7]]), 1.0), IndexError, "scatter_: the index holds 7"),
]  # fmt: skip


test_a_mistake_is_named = mistakes(MISTAKES, X)
