"""Reductions, cumulative sums, sorting orders, softmax."""

from __future__ import annotations

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
    sqrt,
    subtract,
    true_divide,
)

from tensorgrad.backends.cpu.shared import Array, Dims, in_single


def _total(dtype: np.dtype[Any]) -> Any:
    return None if dtype.kind == "f" else np.int64


def _reduce(ufunc: Any, a: Array, dim: Dims, keepdim: bool, dtype: Any = None) -> Array:
    return ufunc.reduce(a, axis=dim, keepdims=keepdim, dtype=dtype)


BLOCK = 256


def _add(a: Array, dim: Dims, keepdim: bool) -> Array:
    """The sum over dimensions. Where others follow them in memory, NumPy adds row to row, and the rounding error grows
    with the number of rows; in blocks of rows it does not, at the same speed. (Only of contiguous arrays.)"""
    rows = math.prod(a.shape[d] for d in dim)
    inner = bool(dim) and dim[-1] < a.ndim - 1 and dim[-1] - dim[0] == len(dim) - 1
    if rows < 2 * BLOCK or not (inner and a.size and a.dtype.kind == "f" and a.flags.c_contiguous):
        return _reduce(add, a, dim, keepdim, _total(a.dtype))
    lead, tail = a.shape[: dim[0]], a.shape[dim[-1] + 1 :]
    y = a.reshape(math.prod(lead), rows, math.prod(tail))
    while rows >= 2 * BLOCK:
        whole = rows - rows % BLOCK
        parts = add.reduce(y[:, :whole].reshape(len(y), -1, BLOCK, y.shape[2]), axis=2)
        y = parts if whole == rows else np.concatenate([parts, y[:, whole:]], axis=1)
        rows = y.shape[1]
    return add.reduce(y, axis=1).reshape((*lead, *((1,) * len(dim) if keepdim else ()), *tail))


@in_single
def reduce_sum(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _add(a, dim, keepdim)


@in_single
def reduce_mean(a: Array, dim: Dims, keepdim: bool) -> Array:
    count = math.prod(a.shape[d] for d in dim)
    y = _add(a, dim, keepdim)
    return y * y.dtype.type(1.0 / count) if count else y * y.dtype.type(np.nan)


@in_single
def reduce_prod(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _reduce(multiply, a, dim, keepdim, _total(a.dtype))


def amax(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _reduce(maximum, a, dim, keepdim)


def amin(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _reduce(minimum, a, dim, keepdim)


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


def argsort(a: Array, dim: int, descending: bool) -> Array:
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    # Stable among equals too: the last of the reversed order is the first of the original one.
    order = np.flip(np.argsort(np.flip(a, dim), axis=dim, kind="stable"), dim)
    return a.shape[dim] - 1 - order


@in_single
def cumsum(a: Array, dim: int) -> Array:
    return np.cumsum(a, axis=dim, dtype=_total(a.dtype))


@in_single
def vector_norm(a: Array, dim: Dims, keepdim: bool) -> Array:
    return sqrt(_reduce(add, a * a, dim, keepdim))


@in_single
def logsumexp(a: Array, dim: Dims, keepdim: bool) -> Array:
    top = maximum.reduce(a, axis=dim, keepdims=True, initial=-math.inf)
    top = np.where(isfinite(top), top, 0).astype(a.dtype, copy=False)
    y = log(add.reduce(exp(a - top), axis=dim, keepdims=True)) + top
    return y if keepdim else y.reshape([n for i, n in enumerate(a.shape) if i not in dim])


@in_single
def softmax(a: Array, dim: int) -> Array:
    if not a.shape or not a.shape[dim]:
        return np.ones_like(a)
    y = subtract(a, maximum.reduce(a, axis=dim, keepdims=True))
    exp(y, out=y)
    return true_divide(y, add.reduce(y, axis=dim, keepdims=True), out=y)


@in_single
def log_softmax(a: Array, dim: int) -> Array:
    if not a.shape or not a.shape[dim]:
        return np.zeros_like(a)
    y = subtract(a, maximum.reduce(a, axis=dim, keepdims=True))
    return subtract(y, log(add.reduce(exp(y), axis=dim, keepdims=True)), out=y)
