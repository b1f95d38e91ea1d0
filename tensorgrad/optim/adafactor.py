"""Adafactor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import options
from tensorgrad.optim.run import Array
from tensorgrad.optim.single import Single


class Adafactor(Single):
    """The gradient over the root of its average square, of which a matrix keeps only the rows' and columns' means.

    The average's share is `1 - step**beta2_decay`, and the change is scaled by the root mean square of the parameter
    (at least `eps[1]`) and by `min(lr, 1 / sqrt(step))`, and clipped where its own exceeds `d` (Shazeer and Stern
    2018). Of more than two dimensions the last two are the matrix. `eps[0]`, None for the dtype's, keeps the root from
    0. `weight_decay` shrinks `p` as `AdamW` does, `maximize` turns the gradient round. Raises `ValueError` for options
    out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([[1.0, 2.0]], requires_grad=True)
    >>> optimizer = tg.optim.Adafactor([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([[0.8419, 1.8419]], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        self._must_be_pair(group, "eps")
        super().check({**group, "eps": [eps for eps in group["eps"] if eps is not None]})
        self._must_be(group, "d", 1)
        self._must_be(group, "beta2_decay", -math.inf)
        if group["beta2_decay"] > 0:
            raise ValueError(f"Adafactor: beta2_decay must be at most 0, not {group['beta2_decay']}")

    def revise(self, group: dict[str, Any], p: Array, g: Array, state: dict[str, Any]) -> None:
        """One step of one parameter."""
        step = state["step"] = state.get("step", 0) + 1
        share, lr, (small, least) = step ** group["beta2_decay"], group["lr"], group["eps"]
        if small is None:
            small = float(np.finfo(p.dtype).eps)
        rate = max(least, _root_mean_square(p)) * min(lr, 1 / math.sqrt(step))
        if group["weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        square = g * g
        if g.ndim > 1:
            rows = self._average(state, "row_var", square, share, -1)
            columns = self._average(state, "col_var", square, share, -2)
            square = rows @ columns
            square /= np.maximum(rows.mean(-2, keepdims=True), small)
        else:
            mean = self._array(state, "variance", p)
            mean += share * (square - mean)
            square = mean.copy()
        change = np.maximum(square, small * small, out=square)
        np.sqrt(change, change)
        np.divide(g, change, change)
        change *= rate / max(1.0, _root_mean_square(change) / group["d"])
        p -= change

    def _average(self, state: dict[str, Any], name: str, square: Array, share: float, dim: int) -> Array:
        mean = square.mean(dim, keepdims=True)
        average = self._array(state, name, mean)
        average += share * (mean - average)
        return average


def _root_mean_square(x: Array) -> float:
    flat = x.reshape(-1)
    return math.sqrt(float(flat @ flat)) / math.sqrt(x.size) if x.size else 0.0
