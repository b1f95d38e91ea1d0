"""How much each index of an embedding counts in the gradient, and where bags of indices begin and end."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.cpu.shared import Array


def embedding(a: Array, index: Array, padding_idx: int | None, by_frequency: bool) -> Array:
    return a.take(index, axis=0)


def shares(index: Array, padding_idx: int | None, by_frequency: bool, dtype: np.dtype) -> Array:
    """The factor of each index's gradient: 1 over the times that it occurs, or 1; 0 for the padding."""
    y = np.ones(index.shape, dtype)
    if by_frequency:
        y /= np.bincount(index.reshape(-1))[index] if index.size else y
    if padding_idx is not None:
        y[index == padding_idx] = 0.0
    return y


def bag_of(offsets: Array, count: int) -> Array:
    """The bag that each of `count` entries is in, where bag i begins at `offsets[i]`."""
    return np.searchsorted(offsets, np.arange(count), side="right") - 1


def spread(index: Array, bags: Array, count: int) -> tuple[Array, Array]:
    """Bags of indices as rows of a matrix, each filled up with 0, and which of its elements are indices."""
    sizes = np.bincount(bags, minlength=count)
    inside = np.arange(sizes.max(initial=0)) < sizes[:, None]
    y = np.zeros(inside.shape, index.dtype)
    y[inside] = index
    return y, inside
