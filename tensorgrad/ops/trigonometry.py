"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import binary, unary
from tensorgrad.backends.cpu import special as cpu
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.ops.powers import cos, rsqrt

tan = unary(
    "tan",
    cpu.tan,
    lambda g, y, a: g + g * y * y,
    keep="y",
    doc="""The tangent of each element, in radians.

    >>> import tensorgrad as tg
    >>> tg.tan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """,
)

asin = unary(
    "asin",
    cpu.arcsin,
    lambda g, y, a: g * rsqrt(1.0 - a * a),
    keep="a",
    doc="""The angle in [-pi/2, pi/2], in radians, whose sine is each element; NaN outside [-1, 1].

    >>> import tensorgrad as tg
    >>> tg.asin(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """,
)

acos = unary(
    "acos",
    cpu.arccos,
    lambda g, y, a: -g * rsqrt(1.0 - a * a),
    keep="a",
    doc="""The angle in [0, pi], in radians, whose cosine is each element; NaN outside [-1, 1].

    >>> import tensorgrad as tg
    >>> tg.acos(tg.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """,
)

atan = unary(
    "atan",
    cpu.arctan,
    lambda g, y, a: g / (a * a + 1.0),
    keep="a",
    doc="""The angle in (-pi/2, pi/2), in radians, whose tangent is each element.

    >>> import tensorgrad as tg
    >>> tg.atan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """,
)


def _squares(a: Any, b: Any) -> Any:
    """`a * a + b * b`, and 1 where that is 0: an angle's gradient there is 0."""
    total = a * a + b * b
    return where(total == 0, 1.0, total)


atan2 = binary(
    "atan2",
    cpu.arctan2,
    lambda g, y, a, b: g * b / _squares(a, b),
    lambda g, y, a, b: -g * a / _squares(a, b),
    keep="ab",
    inputs="float",
    doc="""The angle of the point (x = other, y = input) in (-pi, pi], in radians, broadcasting.

    The gradient at (0, 0) is 0.

    >>> import tensorgrad as tg
    >>> tg.atan2(tg.tensor([1.0, 1.0]), tg.tensor([1.0, -1.0]))
    tensor([0.7854, 2.3562])
    """,
)

sinh: Callable[..., Any] = unary(
    "sinh",
    cpu.sinh,
    lambda g, y, a: g * cosh(a),
    keep="a",
    doc="""The hyperbolic sine of each element.

    >>> import tensorgrad as tg
    >>> tg.sinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """,
)

cosh: Callable[..., Any] = unary(
    "cosh",
    cpu.cosh,
    lambda g, y, a: g * sinh(a),
    keep="a",
    doc="""The hyperbolic cosine of each element.

    >>> import tensorgrad as tg
    >>> tg.cosh(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """,
)

asinh = unary(
    "asinh",
    cpu.arcsinh,
    lambda g, y, a: g * rsqrt(a * a + 1.0),
    keep="a",
    doc="""The number whose hyperbolic sine is each element.

    >>> import tensorgrad as tg
    >>> tg.asinh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """,
)

acosh = unary(
    "acosh",
    cpu.arccosh,
    lambda g, y, a: g * rsqrt(a * a - 1.0),
    keep="a",
    doc="""The number, 0 or more, whose hyperbolic cosine is each element; NaN below 1.

    >>> import tensorgrad as tg
    >>> tg.acosh(tg.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """,
)

atanh = unary(
    "atanh",
    cpu.arctanh,
    lambda g, y, a: g / (1.0 - a * a),
    keep="a",
    doc="""The number whose hyperbolic tangent is each element; infinite at -1 and 1, NaN outside.

    >>> import tensorgrad as tg
    >>> tg.atanh(tg.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """,
)

# The root of the sum of squares would overflow before the result does.
hypot_op = binary(
    "hypot",
    cpu.hypot,
    lambda g, y, a, b: g * (a / y),
    lambda g, y, a, b: g * (b / y),
    keep=("ya", "yb"),
)


def hypot(input: Any, other: Any) -> Any:
    """`sqrt(input ** 2 + other ** 2)`, elementwise, broadcasting. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.hypot(tg.tensor([3.0]), tg.tensor([4.0]))
    tensor([5.])
    """
    must_be_floating("hypot", input, other)
    return hypot_op(input, other)


sinc = unary(
    "sinc",
    cpu.sinc,
    lambda g, y, a: where(a == 0, 0.0, g * (cos(a * math.pi) - y) / where(a == 0, 1.0, a)),
    keep="ya",
    doc="""`sin(pi * input) / (pi * input)`, elementwise, and 1 at 0.

    >>> import tensorgrad as tg
    >>> tg.sinc(tg.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """,
)


def deg2rad(input: Any) -> Any:
    """Each angle in radians, from degrees.

    >>> import tensorgrad as tg
    >>> tg.deg2rad(tg.tensor([180.0]))
    tensor([3.1416])
    """
    return input * (math.pi / 180.0)


def rad2deg(input: Any) -> Any:
    """Each angle in degrees, from radians.

    >>> import tensorgrad as tg
    >>> tg.rad2deg(tg.tensor([3.1415927]))
    tensor([180.])
    """
    return input * (180.0 / math.pi)
