"""Elementwise operations: arithmetic, powers and exponentials, comparisons, and the activations that are primitives."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.autograd.op import binary, constant, primitive, unary
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.errors import DtypeError

# Arithmetic

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


def scaled(name: str, input: Any, other: Any, alpha: Any) -> Any:
    """`other * alpha`. Raises `DtypeError` where a fraction of integers would be taken."""
    if isinstance(alpha, float) and input.dtype.kind != "f" and getattr(other, "dtype", input.dtype).kind != "f":
        raise DtypeError(f"{name}: alpha must be an integer where both inputs are, not {alpha}")
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
    lambda g, y, a, b: -g * a / (b * b),
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
    cpu.absolute,
    lambda g, y, a: g * sign(a),
    keep="a",
    inputs="promote",
    doc="""`|input|`, elementwise; the gradient at 0 is 0.

    >>> import tensorgrad as tg
    >>> tg.abs(tg.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """,
)

sign = unary(
    "sign",
    cpu.signum,
    inputs="promote",
    doc="""-1, 0 or 1 by the sign of each element. No gradient is recorded: it is zero.

    >>> import tensorgrad as tg
    >>> tg.sign(tg.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """,
)

maximum = binary(
    "maximum",
    cpu.maximum,
    lambda g, y, a, b: g * (a > b) + g * 0.5 * (a == b),
    lambda g, y, a, b: g * (b > a) + g * 0.5 * (a == b),
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
    lambda g, y, a, b: g * (a < b) + g * 0.5 * (a == b),
    lambda g, y, a, b: g * (b < a) + g * 0.5 * (a == b),
    keep="ab",
    doc="""The smaller of each pair of elements, broadcasting; NaN where either is. Equal ones share the gradient.

    >>> import tensorgrad as tg
    >>> tg.minimum(tg.tensor([1.0, 5.0]), tg.tensor(2.0))
    tensor([1., 2.])
    """,
)

clamp_op = primitive(
    "clamp",
    cpu.clamp,
    lambda g, y, a, min, max: (
        g * ((a >= (-math.inf if min is None else min)) & (a <= (math.inf if max is None else max)))
    ),
    keep="a",
)


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
    if min is not None:  # at a bound the gradient goes to the input, and not halves to both as maximum has it
        input = where(ge(input, min), input, maximum(input, min))
    return input if max is None else where(le(input, max), input, minimum(input, max))


# Rounding

floor = unary(
    "floor",
    cpu.floor,
    inputs="promote",
    doc="""Each element rounded down. No gradient is recorded: it is zero.

    >>> import tensorgrad as tg
    >>> tg.floor(tg.tensor([1.7, -1.2]))
    tensor([ 1., -2.])
    """,
)

ceil = unary(
    "ceil",
    cpu.ceil,
    inputs="promote",
    doc="""Each element rounded up. No gradient is recorded: it is zero.

    >>> import tensorgrad as tg
    >>> tg.ceil(tg.tensor([1.2, -1.7]))
    tensor([ 2., -1.])
    """,
)

trunc = unary(
    "trunc",
    cpu.trunc,
    inputs="promote",
    doc="""Each element rounded towards zero. No gradient is recorded: it is zero.

    >>> import tensorgrad as tg
    >>> tg.trunc(tg.tensor([1.7, -1.7]))
    tensor([ 1., -1.])
    """,
)

round_op = unary("round", cpu.rint, inputs="promote")


def round(input: Any, *, decimals: int = 0) -> Any:
    """Each element rounded to `decimals` places, halves to even. No gradient is recorded: it is zero.

    >>> import tensorgrad as tg
    >>> tg.round(tg.tensor([0.5, 1.5, 2.7]))
    tensor([0., 2., 3.])
    """
    if input.dtype.kind != "f":
        return input
    if decimals == 0:
        return round_op(input)
    return true_divide(round_op(mul(input, 10.0**decimals)), 10.0**decimals)


# Powers, exponentials, logarithms

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
    # The logarithm is infinite where a is 0: there the derivative is 0.
    lambda g, y, a, b: g * y * log(where(a == 0, 1.0, a)),
    keep=("ab", "ya"),
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

log = unary(
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

cos = unary(
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

atan = unary(
    "atan",
    cpu.arctan,
    lambda g, y, a: g / (a * a + 1.0),
    keep="a",
    doc="""The angle, in radians, whose tangent is each element.

    >>> import tensorgrad as tg
    >>> tg.atan(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """,
)

erf = unary(
    "erf",
    cpu.erf,
    lambda g, y, a: g * (2.0 / math.sqrt(math.pi)) * exp(-(a * a)),
    keep="a",
    doc="""The error function of each element (W. J. Cody, Mathematics of Computation 23, 1969).

    >>> import tensorgrad as tg
    >>> tg.erf(tg.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5205])
    """,
)

# Activations

tanh = unary(
    "tanh",
    cpu.tanh,
    lambda g, y, a: g - g * y * y,
    keep="y",
    doc="""The hyperbolic tangent of each element.

    >>> import tensorgrad as tg
    >>> tg.tanh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """,
)

sigmoid = unary(
    "sigmoid",
    cpu.sigmoid,
    lambda g, y, a: g * y * (1.0 - y),
    keep="y",
    doc="""`1 / (1 + exp(-input))`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.sigmoid(tg.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """,
)

relu = unary(
    "relu",
    cpu.relu,
    lambda g, y, a: g * (y > 0),
    keep="y",
    inputs="promote",
    doc="""`max(input, 0)`, elementwise; the gradient at 0 is 0.

    >>> import tensorgrad as tg
    >>> tg.relu(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
)

leaky_relu_op = primitive(
    "leaky_relu", cpu.leaky_relu, lambda g, y, a, slope: where(a > 0, g, g * slope), keep="a", inputs="float"
)
elu_op = primitive(
    "elu", cpu.elu, lambda g, y, a, alpha: g * where(a > 0, 1.0, exp(minimum(a, 0.0)) * alpha), keep="a", inputs="float"
)
softplus_op = primitive(
    "softplus",
    cpu.softplus,
    lambda g, y, a, beta, threshold: where(a * beta > threshold, g, g * sigmoid(a * beta)),
    keep="a",
    inputs="float",
)

# Comparisons, logic, tests

eq = binary(
    "eq",
    cpu.equal,
    doc="""Whether elements are equal, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.eq(tg.tensor([1, 2]), 2)
    tensor([False,  True])
    """,
)
ne = binary(
    "ne",
    cpu.not_equal,
    doc="""Whether elements differ, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.ne(tg.tensor([1, 2]), 2)
    tensor([ True, False])
    """,
)
lt = binary(
    "lt",
    cpu.less,
    doc="""`input < other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.lt(tg.tensor([1, 2]), 2)
    tensor([ True, False])
    """,
)
le = binary(
    "le",
    cpu.less_equal,
    doc="""`input <= other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.le(tg.tensor([1, 2]), 2)
    tensor([True, True])
    """,
)
gt = binary(
    "gt",
    cpu.greater,
    doc="""`input > other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.gt(tg.tensor([1, 2]), 1)
    tensor([False,  True])
    """,
)
ge = binary(
    "ge",
    cpu.greater_equal,
    doc="""`input >= other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.ge(tg.tensor([1, 2]), 1)
    tensor([True, True])
    """,
)
logical_and = binary(
    "logical_and",
    cpu.logical_and,
    doc="""Whether both elements are nonzero, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.logical_and(tg.tensor([True, True]), tg.tensor([True, False]))
    tensor([ True, False])
    """,
)
logical_or = binary(
    "logical_or",
    cpu.logical_or,
    doc="""Whether either element is nonzero, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.logical_or(tg.tensor([True, False]), tg.tensor([False, False]))
    tensor([ True, False])
    """,
)
logical_xor = binary(
    "logical_xor",
    cpu.logical_xor,
    doc="""Whether just one of the two elements is nonzero, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.logical_xor(tg.tensor([True, True]), tg.tensor([True, False]))
    tensor([False,  True])
    """,
)
logical_not = unary(
    "logical_not",
    cpu.logical_not,
    inputs="any",
    doc="""Whether each element is zero, as bool.

    >>> import tensorgrad as tg
    >>> tg.logical_not(tg.tensor([True, False]))
    tensor([False,  True])
    """,
)
bitwise_and = binary(
    "bitwise_and",
    cpu.bitwise_and,
    doc="""`input & other` of integers or bools, elementwise, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.bitwise_and(tg.tensor([6, 5]), 3)
    tensor([2, 1])
    """,
)
bitwise_or = binary(
    "bitwise_or",
    cpu.bitwise_or,
    doc="""`input | other` of integers or bools, elementwise, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.bitwise_or(tg.tensor([6, 5]), 1)
    tensor([7, 5])
    """,
)
bitwise_xor = binary(
    "bitwise_xor",
    cpu.bitwise_xor,
    doc="""`input ^ other` of integers or bools, elementwise, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.bitwise_xor(tg.tensor([6, 5]), 1)
    tensor([7, 4])
    """,
)
bitwise_not = unary(
    "bitwise_not",
    cpu.invert,
    inputs="any",
    doc="""`~input` of integers or bools, elementwise.

    >>> import tensorgrad as tg
    >>> tg.bitwise_not(tg.tensor([True, False]))
    tensor([False,  True])
    """,
)
isnan = unary(
    "isnan",
    cpu.isnan,
    inputs="any",
    doc="""Whether each element is NaN, as bool.

    >>> import tensorgrad as tg
    >>> tg.isnan(tg.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """,
)
isinf = unary(
    "isinf",
    cpu.isinf,
    inputs="any",
    doc="""Whether each element is infinite, as bool.

    >>> import tensorgrad as tg
    >>> tg.isinf(tg.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """,
)
isfinite = unary(
    "isfinite",
    cpu.isfinite,
    inputs="any",
    doc="""Whether each element is neither NaN nor infinite, as bool.

    >>> import tensorgrad as tg
    >>> tg.isfinite(tg.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """,
)

# Choosing, copying, converting

where_op = primitive(
    "where",
    cpu.where,
    None,
    lambda g, y, c, a, b: where(c, g, 0.0),
    lambda g, y, c, a, b: where(c, 0.0, g),
    keep="a",  # the letters go by position: the condition is the first input
    inputs="promote",
    promoted="bc",
)


def where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where the condition (bool) holds, else `other`; all three broadcast together.

    Only the chosen side gets a gradient. Raises `ShapeError` where the shapes do not broadcast, `DtypeError` for a
    condition of numbers.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([-1.0, 2.0])
    >>> tg.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if not isinstance(condition, bool) and condition.dtype.kind != "b":
        raise DtypeError(
            f"where: the condition must hold bools, not {condition.dtype.name}; compare it, or use .bool()"
        )
    return where_op(condition, input, other)


cast_op = primitive("cast", cpu.cast, lambda g, y, a, dtype: g)  # the walk converts the gradient back


def cast(input: Any, dtype: Any) -> Any:
    """The elements in another dtype, as a copy. The gradient comes back in the input's dtype.

    >>> import tensorgrad as tg
    >>> tg.ops.cast(tg.tensor([1.7, -1.7]), tg.int64)
    tensor([ 1, -1])
    """
    return cast_op(input, dtype=as_dtype(dtype))


clone_op = primitive("clone", cpu.clone, lambda g, y, a, order="K": g)


def clone(input: Any) -> Any:
    """A copy, with its own memory, through which gradients flow.

    >>> import tensorgrad as tg
    >>> tg.clone(tg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return clone_op(input)


# What copy_ and fill_ write: the first input's value is lost, and its gradient is zero.
copy_op = primitive("copy", cpu.copy, lambda g, y, a, b: where(False, g, 0.0), lambda g, y, a, b: g)
