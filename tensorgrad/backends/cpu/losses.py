"""Kernels of the fused losses."""

from __future__ import annotations

import numpy as np
from numpy import add, exp, log, log1p, maximum

from tensorgrad.backends.cpu.shared import Array, in_single


@in_single
def softmax_cross_entropy(a: Array, target: Array) -> Array:
    rows = a.reshape(-1, a.shape[-1])
    shifted = rows - maximum.reduce(rows, axis=1, keepdims=True)
    picked = shifted[np.arange(len(rows)), target.reshape(-1)]
    return (log(add.reduce(exp(shifted, out=shifted), axis=1)) - picked).reshape(target.shape)


# log(0) counts as -100, so that a sure and wrong prediction has a finite loss: PyTorch's rule.
def binary_cross_entropy(a: Array, target: Array) -> Array:
    return -(target * maximum(log(a), -100) + (1 - target) * maximum(log1p(-a), -100))
