"""Matrix products."""

from __future__ import annotations

import numpy as np
from numpy import matmul as matrix_product

from tensorgrad.backends.cpu.shared import Array
from tensorgrad.backends.dtypes import refuse_bools
from tensorgrad.backends.threads import get_num_threads, taken_over
from tensorgrad.errors import ShapeError

DIVIDED = 1 << 24  # multiplications from which on another thread saves more than it costs


def matmul(a: Array, b: Array) -> Array:
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit: the first has {a.shape[-1]} columns, the second "
            f"{b.shape[-2]} rows"
        )
    if a.dtype.char in "e?":
        return _rare(a, b)
    return _product(a, b)


def _product(a: Array, b: Array) -> Array:
    """The product of arrays of one dtype; a large one of two matrices in parts, where BLAS is left with one thread."""
    rows, columns = a.shape[-2], b.shape[-1]
    if not taken_over() or a.ndim > 2 or b.ndim > 2 or a.size * columns < DIVIDED:
        return np.matmul(a, b)
    from tensorgrad.backends.parallel import run

    y = np.empty((rows, columns), a.dtype)
    parts = get_num_threads()
    share = -(-max(rows, columns) // parts)

    def work(part: int) -> None:
        where = slice(part * share, (part + 1) * share)
        if rows >= columns:
            np.matmul(a[where], b, out=y[where])
        else:
            np.matmul(a, b[:, where], out=y[:, where])

    run(work, parts)
    return y


def _rare(a: Array, b: Array) -> Array:
    refuse_bools("matmul", a, remedy=".float()")
    return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)


def linear(x: Array, weight: Array, bias: Array) -> Array:
    y = _product(x, weight.T) if x.dtype.char not in "e?" else _rare(x, weight.T)
    y += bias
    return y
