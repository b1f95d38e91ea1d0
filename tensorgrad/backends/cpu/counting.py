"""Kernels that count and look up: bins, histograms, places in a sorted sequence, elements that differ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.shared import Array
from tensorgrad.backends.cpu.sorting import argsort


def bincount(a: Array, *weights: Array, minlength: int) -> Array:
    y = np.bincount(a, weights[0] if weights else None, minlength)
    return y.astype(np.float32) if weights and weights[0].dtype == np.float32 else y


def linspace(low: float, high: float, count: int, dtype: Any) -> Array:
    return np.linspace(low, high, count, dtype=dtype)


def bounds(a: Array) -> tuple[float, float]:
    """The smallest and the largest element; 0 and 1 of none."""
    return (float(a.min()), float(a.max())) if a.size else (0.0, 1.0)


def histc(a: Array, bins: int, low: float, high: float) -> Array:
    """How many elements are in each of `bins` equal parts of a range, in its dtype; the last one holds its end too."""
    a = a.reshape(-1)
    a = a[(a >= low) & (a <= high)]
    scale = a.dtype.type(bins) / a.dtype.type(high - low)
    at = np.minimum(((a - a.dtype.type(low)) * scale).astype(np.int64), bins - 1)
    return np.bincount(at, minlength=bins).astype(a.dtype)


def histogram(a: Array, edges: Array, *weights: Array) -> Array:
    """How many elements (or how much of their weight) are between each edge and the next; the last one is included."""
    a = a.reshape(-1)
    inside = (a >= edges[0]) & (a <= edges[-1])
    at = np.minimum(np.searchsorted(edges, a[inside], "right") - 1, len(edges) - 2)
    weight = weights[0].reshape(-1)[inside] if weights else None
    return np.bincount(at, weight, len(edges) - 1).astype(a.dtype)


def searchsorted(sequence: Array, values: Array, *sorter: Array, right: bool, dtype: Any) -> Array:
    """Where values would be put into a sorted sequence, or each row of them into its row of sequences."""
    if sorter:
        sequence = np.take_along_axis(sequence, sorter[0], -1)
    if sequence.ndim == 1:
        at = np.searchsorted(sequence, values, "right" if right else "left")
        if values.dtype.kind == "f":
            at = np.where(values == values, at, len(sequence))  # after NaN too, as PyTorch has it
        return np.asarray(at, dtype)
    low = np.zeros(values.shape, np.int64)
    high = np.full(values.shape, sequence.shape[-1])
    for _ in range(sequence.shape[-1].bit_length()):
        middle = (low + high) // 2
        met = np.take_along_axis(sequence, np.minimum(middle, sequence.shape[-1] - 1), -1)
        open_ = low < high
        below = open_ & ~(met > values if right else met >= values)
        low = np.where(below, middle + 1, low)
        high = np.where(open_ & ~below, middle, high)
    return low.astype(dtype)


def unique(a: Array, dim: int | None, consecutive: bool) -> tuple[Array, Array, Array]:
    """The entries of a dimension (or all elements) that differ, in order or as they come; which one each entry is, and
    how often it is there. NaN differs from everything."""
    x = a.reshape(-1, 1) if dim is None else np.moveaxis(a, dim, 0)
    rows = x.reshape(len(x), -1 if len(x) else math.prod(x.shape[1:]))
    if consecutive:
        order = np.arange(len(rows))
    elif rows.shape[1] == 1:
        order = argsort(rows[:, 0], 0, False)
    else:
        order = np.lexsort(rows.T[::-1]) if rows.shape[1] else np.arange(len(rows))
    ordered = rows[order]
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(1)
    first = np.flatnonzero(fresh)
    inverse = np.empty(len(rows), np.int64)
    inverse[order] = np.cumsum(fresh) - 1
    values = x[order[first]]
    if dim is None:
        return values.reshape(-1), inverse.reshape(a.shape), np.diff(first, append=len(rows))
    return np.moveaxis(values, 0, dim), inverse, np.diff(first, append=len(rows))
