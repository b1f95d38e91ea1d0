"""What kernels share: names of types, `out=`, half precision."""

from __future__ import annotations

import functools
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
    def wide(a: Array, *args: Any, **attrs: Any) -> Array:
        if a.dtype != np.float16:
            return kernel(a, *args, **attrs)
        return kernel(a.astype(np.float32), *args, **attrs).astype(np.float16)

    return wide
