"""MNIST as torchvision gives it: images of bytes that transforms turn into tensors."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import datasets
from tensorgrad.creation import from_numpy
from tensorgrad.utils.data import Dataset


class MNIST(Dataset[Any]):
    """Handwritten digits: item i is an image, uint8 (28, 28), and its label, an int, each after its transform.

    `data` is uint8 (n, 28, 28) and `targets` int64 (n). The files are looked for in `root`, as by
    `tensorgrad.datasets.MNIST`, then where TENSORGRAD_DATA points; with `download` they are fetched into `root` where
    both have none. Raises what that raises.

    >>> from tensorgrad.vision.datasets import MNIST
    >>> MNIST.classes[3]
    '3 - three'
    """

    classes = tuple(
        f"{digit} - {name}" for digit, name in enumerate("zero one two three four five six seven eight nine".split())
    )

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        held = self._held(root, train, download)
        pixels = np.rint(held.images._data[:, 0] * 255).astype(np.uint8)
        self.data, self.targets = from_numpy(pixels), held.labels
        self.root, self.train = root, train
        self.transform, self.target_transform = transform, target_transform

    @staticmethod
    def _held(root: Any, train: bool, download: bool) -> datasets.MNIST:
        for place in (root, None):
            try:
                return datasets.MNIST(place, train)
            except FileNotFoundError:
                if place is None and not download:
                    raise
        return datasets.MNIST(root, train, download=True)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        image, label = self.data._data[index], int(self.targets._data[index])
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )
