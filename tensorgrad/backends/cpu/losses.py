"""Kernels of the fused losses."""

from __future__ import annotations

import numpy as np
from numpy import exp, log, log1p, maximum

from tensorgrad.backends.cpu.shared import Array, common_shift, in_single, row_sums


@in_single
def softmax_cross_entropy(a: Array, target: Array) -> tuple[Array, Array]:
    """The losses, and the probabilities."""
    rows = a.reshape(-1, a.shape[-1])
    shift = common_shift(rows, spread=16.0)
    y = rows - (maximum.reduce(rows, axis=1, keepdims=True) if shift is None else shift)
    picked = y[np.arange(len(rows)), target.reshape(-1)]
    exp(y, out=y)
    total = row_sums(y)
    losses = log(total[:, 0]) - picked
    y *= 1.0 / total
    return losses.reshape(target.shape), y.reshape(a.shape)


# log(0) counts as -100, so that a sure and wrong prediction has a finite loss: PyTorch's rule.
def binary_cross_entropy(a: Array, target: Array) -> Array:
    return -(target * maximum(log(a), -100) + (1 - target) * maximum(log1p(-a), -100))


@in_single
def huber(a: Array, delta: float) -> Array:
    near = np.clip(a, -delta, delta)
    return near * (a - 0.5 * near)
