"""Schedules that raise the learning rate before they lower it, and move the momentum the other way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tensorgrad.optim.lr_scheduler.base import LRScheduler, check_optimizer, per_group, set_rate, state_of_function
from tensorgrad.optim.optimizer import Optimizer


class _Cycled(LRScheduler):
    """A schedule that may move the momentum too: `momentum`, or the first of `betas`."""

    cycle_momentum: bool

    def _begin_momentum(self, base: Any, most: Any, last_epoch: int) -> tuple[list[float], list[float]]:
        """Check and set the momentum that the schedule starts from; its bounds, for each group."""
        optimizer = self.optimizer
        self.use_beta1 = "betas" in optimizer.defaults
        if not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError(
                f"{type(self).__name__}: {type(optimizer).__name__} has no momentum to cycle; pass cycle_momentum=False"
            )
        bases = per_group(self, optimizer, "base_momentum", base)
        tops = per_group(self, optimizer, "max_momentum", most)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, bases, tops):
                self._set_momentum(group, high)
                group["base_momentum"], group["max_momentum"] = low, high
        return bases, tops

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_Cycled):
    """From `base_lr` up to `max_lr` in `step_size_up` steps, down again in `step_size_down`, and so on (Smith 2017).

    Step it after every batch. With `mode` "triangular" all cycles are alike, with "triangular2" each has half the
    height of the last, with "exp_range" the height is multiplied by `gamma` each step; or `scale_fn` gives the height
    by the number of the cycle or, with `scale_mode="iterations"`, of the step. `cycle_momentum` moves the momentum from
    `max_momentum` to `base_momentum` and back. Rates and momenta may be lists, one for each group. Raises `ValueError`
    for another mode, or an optimizer without momentum.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], momentum=0.9)
    >>> scheduler = tg.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.25, max_lr=1.25, step_size_up=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    _not_state = ("optimizer", "_scale_fn_custom")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Any,
        max_lr: Any,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', not {mode!r}")
        self.optimizer = optimizer
        base_lrs = per_group(self, optimizer, "base_lr", base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups):
                set_rate(group, lr)
        self.max_lrs = per_group(self, optimizer, "max_lr", max_lr)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._begin_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of a cycle by its number, or of a step by its own."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return {"triangular": 1.0, "triangular2": 2.0 ** (1 - x)}.get(self.mode, self.gamma**x)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at step `last_epoch`; the momentum is set."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                self._set_momentum(group, high - (high - low) * height)
        return [base + (most - base) * height for base, most in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule knows; of `scale_fn` only the attributes of a callable object."""
        return {**super().state_dict(), "_scale_fn_custom": state_of_function(self._scale_fn_custom)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state of a schedule of the same kind, with a `scale_fn` of the same kind."""
        super().load_state_dict({**state_dict, "_scale_fn_custom": self._scale_fn_custom})
        state = state_dict.get("_scale_fn_custom")
        if state is not None:
            self._scale_fn_custom.__dict__.update(state)


class OneCycleLR(_Cycled):
    """One rise to `max_lr` and a long fall to far below the start: super-convergence (Smith and Topin 2019).

    It starts from `max_lr / div_factor`, rises for `pct_start` of the steps, and falls to the start divided by
    `final_div_factor`; with `three_phase` it falls to the start as fast as it rose, and then on. `anneal_strategy` is
    "cos" or "linear". The steps, of which there is one after every batch, are `total_steps`, or `epochs` times
    `steps_per_epoch`. `cycle_momentum` moves the momentum from `max_momentum` to `base_momentum` and back. Rates and
    momenta may be lists, one for each group. Raises `ValueError` for options out of range, and for a step too many.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], momentum=0.9)
    >>> scheduler = tg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> for step in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        if total_steps is not None:
            counts = {"total_steps": total_steps}
        elif epochs is None or steps_per_epoch is None:
            raise ValueError("OneCycleLR: give total_steps, or both epochs and steps_per_epoch")
        for name, count in counts.items():
            if not isinstance(count, int) or count < 1:
                raise ValueError(f"OneCycleLR: {name} must be an int of 1 or more, not {count!r}")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be a float from 0 to 1, not {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        self.total_steps = math.prod(count for count in counts.values() if count)
        rise, last = pct_start * self.total_steps, self.total_steps - 1
        # Where each phase ends, and the names in the groups of the rates and momenta that it goes between.
        up = ("initial_lr", "max_lr", "max_momentum", "base_momentum")
        if three_phase:
            down = ("max_lr", "initial_lr", "base_momentum", "max_momentum")
            tail = ("initial_lr", "min_lr", "max_momentum", "max_momentum")
            self._phases = [(rise - 1, *up), (2 * rise - 2, *down), (last, *tail)]
        else:
            self._phases = [(rise - 1, *up), (last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        self._anneal_func_type = anneal_strategy
        top = per_group(self, optimizer, "max_lr", max_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, top):
                group.update(initial_lr=lr / div_factor, max_lr=lr, min_lr=lr / div_factor / final_div_factor)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at step `last_epoch`; the momentum is set."""
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: the schedule has {self.total_steps} steps, and this is step {step}")
        ends = [phase[0] for phase in self._phases]
        turn = next((i for i, end in enumerate(ends) if step <= end), len(ends) - 1)
        begin = ends[turn - 1] if turn else 0
        part = (step - begin) / (ends[turn] - begin)
        _, *names = self._phases[turn]
        rates = []
        for group in self.optimizer.param_groups:
            lr, last_lr, momentum, last_momentum = (group.get(name, 0) for name in names)
            rates.append(self._between(lr, last_lr, part))
            if self.cycle_momentum:
                self._set_momentum(group, self._between(momentum, last_momentum, part))
        return rates

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
