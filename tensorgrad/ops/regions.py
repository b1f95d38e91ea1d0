"""A tensor with another put into a region of it: an index, a slice or a diagonal, out of place."""

from __future__ import annotations

import operator
from typing import Any

from tensorgrad.autograd.op import Op
from tensorgrad.errors import ShapeError
from tensorgrad.ops.choose import cast
from tensorgrad.ops.diagonals import DIAGONAL, two_dims
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.index import SLICE, put_view_op
from tensorgrad.ops.joining import some_dims


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """`input` with `src` at one index of a dimension. Raises `IndexError` where that is not there, `ShapeError` where
    `src` does not have the shape of `input.select(dim, index)`.

    >>> import tensorgrad as tg
    >>> tg.select_scatter(tg.zeros(2, 2), tg.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    d = one_dim("select_scatter", dim, some_dims("select_scatter", input))
    size, at = input.shape[d], operator.index(index)
    if not -size <= at < size:
        raise IndexError(f"select_scatter: index {at} is out of range for dimension {d} of size {size}")
    return _put("select_scatter", input, src, SLICE, {"index": (slice(None),) * d + (at,)})


def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """`input` with `src` in a slice of a dimension. Raises `ShapeError` where `src` does not have the slice's shape.

    >>> import tensorgrad as tg
    >>> tg.slice_scatter(tg.zeros(4), tg.ones(2), 0, 0, None, 2)
    tensor([1., 0., 1., 0.])
    """
    d = one_dim("slice_scatter", dim, some_dims("slice_scatter", input))
    if step < 1:
        raise ShapeError(f"slice_scatter: the step must be 1 or more, not {step}")
    return _put("slice_scatter", input, src, SLICE, {"index": (slice(None),) * d + (slice(start, end, step),)})


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """`input` with `src` on the diagonals of two dimensions. Raises `ShapeError` where `src` does not have the shape of
    `input.diagonal(offset, dim1, dim2)`.

    >>> import tensorgrad as tg
    >>> tg.diagonal_scatter(tg.zeros(2, 2), tg.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    d1, d2 = two_dims("diagonal_scatter", dim1, dim2, rank("diagonal_scatter", input))
    return _put("diagonal_scatter", input, src, DIAGONAL, {"offset": offset, "dim1": d1, "dim2": d2})


def _put(name: str, input: Any, src: Any, op: Op, attrs: dict[str, Any]) -> Any:
    shape = op.kernel(input._data, **attrs).shape
    if tuple(src.shape) != shape:
        raise ShapeError(f"{name}: src of shape {tuple(src.shape)} must have the shape of the region, {shape}")
    return put_view_op(input, cast(src, input.dtype) if src.dtype != input.dtype else src, steps=((op, attrs),))
