"""Normalisation: the primitives that batch, layer, group and instance norm share. `nn.functional` has the functions.

A `layout` is the input's shape as (batch, groups, channels, places). A mean and a variance belong to a group of a
sample, or with `batch` to a group of all samples; weight and bias belong to the channels of the groups.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import normalization as cpu
from tensorgrad.ops.powers import rsqrt, square
from tensorgrad.ops.reduce import mean_op, sum_op

moments_op = primitive("moments", cpu.moments)


def _normalize_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, a: Any, weight: Any, bias: Any, mean: Any, var: Any, **attrs: Any
) -> tuple[Any, ...]:
    ga, *rest = normalize_grad_op(g, a, weight, mean, var, **attrs)
    return (ga, *(rest or (None, None)), None, None)


def _normalize_grad_vjp(
    g: Any,
    wants: tuple[bool, ...],
    y: Any,
    g1: Any,
    a: Any,
    weight: Any,
    mean: Any,
    var: Any,
    layout: tuple[int, ...],
    batch: bool,
    eps: float,
) -> tuple[Any, ...]:
    """The second derivative. Mean and variance are computed anew from `a`, so that there is a third as well."""
    dims = (0, 2, 3) if batch else (2, 3)

    def average(x: Any) -> Any:
        return mean_op(x, dim=dims, keepdim=True)

    def project(x: Any) -> Any:
        return x - average(x) - z * average(x * z)

    affine = (1, *layout[1:3], 1)
    x, v = a.reshape(layout), g1.reshape(layout)
    w = 1.0 if weight is None else weight.reshape(affine)
    h = g[0].reshape(layout) if 0 in g else v * 0.0
    hw = g[1].reshape(affine) if 1 in g else 0.0
    hb = g[2].reshape(affine) if 2 in g else 0.0
    centred = x - average(x)
    r = rsqrt(average(square(centred)) + eps)
    z = centred * r
    vw = v * w
    ph = project(h) * r
    through_z = v * hw - (h * average(vw * z) + vw * average(h * z)) * r
    through_r = average(h * project(vw)) * r * r
    gg = (ph * w + z * hw + hb).reshape(g1.shape)
    ga = (project(through_z) * r - z * through_r).reshape(a.shape)
    gw = None if weight is None else sum_op(v * ph, dim=(0, 3), keepdim=False).reshape(weight.shape)
    return gg, ga, gw, None, None


# Fused, because the composition goes over its input nine times forward, and keeps four arrays of its size: this goes
# over it four times, and keeps the input alone. Mean and variance are given, as `moments` finds them; they have no
# gradient of their own, because that of the input goes through them.
normalize_op = primitive("normalize", cpu.normalize, joint=_normalize_vjp, keep="abde")
normalize_grad_op = primitive("normalize_grad", cpu.normalize_grad, joint=_normalize_grad_vjp, keep="abc")


def _standardize_vjp(
    g: Any,
    wants: tuple[bool, ...],
    y: Any,
    a: Any,
    weight: Any,
    bias: Any,
    mean: Any,
    var: Any,
    layout: tuple[int, ...],
    batch: bool,
    eps: float,
) -> tuple[Any, ...]:
    n, channels, _, places = layout
    shape = (n, channels, places)
    v, r = g.reshape(shape), rsqrt(var + eps)
    ga = gw = gb = None
    if wants[0]:
        scale = r if weight is None else r * weight
        ga = (v * scale.reshape((1, channels, 1))).reshape(a.shape)
    if wants[1] or wants[2]:
        gb = sum_op(v, dim=(0, 2), keepdim=False)
    if wants[1]:
        gw = (sum_op(v * a.reshape(shape), dim=(0, 2), keepdim=False) - mean * gb) * r
    return ga, gw, gb, None, None


# The same with a mean and a variance that are no functions of the input, one for each of the groups; as in PyTorch they
# have no gradient. The composition is ten operations, which for a small input is what it costs.
standardize_op = primitive("standardize", cpu.normalize, joint=_standardize_vjp, keep="abde")
