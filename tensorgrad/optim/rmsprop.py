"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class RMSprop(Optimizer):
    """The gradient over the root of a moving average of its squares (Tieleman and Hinton 2012).

    `p -= lr * gradient / (sqrt(average) + eps)`, with `average = alpha * average + (1 - alpha) * gradient**2`;
    `centered` subtracts the square of the gradient's own moving average from it (Graves 2013), and `momentum`
    accumulates the quotients. `weight_decay` adds `weight_decay * p` to the gradient, `maximize` turns it round. Raises
    `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.RMSprop([x], lr=0.01)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        super().check(group)
        self._must_be(group, "alpha", 0)

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The average of squares, and the momentum buffer and the average gradient where they are used."""
        names = ["square_avg"] + ["momentum_buffer"] * bool(group["momentum"]) + ["grad_avg"] * bool(group["centered"])
        return dict.fromkeys(names, 0.0)

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """Learning rate, alpha and what it leaves, eps and momentum."""
        return group["lr"], group["alpha"], 1 - group["alpha"], group["eps"], group["momentum"]

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        lr, alpha, share, eps, momentum = factors
        v = state[0]
        np.multiply(g, g, change)
        np.multiply(change, share, change)
        np.multiply(v, alpha, v)
        np.add(v, change, v)
        if group["centered"]:
            m = state[-1]
            np.subtract(g, m, change)
            np.multiply(change, share, change)
            np.add(m, change, m)
            np.multiply(m, m, change)
            np.subtract(v, change, change)
            np.maximum(change, 0, out=change)  # rounding can leave less than 0 where the gradient hardly varies
            np.sqrt(change, change)
        else:
            np.sqrt(v, change)
        np.add(change, eps, change)
        np.divide(g, change, change)
        if group["momentum"]:
            b = state[1]
            np.multiply(b, momentum, b)
            np.add(b, change, b)
            np.multiply(b, lr, change)
        else:
            np.multiply(change, lr, change)
