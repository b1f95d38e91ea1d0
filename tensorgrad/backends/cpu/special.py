"""Kernels of special functions, and of the elementwise functions that are seldom used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import (
    absolute,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    clip,
    copysign,
    cosh,
    deg2rad,
    exp,
    exp2,
    float_power,
    fmax,
    fmin,
    fmod,
    heaviside,
    hypot,
    left_shift,
    log,
    logaddexp,
    logaddexp2,
    multiply,
    nextafter,
    positive,
    rad2deg,
    right_shift,
    signbit,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from tensorgrad.backends.cpu.blocks import each_block
from tensorgrad.backends.cpu.elementwise import check_division, where
from tensorgrad.backends.cpu.shared import Array, Kernel, finish, in_single
from tensorgrad.backends.dtypes import refuse_bools


def polynomial(x: Array, coefficients: Sequence[float]) -> Array:
    """The polynomial with these coefficients, the highest power's first, by Horner's rule in one array."""
    y = multiply(x, coefficients[0], out=np.empty_like(x))
    for c in coefficients[1:-1]:
        y += c
        y *= x
    y += coefficients[-1]
    return y


def in_double(kernel: Kernel) -> Kernel:
    """A kernel that computes in float64, whatever the floating dtype."""

    def wide(a: Array, *args: Any, out: Array | None = None) -> Array:
        y = kernel(a.astype(np.float64, copy=False), *args)
        return finish(y.astype(a.dtype, copy=False) if a.dtype.kind == "f" else y, out)

    return wide


# In single precision the error function is tanh(x p(x * x)). The polynomial is the best one for the relative error of
# the result, which is 7e-8 before rounding; from 3.95 on the result rounds to 1.
_SINGLE = (5.421675823276051e-9, 2.7574273306143512e-8, -4.794588737127091e-6, 8.459651446153564e-5,
           -6.148380999720088e-4, -1.9528829867680817e-4, 1.0276986417673148e-1, 1.1283792471812615)  # fmt: skip

# In double precision, the rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error
# function", Mathematics of Computation 23 (1969), with the coefficients of the Cephes library: erf up to 1, and
# erfc * exp(x * x) up to 8 and from there on.
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
_TAIL_R = (5.64189583547755073984e-1, 1.27536670759978104416e0, 5.01905042251180477414e0, 6.16021097993053585195e0,
           7.40974269950448939160e0, 2.97886665372100240670e0)  # fmt: skip
_TAIL_S = (1.0, 2.26052863220117276590e0, 9.39603524938001434673e0, 1.20489539808096656605e1, 1.70814450747565897222e1,
           9.60896809063285878198e0, 3.36907645100081516050e0)  # fmt: skip


def erf(a: Array, out: Array | None = None) -> Array:
    if a.dtype != np.float32:
        return erf_half(a, out=out) if a.dtype == np.float16 else erf_double(a, out=out)
    x = clip(a, -3.95, 3.95)
    y = polynomial(x * x, _SINGLE)
    y *= x
    return tanh(y, out=y if out is None else out)


erf_half = in_single(erf)


def _erf_small(x: Array) -> Array:
    z = x * x
    return x * polynomial(z, _ERF_P) / polynomial(z, _ERF_Q)


@in_double
def erf_double(x: Array) -> Array:
    r = absolute(x).clip(0.0, 6.0)  # the result rounds to 1 from there on
    large = copysign(1.0 - exp(-r * r) * polynomial(r, _ERFC_P) / polynomial(r, _ERFC_Q), x)
    return np.where(r < 1.0, _erf_small(x.clip(-1.0, 1.0)), large)


@in_double
def erfc(x: Array) -> Array:
    r = absolute(x).clip(0.0, 28.0)  # the result is 0 from there on
    middle, far = r.clip(1.0, 8.0), r.clip(8.0, 28.0)
    near_tail = polynomial(middle, _ERFC_P) / polynomial(middle, _ERFC_Q)
    far_tail = polynomial(far, _TAIL_R) / polynomial(far, _TAIL_S)
    tail = np.where(r < 8.0, near_tail, far_tail) * exp(-r * r)
    return np.where(r < 1.0, 1.0 - _erf_small(x.clip(-1.0, 1.0)), np.where(x < 0.0, 2.0 - tail, tail))


# The inverse error function starts from rational approximations, in the middle and at the ends, as PyTorch's does.
_MIDDLE = (-0.140543331, 0.914624893, -1.645349621, 0.886226899), (0.012229801, -0.329097515, 1.442710462,
           -2.118377725, 1.0)  # fmt: skip
_ENDS = (1.641345311, 3.429567803, -1.624906493, -1.970840454), (1.637067800, 3.543889200, 1.0)


# For single precision it is y P(-log(1 - y * y)), P being the best polynomial for the relative error, which is 4e-8, up
# to the largest number below 1. Its argument is taken from [0, 16.7] to [-1, 1].
_INVERSE = (-4.09997543478e-3, -4.64844790575e-3, 2.59717544439e-2, 7.05855368965e-3, -5.7341643121e-2,
            1.95732107764e-2, 3.38982596789e-2, -2.72723062398e-2, 2.5593958073e-2, -4.51496000082e-2, 4.15257817841e-2,
            -8.31619329641e-3, -4.64462696904e-2, 1.35455771451e-1, -3.34954244587e-1, 1.44377435576,
            2.72255468422)  # fmt: skip


def erfinv(a: Array, out: Array | None = None) -> Array:
    return (erfinv_single if a.dtype in (np.float32, np.float16) else erfinv_double)(a, out=out)


@in_double
def erfinv_single(y: Array) -> Array:
    x, flat = np.empty(y.size), y.reshape(-1)

    def block(part: slice) -> None:
        size = absolute(flat[part])
        z = clip((1.0 - size) * (1.0 + size), 2.0**-24, None)
        x[part] = flat[part] * polynomial(log(z) * (-2.0 / 16.7) - 1.0, _INVERSE)
        x[part][size == 1.0] *= np.inf
        x[part][size > 1.0] = np.nan

    each_block(block, y.size, 1)
    return x.reshape(y.shape)


@in_double
def erfinv_double(y: Array) -> Array:
    size = absolute(y)
    middle = size <= 0.7
    z = y * y
    x = size * polynomial(z, _MIDDLE[0]) / polynomial(z, _MIDDLE[1])
    z = sqrt(-log((1.0 - size) * 0.5))
    x = np.where(middle, x, polynomial(z, _ENDS[0]) / polynomial(z, _ENDS[1]))
    for _ in range(2):  # Newton's steps; at the ends from the complement, which has more digits there
        over = np.where(middle, erf_double(x) - size, 1.0 - size - erfc(x))
        x = x - over / (2.0 / math.sqrt(math.pi) * exp(-x * x))
    return copysign(np.where(size < 1.0, x, np.where(size == 1.0, np.inf, np.nan)), y)


# The logarithm of the gamma function and its derivatives: Stirling's series from `_FAR` on, and below that the
# recurrence that leads there; left of 1/2 by reflection. The series' coefficients are the Bernoulli numbers B2, B4, ...
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
_FAR = 12


@in_double
def lgamma(x: Array) -> Array:
    mirrored = x < 0.5
    z = np.where(mirrored, 1.0 - x, x)
    product = np.ones_like(z)
    for _ in range(_FAR):
        near = z < _FAR
        product *= np.where(near, z, 1.0)
        z = z + near
    series = polynomial(1.0 / (z * z), [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1)][::-1])
    y = (z - 0.5) * log(z) - z + 0.5 * math.log(2.0 * math.pi) + series / z - log(product)
    y = np.where(np.isinf(z), np.inf, np.where((x == 1.0) | (x == 2.0), 0.0, y))
    reflected = math.log(math.pi) - log(absolute(sin(math.pi * _fraction(x)))) - y
    return np.where(mirrored, np.where(np.isinf(x), np.inf, reflected), y)


def _fraction(x: Array) -> Array:
    """How far x is from the nearest whole number: functions of pi x then lose no digits. -0.0 stays what it is."""
    return np.where(x == 0, x, x - np.rint(x))


def polygamma(a: Array, n: int, out: Array | None = None) -> Array:
    return _polygamma(a, n, out=out)


@in_double
def _polygamma(x: Array, n: int) -> Array:
    mirrored = x < 0.5
    z = np.where(mirrored, 1.0 - x, x)
    sign, factorial = (-1.0) ** (n + 1), float(math.factorial(n))
    total = np.zeros_like(z)
    for _ in range(_FAR + n):
        near = z < _FAR + n
        total += np.where(near, sign * factorial / z ** (n + 1), 0.0)
        z = z + near
    w = 1.0 / z
    y = log(z) if n == 0 else sign * math.factorial(n - 1) * w**n
    y = y + sign * factorial * 0.5 * w ** (n + 1)
    for k, b in enumerate(_BERNOULLI, 1):
        y += sign * b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) * w ** (2 * k + n)
    y += total
    y = np.where(mirrored, (-1.0) ** n * y - math.pi * _cotangent(x, n), y)
    return np.where((x < 0.0) & (x == np.rint(x)), np.nan, y) if n == 0 else y


def _cotangent(x: Array, n: int) -> Array:
    """The n-th derivative of cot(pi x): a polynomial in the cotangent, of which d/dx is -pi (1 + cot**2) d/dcot."""
    p = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(n):
        p = p.deriv() * np.polynomial.Polynomial([-math.pi, 0.0, -math.pi])
    return polynomial(1.0 / tan(math.pi * _fraction(x)), p.coef[::-1].tolist())


@in_single
def logit(a: Array, low: float, high: float, out: Array | None = None) -> Array:
    x = np.where(a < low, low, np.where(a > high, high, a)).astype(a.dtype, copy=False)
    return finish(log(x) - np.log1p(-x), out)


@in_single
def sinc(a: Array, out: Array | None = None) -> Array:
    x = np.where(a == 0, 1e-20, a) * math.pi
    return finish(sin(x) / x, out)


def xlogy(a: Any, b: Any, out: Array | None = None) -> Array:
    dtype = (a if isinstance(a, np.ndarray) else b).dtype
    x, z = np.asarray(a, dtype), np.asarray(b, dtype)
    return finish(np.where((x == 0) & ~np.isnan(z), 0, x * log(z)).astype(dtype, copy=False), out)


@in_single
def lerp(a: Array, b: Any, weight: Any) -> Array:
    y = b - a
    if np.ndim(weight):
        far = absolute(weight) >= 0.5
        y = y * (weight - far)
        y += where(far, b, a)
    else:
        w = float(weight)
        far = not -0.5 < w < 0.5
        y *= w - far
        y += b if far else a
    return y


def modulo_truncated(a: Array, b: Array, out: Array | None = None) -> Array:
    check_division("fmod", a, b)
    return fmod(a, b, out=out)


def shift_left(a: Any, b: Any, out: Array | None = None) -> Array:
    refuse_bools("bitwise_left_shift", a, b)
    return left_shift(a, b, out=out)


def shift_right(a: Any, b: Any, out: Array | None = None) -> Array:
    refuse_bools("bitwise_right_shift", a, b)
    return right_shift(a, b, out=out)


def nan_to_num(a: Array, nan: float, posinf: float | None, neginf: float | None, out: Array | None = None) -> Array:
    return finish(np.nan_to_num(a, nan=nan, posinf=posinf, neginf=neginf), out)
