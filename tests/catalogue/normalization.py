"""Normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalogue.rows import Row, primitive, real
from tensorgrad.ops.normalization import moments_op, normalize_grad_op, normalize_op, standardize_op

BATCH = {"layout": (3, 2, 1, 4), "batch": True}
GROUP = {"layout": (3, 2, 2, 2), "batch": False}
LAYER = {"layout": (3, 1, 5, 1), "batch": False}
EPS = 1e-3


def _statistics(a: Any, attrs: Any) -> tuple[Any, Any, Any]:
    """The array in its layout (of as many samples as there are), its mean and its variance."""
    x = a.reshape(-1, *attrs["layout"][1:])
    axes = (0, 2, 3) if attrs["batch"] else (2, 3)
    return (x, x.mean(axes, keepdims=True), x.var(axes, keepdims=True)) if x.size else (x, 0.0, 0.0)


def _layout(a: Any, attrs: Any) -> Any:
    return attrs | {"layout": (a.shape[0], *attrs["layout"][1:])}


def _moments(attrs: Any) -> Any:
    def reference(a: np.ndarray) -> Any:
        _, mean, var = _statistics(a, attrs)
        return mean[..., 0, 0], var[..., 0, 0]

    return reference


def _normalize(attrs: Any) -> tuple[Any, Any]:
    def call(a: Any, weight: Any, bias: Any) -> Any:
        settings = _layout(a, attrs)
        return normalize_op(a, weight, bias, *moments_op(a, **settings), **settings, eps=EPS)

    def reference(a: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        x, mean, var = _statistics(a, attrs)
        affine = (1, *attrs["layout"][1:3], 1)
        y = (x - mean) / np.sqrt(var + EPS) * weight.reshape(affine) + bias.reshape(affine)
        return y.reshape(a.shape)

    return call, reference


def _normalize_grad(attrs: Any) -> tuple[Any, Any]:
    def call(g: Any, a: Any, weight: Any) -> Any:
        settings = _layout(a, attrs)
        return normalize_grad_op(g, a, weight, *moments_op(a, **settings), **settings, eps=EPS)

    def reference(g: np.ndarray, a: np.ndarray, weight: np.ndarray) -> Any:
        x, mean, var = _statistics(a, attrs)
        axes = (0, 2, 3) if attrs["batch"] else (2, 3)
        r = 1 / np.sqrt(var + EPS)
        z, v = (x - mean) * r, g.reshape(x.shape)
        w = v * weight.reshape(1, *attrs["layout"][1:3], 1)
        if x.size:
            w = r * (w - w.mean(axes, keepdims=True) - z * (w * z).mean(axes, keepdims=True))
        return w.reshape(a.shape), (v * z).sum((0, 3)).reshape(weight.shape), v.sum((0, 3)).reshape(weight.shape)

    return call, reference


def _rows(note: str, attrs: Any, a: Any, weight: Any) -> list[Row]:
    empty = ((0, *a.shape[1:]), weight.shape, weight.shape)
    return [
        Row("normalize", *_normalize(attrs), (a, weight, weight), empty=empty, note=note),
        Row("normalize_grad", *_normalize_grad(attrs), (a, a, weight), empty=(empty[0], *empty[:2]), note=note),
    ]


def _standardize(a: Any, weight: Any, bias: Any) -> Any:
    statistics = (np.full(2, value, a.dtype) for value in (0.5, 2.0))
    return standardize_op(a, weight, bias, *statistics, **_layout(a, BATCH), eps=EPS)


def _standardized(a: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return (a - 0.5) / np.sqrt(2.0 + EPS) * weight[:, None] + bias[:, None]


ROWS = [
    Row("moments", primitive("moments", **GROUP), _moments(GROUP), (real(3, 4, 2),), empty=((3, 4, 2),), note="group"),
    Row("moments", primitive("moments", **BATCH), _moments(BATCH), (real(3, 2, 4),), empty=((3, 2, 4),), note="batch"),
    Row("standardize", _standardize, _standardized, (real(3, 2, 4), real(2), real(2)), empty=((0, 2, 4), (2,), (2,))),
    *_rows("batch", BATCH, real(3, 2, 4), real(2)),
    *_rows("group", GROUP, real(3, 4, 2), real(4)),
    *_rows("layer", LAYER, real(3, 5), real(5)),
]
