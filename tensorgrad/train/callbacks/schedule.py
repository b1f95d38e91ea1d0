"""Callbacks that change the learning rate."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from tensorgrad.ops.checks import must_be_int
from tensorgrad.optim import lr_scheduler
from tensorgrad.train.callbacks.base import Callback, Logs
from tensorgrad.train.callbacks.monitor import Monitor, number


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch to `schedule(epoch)` or `schedule(epoch, rate)`.

    Epochs count from 0, and `rate` is the present learning rate; a second parameter that has a default is only given it
    if its name is rate, lr or learning_rate. The rate of an epoch is in its logs as "learning_rate". Layers with a
    learning rate of their own keep their share of it. Raises `TypeError` where the schedule gives no finite number.

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse")
    >>> halve = train.LearningRateScheduler(lambda epoch: 0.5**epoch)
    >>> model.fit(tg.ones(4, 1), tg.ones(4), epochs=3, callbacks=[halve], verbose=0)["learning_rate"]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, schedule: Callable[..., float]) -> None:
        if not callable(schedule):
            raise TypeError(
                f"LearningRateScheduler: schedule must be a function of the epoch, not {type(schedule).__name__}; "
                f"a scheduler of tensorgrad.optim goes into LRScheduler"
            )
        self.schedule = schedule
        second = list(inspect.signature(schedule).parameters.values())[1:2]
        self._both = any(
            p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            and (p.default is p.empty or p.name in ("lr", "rate", "learning_rate"))
            for p in second
        )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate of the epoch."""
        old = self.model.learning_rate
        new = self.schedule(epoch, old) if self._both else self.schedule(epoch)
        if isinstance(new, bool) or not isinstance(new, Real) or not 0 <= new < math.inf:
            raise TypeError(
                f"LearningRateScheduler: the schedule must give a finite number of 0 or more, and gave {new!r}"
            )
        self.model.learning_rate = float(new)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Report the rate."""
        logs["learning_rate"] = self.model.learning_rate


class LRScheduler(Callback):
    """A scheduler of `tensorgrad.optim.lr_scheduler`, stepped after each epoch, or after each batch.

    `scheduler` is its class, or a function that takes the optimizer; `options` go to it. `ReduceLROnPlateau` is given
    the number `monitor`. `every` is "epoch" or "batch".

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse", learning_rate=1.0)
    >>> steps = train.LRScheduler(tg.optim.lr_scheduler.StepLR, step_size=2)
    >>> model.fit(tg.ones(4, 1), tg.ones(4), epochs=3, callbacks=[steps], verbose=0)["learning_rate"]
    [1.0, 1.0, 0.1]
    """

    def __init__(
        self, scheduler: Callable[..., Any], *, every: str = "epoch", monitor: str = "val_loss", **options: Any
    ) -> None:
        if every not in ("epoch", "batch"):
            raise ValueError(f"LRScheduler: every must be 'epoch' or 'batch', not {every!r}")
        if every == "batch" and scheduler is lr_scheduler.ReduceLROnPlateau:
            raise ValueError("LRScheduler: ReduceLROnPlateau goes by the numbers of an epoch; leave every='epoch'")
        if isinstance(scheduler, lr_scheduler.LRScheduler):
            raise TypeError(
                f"LRScheduler: give the class, as in LRScheduler({type(scheduler).__name__}, ...): the optimizer is "
                f"made when the fit begins"
            )
        self.scheduler, self.every, self.monitor, self.options = scheduler, every, monitor, options
        self._made: Any = None
        self._due = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Make the scheduler for the model's optimizer, which begins with the rate that an earlier fit began with."""
        if self.model.recipe.decay:
            raise ValueError("LRScheduler: compile's decay sets the learning rate at each step; leave one of them out")
        for group in self.model.optimizer.param_groups:
            group["lr"] = group.pop("initial_lr", group["lr"])
        self._made = self.scheduler(self.model.optimizer, **self.options)
        for group in self.model.optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])  # ReduceLROnPlateau does not note it

    def on_gradients(self, batch: int, logs: Logs) -> None:
        """The optimizer is about to step."""
        self._due = True

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Step after a batch that the optimizer has stepped in."""
        if self.every == "batch" and self._due:
            self._made.step()
        self._due = False

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Report the rate of the epoch, and step."""
        logs["learning_rate"] = self.model.learning_rate
        if self.every == "epoch":
            if isinstance(self._made, lr_scheduler.ReduceLROnPlateau):
                self._made.step(number(self, self.monitor, logs))
            else:
                self._made.step()
        elif self._due:  # for the batches at the end of an epoch that were fewer than are accumulated
            self._made.step()
        self._due = False

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's state."""
        return self._made.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""
        self._made.load_state_dict(state_dict)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when `monitor` has not become better for `patience` epochs.

    For `cooldown` epochs after that it does not count, and it never goes below `min_lr`; `min_delta` is how much better
    counts.

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse", learning_rate=0.1)
    >>> lower = train.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=9.0)
    >>> model.fit(tg.ones(4, 1), tg.ones(4), epochs=3, callbacks=[lower], verbose=0)["learning_rate"]
    [0.1, 0.1, 0.05]
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be between 0 and 1, not {factor}")
        must_be_int("ReduceLROnPlateau", 0, patience=patience, cooldown=cooldown)
        self.factor, self.patience, self.cooldown, self.min_lr = factor, patience, cooldown, min_lr
        self.wait, self.resting = 0, 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier fit."""
        self.best, self.wait, self.resting = self.worst, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Report the rate, and lower it if it is time to."""
        rate = logs["learning_rate"] = self.model.learning_rate
        value = self.watched(logs)
        if self.resting:
            self.resting, self.wait = self.resting - 1, 0
        if self.better(value):
            self.best, self.wait = value, 0
        elif not self.resting:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                self.model.learning_rate = max(rate * self.factor, self.min_lr)
                self.resting, self.wait = self.cooldown, 0

    def state_dict(self) -> dict[str, Any]:
        """The best so far, and how long ago it was."""
        return {"best": self.best, "wait": self.wait, "resting": self.resting}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""
        self.best, self.wait, self.resting = (state_dict[name] for name in ("best", "wait", "resting"))
