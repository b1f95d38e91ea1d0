"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class Adadelta(Optimizer):
    """The gradient times the root of the average squared change, over that of the average squared gradient.

    `change = sqrt(u + eps) / sqrt(v + eps) * gradient` and `p -= lr * change`, where `v` and `u` are moving averages,
    of share `1 - rho`, of the squares of the gradient and of the change (Zeiler 2012). `weight_decay` adds
    `weight_decay * p` to the gradient, `maximize` turns it round. Raises `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adadelta([x], eps=1e-2)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.6877, 1.6848], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        super().check(group)
        self._must_be(group, "rho", 0)
        if group["rho"] > 1:
            raise ValueError(f"Adadelta: rho must be at most 1, not {group['rho']}")

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The averages of the squares of the gradient and of the change."""
        return {"square_avg": 0.0, "acc_delta": 0.0}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """Learning rate, rho and what it leaves, and eps."""
        return group["lr"], group["rho"], 1 - group["rho"], group["eps"]

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        (lr, rho, share, eps), (v, u) = factors, state
        np.multiply(g, g, change)
        np.multiply(change, share, change)
        np.multiply(v, rho, v)
        np.add(v, change, v)
        spare = np.add(v, eps)
        np.add(u, eps, change)
        np.divide(change, spare, change)
        np.sqrt(change, change)
        np.multiply(change, g, change)
        np.multiply(change, change, spare)
        np.multiply(spare, share, spare)
        np.multiply(u, rho, u)
        np.add(u, spare, u)
        np.multiply(change, lr, change)
