"""Indexing, read and write: `x[...]` of every kind, gather and scatter, masks, one-hot."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.graph import TensorBase, broadcasts, wrap
from tensorgrad.autograd.inplace import apply_
from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.cpu import Slot
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import one_dim, rank

# The primitives. A template is an index in which each array stands as the number of the input that holds it.

slice_op = primitive(
    "slice",
    cpu.view_index,
    lambda g, y, a, index: unindex_op(g, template=cpu.open_index(index), shape=tuple(a.shape)),
    view=True,
)

ALL_INDEX_ARRAYS = "bcdefgh"

index_op = primitive(
    "index",
    cpu.index,
    joint=lambda g, wants, y, a, *arrays, template: (
        unindex_op(g, *arrays, template=template, shape=tuple(a.shape)),
        *(None for _ in arrays),
    ),
    keep=ALL_INDEX_ARRAYS,
)

unindex_op: Callable[..., Any] = primitive(
    "unindex",
    cpu.unindex,
    joint=lambda g, wants, y, a, *arrays, template, shape: (
        index_op(g, *arrays, template=template),
        *(None for _ in arrays),
    ),
    keep=ALL_INDEX_ARRAYS,
)


def _put_vjp(g: Any, wants: tuple[bool, ...], y: Any, a: Any, v: Any, *arrays: Any, template: Any) -> tuple[Any, ...]:
    ga = put_op(g, 0.0, *arrays, template=template) if wants[0] else None
    gv = None
    if wants[1]:
        gv = index_op(g, *arrays, template=template)
        if any(x.dtype.kind != "b" for x in arrays):  # an element written twice has its last value
            gv = where(winners_op(*arrays, template=template, shape=tuple(g.shape)), gv, 0.0)
    return (ga, gv, *(None for _ in arrays))


put_op = primitive("put", cpu.put, joint=_put_vjp, keep=ALL_INDEX_ARRAYS[1:])
winners_op = primitive("winners", cpu.winners)


def _region(g: Any, steps: tuple[Any, ...]) -> Any:
    for op, attrs in steps:
        g = op.function(g, **attrs)
    return g


put_view_op: Callable[..., Any] = primitive(
    "put_view",
    cpu.put_view,
    lambda g, y, a, v, steps: put_view_op(g, 0.0, steps=steps),
    lambda g, y, a, v, steps: _region(g, steps),
)


# x[index]


def _parse(tensor: Any, index: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as a template and the arrays in it. Raises `IndexError` for what cannot index this tensor."""
    parts = index if isinstance(index, tuple) else (index,)
    template: list[Any] = []
    arrays: list[Any] = []
    used = 0
    for part in parts:
        if isinstance(part, list | range):
            part = _index_tensor(part)
        dims = 1
        if part is None or part is Ellipsis:
            dims = 0
        elif isinstance(part, slice):
            part = slice(*(None if x is None else operator.index(x) for x in (part.start, part.stop, part.step)))
            if part.step is not None and part.step < 0:
                raise ValueError("slice: a negative step is not supported, as in PyTorch; use flip")
        elif isinstance(part, bool) or getattr(part, "dtype", None) is not None:
            part = _index_tensor(part)
            if part.dtype.kind == "b":
                dims = part.ndim
                at = tuple(tensor.shape[used : used + dims])
                if Ellipsis not in template and tuple(part.shape) != at:
                    raise IndexError(
                        f"a mask of shape {tuple(part.shape)} does not fit the dimensions {at} that it indexes, "
                        f"of a tensor of shape {tuple(tensor.shape)}"
                    )
            if part.ndim or part.dtype.kind == "b":
                arrays.append(part)
                part = Slot(len(arrays) - 1)
            else:
                part = int(part)
        else:
            try:
                part = operator.index(part)
            except TypeError:
                raise IndexError(
                    f"an index is made of ints, slices, None, ..., and lists or tensors of integers or bools, "
                    f"not {type(part).__name__}"
                ) from None
        used += dims
        template.append(part)
    if sum(part is Ellipsis for part in template) > 1:
        raise IndexError("an index can hold one Ellipsis (...) only")
    if used > tensor.ndim:
        raise IndexError(f"too many indices: {used} for a tensor of shape {tuple(tensor.shape)}")
    if len(arrays) > len(ALL_INDEX_ARRAYS) - 1:
        raise IndexError(f"an index can hold at most {len(ALL_INDEX_ARRAYS) - 1} arrays, got {len(arrays)}")
    return tuple(template), tuple(arrays)


