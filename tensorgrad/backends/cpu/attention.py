"""The weights of attention: scores, mask and softmax in one array."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy import exp, maximum, multiply, subtract

from tensorgrad.backends.cpu.shared import Array, common_shift, row_sums


@functools.lru_cache(maxsize=8)
def _causal_mask(rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
    """1 for the keys that do not come after a query, else 0. Shared by all calls of a size, and read-only."""
    mask = np.tri(rows, columns, dtype=dtype)
    mask.flags.writeable = False
    return mask


def attention_weights(q: Array, k: Array, *mask: Array, scale: float, causal: bool, blank: float) -> Array:
    if q.dtype == np.float16:
        wide = (x if x.dtype == np.bool_ else x.astype(np.float32) for x in (q, k, *mask))
        return attention_weights(*wide, scale=scale, causal=causal, blank=blank).astype(np.float16)
    # The keys are scaled and laid out as columns in one pass: BLAS takes twice as long for small ones that lie as rows.
    y = np.matmul(q, multiply(k.swapaxes(-1, -2), k.dtype.type(scale), order="C"))
    allowed = _causal_mask(*y.shape[-2:], y.dtype) if causal else None
    if mask and mask[0].dtype == np.bool_:
        allowed = mask[0]
    elif mask:
        y += mask[0]
    shift = common_shift(y)
    if shift is not None:  # what is masked can be cleared afterwards
        exp(subtract(y, shift, out=y), out=y)
        if allowed is not None:
            y *= allowed
    else:
        if allowed is not None:
            y += np.where(allowed, y.dtype.type(0.0), y.dtype.type(-math.inf))
        top = maximum.reduce(y, axis=-1, keepdims=True, initial=-math.inf)
        top[top == -math.inf] = 0  # a row that sees nothing
        exp(subtract(y, top, out=y), out=y)
    total = row_sums(y)
    shares = np.divide(1.0, total, out=np.full_like(total, blank), where=total != 0)
    return multiply(y, shares, out=y)
