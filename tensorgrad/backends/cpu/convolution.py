"""Convolutions of any number of dimensions, and their two gradients, as matrix products.

The windows that the kernel sees are laid out as the columns of a matrix, tile by tile of the batch, so that a tile is
still in the cache when it is multiplied; they are never kept, but laid out again for the gradients. There are two
layouts. Channels last, a window is a row, and runs of (kernel width x channels) are copied; channels first, a window is
a column, and runs of the image's width are. The longer run is chosen: the first image of a network has few channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorgrad.backends.cpu import depthwise
from tensorgrad.backends.cpu.shared import Array, Dims, in_single
from tensorgrad.backends.parallel import run
from tensorgrad.backends.threads import get_num_threads

Padding = tuple[tuple[int, int], ...]
Tile = tuple[int, int, int, int]  # the images from one to another, and the rows of the output from one to another

ALONE = 1 << 16  # elements of the column matrix below which a second thread costs more than it saves
WIDER = 1.3  # how much larger than the gradient its own gradient may be
TILE = 3 << 16  # elements of the column matrix: 768 KiB in single precision, which a second-level cache holds


def _even(count: int, most: int) -> int:
    """The length of equal parts of a count, but for the last, each of at most so many."""
    parts = -(-count // max(most, 1))
    return -(-count // max(parts, 1))


class Windows:
    """How the windows of a kernel lie in images (N, C, *sizes): what the two gradients share with the convolution."""

    def __init__(
        self, shape: Dims, kernel: Dims, out: Dims, stride: Dims, padding: Padding, dilation: Dims, groups: int
    ) -> None:
        self.batch, self.channels, *sizes = shape
        self.sizes, self.kernel, self.out, self.stride, self.dilation = tuple(sizes), kernel, out, stride, dilation
        self.before = tuple(low for low, _ in padding)
        self.bare = not any(self.before) and all(
            (n - 1) * s + d * (k - 1) < size for n, s, d, k, size in zip(out, stride, dilation, kernel, sizes)
        )  # no window reaches beyond the image
        self.groups = groups
        self.per_group = self.channels // groups
        self.taps = math.prod(kernel)
        self.by_channel = 1 < groups == self.channels and max(stride) == 1 and all(out)
        # A run is what is contiguous both in the image and in the columns.
        run = (kernel[-1] if dilation[-1] == 1 and groups == 1 else 1) * self.per_group
        self.last = self.taps > 1 and run > out[-1] // stride[-1]
        self.row = math.prod(out[1:])
        row = max(1, self.channels * self.taps * self.row)
        self.parts = max(1, min(get_num_threads(), self.batch)) if self.batch * out[0] * row >= ALONE else 1
        self.share = -(-self.batch // self.parts)
        self.rows = _even(out[0], TILE // row)
        self.images = max(1, _even(self.share, TILE // (row * out[0]))) if self.rows == out[0] else 1

    def tiles(self, part: int) -> Iterator[Tile]:
        """The tiles of a part of the batch: the parts have no image in common."""
        end = min((part + 1) * self.share, self.batch)
        for n in range(part * self.share, end, self.images):
            for r in range(0, self.out[0], self.rows):
                yield n, min(n + self.images, end), r, min(r + self.rows, self.out[0])

    def extent(self, rows: int) -> Dims:
        """The sizes of the part of an image, padding included, that so many rows of the output see."""
        outs = (rows, *self.out[1:])
        return tuple((n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(outs, self.stride, self.dilation, self.kernel))

    def overlap(self, extent: Dims, row: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Where a tile that begins at a row of the output, and an image, have each other."""
        starts = (row * self.stride[0] - self.before[0], *(-low for low in self.before[1:]))
        spans = [(a, max(a, 0), max(min(a + e, n), a, 0)) for a, e, n in zip(starts, extent, self.sizes)]
        return tuple(slice(m - a, n - a) for a, m, n in spans), tuple(slice(m, n) for _, m, n in spans)

    def view(self, base: Array, images: int, rows: int, offset: int = 0) -> Array:
        """The windows of images that begin at an offset in a contiguous array, in the order of the column matrix."""
        count, groups = self.per_group, self.groups
        out = (rows, *self.out[1:])
        if self.last:
            n, *steps, c = base.strides
        else:
            n, c, *steps = base.strides
        taps = tuple(s * d for s, d in zip(steps, self.dilation))
        places = tuple(s * t for s, t in zip(steps, self.stride))
        if self.last:
            shape, strides = (groups, images, *out, *self.kernel, count), (c * count, n, *places, *taps, c)
        else:
            shape, strides = (groups, count, *self.kernel, images, *out), (c * count, c, *taps, n, *places)
        return np.ndarray(shape, base.dtype, base, offset, strides)

    def apart(self) -> Iterator[tuple[Any, ...]]:
        """Parts of the windows' view, each of elements that do not overlap, which together are all of it."""
        every = slice(None)
        if self.last:  # along the width whole windows are apart, at some distance
            distance = -(-((self.kernel[-1] - 1) * self.dilation[-1] + 1) // self.stride[-1])
            for tap in np.ndindex(*self.kernel[:-1]):
                for first in range(min(distance, self.out[-1])):
                    yield (every,) * (1 + len(self.out)) + (slice(first, None, distance), *tap)
        else:
            for tap in np.ndindex(*self.kernel):
                yield (every, every, *tap)

    def block(self, images: int, rows: int, dtype: np.dtype) -> Array:
        """Zeros for a padded tile of images."""
        extent = self.extent(rows)
        shape = (images, *extent, self.channels) if self.last else (images, self.channels, *extent)
        return np.zeros(shape, dtype)

    def inside(self, block: Array, where: tuple[slice, ...]) -> Array:
        """A part of a padded tile, in the order (images, channels, *sizes)."""
        if self.last:
            part = block[(slice(None), *where)]
            return part.transpose(0, part.ndim - 1, *range(1, part.ndim - 1))
        return block[(slice(None), slice(None), *where)]

    def columns(self, x: Array, part: int) -> Iterator[tuple[Tile, Array]]:
        """Each tile of a part with its columns: (groups, windows, taps x channels), or transposed, by the layout."""
        block = buffer = None
        for m, n, r, s in self.tiles(part):
            if self.bare and not self.last:
                windows = self.view(x, n - m, s - r, m * x.strides[0] + r * self.stride[0] * x.strides[2])
            else:
                if block is None or self.rows < self.out[0] or len(block) != n - m:
                    block = self.block(n - m, s - r, x.dtype)
                    windows = self.view(block, n - m, s - r)
                    there, here = self.overlap(self.extent(s - r), r)
                    inner = self.inside(block, there)
                inner[...] = x[(slice(m, n), slice(None), *here)]
            columns = windows
            if not windows.flags.c_contiguous:
                if buffer is None or buffer.shape != windows.shape:
                    buffer = np.empty(windows.shape, x.dtype)
                np.copyto(buffer, windows)
                columns = buffer
            seen, places = self.per_group * self.taps, (n - m) * (s - r) * self.row
            yield (m, n, r, s), columns.reshape(self.groups, *((places, seen) if self.last else (seen, places)))

    def of(self, y: Array, tile: Tile) -> Array:
        """A tile of a contiguous output (N, channels, *out), as a view (images, groups, channels / groups, windows)."""
        m, n, r, s = tile
        shape = (self.batch, self.groups, y.shape[1] // self.groups, self.out[0] * self.row)
        return y.reshape(shape)[m:n, :, :, r * self.row : s * self.row]

    def gradient(self, g: Array, tile: Tile) -> Array:
        """A tile of the gradient of the output, as a matrix for each group: (channels / groups, windows)."""
        part = self.of(g, tile).transpose(1, 2, 0, 3)
        return part.reshape(*part.shape[:2], part.shape[2] * part.shape[3])

    def matrix(self, weight: Array) -> Array:
        """The weight (out, in / groups, *kernel) as a matrix for each group: (out / groups, taps x channels)."""
        count = len(weight) // self.groups
        weight = weight.reshape(self.groups, count, self.per_group, self.taps)
        if self.last:
            weight = weight.transpose(0, 1, 3, 2)
        return weight.reshape(self.groups, count, self.taps * self.per_group)

    def unmatrix(self, matrix: Array) -> Array:
        """The weight of such matrices."""
        if self.last:
            matrix = matrix.reshape(*matrix.shape[:2], self.taps, self.per_group).transpose(0, 1, 3, 2)
        return matrix.reshape(self.groups * matrix.shape[1], self.per_group, *self.kernel)


def _places(sizes: Dims, kernel: Dims, stride: Dims, padding: Padding, dilation: Dims) -> Dims:
    """How often a kernel fits into the sizes, in each dimension."""
    return tuple(
        (n + low + high - d * (k - 1) - 1) // s + 1
        for n, k, s, (low, high), d in zip(sizes, kernel, stride, padding, dilation)
    )


def _correlate(x: Array, weight: Array, bias: Array | None, at: Windows) -> Array:
    if at.by_channel and len(weight) == at.channels:
        return depthwise.correlate(x, weight, bias, at)
    y = np.empty((at.batch, len(weight), *at.out), x.dtype)
    x = np.ascontiguousarray(x)
    matrix = at.matrix(weight)
    if at.last:
        matrix = np.ascontiguousarray(matrix.transpose(0, 2, 1))
    if bias is not None:
        bias = bias.reshape(at.groups, len(bias) // at.groups, 1)

    def work(part: int) -> None:
        for tile, columns in at.columns(x, part):
            into = at.of(y, tile)
            images, groups, channels, windows = into.shape
            if at.last:
                z = np.matmul(columns, matrix).reshape(groups, images, windows, channels).transpose(1, 0, 3, 2)
            elif images == 1:
                z = np.matmul(matrix, columns, out=into[0])[None]
            else:
                z = np.matmul(matrix, columns).reshape(groups, channels, images, windows).transpose(2, 0, 1, 3)
            if bias is not None:
                np.add(z, bias, out=into)
            elif at.last or images > 1:
                into[...] = z

    run(work, at.parts)
    return y


@in_single
def convolution(
    x: Array, weight: Array, *bias: Array, stride: Dims, padding: Padding, dilation: Dims, groups: int
) -> Array:
    kernel = weight.shape[2:]
    out = _places(x.shape[2:], kernel, stride, padding, dilation)
    at = Windows(x.shape, kernel, out, stride, padding, dilation, groups)
    return _correlate(x, weight, bias[0] if bias else None, at)


def _flipped(weight: Array, groups: int) -> Array:
    """The weight of the convolution that takes gradients back: inputs and outputs swapped, the taps reversed."""
    count, per_group, *kernel = weight.shape
    w = np.flip(weight, tuple(range(2, weight.ndim))).reshape(groups, count // groups, per_group, *kernel)
    return np.ascontiguousarray(w.swapaxes(1, 2)).reshape(groups * per_group, count // groups, *kernel)


@in_single
def convolution_input(
    g: Array, weight: Array, size: Dims, stride: Dims, padding: Padding, dilation: Dims, groups: int
) -> Array:
    """The gradient of `convolution` for an input of spatial `size`; a transposed convolution of `g`."""
    kernel, out = weight.shape[2:], g.shape[2:]
    channels = weight.shape[1] * groups
    if 1 < groups == channels == len(weight) and max(stride) > 1 and all(out):
        spread = np.zeros((*g.shape[:2], *((n - 1) * s + 1 for n, s in zip(out, stride))), g.dtype)
        spread[(slice(None), slice(None), *(slice(None, None, s) for s in stride))] = g
        return convolution_input(spread, weight, size, (1,) * len(size), padding, dilation, groups)
    if max(stride) == 1 and math.prod(size) < WIDER * math.prod(out):
        back = tuple((d * (k - 1) - low, 0) for d, k, (low, _) in zip(dilation, kernel, padding))
        at = Windows(g.shape, kernel, size, stride, back, dilation, groups)
        return _correlate(g, _flipped(weight, groups), None, at)
    at = Windows((len(g), channels, *size), kernel, out, stride, padding, dilation, groups)
    y = np.zeros((len(g), channels, *size), g.dtype)
    g = np.ascontiguousarray(g)
    matrix = at.matrix(weight)

    def work(part: int) -> None:
        buffer = None
        for tile in at.tiles(part):
            m, n, r, s = tile
            left, right = at.gradient(g, tile), matrix
            if not at.last:
                left, right = right, left
            if buffer is not None and buffer.shape[1:] != (left.shape[2], right.shape[2]):
                buffer = None
            buffer = np.matmul(left.transpose(0, 2, 1), right, out=buffer)
            block = at.block(n - m, s - r, g.dtype)
            windows = at.view(block, n - m, s - r)
            z = buffer.reshape(windows.shape)
            for index in at.apart():
                windows[index] += z[index]
            there, here = at.overlap(at.extent(s - r), r)
            y[(slice(m, n), slice(None), *here)] += at.inside(block, there)

    run(work, at.parts)
    return y


@in_single
def convolution_weight(
    g: Array, x: Array, size: Dims, stride: Dims, padding: Padding, dilation: Dims, groups: int
) -> Array:
    """The gradient of `convolution` for a weight of spatial `size`."""
    at = Windows(x.shape, size, g.shape[2:], stride, padding, dilation, groups)
    if at.by_channel and g.shape[1] == at.channels:
        y = depthwise.weight_gradient(g, x, at)
        if np.isfinite(y).all():  # windows over the end of a row count 0 times what they see, which may be infinite
            return y
    totals = np.zeros((at.parts, groups, g.shape[1] // groups, at.taps * at.per_group), g.dtype)
    g, x = np.ascontiguousarray(g), np.ascontiguousarray(x)

    def work(part: int) -> None:
        for tile, columns in at.columns(x, part):
            totals[part] += np.matmul(at.gradient(g, tile), columns if at.last else columns.transpose(0, 2, 1))

    run(work, at.parts)
    return at.unmatrix(totals.sum(0))


def im2col(x: Array, kernel: Dims, stride: Dims, padding: Padding, dilation: Dims) -> Array:
    """The windows of images (N, C, *sizes), as (N, C * taps, places)."""
    at = _blocks(x.shape, kernel, stride, padding, dilation)
    block = at.block(at.batch, at.out[0], x.dtype)
    there, here = at.overlap(at.extent(at.out[0]), 0)
    at.inside(block, there)[...] = x[(slice(None), slice(None), *here)]
    windows = np.moveaxis(at.view(block, at.batch, at.out[0])[0], 1 + len(kernel), 0)
    return windows.reshape(at.batch, at.channels * at.taps, math.prod(at.out))


def col2im(g: Array, size: Dims, kernel: Dims, stride: Dims, padding: Padding, dilation: Dims) -> Array:
    """Images of a size, as the sum of their windows (N, C * taps, places): the transpose of `im2col`."""
    channels = g.shape[1] // math.prod(kernel)
    at = _blocks((len(g), channels, *size), kernel, stride, padding, dilation)
    block = at.block(at.batch, at.out[0], g.dtype)
    windows = np.moveaxis(at.view(block, at.batch, at.out[0])[0], 1 + len(kernel), 0)
    g = g.reshape(windows.shape)
    for tap in np.ndindex(*kernel):
        windows[(slice(None), slice(None), *tap)] += g[(slice(None), slice(None), *tap)]
    y = np.zeros((len(g), channels, *size), g.dtype)
    there, here = at.overlap(at.extent(at.out[0]), 0)
    y[(slice(None), slice(None), *here)] = at.inside(block, there)
    return y


def _blocks(shape: Dims, kernel: Dims, stride: Dims, padding: Padding, dilation: Dims) -> Windows:
    out = _places(shape[2:], kernel, stride, padding, dilation)
    at = Windows(shape, kernel, out, stride, padding, dilation, 1)
    at.last = False  # the order of the columns is the user's
    return at
