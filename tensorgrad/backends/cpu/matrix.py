"""Matrix products."""

from __future__ import annotations

import numpy as np
from numpy import matmul as matrix_product

from tensorgrad.backends.cpu.shared import Array
from tensorgrad.errors import ShapeError


def matmul(a: Array, b: Array) -> Array:
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit: the first has {a.shape[-1]} columns, the second "
            f"{b.shape[-2]} rows"
        )
    return np.matmul(a, b)


def linear(x: Array, weight: Array, bias: Array) -> Array:
    y = np.matmul(x, weight.T)
    y += bias
    return y
