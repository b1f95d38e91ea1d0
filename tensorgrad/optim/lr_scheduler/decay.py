"""Schedules that multiply the learning rate by a function of the epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tensorgrad.optim.lr_scheduler.base import LRScheduler, Relative, check_optimizer, per_group, state_of_function
from tensorgrad.optim.optimizer import Optimizer


class _OfFunctions(LRScheduler):
    """A schedule made of functions of the epoch, one for all groups or one for each."""

    _not_state = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        self.lr_lambdas = per_group(self, optimizer, "functions", lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{type(self).__name__}: lr_lambda must be a function, not {type(function).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule knows; of functions only the attributes of callable objects."""
        return {**super().state_dict(), "lr_lambdas": [state_of_function(function) for function in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state of a schedule of the same kind, with functions of the same kinds."""
        super().load_state_dict({**state_dict, "lr_lambdas": self.lr_lambdas})
        for function, state in zip(self.lr_lambdas, state_dict.get("lr_lambdas", ())):
            if state is not None:
                function.__dict__.update(state)


class LambdaLR(_OfFunctions):
    """`initial_lr * lr_lambda(epoch)`, with one function for all groups or a list with one for each.

    The `state_dict` holds the attributes of callable objects, and nothing of functions. Raises `ValueError` where their
    number is not that of the groups.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas)]


class MultiplicativeLR(_OfFunctions):
    """The present learning rate times `lr_lambda(epoch)` every epoch from 1, with functions as in `LambdaLR`.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        if self._is_initial:
            return self._present()
        return [lr * function(self.last_epoch) for lr, function in zip(self._present(), self.lr_lambdas)]


class StepLR(Relative):
    """The learning rate times `gamma` every `step_size` epochs.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(4):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: step_size must be 1 epoch or more, not {step_size}")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        return self._present(self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else 1)

    def _factor(self) -> float:
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(Relative):
    """The learning rate times `gamma` at each of the epochs in `milestones`, as often as it is there.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> for epoch in range(4):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = dict(Counter(milestones))
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        return self._present(self.gamma ** self.milestones.get(self.last_epoch, 0))

    def _factor(self) -> float:
        return self.gamma ** sum(count for epoch, count in self.milestones.items() if epoch <= self.last_epoch)


class ConstantLR(Relative):
    """The learning rate times `factor` for the first `total_iters` epochs.

    Raises `ValueError` for a factor outside 0 to 1.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=1)
    >>> scheduler.get_last_lr()
    [0.5]
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [1.0]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor must be from 0 to 1, not {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        if self.last_epoch == 0:
            return self._present(self.factor)
        return self._present(1.0 / self.factor if self.last_epoch == self.total_iters else 1)

    def _factor(self) -> float:
        return self.factor if self.last_epoch < self.total_iters else 1


class LinearLR(Relative):
    """The learning rate times a factor that goes from `start_factor` to `end_factor` in `total_iters` epochs.

    Raises `ValueError` for factors outside 0 to 1, or a start of 0.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR: start_factor must be above 0 and at most 1, not {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor must be from 0 to 1, not {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        if self.last_epoch == 0:
            return self._present(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._present()
        rise = self.end_factor - self.start_factor
        return self._present(1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))

    def _factor(self) -> float:
        way = min(self.last_epoch / self.total_iters, 1) if self.total_iters else 0
        return self.start_factor + (self.end_factor - self.start_factor) * way


class ExponentialLR(Relative):
    """The learning rate times `gamma` every epoch.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        return self._present(1 if self._is_initial else self.gamma)

    def _factor(self) -> float:
        return self.gamma**self.last_epoch


class PolynomialLR(Relative):
    """`initial_lr * (1 - epoch / total_iters)**power`, and 0 from epoch `total_iters` on.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=1.0)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._present()
        left, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return self._present((left / before) ** self.power)

    def _factor(self) -> float:
        return max(1 - self.last_epoch / self.total_iters, 0) ** self.power if self.total_iters else 1


class InverseTimeLR(LRScheduler):
    """`initial_lr / (1 + decay * epoch)`.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.lr_scheduler.InverseTimeLR(optimizer, decay=1.0)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, decay: float, last_epoch: int = -1) -> None:
        if not decay >= 0:
            raise ValueError(f"InverseTimeLR: decay must be 0 or more, not {decay}")
        self.decay = decay
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        return [base / (1 + self.decay * self.last_epoch) for base in self.base_lrs]
