"""Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


def average(m: Array, v: Array, g: Array, share1: Array, beta2: Array, share2: Array, spare: Array) -> None:
    """Take a gradient into the moving averages of gradients, `m`, and of their squares, `v`."""
    np.subtract(g, m, spare)
    np.multiply(spare, share1, spare)
    np.add(m, spare, m)
    np.multiply(g, g, spare)
    np.multiply(spare, share2, spare)
    np.multiply(v, beta2, v)
    np.add(v, spare, v)


class Adam(Optimizer):
    """The moving average of the gradient over the root of that of its squares, both corrected for their start at 0.

    `p -= lr * (m / (1 - beta1**step)) / (sqrt(v / (1 - beta2**step)) + eps)` (Kingma and Ba 2015). `amsgrad` takes the
    largest `v` so far (Reddi et al. 2018). `weight_decay` adds `weight_decay * p` to the gradient, or with
    `decoupled_weight_decay` shrinks `p` as `AdamW` does; `maximize` turns the gradient round. Raises `ValueError` for
    options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The averages of the gradient and of its squares, and the largest of the latter with `amsgrad`."""
        if group["amsgrad"]:
            return {"exp_avg": 0.0, "exp_avg_sq": 0.0, "max_exp_avg_sq": 0.0}
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """The averages' shares, and eps and learning rate with the corrections multiplied in: a division less."""
        beta1, beta2 = group["betas"]
        root = math.sqrt(1 - beta2**step)
        return 1 - beta1, beta2, 1 - beta2, group["eps"] * root, group["lr"] * root / (1 - beta1**step)

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        share1, beta2, share2, eps, lr = factors
        m, v = state[:2]
        average(m, v, g, share1, beta2, share2, change)
        if group["amsgrad"]:
            v = np.maximum(state[2], v, out=state[2])
        np.sqrt(v, change)
        np.add(change, eps, change)
        np.divide(m, change, change)
        np.multiply(change, lr, change)


class AdamW(Adam):
    """Adam with decoupled weight decay: `p *= 1 - lr * weight_decay`, then Adam's step (Loshchilov and Hutter 2019).

    Raises `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.AdamW([x], lr=0.1, weight_decay=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.8500, 1.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, **options(locals()), decoupled_weight_decay=True)
