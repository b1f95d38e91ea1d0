"""Powers, exponentials, logarithms, sine and cosine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import binary, constant, primitive, unary
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.ops.choose import clone, where

square = unary(
    "square",
    cpu.squared,
    lambda g, y, a: g * a * 2.0,
    keep="a",
    inputs="promote",
    doc="""`input ** 2`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.square(tg.tensor([1.0, -3.0]))
    tensor([1., 9.])
    """,
)

sqrt = unary(
    "sqrt",
    cpu.sqrt,
    lambda g, y, a: g * 0.5 / y,
    keep="y",
    doc="""The square root of each element; NaN for negative ones, and an infinite gradient at 0.

    >>> import tensorgrad as tg
    >>> tg.sqrt(tg.tensor([1.0, 9.0]))
    tensor([1., 3.])
    """,
)

rsqrt = unary(
    "rsqrt",
    cpu.rsqrt,
    lambda g, y, a: g * -0.5 * y * y * y,
    keep="y",
    doc="""`1 / sqrt(input)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.rsqrt(tg.tensor([1.0, 4.0]))
    tensor([1.0000, 0.5000])
    """,
)

reciprocal = unary(
    "reciprocal",
    cpu.inverse,
    lambda g, y, a: -g * y * y,
    keep="y",
    doc="""`1 / input`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.reciprocal(tg.tensor([1.0, 4.0]))
    tensor([1.0000, 0.2500])
    """,
)


def _pow_base_vjp(g: Any, y: Any, a: Any, b: Any) -> Any:
    if isinstance(b, int | float):
        return g * (a ** (b - 1) * b) if b else g * 0.0
    # 0 ** (b - 1) is infinite where b is 0: there the derivative is 0.
    return g * where(b == 0, 0.0, b * a ** where(b == 0, 1.0, b - 1))


pow_op = binary(
    "pow",
    cpu.power_of,
    _pow_base_vjp,
    # The logarithm is infinite where a is 0: there the derivative is 0, but for negative powers.
    lambda g, y, a, b: g * y * log(where((a == 0) & (b >= 0), 1.0, a)),
    keep=("ab", "yab"),
)


def pow(input: Any, exponent: Any) -> Any:
    """`input ** exponent`, elementwise, broadcasting.

    An integer to a negative integer power raises, as in PyTorch: convert it to a floating dtype first.

    >>> import tensorgrad as tg
    >>> tg.pow(tg.tensor([1.0, 2.0, 3.0]), 3)
    tensor([ 1.,  8., 27.])
    """
    if isinstance(exponent, int | float) and not isinstance(exponent, bool) and input.dtype.kind != "b":
        # A number as exponent: its derivative needs no logarithm, and small powers no power function.
        if exponent == 2 and (input.dtype.kind == "f" or isinstance(exponent, int)):
            return square(input)
        if exponent == 1 and (input.dtype.kind == "f" or isinstance(exponent, int)):
            return clone(input) if hasattr(input, "requires_grad") else input
        if input.dtype.kind == "f":
            if exponent == 0.5:
                return sqrt(input)
            if exponent == -1:
                return reciprocal(input)
            return pow_number_op(input, exponent=float(exponent))
    if isinstance(input, int | float):
        dtype = exponent.dtype
        if dtype.kind == "b" or (dtype.kind != "f" and isinstance(input, float)):
            dtype = as_dtype(type(input))
        input = constant(input, dtype)
    return pow_op(input, exponent)


pow_number_op = primitive(
    "pow_number",
    lambda a, exponent, out=None: cpu.power(a, exponent, out=out),
    lambda g, y, a, exponent: g * (a ** (exponent - 1.0) * exponent) if exponent else g * 0.0,
    keep="a",
    elementwise=True,
)

exp = unary(
    "exp",
    cpu.exp,
    lambda g, y, a: g * y,
    keep="y",
    doc="""e to the power of each element.

    >>> import tensorgrad as tg
    >>> tg.exp(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """,
)

expm1 = unary(
    "expm1",
    cpu.expm1,
    lambda g, y, a: g * (y + 1.0),
    keep="y",
    doc="""`exp(input) - 1`, exact for small elements.

    >>> import tensorgrad as tg
    >>> tg.expm1(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """,
)

log: Callable[..., Any] = unary(
    "log",
    cpu.log,
    lambda g, y, a: g / a,
    keep="a",
    doc="""The natural logarithm of each element: -inf at 0, NaN for negative ones.

    >>> import tensorgrad as tg
    >>> tg.log(tg.tensor([1.0, 2.7182817]))
    tensor([0., 1.])
    """,
)

log1p = unary(
    "log1p",
    cpu.log1p,
    lambda g, y, a: g / (a + 1.0),
    keep="a",
    doc="""`log(1 + input)`, exact for small elements.

    >>> import tensorgrad as tg
    >>> tg.log1p(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """,
)

log2 = unary(
    "log2",
    cpu.log2,
    lambda g, y, a: g / (a * math.log(2.0)),
    keep="a",
    doc="""The base-2 logarithm of each element.

    >>> import tensorgrad as tg
    >>> tg.log2(tg.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """,
)

log10 = unary(
    "log10",
    cpu.log10,
    lambda g, y, a: g / (a * math.log(10.0)),
    keep="a",
    doc="""The base-10 logarithm of each element.

    >>> import tensorgrad as tg
    >>> tg.log10(tg.tensor([1.0, 2.0]))
    tensor([0.0000, 0.3010])
    """,
)

sin = unary(
    "sin",
    cpu.sin,
    lambda g, y, a: g * cos(a),
    keep="a",
    doc="""The sine of each element, in radians.

    >>> import tensorgrad as tg
    >>> tg.sin(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """,
)

cos: Callable[..., Any] = unary(
    "cos",
    cpu.cos,
    lambda g, y, a: -g * sin(a),
    keep="a",
    doc="""The cosine of each element, in radians.

    >>> import tensorgrad as tg
    >>> tg.cos(tg.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """,
)
