"""How a tensor is written out: as PyTorch writes it."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import Foreign, edge
from tensorgrad.autograd.modes import no_grad
from tensorgrad.backends.dtypes import get_default_dtype

# What `set_printoptions` sets.
OPTIONS = SimpleNamespace(precision=4, threshold=1000, edgeitems=3, linewidth=80, sci_mode=None)


def _shown(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The elements that are printed: all, or those at the edges of a large array."""
    if array.size <= OPTIONS.threshold:
        return array
    for axis, size in enumerate(array.shape):
        if size > 2 * OPTIONS.edgeitems:
            array = array.take([*range(OPTIONS.edgeitems), *range(size - OPTIONS.edgeitems, size)], axis)
    return array


def formatter(array: np.ndarray[Any, Any]) -> tuple[Any, int]:
    """A function from an element to its text, fixed or scientific as PyTorch chooses, and the width that it pads to."""
    values = _shown(array).reshape(-1)
    if array.dtype.kind != "f":
        width = max(len(str(x)) for x in values.tolist())
        return (lambda x: str(x).rjust(width)), width
    values = values[np.isfinite(values) & (values != 0)]
    size = np.abs(values.astype(np.float64))
    whole = bool((size == np.floor(size)).all())
    low, high = (size.min(), size.max()) if size.size else (1.0, 1.0)
    texts: Any
    scientific = OPTIONS.sci_mode
    if scientific is None:
        scientific = high / low > 1000 or high > 1e8 or (not whole and low < 1e-4)
    if scientific:
        texts = f"{{:.{OPTIONS.precision}e}}".format
    elif whole:
        texts = lambda x: f"{x:.0f}." if math.isfinite(x) else f"{x}"  # noqa: E731
    else:
        texts = f"{{:.{OPTIONS.precision}f}}".format
    width = max((len(texts(x)) for x in values.tolist()), default=1)
    return (lambda x: texts(x).rjust(width)), width


def _body(array: np.ndarray[Any, Any], texts: Any, width: int, indent: int, summarize: bool) -> str:
    """The elements in brackets, in lines of at most `linewidth` characters; a large array by its edges."""
    if not array.ndim:
        return str(texts(array.item()))
    cut = summarize and len(array) > 2 * OPTIONS.edgeitems
    rows = [*array[: OPTIONS.edgeitems], None, *array[-OPTIONS.edgeitems :]] if cut else list(array)
    if array.ndim > 1:
        blocks = ["..." if x is None else _body(x, texts, width, indent + 1, summarize) for x in rows]
        return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(blocks) + "]"
    items = [" ..." if x is None else texts(x.item()) for x in rows]
    count = max(1, (OPTIONS.linewidth - indent) // (width + 2))
    lines = [", ".join(items[i : i + count]) for i in range(0, len(items), count)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def text(tensor: Any, prefix: str = "tensor(") -> str:
    """The tensor's repr."""
    array = tensor._data
    if isinstance(array, Foreign):
        return f"{prefix}{array!r})"
    suffixes = []
    if array.size:
        body = _body(array, *formatter(array), len(prefix), array.size > OPTIONS.threshold)
    else:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
    if array.dtype not in (get_default_dtype(), np.int64, np.bool_) or (not array.size and array.dtype.kind != "f"):
        suffixes.append(f"dtype={array.dtype.name}")
    with no_grad():  # a view that has become invalid can still be looked at
        at = edge(tensor)
    if at is not None:
        suffixes.append("requires_grad=True" if at is tensor else f"grad_fn=<{at.op.name}>")
    written = prefix + body
    for suffix in suffixes:
        last = len(written) - written.rfind("\n") - 1
        written += (", " if last + len(suffix) + 4 <= OPTIONS.linewidth else ",\n" + " " * len(prefix)) + suffix
    return written + ")"
