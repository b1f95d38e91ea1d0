"""Arithmetic of two or three tensors beyond the operators."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import binary, primitive
from tensorgrad.backends.cpu import special as cpu
from tensorgrad.backends.dtypes import float64
from tensorgrad.errors import DtypeError
from tensorgrad.ops.arithmetic import scaled, sub, trunc
from tensorgrad.ops.checks import must_share_dtype
from tensorgrad.ops.choose import cast, where
from tensorgrad.ops.dims import must_be_floating, rank
from tensorgrad.ops.powers import pow


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`other - alpha * input`, elementwise, broadcasting: `sub` from the right.

    >>> import tensorgrad as tg
    >>> tg.rsub(tg.tensor([1.0, 2.0]), 5)
    tensor([4., 3.])
    """
    return sub(other, input if alpha == 1 else scaled("rsub", input, input, alpha))


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """`input + value * tensor1 * tensor2`, elementwise, broadcasting. Raises `DtypeError` for a fraction of integers.

    >>> import tensorgrad as tg
    >>> tg.addcmul(tg.ones(2), tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]), value=0.5)
    tensor([2.5000, 5.0000])
    """
    product = tensor1 * tensor2
    whole = int(value) if isinstance(value, float) and value.is_integer() and product.dtype.kind != "f" else value
    return input + (product if value == 1 else scaled("addcmul", input, product, whole, "value"))


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """`input + value * tensor1 / tensor2`, elementwise, broadcasting. Raises `DtypeError` for a quotient of integers.

    >>> import tensorgrad as tg
    >>> tg.addcdiv(tg.ones(2), tg.tensor([1.0, 2.0]), tg.tensor([2.0, 4.0]))
    tensor([1.5000, 1.5000])
    """
    must_be_floating("addcdiv", tensor1, tensor2)
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else quotient * value)


# As a composition, which takes both ends' formulas and chooses, it goes over its inputs fourteen times.
lerp_op = primitive(
    "lerp",
    cpu.lerp,
    lambda g, y, a, b, w: g * (1 - w),
    lambda g, y, a, b, w: g * w,
    lambda g, y, a, b, w: g * (b - a),
    keep=("c", "c", "ab"),
    inputs="promote",
    elementwise=True,
)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """`input + weight * (end - input)`, elementwise, broadcasting; the weight is a number or a tensor.

    It is exact at weights 0 and 1. Raises `DtypeError` for integers, or where the dtypes differ.

    >>> import tensorgrad as tg
    >>> tg.lerp(tg.tensor([0.0, 10.0]), tg.tensor([10.0, 20.0]), 0.5)
    tensor([ 5., 15.])
    """
    must_be_floating("lerp", input)
    dtypes = {x.dtype for x in (input, end, weight) if hasattr(x, "dtype") and (x is end or x.ndim)}
    if dtypes - {input.dtype}:
        raise DtypeError(
            f"lerp: input, end and weight must share one dtype, and input is {input.dtype.name}, another "
            f"{(dtypes - {input.dtype}).pop().name}; convert it with .to(dtype)"
        )
    return lerp_op(input, end, weight)


def float_power(input: Any, exponent: Any) -> Any:
    """`input ** exponent`, elementwise, broadcasting, computed in float64 and given as float64.

    >>> import tensorgrad as tg
    >>> tg.float_power(tg.tensor([1, 2]), -1)
    tensor([1.0000, 0.5000], dtype=float64)
    """
    return pow(*(cast(x, float64) if hasattr(x, "dtype") else float(x) for x in (input, exponent)))


def ldexp(input: Any, other: Any) -> Any:
    """`input * 2 ** other`, elementwise, broadcasting; integers give the default floating dtype.

    Raises `DtypeError` where `other` is a number.

    >>> import tensorgrad as tg
    >>> tg.ldexp(tg.tensor([1.0, 2.0]), tg.tensor([3, -1]))
    tensor([8., 1.])
    """
    rank("ldexp", other, "other")
    if input.dtype.kind == "f" and other.dtype.kind != "f":
        other = cast(other, input.dtype)
    return input * pow(2.0, other)


