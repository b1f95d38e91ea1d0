"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class Adamax(Optimizer):
    """Adam with the largest gradient of late, which decays, in place of the root of the average square.

    `p -= lr / (1 - beta1**step) * m / u`, with `u = max(beta2 * u, |gradient| + eps)` (Kingma and Ba 2015).
    `weight_decay` adds `weight_decay * p` to the gradient, `maximize` turns it round. Raises `ValueError` for options
    out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adamax([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The average of the gradient, and its largest size."""
        return {"exp_avg": 0.0, "exp_inf": 0.0}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """The gradient's share in its average, beta2, eps, and the learning rate with the correction multiplied in."""
        beta1, beta2 = group["betas"]
        return 1 - beta1, beta2, group["eps"], group["lr"] / (1 - beta1**step)

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        (share, beta2, eps, lr), (m, u) = factors, state
        np.subtract(g, m, change)
        np.multiply(change, share, change)
        np.add(m, change, m)
        np.absolute(g, change)
        np.add(change, eps, change)
        np.multiply(u, beta2, u)
        np.maximum(u, change, out=u)
        np.divide(m, u, change)
        np.multiply(change, lr, change)
