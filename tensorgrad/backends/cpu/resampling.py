"""Resampling along a dimension: each output is a weighted sum of a few inputs, its taps."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.shared import Array, in_single

DENSE = 1024  # up to this many elements, a matrix product is faster than gathering


class Taps:
    """The taps of `count` outputs among `size` inputs: `index` and `weight`, of shape (taps, count).

    A missing tap has weight 0.
    """

    def __init__(self, size: int, index: Array, weight: Array) -> None:
        self.size = size
        self.count = index.shape[1]
        self.index = index
        self.weight = weight

    @cached_property
    def transposed(self) -> Taps:
        """The taps of the transpose: which outputs an input goes to."""
        used = self.weight.reshape(-1) != 0
        source = self.index.reshape(-1)[used]
        order = np.argsort(source, kind="stable")
        source = source[order]
        rank = np.arange(source.size) - np.searchsorted(source, source)
        shape = (int(rank.max(initial=-1)) + 1, self.size)
        index, weight = np.zeros(shape, np.int64), np.zeros(shape, self.weight.dtype)
        outputs = np.broadcast_to(np.arange(self.count), self.index.shape).reshape(-1)
        index[rank, source] = outputs[used][order]
        weight[rank, source] = self.weight.reshape(-1)[used][order]
        made = Taps(self.count, index, weight)
        made.__dict__["transposed"] = self
        return made

    @cached_property
    def matrix(self) -> Array:
        """The weights as a matrix (size, count)."""
        y = np.zeros((self.size, self.count), self.weight.dtype)
        np.add.at(y, (self.index, np.arange(self.count)), self.weight)
        return y


@in_single
def resample(a: Array, taps: Taps, dim: int) -> Array:
    """The weighted sums along a dimension. By gathering where not all is finite: a product spreads NaN to all."""
    weight = taps.weight
    if a.dtype.kind != "f":  # the nearest of integers
        return a.take(taps.index[0], axis=dim)
    if taps.size <= DENSE and np.isfinite(a).all():
        matrix = taps.matrix.astype(a.dtype, copy=False)
        if dim == a.ndim - 1:
            return (a.reshape(math.prod(a.shape[:-1]), taps.size) @ matrix).reshape(*a.shape[:-1], taps.count)
        lead, tail = a.shape[:dim], a.shape[dim + 1 :]
        y = np.matmul(matrix.T, a.reshape(math.prod(lead), taps.size, math.prod(tail)))
        return y.reshape(*lead, taps.count, *tail)
    shape = (-1, *(1,) * (a.ndim - 1 - dim))
    y = np.zeros((*a.shape[:dim], taps.count, *a.shape[dim + 1 :]), a.dtype)
    for index, w in zip(taps.index, weight):
        w = w.reshape(shape).astype(a.dtype, copy=False)
        part = a.take(index, axis=dim)
        np.multiply(part, w, out=part, where=w != 0)
        np.add(y, part, out=y, where=w != 0)
    return y


def nearest_taps(size: int, count: int, scale: float | None, exact: bool) -> Taps:
    """The nearest input; positions in single precision, as PyTorch has them."""
    step = np.float32(size / count if scale is None else 1.0 / scale)
    places = np.arange(count, dtype=np.float32)
    index = np.minimum(np.floor((places + np.float32(0.5) if exact else places) * step), size - 1)
    return Taps(size, index.astype(np.int64)[None], np.ones((1, count), np.float32))


def _positions(size: int, count: int, scale: float | None, align: bool, dtype: np.dtype[Any]) -> Array:
    places = np.arange(count, dtype=dtype)
    if align:
        return places * dtype.type((size - 1) / (count - 1) if count > 1 else 0.0)
    return (places + dtype.type(0.5)) * dtype.type(size / count if scale is None else 1.0 / scale) - dtype.type(0.5)


def linear_taps(size: int, count: int, scale: float | None, align: bool, dtype: np.dtype[Any]) -> Taps:
    """The two inputs beside the output's position."""
    at = np.maximum(_positions(size, count, scale, align, dtype), 0)
    index = np.minimum(at.astype(np.int64), size - 1)
    part = np.clip(at - index, 0, 1).astype(dtype)
    return Taps(size, np.stack([index, np.minimum(index + 1, size - 1)]), np.stack([1 - part, part]))


def cubic_taps(size: int, count: int, scale: float | None, align: bool, dtype: np.dtype[Any]) -> Taps:
    """Four inputs, by the cubic convolution of R. G. Keys (1981) with a = -0.75; beyond the edge, the edge."""
    at = _positions(size, count, scale, align, dtype)
    low = np.floor(at)
    t = at - low
    a = -0.75

    def near(x: Array) -> Array:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Array) -> Array:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    index = np.clip(low.astype(np.int64) + np.arange(-1, 3)[:, None], 0, size - 1)
    return Taps(size, index, np.stack([far(t + 1), near(t), near(1 - t), far(2 - t)]).astype(dtype))


def parts(size: int, count: int) -> tuple[Array, Array]:
    """Where `count` parts of `size` elements that are nearly equal, and may overlap, begin and end."""
    steps = np.arange(count)
    return steps * size // count, -(-(steps + 1) * size // count)


def mean_taps(size: int, count: int, dtype: np.dtype[Any]) -> Taps:
    """The means of nearly equal parts."""
    index, inside = part_index(size, count)
    return Taps(size, index, (inside / inside.sum(0)).astype(dtype))


def part_index(size: int, count: int) -> tuple[Array, Array]:
    """The elements of nearly equal parts, (largest, count), the last repeated in smaller ones; and which are not."""
    start, end = parts(size, count)
    index = start + np.arange(int((end - start).max(initial=1)))[:, None]
    return np.minimum(index, end - 1), index < end
