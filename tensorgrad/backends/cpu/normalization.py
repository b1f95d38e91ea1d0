"""Normalisation: the kernels.

Every normalisation is seen as an array (batch, groups, channels, places). Weight and bias are (groups, channels); mean
and variance are over channels and places, and where `batch` holds over the batch too: then they are (1, groups), else
(batch, groups). Layer norm has one group, and its channels have one place. Batch norm has one channel in a group.

Sums over the places come first: they are contiguous, and a matrix product with ones adds them up fastest. The rest is
done a block of rows at a time, which stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import add, multiply, reciprocal, sqrt, subtract

from tensorgrad.backends.cpu.shared import Array

BLOCK = 1 << 17  # elements of a block
Layout = tuple[int, int, int, int]


def _sum_places(x: Array) -> Array:
    """The sums over the last dimension."""
    if x.shape[-1] == 1:
        return x[..., 0]
    *lead, places = x.shape
    return (x.reshape(math.prod(lead), places) @ np.ones(places, x.dtype)).reshape(lead)


def _sum_groups(p: Array, batch: bool, weight: Array | None = None) -> Array:
    """Of (batch, groups, channels) the sums, weighted, that belong to one mean: (1 or batch, groups)."""
    _, groups, channels = p.shape
    if groups == 1 and not batch:
        return p[:, 0] @ (np.ones(channels, p.dtype) if weight is None else weight[0]).reshape(channels, 1)
    if batch:
        p = add.reduce(p, axis=0, keepdims=True)
    if weight is not None:
        p = p * weight
    return p[..., 0] if channels == 1 else add.reduce(p, axis=2)


class _Rows:
    """Arrays of a layout as rows, what goes with their rows, and blocks of both.

    Where channels have one place, a row is a sample, and weights lie along it. Else a row is a channel of a sample, and
    statistics and weights are numbers of a row.
    """

    def __init__(self, layout: Layout) -> None:
        self.lead = layout[:3]
        self.wide = layout[3] != 1
        self.shape = (math.prod(self.lead), layout[3]) if self.wide else self.lead
        self.step = max(1, BLOCK // max(1, math.prod(self.shape[1:])))

    def of(self, x: Array) -> Array:
        """An array of the layout, as rows."""
        return x.reshape(self.shape)

    def coefficient(self, p: Array) -> Array:
        """Numbers that broadcast over (batch, groups, channels), for the rows."""
        return np.broadcast_to(p, self.lead).reshape(-1, 1) if self.wide else p

    def blocks(self, *arrays: Array) -> Iterator[list[Array]]:
        """The parts of the arrays that belong together, a block of rows at a time."""
        rows = self.shape[0]
        for start in range(0, rows, self.step):
            part = slice(start, start + self.step)
            yield [a[part] if len(a) == rows else a for a in arrays]


def _products(rows: _Rows, x: Array, mean: Array | None, other: Array | None) -> Array:
    """(x - mean) * other (by default its square) summed over the places: a number for each channel of a sample."""
    y = np.empty(rows.lead, x.dtype)
    product, into = (np.vecdot, y.reshape(-1)) if rows.wide else (multiply, y)
    x = rows.of(x)
    factor = x if other is None else rows.of(other)
    if mean is None:
        product(x, factor, out=into)
        return y
    for part, m, f, out in rows.blocks(x, rows.coefficient(mean), factor, into):
        t = subtract(part, m)
        product(t, t if other is None else f, out=out)
    return y


def moments(a: Array, layout: Layout, batch: bool) -> tuple[Array, Array]:
    """The mean and the variance (over n): the squared deviations from the mean, so that none of it cancels."""
    count = layout[2] * layout[3] * (layout[0] if batch else 1)
    share = a.dtype.type(1.0 / count if count else np.nan)
    mean = _sum_groups(_sum_places(a.reshape(layout)), batch)
    mean *= share
    var = _sum_groups(_products(_Rows(layout), a, mean[..., None], None), batch)
    var *= share
    return mean, var


def _statistics(mean: Array, var: Array, weight: Array | None, layout: Layout, eps: float) -> tuple[Any, Any, Any]:
    """Mean, 1 / deviation and weight, to broadcast over (batch, groups, channels)."""
    r = reciprocal(sqrt(var + var.dtype.type(eps)))
    return mean[..., None], r[..., None], None if weight is None else weight.reshape(layout[1:3])


def _scale(r: Array, weight: Array | None) -> Array:
    return r if weight is None else _combined(r, weight, None)


def _combined(p: Array, weight: Array, bias: Array | None) -> Array:
    """`p * weight + bias`, p a number of a group. Of layer norm that is as large as the input, and as a product of
    matrices, of two columns with two rows, takes a third of the time."""
    if p.shape[1] > 1 or len(p) == 1:
        return p * weight if bias is None else p * weight + bias
    pair = np.ones((len(p), 2), p.dtype)
    pair[:, 0] = p[:, 0, 0]
    rows = np.zeros((2, weight.shape[-1]), p.dtype)
    rows[0] = weight
    if bias is not None:
        rows[1] = bias
    return (pair @ rows)[:, None]


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
    rows = _Rows(layout)
    m, r, weight = _statistics(mean, var, weight, layout, eps)
    scale = _scale(r, weight)
    if weight is None or bias is None:
        shift = m * -scale
    else:
        shift = _combined(m * -r, weight, bias.reshape(layout[1:3]))
    y = np.empty(a.shape, a.dtype)
    for x, out, k, c in rows.blocks(rows.of(a), rows.of(y), rows.coefficient(scale), rows.coefficient(shift)):
        multiply(x, k, out=out)
        out += c
    return y


def normalize_grad(
    g: Array, a: Array, weight: Array | None, mean: Array, var: Array, layout: Layout, batch: bool, eps: float
) -> tuple[Array, ...]:
    """The gradients of `normalize` for its input, and where there is a weight, for weight and bias.

    Mean and variance count as functions of the input: what lies along them is taken away from g * weight.
    """
    rows = _Rows(layout)
    n, groups, channels, places = layout
    count = channels * places * (n if batch else 1)
    share = a.dtype.type(1.0 / count if count else 0.0)
    shape = None if weight is None else weight.shape
    if not a.size:  # mean and variance of nothing are NaN; what they would be multiplied with is not there
        return tuple(np.zeros(like, a.dtype) for like in ((a.shape,) if shape is None else (a.shape, shape, shape)))
    m, r, weight = _statistics(mean, var, weight, layout, eps)
    sums = _sum_places(g.reshape(layout))
    # As in PyTorch, batch norm takes the mean from each element, the others, of smaller sums, from the sum.
    along = _products(rows, a, m if batch else None, g)
    sum_group = _sum_groups(sums, batch, weight)[..., None]
    slope = _sum_groups(along, batch, weight)[..., None]
    if not batch:
        slope -= m * sum_group
    slope *= r * r * r * -share
    shift = sum_group * (r * -share) - m * slope
    scale = rows.coefficient(_scale(r, weight))
    ga = np.empty(a.shape, a.dtype)
    for x, gx, out, k, s, c in rows.blocks(
        rows.of(a), rows.of(g), rows.of(ga), scale, rows.coefficient(slope), rows.coefficient(shift)
    ):
        t = multiply(x, s)
        t += c
        multiply(gx, k, out=out)
        out += t
    if weight is None:
        return (ga,)
    if groups == 1 and not batch:
        gw = r.reshape(1, n) @ along[:, 0] - (m * r).reshape(1, n) @ sums[:, 0]
        gb = np.ones((1, n), g.dtype) @ sums[:, 0]
    else:
        if not batch:
            along -= m * sums
        along *= r
        gw, gb = add.reduce(along, axis=0), add.reduce(sums, axis=0)
    return ga, gw.reshape(shape), gb.reshape(shape)
