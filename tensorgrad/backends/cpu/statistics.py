"""Kernels of variances and norms."""

from __future__ import annotations

import math

import numpy as np
from numpy import absolute, sqrt

from tensorgrad.backends.cpu.reduce import add_up
from tensorgrad.backends.cpu.shared import Array, Dims, in_single


def sum_of_squares(a: Array, dim: Dims, keepdim: bool) -> Array:
    """The sum of squares over dimensions, without an array of them where those come last."""
    if dim == tuple(range(a.ndim - len(dim), a.ndim)) and dim and a.flags.c_contiguous and a.size:
        lead = a.shape[: a.ndim - len(dim)]
        rows = a.reshape(math.prod(lead), -1)
        return np.vecdot(rows, rows).reshape((*lead, *(1,) * len(dim)) if keepdim else lead)
    return add_up(a * a, dim, keepdim)


@in_single
def variance(a: Array, dim: Dims, keepdim: bool, correction: float) -> Array:
    """Squared deviations from the mean, summed, over n - correction; where that is not above 0, infinity or NaN."""
    count = math.prod(a.shape[d] for d in dim)
    if count:  # of equal elements, whose mean need not be exact, it is 0
        a = a - a[tuple(slice(0, 1) if d in dim else slice(None) for d in range(a.ndim))]
    deviations = a - add_up(a, dim, True) * a.dtype.type(1.0 / count if count else math.nan)
    y = sum_of_squares(deviations, dim, keepdim)
    return y * a.dtype.type(1.0 / (count - correction) if count > correction else math.inf if count else math.nan)


@in_single
def deviation(a: Array, dim: Dims, keepdim: bool, correction: float) -> Array:
    return sqrt(variance(a, dim, keepdim, correction))


@in_single
def vector_norm(a: Array, dim: Dims, keepdim: bool) -> Array:
    return sqrt(sum_of_squares(a, dim, keepdim))


@in_single
def p_norm(a: Array, dim: Dims, keepdim: bool, p: float) -> Array:
    return add_up(absolute(a) ** p, dim, keepdim) ** (1.0 / p)
