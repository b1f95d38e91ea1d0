"""Pooling as functions: the largest elements, means and norms of windows.

The functions of one, two and three dimensions are one function that is told their number. Inputs are (C, ...) or
(N, C, ...), where the last one, two or three dimensions are pooled.
"""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import creation, ops
from tensorgrad.autograd.graph import Foreign
from tensorgrad.autograd.modes import is_grad_enabled
from tensorgrad.backends.cpu import Slot
from tensorgrad.backends.dtypes import refuse_bools
from tensorgrad.errors import ShapeError
from tensorgrad.ops.checks import must_be_tensors, sizes
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.ops.index import put_op
from tensorgrad.ops.pooling import Window, max_pool_op, place_index_op, window_sum_op
from tensorgrad.tensor import Tensor

# Arguments


def check(name: str, input: Tensor, n: int, integers: bool = False) -> None:
    """Raise unless the input is (C, ...) or (N, C, ...) with `n` dimensions to pool, and floating or of integers."""
    must_be_tensors(name, input=input)
    sides = {1: "L", 2: "H, W", 3: "D, H, W"}[n]
    if input.ndim not in (n + 1, n + 2) or not all(input.shape[-n - 1 :]):
        raise ShapeError(
            f"{name}: it takes (C, {sides}) or (N, C, {sides}), with sizes of 1 or more, got shape {input.shape}"
        )
    if integers:
        refuse_bools(name, input, remedy=".float()")
    else:
        must_be_floating(name, input)


def _settings(name: str, n: int, kernel: Any, stride: Any, padding: Any) -> tuple[tuple[int, ...], ...]:
    """The kernel, the stride (as wide, where none is given) and the padding, each of `n` sizes."""
    kernel = sizes(name, "kernel_size", kernel, n, 1)
    stride = kernel if stride in (None, (), []) else sizes(name, "stride", stride, n, 1)
    return kernel, stride, sizes(name, "padding", padding, n, 0)


