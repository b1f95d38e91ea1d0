"""ImageDataset: labelled images in memory, which the data sets of images are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.backends.dtypes import get_default_dtype
from tensorgrad.creation import from_numpy
from tensorgrad.errors import ShapeError
from tensorgrad.tensor import Tensor
from tensorgrad.utils.data.dataset import TensorDataset


class ImageDataset(TensorDataset):
    """Labelled images in memory; item i is the tuple of image i and its label, an int64 tensor of no dimensions.

    `images` are (n, channels, height, width), or (n, channels * height * width) if `flat`, and numbers in [0, 1] of the
    default dtype: the given `pixels` divided by `scale`. `labels` are int64 (n), indices into the names in `classes`.
    `transform` is applied to an image and `target_transform` to a label when the item is taken; without them a
    DataLoader takes whole batches at once. Raises `ShapeError` where pixels and labels do not go together, and
    `ValueError` for a label that is not among the classes.

    >>> import numpy as np
    >>> from tensorgrad.datasets import ImageDataset
    >>> data = ImageDataset(np.full((2, 1, 1, 1), 255, np.uint8), np.array([1, 0]), ["no", "yes"])
    >>> data.images.tolist(), data.labels, data[0][0].shape
    ([[[[1.0]]], [[[1.0]]]], tensor([1, 0]), (1, 1, 1))
    """

    def __init__(
        self,
        pixels: np.ndarray[Any, Any],
        labels: np.ndarray[Any, Any],
        classes: Sequence[str],
        transform: Callable[[Tensor], Any] | None = None,
        target_transform: Callable[[Tensor], Any] | None = None,
        *,
        flat: bool = False,
        scale: float = 255,
    ) -> None:
        name = type(self).__name__
        if pixels.ndim != 4 or labels.shape != pixels.shape[:1]:
            raise ShapeError(
                f"{name}: the images must be (n, channels, height, width) and the labels (n), and their shapes are "
                f"{pixels.shape} and {labels.shape}"
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < len(classes):
            raise ValueError(
                f"{name}: the labels run from {labels.min()} to {labels.max()}, and there are {len(classes)} classes"
            )
        dtype = get_default_dtype()
        images = np.empty(pixels.shape, dtype)
        np.divide(pixels, dtype.type(scale), out=images, casting="same_kind")
        super().__init__(
            from_numpy(images.reshape(len(images), -1) if flat else images), from_numpy(labels.astype(np.int64))
        )
        self.classes = tuple(classes)
        self.transform = transform
        self.target_transform = target_transform

    @property
    def images(self) -> Tensor:
        """All images, in the order of the labels."""
        return self.tensors[0]

    @property
    def labels(self) -> Tensor:
        """The class of each image, as an index into `classes`."""
        return self.tensors[1]

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        image, label = self.images[index], self.labels[index]
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def in_memory(self) -> tuple[Tensor, ...] | None:
        """The images and labels, or None where each item is computed, by a transform or a subclass."""
        cls = type(self)
        same = cls.__getitem__ is ImageDataset.__getitem__ and cls.__len__ is TensorDataset.__len__
        return self.tensors if same and self.transform is None and self.target_transform is None else None

    def __repr__(self) -> str:
        n, *shape = self.images.shape
        return f"{type(self).__name__}({n} images of shape {tuple(shape)}, {len(self.classes)} classes)"


class DownloadedImages(ImageDataset):
    """Base of data sets that come in files, one part to train with and one to test."""

    classes: tuple[str, ...]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool | None = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
        *,
        flat: bool = False,
    ) -> None:
        pixels, labels = self.arrays(root, train, download)
        super().__init__(pixels, labels, self.classes, transform, target_transform, flat=flat)

    @classmethod
    def arrays(
        cls, root: str | os.PathLike[str] | None, train: bool | None = True, download: bool = False
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The bytes of the images, (n, channels, height, width), and the labels, (n)."""
        raise NotImplementedError(f"{cls.__name__}.arrays")


def parts(train: bool | None) -> tuple[bool, ...]:
    """Which parts `train` asks for: the training part, the test part, or for None both, in this order."""
    return (True, False) if train is None else (bool(train),)
