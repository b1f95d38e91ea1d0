"""Sliding windows, and memory read as another dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad.backends.cpu.shape import broadcast_shapes as broadcast_shapes
from tensorgrad.backends.cpu.shared import Array, Dims
from tensorgrad.errors import ShapeError


def windows(a: Array, dim: int, size: int, step: int) -> Array:
    """The windows of a dimension, their elements a new last one: a view, not to be written to where they overlap."""
    count = (a.shape[dim] - size) // step + 1
    shape = (*a.shape[:dim], count, *a.shape[dim + 1 :], size)
    strides = (*a.strides[:dim], a.strides[dim] * step, *a.strides[dim + 1 :], a.strides[dim])
    apart = size <= step or count == 1
    return as_strided(a, shape, strides, writeable=apart and a.flags.writeable)


def unwindows(g: Array, shape: Dims, dim: int, size: int, step: int) -> Array:
    """Zeros of a shape, with the windows' gradients added: element by element of the windows, or window by window."""
    y = np.zeros(shape, g.dtype)
    rows, parts = np.moveaxis(y, dim, 0), np.moveaxis(g, dim, 0)
    count = len(parts)
    if size <= count:
        for i in range(size):
            rows[i : i + (count - 1) * step + 1 : step] += parts[..., i]
    else:
        for i in range(count):
            rows[i * step : i * step + size] += np.moveaxis(parts[i], -1, 0)
    return y


def view_dtype(a: Array, dtype: np.dtype[Any]) -> Array:
    if dtype.itemsize != a.itemsize:
        if not a.ndim:
            raise ShapeError(f"view: a tensor of no dimensions cannot be seen as {dtype.name}: the sizes differ")
        if a.strides[-1] != a.itemsize and a.shape[-1] != 1:
            raise ShapeError(
                f"view: elements of the last dimension must lie together to be seen as {dtype.name}; use .contiguous()"
            )
        if a.shape[-1] * a.itemsize % dtype.itemsize:
            raise ShapeError(
                f"view: {a.shape[-1]} elements of {a.dtype.name} in the last dimension do not fill up {dtype.name}"
            )
    return a.view(dtype)


def block_diag(*arrays: Array, shapes: tuple[Dims, ...]) -> Array:
    y = np.zeros(tuple(map(sum, zip(*shapes))), arrays[0].dtype)
    top = left = 0
    for a in arrays:
        y[top : (top := top + a.shape[0]), left : (left := left + a.shape[1])] = a
    return y
