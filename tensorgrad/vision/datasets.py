"""Data sets as torchvision gives them: images of bytes that transforms turn into tensors."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tensorgrad import datasets
from tensorgrad.creation import from_numpy
from tensorgrad.utils.data import Dataset

__all__ = ["CIFAR10", "MNIST", "FashionMNIST"]


class Images(Dataset[Any]):
    """What the data sets have in common: item i is an image of bytes and its label, an int, each after its transform.

    The files are looked for in `root`, as by the class of `tensorgrad.datasets` of the same name, then where
    TENSORGRAD_DATA points; with `download` they are fetched into `root` where both have none. Raises what that raises.

    >>> from tensorgrad.vision.datasets import Images, MNIST
    >>> issubclass(MNIST, Images)
    True
    """

    source: ClassVar[type[datasets.MNIST | datasets.CIFAR10]]
    classes: ClassVar[tuple[str, ...]]
    data: Any
    targets: Any

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self._hold(*self._arrays(root, train, download))
        self.root, self.train = root, train
        self.transform, self.target_transform = transform, target_transform

    @classmethod
    def _arrays(cls, root: Any, train: bool, download: bool) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        for place in (root, None):
            try:
                return cls.source.arrays(place, train)
            except FileNotFoundError:
                if place is None and not download:
                    raise
        return cls.source.arrays(root, train, download=True)

    def _hold(self, pixels: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> None:
        raise NotImplementedError

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class."""
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        image, label = np.asarray(self.data[index]), int(self.targets[index])
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )


class MNIST(Images):
    """Handwritten digits: `data` is uint8 (n, 28, 28) and `targets` int64 (n), see `Images`.

    >>> from tensorgrad.vision.datasets import MNIST
    >>> MNIST.classes[3]
    '3 - three'
    """

    source = datasets.MNIST
    classes = tuple(
        f"{digit} - {name}" for digit, name in enumerate("zero one two three four five six seven eight nine".split())
    )

    def _hold(self, pixels: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> None:
        self.data, self.targets = from_numpy(pixels[:, 0]), from_numpy(labels.astype(np.int64))


class FashionMNIST(MNIST):
    """Articles of clothing, in the form of `MNIST`.

    >>> from tensorgrad.vision.datasets import FashionMNIST
    >>> FashionMNIST.classes[-1]
    'Ankle boot'
    """

    source = datasets.FashionMNIST
    classes = datasets.FashionMNIST.classes


class CIFAR10(Images):
    """Photographs: `data` is an array of bytes (n, 32, 32, 3), `targets` a list of ints, see `Images`.

    >>> from tensorgrad.vision.datasets import CIFAR10
    >>> CIFAR10.classes[-1]
    'truck'
    """

    source = datasets.CIFAR10
    classes = datasets.CIFAR10.classes

    def _hold(self, pixels: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> None:
        self.data, self.targets = pixels.transpose(0, 2, 3, 1), labels.tolist()
