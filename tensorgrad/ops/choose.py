"""Choosing between elements, copying them, converting them to another dtype."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.errors import DtypeError

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
    `ShapeError` where the shapes do not broadcast, `DtypeError` for a condition of numbers.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        from tensorgrad.ops.gathering import nonzero

        return nonzero(condition, as_tuple=True)
    if not isinstance(condition, bool) and condition.dtype.kind != "b":
        raise DtypeError(
            f"where: the condition must hold bools, not {condition.dtype.name}; compare it, or use .bool()"
        )
    return where_op(condition, input, other)


# The walk converts the gradient back.
cast_op = primitive("cast", cpu.cast, lambda g, y, a, dtype: g, elementwise=True)


def cast(input: Any, dtype: Any) -> Any:
    """The elements in another dtype, as a copy. The gradient comes back in the input's dtype.

    >>> import tensorgrad as tg
    >>> tg.ops.cast(tg.tensor([1.7, -1.7]), tg.int64)
    tensor([ 1, -1])
    """
    return cast_op(input, dtype=as_dtype(dtype))


def must_be_floating(name: str, *inputs: Any) -> None:
    """Raise `DtypeError` where no input is of a floating dtype."""
    kinds = [x.dtype for x in inputs if hasattr(x, "dtype")]
    if all(dtype.kind != "f" for dtype in kinds):
        names = " and ".join(dtype.name for dtype in kinds)
        raise DtypeError(f"{name}: it needs a floating dtype, not {names}; convert with .float()")


clone_op = primitive("clone", cpu.clone, lambda g, y, a, order="K": g, elementwise=True)


def clone(input: Any) -> Any:
    """A copy, with its own memory, through which gradients flow.

    >>> import tensorgrad as tg
    >>> tg.clone(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return clone_op(input)


# What copy_ and fill_ write: the first input's value is lost, and its gradient is zero.
copy_op = primitive("copy", cpu.copy, lambda g, y, a, b: where(False, g, 0.0), lambda g, y, a, b: g)
