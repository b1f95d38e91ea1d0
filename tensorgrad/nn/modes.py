"""What a network computes in: its mode, and its dtype."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorgrad.backends.dtypes import get_default_dtype
from tensorgrad.nn.module import Module


@contextmanager
def evaluating(module: Module) -> Iterator[None]:
    """Evaluation mode; afterwards each layer is in the mode that it was in."""
    training = [layer for layer in module.modules() if layer.training]
    module.eval()
    try:
        yield
    finally:
        for layer in training:
            layer.training = True


def computing_dtype(module: Module) -> Any:
    """The dtype of a network's floating parameters, the default dtype without any."""
    return next((p.dtype for p in module.parameters() if p.dtype.kind == "f"), get_default_dtype())
