"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def replacing(name: str, target: str) -> Iterator[str]:
    """The path of a temporary file beside `target`, which takes its place, in one step, if the block succeeds.

    A file that is there keeps its permissions; `target` must not be a link. Raises `OSError`, which begins with `name`
    and names the path, for a folder that is not there and for what cannot be replaced.

    >>> import os, tempfile
    >>> from tensorgrad.files import replacing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "a.txt")
    ...     with replacing("save", path) as temporary, open(temporary, "w") as file:
    ...         _ = file.write("whole")
    ...     os.listdir(folder)
    ['a.txt']
    """
    folder = os.path.dirname(target) or os.curdir
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, f"{name}: there is no such folder; create it first", folder)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, f"{name}: this is a folder; add the name of a file", target)
    exists = os.path.exists(target)
    if exists and not os.path.isfile(target):
        raise OSError(errno.EINVAL, f"{name}: this is not a regular file, and cannot be replaced by one", target)
    if exists and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, f"{name}: the file is there and is write-protected", target)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            mode = os.stat(target).st_mode if exists else os.fstat(file.fileno()).st_mode
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
