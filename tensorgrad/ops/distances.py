"""Distances between vectors."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import rank
from tensorgrad.ops.linalg import matmul_op, swap
from tensorgrad.ops.norms import norm
from tensorgrad.ops.powers import sqrt, square
from tensorgrad.ops.reduce import sum

MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The p-norm of `input - other`, which broadcast, over all elements.

    >>> import tensorgrad as tg
    >>> tg.dist(tg.tensor([3.0, 4.0]), tg.zeros(2))
    tensor(5.)
    """
    return norm(input - other, p)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """The p-norm distances between each row of x1 (..., P, M) and each of x2 (..., R, M), as (..., P, R).

    The leading dimensions broadcast. Euclidean distances of more than 25 rows are computed by a matrix product, unless
    `compute_mode` is "donot_use_mm_for_euclid_dist"; that is quick, and less exact for rows that nearly coincide. The
    gradient at coinciding rows is 0. Raises `ShapeError` where M differs.

    >>> import tensorgrad as tg
    >>> tg.cdist(tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    if min(rank("cdist", x1, "x1"), rank("cdist", x2, "x2")) < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(
            f"cdist: inputs must be (..., P, M) and (..., R, M), and have shapes {tuple(x1.shape)} and "
            f"{tuple(x2.shape)}"
        )
    if x1.dtype != x2.dtype or x1.dtype.kind != "f":
        raise DtypeError(f"cdist: inputs must share a floating dtype, and are {x1.dtype.name} and {x2.dtype.name}")
    if p < 0 or math.isnan(p):
        raise ValueError(f"cdist: p must be 0 or more, not {p}")
    if compute_mode not in (None, *MODES):
        raise ValueError(f"cdist: compute_mode must be one of {', '.join(MODES)}, not {compute_mode!r}")
    many = max(x1.shape[-2], x2.shape[-2]) > 25
    if p == 2 and compute_mode != MODES[2] and (many or compute_mode == MODES[1]):
        apart = sum(square(x1), -1, keepdim=True) + swap(sum(square(x2), -1, keepdim=True))
        apart = apart - matmul_op(x1, swap(x2)) * 2.0
        return where(apart > 0, sqrt(where(apart > 0, apart, 1.0)), 0.0)
    difference = x1[..., :, None, :] - x2[..., None, :, :]
    if not x1.shape[-1]:
        return sum(difference, -1)
    return norm(difference, p, -1)
