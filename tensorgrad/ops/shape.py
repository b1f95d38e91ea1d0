"""Shapes: views that move no data, joining and splitting, flipping and repeating.

The views share memory with their input, as PyTorch's do; `reshape`, `flatten` and `ravel` where the strides allow it.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import promote_types
from tensorgrad.errors import ShapeError
from tensorgrad.ops.choose import cast
from tensorgrad.ops.dims import flat, many_dims, one_dim, rank
from tensorgrad.ops.index import slice_op

reshape_op = primitive("reshape", cpu.reshape, lambda g, y, a, shape: g.reshape(a.shape), view=True)
permute_op: Callable[..., Any] = primitive(
    "permute",
    cpu.permute,
    lambda g, y, a, dims: permute_op(g, dims=tuple(dims.index(i) for i in range(len(dims)))),
    view=True,
)
# The walk sums a gradient to the input's shape: that undoes the broadcasting.
broadcast_op = primitive("broadcast_to", cpu.broadcast_to, lambda g, y, a, shape: g, view=True)


def resolve_shape(name: str, sizes: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes with at most one -1, which stands for what is left. Raises `ShapeError` where the elements do not fit."""
    total = math.prod(shape)
    try:
        sizes = tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise TypeError(f"{name}: sizes must be ints, got {sizes}") from None
    known = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or any(size < -1 for size in sizes):
        raise ShapeError(f"{name}: shape {sizes} may hold one -1, and otherwise sizes of 0 or more")
    if -1 in sizes:
        if not known:
            raise ShapeError(f"{name}: -1 in {sizes} is ambiguous beside a size of 0; write the size out")
        if total % known == 0:
            return tuple(total // known if size == -1 else size for size in sizes)
    elif known == total:
        return sizes
    raise ShapeError(f"{name}: a tensor of shape {tuple(shape)} has {total} elements, which do not fit {sizes}")


def reshape(input: Any, *shape: Any) -> Any:
    """The elements in another shape; one size may be -1. A view where the strides allow it, otherwise a copy.

    Raises `ShapeError` where the number of elements differs.

    >>> import tensorgrad as tg
    >>> tg.reshape(tg.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return reshape_op(input, shape=resolve_shape("reshape", flat(shape), input.shape))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim` made into one.

    >>> import tensorgrad as tg
    >>> tg.flatten(tg.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    if not input.ndim:
        return reshape(input, (1,))
    start, end = (
        one_dim("flatten", start_dim, rank("flatten", input)),
        one_dim("flatten", end_dim, rank("flatten", input)),
    )
    if start > end:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    shape = tuple(input.shape)
    return reshape_op(input, shape=(*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension made into several; one of `sizes` may be -1.

    >>> import tensorgrad as tg
    >>> tg.unflatten(tg.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    d = one_dim("unflatten", dim, rank("unflatten", input))
    shape = tuple(input.shape)
    sizes = resolve_shape("unflatten", tuple(sizes), (shape[d],))
    return reshape_op(input, shape=(*shape[:d], *sizes, *shape[d + 1 :]))


def ravel(input: Any) -> Any:
    """The elements in one dimension.

    >>> import tensorgrad as tg
    >>> tg.ravel(tg.zeros(2, 3)).shape
    (6,)
    """
    return reshape_op(input, shape=(math.prod(input.shape),))


def permute(input: Any, *dims: Any) -> Any:
    """A view with the dimensions in another order. Raises `ShapeError` unless `dims` names each one once.

    >>> import tensorgrad as tg
    >>> tg.permute(tg.zeros(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    given = flat(dims)
    order = tuple(one_dim("permute", d, rank("permute", input)) for d in given)
    if sorted(order) != list(range(input.ndim)):
        raise ShapeError(f"permute: {given} must name each of the {input.ndim} dimensions of the tensor once")
    return permute_op(input, dims=order)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """A view with two dimensions swapped.

    >>> import tensorgrad as tg
    >>> tg.transpose(tg.zeros(2, 3), 0, 1).shape
    (3, 2)
    """
    a, b = one_dim("transpose", dim0, rank("transpose", input)), one_dim("transpose", dim1, rank("transpose", input))
    order = list(range(input.ndim))
    if order:
        order[a], order[b] = b, a
    return permute_op(input, dims=tuple(order))


def t(input: Any) -> Any:
    """The transpose of a matrix; a vector or a scalar as it is. Raises `ShapeError` for more than two dimensions.

    >>> import tensorgrad as tg
    >>> tg.t(tg.zeros(2, 3)).shape
    (3, 2)
    """
    if input.ndim > 2:
        raise ShapeError(f"t: it takes at most two dimensions, got shape {tuple(input.shape)}; use transpose(a, b)")
    return permute_op(input, dims=tuple(reversed(range(input.ndim))))


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """A view with the dimensions of `source` moved to `destination`, the others kept in order.

    >>> import tensorgrad as tg
    >>> tg.movedim(tg.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    source = [one_dim("movedim", d, rank("movedim", input)) for d in flat((source,))]
    destination = [one_dim("movedim", d, rank("movedim", input)) for d in flat((destination,))]
    if len(source) != len(destination) or len(set(source)) < len(source) or len(set(destination)) < len(destination):
        raise ShapeError(f"movedim: source {source} and destination {destination} must pair up, each named once")
    order = [d for d in range(input.ndim) if d not in source]
    if not input.ndim:
        source = destination = []
    for at, d in sorted(zip(destination, source)):
        order.insert(at, d)
    return permute_op(input, dims=tuple(order))


def squeeze(input: Any, dim: Any = None) -> Any:
    """A view without the dimensions of size 1 (those in `dim`, or all).

    >>> import tensorgrad as tg
    >>> tg.squeeze(tg.zeros(1, 3, 1)).shape
    (3,)
    """
    dims = many_dims("squeeze", dim, rank("squeeze", input))
    return reshape_op(input, shape=tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims))


def unsqueeze(input: Any, dim: int) -> Any:
    """A view with a dimension of size 1 put in at `dim`.

    >>> import tensorgrad as tg
    >>> tg.unsqueeze(tg.zeros(3), -1).shape
    (3, 1)
    """
    d = one_dim("unsqueeze", dim, input.ndim + 1)
    shape = tuple(input.shape)
    return reshape_op(input, shape=(*shape[:d], 1, *shape[d:]))


def broadcast_to(input: Any, shape: Sequence[int]) -> Any:
    """A read-only view stretched to `shape`: dimensions of size 1, and new leading ones, repeat their elements.

    Raises `ShapeError` where the shape does not broadcast.

    >>> import tensorgrad as tg
    >>> tg.broadcast_to(tg.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return broadcast_op(input, shape=tuple(shape))


def expand(input: Any, *sizes: Any) -> Any:
    """`broadcast_to`, where -1 keeps a dimension as it is.

    >>> import tensorgrad as tg
    >>> tg.zeros(3, 1).expand(-1, 4).shape
    (3, 4)
    """
    given = flat(sizes)
    lead = len(given) - input.ndim
    if lead < 0 or -1 in given[:lead]:
        raise ShapeError(f"expand: sizes {given} do not fit shape {tuple(input.shape)}")
    shape = tuple(input.shape[i - lead] if n == -1 else n for i, n in enumerate(given))
    for i, n in enumerate(input.shape):
        if n not in (1, shape[i + lead]):
            raise ShapeError(f"expand: shape {tuple(input.shape)} cannot be expanded to {given}: {n} is not 1")
    return broadcast_op(input, shape=shape)


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of the last two dimensions; the rest 0.

    >>> import tensorgrad as tg
    >>> tg.tril(tg.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle("tril", input, diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of the last two dimensions; the rest 0.

    >>> import tensorgrad as tg
    >>> tg.triu(tg.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return _triangle("triu", input, diagonal)


tril_op: Callable[..., Any] = primitive("tril", cpu.tril, lambda g, y, a, diagonal: tril_op(g, diagonal=diagonal))
triu_op: Callable[..., Any] = primitive("triu", cpu.triu, lambda g, y, a, diagonal: triu_op(g, diagonal=diagonal))


def _triangle(name: str, input: Any, diagonal: int) -> Any:
    if input.ndim < 2:
        raise ShapeError(f"{name}: it takes two dimensions or more, got shape {tuple(input.shape)}")
    return (tril_op if name == "tril" else triu_op)(input, diagonal=diagonal)


diagonal_op = primitive(
    "diagonal",
    cpu.diagonal,
    lambda g, y, a, offset, dim1, dim2: undiagonal_op(g, shape=tuple(a.shape), offset=offset, dim1=dim1, dim2=dim2),
    view=True,
)
undiagonal_op: Callable[..., Any] = primitive(
    "undiagonal",
    cpu.undiagonal,
    lambda g, y, a, shape, offset, dim1, dim2: diagonal_op(g, offset=offset, dim1=dim1, dim2=dim2),
)


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A view of the diagonals of two dimensions, as a new last dimension.

    >>> import tensorgrad as tg
    >>> tg.diagonal(tg.eye(3))
    tensor([1., 1., 1.])
    """
    d1, d2 = one_dim("diagonal", dim1, rank("diagonal", input)), one_dim("diagonal", dim2, rank("diagonal", input))
    if d1 == d2:
        raise ShapeError(f"diagonal: dim1 and dim2 are both {d1}, and must differ")
    return diagonal_op(input, offset=offset, dim1=d1, dim2=d2)


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix. Raises `ShapeError` unless there are two dimensions.

    >>> import tensorgrad as tg
    >>> tg.trace(tg.eye(3))
    tensor(3.)
    """
    if input.ndim != 2:
        raise ShapeError(f"trace: it takes a matrix, got shape {tuple(input.shape)}")
    return diagonal(input).sum()


# Joining and splitting


def _cat_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, *inputs: Any, dim: int, sizes: tuple[int, ...]
) -> tuple[Any, ...]:
    return tuple(
        narrow(g, dim, start, size) if wanted else None for wanted, start, size in zip(wants, _running(sizes), sizes)
    )


def _running(sizes: Sequence[int]) -> list[int]:
    starts, start = [], 0
    for size in sizes:
        starts.append(start)
        start += size
    return starts


cat_op = primitive("cat", cpu.cat, joint=_cat_vjp, inputs="promote")


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors joined along a dimension that they have. Other sizes must agree; dtypes promote.

    Raises `ShapeError` where they do not agree, or where there is nothing to join.

    >>> import tensorgrad as tg
    >>> tg.cat([tg.zeros(2, 1), tg.ones(2, 2)], dim=1)
    tensor([[0., 1., 1.],
            [0., 1., 1.]])
    """
    tensors = tuple(tensors)
    if not tensors:
        raise ShapeError("cat: there are no tensors to join")
    dtype = None
    if len(tensors) > 1 and any(tuple(x.shape) == (0,) for x in tensors):  # PyTorch skips them, but for their dtype
        dtype = functools.reduce(promote_types, [x.dtype for x in tensors])
        tensors = tuple(x for x in tensors if tuple(x.shape) != (0,)) or tensors[:1]
    ndim = tensors[0].ndim
    if not ndim:
        raise ShapeError("cat: tensors of no dimensions cannot be joined: use stack, or give cat a list, cat([a, b])")
    d = one_dim("cat", dim, ndim)
    rest = [(*x.shape[:d], *x.shape[d + 1 :]) for x in tensors]
    for i, x in enumerate(tensors):
        if x.ndim != ndim or rest[i] != rest[0]:
            raise ShapeError(
                f"cat: tensors must agree in all dimensions but {d}; tensor 0 has shape {tuple(tensors[0].shape)}, "
                f"tensor {i} has {tuple(x.shape)}"
            )
    if dtype is not None:
        tensors = tuple(cast(x, dtype) if x.dtype != dtype else x for x in tensors)
    return cat_op(*tensors, dim=d, sizes=tuple(x.shape[d] for x in tensors))


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape joined along a new dimension. Raises `ShapeError` where the shapes differ.

    >>> import tensorgrad as tg
    >>> tg.stack([tg.zeros(2), tg.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    tensors = tuple(tensors)
    if not tensors:
        raise ShapeError("stack: there are no tensors to join")
    for i, x in enumerate(tensors):
        if tuple(x.shape) != tuple(tensors[0].shape):
            raise ShapeError(
                f"stack: tensors must have one shape; tensor 0 has {tuple(tensors[0].shape)}, tensor {i} has "
                f"{tuple(x.shape)}"
            )
    d = one_dim("stack", dim, tensors[0].ndim + 1)
    return cat([unsqueeze(x, d) for x in tensors], d)


def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """A view of `length` elements of a dimension from `start` on. Raises `ShapeError` where they are not there.

    >>> import tensorgrad as tg
    >>> tg.narrow(tg.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    d = one_dim("narrow", dim, rank("narrow", input))
    size = input.shape[d] if input.ndim else 0
    begin = start + size if start < 0 else start
    if not (0 <= begin <= size and 0 <= length <= size - begin):
        raise ShapeError(f"narrow: start {start} and length {length} do not fit dimension {d} of size {size}")
    return slice_op(input, index=(slice(None),) * d + (slice(begin, begin + length),))


def select(input: Any, dim: int, index: int) -> Any:
    """A view of one index of a dimension, without that dimension. Raises `IndexError` where it is out of range.

    >>> import tensorgrad as tg
    >>> tg.select(tg.eye(2), 0, 1)
    tensor([0., 1.])
    """
    d = one_dim("select", dim, rank("select", input))
    size = input.shape[d] if input.ndim else 0
    if not -size <= index < size:
        raise IndexError(f"select: index {index} is out of range for dimension {d} of size {size}")
    return slice_op(input, index=(slice(None),) * d + (operator.index(index),))


def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Views of chunks of a size (the last may be smaller), or of the sizes given.

    Raises `ShapeError` where the sizes do not add up.

    >>> import tensorgrad as tg
    >>> tg.split(tg.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    d = one_dim("split", dim, tensor.ndim)
    size = tensor.shape[d] if tensor.ndim else 0
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size):
            raise ShapeError(f"split: the size of a chunk must be positive, not {step}")
        sizes = [min(step, size - start) for start in range(0, size, step)] if size else [0]
    else:
        sizes = list(split_size_or_sections)
        if sum(sizes) != size or any(n < 0 for n in sizes):
            raise ShapeError(f"split: sizes {sizes} must add up to {size}, the size of dimension {d}")
    return tuple(narrow(tensor, d, start, n) for start, n in zip(_running(sizes), sizes))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Views of at most `chunks` parts, of one size but for the last.

    >>> import tensorgrad as tg
    >>> tg.chunk(tg.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if chunks < 1:
        raise ShapeError(f"chunk: chunks must be 1 or more, not {chunks}")
    d = one_dim("chunk", dim, rank("chunk", input))
    if input.ndim and not input.shape[d]:
        return tuple(narrow(input, d, 0, 0) for _ in range(chunks))
    return split(input, max(1, -(-input.shape[d] // chunks)), d)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of each index of a dimension.

    >>> import tensorgrad as tg
    >>> tg.unbind(tg.eye(2))
    (tensor([1., 0.]), tensor([0., 1.]))
    """
    d = one_dim("unbind", dim, rank("unbind", input))
    return tuple(select(input, d, i) for i in range(input.shape[d]))


# Flipping and repeating

flip_op: Callable[..., Any] = primitive("flip", cpu.flip, lambda g, y, a, dims: flip_op(g, dims=dims))
roll_op: Callable[..., Any] = primitive(
    "roll", cpu.roll, lambda g, y, a, shifts, dims: roll_op(g, shifts=tuple(-s for s in shifts), dims=dims)
)


def flip(input: Any, *dims: Any) -> Any:
    """A copy with the order of the elements reversed along `dims`.

    >>> import tensorgrad as tg
    >>> tg.flip(tg.arange(3), (0,))
    tensor([2, 1, 0])
    """
    return flip_op(input, dims=many_dims("flip", flat(dims), input.ndim) if flat(dims) else ())


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """A copy with the elements moved along `dims` by `shifts`, those that leave coming in at the other end.

    >>> import tensorgrad as tg
    >>> tg.roll(tg.arange(4), 1, 0)
    tensor([3, 0, 1, 2])
    """
    if dims is None:
        return roll(ravel(input), shifts, 0).reshape(input.shape)
    shifts, dims = flat((shifts,)), tuple(one_dim("roll", d, rank("roll", input)) for d in flat((dims,)))
    if len(shifts) != len(dims):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(dims)} dims; give one for each")
    return roll_op(input, shifts=tuple(shifts), dims=dims)


def repeat(input: Any, *sizes: Any) -> Any:
    """The tensor repeated `sizes` times along each dimension, as a copy; new dimensions come first.

    >>> import tensorgrad as tg
    >>> tg.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = flat(sizes)
    if len(times) < input.ndim:
        raise ShapeError(f"repeat: {times} must have a number for each dimension of shape {tuple(input.shape)}")
    shape = (1,) * (len(times) - input.ndim) + tuple(input.shape)
    apart = [n for size in shape for n in (1, size)]
    stretched = [n for time, size in zip(times, shape) for n in (time, size)]
    whole = tuple(time * size for time, size in zip(times, shape))
    return reshape(broadcast_to(reshape(input, tuple(apart)), stretched), whole).clone()
