"""Averages of a model's parameters over its training, and the schedule that goes with them."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

from tensorgrad.autograd import no_grad
from tensorgrad.creation import tensor
from tensorgrad.nn.module import Module
from tensorgrad.optim.lr_scheduler.base import LRScheduler, check_optimizer, number, per_group
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], Any]:
    """The function that moves an average towards a value: `decay * average + (1 - decay) * value`.

    Raises `ValueError` for a decay outside 0 to 1.

    >>> import tensorgrad as tg
    >>> average = tg.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(tg.tensor(4.0), tg.tensor(8.0), 1)
    tensor(5.)
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_avg_fn: decay must be from 0 to 1, not {decay}")

    def average(averaged: Any, value: Any, num_averaged: Any) -> Any:
        return decay * averaged + (1 - decay) * value

    return average


def get_swa_avg_fn() -> Callable[[Any, Any, Any], Any]:
    """The function that takes one value more into a mean of `num_averaged`.

    >>> import tensorgrad as tg
    >>> average = tg.optim.swa_utils.get_swa_avg_fn()
    >>> average(tg.tensor(4.0), tg.tensor(8.0), 3)
    tensor(5.)
    """

    def average(averaged: Any, value: Any, num_averaged: Any) -> Any:
        return averaged + (value - averaged) / (num_averaged + 1)

    return average


def _multi(average: Callable[[Any, Any, Any], Any]) -> Callable[[Iterable[Any], Iterable[Any], Any], None]:
    """The function that does in place to lists of tensors what another does to one."""

    @no_grad()
    def update(averaged: Iterable[Any], values: Iterable[Any], num_averaged: Any) -> None:
        for old, value in zip(averaged, values):
            old.copy_(average(old, value, num_averaged))

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Iterable[Any], Iterable[Any], Any], None]:
    """`get_ema_avg_fn` for lists of tensors, of which it changes the first in place.

    >>> import tensorgrad as tg
    >>> averaged = [tg.tensor(4.0)]
    >>> tg.optim.swa_utils.get_ema_multi_avg_fn(0.75)(averaged, [tg.tensor(8.0)], 1)
    >>> averaged
    [tensor(5.)]
    """
    return _multi(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable[[Iterable[Any], Iterable[Any], Any], None]:
    """`get_swa_avg_fn` for lists of tensors, of which it changes the first in place.

    >>> import tensorgrad as tg
    >>> averaged = [tg.tensor(4.0)]
    >>> tg.optim.swa_utils.get_swa_multi_avg_fn()(averaged, [tg.tensor(8.0)], 3)
    >>> averaged
    [tensor(5.)]
    """
    return _multi(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's: their mean (Izmailov et al. 2018), or another.

    `update_parameters(model)` takes the model's present parameters in; the first time it copies them. Another average
    is `avg_fn(averaged, value, num_averaged)`, which returns the new one, or `multi_avg_fn`, which changes lists in
    place. Buffers are copied, or with `use_buffers` averaged. Raises `ValueError` where both functions are given.

    >>> import tensorgrad as tg
    >>> model = tg.nn.Linear(1, 1, bias=False)
    >>> averaged = tg.optim.swa_utils.AveragedModel(model)
    >>> for weight in (1.0, 3.0):
    ...     tg.nn.init.constant_(model.weight, weight).tolist()
    ...     averaged.update_parameters(model)
    [[1.0]]
    [[3.0]]
    >>> averaged(tg.ones(1, 1)).item()
    2.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[[Any, Any, Any], Any] | None = None,
        multi_avg_fn: Callable[[Any, Any, Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", tensor(0))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of the model into the average."""
        averaged, values = ([p.detach() for p in self._averaged_of(held)] for held in (self.module, model))
        if not self.n_averaged.item():
            for old, value in zip(averaged, values):
                old.copy_(value)
        else:
            update = self.multi_avg_fn or _multi(self.avg_fn or get_swa_avg_fn())
            update(averaged, values, self.n_averaged)
        if not self.use_buffers:
            for old, value in zip(self.module.buffers(), model.buffers()):
                old.detach().copy_(value.detach())
        self.n_averaged += 1

    def _averaged_of(self, model: Module) -> Iterable[Any]:
        if self.use_buffers:
            return itertools.chain(model.parameters(), model.buffers())
        return model.parameters()


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Set the running statistics of a model's batch normalisation to the means over all batches of a loader.

    The batches are tensors, or lists or tuples whose first element is given to the model. An averaged model needs it:
    the statistics of its layers are not averages of those of the model.

    >>> import tensorgrad as tg
    >>> model = tg.nn.Linear(2, 1)
    >>> tg.optim.swa_utils.update_bn([tg.ones(4, 2)], model)
    """
    from tensorgrad.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d

    kinds = (BatchNorm1d, BatchNorm2d, BatchNorm3d)
    layers: dict[Any, Any] = {layer: layer.momentum for layer in model.modules() if isinstance(layer, kinds)}
    if not layers:
        return
    training = model.training
    model.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all batches
    for batch in loader:
        x = batch[0] if isinstance(batch, list | tuple) else batch
        model(x if device is None else x.to(device))
    for layer, momentum in layers.items():
        layer.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """From the present learning rate to `swa_lr` in `anneal_epochs` epochs, where it stays.

    `swa_lr` may be a list, one for each group; `anneal_strategy` is "cos", for half a cosine, or "linear". Raises
    `ValueError` for options that are none of these.

    >>> import tensorgrad as tg
    >>> optimizer = tg.optim.SGD([tg.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = tg.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2)
    >>> for epoch in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(self, optimizer)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must be an int of 0 or more, not {anneal_epochs!r}")
        for group, lr in zip(optimizer.param_groups, per_group(self, optimizer, "swa_lr", swa_lr)):
            group["swa_lr"] = lr
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """How far on the way the schedule is after so many steps."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[float]:
        """The learning rate of each group at epoch `last_epoch`."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, end = number(group["lr"]), group["swa_lr"]
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
