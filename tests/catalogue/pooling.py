"""Pooling and resampling."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalogue.rows import Row, integers, primitive, real
from tensorgrad.backends.cpu import resampling
from tensorgrad.ops.pooling import Window

PAIRS = (Window(2, 2, 0, 1, 4, 2), Window(3, 2, 1, 1, 5, 3))  # the second ones overlap, and have padding
TAPS = resampling.linear_taps(4, 6, None, False, np.dtype(np.float64))
PLACES = np.array([[[1, 4, 3], [5, 1, 0]], [[2, 3, 1], [1, 4, 4]]])  # none of them in the padding


def _elements(w: Window, o: int) -> list[int]:
    """The elements of a window, -1 for padding."""
    at = [o * w.stride - w.padding + k * w.dilation for k in range(w.kernel)]
    return [i if 0 <= i < w.size else -1 for i in at]


def _each(a: np.ndarray) -> Any:
    """Every window of the pairs over (..., 4, 5): where its result goes, and (place, row, column) of its elements."""
    rows, columns = PAIRS
    for i, j in np.ndindex(rows.outputs, columns.outputs):
        spots = [(r, c) for r in _elements(rows, i) for c in _elements(columns, j)]
        yield (..., i, j), [(k, r, c) for k, (r, c) in enumerate(spots) if r >= 0 and c >= 0]


def _max_pool(a: np.ndarray) -> Any:
    y, places = np.empty((*a.shape[:-2], 2, 3)), np.empty((*a.shape[:-2], 2, 3), np.uint8)
    for to, spots in _each(a):
        values = np.stack([a[..., r, c] for _, r, c in spots], -1)
        y[to] = values.max(-1)
        places[to] = np.array([k for k, _, _ in spots])[values.argmax(-1)]
    return y, places


def _window_sum(a: np.ndarray) -> np.ndarray:
    y = np.empty((*a.shape[:-2], 2, 3))
    for to, spots in _each(a):
        y[to] = sum(a[..., r, c] for _, r, c in spots)
    return y


def _window_spread(g: np.ndarray) -> np.ndarray:
    y = np.zeros((*g.shape[:-2], 4, 5))
    for at, spots in _each(g):
        for _, r, c in spots:
            y[..., r, c] += g[at]
    return y


def _place_index(places: np.ndarray) -> np.ndarray:
    i, j = np.ogrid[:2, :3]
    return (2 * i + places // 3) * 5 + 2 * j - 1 + places % 3


def _take(a: np.ndarray) -> np.ndarray:
    index = _place_index(PLACES[: len(a)]).reshape(len(a), 6)
    return np.take_along_axis(a.reshape(len(a), 20), index, 1).reshape(len(a), 2, 3)


def _put(g: np.ndarray) -> np.ndarray:
    y = np.zeros((len(g), 20))
    for n in range(len(g)):
        np.add.at(y[n], _place_index(PLACES[n]).reshape(-1), g[n].reshape(-1))
    return y.reshape(len(g), 4, 5)


def _with_places(name: str) -> Any:
    call = primitive(name, windows=PAIRS)
    return lambda x: call(x, PLACES[: x.shape[0]].astype(np.uint8))


ROWS = [
    Row("max_pool", primitive("max_pool", windows=PAIRS, places=True), _max_pool, (real(2, 4, 5),)),
    Row("place_index", primitive("place_index", windows=PAIRS), _place_index, (integers(0, 6, 2, 2, 3),)),
    Row("take_places", _with_places("take_places"), _take, (real(2, 4, 5),)),
    Row("put_places", _with_places("put_places"), _put, (real(2, 2, 3),)),
    Row("window_sum", primitive("window_sum", windows=PAIRS), _window_sum, (real(2, 4, 5),)),
    Row("window_spread", primitive("window_spread", windows=PAIRS), _window_spread, (real(2, 2, 3),)),
    Row(
        "resample",
        primitive("resample", taps=TAPS, dim=1),
        lambda a: np.einsum("nij,ik->nkj", a, TAPS.matrix),
        (real(2, 4, 3),),
    ),
    Row("resample", primitive("resample", taps=TAPS, dim=2), lambda a: a @ TAPS.matrix, (real(2, 3, 4),), note="last"),
]
