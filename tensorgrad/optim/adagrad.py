"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class Adagrad(Optimizer):
    """The gradient over the root of the sum of all its squares so far (Duchi et al. 2011).

    `p -= lr / (1 + (step - 1) * lr_decay) * gradient / (sqrt(sum) + eps)`, where the sum starts from
    `initial_accumulator_value`. `weight_decay` adds `weight_decay * p` to the gradient, `maximize` turns it round.
    Raises `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adagrad([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        super().check(group)
        self._must_be(group, "lr_decay", 0)
        self._must_be(group, "initial_accumulator_value", 0)

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The sum of squares."""
        return {"sum": group["initial_accumulator_value"]}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """The decayed learning rate, and eps."""
        return group["lr"] / (1 + (step - 1) * group["lr_decay"]), group["eps"]

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        (lr, eps), (total,) = factors, state
        np.multiply(g, g, change)
        np.add(total, change, total)
        np.sqrt(total, change)
        np.add(change, eps, change)
        np.divide(g, change, change)
        np.multiply(change, lr, change)
