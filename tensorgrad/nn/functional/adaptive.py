"""Adaptive pooling as functions: the windows follow from the output's size.

Part `i` of `k` parts of `n` elements reaches from floor(i * n / k) to ceil((i + 1) * n / k): parts are nearly equal,
and overlap where `k` does not divide `n`.
"""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.autograd.graph import wrap
from tensorgrad.backends.cpu import resampling as cpu
from tensorgrad.backends.dtypes import float16, float32
from tensorgrad.nn.functional.pooling import check, max_pool
from tensorgrad.ops.checks import sizes
from tensorgrad.ops.pooling import Window, window_sum_op
from tensorgrad.ops.resampling import resample_op
from tensorgrad.tensor import Tensor


def _sizes(name: str, input: Tensor, n: int, output_size: Any) -> tuple[int, ...]:
    """The output size of an adaptive pooling; None stands for the input's."""
    values = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,)
    values = values * n if len(values) == 1 else values
    own = input.shape[-n:]
    return sizes(name, "output_size", tuple(m if k is None else k for k, m in zip(values, own)) + values[n:], n, 0)


def _adaptive_max_pool(name: str, n: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    check(name, input, n)
    counts = _sizes(name, input, n, output_size)
    lead, shape = input.shape[:-n], input.shape[-n:]
    # Where windows overlap or differ, their elements are gathered side by side: then they are windows of one size.
    tables = [cpu.part_index(size, count)[0] for size, count in zip(shape, counts)]
    if not all(size % count == 0 for size, count in zip(shape, counts) if count):
        for i, table in enumerate(tables):
            input = input[(slice(None),) * (len(lead) + i) + (wrap(table.T.reshape(-1)),)]
    if not all(counts):
        empty = input.new_zeros(*lead, *counts)
        return (empty, empty.long()) if return_indices else empty
    kernel = tuple(len(table) for table in tables)
    y, at = max_pool(name, n, input, (kernel, None, 0), 1, False, True)
    if not return_indices:
        return y
    index = at * 0
    stride = math.prod(input.shape[-n:])
    for size, table in zip(shape, tables):
        stride //= table.size
        index = index * size + wrap(table.T.reshape(-1))[at // stride % table.size]
    return y, index


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` nearly equal parts of the last dimension; None for the input's size.

    With `return_indices`, also their positions in the flattened plane.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.adaptive_max_pool1d(tg.ones(2, 6), 3).shape
    (2, 3)
    """
    return _adaptive_max_pool("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """As `adaptive_max_pool1d`, over parts of the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.adaptive_max_pool2d(tg.ones(2, 6, 6), 3).shape
    (2, 3, 3)
    """
    return _adaptive_max_pool("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """As `adaptive_max_pool1d`, over parts of the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.adaptive_max_pool3d(tg.ones(2, 6, 6, 6), 3).shape
    (2, 3, 3, 3)
    """
    return _adaptive_max_pool("adaptive_max_pool3d", 3, input, output_size, return_indices)


def adaptive_avg_pool(input: Tensor, counts: tuple[int, ...]) -> Any:
    """The means of nearly equal parts, `counts` of them along the last dimensions."""
    n = len(counts)
    shape = input.shape[-n:]
    if all(count == 1 for count in counts):
        return input.mean(tuple(range(-n, 0)), keepdim=True)
    if all(count and size % count == 0 for size, count in zip(shape, counts)):
        windows = tuple(Window(m // k, m // k, 0, 1, m, k) for m, k in zip(shape, counts))
        return window_sum_op(input, windows=windows) / math.prod(w.kernel for w in windows)
    dtype = float32 if input.dtype == float16 else input.dtype
    for i, (size, count) in enumerate(zip(shape, counts)):
        input = resample_op(input, taps=cpu.mean_taps(size, count, dtype), dim=input.ndim - n + i)
    return input


def _adaptive_avg_pool(name: str, n: int, input: Tensor, output_size: Any) -> Any:
    check(name, input, n)
    return adaptive_avg_pool(input, _sizes(name, input, n, output_size))


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Any:
    """The means of `output_size` nearly equal parts of the last dimension; None for the input's size.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.adaptive_avg_pool1d(tg.ones(2, 6), 3).shape
    (2, 3)
    """
    return _adaptive_avg_pool("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Any:
    """As `adaptive_avg_pool1d`, over parts of the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.adaptive_avg_pool2d(tg.ones(2, 6, 6), 3).shape
    (2, 3, 3)
    """
    return _adaptive_avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Any:
    """As `adaptive_avg_pool1d`, over parts of the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.adaptive_avg_pool3d(tg.ones(2, 6, 6, 6), 3).shape
    (2, 3, 3, 3)
    """
    return _adaptive_avg_pool("adaptive_avg_pool3d", 3, input, output_size)
