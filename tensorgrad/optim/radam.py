"""RAdam."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.adam import average
from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class RAdam(Optimizer):
    """Adam that divides by the root of the average square only once that average can be relied on.

    Its variance is judged from `beta2` and the step, and corrected for (Liu et al. 2020); until then the step is that
    of momentum. `weight_decay` adds `weight_decay * p` to the gradient, or with `decoupled_weight_decay` shrinks `p` as
    `AdamW` does; `maximize` turns the gradient round. Raises `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.RAdam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The averages of the gradient and of its squares."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """The averages' shares, eps, the learning rate with the corrections, and whether to divide by the root."""
        beta1, beta2 = group["betas"]
        left = 1 - beta2**step
        lr = group["lr"] / (1 - beta1**step)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / left  # of the average, had all its members the same weight
        reliable = length > 5
        if reliable:
            lr *= math.sqrt(left * (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        return 1 - beta1, beta2, 1 - beta2, group["eps"], lr, reliable

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        (share1, beta2, share2, eps, lr, reliable), (m, v) = factors, state
        average(m, v, g, share1, beta2, share2, change)
        if reliable:
            np.sqrt(v, change)
            np.add(change, eps, change)
            np.divide(m, change, change)
            np.multiply(change, lr, change)
        else:
            np.multiply(m, lr, change)
