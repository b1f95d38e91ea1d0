"""The same elements in another order, or several times: rolled, turned, repeated."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.cpu import indices
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import clone, clone_op
from tensorgrad.ops.dims import flat, one_dim, rank
from tensorgrad.ops.gathering import index_select
from tensorgrad.ops.shape import broadcast_op, flip, ravel, reshape, transpose, unsqueeze

roll_op: Callable[..., Any] = primitive(
    "roll", cpu.roll, lambda g, y, a, shifts, dims: roll_op(g, shifts=tuple(-s for s in shifts), dims=dims)
)


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """A copy with the elements moved along `dims` by `shifts`, those that leave coming in at the other end.

    Without `dims`, the elements are rolled as if in one dimension.

    >>> import tensorgrad as tg
    >>> tg.roll(tg.arange(4), 1, 0)
    tensor([3, 0, 1, 2])
    """
    shifts = tuple(operator.index(s) for s in flat((shifts,)))
    if dims is None or dims == ():
        if len(shifts) != 1:
            raise ShapeError(f"roll: {len(shifts)} shifts without dims; give a dimension for each")
        return reshape(roll_op(ravel(input), shifts=shifts, dims=(0,)), tuple(input.shape))
    dims = tuple(one_dim("roll", d, rank("roll", input)) for d in flat((dims,)))
    if len(shifts) != len(dims):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(dims)} dims; give one for each")
    return roll_op(input, shifts=shifts, dims=dims) if input.ndim else clone(input)


def fliplr(input: Any) -> Any:
    """A copy with the order of the columns reversed. Raises `ShapeError` for fewer than two dimensions.

    >>> import tensorgrad as tg
    >>> tg.fliplr(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if rank("fliplr", input) < 2:
        raise ShapeError(f"fliplr: it takes two dimensions or more, got shape {tuple(input.shape)}")
    return flip(input, 1)


def flipud(input: Any) -> Any:
    """A copy with the order of the rows reversed. Raises `ShapeError` for a tensor of no dimensions.

    >>> import tensorgrad as tg
    >>> tg.flipud(tg.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if not rank("flipud", input):
        raise ShapeError("flipud: it takes one dimension or more, and this tensor has none")
    return flip(input, 0)


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """A copy turned `k` times by 90 degrees in the plane of two dimensions, from the first towards the second.

    Raises `ShapeError` unless `dims` are two that differ.

    >>> import tensorgrad as tg
    >>> tg.rot90(tg.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    ndim = rank("rot90", input)
    if ndim < 2 or len(dims) != 2:
        raise ShapeError(f"rot90: it turns in two dims of a tensor of two or more; got {dims} for {tuple(input.shape)}")
    a, b = (one_dim("rot90", d, ndim) for d in dims)
    if a == b:
        raise ShapeError(f"rot90: dims {tuple(dims)} are the same, and must differ")
    if k % 2:
        return transpose(flip(input, b if k % 4 == 1 else a), a, b)
    return flip(input, (a, b)) if k % 4 else clone(input)


def repeat(input: Any, *repeats: Any) -> Any:
    """The tensor repeated along each dimension, as a copy; new dimensions come first.

    Raises `ShapeError` for fewer numbers than dimensions, or a negative one.

    >>> import tensorgrad as tg
    >>> tg.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = tuple(operator.index(n) for n in flat(repeats))
    if len(times) < rank("repeat", input) or any(n < 0 for n in times):
        raise ShapeError(
            f"repeat: {times} must have a number, 0 or more, for each dimension of shape {tuple(input.shape)}"
        )
    shape = (1,) * (len(times) - input.ndim) + tuple(input.shape)
    apart = tuple(n for size in shape for n in (1, size))
    stretched = tuple(n for time, size in zip(times, shape) for n in (time, size))
    whole = tuple(time * size for time, size in zip(times, shape))
    return reshape(clone_op(broadcast_op(reshape(input, apart), shape=stretched), order="C"), whole)


def tile(input: Any, *times: Any, dims: Any = None) -> Any:
    """`repeat` where missing numbers, for the first dimensions, are 1.

    >>> import tensorgrad as tg
    >>> tg.tile(tg.tensor([[1, 2], [3, 4]]), (2,))
    tensor([[1, 2, 1, 2],
            [3, 4, 3, 4]])
    """
    times = flat(times, dims)
    return repeat(input, (1,) * (rank("tile", input) - len(times)) + times)


repeats_op = primitive("repeats", indices.repeats)


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each entry of a dimension repeated in its place, a number of times or as many as a vector says for each.

    Without `dim`, each element in one row; of `repeats` alone, the indices that would do it. `output_size`, if given,
    must be the size that results. Raises `ShapeError` where the numbers do not fit, or are negative.

    >>> import tensorgrad as tg
    >>> tg.repeat_interleave(tg.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    >>> tg.repeat_interleave(tg.tensor([[1, 2], [3, 4]]), tg.tensor([1, 2]), dim=0)
    tensor([[1, 2],
            [3, 4],
            [3, 4]])
    """
    if repeats is None:
        if rank("repeat_interleave", input) != 1:
            raise ShapeError(f"repeat_interleave: repeats must be a vector, got shape {tuple(input.shape)}")
        return _repeated_indices(input, output_size)
    if dim is None:
        input, dim = ravel(input), 0
    elif not rank("repeat_interleave", input):
        input = reshape(input, (1,))
    d = one_dim("repeat_interleave", dim, input.ndim)
    shape = tuple(input.shape)
    if hasattr(repeats, "ndim") and repeats.ndim < 2 and repeats.shape in ((), (1,)):
        _check_repeats(repeats)
        repeats = int(repeats if not repeats.ndim else repeats[0])
    if not hasattr(repeats, "ndim"):
        times = operator.index(repeats)
        if times < 0:
            raise ShapeError(f"repeat_interleave: repeats must be 0 or more, not {times}")
        _check_size(times * shape[d], output_size)
        wide = broadcast_op(unsqueeze(input, d + 1), shape=(*shape[: d + 1], times, *shape[d + 1 :]))
        return reshape(clone_op(wide, order="C"), (*shape[:d], times * shape[d], *shape[d + 1 :]))
    if repeats.shape != shape[d : d + 1]:
        raise ShapeError(
            f"repeat_interleave: repeats of shape {tuple(repeats.shape)} must be a number for each of the {shape[d]} "
            f"entries of dimension {d}"
        )
    return index_select(input, d, _repeated_indices(repeats, output_size))


def _check_repeats(repeats: Any) -> None:
    if repeats.dtype.kind not in "iu":
        raise DtypeError(f"repeat_interleave: repeats must be integers, not {repeats.dtype.name}")


def _check_size(size: int, output_size: int | None) -> None:
    if output_size is not None and output_size != size:
        raise ShapeError(f"repeat_interleave: output_size is {output_size}, and the result has {size}")


def _repeated_indices(repeats: Any, output_size: int | None) -> Any:
    _check_repeats(repeats)
    if repeats.numel() and int(repeats.min()) < 0:
        raise ShapeError(f"repeat_interleave: repeats must be 0 or more, and the least is {int(repeats.min())}")
    index = repeats_op(repeats)
    _check_size(index.shape[0], output_size)
    return index
