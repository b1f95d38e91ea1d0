"""What all schedules share."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.tensor import Tensor


def check_optimizer(scheduler: object, optimizer: Any) -> None:
    """Raise `TypeError` for what is not an optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{type(scheduler).__name__}: its first argument must be an Optimizer, not {type(optimizer).__name__}"
        )


def per_group(scheduler: object, optimizer: Optimizer, option: str, value: Any) -> list[Any]:
    """An option for each parameter group: it was given as one for all, or as a list."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{type(scheduler).__name__}: there are {len(value)} {option} for {groups} parameter groups")
    return list(value)


def number(value: Any) -> float:
    """A learning rate, which may be a tensor of one element, as a number."""
    return value._data.item() if isinstance(value, Tensor) else value


def set_rate(group: dict[str, Any], lr: float) -> None:
    """Set the learning rate of a group; a tensor keeps its identity."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


def state_of_function(function: Callable[..., Any] | None) -> dict[str, Any] | None:
    """What a state holds of a function: the attributes of a callable object, and nothing of a plain function."""
    if function is None or isinstance(function, types.FunctionType | types.BuiltinFunctionType):
        return None
    return dict(getattr(function, "__dict__", {}))


class LRScheduler:
    """Base of the schedules. A subclass defines `get_lr`, the learning rates of the groups at epoch `last_epoch`.

    Making one remembers each group's "lr" as its "initial_lr" and sets epoch 0; call `step()` after each epoch's
    `optimizer.step()`. `last_epoch` is for going on from an earlier training: the groups must then have an
    "initial_lr", as a loaded optimizer's do, and the epoch after it is set. Raises `TypeError` for what is not an
    `Optimizer`, `KeyError` for a missing "initial_lr"; warns where the first step comes before the optimizer's.

    >>> import tensorgrad as tg
    >>> class WarmUp(tg.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base * min(1.0, (self.last_epoch + 1) / 4) for base in self.base_lrs]
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = WarmUp(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    _not_state: tuple[str, ...] = ("optimizer",)
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(self, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", number(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: param_groups[{i}] has no 'initial_lr', which last_epoch={last_epoch} "
                    f"needs; load the optimizer's state_dict first, or set it"
                )
        self.base_lrs: list[float] = [number(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the learning rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__}.get_lr")

    def get_last_lr(self) -> list[float]:
        """The learning rates that were set last."""
        return self._last_lr

    def _present(self, factor: float = 1) -> list[float]:
        """The present rates, whoever set them, times a factor."""
        return [number(group["lr"]) * factor for group in self.optimizer.param_groups]

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch and set its learning rates; an `epoch` to go to is deprecated, as in PyTorch."""
        self._count_step()
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr())
        else:
            self._warn_of_epoch()
            self._go_to(epoch)

    def _warn_of_epoch(self) -> None:
        warnings.warn(
            f"{type(self).__name__}.step: the argument epoch is deprecated; call step() after each epoch",
            UserWarning,
            stacklevel=3,
        )

    def _count_step(self) -> None:
        if self._step_count == 1 and not self.optimizer._has_stepped:
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(), so that no step was made with the "
                f"first learning rate; call optimizer.step() first",
                UserWarning,
                stacklevel=3,
            )
        self._step_count += 1

    def _set(self, rates: Sequence[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(
                f"{type(self).__name__}: there are {len(rates)} learning rates for {len(groups)} parameter groups; add "
                f"groups before the scheduler is made"
            )
        for group, lr in zip(groups, rates):
            set_rate(group, lr)
        self._last_lr = self._present()

    def _go_to(self, epoch: int) -> None:
        """Go to an epoch, whatever the present rates are."""
        self.last_epoch = epoch
        self._set(self._get_closed_form_lr())

    def _get_closed_form_lr(self) -> list[float]:
        """The learning rates at epoch `last_epoch` by a formula of that alone, where there is one."""
        return self.get_lr()

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule knows, but for the optimizer and for functions."""
        return {key: value for key, value in self.__dict__.items() if key not in self._not_state}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state of a schedule of the same kind; the optimizer's learning rates are in its own state."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{type(self).__name__}.load_state_dict: it takes a dict, not {type(state_dict).__name__}")
        missing = sorted(key for key in self.state_dict().keys() - state_dict.keys() if not key.startswith("_"))
        if missing:
            raise KeyError(f"{type(self).__name__}.load_state_dict: it is of another kind: it lacks {missing}")
        self.__dict__.update(state_dict)


class Relative(LRScheduler):
    """A schedule that multiplies the present rate, whoever set it, and so goes together with others."""

    def _factor(self) -> float:
        """What the first rate is to be multiplied with at epoch `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__}._factor")

    def _get_closed_form_lr(self) -> list[float]:
        factor = self._factor()
        return [base * factor for base in self.base_lrs]
