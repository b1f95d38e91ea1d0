"""Elements taken by index along a dimension, and the transpose of that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import add

from tensorgrad.backends.cpu.shared import Array, Dims, finish


def in_range(values: Any, least: int, size: int) -> bool:
    """Whether an index names only what is there."""
    if not least and values.__class__ is np.ndarray:  # a negative number is a very large one: one pass instead of two
        return bool(values.view(f"u{values.itemsize}").max() < size)
    return bool(least <= int(values.min()) <= int(values.max()) < size)


def positions(index: Array, dim: int, shape: Dims) -> Array:
    """Where the elements that an index along one dimension names lie in a contiguous array of a shape, made flat."""
    if len(shape) < 2:
        return index.astype(np.intp, copy=False)
    strides = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
    offset: Any = np.intp(0)
    for d, n in enumerate(index.shape):
        if d != dim and n > 1:
            offset = offset + np.arange(0, n * strides[d], strides[d]).reshape(-1, *(1,) * (index.ndim - 1 - d))
    return (np.multiply(index, strides[dim], dtype=np.intp) if strides[dim] > 1 else index) + offset


def contiguous(a: Array, out: Array | None) -> Array:
    """What a kernel writes into: `out`, which holds `a` already, or a contiguous copy."""
    return out if out is not None and out.flags.c_contiguous else np.array(a, order="C")


def gather(a: Array, index: Array, dim: int) -> Array:
    if not index.size:
        return np.empty(index.shape, a.dtype)
    if a.flags.c_contiguous:
        return a.reshape(-1).take(positions(index, dim, a.shape))
    where = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    where[dim] = index
    return a[tuple(where)]


def ungather(g: Array, index: Array, dim: int, shape: Dims) -> Array:
    """Zeros of a shape, with `g` added where gathering reads: the transpose of gathering."""
    y = np.zeros(shape, g.dtype)
    return scatter_add(y, index, g, dim, out=y)


def scatter_add(a: Array, index: Array, src: Array, dim: int, out: Array | None = None) -> Array:
    y = contiguous(a, out)
    if index.size:
        add.at(y.reshape(-1), positions(index, dim, a.shape).reshape(-1), src.reshape(-1))
    return y if out is None or out is y else finish(y, out)


def nonzero(a: Array) -> Array:
    return np.argwhere(a) if a.ndim else np.zeros((int(bool(a)), 0), np.int64)


def one_hot(a: Array, classes: int, dtype: np.dtype[Any]) -> Array:
    y = np.zeros((a.size, classes), dtype)
    y[np.arange(a.size), a.reshape(-1)] = 1
    return y.reshape(*a.shape, classes)
