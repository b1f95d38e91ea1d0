"""How a tensor is written out: as PyTorch writes it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import LEAF, edge
from tensorgrad.backends.dtypes import get_default_dtype

PRECISION, THRESHOLD, EDGE, WIDTH = 4, 1000, 3, 80


def _shown(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The elements that are printed: all, or those at the edges of a large array."""
    if array.size <= THRESHOLD:
        return array
    for axis, size in enumerate(array.shape):
        if size > 2 * EDGE:
            array = array.take([*range(EDGE), *range(size - EDGE, size)], axis)
    return array


def formatter(array: np.ndarray[Any, Any]) -> Any:
    """A function from an element to its text, of one width for all: fixed or scientific, as PyTorch chooses."""
    values = _shown(array).reshape(-1)
    if array.dtype.kind == "b":
        texts = str
    elif array.dtype.kind in "iu":
        texts = "{:d}".format
    else:
        finite = np.abs(values[np.isfinite(values)].astype(np.float64))
        nonzero = finite[finite > 0]
        whole = bool((finite == np.floor(finite)).all())
        low, high = (nonzero.min(), nonzero.max()) if nonzero.size else (1.0, 1.0)
        scientific = high / low > 1000 or high > 1e8 or (not whole and low < 1e-4)
        if whole and not (high / low > 1000 and high > 1e8):
            texts = lambda x: f"{x:.0f}." if math.isfinite(x) else f"{x}"  # noqa: E731
            if high > 1e8:
                texts = f"{{:.{PRECISION}e}}".format
        else:
            texts = f"{{:.{PRECISION}{'e' if scientific else 'f'}}}".format
    width = max((len(texts(x)) for x in values.tolist()), default=0)
    return lambda x: texts(x.item() if hasattr(x, "item") else x).rjust(width)


def text(tensor: Any, prefix: str = "tensor(") -> str:
    """The tensor's repr."""
    array = tensor._data
    suffixes = []
    if array.size:
        if array.ndim:
            body = np.array2string(
                array,
                separator=", ",
                prefix=prefix,
                max_line_width=WIDTH,
                threshold=THRESHOLD,
                edgeitems=EDGE,
                formatter={"all": formatter(array)},
            )
        else:
            body = formatter(array)(array)
    else:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
    if array.dtype not in (get_default_dtype(), np.int64, np.bool_) or (not array.size and array.dtype.kind != "f"):
        suffixes.append(f"dtype={array.dtype.name}")
    at = edge(tensor)
    if at is not None:
        suffixes.append("requires_grad=True" if tensor._node is LEAF else f"grad_fn=<{at.op.name}>")
    return ", ".join([prefix + body, *suffixes]) + ")"
