"""The commonest of torchvision's transforms, from images of bytes to normalised tensors; `geometry` has the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.creation import from_numpy, tensor
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.tensor import Tensor
from tensorgrad.vision.geometry import (
    CenterCrop,
    InterpolationMode,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
    channels_first,
)

__all__ = [
    "CenterCrop",
    "Compose",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "Resize",
    "ToTensor",
]


class Compose:
    """Transforms one after another.

    >>> import numpy as np
    >>> from tensorgrad.vision import transforms
    >>> transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    >>> transform(np.array([[0, 255]], np.uint8))
    tensor([[[-1.,  1.]]])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return f"Compose({', '.join(map(str, self.transforms))})"


class ToTensor:
    """An image (height, width) or (height, width, channels) as a float32 tensor (channels, height, width).

    Bytes become numbers in [0, 1]; other dtypes keep their values. Takes arrays and what NumPy makes arrays of, such as
    Pillow's images. Raises `ShapeError` for other numbers of dimensions.

    >>> import numpy as np
    >>> from tensorgrad.vision import transforms
    >>> transforms.ToTensor()(np.zeros((4, 5, 3), np.uint8)).shape
    (3, 4, 5)
    """

    def __call__(self, image: Any) -> Tensor:
        array = np.ascontiguousarray(channels_first("ToTensor", image))
        return from_numpy(np.divide(array, 255, dtype=np.float32) if array.dtype == np.uint8 else array)

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """`(image - mean) / std` per channel of a floating tensor (..., channels, height, width).

    Raises `DtypeError` for an image that is no floating tensor, `ShapeError` where the channels differ in number, and
    `ValueError` for a deviation of 0.

    >>> import tensorgrad as tg
    >>> from tensorgrad.vision import transforms
    >>> transforms.Normalize((0.5,), (0.25,))(tg.ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        if any(s == 0 for s in std):
            raise ValueError(f"Normalize: std must not be 0, and is {tuple(std)}")
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, image: Tensor) -> Tensor:
        if not isinstance(image, Tensor) or not image.is_floating_point():
            raise DtypeError("Normalize: it takes a floating tensor; put ToTensor() before it")
        mean, std = (tensor(list(x), dtype=image.dtype).reshape(-1, 1, 1) for x in (self.mean, self.std))
        if image.ndim < 3 or len(mean) not in (1, image.shape[-3]):
            raise ShapeError(f"Normalize: {len(mean)} means do not fit an image of shape {image.shape}")
        return image.sub_(mean).div_(std) if self.inplace else (image - mean) / std

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class Lambda:
    """A function as a transform.

    >>> from tensorgrad.vision import transforms
    >>> transforms.Lambda(lambda x: x + 1)(1)
    2
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)

    def __repr__(self) -> str:
        return "Lambda()"
