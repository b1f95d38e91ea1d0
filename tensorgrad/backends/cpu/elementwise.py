"""Elementwise kernels: NumPy's ufuncs as they are, and those that NumPy lacks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy import (
    absolute,
    add,
    arctan,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    ceil,
    cos,
    equal,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    invert,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    remainder,
    rint,
    sign,
    sin,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    true_divide,
    trunc,
)

from tensorgrad.backends.cpu.shared import Array, finish
from tensorgrad.errors import DtypeError


def _check_division(name: str, a: Any, b: Any) -> None:
    """Raise where NumPy would give int8 for bools, and 0 for integers over 0."""
    kind = (a if isinstance(a, np.ndarray) else b).dtype.kind
    if kind == "b":
        raise DtypeError(f"{name}: it does not take bools; convert one with .long()")
    if kind != "f" and not np.all(b):
        raise ZeroDivisionError(f"{name}: an integer divided by 0; convert to a floating dtype for inf and NaN")


def floor_quotient(a: Array, b: Array, out: Array | None = None) -> Array:
    _check_division("floor_divide", a, b)
    return floor_divide(a, b, out=out)


def modulo(a: Array, b: Array, out: Array | None = None) -> Array:
    _check_division("remainder", a, b)
    return remainder(a, b, out=out)


def power_of(a: Any, b: Any, out: Array | None = None) -> Array:
    if (a if isinstance(a, np.ndarray) else b).dtype.kind != "b":
        return power(a, b, out=out)
    if isinstance(b, bool):
        return logical_or(a, not b, out=out)
    raise DtypeError("pow: it does not take bools to the power of bools; convert one with .long()")


def sigmoid(a: Array, out: Array | None = None) -> Array:
    y = exp(negative(a if a.dtype.kind == "f" else a.astype(np.float32)), out=out)
    y = add(y, 1.0, out=out)
    return reciprocal(y, out=out)


def inverse(a: Array, out: Array | None = None) -> Array:
    return reciprocal(a, out=out) if a.dtype.kind == "f" else true_divide(1.0, a, out=out)


def squared(a: Array, out: Array | None = None) -> Array:
    return square(a, out=out) if a.dtype.kind != "b" else square(a, out=out, dtype=np.int64)


def signum(a: Array, out: Array | None = None) -> Array:
    return sign(a, out=out) if a.dtype.kind != "b" else finish(a.copy(), out)


def rsqrt(a: Array, out: Array | None = None) -> Array:
    return reciprocal(sqrt(a, out=out), out=out)


def relu(a: Array, out: Array | None = None) -> Array:
    return maximum(a, 0, out=out)


def clamp(a: Array, min: float | None, max: float | None, out: Array | None = None) -> Array:
    return finish(np.clip(a, min, max), out)


def where(c: Array, a: Array, b: Array) -> Array:
    return np.where(c, a, b)


def cast(a: Array, dtype: np.dtype[Any]) -> Array:
    return a.astype(dtype)


def clone(a: Array, order: Literal["K", "C"] = "K") -> Array:
    return np.array(a, order=order)


def copy(a: Array, b: Any, out: Array | None = None) -> Array:
    y = np.empty_like(a) if out is None else out
    np.copyto(y, b, casting="unsafe")
    return y


# erf by the rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function",
# Mathematics of Computation 23 (1969), with the coefficients of the Cephes library: double precision everywhere.
_ERF_P = (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
          5.55923013010394962768e4)  # fmt: skip
_ERF_Q = (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4,
          4.92673942608635921086e4)  # fmt: skip
_ERFC_P = (2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0, 4.86371970985681366614e1,
           1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3,
           5.57535335369399327526e2)  # fmt: skip
_ERFC_Q = (1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
           1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3,
           5.57535340817727675546e2)  # fmt: skip


def erf(a: Array, out: Array | None = None) -> Array:
    x = a.astype(np.float64, copy=False)
    z = x * x
    small = x * np.polyval(_ERF_P, z) / np.polyval(_ERF_Q, z)
    r = minimum(absolute(x), 6.0)  # erf rounds to 1 from there on
    large = np.copysign(1.0 - exp(-r * r) * np.polyval(_ERFC_P, r) / np.polyval(_ERFC_Q, r), x)
    y = np.where(absolute(x) < 1.0, small, large)
    y = np.where(isnan(x), x, y)
    return finish(y.astype(a.dtype, copy=False) if a.dtype.kind == "f" else y, out)
