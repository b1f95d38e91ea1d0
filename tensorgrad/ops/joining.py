"""Joining and splitting: `cat` and `stack`, and views of the parts of a tensor. More of both is in `stacking`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from tensorgrad.autograd.graph import TensorBase
from tensorgrad.autograd.op import primitive, view_of
from tensorgrad.backends import cpu
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.index import SLICE
from tensorgrad.ops.shape import broadcast_op


def _cat_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, *inputs: Any, dim: int, sizes: tuple[int, ...]
) -> tuple[Any, ...]:
    parts = split_op(g, dim=dim, sizes=sizes)
    return tuple(part.reshape(x.shape) if wanted else None for wanted, part, x in zip(wants, parts, inputs))


def _whole(g: dict[int, Any], shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """The gradients of all parts, zero for a part that none has reached."""
    if len(g) < len(shapes):
        zero = where(False, next(iter(g.values())), 0.0).sum()
        return [g[i] if i in g else broadcast_op(zero, shape=shape) for i, shape in enumerate(shapes)]
    return [g[i] for i in range(len(shapes))]


def _split_vjp(g: Any, wants: tuple[bool, ...], y: Any, a: Any, dim: int, sizes: tuple[int, ...]) -> tuple[Any, ...]:
    shapes = [(*a.shape[:dim], size, *a.shape[dim + 1 :]) for size in sizes]
    return (cat_op(*_whole(g, shapes), dim=dim, sizes=sizes),)


def _unbind_vjp(g: Any, wants: tuple[bool, ...], y: Any, a: Any, dim: int) -> tuple[Any, ...]:
    shape = (*a.shape[:dim], *a.shape[dim + 1 :])
    return (stack_op(*_whole(g, [shape] * a.shape[dim]), dim=dim),)


def _stack_vjp(g: Any, wants: tuple[bool, ...], y: Any, *inputs: Any, dim: int) -> tuple[Any, ...]:
    return tuple(part if wanted else None for wanted, part in zip(wants, unbind_op(g, dim=dim)))


# Each slice by itself would be as many gradients of the whole tensor's size, and each tensor to stack one more op.
cat_op = primitive("cat", cpu.cat, joint=_cat_vjp, inputs="promote")
stack_op: Callable[..., Any] = primitive("stack", cpu.stack, joint=_stack_vjp, inputs="promote")
split_op: Callable[..., Any] = primitive("split", cpu.split, joint=_split_vjp)
unbind_op: Callable[..., Any] = primitive("unbind", cpu.unbind, joint=_unbind_vjp)


def _as_views(input: Any, parts: tuple[Any, ...], indices: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The outputs of an op that takes a tensor apart, each known as the view that its index gives."""
    if isinstance(input, TensorBase):
        for part, index in zip(parts, indices):
            part._node = view_of(input, SLICE, {"index": index}, part._node)
    return parts


