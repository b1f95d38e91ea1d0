"""Kernels of reductions, and of softmax."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy import (
    add,
    exp,
    isfinite,
    log,
    logical_and,
    logical_or,
    maximum,
    minimum,
    multiply,
    subtract,
    true_divide,
)

from tensorgrad.backends.cpu.shared import Array, Dims, in_single


def _total(dtype: np.dtype[Any]) -> Any:
    return None if dtype.kind == "f" else np.int64


def _reduce(ufunc: Any, a: Array, dim: Dims, keepdim: bool, dtype: Any = None) -> Array:
    return ufunc.reduce(a, axis=dim, keepdims=keepdim, dtype=dtype)


_BLOCK = 256
_LONG = 1024  # up to here adding in a row's order, in as many sums as a vector holds, is as exact as adding in pairs
_MANY = 512  # elements: for fewer, what NumPy does is soon enough done


@functools.lru_cache(maxsize=64)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    y = np.ones(n, dtype)
    y.flags.writeable = False
    return y


def add_up(a: Array, dim: Dims, keepdim: bool) -> Array:
    """The sum over dimensions.

    NumPy adds up many short rows slowly, and where other dimensions follow in memory it adds row to row, so that the
    rounding error grows with their number. Of contiguous arrays the sum is a product with ones instead, in blocks.
    """
    run = len(dim) and dim[-1] - dim[0] == len(dim) - 1
    if not (run and a.size >= _MANY and a.dtype.kind == "f" and a.flags.c_contiguous):
        return _reduce(add, a, dim, keepdim, _total(a.dtype))
    lead, tail = a.shape[: dim[0]], a.shape[dim[-1] + 1 :]
    rows = math.prod(a.shape[d] for d in dim)
    shape = (*lead, *((1,) * len(dim) if keepdim else ()), *tail)
    if math.prod(tail) == 1:
        return _rows(a.reshape(-1, rows)).reshape(shape)
    return _columns(a.reshape(math.prod(lead), rows, math.prod(tail))).reshape(shape)


def _rows(a: Array) -> Array:
    """The sum of each row."""
    n = a.shape[1]
    if n <= _LONG:
        return a @ _ones(n, a.dtype)
    if len(a) > 1:
        return add.reduce(a, axis=1)
    whole = n - n % _LONG
    return add.reduce(_rows(a[0, :whole].reshape(-1, _LONG)), keepdims=True) + add.reduce(a[0, whole:])


def _columns(a: Array) -> Array:
    """The sums over the middle one of three dimensions."""
    rows = a.shape[1]
    while rows >= 2 * _BLOCK:
        whole = rows - rows % _BLOCK
        parts = _ones(_BLOCK, a.dtype) @ a[:, :whole].reshape(len(a), -1, _BLOCK, a.shape[2])
        a = parts if whole == rows else np.concatenate([parts, a[:, whole:]], axis=1)
        rows = a.shape[1]
    return _ones(rows, a.dtype) @ a


@in_single
def reduce_sum(a: Array, dim: Dims, keepdim: bool) -> Array:
    return add_up(a, dim, keepdim)


@in_single
def reduce_mean(a: Array, dim: Dims, keepdim: bool) -> Array:
    count = math.prod(a.shape[d] for d in dim)
    return add_up(a, dim, keepdim) * a.dtype.type(1.0 / count if count else math.nan)


@in_single
def reduce_prod(a: Array, dim: Dims, keepdim: bool) -> Array:
    if dim == (a.ndim - 1,) and a.size >= _MANY and a.dtype.kind == "f":
        while (n := a.shape[-1]) >= 16:  # one half times the other, as vectors: NumPy takes one after the other
            y = a[..., : n // 2] * a[..., n - n // 2 :]
            if n % 2:
                y[..., 0] *= a[..., n // 2]
            a = y
    return _reduce(multiply, a, dim, keepdim, _total(a.dtype))


def _extreme(ufunc: Any, a: Array, dim: Dims, keepdim: bool) -> Array:
    if dim != (a.ndim - 1,) or a.size < _MANY or not a.flags.c_contiguous:
        return _reduce(ufunc, a, dim, keepdim)
    # Half the cost for each row of what `reduce` needs.
    y = ufunc.reduceat(a.reshape(-1), np.arange(0, a.size, a.shape[-1]))
    return y.reshape((*a.shape[:-1], 1) if keepdim else a.shape[:-1])


def amax(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _extreme(maximum, a, dim, keepdim)


def amin(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _extreme(minimum, a, dim, keepdim)


def reduce_any(a: Array, dim: Dims, keepdim: bool) -> Array:
    y = _reduce(logical_or, a, dim, keepdim)
    return y.astype(a.dtype) if a.dtype == np.uint8 else y


def reduce_all(a: Array, dim: Dims, keepdim: bool) -> Array:
    y = _reduce(logical_and, a, dim, keepdim)
    return y.astype(a.dtype) if a.dtype == np.uint8 else y


def argmax(a: Array, dim: int | None, keepdim: bool) -> Array:
    return np.argmax(a, axis=dim, keepdims=keepdim)


def argmin(a: Array, dim: int | None, keepdim: bool) -> Array:
    return np.argmin(a, axis=dim, keepdims=keepdim)


_NEAR = 16.0  # a difference from the largest element that loses none of the precision of its exponential


def _shift(a: Array, dim: Dims) -> Any:
    """What to subtract so that no exponential overflows: for all rows the same where that will do."""
    if a.size >= _MANY:
        high = maximum.reduce(a, axis=None)
        if high - minimum.reduce(a, axis=None) < _NEAR:
            return high
    return _extreme(maximum, a, dim, True)


@in_single
def logsumexp(a: Array, dim: Dims, keepdim: bool) -> Array:
    if a.size:
        top = _shift(a, dim)
        if np.ndim(top):
            top = np.where(isfinite(top), top, 0).astype(a.dtype, copy=False)
    else:
        top = a.dtype.type(0)
    e = subtract(a, top, out=np.empty(a.shape, a.dtype))
    y = log(add_up(exp(e, out=e), dim, True)) + top
    return y if keepdim else y.reshape([n for i, n in enumerate(a.shape) if i not in dim])


@in_single
def softmax(a: Array, dim: int) -> Array:
    if not a.shape or not a.shape[dim]:
        return np.ones_like(a)
    y = subtract(a, _shift(a, (dim,)), out=np.empty(a.shape, a.dtype))
    exp(y, out=y)
    return true_divide(y, add_up(y, (dim,), True), out=y)


@in_single
def softmax_slope(g: Array, y: Array, dim: int) -> Array:
    last = dim == g.ndim - 1
    x = subtract(g, np.vecdot(g, y)[..., None] if last else add.reduce(g * y, axis=dim, keepdims=True))
    return multiply(x, y, out=x)


@in_single
def log_softmax(a: Array, dim: int) -> Array:
    if not a.shape or not a.shape[dim]:
        return np.zeros_like(a)
    y = subtract(a, _shift(a, (dim,)), out=np.empty(a.shape, a.dtype))
    return subtract(y, log(add_up(exp(y), (dim,), True)), out=y)
