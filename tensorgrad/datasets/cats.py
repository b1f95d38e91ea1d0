"""Pictures with and without a cat."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.datasets.files import data_root, find, missing
from tensorgrad.datasets.images import ImageDataset, parts


class CatVsNonCat(ImageDataset):
    """Colour pictures of 64 x 64 pixels with a cat (1) or without (0): 209 to train with, 50 to test.

    The set of the first course of the Deep Learning Specialization (Ng and others, 2017). `images` are (n, 3, 64, 64),
    or (n, 12288) if `flat` (the red pixels first), in [0, 1]; `labels` are int64; `train=None` takes both parts, the
    training part first. The files train_catvnoncat.h5 and test_catvnoncat.h5 are looked for in `root` and
    `root`/cat_vs_noncat; `root` is by default the variable TENSORGRAD_DATA, else ~/.cache/tensorgrad. Raises
    `FileNotFoundError` where they are not there (there is no download), `ValueError` for damaged or foreign files, and
    `ImportError` without h5py.

    >>> from tensorgrad.datasets import CatVsNonCat
    >>> CatVsNonCat("no such folder")
    Traceback (most recent call last):
        ...
    FileNotFoundError: CatVsNonCat: train_catvnoncat.h5 not found; looked in ...
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool | None = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        *,
        flat: bool = False,
    ) -> None:
        folders = [data_root(root), data_root(root) / "cat_vs_noncat"]
        names = {part: f"{'train' if part else 'test'}_catvnoncat.h5" for part in parts(train)}
        found = {part: find(folders, [name]) for part, name in names.items()}
        absent = [names[part] for part, path in found.items() if path is None]
        if absent:
            remedy = "There is no download: put the course's files there by hand"
            raise missing("CatVsNonCat", absent, folders, remedy)
        read = [_read(path, "train" if part else "test") for part, path in found.items() if path is not None]
        super().__init__(
            np.concatenate([pixels for pixels, _, _ in read]),
            np.concatenate([labels for _, labels, _ in read]),
            read[0][2],
            transform,
            target_transform,
            flat=flat,
        )


def _read(path: Path, part: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[str]]:
    try:
        import h5py
    except ImportError as error:
        raise ImportError("CatVsNonCat needs h5py: pip install h5py") from error
    keys = [f"{part}_set_x", f"{part}_set_y", "list_classes"]
    try:
        with h5py.File(path, "r") as file:
            absent = [key for key in keys if key not in file]
            if absent:
                raise ValueError(f"{path}: it has no {', '.join(absent)}; it holds {', '.join(file) or 'nothing'}")
            pixels, labels, classes = (file[key][()] for key in keys)
    except OSError as error:
        raise ValueError(f"{path}: it is not a whole HDF5 file ({error}); get it again") from error
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8 or labels.size != len(pixels):
        raise ValueError(
            f"{path}: it should hold bytes (n, height, width, 3) and n labels, and holds "
            f"{pixels.dtype}{list(pixels.shape)} and {labels.dtype}{list(labels.shape)}"
        )
    return pixels.transpose(0, 3, 1, 2), labels.reshape(-1), [name.decode() for name in classes]
