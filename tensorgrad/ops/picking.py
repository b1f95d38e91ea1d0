"""Rarer ways to read by index or mask."""

from __future__ import annotations

from typing import Any

from tensorgrad.backends.cpu import Slot
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.gathering import check_range, gather, nonzero
from tensorgrad.ops.index import index_op
from tensorgrad.ops.layout import broadcast_shapes
from tensorgrad.ops.shape import broadcast_op, ravel


def argwhere(input: Any) -> Any:
    """The int64 indices of the nonzero elements, a row each.

    >>> import tensorgrad as tg
    >>> tg.argwhere(tg.tensor([[0.0, 3.0]]))
    tensor([[0, 1]])
    """
    return nonzero(input)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask (bool, broadcasting) holds, in one dimension.

    Raises `DtypeError` for a mask of numbers, `ShapeError` where the shapes do not broadcast.

    >>> import tensorgrad as tg
    >>> tg.masked_select(tg.tensor([1.0, 2.0]), tg.tensor([False, True]))
    tensor([2.])
    """
    if mask.dtype.kind != "b":
        raise DtypeError(f"masked_select: the mask must hold bools, not {mask.dtype.name}")
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    return index_op(broadcast_op(input, shape=shape), broadcast_op(mask, shape=shape), template=(Slot(0),))


def take(input: Any, index: Any) -> Any:
    """The elements that integers name among all, in order, in the shape of the index; negative ones count from the end.

    Raises `IndexError` where there is no such element, `DtypeError` for an index that is not of integers.

    >>> import tensorgrad as tg
    >>> tg.take(tg.tensor([[1, 2], [3, 4]]), tg.tensor([0, -1]))
    tensor([1, 4])
    """
    if index.dtype.kind not in "iu":
        raise DtypeError(f"take: the index must hold integers, not {index.dtype.name}; convert with .long()")
    size = input.numel()
    check_range("take", index._data, "the tensor made flat", size, -size)
    return index_op(ravel(input), index, template=(Slot(0),))


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather` where the other dimensions of input and index broadcast; without `dim`, from all elements in one row.

    Raises `ShapeError` where they do not broadcast, and where the numbers of dimensions differ.

    >>> import tensorgrad as tg
    >>> tg.take_along_dim(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([[1]]), 1)
    tensor([[2.],
            [4.]])
    """
    if dim is None:
        return take_along_dim(ravel(input), ravel(indices), 0)
    d = one_dim("take_along_dim", dim, rank("take_along_dim", input))
    if indices.ndim != input.ndim:
        raise ShapeError(
            f"take_along_dim: indices of shape {tuple(indices.shape)} must have as many dimensions as input of shape "
            f"{tuple(input.shape)}"
        )
    if not input.ndim:
        return gather(input, 0, indices)
    shape = list(broadcast_shapes(_without(input.shape, d), _without(indices.shape, d)))
    shape[d] = input.shape[d]
    indices = where(indices < 0, indices + input.shape[d], indices)  # here they count from the end, unlike in gather
    wide = (*shape[:d], indices.shape[d], *shape[d + 1 :])
    return gather(broadcast_op(input, shape=tuple(shape)), d, broadcast_op(indices, shape=wide))


def _without(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return (*shape[:dim], 1, *shape[dim + 1 :])
