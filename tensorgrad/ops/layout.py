"""Rarer views: dimensions moved, split and named otherwise, sliding windows, other dtypes; and `t_`, `squeeze_`..."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorgrad.autograd.inplace import relay_
from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import layout as cpu
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.errors import ShapeError
from tensorgrad.ops.dims import flat, one_dim, rank
from tensorgrad.ops.shape import (
    broadcast_op,
    permute_op,
    reshape,
    reshape_op,
    resolve_shape,
    squeeze,
    t,
    transpose,
    unsqueeze,
)


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension made into several; one of `sizes` may be -1.

    >>> import tensorgrad as tg
    >>> tg.unflatten(tg.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    d = one_dim("unflatten", dim, rank("unflatten", input))
    shape = tuple(input.shape)
    sizes = resolve_shape("unflatten", tuple(sizes), shape[d : d + 1])
    return reshape_op(input, shape=(*shape[:d], *sizes, *shape[d + 1 :]))


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


def moveaxis(input: Any, source: Any, destination: Any) -> Any:
    """`movedim` by NumPy's name.

    >>> import tensorgrad as tg
    >>> tg.moveaxis(tg.zeros(2, 3, 4), (0, 1), (1, 2)).shape
    (4, 2, 3)
    """
    return movedim(input, source, destination)


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """`transpose` by NumPy's name.

    >>> import tensorgrad as tg
    >>> tg.swapaxes(tg.zeros(2, 3), 0, 1).shape
    (3, 2)
    """
    return transpose(input, axis0, axis1)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """`transpose` by another name.

    >>> import tensorgrad as tg
    >>> tg.swapdims(tg.zeros(2, 3), 0, 1).shape
    (3, 2)
    """
    return transpose(input, dim0, dim1)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Views of the tensors, stretched to the shape that they broadcast to. Raises `ShapeError` where there is none.

    >>> import tensorgrad as tg
    >>> a, b = tg.broadcast_tensors(tg.zeros(3, 1), tg.zeros(2))
    >>> a.shape, b.shape
    ((3, 2), (3, 2))
    """
    tensors = flat(tensors)
    for i, x in enumerate(tensors):
        rank("broadcast_tensors", x, f"tensor {i}")
    shape = _shape_of_all("broadcast_tensors", [tuple(x.shape) for x in tensors])
    return tuple(broadcast_op(x, shape=shape) for x in tensors)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that shapes (or sizes) broadcast to. Raises `ShapeError` where they do not.

    >>> import tensorgrad as tg
    >>> tg.broadcast_shapes((2, 1), (3,), 1)
    (2, 3)
    """
    return _shape_of_all("broadcast_shapes", [tuple(s) if isinstance(s, tuple | list) else (int(s),) for s in shapes])


def _shape_of_all(name: str, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    try:
        return cpu.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ShapeError(f"{name}: {', '.join(map(str, shapes))} do not broadcast") from error


# Each window's gradient goes back to where the windows overlap: it is added up there.
windows_op: Callable[..., Any] = primitive(
    "windows",
    cpu.windows,
    lambda g, y, a, dim, size, step: unwindows_op(g, shape=tuple(a.shape), dim=dim, size=size, step=step),
    view=True,
)
unwindows_op: Callable[..., Any] = primitive(
    "unwindows",
    cpu.unwindows,
    lambda g, y, a, shape, dim, size, step: windows_op(g, dim=dim, size=size, step=step),
)


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """A view of the windows of `size` elements along a dimension, `step` apart; the elements are a new last dimension.

    Windows that overlap cannot be written to. Raises `ShapeError` for a size that does not fit, or a step below 1.
    `nn.functional.unfold` is another thing: the patches of an image.

    >>> import tensorgrad as tg
    >>> tg.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    d = one_dim("unfold", dimension, rank("unfold", input))
    there = input.shape[d] if input.ndim else 1
    if not 0 <= size <= there:
        raise ShapeError(f"unfold: a window of {size} does not fit dimension {d} of size {there}")
    if step < 1:
        raise ShapeError(f"unfold: the step must be 1 or more, not {step}")
    if not input.ndim:
        return reshape(input, (1,)).narrow(0, 0, size)
    return windows_op(input, dim=d, size=size, step=step)


# The bits of one dtype read as another have no gradient.
view_dtype_op = primitive("view_dtype", cpu.view_dtype)


def view_dtype(input: Any, dtype: Any) -> Any:
    """The same memory read as another dtype, outside the graph; the last dimension grows or shrinks with the size.

    Raises `ShapeError` where the elements of the last dimension do not lie together, or do not fill up new ones.
    """
    return view_dtype_op(input, dtype=as_dtype(dtype))


def _each(function: Callable[[Any], Any], tensors: tuple[Any, ...]) -> Any:
    """A function of one tensor, given one, or several one by one or as a sequence: then a tuple."""
    given = flat(tensors)
    return function(given[0]) if len(tensors) == 1 and given is tensors else tuple(function(x) for x in given)


def atleast_1d(*tensors: Any) -> Any:
    """Views with a dimension at least: of one tensor, or a tuple of several.

    >>> import tensorgrad as tg
    >>> tg.atleast_1d(tg.tensor(1.0))
    tensor([1.])
    """
    return _each(lambda x: reshape(x, (1,)) if not x.ndim else x, tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Views with two dimensions at least, a new one coming first: of one tensor, or a tuple of several.

    >>> import tensorgrad as tg
    >>> tg.atleast_2d(tg.tensor([1.0, 2.0])).shape
    (1, 2)
    """
    return _each(lambda x: reshape(x, (1, 1)) if not x.ndim else unsqueeze(x, 0) if x.ndim == 1 else x, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Views with three dimensions at least: (n,) becomes (1, n, 1), and (m, n) becomes (m, n, 1).

    >>> import tensorgrad as tg
    >>> tg.atleast_3d(tg.tensor([1.0, 2.0])).shape
    (1, 2, 1)
    """
    return _each(lambda x: unsqueeze(atleast_2d(x), -1) if x.ndim < 3 else x, tensors)


# In place: the tensor becomes a view of itself, and its memory stays as it is.


def squeeze_(self: Any, dim: Any = None) -> Any:
    """`squeeze` in place: this tensor loses its dimensions of size 1."""
    return relay_("squeeze_", self, squeeze, dim)


def unsqueeze_(self: Any, dim: int) -> Any:
    """`unsqueeze` in place: this tensor gets a dimension of size 1."""
    return relay_("unsqueeze_", self, unsqueeze, dim)


def t_(self: Any) -> Any:
    """`t` in place: this matrix is transposed."""
    return relay_("t_", self, t)


def transpose_(self: Any, dim0: int, dim1: int) -> Any:
    """`transpose` in place: two dimensions of this tensor are swapped."""
    return relay_("transpose_", self, transpose, dim0, dim1)


def swapaxes_(self: Any, axis0: int, axis1: int) -> Any:
    """`swapaxes` in place: two dimensions of this tensor are swapped."""
    return relay_("swapaxes_", self, transpose, axis0, axis1)


def swapdims_(self: Any, dim0: int, dim1: int) -> Any:
    """`swapdims` in place: two dimensions of this tensor are swapped."""
    return relay_("swapdims_", self, transpose, dim0, dim1)
