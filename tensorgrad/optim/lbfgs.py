"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import wrap, writes
from tensorgrad.optim.line_search import Point, strong_wolfe
from tensorgrad.optim.optimizer import Optimizer, options
from tensorgrad.optim.run import Array, computing_dtype


class LBFGS(Optimizer):
    """Quasi-Newton steps: the inverse Hessian is judged from the last gradients and steps (Liu and Nocedal 1989).

    `step(closure)` makes up to `max_iter` iterations, calling the closure, which clears the gradients, computes the
    loss, runs backward and returns the loss, up to about `max_eval` times (5/4 of `max_iter`). It ends early where no
    gradient exceeds `tolerance_grad`, or where the loss or all parameters change by less than `tolerance_change`. Steps
    are `lr` times the direction, or what `line_search_fn="strong_wolfe"` finds; `history_size` pairs are kept. For
    deterministic losses of one group of parameters. Raises `ValueError` for several groups or options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = tg.optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((x - tg.tensor([1.0, 2.0])) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    20.0
    >>> closure().item() < 1e-6
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        super().check(group)
        for option in ("max_iter", "max_eval", "tolerance_grad", "tolerance_change"):
            self._must_be(group, option, 0)
        self._must_be(group, "history_size", 1)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', not {group['line_search_fn']!r}")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add the one group. Raises `ValueError` for a second."""
        if self.param_groups:
            raise ValueError("LBFGS: all parameters must be in one group, for they are one vector to it")
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate as far as the options allow; return the closure's first loss."""
        if closure is None:
            raise TypeError("LBFGS.step: it needs a closure, which it calls several times; see its example")
        (group,) = self._groups()
        params, state = group["params"], self.state[group["params"][0]]
        first = self._evaluate(closure)
        f, g = float(first), _gradient(params)
        calls = 1
        state["func_evals"] = state.get("func_evals", 0) + 1
        state.setdefault("n_iter", 0)
        if np.abs(g).max(initial=0) <= group["tolerance_grad"]:
            return first
        memory = _Memory(state)

        def at(t: Any) -> Point:
            _place(params, origin, t * memory.d)
            f, g = float(self._evaluate(closure)), _gradient(params)
            return Point(t, f, g, g @ memory.d)

        for i in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            memory.turn(g, group["history_size"], state["n_iter"] == 1)
            memory.g, memory.f = g.copy(), f
            d, slope = memory.d, g @ memory.d
            memory.t = min(1.0, 1.0 / np.abs(g).sum()) * group["lr"] if state["n_iter"] == 1 else group["lr"]
            if slope > -group["tolerance_change"]:
                break
            origin = [p._data.copy() for p in params]
            if group["line_search_fn"]:
                start, reach, most = Point(0, f, g, slope), np.abs(d).max(), group["max_eval"] - calls
                found, more = strong_wolfe(at, start, memory.t, reach, group["tolerance_change"], most)
                memory.t, f, g = found.t, found.f, found.g
                _place(params, origin, memory.t * d)
            elif i < group["max_iter"]:
                _, f, g, _ = at(memory.t)
                more = 1
            else:
                _place(params, origin, memory.t * d)
                more = 0
            calls += more
            state["func_evals"] += more
            small = np.abs(memory.t * d).max() <= group["tolerance_change"]
            level = abs(f - memory.f) < group["tolerance_change"]
            if calls >= group["max_eval"] or small or level or np.abs(g).max() <= group["tolerance_grad"]:
                break
        memory.save(state)
        return first


class _Memory:
    """The direction, the step along it, and the pairs of changes that the inverse Hessian is judged from."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.d: Array = _array(state.get("d"))
        self.t: Any = float(state.get("t", 0))
        self.f: float = state.get("prev_loss", 0.0)
        self.g: Array = _array(state.get("prev_flat_grad"))
        self.ys = [_array(y) for y in state.get("old_dirs", ())]
        self.steps = [_array(step) for step in state.get("old_stps", ())]
        self.ro: list[Any] = [float(ro) for ro in state.get("ro", ())]
        self.scale: Any = float(state.get("H_diag", 1))

    def turn(self, g: Array, most: int, anew: bool) -> None:
        """Remember the last step and what it did to the gradient, and set the new direction from all of them."""
        if anew:
            self.ys, self.steps, self.ro, self.scale = [], [], [], 1
            self.d = -g
            return
        y, step = g - self.g, self.d * self.t
        curvature = y @ step
        if curvature > 1e-10:
            self.ys.append(y)
            self.steps.append(step)
            self.ro.append(1.0 / curvature)
            del self.ys[:-most], self.steps[:-most], self.ro[:-most]
            self.scale = curvature / (y @ y)
        d, shares = -g, []
        for y, step, ro in zip(reversed(self.ys), reversed(self.steps), reversed(self.ro)):
            shares.append((step @ d) * ro)
            d -= shares[-1] * y
        d *= self.scale
        for y, step, ro, share in zip(self.ys, self.steps, self.ro, reversed(shares)):
            d += (share - (y @ d) * ro) * step
        self.d = d

    def save(self, state: dict[str, Any]) -> None:
        """Write it into the state of the first parameter, under PyTorch's names."""
        state.update(
            d=wrap(self.d),
            t=float(self.t),
            old_dirs=[wrap(y) for y in self.ys],
            old_stps=[wrap(step) for step in self.steps],
            ro=[float(ro) for ro in self.ro],
            H_diag=float(self.scale),
            prev_flat_grad=wrap(self.g),
            prev_loss=self.f,
        )


def _array(x: Any) -> Array:
    return np.empty(0) if x is None else x._data


def _gradient(params: list[Any]) -> Array:
    """The gradients side by side, zeros where there is none."""
    dtype = computing_dtype(np.result_type(*(p._data for p in params)))
    return np.concatenate(
        [np.zeros_like(p._data) if p._grad is None else p._grad._data for p in params], None, dtype=dtype
    )


def _place(params: list[Any], origin: list[Array], step: Array) -> None:
    """Put the parameters a step away from where they were."""
    end = 0
    for p, x in zip(params, origin):
        start, end = end, end + x.size
        np.copyto(p._data, x + step[start:end].reshape(x.shape), casting="same_kind")
        writes.stamp(p._data)
