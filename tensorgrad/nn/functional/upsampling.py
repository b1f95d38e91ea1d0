"""Resizing images, and moving pixels between channels and places."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.backends.cpu import resampling as cpu
from tensorgrad.backends.dtypes import float16, float32
from tensorgrad.errors import ShapeError
from tensorgrad.nn.functional.adaptive import adaptive_avg_pool
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.ops.resampling import resample_op
from tensorgrad.tensor import Tensor

SMOOTH = {"linear": (1, cpu.linear_taps), "bilinear": (2, cpu.linear_taps), "trilinear": (3, cpu.linear_taps),
          "bicubic": (2, cpu.cubic_taps)}  # fmt: skip
MODES = ("nearest", "nearest-exact", "area", *SMOOTH)


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Images (N, C, ...) of one to three dimensions resized to `size`, or by `scale_factor`.

    `mode` is "nearest", "nearest-exact" or "area"; of one dimension also "linear", of two "bilinear" and "bicubic", of
    three "trilinear". With `align_corners` the corner pixels stay in the corners. Raises `ShapeError` where the mode
    does not take that many dimensions, `NotImplementedError` for `antialias`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.interpolate(tg.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    >>> tg.nn.functional.interpolate(tg.tensor([[[1.0, 2.0]]]), size=3, mode="linear", align_corners=True)
    tensor([[[1.0000, 1.5000, 2.0000]]])
    """
    if mode not in MODES:
        raise ValueError(f"interpolate: mode must be one of {', '.join(map(repr, MODES))}, not {mode!r}")
    if antialias:
        raise NotImplementedError("interpolate: antialias is not supported; blur the input before it is made smaller")
    if align_corners is not None and mode not in SMOOTH:
        raise ValueError(f"interpolate: align_corners is for the modes {', '.join(map(repr, SMOOTH))}, not {mode!r}")
    n = input.ndim - 2
    if not 1 <= n <= 3 or n != SMOOTH.get(mode, (n,))[0]:
        wanted = SMOOTH[mode][0] + 2 if mode in SMOOTH else "3 to 5"
        raise ShapeError(f"interpolate: mode {mode!r} takes {wanted} dimensions (N, C, ...), got shape {input.shape}")
    if input.dtype.kind != "f" and not (input.dtype.name == "uint8" and mode.startswith("nearest")):
        must_be_floating("interpolate", input)
    counts, scales = _sizes(input, size, scale_factor, n)
    if not all(input.shape[1:]) or any(count < 1 for count in counts):
        raise ShapeError(f"interpolate: sizes must be 1 or more, got an input of shape {input.shape} and size {counts}")
    if mode == "area":
        return adaptive_avg_pool(input, counts)
    dtype = float32 if input.dtype == float16 else input.dtype
    for dim, count, scale in zip(range(2, input.ndim), counts, scales):
        length, scale = input.shape[dim], None if recompute_scale_factor else scale
        if mode in SMOOTH:
            taps = SMOOTH[mode][1](length, count, scale, bool(align_corners), dtype)
        else:
            taps = cpu.nearest_taps(length, count, scale, mode == "nearest-exact")
        input = resample_op(input, taps=taps, dim=dim)
    return input


def _sizes(input: Tensor, size: Any, scale_factor: Any, n: int) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The size of each dimension, and its factor where that was given."""
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor")
    given = size if scale_factor is None else scale_factor
    each = tuple(given) if isinstance(given, tuple | list) else (given,) * n
    if len(each) != n:
        name = "size" if scale_factor is None else "scale_factor"
        raise ShapeError(f"interpolate: {name} {given} must have one number for each of the {n} dimensions of an image")
    if scale_factor is None:
        return tuple(int(count) for count in each), (None,) * n
    return tuple(math.floor(length * float(scale)) for length, scale in zip(input.shape[2:], each)), each


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """The older name of `interpolate`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.upsample(tg.ones(1, 1, 2, 2), scale_factor=2).shape
    (1, 1, 4, 4)
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Any:
    """Channels moved to places: (..., C * r * r, H, W) to (..., C, H * r, W * r) (Shi et al., 2016, arXiv:1609.05158).

    Raises `ShapeError` where the channels are not a multiple of r * r.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.pixel_shuffle(tg.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = _factor("pixel_shuffle", input, upscale_factor)
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise ShapeError(
            f"pixel_shuffle: {c} channels, of an input of shape {input.shape}, are not a multiple of {r} * {r}"
        )
    k = len(lead)
    y = input.reshape(*lead, c // (r * r), r, r, h, w).permute(*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return y.reshape(*lead, c // (r * r), h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Any:
    """Places moved to channels, the inverse of `pixel_shuffle`: (..., C, H * r, W * r) to (..., C * r * r, H, W).

    Raises `ShapeError` where the height or width is not a multiple of r.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.pixel_unshuffle(tg.ones(1, 4, 4), 2).shape
    (4, 2, 2)
    """
    r = _factor("pixel_unshuffle", input, downscale_factor)
    *lead, c, h, w = input.shape
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle: height and width of shape {input.shape} are not multiples of {r}")
    k = len(lead)
    y = input.reshape(*lead, c, h // r, r, w // r, r).permute(*range(k), k, k + 2, k + 4, k + 1, k + 3)
    return y.reshape(*lead, c * r * r, h // r, w // r)


def _factor(name: str, input: Tensor, factor: int) -> int:
    if input.ndim < 3:
        raise ShapeError(f"{name}: it takes (..., C, H, W), got shape {input.shape}")
    if factor < 1:
        raise ValueError(f"{name}: the factor must be 1 or more, not {factor}")
    return factor


def channel_shuffle(input: Tensor, groups: int) -> Any:
    """Channels (N, C, ...) of `groups` groups taken in turns, one of each group (Zhang et al., 2018, arXiv:1707.01083).

    Raises `ShapeError` where the channels are not a multiple of `groups`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.channel_shuffle(tg.arange(4).reshape(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    if input.ndim < 3:
        raise ShapeError(f"channel_shuffle: it takes (N, C, ...), got shape {input.shape}")
    n, c, *rest = input.shape
    if groups < 1 or c % groups:
        raise ShapeError(
            f"channel_shuffle: {c} channels, of shape {input.shape}, are not a multiple of {groups} groups"
        )
    return input.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(n, c, *rest)
