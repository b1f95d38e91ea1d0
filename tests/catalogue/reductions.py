"""Extremes of all, sorting, running sums and products, statistics, counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalogue.rows import Draw, Row, integers, primitive, real
from tensorgrad import ops
from tensorgrad.errors import ShapeError

MATRIX = real(3, 4)
REPEATING = integers(0, 3, 3, 8)


def _all(name: str, reference: Any, empty: Any) -> Row:
    return Row(name, getattr(ops, name), reference, (MATRIX,), empty=empty)


def _recurrence(a: np.ndarray, b: np.ndarray, reverse: bool) -> np.ndarray:
    y = a.copy()
    order = range(a.shape[1] - 2, -1, -1) if reverse else range(1, a.shape[1])
    for k in order:
        y[:, k] += b[:, k] * y[:, k + 1] if reverse else b[:, k - 1] * y[:, k - 1]
    return y


def _so_far(a: np.ndarray) -> np.ndarray:
    return np.array([[int(np.argmax(row[: k + 1])) for k in range(len(row))] for row in a], np.int64).reshape(a.shape)


def _mode_index(a: np.ndarray) -> np.ndarray:
    modes = [np.bincount(row).argmax() for row in a]
    return np.array([[np.flatnonzero(row == m)[-1]] for row, m in zip(a, modes)], np.int64).reshape(-1, 1)


def _unique(a: np.ndarray) -> tuple[np.ndarray, ...]:
    values, inverse, counts = np.unique(a, return_inverse=True, return_counts=True)
    return values, inverse.reshape(a.shape), counts


def _ranked(a: np.ndarray, place: int) -> np.ndarray:
    return np.argsort(a, 1, kind="stable")[:, [place]]


LARGEST, SMALLEST = {"dim": 1, "largest": True}, {"dim": 1, "largest": False}

ROWS = [
    # Chosen from all
    _all("max", np.max, ShapeError),
    _all("min", np.min, ShapeError),
    Row("median", ops.median, np.median, (real(3, 3),), empty=((3, 3),)),
    Row("nanmedian", ops.nanmedian, np.median, (real(3, 3),), empty=((3, 3),)),
    # Sorting
    Row("topk", lambda a: ops.topk(a, 2, 1).indices, lambda a: np.argsort(-a, 1)[:, :2], (MATRIX,)),
    Row("topk", primitive("topk", k=3, **SMALLEST), lambda a: np.argsort(a, 1)[:, :3], (real(8, 300),), note="of-lanes"),
    Row("nth_index", primitive("nth_index", dim=1, k=2), lambda a: _ranked(a, 2), (MATRIX,)),
    Row("median_index", primitive("median_index", dim=1, skip=False), lambda a: _ranked(a, 1), (MATRIX,)),
    Row("mode_index", primitive("mode_index", dim=1), _mode_index, (REPEATING,)),
    # Along a dimension
    Row("cumsum", primitive("cumsum", dim=1, reverse=True), lambda a: a[:, ::-1].cumsum(1)[:, ::-1], (MATRIX,), note="reverse"),
    Row("cumprod", lambda a: ops.cumprod(a, 1), lambda a: a.cumprod(1), (real(3, 4, kinks=(0.0,)),)),
    Row("logcumsumexp", lambda a: ops.logcumsumexp(a, 1), lambda a: np.log(np.exp(a).cumsum(1)), (MATRIX,)),
    Row("cumulative_index", primitive("cumulative_index", **LARGEST), _so_far, (MATRIX,)),
    Row("recurrence", primitive("recurrence", dim=1, reverse=False), lambda a, b: _recurrence(a, b, False),
        (real(3, 6), real(3, 5))),
    Row("recurrence", primitive("recurrence", dim=1, reverse=True), lambda a, b: _recurrence(a, b, True),
        (real(3, 6), real(3, 5)), note="reverse"),
    # Statistics
    Row("var", lambda a: ops.var(a, 1), lambda a: a.var(1, ddof=1), (MATRIX,)),
    Row("var", lambda a: ops.var(a, (0, 2), correction=0, keepdim=True), lambda a: a.var((0, 2), keepdims=True),
        (real(2, 3, 4),), empty=((2, 0, 4),), note="outer"),
    Row("std", lambda a: ops.std(a, 1), lambda a: a.std(1, ddof=1), (MATRIX,)),
    Row("p_norm", lambda a: ops.norm(a, 3, 1), lambda a: (abs(a) ** 3).sum(1) ** (1 / 3), (real(3, 4, kinks=(0.0,)),)),
    # Counting and looking up
    Row("bincount", ops.bincount, np.bincount, (integers(0, 5, 9),), tensors_only=True),
    Row("histc", lambda a: ops.histc(a, 5, -2, 2), lambda a: np.histogram(a, 5, (-2, 2))[0].astype(a.dtype), (MATRIX,),
        tensors_only=True),
    Row("histogram", primitive("histogram"), lambda a, e: np.histogram(a, np.sort(e))[0].astype(a.dtype),
        (MATRIX, Draw((2,), 0.9, 1.0)), empty=((0, 4), (2,))),
    Row("searchsorted", lambda s, v: ops.searchsorted(s, v), np.searchsorted, (integers(0, 1, 4), integers(-3, 4, 3, 2)),
        empty=((0,), (0, 2))),
    Row("unique", primitive("unique", dim=None, consecutive=False), _unique, (REPEATING,)),
]  # fmt: skip
