"""A callback that is made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.train.callbacks.base import EVENTS, Callback


class LambdaCallback(Callback):
    """A callback whose methods are the functions that are given by their names, as `on_epoch_end=`.

    Raises `TypeError` for a name that is none of `Callback`'s.

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse")
    >>> show = train.LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch))
    >>> history = model.fit(tg.ones(4, 1), tg.ones(4), callbacks=[show], verbose=0)
    epoch 0
    """

    def __init__(self, **functions: Callable[..., Any]) -> None:
        for name, function in functions.items():
            if name not in EVENTS:
                raise TypeError(f"LambdaCallback: there is no {name!r}; the names are {', '.join(EVENTS)}")
            setattr(self, name, function)
