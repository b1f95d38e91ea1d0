"""What kernels share: names of types, `out=`, half precision."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Dims = tuple[int, ...]
Kernel = Callable[..., Any]


def finish(y: Any, out: Array | None) -> Any:
    """A kernel's result, written into `out` where that is given."""
    if out is None:
        return y
    np.copyto(out, y, casting="same_kind")
    return out


def in_single(kernel: Kernel) -> Kernel:
    """A kernel that computes half precision in single, as PyTorch does: sums and exponentials soon leave its range."""

    @functools.wraps(kernel)
    def wide(a: Array, *args: Any, **attrs: Any) -> Any:
        if a.dtype != np.float16:
            return kernel(a, *args, **attrs)
        y = kernel(a.astype(np.float32), *args, **attrs)
        return tuple(part.astype(np.float16) for part in y) if isinstance(y, tuple) else y.astype(np.float16)

    return wide


@functools.lru_cache(maxsize=8)
def _widest(dtype: np.dtype[Any]) -> float:
    return 0.9 * math.log(2.0) * np.finfo(dtype).maxexp


def common_shift(a: Array, spread: float = math.inf) -> Any:
    """The largest element, if no other is further below it than `spread`, nor so far that its exponential would not be
    a normal number; else None.

    It is one shift for all rows of a softmax: NumPy finds the extremes of an array in a tenth of the time that it needs
    for those of each short row. A logarithm is rounded as its shift is large, and sets the spread.
    """
    high = np.maximum.reduce(a, axis=None, initial=-math.inf)
    low = np.minimum.reduce(a, axis=None, initial=math.inf)
    return high if high - low < min(spread, _widest(a.dtype)) else None


def row_sums(a: Array) -> Array:
    """The sums along the last dimension, which stays: a product with ones is the quickest sum of short rows."""
    return np.matmul(a, np.ones((a.shape[-1], 1), a.dtype))
