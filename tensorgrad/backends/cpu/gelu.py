"""GELU and its slope together: the exponential, or the tanh, that both need is computed once."""

from __future__ import annotations

import math

import numpy as np
from numpy import add, exp, multiply, square, subtract, tanh

from tensorgrad.backends.cpu.shared import Array, in_single
from tensorgrad.backends.cpu.special import erf
from tensorgrad.backends.parallel import run
from tensorgrad.backends.threads import get_num_threads

BLOCK = 65536  # elements: the passes over a block find it in the cache

# The normal distribution function of x is (1 + tanh(x * P(x * x))) / 2. This P is the minimax fit of degree 6 for x
# between -5.6 and 5.6; its error is 3e-8, half a unit in the last place of a single-precision number near 1. Highest
# power first; that it is positive carries the tanh to its limits beyond.
_P = (1.75627741e-09, -1.32266278e-07, 3.96477314e-06, -5.53063167e-05, -3.25947445e-05, 3.63330844e-02, 7.97884941e-01)
ROOT = math.sqrt(2.0 / math.pi)


@in_single
def gelu(a: Array, approximate: str) -> tuple[Array, Array]:
    """The activation and its derivative."""
    block = _tanh if approximate == "tanh" else _single if a.dtype == np.float32 else _double
    x = np.ascontiguousarray(a).reshape(-1)
    y, slope = np.empty_like(x), np.empty_like(x)
    parts = min(get_num_threads(), -(-x.size // BLOCK)) if x.size > BLOCK else 1
    size = -(-x.size // parts)

    def work(part: int) -> None:
        stop = min((part + 1) * size, x.size)
        scratch = np.empty(min(BLOCK, size), x.dtype)
        for start in range(part * size, stop, BLOCK):
            at = slice(start, min(start + BLOCK, stop))
            block(x[at], y[at], slope[at], scratch[: x[at].size])

    run(work, parts)
    return y.reshape(a.shape), slope.reshape(a.shape)


def _single(x: Array, y: Array, slope: Array, work: Array) -> None:
    square(x, out=y)
    multiply(y, _P[0], out=work)
    for coefficient in _P[1:-1]:
        add(work, coefficient, out=work)
        multiply(work, y, out=work)
    add(work, _P[-1], out=work)
    multiply(work, x, out=work)
    tanh(work, out=work)
    multiply(work, 0.5, out=work)
    add(work, 0.5, out=work)
    _finish(x, y, slope, work)


def _double(x: Array, y: Array, slope: Array, work: Array) -> None:
    square(x, out=y)
    erf(multiply(x, math.sqrt(0.5), out=work), out=work)
    add(work, 1.0, out=work)
    multiply(work, 0.5, out=work)
    _finish(x, y, slope, work)


def _finish(x: Array, y: Array, slope: Array, work: Array) -> None:
    """From `x`, its square in `y` and the distribution function in `work`: y = x * work, slope = work + x * density."""
    multiply(y, -0.5, out=y)
    exp(y, out=y)
    multiply(y, 0.5 * ROOT, out=y)
    multiply(y, x, out=slope)
    add(slope, work, out=slope)
    multiply(x, work, out=y)


def _tanh(x: Array, y: Array, slope: Array, work: Array) -> None:
    square(x, out=slope)
    multiply(slope, 0.044715 * ROOT, out=slope)
    add(slope, ROOT, out=work)
    multiply(work, x, out=work)
    tanh(work, out=work)
    # With t the tanh: 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * d, where d = ROOT + 3 * 0.044715 * ROOT * x * x.
    multiply(slope, 3.0, out=slope)
    add(slope, ROOT, out=slope)
    square(work, out=y)
    subtract(1.0, y, out=y)
    multiply(slope, y, out=slope)
    multiply(slope, x, out=slope)
    multiply(slope, 0.5, out=slope)
    multiply(work, 0.5, out=work)
    add(work, 0.5, out=work)
    add(slope, work, out=slope)
    multiply(x, work, out=y)
