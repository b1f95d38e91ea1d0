"""How many threads there are to compute with: at first those of the OpenBLAS that NumPy's wheels bring with them.

OpenBLAS's idle threads wait for work on the cores, for some hundredths of a second. Where kernels divide their work
among threads of our own (see `parallel`), these would wait for those; so from then on OpenBLAS is left with one thread,
and large products are divided like the rest. What can be set is set through the library's own functions. A NumPy that
was built with another BLAS keeps to that one's environment variables (OMP_NUM_THREADS, MKL_NUM_THREADS,
VECLIB_MAXIMUM_THREADS).
"""

from __future__ import annotations

import functools
import os
import warnings
from typing import Any

import numpy as np

SUFFIXES = ("64_", "_64", "")
PREFIXES = ("scipy_openblas", "openblas")


@functools.cache
def openblas() -> tuple[Any, Any] | None:
    """The functions that set and tell the number of threads, None where NumPy brings no OpenBLAS."""
    import ctypes  # these take as long to import as a third of the library
    from pathlib import Path

    root = Path(np.__file__).parent
    folders = (root.parent / "numpy.libs", root / ".dylibs")
    for path in sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir()):
        if "openblas" in path.name:
            library = ctypes.CDLL(str(path))
            for name in (f"{prefix}_{{}}_num_threads{suffix}" for prefix in PREFIXES for suffix in SUFFIXES):
                if hasattr(library, name.format("set")):
                    return getattr(library, name.format("set")), getattr(library, name.format("get"))
    return None


_ours = 0  # the threads that were taken over from OpenBLAS


def take_over() -> None:
    """Leave OpenBLAS with one thread, and count those that it had as ours."""
    global _ours
    functions = openblas()
    if not _ours and functions is not None:
        _ours = int(functions[1]())
        functions[0](1)


def taken_over() -> bool:
    """Whether products are ours to divide."""
    return _ours > 1


def set_num_threads(int: int) -> None:
    """Set how many threads matrix products, convolutions and other large work may take.

    Warns where NumPy's BLAS is not an OpenBLAS of its own, whose threads cannot be set from here. Raises `ValueError`
    for less than 1.

    >>> import tensorgrad as tg
    >>> before = tg.get_num_threads()
    >>> tg.set_num_threads(1)
    >>> tg.get_num_threads()
    1
    >>> tg.set_num_threads(before)
    """
    if not hasattr(int, "__index__") or int < 1:
        raise ValueError(f"set_num_threads: it takes a number of 1 or more, not {int!r}")
    if (functions := openblas()) is None:
        warnings.warn(
            "set_num_threads: NumPy's BLAS is not an OpenBLAS of its own; set its environment variable "
            "(OMP_NUM_THREADS, MKL_NUM_THREADS or VECLIB_MAXIMUM_THREADS) before Python starts",
            stacklevel=2,
        )
        return
    global _ours
    if _ours:
        _ours = int
    else:
        functions[0](int)


def get_num_threads() -> int:
    """How many threads matrix products and other large work may take; the number of cores where that cannot be told.

    >>> import tensorgrad as tg
    >>> tg.get_num_threads() >= 1
    True
    """
    functions = openblas()
    return _ours or (int(functions[1]()) if functions is not None else os.cpu_count() or 1)
