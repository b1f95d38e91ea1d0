"""Spaces: what a hyperparameter may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


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
        if not (hasattr(self.low, "__index__") and hasattr(self.high, "__index__")):
            raise ValueError(f"Integer: low and high must be whole numbers, not {self.low!r} and {self.high!r}")
        _check(self, positive=self.log)

    def suggest(self, trial: Any, name: str) -> int:
        """The number of a trial."""
        return trial.suggest_int(name, self.low, self.high, step=self.step, log=self.log)


def _check(space: Uniform | LogUniform | Integer, positive: bool = False) -> None:
    if not space.low <= space.high or (positive and space.low <= 0):
        least = "more than 0, and " if positive else ""
        raise ValueError(
            f"{type(space).__name__}: low must be {least}not above high; they are {space.low!r} and {space.high!r}"
        )


def _choose(trial: Any, name: str, choices: Any) -> Any:
    """One of a list. What Optuna cannot store goes by the text that shows it."""
    by_key = {c if isinstance(c, bool | int | float | str | None) else _text(c): c for c in choices}
    if len(by_key) < len(choices):
        raise ValueError(f"search: the choices of {name!r} are not all different: {choices!r}")
    return by_key[trial.suggest_categorical(name, list(by_key))]


def _text(choice: Any) -> str:
    return getattr(choice, "__qualname__", None) or repr(choice)


def suggester(space: Any) -> Callable[[Any], dict[str, Any]]:
    """The function of a trial that gives its parameters."""
    if callable(space):
        return space
    if not isinstance(space, Mapping) or not space:
        raise TypeError(f"search: space must be a dict of names and spaces, or a function of a trial, not {space!r}")

    def suggest(trial: Any) -> dict[str, Any]:
        params = {}
        for name, each in space.items():
            if hasattr(each, "suggest"):
                params[name] = each.suggest(trial, name)
            else:
                params[name] = _choose(trial, name, each) if isinstance(each, list | tuple) else each
        return params

    return suggest
