"""Joining, splitting, sliding windows; scattering and adding by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalogue.rows import Row, integers, primitive, real
from tensorgrad import ops
from tensorgrad.backends.cpu import Slot
from tensorgrad.errors import ShapeError

MATRIX = real(3, 4)


def _scattered(a: np.ndarray, index: np.ndarray, src: np.ndarray, combine: Any) -> np.ndarray:
    """Scattering along dimension 1, one element after the other."""
    y = a.copy()
    for i, j in np.ndindex(index.shape):
        y[i, index[i, j]] = combine(y[i, index[i, j]], src[i, j])
    return y


def _last(index: np.ndarray) -> np.ndarray:
    later = np.zeros(index.shape, bool)
    for i, j in np.ndindex(index.shape):
        later[i, j] = index[i, j] not in index[i, j + 1 :]
    return later


def _count(index: np.ndarray) -> np.ndarray:
    return _scattered(np.zeros((len(index), 4), np.int64), index, np.ones(index.shape), lambda old, new: old + 1)


def _added(a: np.ndarray, v: np.ndarray, i: np.ndarray) -> np.ndarray:
    y = a.copy()
    np.add.at(y, (slice(None), i), v)
    return y


def _unwindowed(g: np.ndarray) -> np.ndarray:
    y = np.zeros((len(g), 7))
    for at in range(3):
        for k in range(3):
            y[:, 2 * at + k] += g[:, at, k]
    return y


def _block_diag(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.block([[a, np.zeros((len(a), b.shape[1]))], [np.zeros((len(b), a.shape[1])), b]])


def _scatter_reduce(reduce: str, combine: Any) -> Row:
    return Row(
        "scatter_reduce",
        lambda a, i, s: ops.scatter_reduce(a, 1, i, s, reduce),
        lambda a, i, s: _scattered(a, i, s, combine),
        (MATRIX, integers(0, 4, 3, 5), real(3, 5)),
        note=reduce,
    )


SECOND = (slice(None), Slot(0))

ROWS = [
    Row("stack", lambda a, b: ops.stack([a, b], 1), lambda a, b: np.stack([a, b], 1), (MATRIX, MATRIX)),
    Row(
        "split",
        lambda a: ops.split(a, [1, 0, 3], 1),
        lambda a: tuple(np.split(a, [1, 1], 1)),
        (MATRIX,),
    ),
    Row("unbind", lambda a: ops.unbind(a, 1), lambda a: tuple(a[:, i] for i in range(4)), (MATRIX,)),
    Row("block_diag", ops.block_diag, _block_diag, (MATRIX, real(2, 1))),
    Row(
        "windows",
        lambda a: ops.unfold(a, 1, 3, 2),
        lambda a: np.lib.stride_tricks.sliding_window_view(a, 3, 1)[:, ::2],
        (real(2, 7),),
    ),
    Row("unwindows", primitive("unwindows", shape=(2, 7), dim=1, size=3, step=2), _unwindowed, (real(2, 3, 3),), empty=ShapeError),
    Row("view_dtype", primitive("view_dtype", dtype=np.dtype(np.int64)), lambda i: i.view(np.int64), (integers(0, 9, 3, 4),)),
    Row("repeats", primitive("repeats"), lambda i: np.repeat(np.arange(len(i)), i), (integers(0, 4, 5),)),
    Row(
        "scatter",
        lambda a, i, s: ops.scatter(a, 1, i, s),
        lambda a, i, s: _scattered(a, i, s, lambda old, new: new),
        (MATRIX, integers(0, 4, 3, 3), real(3, 3)),
    ),
    Row("scattered_last", primitive("scattered_last", dim=1, shape=(3, 4)), _last, (integers(0, 4, 3, 5),)),
    Row("scatter_count", primitive("scatter_count", dim=1, shape=(3, 4)), _count, (integers(0, 4, 3, 5),), empty=((3, 0),)),
    _scatter_reduce("prod", np.multiply),
    _scatter_reduce("amax", np.maximum),
    _scatter_reduce("amin", np.minimum),
    Row("add_at", primitive("add_at", template=SECOND), _added, (MATRIX, real(3, 5), integers(0, 4, 5)),
        empty=((3, 4), (3, 0), (0,))),
]  # fmt: skip
