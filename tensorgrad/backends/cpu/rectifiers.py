"""Kernels of the activations that bend at a point."""

from __future__ import annotations

import numpy as np
from numpy import absolute, clip, exp, expm1, log1p, maximum, minimum, multiply, negative, where

from tensorgrad.backends.cpu.shared import Array, finish, in_single
from tensorgrad.errors import DtypeError


def leaky_relu(a: Array, slope: float, out: Array | None = None) -> Array:
    y = multiply(a, slope, out=np.empty_like(a))
    if 0.0 < slope <= 1.0:
        return maximum(a, y, out=y if out is None else out)
    return finish(where(a > 0, a, y), out)


@in_single
def elu(a: Array, alpha: float, scale: float, input_scale: float, out: Array | None = None) -> Array:
    y = minimum(a, 0, out=np.empty_like(a))
    if input_scale != 1.0:
        y *= input_scale
    expm1(y, out=y)
    y *= alpha * scale
    y += maximum(a, 0) if scale == 1.0 else maximum(a, 0) * scale
    return finish(y, out)


def hardtanh(a: Array, low: float, high: float, out: Array | None = None) -> Array:
    if a.dtype.kind != "f":
        low, high = int(low), int(high)
        if low < 0 and a.dtype.kind == "u":
            raise DtypeError(f"hardtanh: {a.dtype.name} has no numbers down to {low}; convert with .long()")
    return finish(clip(a, low, high), out)


@in_single
def softplus(a: Array, beta: float, threshold: float, out: Array | None = None) -> Array:
    scaled = a if beta == 1.0 else a * beta
    y = absolute(scaled, out=np.empty_like(a))
    log1p(exp(negative(y, out=y), out=y), out=y)
    y += maximum(scaled, 0)
    if beta != 1.0:
        y /= beta
    return finish(where(scaled > threshold, a, y), out)
