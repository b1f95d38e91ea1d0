"""Elements taken by index along a dimension, or by a mask; where elements are, and one-hot vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.graph import TensorBase
from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import Slot
from tensorgrad.backends.cpu import gathering as cpu
from tensorgrad.backends.dtypes import int64
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.index import index_op

gather_op: Callable[..., Any] = primitive(
    "gather",
    cpu.gather,
    lambda g, y, a, index, dim: ungather_op(g, index, dim=dim, shape=tuple(a.shape)),
    None,
    keep="b",
)
ungather_op: Callable[..., Any] = primitive(
    "ungather", cpu.ungather, lambda g, y, a, index, dim, shape: gather_op(g, index, dim=dim), None, keep="b"
)


def check_index(name: str, input: Any, dim: int, index: Any, src: Any = None) -> int:
    """The dimension made positive. Raises where the index is not of integers, or does not fit the input (or `src`)."""
    d = one_dim(name, dim, rank(name, input))
    if index.dtype.kind not in "iu":
        raise DtypeError(f"{name}: the index must hold integers, not {index.dtype.name}; convert with .long()")
    values = index._data if isinstance(index, TensorBase) else index
    if not values.size:
        return d
    given, own = tuple(index.shape) or (1,), tuple(input.shape) or (1,)  # no dimensions are one of size 1
    fits = len(given) == len(own) and all(n <= m for i, (n, m) in enumerate(zip(given, own)) if i != d)
    if src is not None:
        parts = tuple(src.shape) or (1,)
        fits = fits and len(parts) == len(given) and all(n <= m for n, m in zip(given, parts))
    if not fits:
        beside = f" and src of shape {tuple(src.shape)}" if src is not None else ""
        raise ShapeError(
            f"{name}: an index of shape {tuple(index.shape)} does not fit input of shape {tuple(input.shape)}{beside}: "
            f"it must have as many dimensions, and be no larger except in dimension {d}"
        )
    check_range(name, values, f"dimension {d}", own[d])
    return d


def check_range(name: str, values: Any, where: str, size: int, least: int = 0) -> None:
    """Raise `IndexError` where an index names what is not there."""
    if values.size and not cpu.in_range(values, least, size):
        raise IndexError(
            f"{name}: the index holds {int(values.min())} to {int(values.max())}, and {where} has size {size}"
        )


def gather(input: Any, dim: int, index: Any) -> Any:
    """`out[i][j] = input[index[i][j]][j]` for dim 0, and so on: elements picked along one dimension, in index's shape.

    Raises `IndexError` where the index is out of range, `ShapeError` where its shape does not fit.

    >>> import tensorgrad as tg
    >>> tg.gather(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, tg.tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    return gather_op(input, index, dim=check_index("gather", input, dim, index))


def check_vector(name: str, input: Any, dim: int, index: Any, negative: bool = False) -> tuple[Any, ...]:
    """The template of an index that takes the entries of a dimension which a vector names.

    Raises where the index is not a vector of integers, or names an entry that is not there.
    """
    d = one_dim(name, dim, rank(name, input))
    if index.ndim > 1:
        raise ShapeError(f"{name}: the index must be a vector, got shape {tuple(index.shape)}")
    if index.dtype.kind not in "iu":
        raise DtypeError(f"{name}: the index must hold integers, not {index.dtype.name}; convert with .long()")
    size = input.shape[d] if input.ndim else 1
    values = index._data if isinstance(index, TensorBase) else index
    check_range(name, values, f"dimension {d}", size, -size if negative else 0)
    return (slice(None),) * d + (Slot(0),)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The entries of a dimension that a vector of integers names, in its order.

    Raises `IndexError` where one is not there: as in PyTorch, none is negative.

    >>> import tensorgrad as tg
    >>> tg.index_select(tg.eye(3), 0, tg.tensor([2, 0]))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    template = check_vector("index_select", input, dim, index)
    if not input.ndim:
        return input.reshape(1)[index.reshape(-1)].reshape(())
    return index_op(input, index.reshape(-1), template=template)


# Masks


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with `value` where the mask (bool, broadcasting) holds. Raises `DtypeError` for a mask of numbers.

    >>> import tensorgrad as tg
    >>> tg.masked_fill(tg.ones(2), tg.tensor([True, False]), 0.0)
    tensor([0., 1.])
    """
    if mask.dtype.kind != "b":
        raise DtypeError(f"masked_fill: the mask must hold bools, not {mask.dtype.name}")
    if getattr(value, "shape", ()):
        raise ShapeError(f"masked_fill: the value must be a number or have no dimensions, got shape {value.shape}")
    return where(mask, value, input).to(input.dtype)


nonzero_op = primitive("nonzero", cpu.nonzero)


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The int64 indices of the nonzero elements, a row each; with `as_tuple`, a vector per dimension.

    >>> import tensorgrad as tg
    >>> tg.nonzero(tg.tensor([0.0, 3.0, 4.0]))
    tensor([[1],
            [2]])
    """
    if as_tuple and not input.ndim:
        input = input.reshape(1)
    rows = nonzero_op(input)
    return tuple(rows[:, i] for i in range(input.ndim)) if as_tuple else rows


one_hot_op = primitive("one_hot", cpu.one_hot)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A new last dimension of `num_classes` (by default the largest class + 1), 1 at each class, as int64.

    Raises `DtypeError` for classes that are not integers, `IndexError` for one out of range.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.one_hot(tg.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype.kind not in "iu":
        raise DtypeError(f"one_hot: classes must be integers, not {tensor.dtype.name}; convert with .long()")
    data = tensor._data
    if num_classes == -1:
        if not data.size:
            raise ShapeError("one_hot: num_classes cannot be found from no classes; give it")
        num_classes = int(data.max()) + 1
    if data.size and not 0 <= int(data.min()) <= int(data.max()) < num_classes:
        raise IndexError(f"one_hot: classes {int(data.min())} to {int(data.max())} do not fit {num_classes} classes")
    return one_hot_op(tensor, classes=num_classes, dtype=int64)
