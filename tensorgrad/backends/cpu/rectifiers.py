"""Kernels of the activations that bend at a point."""

from __future__ import annotations

from numpy import absolute, add, clip, exp, expm1, greater, log1p, maximum, minimum, multiply, where

from tensorgrad.backends.cpu.shared import Array, finish, in_single


def leaky_relu(a: Array, slope: float, out: Array | None = None) -> Array:
    y = a * slope
    if 0.0 < slope <= 1.0:
        return maximum(a, y, out=y if out is None else out)
    return finish(where(a > 0, a, y), out)


@in_single
def elu(a: Array, alpha: float, scale: float, input_scale: float, out: Array | None = None) -> Array:
    y = minimum(a, 0)
    if input_scale != 1.0:
        y *= input_scale
    expm1(y, out=y)
    y *= alpha * scale
    above = maximum(a, 0)
    if scale != 1.0:
        above *= scale
    return add(above, y, out=y if out is None else out)


def hardtanh(a: Array, low: float, high: float, out: Array | None = None) -> Array:
    return finish(clip(a, low, high), out)


@in_single
def softplus(a: Array, beta: float, threshold: float, out: Array | None = None) -> Array:
    scaled = a if beta == 1.0 else a * beta
    y = absolute(scaled)
    exp(multiply(y, -1, out=y), out=y)
    log1p(y, out=y)
    y += maximum(scaled, 0)
    if beta != 1.0:
        y /= beta
    return finish(where(greater(scaled, threshold), a, y), out)
