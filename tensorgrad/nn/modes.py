"""What a network computes in: its mode, and its dtype."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorgrad.backends.dtypes import get_default_dtype
from tensorgrad.nn.module import Module

# Of each layer that is being evaluated: by how many at once, and whether it was in training before.
_LOCK = threading.RLock()
_EVALUATED: dict[int, list[Any]] = {}


@contextmanager
def evaluating(module: Module) -> Iterator[None]:
    """Evaluation mode; afterwards, when no other thread evaluates it any more, each layer is in the mode it was in."""
    layers = list(module.modules())
    with _LOCK:
        for layer in layers:
            state = _EVALUATED.setdefault(id(layer), [0, False])
            state[0] += 1
            state[1] |= layer.training
    try:
        with _LOCK:
            module.eval()
        yield
    finally:
        with _LOCK:
            for layer in layers:
                state = _EVALUATED[id(layer)]
                state[0] -= 1
                if not state[0]:
                    del _EVALUATED[id(layer)]
                    if state[1]:
                        layer.training = True


def computing_dtype(module: Module) -> Any:
    """The dtype of a network's floating parameters, the default dtype without any."""
    return next((p.dtype for p in module.parameters() if p.dtype.kind == "f"), get_default_dtype())
