"""Callbacks that stop a fit early or keep what it has learned, most of them by watching one number."""

from __future__ import annotations

import copy
import difflib
import math
import os
import string
from collections import defaultdict
from typing import Any

from tensorgrad.metrics.naming import larger_is_better
from tensorgrad.ops.checks import must_be_int
from tensorgrad.train.callbacks.base import Callback, Logs


def number(callback: Callback, name: str, logs: Logs) -> float:
    """A number of an epoch. Raises `KeyError`, which says who wanted it, where the logs lack it."""
    if name not in logs:
        near = difflib.get_close_matches(name, list(logs), 1, 0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        if name.startswith("val_") and not any(each.startswith("val_") for each in logs):
            hint = "; give fit validation_data or validation_split"
        raise KeyError(f"{type(callback).__name__}: there is no {name!r} among {', '.join(logs)}{hint}")
    return logs[name]


class Monitor(Callback):
    """Base of callbacks that watch a number of the logs for its best value.

    `mode` is "min", "max", or "auto": larger is better for what is named as a score (accuracy, precision, recall, F1,
    R2, AUC, ...), smaller for all else. Raises `KeyError` at the end of an epoch whose logs lack the number.

    >>> from tensorgrad.train.callbacks import Monitor
    >>> watch = Monitor("val_accuracy")
    >>> watch.mode, watch.better(0.5)
    ('max', True)
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        name = type(self).__name__
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{name}: mode must be 'auto', 'min' or 'max', not {mode!r}")
        if not min_delta >= 0:
            raise ValueError(f"{name}: min_delta must be 0 or more, not {min_delta}")
        if mode == "auto":
            mode = "max" if larger_is_better(monitor) else "min"
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta
        self.best = self.worst

    @property
    def worst(self) -> float:
        """What any number is better than."""
        return math.inf if self.mode == "min" else -math.inf

    def watched(self, logs: Logs) -> float:
        """The number of an epoch."""
        return number(self, self.monitor, logs)

    def better(self, value: float) -> bool:
        """Whether a number is better than the best so far, by more than `min_delta`; NaN never is."""
        return value < self.best - self.min_delta if self.mode == "min" else value > self.best + self.min_delta


class EarlyStopping(Monitor):
    """Ends the fit when `monitor` has not become better by more than `min_delta` for `patience` epochs.

    At the end the weights of the best epoch are put back, unless `restore_best_weights=False`. `stopped_epoch` is the
    epoch that was the last, None if the fit went to its end, and `best_epoch` the best one. Prechelt, 1998, "Early
    stopping - but when?"

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse", learning_rate=0.0)
    >>> stopping = train.EarlyStopping("loss", patience=2)
    >>> history = model.fit(tg.ones(4, 1), tg.ones(4), epochs=50, callbacks=[stopping], verbose=0)
    >>> stopping.stopped_epoch, stopping.best_epoch
    (2, 0)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        restore_best_weights: bool = True,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if patience != math.inf:
            must_be_int("EarlyStopping", 0, patience=patience)
        must_be_int("EarlyStopping", 0, start_from_epoch=start_from_epoch)
        self.patience, self.start_from_epoch = patience, start_from_epoch
        self.restore_best_weights = restore_best_weights
        self._begin()

    def _begin(self) -> None:
        self.best, self.wait = self.worst, 0
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self._weights: dict[str, Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier fit."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Keep the weights if they are the best, stop if nothing has become better for long enough."""
        value = self.watched(logs)
        if epoch < self.start_from_epoch:
            return
        if self.better(value) or self.best_epoch is None:
            if value == value:
                self.best = value
            self.best_epoch, self.wait = epoch, 0
            if self.restore_best_weights:
                self._weights = copy.deepcopy(self.model.module.state_dict())
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back."""
        if self._weights is not None:
            self.model.module.load_state_dict(self._weights)
            self._weights = None

    def state_dict(self) -> dict[str, Any]:
        """The best so far, and how long ago it was."""
        return {"best": self.best, "wait": self.wait, "best_epoch": self.best_epoch, "weights": self._weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""
        self.best, self.wait = state_dict["best"], state_dict["wait"]
        self.best_epoch, self._weights = state_dict["best_epoch"], state_dict["weights"]


class ModelCheckpoint(Monitor):
    """Writes the model to a file at the end of epochs, in one piece or not at all.

    In `filepath`, names in braces stand for the epoch (from 1) and its numbers: `"run/{epoch:03d}-{val_loss:.3f}"`. The
    file has everything: `Model.load` reads it, and `fit(..., resume=filepath)` goes on from it as if it had never been
    broken off. `save_best_only` writes only epochs whose `monitor` is the best so far, `every` one epoch of so many,
    and the last one. Raises `OSError` where the file cannot be written; an older file is then still whole.

    >>> import os, tempfile, tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = train.ModelCheckpoint(os.path.join(folder, "epoch-{epoch}.safetensors"))
    ...     history = model.fit(tg.ones(4, 1), tg.ones(4), epochs=2, callbacks=[checkpoint], verbose=0)
    ...     sorted(os.listdir(folder))
    ['epoch-1.safetensors', 'epoch-2.safetensors']
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        save_best_only: bool = False,
        mode: str = "auto",
        every: int = 1,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        must_be_int("ModelCheckpoint", 1, every=every)
        if save_best_only and every != 1:
            raise ValueError("ModelCheckpoint: save_best_only writes whenever there is a new best; leave every=1")
        self.save_best_only, self.every = save_best_only, every

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier fit, and see that the folder is there before hours of training."""
        self.best = self.worst
        try:
            first = string.Formatter().vformat(self.filepath, (), defaultdict[str, float](float, epoch=self.every))
        except (ValueError, IndexError, KeyError) as error:
            raise ValueError(
                f"ModelCheckpoint: {self.filepath!r} is no pattern: {error}; it is like 'run/{{epoch:03d}}.safetensors'"
            ) from None
        folder = os.path.dirname(os.path.abspath(first))
        os.makedirs(folder, exist_ok=True)
        if os.path.isdir(first) or not os.access(folder, os.W_OK):
            raise PermissionError(f"ModelCheckpoint: {first!r} is a folder, or lies in one that cannot be written to")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write the file if it is time to."""
        if self.save_best_only:
            value = self.watched(logs)
            if not self.better(value):
                return
            self.best = value
        due = self.save_best_only or (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]
        # The model writes it when all callbacks have seen the end of the epoch: what they remember is part of it.
        self.model.save_after_epoch(self.path(epoch, logs), due)

    def path(self, epoch: int, logs: Logs) -> str:
        """The name of the file of an epoch."""
        try:
            return self.filepath.format(epoch=epoch + 1, **logs)
        except (KeyError, IndexError) as error:
            raise KeyError(
                f"ModelCheckpoint: {self.filepath!r} names {error}, and there is epoch, {', '.join(logs)}"
            ) from None

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""
        self.best = state_dict["best"]


class TerminateOnNaN(Callback):
    """Ends the fit at the first batch whose loss is NaN or infinite, before its gradients spoil the weights.

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", lambda output, target: (output - target).mean() * float("nan"))
    >>> history = model.fit(tg.ones(4, 1), tg.ones(4, 1), epochs=5, callbacks=[train.TerminateOnNaN()], verbose=0)
    epoch 1, batch 1: the loss is nan, and the fit ends here; a smaller learning rate or clip_norm may help
    >>> len(history.epoch)
    1
    """

    epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Know which epoch it is."""
        self.epoch = epoch

    def on_gradients(self, batch: int, logs: Logs) -> None:
        """Look at the loss."""
        if not math.isfinite(logs["loss"]) and not self.model.stop_training:
            self.model.stop_training = True
            print(
                f"epoch {self.epoch + 1}, batch {batch + 1}: the loss is {logs['loss']}, and the fit ends here; a "
                f"smaller learning rate or clip_norm may help"
            )
