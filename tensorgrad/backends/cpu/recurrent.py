"""Recurrent layers: one direction of one layer, over all its steps, forward and back.

Sequences lie in rows, one step after another: `sizes` says how many rows each step has. Sequences are sorted, the
longest first, so that a step works on the first rows of the batch, and those of several lengths need no mask. `reverse`
takes the steps from the last to the first. The inputs' share of the gates, `z`, is given for all steps.

A step costs some twenty calls, on arrays that stay in the cache: all of them write into arrays that are there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import accumulate

import numpy as np

from tensorgrad.backends.cpu.shared import Array

Given = Array | None  # a gradient that may not have arrived
Steps = list[slice]


def steps_of(sizes: tuple[int, ...], reverse: bool) -> Steps:
    """The rows of each step, in the order in which the steps are taken."""
    steps = [slice(stop - size, stop) for size, stop in zip(sizes, accumulate(sizes))]
    return steps[::-1] if reverse else steps


def _over_steps(kernel: Callable[..., tuple[Array, ...]]) -> Callable[..., tuple[Array, ...]]:
    """A kernel that is told the steps, and computes half precision in single."""

    @functools.wraps(kernel)
    def wide(*arrays: Given, sizes: tuple[int, ...], reverse: bool, **attrs: bool) -> tuple[Array, ...]:
        half = next(x for x in arrays if x is not None).dtype == np.float16
        if half:
            arrays = tuple(x.astype(np.float32) if isinstance(x, np.ndarray) else x for x in arrays)
        ys = kernel(*arrays, steps=steps_of(sizes, reverse), **attrs)
        return tuple(y.astype(np.float16) for y in ys) if half else ys

    return wide


def _before(after: Array, first: Array, steps: Steps) -> Array:
    """The state that each row starts from, where `after` is what it left and `first` what there was at first."""
    before, held = np.empty(after.shape, after.dtype), first.copy()
    for at in steps:
        rows = at.stop - at.start
        before[at] = held[:rows]
        held[:rows] = after[at]
    return before


def _by_gate(x: Array, count: int) -> Array:
    """(rows, count * size) as (count, rows, size), a view."""
    return x.reshape(len(x), count, x.shape[1] // count).swapaxes(0, 1)


def _weights(weight: Array, count: int, steps: Steps) -> Array:
    """A matrix for each gate, to multiply a state by from the right; laid out for it where there are steps to gain by.

    In BLAS one product for each gate is faster than one for all: it is too small to be shared among threads, whose
    meeting takes longer than the product.
    """
    by_gate = weight.reshape(count, len(weight) // count, weight.shape[1]).swapaxes(1, 2)
    return np.ascontiguousarray(by_gate) if len(steps) > 4 else by_gate


def _sigmoid(x: Array) -> None:
    """In place, by the tanh, which is the faster."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


def _complement(x: Array) -> Array:
    """1 - x * x, in place."""
    return np.subtract(1.0, np.multiply(x, x, out=x), out=x)


# The plain network: h = tanh(z + weight @ h), or with relu.


@_over_steps
def rnn(z: Array, h0: Array, weight: Array, steps: Steps, relu: bool) -> tuple[Array, ...]:
    y, h = np.empty(z.shape, z.dtype), h0.copy()
    weights = _weights(weight, 1, steps)[0]
    for at in steps:
        state = h[: at.stop - at.start]
        a = np.matmul(state, weights, out=y[at])
        a += z[at]
        state[...] = np.maximum(a, 0.0, out=a) if relu else np.tanh(a, out=a)
    return (y,)


@_over_steps
def rnn_backward(
    gy: Array, y: Array, z: object, h0: Array, weight: Array, steps: Steps, relu: bool
) -> tuple[Array, ...]:
    gz = (y > 0).astype(y.dtype) if relu else _complement(y.copy())
    gh = np.zeros(h0.shape, h0.dtype)
    for at in reversed(steps):
        dh, d = gh[: at.stop - at.start], gz[at]
        dh += gy[at]
        d *= dh
        np.matmul(d, weight, out=dh)
    return gz, gh, gz.T @ _before(y, h0, steps)


# Long short-term memory: gates i, f, g, o; c = f * c + i * g, h = o * tanh(c).


@functools.lru_cache(maxsize=8)
def _lstm_constants(rows: int, size: int, dtype: np.dtype) -> tuple[Array, Array]:
    """What makes one tanh serve the four gates, repeated for all rows: NumPy is slow to stretch one.

    With `half` 1/2 for a sigmoid and 1 for the tanh, and `rest` 1 - half, a gate is tanh(half * x) * half + rest.
    """
    half = np.ones((rows, 4, size), dtype)
    half[:, [0, 1, 3]] = 0.5
    half = half.reshape(rows, 4 * size)
    return half, 1 - half


