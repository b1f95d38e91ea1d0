"""Indices of triangles, wrapped diagonals, combinations and repeats."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.shared import Array


def triangle(lower: bool, rows: int, columns: int, offset: int, dtype: np.dtype[Any]) -> Array:
    """The rows and columns of the elements of a triangle."""
    mask = np.tri(rows, columns, offset if lower else offset - 1, dtype=bool)
    return np.array(np.nonzero(mask if lower else ~mask), dtype)


def wrapped_diagonal(rows: int, columns: int) -> tuple[Array, Array]:
    """The rows and columns of a diagonal that begins anew, a row below, where it leaves a tall matrix."""
    at = np.arange(rows)
    at = at[at % (columns + 1) < columns]
    return at, at % (columns + 1)


def combinations(count: int, r: int, with_replacement: bool) -> Array:
    """The ways to take `r` of `count` numbers in ascending order: each row is followed by all numbers that may."""
    rows = np.arange(count)[:, None]
    for _ in range(r - 1):
        first = rows[:, -1] + (not with_replacement)
        times = count - first
        starts = np.cumsum(times) - times
        last = np.arange(times.sum()) - np.repeat(starts - first, times)
        rows = np.column_stack((np.repeat(rows, times, 0), last))
    return rows


def repeats(a: Array) -> Array:
    """Each index as many times as it says there."""
    return np.repeat(np.arange(a.size), a.reshape(-1))