def sequence(name: str, tensors: Any, dim: Any = 0) -> tuple[Any, ...]:
    """The tensors to join. Raises `ShapeError` where there are none, `DtypeError` for what is not a tensor."""
    if isinstance(dim, TensorBase):
        raise TypeError(f"{name}: the tensors to join are one argument: {name}((a, b))")
    if isinstance(tensors, TensorBase) and not tensors._data.ndim:
        raise ShapeError(f"{name}: it joins a list of tensors, {name}([a, b]), and was given one of no dimensions")
    tensors = tuple(tensors)
    if not tensors:
        raise ShapeError(f"{name}: there are no tensors to join")
    for i, x in enumerate(tensors):
        if not hasattr(x, "ndim"):
            raise DtypeError(f"{name}: it joins a list of tensors, and number {i} is of type {type(x).__name__}")
    return tensors


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors joined along a dimension that they have. Other sizes must agree; dtypes promote.

    A tensor of shape (0,) counts for its dtype only. Raises `ShapeError` where sizes do not agree, or where there is
    nothing to join.

    >>> import tensorgrad as tg
    >>> tg.cat([tg.zeros(2, 1), tg.ones(2, 2)], dim=1)
    tensor([[0., 1., 1.],
            [0., 1., 1.]])
    """
    tensors = sequence("cat", tensors, dim)
    shapes = [tuple(x.shape) for x in tensors]
    ndim = max(map(len, shapes))
    d = 0 if all(shape == (0,) for shape in shapes) else one_dim("cat", dim, ndim)
    try:
        return cat_op(*tensors, dim=d, sizes=tuple([shape[d] if len(shape) == ndim > 0 else 0 for shape in shapes]))
    except ShapeError:
        raise ShapeError(
            f"cat: tensors must agree in all dimensions but {d}, and have one at least; they have shapes "
            f"{_shapes(tensors)}"
        ) from None


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape joined along a new dimension; dtypes promote. Raises `ShapeError` where the shapes differ.

    >>> import tensorgrad as tg
    >>> tg.stack([tg.zeros(2), tg.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    tensors = sequence("stack", tensors, dim)
    d = one_dim("stack", dim, tensors[0].ndim + 1)
    try:
        return stack_op(*tensors, dim=d)
    except ShapeError:
        raise ShapeError(f"stack: tensors must have one shape; they have {_shapes(tensors)}") from None


def _shapes(tensors: Sequence[Any]) -> str:
    """Shapes as an error message names them: each once."""
    return ", ".join(str(shape) for shape in dict.fromkeys(tuple(x.shape) for x in tensors))


def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Views of chunks of a size (the last may be smaller), or of the sizes given.

    Raises `ShapeError` where the sizes do not add up, or for a tensor of no dimensions.

    >>> import tensorgrad as tg
    >>> tg.split(tg.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    d = one_dim("split", dim, some_dims("split", tensor))
    size = tensor.shape[d]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size):
            raise ShapeError(f"split: the size of a chunk must be positive, not {step}")
        sizes = [min(step, size - start) for start in range(0, size, step)] if size else [0]
    else:
        sizes = [operator.index(n) for n in split_size_or_sections]
        if sum(sizes) != size or any(n < 0 for n in sizes):
            raise ShapeError(f"split: sizes {sizes} must add up to {size}, the size of dimension {d}")
    return split_at(tensor, d, sizes)


def split_at(tensor: Any, dim: int, sizes: Sequence[int]) -> tuple[Any, ...]:
    """Views of the consecutive parts of a dimension that have these sizes, which add up."""
    before = (slice(None),) * dim
    stops = list(accumulate(sizes))
    indices = [(*before, slice(stop - size, stop)) for size, stop in zip(sizes, stops)]
    return _as_views(tensor, split_op(tensor, dim=dim, sizes=tuple(sizes)), indices) if indices else ()


def some_dims(name: str, input: Any) -> int:
    """The number of dimensions, of which a function needs one at least."""
    if not rank(name, input):
        raise ShapeError(f"{name}: it needs a tensor of one dimension or more, and this has none")
    return input.ndim


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Views of at most `chunks` parts, of one size but for the last.

    >>> import tensorgrad as tg
    >>> tg.chunk(tg.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if chunks < 1:
        raise ShapeError(f"chunk: chunks must be 1 or more, not {chunks}")
    d = one_dim("chunk", dim, some_dims("chunk", input))
    if not input.shape[d]:
        return split_at(input, d, [0] * chunks)
    return split(input, -(-input.shape[d] // chunks), d)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of each index of a dimension. Raises `ShapeError` for a tensor of no dimensions.

    >>> import tensorgrad as tg
    >>> tg.unbind(tg.eye(2))
    (tensor([1., 0.]), tensor([0., 1.]))
    """
    d = one_dim("unbind", dim, some_dims("unbind", input))
    indices = [(*(slice(None),) * d, i) for i in range(input.shape[d])]
    return _as_views(input, unbind_op(input, dim=d), indices) if indices else ()
