"""Convolutions that take each channel by itself, with stride 1, and their gradient for the weight.

A channel of an image is laid out, with its padding, as one line: what all windows see at a tap of the kernel is then
one run of the line, where in the columns of `convolution` it is as many runs as the image has rows. Windows that reach
over the end of a row take part in this, and are left out of the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tensorgrad.backends.cpu.shared import Array
from tensorgrad.backends.parallel import run

if TYPE_CHECKING:
    from tensorgrad.backends.cpu.convolution import Windows

_TILE = 3 << 16  # elements of the runs that are worked on together: 768 KiB in single precision


class Lines:
    """How the windows of a kernel lie in lines, of which there is one for each channel of an image."""

    def __init__(self, at: Windows) -> None:
        extent = at.extent(at.out[0])
        self.at, self.extent, self.length = at, extent, math.prod(extent)
        self.steps = tuple(math.prod(extent[i + 1 :]) for i in range(len(extent)))
        self.places = sum((n - 1) * step for n, step in zip(at.out, self.steps)) + 1
        self.rows = at.batch * at.channels
        self.share = -(-self.rows // at.parts)
        self.count = max(1, min(self.share, _TILE // (self.length * at.taps)))

    def blocks(self, part: int) -> Iterator[slice]:
        """The rows of a part, some at a time."""
        end = min((part + 1) * self.share, self.rows)
        for start in range(part * self.share, end, self.count):
            yield slice(start, min(start + self.count, end))

    def outputs(self, lines: Array) -> Array:
        """The elements of lines at which the windows of an output begin: (lines, *out)."""
        return lines.reshape(-1, *self.extent)[(slice(None), *map(slice, self.at.out))]

    def runs(self, x: Array, part: int) -> Iterator[tuple[slice, Array]]:
        """The blocks of a part, and of each what its windows see: (lines, *kernel, places), a view."""
        at = self.at
        x = x.reshape(self.rows, *at.sizes)
        lines = np.zeros((self.count, self.length), x.dtype)
        line, item = lines.strides
        taps = tuple(item * d * step for d, step in zip(at.dilation, self.steps))
        views = np.ndarray((self.count, *at.kernel, self.places), x.dtype, lines, 0, (line, *taps, item))
        there, here = at.overlap(self.extent, 0)
        inside = lines.reshape(-1, *self.extent)[(slice(None), *there)]
        for rows in self.blocks(part):
            count = rows.stop - rows.start
            inside[:count] = x[(rows, *here)]
            yield rows, views[:count]


def correlate(x: Array, weight: Array, bias: Array | None, at: Windows) -> Array:
    """The convolution; its weight is (channels, 1, *kernel)."""
    lines = Lines(at)
    y = np.empty((lines.rows, *at.out), x.dtype)
    matrix = np.tile(weight.reshape(-1, 1, at.taps), (at.batch, 1, 1))
    constant = None if bias is None else np.tile(bias, at.batch).reshape(-1, *(1,) * len(at.out))

    def work(part: int) -> None:
        columns = np.empty((lines.count, *at.kernel, lines.places), x.dtype)
        z = np.empty((lines.count, 1, lines.length), x.dtype)
        outputs = lines.outputs(z)
        for rows, runs in lines.runs(x, part):
            count = len(runs)
            np.copyto(columns[:count], runs)
            np.matmul(matrix[rows], columns[:count].reshape(count, at.taps, -1), out=z[:count, :, : lines.places])
            if constant is None:
                y[rows] = outputs[:count]
            else:
                np.add(outputs[:count], constant[rows], out=y[rows])

    run(work, at.parts)
    return y.reshape(at.batch, at.channels, *at.out)


def weight_gradient(g: Array, x: Array, at: Windows) -> Array:
    """The gradient of `correlate` for its weight."""
    lines = Lines(at)
    g = g.reshape(lines.rows, *at.out)
    y = np.empty((lines.rows, *at.kernel), g.dtype)

    def work(part: int) -> None:
        spread = np.zeros((lines.count, lines.length), g.dtype)
        outputs = lines.outputs(spread)
        factor = spread[:, : lines.places].reshape(-1, *(1,) * len(at.kernel), lines.places)
        for rows, runs in lines.runs(x, part):
            outputs[: len(runs)] = g[rows]
            np.vecdot(runs, factor[: len(runs)], out=y[rows])

    run(work, at.parts)
    return y.reshape(at.batch, at.channels, 1, *at.kernel).sum(0)
