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


_WIDE = 512  # elements at one place of the dimension, from which on one operation on them all is the quickest


def _accumulate(ufunc: Any, a: Array, dim: int, dtype: Any) -> Array:
    if a.size < _WIDE * a.shape[dim] or not a.size:
        return ufunc.accumulate(a, dim, dtype=dtype)
    y = np.array(a, dtype, order="C")
    along = np.moveaxis(y, dim, 0)
    for k in range(1, len(along)):
        ufunc(along[k - 1], along[k], out=along[k])
    return y


@in_single
def cumprod(a: Array, dim: int) -> Array:
    return _accumulate(multiply, a, dim, _total(a))


@in_single
def logcumsumexp(a: Array, dim: int) -> Array:
    return logaddexp.accumulate(a, dim)


def cumulative_index(a: Array, dim: int, largest: bool) -> Array:
    """The index of the largest (or smallest) element so far along a dimension: the last of equal ones, and of NaN."""
    so_far = _accumulate(maximum if largest else minimum, a, dim, a.dtype)
    hits = np.moveaxis((a == so_far) | (a != a), dim, -1)
    places = np.flatnonzero(hits)  # each holds up to the next; the first of a row always is one
    lengths = np.concatenate((places[1:], (hits.size,))) - places
    index = np.repeat(places % max(1, a.shape[dim]), lengths).reshape(hits.shape)
    return np.ascontiguousarray(np.moveaxis(index, -1, dim))


def recurrence(a: Array, b: Array, dim: int, reverse: bool) -> Array:
    """y[k] = a[k] + b[k - 1] * y[k - 1] along a dimension; from its end, if `reverse`, y[k] = a[k] + b[k] * y[k + 1].

    Where many are at one k, one k after the other. Else by doubling: after step i, y[k] reaches back over 2**i
    elements, and b[k] is the product of the factors over them.
    """
    y = np.array(np.moveaxis(a, dim, 0), np.result_type(a, b), order="C")  # of which each part is contiguous
    along, b = y, np.ascontiguousarray(np.moveaxis(b, dim, 0))
    if reverse:
        along, b = along[::-1], b[::-1]
    if y.size >= _WIDE * len(y):
        for k in range(1, len(y)):
            along[k] += b[k - 1] * along[k - 1]
    else:
        reach = 1
        while reach < len(y):
            along[reach:] += b * along[:-reach]
            b = b[reach:] * b[:-reach]
            reach *= 2
    return np.ascontiguousarray(np.moveaxis(y, 0, dim))
