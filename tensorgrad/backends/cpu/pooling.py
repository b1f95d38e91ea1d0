"""Pooling: largest elements and sums of windows, and their transposes.

Windows are products of one-dimensional ones, so every kernel works a dimension at a time, and along it an offset within
the window at a time: strided slices of the input, none of it copied or padded. Dimensions before the pooled ones are
planes, which maxima take in blocks that stay in the cache.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy import add, greater, maximum

from tensorgrad.backends.cpu.shared import Array, in_single

BLOCK = 1 << 18  # elements of a block of planes


class Window(NamedTuple):
    """The windows along one dimension: `outputs` of them over `size` elements."""

    kernel: int
    stride: int
    padding: int
    dilation: int
    size: int
    outputs: int

    def reach(self, k: int) -> tuple[slice, slice]:
        """The outputs whose element k is there and not padding, and those elements."""
        at = k * self.dilation - self.padding
        first = max(0, -(at // self.stride))
        last = min(self.outputs, (self.size - 1 - at) // self.stride + 1)
        if last <= first:
            return slice(0, 0), slice(0, 0)
        start = at + first * self.stride
        return slice(first, last), slice(start, start + (last - first - 1) * self.stride + 1, self.stride)

    @property
    def apart(self) -> bool:
        """Whether no element is in two windows."""
        return self.stride > (self.kernel - 1) * self.dilation


Windows = tuple[Window, ...]


def _planes(a: Array, count: int) -> Array:
    """All dimensions but the last `count` made into one."""
    lead = a.ndim - count
    return a.reshape(math.prod(a.shape[:lead]), *a.shape[lead:])


def _lowest(dtype: np.dtype[Any]) -> float:
    return -math.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


def _maxima(a: Array, places: Array | None, axis: int, w: Window, step: int, nan: bool) -> tuple[Array, Array | None]:
    """The largest elements of the windows along an axis, and their places: `step` times their offset, plus the place
    that each has already (none: 0). The first of equal ones is taken, and the last NaN."""
    lead = (slice(None),) * axis
    shape = (*a.shape[:axis], w.outputs, *a.shape[axis + 1 :])
    y = np.full(shape, _lowest(a.dtype), a.dtype) if w.padding else np.empty(shape, a.dtype)
    at = None if places is None else np.zeros(shape, places.dtype)
    reached = w.outputs  # from here on the outputs have an element; padding leaves some of the first ones without
    for k in range(w.kernel):
        outs, ins = w.reach(k)
        x, place = a[(*lead, ins)], None
        if at is not None and places is not None:
            place = np.broadcast_to(
                (places[(*lead, ins)] if places.ndim else places) + at.dtype.type(k * step), x.shape
            )
        fresh = max(0, min(reached, outs.stop) - outs.start)
        if fresh:
            new, part = (*lead, slice(outs.start, outs.start + fresh)), (*lead, slice(fresh))
            y[new] = x[part]
            if at is not None and place is not None:
                at[new] = place[part]
            reached = outs.start
        if outs.stop - outs.start > fresh:
            old, part = (*lead, slice(outs.start + fresh, outs.stop)), (*lead, slice(fresh, None))
            x, best = x[part], y[old]
            if at is not None and place is not None:
                larger = greater(x, best)
                if nan:
                    larger |= x != x
                # Where larger, at = place: by its bits, at a tenth of the time of a masked copy.
                mask = np.negative(larger.astype(at.dtype))
                mask &= at[old] ^ place[part]
                at[old] ^= mask
            maximum(x, best, out=best)
    return y, at


def max_pool(a: Array, windows: Windows, places: bool) -> tuple[Array, Array] | Array:
    """The largest element of each window, and if asked for its place in the window, counted row by row."""
    size = math.prod(w.kernel for w in windows)
    zero = np.zeros((), np.uint8 if size <= 256 else np.int32) if places else None
    planes = _planes(a, len(windows))
    y = np.empty((len(planes), *(w.outputs for w in windows)), a.dtype)
    at = None if zero is None else np.empty(y.shape, zero.dtype)
    rows = max(1, BLOCK // max(1, math.prod(planes.shape[1:])))
    for start in range(0, len(planes), rows):
        block = slice(start, start + rows)
        for nan in (False, True):  # NaN is looked for among the results, which are fewer
            x, place, step = planes[block], zero, 1
            for axis in range(len(windows), 0, -1):
                w = windows[axis - 1]
                x, place = _maxima(x, place, axis, w, step, nan)
                step *= w.kernel
            if nan or not places or not np.isnan(x).any():
                break
        y[block] = x
        if at is not None:
            at[block] = place
    shape = (*a.shape[: a.ndim - len(windows)], *y.shape[1:])
    if at is None:
        return y.reshape(shape)
    if (voids := _voids(windows)) is not None:
        np.copyto(at, voids[1], where=voids[0], casting="unsafe")
    return y.reshape(shape), at.reshape(shape)


def _voids(windows: Windows) -> tuple[Array, Array] | None:
    """Which windows have no element, as their dilation steps over all of them, and the place that is said to be theirs:
    the first one behind the padding, as in PyTorch. None where there cannot be any."""
    if all(w.dilation <= w.size for w in windows):
        return None
    void: Array = np.zeros((1,) * len(windows), np.bool)
    place: Array = np.zeros(void.shape, np.int64)
    for i, w in enumerate(windows):
        shape = [1] * len(windows)
        shape[i] = -1
        start = (np.arange(w.outputs) * w.stride - w.padding).reshape(shape)
        first = np.maximum(0, -(start // w.dilation))
        void = void | (start + first * w.dilation >= w.size)
        place = place * w.kernel + first
    return void, place


def place_index(places: Array, windows: Windows) -> Array:
    """Places in windows as positions in the flattened plane that was pooled."""
    ndim, stride = len(windows), 1
    origin: Array = np.zeros((1,) * ndim, np.int64)
    offset: Array = np.zeros((1,) * ndim, np.int64)
    for i in range(ndim - 1, -1, -1):
        w = windows[i]
        shape = [1] * ndim
        shape[i] = -1
        origin = origin + (np.arange(w.outputs) * w.stride - w.padding).reshape(shape) * stride
        offset = offset + (np.arange(w.kernel) * w.dilation).reshape(shape) * stride
        stride *= w.size
    index = offset.reshape(-1).take(places)
    index += origin
    return index


def _flat_index(places: Array, windows: Windows) -> Array:
    index = _planes(place_index(places, windows), len(windows))
    index += (np.arange(len(index)) * math.prod(w.size for w in windows)).reshape(-1, *(1,) * len(windows))
    return index.reshape(-1)


def take_places(a: Array, places: Array, windows: Windows) -> Array:
    """The elements at the places in windows, 0 for a window that has none."""
    y = a.reshape(-1).take(_flat_index(places, windows), mode="clip").reshape(places.shape)
    if (voids := _voids(windows)) is not None:
        np.copyto(y, 0, where=voids[0])
    return y


def put_places(g: Array, places: Array, windows: Windows) -> Array:
    """Zeros of the shape that was pooled, with `g` added at the places in windows: the transpose of `take_places`."""
    y = np.zeros((*g.shape[: g.ndim - len(windows)], *(w.size for w in windows)), g.dtype)
    if y.size:
        index, flat, g = _flat_index(places, windows), y.reshape(-1), g.reshape(-1)
        if (voids := _voids(windows)) is not None:
            there = ~np.broadcast_to(voids[0], places.shape).reshape(-1)
            index, g = index[there], g[there]
        if all(w.apart for w in windows):
            flat[index] = g
        else:
            add.at(flat, index, g)
    return y


@in_single
def window_sum(a: Array, windows: Windows) -> Array:
    """The sum of each window; padding counts as 0."""
    y = a
    for axis in range(a.ndim - 1, a.ndim - 1 - len(windows), -1):
        w = windows[axis - a.ndim]
        lead = (slice(None),) * axis
        x, y = y, np.zeros((*y.shape[:axis], w.outputs, *y.shape[axis + 1 :]), a.dtype)
        for k in range(w.kernel):
            outs, ins = w.reach(k)
            y[(*lead, outs)] += x[(*lead, ins)]
    return y


@in_single
def window_spread(g: Array, windows: Windows) -> Array:
    """Each element added to all of its window: the transpose of `window_sum`."""
    y = g
    for axis in range(g.ndim - len(windows), g.ndim):
        w = windows[axis - g.ndim]
        lead = (slice(None),) * axis
        x, y = y, np.zeros((*y.shape[:axis], w.size, *y.shape[axis + 1 :]), g.dtype)
        for k in range(w.kernel):
            outs, ins = w.reach(k)
            if w.apart:
                y[(*lead, ins)] = x[(*lead, outs)]
            else:
                y[(*lead, ins)] += x[(*lead, outs)]
    return y
