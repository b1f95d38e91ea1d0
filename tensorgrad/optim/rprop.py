"""Rprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array


class Rprop(Optimizer):
    """Steps of a size of their own for each element, of which the gradient gives only the direction.

    The size starts from `lr`; where the gradient keeps its sign it is multiplied by the larger of `etas`, where the
    sign changes by the smaller, and the element then rests for a step. It stays within `step_sizes` (Riedmiller and
    Braun 1993). `maximize` turns the gradient round. Meant for the gradient of all the data, not of a batch. Raises
    `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tg.optim.Rprop([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        super().check(group)
        for option in ("etas", "step_sizes"):
            self._must_be_pair(group, option)
            self._must_be(group, option, 0)
        low, high = group["etas"]
        if not 0 < low < 1 < high:
            raise ValueError(f"Rprop: of etas, one must be between 0 and 1 and the other above 1, not {group['etas']}")

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The last gradient, and the sizes of the steps."""
        return {"prev": 0.0, "step_size": group["lr"]}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """What the sizes are multiplied by, and their bounds."""
        return *group["etas"], *group["step_sizes"]

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """One step."""
        (smaller, larger, least, most), (before, size) = factors, state
        np.multiply(g, before, change)
        turned = change < 0
        np.multiply(size, larger, out=size, where=change > 0)
        np.multiply(size, smaller, out=size, where=turned)
        np.clip(size, least, most, out=size)
        np.copyto(before, g)
        np.copyto(before, 0, where=turned)
        np.sign(before, change)
        np.multiply(change, size, change)
