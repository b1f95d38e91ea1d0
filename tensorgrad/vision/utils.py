"""Many images as one, and images as files."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from tensorgrad.creation import finish
from tensorgrad.errors import ShapeError
from tensorgrad.tensor import Tensor

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Images (n, channels, height, width), `nrow` to a row, as one image (3, height, width) with gaps of `padding`.

    A list of images (channels, height, width) is taken too, and images without channels; one channel becomes three.
    `normalize` moves the values into [0, 1], from `value_range` or from their least and greatest, those of each image
    by itself with `scale_each`. Raises `ShapeError` for other shapes.

    >>> import tensorgrad as tg
    >>> from tensorgrad.vision.utils import make_grid
    >>> make_grid(tg.zeros(6, 1, 4, 4), nrow=3).shape
    (3, 14, 20)
    """
    many = isinstance(tensor, list | tuple)
    images = np.stack([x.numpy(force=True) for x in tensor]) if many else tensor.numpy(force=True)
    if images.ndim == 2:
        images = images[None]
    if images.ndim == 3:  # one image with its channels, or several without
        images = images[None] if not many and images.shape[0] in (1, 3) else images[:, None]
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ShapeError(f"make_grid: it takes images (n, 1 or 3, height, width), got shape {images.shape}")
    images = images.astype(np.float32) if images.dtype.kind != "f" else np.array(images)
    if normalize:
        for group in images if scale_each else [images]:
            low, high = value_range or (group.min(), group.max())
            group[...] = (np.clip(group, low, high) - low) / max(high - low, 1e-5)
    n, _, height, width = images.shape
    images = np.broadcast_to(images, (n, 3, height, width))
    columns = min(nrow, n)
    rows = math.ceil(n / columns)
    high, wide = height + padding, width + padding
    grid = np.full((3, rows * high + padding, columns * wide + padding), pad_value, images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns * high + padding, i % columns * wide + padding
        grid[:, top : top + height, left : left + width] = image
    return finish(grid)


def save_image(tensor: Any, fp: str | os.PathLike[str], format: str | None = None, **settings: Any) -> None:
    """Write images in [0, 1], arranged by `make_grid` with its settings, to an image file.

    Needs Pillow, which the extra `plot` brings.

    >>> import pathlib, tempfile, tensorgrad as tg
    >>> from tensorgrad.vision.utils import save_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_image(tg.rand(4, 1, 8, 8), f"{folder}/grid.png")
    ...     pathlib.Path(f"{folder}/grid.png").stat().st_size > 0
    True
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("save_image needs Pillow: pip install pillow") from error
    grid = make_grid(tensor, **settings).numpy()
    bytes_ = np.clip(np.rint(grid * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(bytes_)).save(fp, format=format)
