"""Elementwise kernels: NumPy's ufuncs as they are, and those that NumPy lacks or has slower.

From `_MANY` elements on, what takes more calls of NumPy pays where each of them uses the processor's vectors.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
from numpy import (
    absolute,
    add,
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
    tanh,
    true_divide,
    trunc,
)

from tensorgrad.backends.cpu.shared import Array, Kernel, finish
from tensorgrad.backends.dtypes import refuse_bools
from tensorgrad.errors import DtypeError

_MANY = 4096


def check_division(name: str, a: Any, b: Any) -> None:
    """Raise where NumPy would give int8 for bools, and 0 for integers over 0."""
    if (a if isinstance(a, np.ndarray) else b).dtype.kind != "f":
        refuse_bools(name, a, b)
        if not np.all(b):
            raise ZeroDivisionError(f"{name}: an integer divided by 0; convert to a floating dtype for inf and NaN")


def floor_quotient(a: Array, b: Array, out: Array | None = None) -> Array:
    check_division("floor_divide", a, b)
    return floor_divide(a, b, out=out)


def modulo(a: Array, b: Array, out: Array | None = None) -> Array:
    check_division("remainder", a, b)
    return remainder(a, b, out=out)


def power_of(a: Any, b: Any, out: Array | None = None) -> Array:
    dtype = (a if isinstance(a, np.ndarray) else b).dtype
    if dtype.kind != "b":
        try:
            return power(a, b, out=out)
        except ValueError as error:
            if "negative integer powers" not in str(error):
                raise
            raise DtypeError("pow: integers have no negative powers; convert the base with .float()") from None
    if isinstance(b, bool):
        return logical_or(a, not b, out=out)
    raise DtypeError("pow: it does not take bools to the power of bools; convert one with .long()")


def sigmoid(a: Array, out: Array | None = None) -> Array:
    wide = a.dtype.kind == "f" and a.dtype != np.float16
    x = a if wide else a.astype(np.float32)
    y = negative(x, out=out if wide and out is not None else np.empty_like(x))
    true_divide(1.0, add(exp(y, out=y), 1.0, out=y), out=y)
    return y if wide or a.dtype.kind != "f" else finish(y.astype(a.dtype), out)


def inverse(a: Array, out: Array | None = None) -> Array:
    return true_divide(1.0, a, out=out)  # quicker than NumPy's reciprocal, which rounds integers


def squared(a: Array, out: Array | None = None) -> Array:
    return square(a, out=out) if a.dtype.kind != "b" else square(a, out=out, dtype=np.int64)


def signum(a: Array, out: Array | None = None) -> Array:
    if a.dtype.kind == "b":
        return logical_or(a, False, out=out)
    y = np.empty_like(a) if out is None else out
    if a.dtype.kind == "f" and a.size >= _MANY:
        return subtract(greater(a, 0).view(np.int8), less(a, 0).view(np.int8), out=y)
    sign(a, out=y)
    if a.dtype.kind == "f":
        np.copyto(y, 0, where=isnan(y))
    return y


def without_bools(name: str, kernel: Kernel) -> Kernel:
    """A kernel that refuses bools, as PyTorch does."""

    def checked(a: Array, out: Array | None = None) -> Array:
        if a.dtype.kind == "b":
            refuse_bools(name, a)
        return kernel(a, out=out)

    return checked


def nearest(a: Array, out: Array | None = None) -> Array:
    return rint(a, out=out) if a.dtype.kind == "f" else floor(a, out=out)  # which keeps integers


magnitude = without_bools("abs", absolute)
floor_of, ceil_of = without_bools("floor", floor), without_bools("ceil", ceil)
trunc_of, round_of = without_bools("trunc", trunc), without_bools("round", nearest)


def rsqrt(a: Array, out: Array | None = None) -> Array:
    return true_divide(1.0, sqrt(a, out=out), out=out)


@partial(without_bools, "relu")
def relu(a: Array, out: Array | None = None) -> Array:
    if a.size < _MANY or a.dtype.kind != "f":
        return maximum(a, 0, out=out)
    return a.clip(0, np.inf, out=out)


def clamp(a: Array, min: float | None, max: float | None, out: Array | None = None) -> Array:
    if a.dtype.kind == "f":
        return a.clip(-np.inf if min is None else min, np.inf if max is None else max, out=out)
    return finish(np.clip(a, min, max), out)


def where(c: Any, a: Any, b: Any) -> Array:
    if c.__class__ is bool:
        y = np.empty(np.broadcast(a, b).shape, np.result_type(a, b))
        y[...] = a if c else b
        return y
    if not isinstance(c, np.ndarray) or c.size < _MANY:
        return np.where(c, a, b)
    dtype = np.result_type(a, b)
    if dtype.itemsize > 4:
        return np.where(c, a, b)
    # np.where branches on each element. Here the mask becomes words of ones or zeros, which choose between the bits.
    bits = np.dtype(f"i{dtype.itemsize}")
    p, q = (np.asarray(x, dtype).view(bits) for x in (a, b))
    if not q.ndim and not q:
        y = bitwise_and(p, negative(c.view(np.int8), dtype=bits))
    elif not p.ndim and not p:
        y = bitwise_and(q, subtract(c.view(np.int8), 1, dtype=bits))
    else:
        y = bitwise_and(bitwise_xor(p, q), negative(c.view(np.int8), dtype=bits))
        bitwise_xor(y, q, out=y)
    return y.view(dtype)


def cast(a: Array, dtype: np.dtype[Any]) -> Array:
    return a.astype(dtype)


def clone(a: Array, order: Literal["K", "C"] = "K") -> Array:
    return np.array(a, order=order)


def copy(a: Array, b: Any, out: Array | None = None) -> Array:
    y = np.empty_like(a) if out is None else out
    np.copyto(y, np.asarray(b) if b.__class__ is int else b, casting="unsafe")  # -1 is 255 in uint8, as in PyTorch
    return y
