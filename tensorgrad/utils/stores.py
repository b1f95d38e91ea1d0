"""SQLite stores that several processes begin at once: MLflow and Optuna, which keep them, do not take turns."""

from __future__ import annotations

import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path


@contextmanager
def alone(uri: str | None) -> Iterator[None]:
    """Have the user's other processes wait: where several make an SQLite store at once, it is damaged for good."""
    if uri is None or not uri.startswith("sqlite:"):
        yield
        return
    user = zlib.crc32(str(Path.home()).encode())
    # A lock on a file, which is let go of where the process dies. The file stays, as others may wait for it.
    with ExitStack() as held:
        with suppress(sqlite3.DatabaseError):  # of another user, or no lock at all: better without than no tracking
            path = Path(tempfile.gettempdir(), f"tensorgrad-{user:x}.lock")
            held.enter_context(closing(sqlite3.connect(path, timeout=60))).execute("BEGIN EXCLUSIVE")
        yield
