"""Kernels that order elements: the indices that sort, the largest few, a place in the order, the most frequent."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.shared import Array

FEW = 2048  # elements: for fewer, NumPy's stable sort is as quick as any
INDEX = np.int64(0xFFFFFFFF)


def _packed(a: Array, descending: bool) -> Array:
    """Keys of 64 bits that sort as the elements along the last dimension do: the element above, its index below.

    NumPy sorts integers with the processor's vectors, and keys that hold the index are all different: that makes the
    sort stable, and no second array has to be moved along.
    """
    if a.dtype.kind == "f":
        bits = (a.astype(np.float32) + np.float32(0.0)).view(np.int32)  # -0 is made 0, which it is equal to
        bits ^= (bits >> 31) & 0x7FFFFFFF  # the bits of negative numbers run the other way
        bits[a != a] = 0x7FFFFFFF  # NaN is the largest, whatever its sign
    else:
        bits = a.astype(np.int32)
    keys = (~bits if descending else bits).astype(np.int64)
    keys <<= 32
    keys |= np.arange(a.shape[-1])
    return keys


def _fits(a: Array) -> bool:
    return a.dtype.itemsize <= 4 and a.shape[-1] <= INDEX >> 1


def argsort(a: Array, dim: int, descending: bool) -> Array:
    """The indices that sort, equal elements in their order, NaN as the largest."""
    x = np.moveaxis(a, dim, -1)
    return np.moveaxis(_argsort(x, descending), -1, dim) if a.size >= FEW else _argsort_few(a, dim, descending)


def _argsort_few(a: Array, dim: int, descending: bool) -> Array:
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    # Stable among equals too: the last of the reversed order is the first of the original one.
    order = np.flip(np.argsort(np.flip(a, dim), axis=dim, kind="stable"), dim)
    return a.shape[dim] - 1 - order


def _argsort(a: Array, descending: bool) -> Array:
    if _fits(a):
        keys = _packed(a, descending)
        keys.sort(-1)
        keys &= INDEX
        return keys
    if not descending:
        order = np.argsort(a, axis=-1)
        ordered = np.take_along_axis(a, order, -1)
        if (ordered[..., 1:] > ordered[..., :-1]).all():  # none are equal
            return order
    return _argsort_few(a, a.ndim - 1, descending)


def topk(a: Array, k: int, dim: int, largest: bool) -> Array:
    """The indices of the `k` largest or smallest elements along a dimension, in their order."""
    x = np.moveaxis(a, dim, -1)
    n = x.shape[-1]
    if k == 1 and largest:
        order = np.argmax(x, -1, keepdims=True)
    elif a.size < FEW or 4 * k > n or not _fits(x):
        order = argsort(x, x.ndim - 1, largest)[..., :k]
    elif 8 * k * k > n or a.dtype.kind != "f":
        order = _first(_packed(x, largest), k)
    else:
        order = _topk_of_lanes(x, k, largest)
    return np.moveaxis(order, -1, dim)


def _first(keys: Array, k: int) -> Array:
    if k:
        keys.partition(k - 1, -1)
    keys = keys[..., :k]
    keys.sort(-1)
    return keys & INDEX


def _topk_of_lanes(a: Array, k: int, largest: bool) -> Array:
    """The rows are cut into lanes of every `count`-th element: the `k` largest are in the `k` lanes with the largest
    extremes, and only those are looked at."""
    n = a.shape[-1]
    count = max(k, round((n * k) ** 0.5))
    rows = n // count
    whole = a[..., : rows * count].reshape(*a.shape[:-1], rows, count)
    extremes = (np.maximum if largest else np.fmin).reduce(whole, axis=-2)  # NaN is large
    lanes = _first(_packed(extremes, largest), k)
    at = (lanes[..., None, :] + np.arange(0, rows * count, count)[:, None]).reshape(*a.shape[:-1], rows * k)
    rest = np.broadcast_to(np.arange(rows * count, n), (*a.shape[:-1], n - rows * count))
    at = np.concatenate((at, rest), -1)
    at.sort(-1)
    return np.take_along_axis(at, _first(_packed(np.take_along_axis(a, at, -1), largest), k), -1)


def nth_index(a: Array, dim: int, k: int) -> Array:
    """The index of the element that sorting puts at place `k` of a dimension, which is kept."""
    return np.take(argsort(a, dim, False), [k], dim)


def median_index(a: Array, dim: int, skip: bool) -> Array:
    """The index of the lower of the two middle elements of a dimension, which is kept: of NaN, the first, where there
    is one; with `skip` of the others only, where there are any."""
    order = argsort(a, dim, False)
    n = a.shape[dim]
    lost = np.isnan(a).sum(dim, keepdims=True) if a.dtype.kind == "f" else np.zeros_like(order.take([0], dim))
    if skip:
        place = np.maximum(n - lost - 1, 0) // 2
    else:
        place = np.where(lost, n - lost, (n - 1) // 2)
    return np.take_along_axis(order, place, dim)


def median(a: Array, dim: tuple[int, ...], keepdim: bool, skip: bool = False) -> Any:
    """The lower of the two middle elements of all."""
    flat = a.reshape(-1)
    if a.dtype.kind == "f":
        lost = np.isnan(flat)
        if lost.any():
            if not skip or lost.all():
                return np.asarray(np.nan, a.dtype)
            flat = flat[~lost]
    if not flat.size:
        return np.asarray(np.nan, a.dtype)
    place = (flat.size - 1) // 2
    return np.partition(flat, place)[place]


def nanmedian(a: Array, dim: tuple[int, ...], keepdim: bool) -> Any:
    return median(a, dim, keepdim, skip=True)


def mode_index(a: Array, dim: int) -> Array:
    """The index of the most frequent element along a dimension, which is kept: the smallest of several such, and the
    last index of those equal to it."""
    x = np.moveaxis(a, dim, -1)
    order = argsort(x, x.ndim - 1, False)
    ordered = np.take_along_axis(x, order, -1)
    places = np.broadcast_to(np.arange(x.shape[-1]), x.shape)
    fresh = np.ones(x.shape, bool)
    fresh[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    length = places - np.maximum.accumulate(np.where(fresh, places, 0), axis=-1)
    return np.moveaxis(np.take_along_axis(order, np.argmax(length, -1, keepdims=True), -1), -1, dim)
