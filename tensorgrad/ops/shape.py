"""Shapes: views that move no data.

The views share memory with their input, as PyTorch's do; `reshape`, `flatten` and `ravel` where the strides allow it.
What is rarer is in `layout`, `diagonals` and `arranging`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.errors import ShapeError
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


def reshape(input: Any, *sizes: Any, shape: Any = None) -> Any:
    """The elements in another shape; one size may be -1. A view where the strides allow it, otherwise a copy.

    Raises `ShapeError` where the number of elements differs.

    >>> import tensorgrad as tg
    >>> tg.reshape(tg.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return reshape_op(input, shape=resolve_shape("reshape", flat(sizes, shape), input.shape))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim` made into one.

    >>> import tensorgrad as tg
    >>> tg.flatten(tg.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    ndim = rank("flatten", input)
    if not ndim:
        return reshape(input, (1,))
    start, end = (one_dim("flatten", dim, ndim) for dim in (start_dim, end_dim))
    if start > end:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    shape = tuple(input.shape)
    return reshape_op(input, shape=(*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def ravel(input: Any) -> Any:
    """The elements in one dimension.

    >>> import tensorgrad as tg
    >>> tg.ravel(tg.zeros(2, 3)).shape
    (6,)
    """
    rank("ravel", input)
    return reshape_op(input, shape=(math.prod(input.shape),))


def permute(input: Any, *order: Any, dims: Any = None) -> Any:
    """A view with the dimensions in another order. Raises `ShapeError` unless `dims` names each one once.

    >>> import tensorgrad as tg
    >>> tg.permute(tg.zeros(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    given = flat(order, dims)
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
    if rank("t", input) > 2:
        raise ShapeError(f"t: it takes at most two dimensions, got shape {tuple(input.shape)}; use transpose(a, b)")
    return permute_op(input, dims=tuple(reversed(range(input.ndim))))


def squeeze(input: Any, dim: Any = None) -> Any:
    """A view without the dimensions of size 1 (those in `dim`, or all).

    >>> import tensorgrad as tg
    >>> tg.squeeze(tg.zeros(1, 3, 1)).shape
    (3,)
    """
    dims = () if dim in ((), []) else many_dims("squeeze", dim, rank("squeeze", input))
    return reshape_op(input, shape=tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims))


def unsqueeze(input: Any, dim: int) -> Any:
    """A view with a dimension of size 1 put in at `dim`.

    >>> import tensorgrad as tg
    >>> tg.unsqueeze(tg.zeros(3), -1).shape
    (3, 1)
    """
    d = one_dim("unsqueeze", dim, rank("unsqueeze", input) + 1, "a result")
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


def expand(input: Any, *sizes: Any, size: Any = None) -> Any:
    """`broadcast_to`, where -1 keeps a dimension as it is.

    >>> import tensorgrad as tg
    >>> tg.zeros(3, 1).expand(-1, 4).shape
    (3, 4)
    """
    given = flat(sizes, size)
    lead = len(given) - input.ndim
    if lead < 0 or -1 in given[:lead]:
        raise ShapeError(f"expand: sizes {given} do not fit shape {tuple(input.shape)}")
    shape = tuple(input.shape[i - lead] if n == -1 else n for i, n in enumerate(given))
    for i, n in enumerate(input.shape):
        if n not in (1, shape[i + lead]):
            raise ShapeError(f"expand: shape {tuple(input.shape)} cannot be expanded to {given}: {n} is not 1")
    return broadcast_op(input, shape=shape)


def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """A view of `length` elements of a dimension from `start` on. Raises `ShapeError` where they are not there.

    >>> import tensorgrad as tg
    >>> tg.narrow(tg.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    if not rank("narrow", input):
        raise ShapeError("narrow: it needs a tensor of one dimension or more, and this has none")
    d = one_dim("narrow", dim, input.ndim)
    size = input.shape[d]
    start, length = operator.index(start), operator.index(length)
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


# Triangles and diagonals: what the gradients of other families use; the functions are in `diagonals`

tril_op: Callable[..., Any] = primitive("tril", cpu.tril, lambda g, y, a, diagonal: tril_op(g, diagonal=diagonal))
triu_op: Callable[..., Any] = primitive("triu", cpu.triu, lambda g, y, a, diagonal: triu_op(g, diagonal=diagonal))


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

flip_op: Callable[..., Any] = primitive("flip", cpu.flip, lambda g, y, a, dims: flip_op(g, dims=dims))


def flip(input: Any, *along: Any, dims: Any = None) -> Any:
    """A copy with the order of the elements reversed along `dims`.

    >>> import tensorgrad as tg
    >>> tg.flip(tg.arange(3), (0,))
    tensor([2, 1, 0])
    """
    dims = flat(along, dims)
    return flip_op(input, dims=many_dims("flip", dims, rank("flip", input)) if dims else ())
