"""Padding as a function."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tensorgrad import creation, ops
from tensorgrad.errors import ShapeError
from tensorgrad.ops.index import put_op, unindex_op
from tensorgrad.tensor import Tensor

MODES = ("constant", "reflect", "replicate", "circular")


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """The input with elements put before and after its last dimensions.

    `pad` has two sizes per dimension, beginning with the last one: (left, right, top, bottom, ...); a negative size
    takes elements away. What is put there is `value` (0) in mode "constant", the elements mirrored at the edge in
    "reflect", the edge in "replicate", the elements of the other side in "circular". Raises `ShapeError` for a size
    that the input is too small for, `ValueError` for another mode.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.pad(tg.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    >>> tg.nn.functional.pad(tg.tensor([[1.0, 2.0, 3.0]]), (2, 0), mode="reflect")
    tensor([[3., 2., 1., 2., 3.]])
    """
    if mode not in MODES:
        raise ValueError(f"pad: mode must be one of {', '.join(map(repr, MODES))}, not {mode!r}")
    try:
        sizes = tuple(operator.index(n) for n in pad)
    except TypeError:
        raise TypeError(f"pad: the sizes must be a sequence of ints, not {pad!r}") from None
    ndim = input.ndim
    if len(sizes) % 2 or len(sizes) > 2 * ndim:
        raise ShapeError(
            f"pad: {sizes} must be pairs, one for each of the last dimensions of an input of shape {input.shape}"
        )
    sides = [(ndim - 1 - i, sizes[2 * i], sizes[2 * i + 1]) for i in range(len(sizes) // 2)]  # (dim, before, after)
    for dim, before, after in sides:
        taken = max(-before, 0) + max(-after, 0)
        if taken > input.shape[dim]:
            raise ShapeError(f"pad: {sizes} takes {taken} elements from dimension {dim} of shape {input.shape}")
        if taken:
            input = input.narrow(dim, max(-before, 0), input.shape[dim] - taken)
    if mode == "constant":
        return _constant(input, sides, 0 if value is None else value)
    if value is not None:
        raise ValueError(f"pad: value is for mode 'constant' only, and mode is {mode!r}")
    if ndim not in (len(sides) + 1, len(sides) + 2):
        raise ShapeError(
            f"pad: mode {mode!r} pads all dimensions but a channel, and perhaps a batch, and {sizes} has "
            f"{len(sides)} pairs for an input of shape {input.shape}"
        )
    for dim, before, after in sides:
        input = _from_itself(input, dim, max(before, 0), max(after, 0), mode)
    return input


def _constant(input: Tensor, sides: list[tuple[int, int, int]], value: float) -> Any:
    shape, place = list(input.shape), [slice(None)] * input.ndim
    for dim, before, after in sides:
        shape[dim] += max(before, 0) + max(after, 0)
        place[dim] = slice(max(before, 0), max(before, 0) + input.shape[dim])
    if tuple(shape) == input.shape:
        return input.clone()
    if not value:
        return unindex_op(input, template=tuple(place), shape=tuple(shape))
    return put_op(creation.full(shape, value, dtype=input.dtype), input, template=tuple(place))


def _from_itself(input: Tensor, dim: int, before: int, after: int, mode: str) -> Any:
    """One dimension padded with the input's own elements: parts of it, joined."""
    size = input.shape[dim]
    most = {"reflect": size - 1, "circular": size, "replicate": max(before, after) if size else 0}[mode]
    if max(before, after) > most:
        raise ShapeError(
            f"pad: mode {mode!r} can put at most {most} elements at either side of dimension {dim} of an input of "
            f"shape {input.shape}, not {before} and {after}"
        )
    if mode == "circular":
        left, right = input.narrow(dim, size - before, before), input.narrow(dim, 0, after)
    elif mode == "reflect":
        left = input.narrow(dim, 1, before).flip(dim)
        right = input.narrow(dim, size - 1 - after, after).flip(dim)
    else:
        shape = (*input.shape[:dim], -1, *input.shape[dim + 1 :])
        left, right = (
            input.narrow(dim, edge, 1).expand(*(count if n == -1 else n for n in shape))
            for edge, count in ((0, before), (size - 1, after))
        )
    return ops.cat([part for part, count in ((left, before), (input, 1), (right, after)) if count], dim)
