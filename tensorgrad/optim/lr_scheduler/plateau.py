"""A schedule that watches a metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorgrad.optim.lr_scheduler.base import LRScheduler, check_optimizer, number, per_group, set_rate
from tensorgrad.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """The learning rate times `factor` when a metric has not become better for more than `patience` epochs.

    Better is lower or, with `mode="max"`, higher, by more than `threshold`: as a part of the best so far, or as it is
    with `threshold_mode="abs"`. For `cooldown` epochs after a change none are counted. No rate goes below `min_lr` (one
    number or one per group), nor changes by `eps` or less. Raises `ValueError` for options that are none of these.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (1.0, 1.0, 1.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        check_optimizer(self, optimizer)
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be less than 1, not {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode must be 'min' or 'max', not {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', not {threshold_mode!r}")
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = per_group(self, optimizer, "min_lr", min_lr)
        self.optimizer = optimizer
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.last_epoch = 0
        self.best = self.mode_worse = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        self._last_lr = self._present()

    @property
    def in_cooldown(self) -> bool:
        """Whether a change was so recent that bad epochs do not count."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Go on to the next epoch, given the metric of the last one: a number or a tensor of one element.

        What `epoch` the next one is need not be said, and is deprecated, as in PyTorch.
        """
        current = float(metrics)
        if epoch is not None:
            self._warn_of_epoch()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._present()

    def _is_better(self, metric: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            bound = self.best * (1 - sign * self.threshold)
        else:
            bound = self.best - sign * self.threshold
        return sign * metric < sign * bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if self.default_min_lr is not None:
            self.min_lrs = per_group(self, self.optimizer, "min_lr", self.default_min_lr)
        if len(groups) != len(self.min_lrs):
            raise ValueError(
                f"ReduceLROnPlateau: there are {len(self.min_lrs)} min_lrs for {len(groups)} parameter groups; add one "
                f"to scheduler.min_lrs for each group that was added"
            )
        for group, low in zip(groups, self.min_lrs):
            before = number(group["lr"])
            lr = max(before * self.factor, low)
            if before - lr > self.eps:
                set_rate(group, lr)
