"""Normalisation of the rows of a matrix (samples, features), with a weight and a bias for each feature: layer norm.

NumPy is slow to take a number of a row to all its elements. A product of two columns with two rows does that, for scale
and shift, in a third of the time.
"""

from __future__ import annotations

import numpy as np
from numpy import matmul, multiply, subtract, vecdot

from tensorgrad.backends.cpu.blocks import each_block
from tensorgrad.backends.cpu.shared import Array


def _pair(first: Array | float, second: Array | float, n: int, dtype: np.dtype) -> Array:
    """Two columns of length n."""
    y = np.empty((n, 2), dtype)
    y[:, 0], y[:, 1] = first, second
    return y


def moments(x: Array) -> tuple[Array, Array]:
    """The mean and the variance (over n) of each row."""
    n, features = x.shape
    share = x.dtype.type(1.0 / features if features else np.nan)
    shares = np.full(features, share)
    mean, var = np.empty(n, x.dtype), np.empty(n, x.dtype)

    def block(rows: slice) -> None:
        matmul(x[rows], shares, out=mean[rows])
        t = subtract(x[rows], mean[rows, None])
        vecdot(t, t, out=var[rows])

    each_block(block, n, features)
    var *= share
    return mean, var


def normalize(x: Array, weight: Array | None, bias: Array | None, mean: Array, r: Array) -> Array:
    """`(x - mean) * r * weight + bias`, as `x * scale + shift`. There is no bias without a weight."""
    n, features = x.shape
    y = np.empty(x.shape, x.dtype)
    w = 1.0 if weight is None else weight
    weights = _pair(w, 0.0, features, x.dtype).T.copy()
    affine = _pair(w, 0.0 if bias is None else bias, features, x.dtype).T.copy()
    scale, shift = _pair(r, 0.0, n, x.dtype), _pair(mean * -r, 1.0, n, x.dtype)

    def block(rows: slice) -> None:
        t = matmul(scale[rows], weights)
        out = multiply(x[rows], t, out=y[rows])
        out += matmul(shift[rows], affine, out=t)

    each_block(block, n, features)
    return y


def normalize_grad(g: Array, x: Array, weight: Array | None, mean: Array, r: Array) -> tuple[Array, ...]:
    """The gradients of `normalize` for its input, and where there is a weight, for weight and bias.

    Mean and variance count as functions of the input: what lies along them is taken away from g * weight.
    """
    n, features = x.shape
    ga = np.empty(x.shape, x.dtype)
    w = np.ones(features, x.dtype) if weight is None else weight
    weights, scale = _pair(w, 0.0, features, x.dtype).T.copy(), _pair(r, 0.0, n, x.dtype)
    down = _pair(mean * -r, 1.0, n, x.dtype).T.copy()
    share = r * x.dtype.type(-1.0 / features)
    totals: dict[int, Array] = {}

    def block(rows: slice) -> None:
        m, k = mean[rows], r[rows]
        t = multiply(g[rows], x[rows])
        total = g[rows] @ w
        slope = (t @ w - m * total) * (k * k * share[rows])
        shift = total * share[rows] - m * slope
        if weight is not None:
            sums = totals[rows.start] = down[:, rows] @ g[rows]
            sums[0] += k @ t
        out = multiply(g[rows], matmul(scale[rows], weights, out=t), out=ga[rows])
        out += multiply(x[rows], slope[:, None], out=t)
        out += shift[:, None]

    each_block(block, n, features)
    return (ga,) if weight is None else (ga, *np.sum([totals[start] for start in sorted(totals)], 0))