def _index_tensor(part: Any) -> Any:
    """A list, range, array or tensor in an index, as a tensor of integers or bools. Raises `IndexError` for others."""
    if not isinstance(part, TensorBase):
        part = wrap(cpu.index_array([_plain(x) for x in part] if isinstance(part, list) else part))
    name = part.dtype.name
    if part.dtype.kind not in "iub":
        raise IndexError(f"an index must hold integers or bools, not {name}; convert with .long()")
    return part.bool() if name == "uint8" and part.ndim else part  # a byte mask, as PyTorch has it


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, TensorBase) else x


def getitem(tensor: Any, index: Any) -> Any:
    """`tensor[index]`: ints, slices, None and `...` give a view; lists, integer tensors and masks a copy.

    Raises `IndexError` for an index that does not fit.

    >>> import tensorgrad as tg
    >>> x = tg.arange(6).reshape(2, 3)
    >>> x[1, ::2], x[x > 3]
    (tensor([3, 5]), tensor([4, 5]))
    """
    template, arrays = _parse(tensor, index)
    try:
        if arrays:
            return index_op(tensor, *arrays, template=template)
        return slice_op(tensor, index=template)
    except (IndexError, ShapeError) as error:
        raise _out_of_range(tensor, error) from None


def setitem(tensor: Any, index: Any, value: Any) -> None:
    """`tensor[index] = value`, in place; the value broadcasts, and is converted to the tensor's dtype.

    Raises `IndexError` for an index, and `ShapeError` for a value that does not fit.

    >>> import tensorgrad as tg
    >>> x = tg.zeros(2, 3)
    >>> x[:, 1] = tg.tensor([1.0, 2.0])
    >>> x
    tensor([[0., 1., 0.],
            [0., 2., 0.]])
    """
    template, arrays = _parse(tensor, index)
    shape: tuple[int, ...] = getattr(value, "shape", ())
    region: tuple[int, ...] = ()
    if shape:  # a number fits whatever is indexed, which need not be read to know its shape
        try:
            region = cpu.index(tensor._data, *(x._data for x in arrays), template=template).shape
        except (IndexError, ShapeError) as error:
            raise _out_of_range(tensor, error) from None
    while len(shape) > len(region) and shape[0] == 1:  # NumPy and PyTorch drop leading ones
        value = value[0]
        shape = value.shape
    if not isinstance(value, TensorBase | bool | int | float) and not hasattr(value, "dtype"):
        raise DtypeError(f"x[index] = value: value must be a tensor or a number, not {type(value).__name__}")
    if not broadcasts(shape, region):
        raise ShapeError(f"x[index] = value: a value of shape {tuple(shape)} does not fit the {region} that is indexed")
    try:
        apply_("put", tensor, value, *arrays, template=template)
    except IndexError as error:
        raise _out_of_range(tensor, error) from None


def _out_of_range(tensor: Any, error: Exception) -> IndexError:
    return IndexError(f"the index does not fit a tensor of shape {tuple(tensor.shape)}: {error}")


# Along a dimension

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
scatter_add_op: Callable[..., Any] = primitive(
    "scatter_add",
    cpu.scatter_add,
    lambda g, y, a, index, src, dim: g,
    None,
    lambda g, y, a, index, src, dim: _pad_to(gather_op(g, index, dim=dim), src.shape),
    keep=("", "", "b"),
)


