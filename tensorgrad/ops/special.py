"""Special functions: the error and gamma functions, logarithms of sums, products and odds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import binary, primitive, unary
from tensorgrad.backends.cpu import special as cpu
from tensorgrad.ops.activation import sigmoid
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.ops.powers import exp

erf = unary(
    "erf",
    cpu.erf,
    lambda g, y, a: g * (2.0 / math.sqrt(math.pi)) * exp(-(a * a)),
    keep="a",
    doc="""The error function of each element; in float64 as by W. J. Cody (Mathematics of Computation 23, 1969).

    >>> import tensorgrad as tg
    >>> tg.erf(tg.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5205])
    """,
)

erfc = unary(
    "erfc",
    cpu.erfc,
    lambda g, y, a: g * (-2.0 / math.sqrt(math.pi)) * exp(-(a * a)),
    keep="a",
    doc="""`1 - erf(input)`, elementwise, exact where that is small.

    >>> import tensorgrad as tg
    >>> tg.erfc(tg.tensor([0.0, 0.5]))
    tensor([1.0000, 0.4795])
    """,
)

erfinv = unary(
    "erfinv",
    cpu.erfinv,
    lambda g, y, a: g * (0.5 * math.sqrt(math.pi)) * exp(y * y),
    keep="y",
    doc="""The number whose error function is each element; infinite at -1 and 1, NaN outside.

    >>> import tensorgrad as tg
    >>> tg.erfinv(tg.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """,
)

polygamma_op: Callable[..., Any] = primitive(
    "polygamma",
    cpu.polygamma,
    lambda g, y, a, n: g * polygamma_op(a, n=n + 1),
    keep="a",
    inputs="float",
    elementwise=True,
)


def digamma(input: Any) -> Any:
    """The derivative of `lgamma`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.digamma(tg.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """
    return polygamma_op(input, n=0)


lgamma = unary(
    "lgamma",
    cpu.lgamma,
    lambda g, y, a: g * polygamma_op(a, n=0),
    keep="a",
    doc="""The logarithm of the absolute value of the gamma function of each element.

    >>> import tensorgrad as tg
    >>> tg.lgamma(tg.tensor([2.0, 5.0]))
    tensor([0.0000, 3.1781])
    """,
)

exp2 = unary(
    "exp2",
    cpu.exp2,
    lambda g, y, a: g * y * math.log(2.0),
    keep="y",
    doc="""2 to the power of each element.

    >>> import tensorgrad as tg
    >>> tg.exp2(tg.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """,
)

# 0 times the logarithm of 0 is 0: composed of where and log, it would have a NaN for a gradient.
xlogy: Callable[..., Any] = binary(
    "xlogy",
    cpu.xlogy,
    lambda g, y, a, b: where((a == 0) & (b <= 0), 0.0, xlogy(g, b)),
    lambda g, y, a, b: g * a / b,
    keep="ab",
    inputs="float",
    doc="""`input * log(other)`, elementwise, broadcasting: 0 where input is 0, unless other is NaN.

    >>> import tensorgrad as tg
    >>> tg.xlogy(tg.tensor([0.0, 2.0]), tg.tensor([0.0, 3.0]))
    tensor([0.0000, 2.1972])
    """,
)

# The exponentials would overflow.
logaddexp_op = binary(
    "logaddexp",
    cpu.logaddexp,
    lambda g, y, a, b: g * sigmoid(a - b),
    lambda g, y, a, b: g * sigmoid(b - a),
    keep="ab",
)
logaddexp2_op = binary(
    "logaddexp2",
    cpu.logaddexp2,
    lambda g, y, a, b: g * sigmoid((a - b) * math.log(2.0)),
    lambda g, y, a, b: g * sigmoid((b - a) * math.log(2.0)),
    keep="ab",
)


def logaddexp(input: Any, other: Any) -> Any:
    """`log(exp(input) + exp(other))`, elementwise, broadcasting, without overflow. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.logaddexp(tg.tensor([1000.0]), tg.tensor([1000.0]))
    tensor([1000.6932])
    """
    must_be_floating("logaddexp", input, other)
    return logaddexp_op(input, other)


def logaddexp2(input: Any, other: Any) -> Any:
    """`log2(2 ** input + 2 ** other)`, elementwise, broadcasting, without overflow. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.logaddexp2(tg.tensor([1000.0]), tg.tensor([1000.0]))
    tensor([1001.])
    """
    must_be_floating("logaddexp2", input, other)
    return logaddexp2_op(input, other)


def _logit_vjp(g: Any, y: Any, a: Any, low: float, high: float) -> Any:
    outside = 0.0 if math.isfinite(low) else math.nan
    low, high = max(low, 0.0), min(high, 1.0)
    return where((a < low) | (a > high), outside, g / (a * (1.0 - a)))


# The derivatives of the two logarithms, 1 / a and 1 / (1 - a), are numbers where the function is not.
logit_op = primitive("logit", cpu.logit, _logit_vjp, keep="a", inputs="float", elementwise=True)


def logit(input: Any, eps: float | None = None) -> Any:
    """`log(input / (1 - input))`, elementwise: the inverse of `sigmoid`. `eps` limits the input to `[eps, 1 - eps]`.

    Outside [0, 1] it and its gradient are NaN; where `eps` limits it, the gradient is 0.

    >>> import tensorgrad as tg
    >>> tg.logit(tg.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    low, high = (-math.inf, math.inf) if eps is None or eps < 0 else (float(eps), 1.0 - eps)
    return logit_op(input, low=low, high=high)
