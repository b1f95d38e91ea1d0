"""Arithmetic and rounding, elementwise."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import binary, primitive, unary
from tensorgrad.backends import cpu
from tensorgrad.errors import DtypeError
from tensorgrad.ops.choose import cast, where
from tensorgrad.ops.compare import bitwise_and, ne
from tensorgrad.ops.dims import must_be_floating


def no_slope(g: Any, y: Any, a: Any) -> Any:
    """The vjp of a function that is constant between its jumps: zeros, as PyTorch has it, and not no gradient."""
    return where(False, g, 0.0)


add_op = binary("add", cpu.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
sub_op = binary("sub", cpu.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g, refuses="b")


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`input + alpha * other`, elementwise, broadcasting, with PyTorch's type promotion.

    >>> import tensorgrad as tg
    >>> tg.add(tg.tensor([1.0, 2.0]), tg.tensor([[10.0], [20.0]]))
    tensor([[11., 12.],
            [21., 22.]])
    """
    return add_op(input, other if alpha == 1 else scaled("add", input, other, alpha))


def scaled(name: str, input: Any, other: Any, alpha: Any, word: str = "alpha") -> Any:
    """`other * alpha`. Raises `DtypeError` where a fraction of integers would be taken."""
    if isinstance(alpha, float) and not _floating(input) and not _floating(other):
        raise DtypeError(f"{name}: {word} must be an integer where both inputs are, not {alpha}")
    return other * alpha


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`input - alpha * other`, elementwise, broadcasting, with PyTorch's type promotion.

    >>> import tensorgrad as tg
    >>> tg.sub(tg.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """
    return sub_op(input, other if alpha == 1 else scaled("sub", input, other, alpha))


mul = binary(
    "mul",
    cpu.multiply,
    lambda g, y, a, b: g * b,
    lambda g, y, a, b: g * a,
    keep=("b", "a"),
    doc="""`input * other`, elementwise, broadcasting, with PyTorch's type promotion.

    >>> import tensorgrad as tg
    >>> tg.mul(tg.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """,
)

true_divide = binary(
    "div",
    cpu.true_divide,
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -g * (a / b / b),  # b * b would overflow before the quotient does
    keep=("b", "ab"),
    inputs="float",
    doc="""`input / other`, elementwise, broadcasting; integers give the default floating dtype.

    >>> import tensorgrad as tg
    >>> tg.true_divide(tg.tensor([1, 2]), 2)
    tensor([0.5000, 1.0000])
    """,
)


def _floating(x: Any) -> bool:
    return isinstance(x, float) or (hasattr(x, "dtype") and x.dtype.kind == "f")


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """`input / other`, elementwise, broadcasting; `rounding_mode` "trunc" or "floor" rounds the quotient.

    Raises `ValueError` for another rounding mode.

    >>> import tensorgrad as tg
    >>> tg.div(tg.tensor([7.0, -7.0]), 2, rounding_mode="trunc")
    tensor([ 3., -3.])
    """
    if rounding_mode is None:
        return true_divide(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        if _floating(input) or _floating(other):
            return trunc(true_divide(input, other))
        down = floor_divide(input, other)  # exact where a floating quotient is not
        return add_op(down, bitwise_and(down < 0, ne(remainder(input, other), 0)))
    raise ValueError(f"div: rounding_mode must be None, 'trunc' or 'floor', not {rounding_mode!r}")


floor_divide = binary(
    "floor_divide",
    cpu.floor_quotient,
    doc="""`input / other` rounded down, elementwise, broadcasting. Its gradient is zero, and none is recorded.

    Raises `ZeroDivisionError` for integers over 0, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.floor_divide(tg.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """,
)

remainder = binary(
    "remainder",
    cpu.modulo,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g * floor_divide(a, b),
    keep=("", "ab"),
    doc="""`input - other * floor(input / other)`, elementwise: it has the sign of `other`, as Python's `%`.

    Raises `ZeroDivisionError` for integers over 0, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.remainder(tg.tensor([-3, 3]), 2)
    tensor([1, 1])
    """,
)

neg = unary(
    "neg",
    cpu.negative,
    lambda g, y, a: -g,
    inputs="promote",
    doc="""`-input`, elementwise. Raises `DtypeError` for bool.

    >>> import tensorgrad as tg
    >>> tg.neg(tg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """,
)

abs = unary(
    "abs",
    cpu.magnitude,
    lambda g, y, a: g * sign(a),
    keep="a",
    inputs="promote",
    doc="""`|input|`, elementwise; the gradient at 0 is 0.

    >>> import tensorgrad as tg
    >>> tg.abs(tg.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """,
)

sign: Callable[..., Any] = unary(
    "sign",
    cpu.signum,
    no_slope,
    inputs="promote",
    doc="""-1, 0 or 1 by the sign of each element. The gradient is zero.

    >>> import tensorgrad as tg
    >>> tg.sign(tg.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """,
)


# Equal elements share the gradient, and both get all of it where one is NaN.
maximum = binary(
    "maximum",
    cpu.maximum,
    lambda g, y, a, b: where(a == b, g * 0.5, where(a < b, 0.0, g)),
    lambda g, y, a, b: where(a == b, g * 0.5, where(b < a, 0.0, g)),
    keep="ab",
    doc="""The larger of each pair of elements, broadcasting; NaN where either is. Equal ones share the gradient.

    >>> import tensorgrad as tg
    >>> tg.maximum(tg.tensor([1.0, 5.0]), tg.tensor(2.0))
    tensor([2., 5.])
    """,
)

minimum = binary(
    "minimum",
    cpu.minimum,
    lambda g, y, a, b: where(a == b, g * 0.5, where(a > b, 0.0, g)),
    lambda g, y, a, b: where(a == b, g * 0.5, where(b > a, 0.0, g)),
    keep="ab",
    doc="""The smaller of each pair of elements, broadcasting; NaN where either is. Equal ones share the gradient.

    >>> import tensorgrad as tg
    >>> tg.minimum(tg.tensor([1.0, 5.0]), tg.tensor(2.0))
    tensor([1., 2.])
    """,
)


def _clamp_vjp(g: Any, y: Any, a: Any, min: float | None, max: float | None) -> Any:
    if min is None or max is None:
        return g * (a <= max if min is None else a >= min)
    return g * ((a >= min) & (a <= max))


clamp_op = primitive("clamp", cpu.clamp, _clamp_vjp, keep="a", elementwise=True)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Each element limited to `[min, max]`; a bound is a number, a tensor that broadcasts, or None.

    The gradient is 1 inside and at the bounds, 0 outside, where it goes to the bound. Raises `ValueError` where both
    bounds are None.

    >>> import tensorgrad as tg
    >>> tg.clamp(tg.tensor([-2.0, 0.5, 2.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both")
    if isinstance(min, int | float | None) and isinstance(max, int | float | None):
        if input.dtype.kind != "f" and (isinstance(min, float) or isinstance(max, float)):
            input = cast(input, float)
        return clamp_op(input, min=min, max=max)
    # At a bound the gradient goes to the input, and not halves to both as maximum has it. A bound of NaN gives NaN.
    if min is not None:
        input = where((input < min) | (min != min), min, input)
    return input if max is None else where((input > max) | (max != max), max, input)


# Rounding

floor = unary(
    "floor",
    cpu.floor_of,
    no_slope,
    inputs="promote",
    doc="""Each element rounded down. The gradient is zero.

    >>> import tensorgrad as tg
    >>> tg.floor(tg.tensor([1.7, -1.2]))
    tensor([ 1., -2.])
    """,
)

ceil = unary(
    "ceil",
    cpu.ceil_of,
    no_slope,
    inputs="promote",
    doc="""Each element rounded up. The gradient is zero.

    >>> import tensorgrad as tg
    >>> tg.ceil(tg.tensor([1.2, -1.7]))
    tensor([ 2., -1.])
    """,
)

trunc = unary(
    "trunc",
    cpu.trunc_of,
    no_slope,
    inputs="promote",
    doc="""Each element rounded towards zero. The gradient is zero.

    >>> import tensorgrad as tg
    >>> tg.trunc(tg.tensor([1.7, -1.7]))
    tensor([ 1., -1.])
    """,
)

round_op = unary("round", cpu.round_of, no_slope, inputs="promote")


def round(input: Any, *, decimals: int = 0) -> Any:
    """Each element rounded to `decimals` places, halves to even. The gradient is zero.

    Negative `decimals` round to tens, hundreds and so on. Raises `DtypeError` for integers unless `decimals` is 0.

    >>> import tensorgrad as tg
    >>> tg.round(tg.tensor([0.5, 1.5, 2.7]))
    tensor([0., 2., 3.])
    """
    if decimals == 0:
        return round_op(input)
    must_be_floating("round", input)
    scale = 10.0 ** builtins.abs(decimals)
    if decimals < 0:
        return mul(round_op(true_divide(input, scale)), scale)
    return true_divide(round_op(mul(input, scale)), scale)
