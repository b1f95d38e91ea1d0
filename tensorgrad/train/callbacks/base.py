"""Callback: what is called in the course of a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

Logs = dict[str, float]


class Callback:
    """Base of what a fit calls on its way; each method does nothing until it is overridden.

    `model` is the model that is fitted and `params` a dict with "epochs", "steps" (batches of an epoch, None where it
    is not known), "batch_size" and "verbose"; both are set before `on_train_begin`. Epochs and batches are counted from
    0. Setting `self.model.stop_training = True` ends the fit after the batch, or the epoch, that it is set in. Names
    are those of Keras's callbacks.

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> class Report(train.Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         print(epoch, sorted(logs))
    >>> model = train.Model(nn.Linear(2, 1))
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(tg.ones(4, 2), tg.ones(4), epochs=2, callbacks=[Report()], verbose=0)
    0 ['loss']
    1 ['loss']
    """

    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012 (an instance gets its own)

    def set_model(self, model: Any) -> None:
        """Be told the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Be told how long the fit will be."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """A fit begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """A fit ends, whether it is done or was broken off by an error."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """An epoch has ended, validation included; `logs` are its numbers, and what is added to them is kept."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A batch is about to be learned from."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """A batch has been learned from; `logs` has its loss."""

    def on_gradients(self, batch: int, logs: Logs) -> None:
        """The gradients are there, not yet clipped; the optimizer steps next, unless the fit is to stop."""

    def state_dict(self) -> dict[str, Any]:
        """What a fit that goes on from a checkpoint needs to know, as plain data and tensors."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take what `state_dict` gave."""


EVENTS = [name for name in vars(Callback) if name.startswith("on_")]


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


def _overrides(callback: Callback, event: str) -> bool:
    return event in vars(callback) or getattr(type(callback), event) is not getattr(Callback, event)


class Callbacks:
    """Several callbacks as one, in their order; those that do not override a method are not called for it.

    Raises `TypeError` for what is no Callback, `RuntimeError` for one that is in a fit which has not ended.

    >>> from tensorgrad.train.callbacks import Callbacks, LambdaCallback
    >>> hello = LambdaCallback(on_epoch_begin=lambda epoch: print("epoch", epoch))
    >>> Callbacks([hello], model=None, params={}).tell("on_epoch_begin", 0)
    epoch 0
    """

    def __init__(self, callbacks: Iterable[Any], model: Any, params: dict[str, Any]) -> None:
        self.callbacks, self.model = list(callbacks), model
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                hint = f": write {callback.__name__}(...)" if isinstance(callback, type) else ""
                raise TypeError(f"fit: callbacks must be Callback objects, not {callback!r}{hint}")
            running = getattr(callback.model, "_callbacks", None)
            if running is not None and any(each is callback for each in running.callbacks):
                raise RuntimeError(
                    f"fit: the {type(callback).__name__} is in another fit, which has not ended; make one for each"
                )
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)
        self._called = {event: [getattr(c, event) for c in self.callbacks if _overrides(c, event)] for event in EVENTS}

    def tell(self, event: str, *args: Any) -> None:
        """Call the method of a name of each callback that overrides it."""
        for call in self._called[event]:
            call(*args)

    def tell_end(self, logs: Logs) -> None:
        """Tell all that the fit ends, the others even where one raises an error."""
        with ExitStack() as stack:
            for call in reversed(self._called["on_train_end"]):
                stack.callback(call, logs)