def _pad_to(g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient of the part of `src` that the index covers, with zeros for the rest."""
    if tuple(g.shape) == tuple(shape):
        return g
    return unindex_op(g, template=tuple(slice(n) for n in g.shape), shape=tuple(shape))


def check_index(name: str, input: Any, dim: int, index: Any, src: Any = None) -> int:
    """The dimension made positive. Raises where the index is not of integers, or does not fit the input (or `src`)."""
    d = one_dim(name, dim, input.ndim)
    if index.dtype.kind not in "iu":
        raise DtypeError(f"{name}: the index must hold integers, not {index.dtype.name}; convert with .long()")
    fits = index.ndim == input.ndim and all(n <= m for i, (n, m) in enumerate(zip(index.shape, input.shape)) if i != d)
    if src is not None:
        fits = fits and src.ndim == index.ndim and all(n <= m for n, m in zip(index.shape, src.shape))
    if not fits:
        given = f" and src of shape {tuple(src.shape)}" if src is not None else ""
        raise ShapeError(
            f"{name}: an index of shape {tuple(index.shape)} does not fit input of shape {tuple(input.shape)}{given}: "
            f"it must have as many dimensions, and be no larger except in dimension {d}"
        )
    size = input.shape[d] if input.ndim else 1
    values = index._data if isinstance(index, TensorBase) else index
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < size:
        raise IndexError(
            f"{name}: the index holds {int(values.min())} to {int(values.max())}, and dimension {d} has size {size}"
        )
    return d


def gather(input: Any, dim: int, index: Any) -> Any:
    """`out[i][j] = input[index[i][j]][j]` for dim 0, and so on: elements picked along one dimension, in index's shape.

    Raises `IndexError` where the index is out of range, `ShapeError` where its shape does not fit.

    >>> import tensorgrad as tg
    >>> tg.gather(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, tg.tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    return gather_op(input, index, dim=check_index("gather", input, dim, index))


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with `src` added at `index` along `dim`: the transpose of `gather`.

    Raises `IndexError` where the index is out of range, `ShapeError` where its shape does not fit.

    >>> import tensorgrad as tg
    >>> tg.scatter_add(tg.zeros(3), 0, tg.tensor([0, 2, 0]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """
    return scatter_add_op(input, index, src, dim=check_index("scatter_add", input, dim, index, src))


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather` where the other dimensions of input and index broadcast; without `dim`, from all elements in one row.

    Raises `ShapeError` where they do not broadcast.

    >>> import tensorgrad as tg
    >>> tg.take_along_dim(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([[1]]), 1)
    tensor([[2.],
            [4.]])
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    d = one_dim("take_along_dim", dim, rank("take_along_dim", input))
    if indices.ndim != input.ndim:
        raise ShapeError(
            f"take_along_dim: indices of shape {tuple(indices.shape)} must have as many dimensions as input of shape "
            f"{tuple(input.shape)}"
        )
    shape = list(cpu.broadcast_shapes(_without(input.shape, d), _without(indices.shape, d)))
    shape[d] = input.shape[d]
    wide = (*shape[:d], indices.shape[d], *shape[d + 1 :])
    return gather(input.expand(tuple(shape)), d, indices.expand(wide))


def _without(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return (*shape[:dim], 1, *shape[dim + 1 :])


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The entries of a dimension that a vector of integers names, in its order.

    >>> import tensorgrad as tg
    >>> tg.index_select(tg.eye(3), 0, tg.tensor([2, 0]))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    d = one_dim("index_select", dim, rank("index_select", input))
    if index.ndim > 1:
        raise ShapeError(f"index_select: the index must be a vector, got shape {tuple(index.shape)}")
    if index.dtype.kind not in "iu":
        raise DtypeError(f"index_select: the index must hold integers, not {index.dtype.name}")
    if not input.ndim:
        return input.reshape(1)[index.reshape(-1)].reshape(())
    return input[(slice(None),) * d + (index.reshape(-1),)]


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


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask (bool, broadcasting) holds, in one dimension.

    >>> import tensorgrad as tg
    >>> tg.masked_select(tg.tensor([1.0, 2.0]), tg.tensor([False, True]))
    tensor([2.])
    """
    shape = cpu.broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    return input.expand(shape)[mask.expand(shape)]


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
    return one_hot_op(tensor, classes=num_classes, dtype=cpu.int64)
