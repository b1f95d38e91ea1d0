"""Trigonometry, special functions, and what else works element by element and is loaded late."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from catalogue.rows import Row, between, binary, integers, positive, real, unary
from tensorgrad import ops

erf, erfc, lgamma = (np.vectorize(f, otypes=[float]) for f in (math.erf, math.erfc, math.lgamma))
INSIDE = between(-0.9, 0.9, 3, 4)


def _digamma(x: np.ndarray) -> np.ndarray:
    """By its asymptotic series at x + 100, and the recurrence from there."""
    z = x + 100
    series = np.log(z) - 1 / (2 * z) - 1 / (12 * z**2) + 1 / (120 * z**4)
    return series - sum((1 / (x + k) for k in range(100)), np.zeros(x.shape))


def _erfinv(y: np.ndarray) -> np.ndarray:
    return np.vectorize(NormalDist().inv_cdf, otypes=[float])((y + 1) / 2) / math.sqrt(2)


ROWS = [
    # Trigonometry
    unary("tan", ops.tan, np.tan, between(-1.0, 1.0, 3, 4)),
    unary("asin", ops.asin, np.arcsin, INSIDE),
    unary("acos", ops.acos, np.arccos, INSIDE),
    unary("atan", ops.atan, np.arctan),
    binary("atan2", ops.atan2, np.arctan2, positive(3, 1), real(4)),
    unary("sinh", ops.sinh, np.sinh),
    unary("cosh", ops.cosh, np.cosh),
    unary("asinh", ops.asinh, np.arcsinh),
    unary("acosh", ops.acosh, np.arccosh, between(1.2, 4.0, 3, 4)),
    unary("atanh", ops.atanh, np.arctanh, INSIDE),
    Row(
        "lerp",
        ops.lerp,
        lambda a, b, w: a + w * (b - a),
        (real(3, 4), real(3, 1), real(4, kinks=(0.5, -0.5))),
        elementwise=True,
    ),
    binary("hypot", ops.hypot, np.hypot, positive(3, 1), real(4)),
    unary("sinc", ops.sinc, np.sinc, real(3, 4, kinks=(0.0,))),
    # Special functions
    unary("erf", ops.erf, erf),
    unary("erfc", ops.erfc, erfc),
    unary("erfinv", ops.erfinv, _erfinv, INSIDE),
    unary("lgamma", ops.lgamma, lgamma, positive(3, 4)),
    unary("polygamma", ops.digamma, _digamma, positive(3, 4)),
    unary("exp2", ops.exp2, np.exp2),
    unary("logit", ops.logit, lambda a: np.log(a / (1.0 - a)), between(0.1, 0.9, 3, 4)),
    binary("xlogy", ops.xlogy, lambda a, b: a * np.log(b), real(3, 1), positive(4)),
    binary("logaddexp", ops.logaddexp, np.logaddexp),
    binary("logaddexp2", ops.logaddexp2, np.logaddexp2),
    # Combining
    # Quotients between -3 and -2, away from the jumps: there floor and trunc differ, and neither is 0.
    binary("fmod", ops.fmod, np.fmod, between(-2.8, -2.2, 3, 1), between(1.05, 1.09, 4)),
    binary("fmax", ops.fmax, np.fmax, between(-1.0, 1.0, 3, 1), between(-2.0, 2.0, 4)),
    binary("fmin", ops.fmin, np.fmin, between(-1.0, 1.0, 3, 1), between(-2.0, 2.0, 4)),
    unary("copysign", lambda a: ops.copysign(a, -1.0), lambda a: np.copysign(a, -1.0), real(3, 4, kinks=(0.0,))),
    binary("nextafter", ops.nextafter, np.nextafter),
    binary("bitwise_left_shift", ops.bitwise_left_shift, np.left_shift, integers(0, 9, 3, 1), integers(0, 9, 4)),
    binary("bitwise_right_shift", ops.bitwise_right_shift, np.right_shift, integers(0, 99, 3, 1), integers(0, 9, 4)),
    # Tests and bounds
    unary("signbit", ops.signbit, np.signbit),
    unary("nan_to_num", ops.nan_to_num, np.nan_to_num),
]
