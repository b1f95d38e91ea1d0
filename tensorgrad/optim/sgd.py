"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class SGD(Optimizer):
    """`p -= lr * b`, where `b` is the gradient or, with momentum, `b = momentum * b + (1 - dampening) * gradient`.

    `nesterov` looks ahead: `p -= lr * (gradient + momentum * b)` (Sutskever et al. 2013). `weight_decay` adds
    `weight_decay * p` to the gradient, `maximize` turns it round. Raises `ValueError` for options out of range, and for
    nesterov without momentum or with dampening.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.SGD([x], lr=0.1, momentum=0.9)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    counted = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        super().check(group)
        self._must_be(group, "dampening", float("-inf"))
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum above 0 and no dampening, not momentum={group['momentum']} and "
                f"dampening={group['dampening']}"
            )

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The momentum buffer, where there is momentum."""
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """Learning rate, momentum, and the gradient's share: all of it in the first step."""
        return group["lr"], group["momentum"], 1 - group["dampening"] if step > 1 else 1

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        lr, momentum, share = factors
        if state:
            (b,) = state
            np.multiply(b, momentum, b)
            np.add(b, np.multiply(g, share, change) if group["dampening"] else g, b)
            if group["nesterov"]:
                np.multiply(b, momentum, change)
                g = np.add(g, change, change)
            else:
                g = b
        np.multiply(g, lr, change)