def _windows(
    name: str, input: Tensor, n: int, settings: tuple[Any, ...], dilation: Any, ceil_mode: bool
) -> tuple[Window, ...]:
    """The windows along each of the last n dimensions, of (kernel, stride, padding). Raises where they do not fit."""
    kernel, stride, padding = _settings(name, n, *settings)
    dilation = sizes(name, "dilation", dilation, n, 1)
    windows = []
    for k, s, p, d, size in zip(kernel, stride, padding, dilation, input.shape[-n:]):
        cover = d * (k - 1) + 1
        if 2 * p > k:
            raise ValueError(f"{name}: padding {p} must be at most half of the kernel, which is {k}")
        count = (size + 2 * p - cover + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= size + p:  # no window begins in the padding behind
            count -= 1
        if count < 1:
            raise ShapeError(
                f"{name}: an input of shape {input.shape} is too small: a window covers {cover} elements, and a "
                f"dimension has {size}" + (f", with padding {size + 2 * p}" if p else "")
            )
        windows.append(Window(k, s, p, d, size, count))
    return tuple(windows)


# The largest elements


def max_pool(
    name: str, n: int, input: Tensor, settings: tuple[Any, ...], dilation: Any, ceil_mode: bool, indices: bool
) -> Any:
    """The largest element of each window of the last `n` dimensions, and if asked for its index."""
    check(name, input, n, integers=True)
    windows = _windows(name, input, n, settings, dilation, ceil_mode)
    wanted = indices or (is_grad_enabled() and (input.requires_grad or isinstance(input._data, Foreign)))
    result = max_pool_op(input, windows=windows, places=wanted)
    if indices:
        return result[0], place_index_op(result[1], windows=windows)
    return result[0] if wanted else result


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last dimension, `kernel_size` wide and `stride` (as wide) apart.

    `padding` counts as -infinity, `dilation` is the distance of elements in a window, `ceil_mode` keeps a last window
    that is not full. With `return_indices`, also their positions in the flattened plane. Equal elements: the first is
    taken. Raises `ShapeError` for an input that is too small.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.max_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    settings = kernel_size, stride, padding
    return max_pool("max_pool1d", 1, input, settings, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """As `max_pool1d`, over windows of the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.max_pool2d(tg.ones(2, 6, 6), 2).shape
    (2, 3, 3)
    """
    settings = kernel_size, stride, padding
    return max_pool("max_pool2d", 2, input, settings, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """As `max_pool1d`, over windows of the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.max_pool3d(tg.ones(2, 6, 6, 6), 2).shape
    (2, 3, 3, 3)
    """
    settings = kernel_size, stride, padding
    return max_pool("max_pool3d", 3, input, settings, dilation, ceil_mode, return_indices)


def _max_unpool(
    name: str, n: int, input: Tensor, indices: Tensor, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    check(name, input, n, integers=True)
    if indices.shape != input.shape or indices.dtype.name != "int64":
        raise ShapeError(
            f"{name}: indices must be int64 of the input's shape {input.shape}, got {indices.dtype.name} of shape "
            f"{indices.shape}; max_pool{n}d(..., return_indices=True) gives them"
        )
    kernel, stride, padding = _settings(name, n, kernel, stride, padding)
    plane = tuple((m - 1) * s + k - 2 * p for m, s, k, p in zip(input.shape[-n:], stride, kernel, padding))
    if output_size is not None:
        given = tuple(output_size)[-n:]
        if len(output_size) not in (n, n + 1, n + 2) or any(abs(m - d) >= s for m, d, s in zip(given, plane, stride)):
            raise ShapeError(f"{name}: output_size {tuple(output_size)} must be within a stride {stride} of {plane}")
        plane = given
    lead, total = input.shape[:-n], math.prod(plane)
    if input.numel() and not 0 <= int(indices.min()) <= int(indices.max()) < total:
        raise IndexError(
            f"{name}: the indices reach from {int(indices.min())} to {int(indices.max())}, and a plane of size {plane} "
            f"has {total} elements"
        )
    planes = math.prod(lead)
    rows = creation.arange(planes).reshape(planes, 1).expand(planes, math.prod(input.shape[-n:]))
    flat = indices.reshape(rows.shape) + rows * total
    y = put_op(
        creation.zeros(planes * total, dtype=input.dtype), input.reshape(-1), flat.reshape(-1), template=(Slot(0),)
    )
    return y.reshape(*lead, *plane)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Zeros with the elements put back to `indices`, where `max_pool1d` had found them.

    `output_size` settles which of the sizes that pool to the input's is meant. An index that is there twice has the
    last of its elements, and only that gets a gradient. Raises `ShapeError` for another size, `IndexError` for an index
    out of range.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.max_unpool1d(tg.tensor([[3.0, 2.0]]), tg.tensor([[1, 2]]), 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """As `max_unpool1d`, for `max_pool2d`.

    >>> import tensorgrad as tg
    >>> y, at = tg.nn.functional.max_pool2d(tg.ones(2, 6, 6), 2, return_indices=True)
    >>> tg.nn.functional.max_unpool2d(y, at, 2).shape
    (2, 6, 6)
    """
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """As `max_unpool1d`, for `max_pool3d`.

    >>> import tensorgrad as tg
    >>> y, at = tg.nn.functional.max_pool3d(tg.ones(2, 6, 6, 6), 2, return_indices=True)
    >>> tg.nn.functional.max_unpool3d(y, at, 2).shape
    (2, 6, 6, 6)
    """
    return _max_unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


# Means and norms


def _avg_pool(
    name: str,
    n: int,
    input: Tensor,
    settings: tuple[Any, ...],
    ceil_mode: bool,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    check(name, input, n)
    if divisor_override == 0:
        raise ValueError(f"{name}: divisor_override must not be 0")
    windows = _windows(name, input, n, settings, 1, ceil_mode)
    total = window_sum_op(input, windows=windows)
    if divisor_override is not None:
        return total / divisor_override
    if all(_even(w, count_include_pad) for w in windows):
        return total / math.prod(w.kernel for w in windows)
    for i, w in enumerate(windows):
        low, high = (-w.padding, w.size + w.padding) if count_include_pad else (0, w.size)
        starts = [o * w.stride - w.padding for o in range(w.outputs)]
        widths = [min(start + w.kernel, high) - max(start, low) for start in starts]
        total = total / creation.tensor(widths, dtype=input.dtype).reshape(-1, *(1,) * (n - 1 - i))
    return total


def _even(w: Window, count_include_pad: bool) -> bool:
    """Whether all windows have as many elements."""
    inside = (w.outputs - 1) * w.stride + w.kernel <= w.size + 2 * w.padding
    return inside and (count_include_pad or not w.padding)


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of the last dimension, `kernel_size` wide and `stride` (as wide) apart.

    `padding` is 0, and counts as elements unless `count_include_pad` is False. `ceil_mode` keeps a last window that is
    not full. Raises `ShapeError` for an input that is too small, `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.avg_pool1d(tg.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    settings = kernel_size, stride, padding
    return _avg_pool("avg_pool1d", 1, input, settings, ceil_mode, count_include_pad)


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """As `avg_pool1d`, over windows of the last two dimensions; `divisor_override` is divided by instead of the size.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.avg_pool2d(tg.ones(2, 6, 6), 2).shape
    (2, 3, 3)
    """
    settings = kernel_size, stride, padding
    return _avg_pool("avg_pool2d", 2, input, settings, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """As `avg_pool2d`, over windows of the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.avg_pool3d(tg.ones(2, 6, 6, 6), 2).shape
    (2, 3, 3, 3)
    """
    settings = kernel_size, stride, padding
    return _avg_pool("avg_pool3d", 3, input, settings, ceil_mode, count_include_pad, divisor_override)


def _lp_pool(name: str, n: int, input: Tensor, p: float, kernel: Any, stride: Any, ceil_mode: bool) -> Any:
    mean = _avg_pool(name, n, input**p, (kernel, stride, 0), ceil_mode)
    total = mean * math.prod(sizes(name, "kernel_size", kernel, n, 1))
    # At a window of zeros the root has no derivative: 0 is taken, as PyTorch's documentation has it.
    return ops.where(total == 0, 0.0, ops.where(total == 0, 1.0, total) ** (1.0 / p))


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The p-norm of each window of the last dimension: `sum(x ** norm_type) ** (1 / norm_type)`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.lp_pool1d(tg.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """As `lp_pool1d`, over windows of the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.lp_pool2d(tg.ones(2, 6, 6), 2, 2).shape
    (2, 3, 3)
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """As `lp_pool1d`, over windows of the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.lp_pool3d(tg.ones(2, 6, 6, 6), 2, 2).shape
    (2, 3, 3, 3)
    """
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
