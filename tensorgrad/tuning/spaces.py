"""Spaces: what a hyperparameter may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Uniform:
    """A real number from `low` to `high`, all alike; with `step`, of `low`, `low + step`, and so on.

    >>> from tensorgrad import tuning
    >>> tuning.Uniform(0.0, 0.5)
    Uniform(low=0.0, high=0.5, step=None)
    """

    low: float
    high: float
    step: float | None = None

    def __post_init__(self) -> None:
        _check(self)

    def suggest(self, trial: Any, name: str) -> float:
        """The number of a trial."""
        return trial.suggest_float(name, self.low, self.high, step=self.step)


@dataclass(frozen=True)
class LogUniform:
    """A positive real number from `low` to `high`, each order of magnitude alike: for learning rates and penalties.

    >>> from tensorgrad import tuning
    >>> tuning.LogUniform(1e-4, 1e-1)
    LogUniform(low=0.0001, high=0.1)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check(self, positive=True)

    def suggest(self, trial: Any, name: str) -> float:
        """The number of a trial."""
        return trial.suggest_float(name, self.low, self.high, log=True)


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`, both included; with `log`, each order of magnitude alike.

    >>> from tensorgrad import tuning
    >>> tuning.Integer(16, 256, log=True)
    Integer(low=16, high=256, step=1, log=True)
    """

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        if not all(hasattr(number, "__index__") for number in vars(self).values()):
            raise ValueError(f"{self}: low, high and step must be whole numbers")
        if self.log and self.step != 1:
            raise ValueError(f"{self}: with log=True there are no steps")
        _check(self, positive=self.log)

    def suggest(self, trial: Any, name: str) -> int:
        """The number of a trial."""
        return trial.suggest_int(name, self.low, self.high, step=self.step, log=self.log)


def _check(space: Uniform | LogUniform | Integer, positive: bool = False) -> None:
    step = getattr(space, "step", None)
    numbers = space.low, space.high, 1 if step is None else step
    if not all(isinstance(number, Real) and math.isfinite(number) for number in numbers):
        raise ValueError(f"{space}: these must be finite numbers")
    if space.low > space.high or (positive and space.low <= 0):
        raise ValueError(f"{space}: low must be {'more than 0, and ' if positive else ''}not above high")
    if numbers[2] <= 0:
        raise ValueError(f"{space}: step must be more than 0")


def _drawn(name: str, space: Any) -> Callable[[Any], Any]:
    """The function of a trial that gives the parameter of a name."""
    if hasattr(space, "suggest"):
        return lambda trial: space.suggest(trial, name)
    if isinstance(space, Set):
        raise TypeError(f"search: the choices of {name!r} are a set, which has no order; make a list of it")
    if hasattr(space, "to_internal_repr") or (
        isinstance(space, tuple) and len(space) == 2 and all(isinstance(x, Real) for x in space)
    ):
        raise TypeError(
            f"search: {name}={space!r} does not tell what to draw; write tuning.Uniform(low, high), tuning.LogUniform("
            f"low, high) or tuning.Integer(low, high) for a range, and a list for choices"
        )
    choices = space.tolist() if isinstance(space, np.ndarray) else space
    if not isinstance(choices, list | tuple | range):
        return lambda trial: space
    # What Optuna cannot store goes by the text that shows it.
    by_key = {c if isinstance(c, bool | int | float | str | None) else _text(c): c for c in choices}
    if not choices or len(by_key) < len(choices):
        wrong = "are not all different" if choices else "are none"
        raise ValueError(f"search: the choices of {name!r} {wrong}: {space!r}")
    return lambda trial: by_key[trial.suggest_categorical(name, list(by_key))]


def _text(choice: Any) -> str:
    return getattr(choice, "__qualname__", None) or repr(choice)


def suggester(space: Any) -> Callable[[Any], dict[str, Any]]:
    """The function of a trial that gives its parameters."""
    if callable(space):
        return space
    if not isinstance(space, Mapping) or not space:
        raise TypeError(
            f"search: space must be a dict of names and spaces, or a function of a trial, not "
            f"{space if isinstance(space, Mapping) else type(space).__name__}; the order is search(build, space, X, y)"
        )
    drawn = {name: _drawn(name, each) for name, each in space.items()}
    return lambda trial: {name: draw(trial) for name, draw in drawn.items()}
