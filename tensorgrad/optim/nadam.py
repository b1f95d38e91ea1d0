"""NAdam."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.adam import average
from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: it looks ahead along the average of the gradient (Dozat 2016).

    The average's share grows with the steps, `mu = beta1 * (1 - 0.96**(step * momentum_decay) / 2)`, and both it and
    the gradient are corrected by the product of these so far, the state's "mu_product". `weight_decay` adds
    `weight_decay * p` to the gradient, or with `decoupled_weight_decay` shrinks `p` as `AdamW` does; `maximize` turns
    the gradient round. Raises `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.NAdam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.8944, 1.8944], requires_grad=True)
    """

    numbers = {"mu_product": 1.0}  # noqa: RUF012

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        super().check(group)
        self._must_be(group, "momentum_decay", 0)

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The averages of the gradient and of its squares."""
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def factors(  # type: ignore[override]
        self, group: dict[str, Any], step: int, numbers: dict[str, float]
    ) -> tuple[float, ...]:
        """The averages' shares, and eps and the rates of gradient and average with the corrections multiplied in."""
        (beta1, beta2), lr = group["betas"], group["lr"]
        mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1))
        product = numbers["mu_product"] = numbers["mu_product"] * mu
        root = math.sqrt(1 - beta2**step)
        now, then = lr * root * (1 - mu) / (1 - product), lr * root * ahead / (1 - product * ahead)
        return 1 - beta1, beta2, 1 - beta2, group["eps"] * root, now, then

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        (share1, beta2, share2, eps, now, then), (m, v) = factors, state
        average(m, v, g, share1, beta2, share2, change)
        np.multiply(g, now, change)
        spare = np.multiply(m, then)
        np.add(change, spare, change)
        np.sqrt(v, spare)
        np.add(spare, eps, spare)
        np.divide(change, spare, change)
