"""Optimizers that see each parameter as a whole: its shape matters to them, or its own values do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import wrap, writes
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.run import Array, check_state, computing_dtype


class Single(Optimizer):
    """An optimizer whose algorithm is `revise`, called on one parameter after the other."""

    def revise(self, group: dict[str, Any], p: Array, g: Array, state: dict[str, Any]) -> None:
        """Update the parameter `p` and its `state` in place, given the gradient, which must not be changed."""
        raise NotImplementedError(f"{self._name}.revise")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; with a closure, call it first (recording) and return its loss."""
        loss = self._evaluate(closure)
        for group in self._groups():
            maximize = group.get("maximize", False)
            for parameter in group["params"]:
                if parameter._grad is None:
                    continue
                p, g = parameter._data, parameter._grad._data
                dtype = computing_dtype(p.dtype)
                wide = p if p.dtype == dtype else p.astype(dtype)
                g = g if g.dtype == dtype else g.astype(dtype)
                self.revise(group, wide, -g if maximize else g, self.state[parameter])
                if wide is not p:
                    p[...] = wide
                writes.stamp(p)
        return loss

    def _array(self, state: dict[str, Any], name: str, like: Array) -> Array:
        """An array of a parameter's state, made of zeros like another where there is none yet."""
        if name not in state:
            state[name] = wrap(np.zeros_like(like))
        check_state(name, state[name], like)
        return state[name]._data
