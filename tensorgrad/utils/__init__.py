"""What training needs around the network: `utils.data`, and `utils.checkpoint` for scripts that were PyTorch's."""

from importlib import import_module
from typing import Any

from tensorgrad.utils import data

__all__ = ["checkpoint", "data"]


def __getattr__(name: str) -> Any:
    if name == "checkpoint":
        return import_module("tensorgrad.utils.checkpoint")
    raise AttributeError(f"module 'tensorgrad.utils' has no attribute {name!r}")
