"""ASGD."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import options
from tensorgrad.optim.run import Array
from tensorgrad.optim.single import Single


class ASGD(Single):
    """Stochastic gradient descent with a falling rate, which also averages the parameters (Polyak and Juditsky 1992).

    `p = p * (1 - lambd * eta) - eta * gradient`, with `eta = lr / (1 + lambd * lr * step)**alpha`. From step `t0`, the
    state's "ax" is the mean of the parameters, the better estimate. `weight_decay` adds `weight_decay * p` to the
    gradient, `maximize` turns it round. Raises `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.ASGD([x], lr=0.1, t0=0)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (x * x).sum().backward()
    ...     optimizer.step()
    >>> optimizer.state[x]["ax"]
    tensor([0.5760, 1.1520])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def revise(self, group: dict[str, Any], p: Array, g: Array, state: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, lambd = group["lr"], group["lambd"]
        step = state["step"] = state.get("step", 0) + 1
        eta, share, mean = float(state.get("eta", lr)), float(state.get("mu", 1.0)), self._array(state, "ax", p)
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        p *= 1 - lambd * eta
        p -= eta * g
        if share == 1:
            np.copyto(mean, p)
        else:
            mean += share * (p - mean)
        state["eta"] = lr / (1 + lambd * lr * step) ** group["alpha"]
        state["mu"] = 1 / max(1, step - group["t0"])
