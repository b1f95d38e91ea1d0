"""Shapes: views, joining, flipping."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.shared import Array, Dims
from tensorgrad.errors import ShapeError

broadcast_shapes = np.broadcast_shapes
int64 = np.dtype(np.int64)


def reshape(a: Array, shape: Dims) -> Array:
    return a.reshape(shape)


def permute(a: Array, dims: Dims) -> Array:
    return a.transpose(dims)


def broadcast_to(a: Array, shape: Dims) -> Array:
    lead = len(shape) - a.ndim
    if shape[lead:] == a.shape and math.prod(shape[:lead]) == 1:
        return a.reshape(shape)  # nothing is repeated: a view that can be written to
    return np.broadcast_to(a, shape)


def diagonal(a: Array, offset: int, dim1: int, dim2: int) -> Array:
    y = a.diagonal(offset, dim1, dim2)
    y.flags.writeable = a.flags.writeable  # NumPy gives a read-only view for reasons of its history
    return y


def undiagonal(g: Array, shape: Dims, offset: int, dim1: int, dim2: int) -> Array:
    y = np.zeros(shape, g.dtype)
    diagonal(y, offset, dim1, dim2)[...] = g
    return y


def tril(a: Array, diagonal: int) -> Array:
    return np.tril(a, diagonal)


def triu(a: Array, diagonal: int) -> Array:
    return np.triu(a, diagonal)


def flip(a: Array, dims: Dims) -> Array:
    return np.array(np.flip(a, dims), order="C")


def cat(*arrays: Array, dim: int, sizes: Dims) -> Array:
    if len({a.ndim for a in arrays}) > 1:
        arrays = tuple(a for a in arrays if a.shape != (0,))  # which PyTorch lets pass beside any others
    return np.concatenate(arrays, axis=dim)


def stack(*arrays: Array, dim: int) -> Array:
    shape = arrays[0].shape
    if dim == len(shape):
        return np.concatenate([a[..., None] for a in arrays], axis=dim)
    if len({a.shape for a in arrays}) > 1:
        raise ShapeError("their shapes differ")
    return np.concatenate(arrays, axis=dim).reshape(*shape[:dim], len(arrays), *shape[dim:])


def split(a: Array, dim: int, sizes: Dims) -> tuple[Array, ...]:
    before = (slice(None),) * dim
    return tuple(a[(*before, slice(stop - size, stop))] for size, stop in zip(sizes, accumulate(sizes)))


def unbind(a: Array, dim: int) -> tuple[Array, ...]:
    before: tuple[Any, ...] = (slice(None),) * dim
    return tuple(a[(*before, i, ...)] for i in range(a.shape[dim]))


def roll(a: Array, shifts: Dims, dims: Dims) -> Array:
    return np.roll(a, shifts, dims)
