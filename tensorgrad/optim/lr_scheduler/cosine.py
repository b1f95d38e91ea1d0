"""Schedules along a cosine."""

from __future__ import annotations

import math

from tensorgrad.optim.lr_scheduler.base import LRScheduler
from tensorgrad.optim.optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """From `initial_lr` to `eta_min` in `T_max` epochs along half a cosine, and back (Loshchilov and Hutter 2017).

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> for epoch in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> round(scheduler.get_last_lr()[0], 4)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: T_max must be 1 epoch or more, not {T_max}")
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        epoch, span, present = self.last_epoch, self.T_max, self._present()
        if self._is_initial:
            return present
        if self._step_count == 1:  # its step count was set back
            return self._get_closed_form_lr()
        if (epoch - 1 - span) % (2 * span) == 0:  # the bottom was just left: there is nothing to scale
            up = (1 - math.cos(math.pi / span)) / 2
            return [lr + (base - self.eta_min) * up for lr, base in zip(present, self.base_lrs)]
        height, before = (1 + math.cos(math.pi * at / span) for at in (epoch, epoch - 1))
        return [self.eta_min + (lr - self.eta_min) * height / before for lr in present]

    def _get_closed_form_lr(self) -> list[float]:
        height = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """From `initial_lr` to `eta_min` along half a cosine, again and again (SGDR, Loshchilov and Hutter 2017).

    The first time takes `T_0` epochs, each further one `T_mult` times the last. `step(epoch)` goes to an epoch, which
    may be a fraction: `epoch + i / batches` in every batch. Raises `ValueError` for spans that are not ints from 1.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> optimizer.step()
    >>> scheduler.step(2.5)
    >>> round(scheduler.get_last_lr()[0], 4)
    0.8536
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        for name, span in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(span, int) or span < 1:
                raise ValueError(f"CosineAnnealingWarmRestarts: {name} must be an int of 1 or more, not {span!r}")
        self.T_0 = self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group where the schedule is."""
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to a given one, and set its learning rates."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = epoch or 0
            if epoch < 0:
                raise ValueError(f"CosineAnnealingWarmRestarts: epoch must be 0 or more, not {epoch}")
            restarts = self._restarts(epoch)
            self.T_i = self.T_0 * self.T_mult**restarts
            past = restarts if self.T_mult == 1 else (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_cur = epoch - self.T_0 * past
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def _restarts(self, epoch: float) -> int:
        """How often the schedule has begun anew before an epoch."""
        if self.T_mult == 1:
            return int(epoch // self.T_0)
        return int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult)) if epoch >= self.T_0 else 0
