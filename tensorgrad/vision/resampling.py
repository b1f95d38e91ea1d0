"""Images made larger or smaller, by Pillow's arithmetic, which is PyTorch's with `antialias` too.

An image is resampled along its width and then its height; each is a product with a matrix of weights, a row per pixel
of the result, which is a filter stretched over the pixels that it stands for. (Since its version 13 Pillow takes the
height first where that is less work, which with bytes may round otherwise.)
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from tensorgrad.creation import from_numpy
from tensorgrad.nn.functional import interpolate
from tensorgrad.tensor import Tensor

Array = np.ndarray[Any, Any]


class InterpolationMode(Enum):
    """How `Resize` finds the pixels of the result: the nearest one, or by a filter over those around it.

    >>> from tensorgrad.vision.transforms import InterpolationMode
    >>> InterpolationMode("bicubic")
    <InterpolationMode.BICUBIC: 'bicubic'>
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


def _cubic(x: Array) -> Array:
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


# The weight at a distance, and up to which distance there is one.
FILTERS: dict[InterpolationMode, tuple[Callable[[Array], Array], float]] = {
    InterpolationMode.BILINEAR: (lambda x: np.maximum(1 - x, 0), 1.0),
    InterpolationMode.BICUBIC: (_cubic, 2.0),
}
_FIXED = 2.0**22  # Pillow's weights for bytes are whole multiples of its inverse


def _weights(count: int, size: int, mode: InterpolationMode) -> Array:
    """The weights (size, count) of `count` pixels in each of `size`."""
    scale = count / size
    pixel = np.arange(count)
    if mode not in FILTERS:  # Pillow walks from pixel to pixel, and rounds at each
        walked = np.cumsum(np.r_[scale * 0.5, np.full(size - 1, scale)])
        return (pixel == np.floor(walked)[:, None]).astype(np.float64)
    center = (np.arange(size)[:, None] + 0.5) * scale
    function, reach = FILTERS[mode]
    stretch = max(scale, 1.0)
    first, last = np.trunc(center - reach * stretch + 0.5), np.trunc(center + reach * stretch + 0.5)
    weights = function(np.abs(pixel + 0.5 - center) / stretch) * ((first <= pixel) & (pixel < last))
    return weights / weights.sum(1, keepdims=True)


def resized_bytes(pixels: Array, height: int, width: int, mode: InterpolationMode) -> Array:
    """Bytes (..., h, w) as bytes (..., height, width): whole numbers, so that they are exactly those of Pillow."""
    for axis, size in ((-1, width), (-2, height)):
        if size != pixels.shape[axis]:
            weights = _weights(pixels.shape[axis], size, mode) * _FIXED
            fixed = np.trunc(weights + np.copysign(0.5, weights))
            x = pixels.astype(np.float64)  # holds the sums, which have less than 53 bits, exactly
            sums = x @ fixed.T if axis == -1 else fixed @ x
            pixels = np.clip(np.floor(sums / _FIXED + 0.5), 0, 255).astype(np.uint8)
    return pixels


def resized(image: Tensor, height: int, width: int, mode: InterpolationMode, antialias: bool) -> Tensor:
    """A tensor (..., h, w) as one (..., height, width); integers are rounded, and gradients flow."""
    x = image if image.is_floating_point() else image.float()
    if mode not in FILTERS or not antialias:
        batch = x.reshape(-1, 1, *x.shape[-2:])
        smooth = {"align_corners": False} if mode in FILTERS else {}
        y = interpolate(batch, (height, width), mode=mode.value, **smooth).reshape(*x.shape[:-2], height, width)
    else:
        down, across = (
            from_numpy(_weights(count, size, mode).astype(x.dtype))
            for count, size in zip(x.shape[-2:], (height, width))
        )
        y = down @ (x @ across.mT)
    if image.is_floating_point():
        return y
    if image.dtype == np.uint8:
        y = y.clamp(0, 255)
    return y.round().to(image.dtype)
