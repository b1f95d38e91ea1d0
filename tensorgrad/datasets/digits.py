"""scikit-learn's handwritten digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.datasets.images import ImageDataset


class Digits(ImageDataset):
    """1,797 handwritten digits of 8 x 8 pixels, which come with scikit-learn (Alpaydin and Kaynak, 1998).

    `images` are (n, 1, 8, 8), or (n, 64) if `flat`, in [0, 1]; `labels` are int64. `test_size`, a fraction or a number
    of images, says how many are the test part; the division has the same share of each digit in both parts and is
    always the same: that of scikit-learn's `train_test_split(..., stratify=labels, random_state=0)`. `train=None` takes
    all images, in their own order. Raises `ImportError` without scikit-learn.

    >>> from tensorgrad.datasets import Digits
    >>> Digits(train=True), len(Digits(train=False)), len(Digits(train=None))
    (Digits(1437 images of shape (1, 8, 8), 10 classes), 360, 1797)
    """

    def __init__(
        self,
        train: bool | None = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        *,
        test_size: float = 0.2,
        flat: bool = False,
    ) -> None:
        try:
            from sklearn.datasets import load_digits
            from sklearn.model_selection import train_test_split
        except ImportError as error:
            raise ImportError("Digits needs scikit-learn: pip install scikit-learn") from error
        held = load_digits()
        labels = held.target
        rows = np.arange(len(labels))
        if train is not None:
            divided = train_test_split(rows, test_size=test_size, stratify=labels, random_state=0)
            rows = divided[0] if train else divided[1]
        super().__init__(
            held.images[rows][:, None],
            labels[rows],
            [str(digit) for digit in held.target_names],
            transform,
            target_transform,
            flat=flat,
            scale=16,
        )
