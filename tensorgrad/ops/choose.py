"""Choosing between elements, copying them, converting them to another dtype."""

from __future__ import annotations

import warnings
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import as_dtype, bool_, uint8
from tensorgrad.errors import DtypeError
from tensorgrad.ops.dims import rank

where_op = primitive(
    "where",
    cpu.where,
    None,
    lambda g, y, a, b, c: where(a, g, 0.0),
    lambda g, y, a, b, c: where(a, 0.0, g),
    keep="a",
    inputs="promote",
    promoted="bc",
    elementwise=True,
)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition (bool) holds, else `other`; all three broadcast together.

    Only the chosen side gets a gradient. `where(condition)` alone is `nonzero(condition, as_tuple=True)`. Raises
    `ShapeError` where the shapes do not broadcast, `DtypeError` for a condition of numbers; one of uint8 warns, as in
    PyTorch, which once had them for bools.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        from tensorgrad.ops.gathering import nonzero

        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where: give input and other, what to take where the condition holds and where not, or neither")
    if not isinstance(condition, bool) and getattr(condition, "dtype", None) is not bool_:
        condition = _bools(condition)
    return where_op(condition, input, other)


def _bools(condition: Any) -> Any:
    if not hasattr(condition, "dtype"):
        rank("where", condition, "the condition")
    if condition.dtype.kind == "b":
        return condition
    text = f"where: the condition must hold bools, not {condition.dtype.name}; compare it, or use .bool()"
    if condition.dtype != uint8:
        raise DtypeError(text)
    warnings.warn(text, stacklevel=4)
    return cast(condition, bool)


# The walk converts the gradient back.
cast_op = primitive("cast", cpu.cast, lambda g, y, a, dtype: g, elementwise=True)


def cast(input: Any, dtype: Any) -> Any:
    """The elements in another dtype, as a copy. The gradient comes back in the input's dtype.

    >>> import tensorgrad as tg
    >>> tg.ops.cast(tg.tensor([1.7, -1.7]), tg.int64)
    tensor([ 1, -1])
    """
    return cast_op(input, dtype=as_dtype(dtype))


clone_op = primitive("clone", cpu.clone, lambda g, y, a, order="K": g, elementwise=True)


def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy, with its own memory (laid out as a `memory_format` says), through which gradients flow.

    >>> import tensorgrad as tg
    >>> tg.clone(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    if memory_format is None:
        return clone_op(input)
    from tensorgrad.formats import laid_out

    made = laid_out("clone", input, memory_format)
    return clone_op(input) if made is input else made


# What copy_ and fill_ write: the first input's value is lost, and its gradient is zero.
copy_op = primitive("copy", cpu.copy, lambda g, y, a, b: where(False, g, 0.0), lambda g, y, a, b: g)
