"""Kernels that run along a dimension: cumulative sums, products, extremes, and linear recurrences."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy import add, logaddexp, maximum, minimum, multiply

from tensorgrad.backends.cpu.shared import Array, in_single


def _total(a: Array) -> Any:
    return a.dtype if a.dtype.kind == "f" else np.int64


@in_single
def cumsum(a: Array, dim: int, reverse: bool = False) -> Array:
    """The running sum along a dimension, from its end if `reverse`."""
    x = np.flip(a, dim) if reverse else a
    y = _blockwise(x, dim) if a.dtype.kind == "f" and a.shape[dim] >= BLOCK and a.size >= MANY else None
    if y is None:
        y = np.empty(a.shape, _total(a))
        add.accumulate(x, dim, out=np.flip(y, dim) if reverse else y)
        return y
    return np.ascontiguousarray(np.flip(y, dim)) if reverse else y


MANY, BLOCK = 2048, 32


@functools.cache
def _triangle(dtype: np.dtype[Any]) -> Array:
    return np.tril(np.ones((BLOCK, BLOCK), dtype))


def _blockwise(a: Array, dim: int) -> Array | None:
    """Running sums, as products of the blocks of a dimension with a triangle of ones, and sums of the blocks before.

    NumPy's own add one element after the other, each when the last is done. None where something is not finite: in
    the product, that would reach elements before it.
    """
    outer, n, inner = math.prod(a.shape[:dim]), a.shape[dim], math.prod(a.shape[dim + 1 :])
    x, whole = a.reshape(outer, n, inner), n - n % BLOCK
    blocks = x[:, :whole].reshape(outer, -1, BLOCK, inner)
    triangle = _triangle(a.dtype)
    y = triangle @ blocks if inner > 1 else (blocks.reshape(-1, BLOCK) @ triangle.T).reshape(blocks.shape)
    ends = add.accumulate(y[:, :, -1], 1)
    if not np.isfinite(ends[:, -1]).all():
        return None
    y[:, 1:] += ends[:, :-1, None]
    y = y.reshape(outer, whole, inner)
    if whole < n:
        rest = add.accumulate(x[:, whole:], 1)
        rest += ends[:, -1:]
        y = np.concatenate((y, rest), 1)
    return y.reshape(a.shape)


@in_single
def cumprod(a: Array, dim: int) -> Array:
    return multiply.accumulate(a, dim, dtype=_total(a))


@in_single
def logcumsumexp(a: Array, dim: int) -> Array:
    return logaddexp.accumulate(a, dim)


def cumulative_index(a: Array, dim: int, largest: bool) -> Array:
    """The index of the largest (or smallest) element so far along a dimension: the last of equal ones, and of NaN."""
    so_far = (maximum if largest else minimum).accumulate(a, dim)
    places = np.arange(a.shape[dim]).reshape(-1, *(1,) * (a.ndim - 1 - dim))
    return maximum.accumulate(np.where((a == so_far) | (a != a), places, 0), dim)


def recurrence(a: Array, b: Array, dim: int, reverse: bool) -> Array:
    """y[k] = a[k] + b[k - 1] * y[k - 1] along a dimension; from its end, if `reverse`, y[k] = a[k] + b[k] * y[k + 1].

    By doubling: after step i, y[k] reaches back over 2**i elements, and b[k] is the product of the factors over them.
    """
    y = np.array(a, np.result_type(a, b))
    along, b = np.moveaxis(y, dim, 0), np.moveaxis(b, dim, 0)
    if reverse:
        along, b = along[::-1], b[::-1]
    reach = 1
    while reach < len(along):
        along[reach:] += b * along[:-reach]
        b = b[reach:] * b[:-reach]
        reach *= 2
    return y