@_over_steps
def lstm(z: Array, h0: Array, c0: Array, weight: Array, steps: Steps) -> tuple[Array, ...]:
    """The output and the cell after each step, and the gates in it."""
    batch, size = c0.shape
    gates = np.empty(z.shape, z.dtype)
    y, cells = np.empty((len(z), size), z.dtype), np.empty((len(z), size), z.dtype)
    h, c, scratch = h0.copy(), c0.copy(), np.empty(c0.shape, z.dtype)
    weights = _weights(weight, 4, steps)
    half, rest = _lstm_constants(batch, size, z.dtype)
    for at in steps:
        rows = at.stop - at.start
        state, cell, t = h[:rows], c[:rows], scratch[:rows]
        a = gates[at]
        i, f, g, o = by_gate = _by_gate(a, 4)
        np.matmul(state, weights, out=by_gate)
        a += z[at]
        a *= half[:rows]
        np.tanh(a, out=a)
        a *= half[:rows]
        a += rest[:rows]
        cell *= f
        cell += np.multiply(i, g, out=t)
        np.multiply(np.tanh(cell, out=t), o, out=state)
        cells[at], y[at] = cell, state
    return y, cells, gates


@_over_steps
def lstm_backward(
    gy: Given,
    gcells: Given,
    ggates: Given,
    y: Array,
    cells: Array,
    gates: Array,
    z: object,
    h0: Array,
    c0: Array,
    weight: Array,
    steps: Steps,
) -> tuple[Array, ...]:
    batch, size = c0.shape
    gz = np.empty(gates.shape, gates.dtype)
    gh, gc = np.zeros(h0.shape, h0.dtype), np.zeros(c0.shape, c0.dtype)
    scratch, before = np.empty(c0.shape, c0.dtype), _before(cells, c0, steps)
    # The slope of a sigmoid is 0 - a * (a - 1), of the tanh 1 - a * (a - 0).
    sigmoid = np.ceil(_lstm_constants(batch, size, gates.dtype)[1])
    tanh = 1 - sigmoid
    for at in reversed(steps):
        rows = at.stop - at.start
        dh, dc, t = gh[:rows], gc[:rows], scratch[:rows]
        a, d = gates[at], gz[at]
        i, f, g, o = _by_gate(a, 4)
        di, df, dg, do = by_gate = _by_gate(d, 4)
        if gy is not None:
            dh += gy[at]
        if gcells is not None:
            dc += gcells[at]
        np.subtract(a, sigmoid[:rows], out=d)
        d *= a
        np.subtract(tanh[:rows], d, out=d)
        own = None if ggates is None else d * ggates[at]
        np.tanh(cells[at], out=t)
        do *= t
        do *= dh
        dh *= o
        dh *= _complement(t)
        dc += dh
        di *= g
        df *= before[at]
        dg *= i
        by_gate[:3] *= dc
        if own is not None:
            d += own
        dc *= f
        np.matmul(d, weight, out=dh)
    return gz, gh, gc, gz.T @ _before(y, h0, steps)


# Gated recurrent units: gates r, u; m = weight @ h + bias, n = tanh(z + r * m), h = n + u * (h - n).


@_over_steps
def gru(z: Array, h0: Array, weight: Array, bias: Given, steps: Steps) -> tuple[Array, ...]:
    """The output after each step, and r, u, n and m in it."""
    batch, size = h0.shape
    y, gates = np.empty((len(z), size), z.dtype), np.empty((len(z), 4 * size), z.dtype)
    h, scratch = h0.copy(), np.empty((batch, 3 * size), z.dtype)
    weights = _weights(weight, 3, steps)
    for at in steps:
        rows = at.stop - at.start
        state, share, a = h[:rows], scratch[:rows], gates[at]
        np.matmul(state, weights, out=_by_gate(share, 3))
        if bias is not None:
            share += bias
        sigmoids, (r, u, n, m) = a[:, : 2 * size], _by_gate(a, 4)
        np.add(share[:, : 2 * size], z[at, : 2 * size], out=sigmoids)
        _sigmoid(sigmoids)
        m[...] = share[:, 2 * size :]
        np.multiply(r, m, out=n)
        n += z[at, 2 * size :]
        np.tanh(n, out=n)
        state -= n
        state *= u
        state += n
        y[at] = state
    return y, gates


@_over_steps
def gru_backward(
    gy: Given,
    ggates: Given,
    y: Array,
    gates: Array,
    z: object,
    h0: Array,
    weight: Array,
    bias: object,
    steps: Steps,
) -> tuple[Array, ...]:
    size = h0.shape[1]
    gz = np.empty((len(y), 3 * size), y.dtype)
    shares = np.empty((len(y), 3 * size), y.dtype)  # the gradients of weight @ h + bias: of r, u and m
    gh, before = np.zeros(h0.shape, h0.dtype), _before(y, h0, steps)
    for at in reversed(steps):
        dh, share = gh[: at.stop - at.start], shares[at]
        a, sigmoids = gates[at], gates[at, : 2 * size]
        r, u, n, m = _by_gate(a, 4)
        dr, du, dm = _by_gate(share, 3)
        dn = gz[at, 2 * size :]
        if gy is not None:
            dh += gy[at]
        np.subtract(before[at], n, out=du)
        du *= dh
        np.multiply(dh, u, out=dm)
        np.subtract(dh, dm, out=dn)
        dh[...] = dm
        if ggates is not None:
            gr, gu, gn, gm = _by_gate(ggates[at], 4)
            du += gu
            dn += gn
        dn *= _complement(n.copy())
        np.multiply(dn, m, out=dr)
        np.multiply(dn, r, out=dm)
        if ggates is not None:
            dr += gr
            dm += gm
        share[:, : 2 * size] *= sigmoids * (1.0 - sigmoids)
        gz[at, : 2 * size] = share[:, : 2 * size]
        dh += share @ weight
    return gz, gh, shares.T @ before, shares.sum(0)
