"""Indexing, read and write: `x[...]` of every kind. What has a name is in `gathering`, `picking` and `scattering`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.graph import Foreign, TensorBase, broadcasts, wrap
from tensorgrad.autograd.inplace import apply_
from tensorgrad.autograd.op import Op, apply, primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.cpu import Slot
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import where

# The primitives. A template is an index in which each array stands as the number of the input that holds it.

slice_op = primitive(
    "slice",
    cpu.view_index,
    lambda g, y, a, index: unindex_op(g, template=cpu.open_index(index), shape=tuple(a.shape)),
    view=True,
)
SLICE: Op = slice_op.op  # type: ignore[attr-defined]

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


def _is_basic(parts: tuple[Any, ...]) -> bool:
    """Whether an index is made of ints, slices of ints, None and `...` only, which NumPy takes as they are."""
    for part in parts:
        if part.__class__ is slice:
            for bound in (part.start, part.stop):
                if bound is not None and bound.__class__ is not int:
                    return False
            if part.step is not None and (part.step.__class__ is not int or part.step < 0):
                return False
        elif part.__class__ is not int and part is not None and part is not Ellipsis:
            return False
    return True


def _is_part(x: Any) -> bool:
    return x is None or x is Ellipsis or isinstance(x, list | tuple | range | slice) or getattr(x, "ndim", -1) >= 0


def parse(tensor: Any, index: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as a template and the arrays in it. Raises `IndexError` for what cannot index this tensor."""
    if isinstance(index, TensorBase) and index._data.dtype.kind == "i" and index._data.ndim and tensor.ndim:
        return (Slot(0),), (index,)
    if index.__class__ is list and len(index) < 32 and any(map(_is_part, index)):
        index = tuple(index)  # a short list that holds more than numbers is one index per dimension, as in PyTorch
    parts = index if isinstance(index, tuple) else (index,)
    if _is_basic(parts):
        return parts, ()
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
            if part.ndim or part.dtype.kind == "b" or isinstance(part._data, Foreign):
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
    template, arrays = parse(tensor, index)
    try:
        if arrays:
            return index_op(tensor, *arrays, template=template)
        return apply(SLICE, (tensor,), {"index": template})
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
    template, arrays = parse(tensor, index)
    value = fitting("x[index] = value", tensor, template, arrays, value)
    try:
        apply_("put", tensor, value, *arrays, template=template)
    except IndexError as error:
        raise _out_of_range(tensor, error) from None


def fitting(name: str, tensor: Any, template: tuple[Any, ...], arrays: tuple[Any, ...], value: Any) -> Any:
    """A value that can be put where an index reads. Raises `ShapeError` where it does not broadcast there."""
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
        raise DtypeError(f"{name}: value must be a tensor or a number, not {type(value).__name__}")
    if not broadcasts(shape, region):
        raise ShapeError(f"{name}: a value of shape {tuple(shape)} does not fit the {region} that is indexed")
    return value


def _out_of_range(tensor: Any, error: Exception) -> IndexError:
    return IndexError(f"the index does not fit a tensor of shape {tuple(tensor.shape)}: {error}")