fmod = binary(
    "fmod",
    cpu.modulo_truncated,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g * trunc(a / b),
    keep=("", "ab"),
    doc="""`input - other * trunc(input / other)`, elementwise: it has the sign of `input`, as C's `fmod`.

    Raises `ZeroDivisionError` for integers over 0, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.fmod(tg.tensor([-3, 3]), 2)
    tensor([-1,  1])
    """,
)

fmax = binary(
    "fmax",
    cpu.fmax,
    lambda g, y, a, b: g * ((a >= b) | (b != b)),
    lambda g, y, a, b: g * ((a < b) | ((a != a) & (b == b))),
    keep="ab",
    doc="""The larger of each pair of elements, broadcasting; of a NaN and a number, the number.

    The first of equal ones gets the gradient.

    >>> import tensorgrad as tg
    >>> tg.fmax(tg.tensor([1.0, float("nan")]), tg.tensor([2.0, 3.0]))
    tensor([2., 3.])
    """,
)

fmin = binary(
    "fmin",
    cpu.fmin,
    lambda g, y, a, b: g * ((a <= b) | (b != b)),
    lambda g, y, a, b: g * ((a > b) | ((a != a) & (b == b))),
    keep="ab",
    doc="""The smaller of each pair of elements, broadcasting; of a NaN and a number, the number.

    The first of equal ones gets the gradient.

    >>> import tensorgrad as tg
    >>> tg.fmin(tg.tensor([1.0, float("nan")]), tg.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """,
)

copysign = binary(
    "copysign",
    cpu.copysign,
    lambda g, y, a, b: where(a == 0, 0.0, g * (y / a)),
    lambda g, y, a, b: where(False, g, 0.0),
    keep=("ya", ""),
    inputs="float",
    doc="""The size of `input` with the sign of `other` (that of -0.0 too), elementwise, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.copysign(tg.tensor([1.0, -2.0]), -1.0)
    tensor([-1., -2.])
    """,
)


def heaviside(input: Any, values: Any) -> Any:
    """0 where `input` is negative, 1 where it is positive, `values` where it is 0; broadcasting.

    Only `values` gets a gradient. Raises `DtypeError` where the dtypes differ, or `values` is a number.

    >>> import tensorgrad as tg
    >>> tg.heaviside(tg.tensor([-1.0, 0.0, 2.0]), tg.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    rank("heaviside", values, "values")
    must_share_dtype("heaviside", input=input, values=values)
    return where(input == 0, values, cast(input > 0, input.dtype))


nextafter_op = binary("nextafter", cpu.nextafter)


def nextafter(input: Any, other: Any) -> Any:
    """The next floating number after `input` towards `other`, elementwise, broadcasting. It has no gradient.

    Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.nextafter(tg.tensor([1.0]), tg.tensor([2.0])).item() - 1
    1.1920928955078125e-07
    """
    must_be_floating("nextafter", input, other)
    return nextafter_op(input, other)


bitwise_left_shift = binary(
    "bitwise_left_shift",
    cpu.shift_left,
    refuses="f",
    doc="""`input << other` of integers, elementwise, broadcasting. Raises `DtypeError` for others.

    >>> import tensorgrad as tg
    >>> tg.bitwise_left_shift(tg.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """,
)

bitwise_right_shift = binary(
    "bitwise_right_shift",
    cpu.shift_right,
    refuses="f",
    doc="""`input >> other` of integers, elementwise, broadcasting; the sign is kept. Raises `DtypeError` for others.

    >>> import tensorgrad as tg
    >>> tg.bitwise_right_shift(tg.tensor([4, -12]), 2)
    tensor([ 1, -3])
    """,
)
