"""Scattering along a dimension: writing, counting, and reducing what comes to one place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.gathering import contiguous, positions
from tensorgrad.backends.cpu.shared import Array, Dims, finish

REDUCERS = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def identity(reduce: str, dtype: np.dtype[Any]) -> Any:
    """What a reduction starts with where the value that is there does not count."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    if dtype.kind == "f":
        return -math.inf if reduce == "amax" else math.inf
    if dtype.kind == "b":
        return reduce == "amin"
    limits = np.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


def full(shape: Dims, value: Any, dtype: np.dtype[Any]) -> Array:
    return np.full(shape, value, dtype)


def scatter(a: Array, index: Array, src: Any, dim: int, out: Array | None = None) -> Array:
    y = contiguous(a, out)
    if index.size:
        y.reshape(-1)[positions(index, dim, a.shape)] = src
    return y if out is None or out is y else finish(y, out)


def scattered_last(index: Array, dim: int, shape: Dims) -> Array:
    """Which of the elements that scattering writes are not overwritten by a later one."""
    if not index.size:
        return np.ones(index.shape, bool)
    at = positions(index, dim, shape)
    owner = np.empty(math.prod(shape), np.intp)
    numbers = np.arange(index.size).reshape(index.shape)
    owner[at] = numbers
    return owner[at] == numbers


def scatter_count(index: Array, dim: int, shape: Dims) -> Array:
    """How many elements an index along a dimension sends to each place."""
    if not index.size:
        return np.zeros(shape, np.int64)
    return np.bincount(positions(index, dim, shape).reshape(-1), minlength=math.prod(shape)).reshape(shape)


def scatter_reduce(a: Array, index: Array, src: Array, dim: int, reduce: str, out: Array | None = None) -> Array:
    y = contiguous(a, out)
    if index.size:
        at = positions(index, dim, a.shape).reshape(-1)
        REDUCERS[reduce].at(y.reshape(-1), at, src.reshape(-1))
    return y if out is None or out is y else finish(y, out)
