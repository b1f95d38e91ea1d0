"""MNIST and Fashion-MNIST, and the IDX files that they are kept in."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tensorgrad.datasets.files import data_root, download, find, gunzip, missing
from tensorgrad.datasets.images import DownloadedImages, parts

_IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """The array in an IDX file, gzipped if its name ends in .gz, of the shape and dtype that its header says.

    Raises `ValueError`, naming the file, where it is not an IDX file, or is truncated or damaged.

    >>> import pathlib, tempfile
    >>> from tensorgrad.datasets import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "labels-idx1-ubyte")
    ...     n = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    ...     read_idx(path)
    array([7, 8, 9], dtype=uint8)
    """
    path = Path(path)
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gunzip(path, raw)
    ndim = raw[3] if len(raw) > 3 else 0
    if raw[:2] != b"\0\0" or ndim == 0 or raw[2] not in _IDX_DTYPES:
        raise ValueError(f"{path}: it is not an IDX file: it begins with the bytes {raw[:4].hex(' ') or '(none)'}")
    start = 4 + 4 * ndim
    if len(raw) < start:
        raise ValueError(f"{path}: it is truncated: its header should have {start} bytes, and it has {len(raw)}")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", ndim, offset=4))
    dtype = np.dtype(_IDX_DTYPES[raw[2]])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        what = "truncated" if len(raw) < expected else "too long"
        raise ValueError(
            f"{path}: it is {what}: an array of shape {shape} takes {expected} bytes, and it has {len(raw)}"
        )
    array = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


class MNIST(DownloadedImages):
    """Handwritten digits of 28 x 28 pixels: 60,000 to train with and 10,000 to test (LeCun, Cortes and Burges, 1998).

    `images` are (n, 1, 28, 28), or (n, 784) if `flat`, in [0, 1]; `labels` are int64; `train=None` takes both parts,
    the training part first. The IDX files, gzipped or not, are looked for in `root`, `root`/mnist and `root`/MNIST/raw;
    `root` is by default the variable TENSORGRAD_DATA, else ~/.cache/tensorgrad. `download` fetches those of the four
    that are missing into `root`/mnist, and checks them. `transform` and `target_transform` are applied to each image
    and label as it is taken, see `ImageDataset`. Raises `FileNotFoundError` for files that are not there,
    `ConnectionError` where they cannot be fetched, and `ValueError` for damaged ones.

    >>> from tensorgrad.datasets import MNIST
    >>> MNIST("no such folder")
    Traceback (most recent call last):
        ...
    FileNotFoundError: MNIST: train-images-idx3-ubyte, train-labels-idx1-ubyte not found; looked in ...
    """

    classes = tuple("0123456789")
    folders: ClassVar[tuple[str, ...]] = ("mnist", "", "MNIST/raw")  # below the root; downloads go into the first
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    # SHA-256 of the unpacked files: how they were packed differs from mirror to mirror.
    checksums: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }

    @classmethod
    def arrays(
        cls, root: str | os.PathLike[str] | None, train: bool | None = True, download: bool = False
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The bytes of the images, (n, 1, 28, 28), and the labels, (n)."""
        files = cls._files(data_root(root), train, download)
        pixels, labels = [], []
        for part in parts(train):
            prefix = "train" if part else "t10k"
            pixels.append(_read(files[f"{prefix}-images-idx3-ubyte"], 3))
            labels.append(_read(files[f"{prefix}-labels-idx1-ubyte"], 1))
            if len(pixels[-1]) != len(labels[-1]):
                raise ValueError(
                    f"{cls.__name__}: {files[f'{prefix}-images-idx3-ubyte']} has {len(pixels[-1])} images, and "
                    f"{files[f'{prefix}-labels-idx1-ubyte']} has {len(labels[-1])} labels"
                )
        return np.concatenate(pixels)[:, None], np.concatenate(labels)

    @classmethod
    def _files(cls, root: Path, train: bool | None, fetch: bool) -> dict[str, Path]:
        folders = [root / folder for folder in cls.folders]
        found = {name: find(folders, [name, name + ".gz"]) for name in cls.checksums}
        if fetch:
            for name in [name for name, path in found.items() if path is None]:
                found[name] = download(cls.__name__, cls.mirrors, name + ".gz", folders[0], cls.checksums[name])
        wanted = {n: p for n, p in found.items() if train is None or n.startswith("train" if train else "t10k")}
        absent = [name for name, path in wanted.items() if path is None]
        if absent:
            remedy = "Pass download=True to fetch them, or put them there, gzipped or not"
            raise missing(cls.__name__, absent, folders, remedy)
        return {name: path for name, path in wanted.items() if path is not None}


class FashionMNIST(MNIST):
    """Articles of clothing of 28 x 28 pixels, in the files and the manner of `MNIST` (Xiao, Rasul and Vollgraf, 2017).

    60,000 to train with and 10,000 to test, in ten classes. The files are looked for in `root`/fashion_mnist and
    `root`/FashionMNIST/raw; MNIST's have the same names. Raises what `MNIST` does.

    >>> from tensorgrad.datasets import FashionMNIST
    >>> FashionMNIST.classes[:3]
    ('T-shirt/top', 'Trouser', 'Pullover')
    """

    classes = tuple("T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot".split(","))
    folders: ClassVar[tuple[str, ...]] = ("fashion_mnist", "FashionMNIST/raw")
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
    checksums: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }


def _read(path: Path, ndim: int) -> np.ndarray[Any, Any]:
    array = read_idx(path)
    if array.ndim != ndim or array.dtype != np.uint8:
        raise ValueError(f"{path}: it holds {array.dtype}{list(array.shape)}, not bytes of {ndim} dimensions")
    return array
