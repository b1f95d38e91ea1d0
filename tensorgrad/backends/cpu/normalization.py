"""Normalisation: the kernels.

Every normalisation is seen as an array (batch, groups, channels, places). Weight and bias are (groups, channels); mean
and variance are over channels and places, and where `batch` holds over the batch too: then they are (1, groups), else
(batch, groups). Layer norm has one group, and its channels have one place: it is in `layer_norm`. Batch norm has one
channel in a group.

Sums over the places come first: they are contiguous, and a matrix product with ones adds them up fastest. The rest is
done a block of rows at a time, which stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import add, multiply, reciprocal, sqrt, subtract

from tensorgrad.backends.cpu import layer_norm
from tensorgrad.backends.cpu.blocks import each_block
from tensorgrad.backends.cpu.shared import Array

Layout = tuple[int, int, int, int]


def _sum_places(x: Array) -> Array:
    """The sums over the last dimension."""
    if x.shape[-1] == 1:
        return x[..., 0]
    *lead, places = x.shape
    return (x.reshape(math.prod(lead), places) @ np.ones(places, x.dtype)).reshape(lead)


def _sum_groups(p: Array, batch: bool, weight: Array | None = None) -> Array:
    """Of (batch, groups, channels) the sums, weighted, that belong to one mean: (1 or batch, groups)."""
    if batch:
        p = add.reduce(p, axis=0, keepdims=True)
    if weight is not None:
        p = p * weight
    return p[..., 0] if p.shape[2] == 1 else add.reduce(p, axis=2)


class _Rows:
    """Arrays of a layout as rows, what goes with their rows, and blocks of both.

    Where channels have one place, a row is a sample, and weights lie along it. Else a row is a channel of a sample, and
    statistics and weights are numbers of a row.
    """

    def __init__(self, layout: Layout) -> None:
        self.lead = layout[:3]
        self.wide = layout[3] != 1
        self.shape = (math.prod(self.lead), layout[3]) if self.wide else self.lead

    def of(self, x: Array) -> Array:
        """An array of the layout, as rows."""
        return x.reshape(self.shape)

    def coefficient(self, p: Array) -> Array:
        """Numbers that broadcast over (batch, groups, channels), for the rows."""
        return np.broadcast_to(p, self.lead).reshape(-1, 1) if self.wide else p

    def each(self, block: Callable[..., object], *arrays: Array) -> None:
        """Call a function with the parts of the arrays that belong together, for each block of rows."""
        rows = self.shape[0]

        def work(part: slice) -> None:
            block(*(a[part] if len(a) == rows else a for a in arrays))

        each_block(work, rows, math.prod(self.shape[1:]))


def _products(rows: _Rows, x: Array, mean: Array | None, other: Array | None) -> Array:
    """(x - mean) * other (by default its square) summed over the places: a number for each channel of a sample."""
    y = np.empty(rows.lead, x.dtype)
    product, into = (np.vecdot, y.reshape(-1)) if rows.wide else (multiply, y)
    x = rows.of(x)
    factor = x if other is None else rows.of(other)
    if mean is None:
        product(x, factor, out=into)
        return y

    def block(x: Array, m: Array, f: Array, out: Array) -> None:
        t = subtract(x, m)
        product(t, t if other is None else f, out=out)

    rows.each(block, x, rows.coefficient(mean), factor, into)
    return y


def moments(a: Array, layout: Layout, batch: bool) -> tuple[Array, Array]:
    """The mean and the variance (over n): the squared deviations from the mean, so that none of it cancels."""
    if _is_layer(layout, batch):
        mean, var = layer_norm.moments(a.reshape(layout[0], layout[2]))
        return mean[:, None], var[:, None]
    count = layout[2] * layout[3] * (layout[0] if batch else 1)
    share = a.dtype.type(1.0 / count if count else np.nan)
    mean = _sum_groups(_sum_places(a.reshape(layout)), batch) * share  # which may be a view of the input
    var = _sum_groups(_products(_Rows(layout), a, mean[..., None], None), batch)
    var *= share
    return mean, var


def _statistics(mean: Array, var: Array, weight: Array | None, layout: Layout, eps: float) -> tuple[Any, Any, Any]:
    """Mean, 1 / deviation and weight, to broadcast over (batch, groups, channels)."""
    r = reciprocal(sqrt(var + var.dtype.type(eps)))
    m, r = (x.reshape(-1, layout[1], 1) for x in (mean, r))
    return m, r, None if weight is None else weight.reshape(layout[1:3])


def _flat(*arrays: Array | None) -> list[Any]:
    return [None if x is None else x.reshape(-1) for x in arrays]


def _is_layer(layout: Layout, batch: bool) -> bool:
    return layout[1] == layout[3] == 1 and not batch


def normalize(
    a: Array,
    weight: Array | None,
    bias: Array | None,
    mean: Array,
    var: Array,
    layout: Layout,
    batch: bool,
    eps: float,
) -> Array:
    """`(a - mean) / sqrt(var + eps) * weight + bias`, as `a * scale + shift`: that differs by a rounding of the input.

    There is no bias without a weight.
    """
    m, r, weight = _statistics(mean, var, weight, layout, eps)
    if _is_layer(layout, batch):
        return layer_norm.normalize(a.reshape(layout[0], layout[2]), *_flat(weight, bias, m, r)).reshape(a.shape)
    rows = _Rows(layout)
    scale = r if weight is None else r * weight
    shift = m * -scale if bias is None else bias.reshape(layout[1:3]) - m * scale
    y = np.empty(a.shape, a.dtype)

    def block(x: Array, out: Array, k: Array, c: Array) -> None:
        multiply(x, k, out=out)
        out += c

    rows.each(block, rows.of(a), rows.of(y), rows.coefficient(scale), rows.coefficient(shift))
    return y


def normalize_grad(
    g: Array, a: Array, weight: Array | None, mean: Array, var: Array, layout: Layout, batch: bool, eps: float
) -> tuple[Array, ...]:
    """The gradients of `normalize` for its input, and where there is a weight, for weight and bias.

    Mean and variance count as functions of the input: what lies along them is taken away from g * weight.
    """
    n, _, channels, places = layout
    count = channels * places * (n if batch else 1)
    share = a.dtype.type(1.0 / count if count else 0.0)
    shape = None if weight is None else weight.shape
    if not a.size:  # mean and variance of nothing are NaN; what they would be multiplied with is not there
        return tuple(np.zeros(like, a.dtype) for like in ((a.shape,) if shape is None else (a.shape, shape, shape)))
    m, r, weight = _statistics(mean, var, weight, layout, eps)
    if _is_layer(layout, batch):
        parts = layer_norm.normalize_grad(g.reshape(n, channels), a.reshape(n, channels), *_flat(weight, m, r))
        return tuple(part.reshape(like) for part, like in zip(parts, (a.shape, shape, shape)))
    rows = _Rows(layout)
    sums = _sum_places(g.reshape(layout))
    # As in PyTorch, batch norm takes the mean from each element, the others, of smaller sums, from the sum.
    along = _products(rows, a, m if batch else None, g)
    sum_group = _sum_groups(sums, batch, weight)[..., None]
    slope = _sum_groups(along, batch, weight)[..., None]
    if not batch:
        slope -= m * sum_group
    slope *= r * r * r * -share
    shift = sum_group * (r * -share) - m * slope
    ga = np.empty(a.shape, a.dtype)

    def block(x: Array, gx: Array, out: Array, k: Array, s: Array, c: Array) -> None:
        t = multiply(x, s)
        t += c
        multiply(gx, k, out=out)
        out += t

    coefficients = map(rows.coefficient, (r if weight is None else r * weight, slope, shift))
    rows.each(block, rows.of(a), rows.of(g), rows.of(ga), *coefficients)
    if weight is None:
        return (ga,)
    if not batch:
        along -= m * sums
    along *= r
    gw, gb = add.reduce(along, axis=0), add.reduce(sums, axis=0)
    return ga, gw.reshape(shape), gb.reshape(shape)
