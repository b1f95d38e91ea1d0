"""History: what a fit reported, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class History(Mapping[str, list[float]]):
    """Numbers per epoch by name: "loss", the metrics, and with "val_" before their names those of the validation data.

    `epoch` has the number of each epoch, from 0; `params` what the fit was told. It is a mapping, and `history` a dict
    of it, as in Keras; `pandas.DataFrame(dict(history))` makes a table of it.

    >>> from tensorgrad.train import History
    >>> history = History()
    >>> history.append(0, {"loss": 0.5})
    >>> history.append(1, {"loss": 0.25})
    >>> history["loss"]
    [0.5, 0.25]
    >>> history.best("loss")
    (1, 0.25)
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}
        self.params: dict[str, Any] = {}

    def append(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Add an epoch's numbers; a name that is new has NaN for the epochs before, and one that lacks for this one."""
        for name in logs:
            self.history.setdefault(name, [float("nan")] * len(self.epoch))
        self.epoch.append(epoch)
        for name, values in self.history.items():
            values.append(float(logs.get(name, "nan")))

    def best(self, name: str, mode: str = "min") -> tuple[int, float]:
        """The epoch (from 0) with the smallest number of a name, or with the largest for `mode="max"`, and that number.

        Raises `KeyError` for a name that was not reported, `ValueError` where all of it is NaN and for another mode.
        """
        if mode not in ("min", "max"):
            raise ValueError(f"History.best: mode must be 'min' or 'max', not {mode!r}")
        values = [(value, epoch) for value, epoch in zip(self[name], self.epoch) if value == value]
        if not values:
            raise ValueError(f"History.best: {name!r} has no number that is not NaN")
        value, epoch = min(values) if mode == "min" else max(values, key=lambda pair: (pair[0], -pair[1]))
        return epoch, value

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.history:
            raise KeyError(f"the history has no {name!r}; it has {', '.join(self.history) or 'nothing yet'}")
        return self.history[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.history)

    def __len__(self) -> int:
        return len(self.history)

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.history.items())
        return f"History({len(self.epoch)} epochs{': ' + last if last else ''})"
