"""Where the files of data sets are, and how they get there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tensorgrad.files import replacing

DOWNLOAD_TIMEOUT = 30.0  # seconds without a byte


def data_root(root: str | os.PathLike[str] | None) -> Path:
    """The folder of data: `root`, else the variable TENSORGRAD_DATA, else ~/.cache/tensorgrad.

    >>> from tensorgrad.datasets.files import data_root
    >>> data_root("data").name
    'data'
    """
    if root is None:
        root = os.environ.get("TENSORGRAD_DATA") or Path("~", ".cache", "tensorgrad")
    return Path(root).expanduser()


def find(folders: Iterable[Path], names: Iterable[str]) -> Path | None:
    """The first file of one of the names in one of the folders, or None.

    >>> from pathlib import Path
    >>> from tensorgrad.datasets.files import find
    >>> find([Path("no such folder")], ["a.gz"]) is None
    True
    """
    names = list(names)
    return next((path for folder in folders for name in names if (path := folder / name).is_file()), None)


def missing(name: str, files: Sequence[str], folders: Sequence[Path], remedy: str) -> FileNotFoundError:
    """The error for files that are in none of the folders."""
    looked = ", ".join(str(folder) for folder in folders)
    return FileNotFoundError(f"{name}: {', '.join(files)} not found; looked in {looked}. {remedy}")


def gunzip(name: object, raw: bytes) -> bytes:
    """The content of a gzip file. Raises `ValueError`, with the file's name, where it is damaged or none."""
    import gzip
    import zlib

    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{name}: it is not a whole gzip file ({error})") from error


def download(name: str, mirrors: Sequence[str], file: str, folder: Path, sha256: str, *, packed: bool = False) -> Path:
    """Fetch a gzip file from the first mirror that has it into a folder; return its path.

    The SHA-256 is that of the unpacked content, or if `packed` that of the file itself. The file appears whole and
    verified or not at all. Raises `ConnectionError`, with what happened at each mirror and where to put the file by
    hand, if none gives it.
    """
    import hashlib
    import http.client
    import urllib.request

    target = folder / file
    failures = []
    for mirror in mirrors:
        url = mirror + file
        try:
            with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT) as response:
                raw = response.read()
            got = hashlib.sha256(raw if packed else gunzip(file, raw)).hexdigest()
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"{url}: {_reason(error)}")
            continue
        if got != sha256:
            failures.append(f"{url}: its SHA-256{'' if packed else ', unpacked,'} is {got} and should be {sha256}")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(name, os.path.realpath(target)) as temporary:
            Path(temporary).write_bytes(raw)
        return target
    raise ConnectionError(
        f"{name}: could not download {file}. {'; '.join(failures)}. Without a network, put the file"
        f"{'' if packed else ', gzipped or not,'} into {folder} by hand"
    )


def _reason(error: Any) -> str:
    return str(getattr(error, "reason", "") or error) or type(error).__name__
