"""Convolutions and sliding blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalogue.rows import Row, primitive, real
from tensorgrad.nn import functional as F

HOW: dict[str, Any] = {"stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 2), "groups": 2}
SAME: dict[str, Any] = {"stride": (1,), "padding": ((1, 1),), "dilation": (1,), "groups": 1}
BLOCKS: dict[str, Any] = {"kernel": (2, 2), "stride": (1, 2), "padding": ((1, 1), (0, 0)), "dilation": (2, 1)}


def _taps(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, **_: Any) -> Any:
    """Where each output element reads: (place in the output, tap of the kernel, place in the input)."""
    for place in np.ndindex(*_out(size, kernel, stride, padding, dilation)):
        for tap in np.ndindex(*kernel):
            at = [o * s + t * d - low for o, s, t, d, (low, _) in zip(place, stride, tap, dilation, padding)]
            if all(0 <= a < n for a, n in zip(at, size)):
                yield (..., *place), (..., *tap), (..., *at)


def _out(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, **_: Any) -> tuple[int, ...]:
    """How many strides from the first place the last tap is still inside, in each dimension."""
    spans = zip(size, kernel, stride, padding, dilation)
    return tuple(len(range(d * (k - 1), n + low + high, s)) for n, k, s, (low, high), d in spans)


def _whole(weight: np.ndarray, groups: int) -> np.ndarray:
    """The weight (out, in / groups, ...) as one of a single group, with zeros between the groups: (out, in, ...)."""
    o, c = weight.shape[:2]
    whole = np.zeros((o, c * groups, *weight.shape[2:]), weight.dtype)
    for i in range(o):
        first = i // (o // groups) * c
        whole[i, first : first + c] = weight[i]
    return whole


def _convolution(x: np.ndarray, weight: np.ndarray, bias: Any = 0.0, **how: Any) -> np.ndarray:
    w, size, kernel = _whole(weight, how["groups"]), x.shape[2:], weight.shape[2:]
    y = np.zeros((len(x), len(w), *_out(size, kernel, **how)), x.dtype)
    for place, tap, at in _taps(size, kernel, **how):
        y[place] += x[at] @ w[tap].T
    return y + np.reshape(bias, (-1, *(1,) * len(size)))


def _convolution_input(g: np.ndarray, weight: np.ndarray, size: Any, **how: Any) -> np.ndarray:
    w = _whole(weight, how["groups"])
    y = np.zeros((len(g), w.shape[1], *size), g.dtype)
    for place, tap, at in _taps(size, weight.shape[2:], **how):
        y[at] += g[place] @ w[tap]
    return y


def _convolution_weight(g: np.ndarray, x: np.ndarray, size: Any, **how: Any) -> np.ndarray:
    y = np.zeros((g.shape[1], x.shape[1], *size), g.dtype)
    for place, tap, at in _taps(x.shape[2:], size, **how):
        y[tap] += g[place].T @ x[at]
    o, count = g.shape[1] // how["groups"], x.shape[1] // how["groups"]
    return np.concatenate([y[i * o : (i + 1) * o, i * count : (i + 1) * count] for i in range(how["groups"])])


def _im2col(x: np.ndarray, kernel: Any, **how: Any) -> np.ndarray:
    y = np.zeros((*x.shape[:2], *kernel, *_out(x.shape[2:], kernel, **how)), x.dtype)
    for place, tap, at in _taps(x.shape[2:], kernel, **how):
        y[(slice(None), slice(None), *tap[1:], *place[1:])] = x[at]
    return y.reshape(len(x), x.shape[1] * np.prod(kernel), np.prod(y.shape[4:]))


def _col2im(g: np.ndarray, size: Any, kernel: Any, **how: Any) -> np.ndarray:
    columns = g.reshape(len(g), g.shape[1] // np.prod(kernel), *kernel, *_out(size, kernel, **how))
    y = np.zeros((len(g), columns.shape[1], *size), g.dtype)
    for place, tap, at in _taps(size, kernel, **how):
        y[at] += columns[(slice(None), slice(None), *tap[1:], *place[1:])]
    return y


ROWS = [
    Row("convolution", primitive("convolution", **HOW), lambda x, w, b: _convolution(x, w, b, **HOW),
        (real(2, 4, 4, 4), real(6, 2, 3, 2), real(6)), empty=((0, 4, 4, 4), (6, 2, 3, 2), (6,))),
    Row("convolution", F.conv1d, lambda x, w: _convolution(x, w, stride=(1,), padding=((0, 0),), dilation=(1,), groups=1),
        (real(2, 3, 5), real(2, 3, 3)), empty=((0, 3, 5), (2, 3, 3)), note="1d"),
    Row("convolution_input", primitive("convolution_input", size=(4, 4), **HOW), lambda g, w: _convolution_input(
        g, w, (4, 4), **HOW), (real(2, 6, 2, 3), real(6, 2, 3, 2)), empty=((0, 6, 2, 3), (6, 2, 3, 2))),
    Row("convolution_input", primitive("convolution_input", size=(5,), **SAME), lambda g, w: _convolution_input(
        g, w, (5,), **SAME), (real(2, 2, 5), real(2, 3, 3)), empty=((0, 2, 5), (2, 3, 3)), note="same"),
    Row("convolution_weight", primitive("convolution_weight", size=(3, 2), **HOW), lambda g, x: _convolution_weight(
        g, x, (3, 2), **HOW), (real(2, 6, 2, 3), real(2, 4, 4, 4)), empty=((0, 6, 2, 3), (0, 4, 4, 4))),
    Row("im2col", primitive("im2col", **BLOCKS), lambda x: _im2col(x, **BLOCKS), (real(2, 3, 4, 4),)),
    Row("col2im", primitive("col2im", size=(4, 4), **BLOCKS), lambda g: _col2im(g, (4, 4), **BLOCKS), (real(2, 12, 8),)),
]  # fmt: skip
