"""Sorting, and what is found by order: the largest few, medians, the k-th smallest, the most frequent."""

from __future__ import annotations

import operator
from typing import Any

from tensorgrad import return_types
from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import sorting as cpu
from tensorgrad.backends.dtypes import refuse_bools
from tensorgrad.errors import ShapeError
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.gathering import gather_op
from tensorgrad.ops.reduce import even_vjp, some_of, taken

argsort_op = primitive("argsort", cpu.argsort)
topk_op = primitive("topk", cpu.topk)
nth_index_op = primitive("nth_index", cpu.nth_index)
median_index_op = primitive("median_index", cpu.median_index)
mode_index_op = primitive("mode_index", cpu.mode_index)
median_op = primitive("median", cpu.median, even_vjp, keep="ya")
nanmedian_op = primitive("nanmedian", cpu.nanmedian, even_vjp, keep="ya")


def _row(input: Any) -> Any:
    """A tensor of no dimensions as one of one element: it sorts as that."""
    return input if input.ndim else input.reshape(1)


def argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Any:
    """The int64 indices that sort along `dim`; NaN counts as the largest. The sort is always stable.

    >>> import tensorgrad as tg
    >>> tg.argsort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    d = one_dim("argsort", dim, rank("argsort", input))
    return argsort_op(_row(input), dim=d, descending=bool(descending)).reshape(tuple(input.shape))


def sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = True) -> Any:
    """The elements sorted along `dim`, and their indices, as `(values, indices)`; NaN counts as the largest.

    The sort is always stable.

    >>> import tensorgrad as tg
    >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]), descending=True).values
    tensor([3., 2., 1.])
    """
    d = one_dim("sort", dim, rank("sort", input))
    order = argsort(input, d, descending)
    return return_types.sort(gather_op(input, order, dim=d) if input.ndim else input * 1, order)


def msort(input: Any) -> Any:
    """The elements sorted along the first dimension.

    >>> import tensorgrad as tg
    >>> tg.msort(tg.tensor([[3, 1], [2, 5]]))
    tensor([[2, 1],
            [3, 5]])
    """
    return sort(input, 0).values


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along `dim`, and their indices, as `(values, indices)`.

    They are in order whether `sorted` asks for it or not; of equal elements the first are taken. Raises `ShapeError`
    where the dimension has fewer than `k` elements, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.topk(tg.tensor([1.0, 4.0, 3.0]), 2).values
    tensor([4., 3.])
    """
    d = one_dim("topk", dim, rank("topk", input))
    refuse_bools("topk", input)
    k = _whole("topk", k)
    x = _row(input)
    if not 0 <= k <= x.shape[d]:
        raise ShapeError(f"topk: k = {k} is out of range for dimension {d} of size {x.shape[d]}")
    if not input.ndim:  # whatever k is, as in PyTorch
        return taken(return_types.topk, input, d, argsort(input), True)
    index = topk_op(x, k=k, dim=d, largest=bool(largest))
    return return_types.topk(gather_op(x, index, dim=d), index)


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The `k`-th smallest element along `dim` (counted from 1), and its index, as `(values, indices)`.

    Raises `ShapeError` where the dimension has fewer than `k` elements, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.kthvalue(tg.tensor([5.0, 1.0, 3.0]), 2).values
    tensor(3.)
    """
    d = one_dim("kthvalue", dim, rank("kthvalue", input))
    refuse_bools("kthvalue", input)
    x = _row(input)
    k = _whole("kthvalue", k)
    if not 1 <= k <= x.shape[d]:
        raise ShapeError(f"kthvalue: k = {k} is out of range for dimension {d} of size {x.shape[d]}; it counts from 1")
    return taken(return_types.kthvalue, input, d, nth_index_op(x, dim=d, k=k - 1), keepdim)


def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of all elements; along `dim` also its index, as `(values, indices)`.

    Of an even number of elements it is the lower of the two in the middle. It is NaN where there is one. Raises
    `ShapeError` over an empty dimension, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.median(tg.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    return _median(return_types.median, median_op, input, dim, keepdim, skip=False)


def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """`median` of the elements that are not NaN; NaN only where all are.

    >>> import tensorgrad as tg
    >>> tg.nanmedian(tg.tensor([4.0, float("nan"), 3.0]))
    tensor(3.)
    """
    return _median(return_types.nanmedian, nanmedian_op, input, dim, keepdim, skip=True)


def _median(kind: Any, whole: Any, input: Any, dim: int | None, keepdim: bool, skip: bool) -> Any:
    """The median of all elements, or along a dimension with its index; if `skip`, of those that are not NaN."""
    name = kind.__name__
    ndim = rank(name, input)
    refuse_bools(name, input)
    if dim is None:
        if input.dtype.kind != "f":
            some_of(name, input, tuple(range(ndim)))
        return whole(input, dim=tuple(range(ndim)), keepdim=False)
    d = one_dim(name, dim, ndim)
    some_of(name, input, (d,) if ndim else ())
    index = median_index_op(_row(input), dim=d, skip=skip)
    return taken(kind, input, d, index, keepdim)


def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along `dim`, and the last index where it is, as `(values, indices)`.

    Of equally frequent ones it is the smallest. Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.mode(tg.tensor([3, 1, 3, 2])).values
    tensor(3)
    """
    d = one_dim("mode", dim, rank("mode", input))
    some_of("mode", input, (d,) if input.ndim else ())
    return taken(return_types.mode, input, d, mode_index_op(_row(input), dim=d), keepdim)


def _whole(name: str, k: Any) -> int:
    try:
        return operator.index(k)
    except TypeError:
        raise TypeError(f"{name}: k must be an int, not {type(k).__name__}") from None
