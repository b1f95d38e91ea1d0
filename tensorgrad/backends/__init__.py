"""The kernels that operations run on arrays, and the dtypes of those arrays."""

from typing import Any


def __getattr__(name: str) -> Any:
    """The switches of libraries that are not there: `backends.cudnn` and its like."""
    from importlib import import_module

    absent = import_module("tensorgrad.backends.absent")
    if not name.startswith("_") and isinstance(getattr(absent, name, None), absent.Absent):
        return getattr(absent, name)
    raise AttributeError(f"module 'tensorgrad.backends' has no attribute {name!r}")
