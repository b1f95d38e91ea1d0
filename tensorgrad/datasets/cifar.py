"""CIFAR-10, in the files of its Python version."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tensorgrad.datasets.files import data_root, download, find, missing
from tensorgrad.datasets.images import DownloadedImages, parts
from tensorgrad.files import replacing

_FOLDER, _ARCHIVE = "cifar-10-batches-py", "cifar-10-python.tar.gz"


class CIFAR10(DownloadedImages):
    """Photographs of 32 x 32 pixels in ten classes: 50,000 to train with and 10,000 to test (Krizhevsky, 2009).

    `images` are (n, 3, 32, 32), or (n, 3072) if `flat` (the red pixels first), in [0, 1]; `labels` are int64;
    `train=None` takes both parts, the training part first. The files data_batch_1 to data_batch_5 and test_batch are
    looked for in `root` and `root`/cifar-10-batches-py; `root` is by default the variable TENSORGRAD_DATA, else
    ~/.cache/tensorgrad. With `download` they are unpacked from cifar-10-python.tar.gz, which is fetched into `root` if
    it is not there. `transform` and `target_transform` are applied to each image and label as it is taken, see
    `ImageDataset`. Raises `FileNotFoundError` for files that are not there, `ConnectionError` where they cannot be
    fetched, and `ValueError` for damaged ones.

    >>> from tensorgrad.datasets import CIFAR10
    >>> CIFAR10("no such folder", train=False)
    Traceback (most recent call last):
        ...
    FileNotFoundError: CIFAR10: test_batch not found; looked in ...
    """

    classes = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())
    mirrors: ClassVar[tuple[str, ...]] = ("https://www.cs.toronto.edu/~kriz/",)
    sha256: ClassVar[str] = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"  # of the archive
    # MD5 of the files in it: those that torchvision holds them to.
    checksums: ClassVar[dict[str, str]] = {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    }

    @classmethod
    def arrays(
        cls, root: str | os.PathLike[str] | None, train: bool | None = True, download: bool = False
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The bytes of the images, (n, 3, 32, 32), and the labels, (n)."""
        place = data_root(root)
        folders = [place / _FOLDER, place]
        wanted = [name for part in parts(train) for name in cls.checksums if name.startswith("data") == part]
        absent = [name for name in wanted if find(folders, [name]) is None]
        if absent and download:
            cls._unpack(place)
        elif absent:
            remedy = f"Pass download=True to fetch them, or put those of {_ARCHIVE} there"
            raise missing("CIFAR10", absent, folders, remedy)
        batches = [cls._read(find(folders, [name]) or folders[0] / name) for name in wanted]
        return np.concatenate([pixels for pixels, _ in batches]), np.concatenate([labels for _, labels in batches])

    @classmethod
    def _unpack(cls, place: Path) -> None:
        """All batches out of the archive, each whole or not at all."""
        archive = find([place], [_ARCHIVE])
        if archive is None:
            archive = download("CIFAR10", cls.mirrors, _ARCHIVE, place, cls.sha256, packed=True)
        folder = place / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with tarfile.open(archive) as tar:
                for name in cls.checksums:
                    member = tar.extractfile(f"{_FOLDER}/{name}")
                    assert member is not None
                    with replacing("CIFAR10", os.path.realpath(folder / name)) as temporary:
                        Path(temporary).write_bytes(member.read())
        except (tarfile.TarError, EOFError, KeyError, zlib.error) as error:
            raise ValueError(f"{archive}: it is not the whole archive ({error}); get it again") from error

    @classmethod
    def _read(cls, path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        raw = path.read_bytes()
        got = hashlib.md5(raw, usedforsecurity=False).hexdigest()
        if got != cls.checksums[path.name]:
            raise ValueError(
                f"{path}: its MD5 is {got} and should be {cls.checksums[path.name]}: it is damaged; get it again"
            )
        held = _Unpickler(io.BytesIO(raw), encoding="latin1").load()
        return held["data"].reshape(-1, 3, 32, 32), np.asarray(held["labels"])


class _Unpickler(pickle.Unpickler):
    """One that makes arrays, and refuses all else that a pickle could run."""

    allowed: ClassVar[dict[str, Any]] = {
        "ndarray": np.ndarray,
        "dtype": np.dtype,
        "_reconstruct": np.zeros(0).__reduce__()[0],
    }

    def find_class(self, module: str, name: str) -> Any:
        if not module.startswith("numpy") or name not in self.allowed:
            raise ValueError(f"CIFAR10: a file asks for {module}.{name}, which batches of images have no use for")
        return self.allowed[name]
