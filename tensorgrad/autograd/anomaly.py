"""Anomaly mode: the line of each recorded operation is remembered, and the first NaN in a backward walk is an error."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from tensorgrad.autograd.modes import ANOMALY, GRAD, TRACE, Mode, recording, swap


def _switch(mode: bool, check_nan: bool) -> list[tuple[ContextVar[Any], Any]]:
    """Set the mode; return what to put back."""
    before = [swap(ANOMALY, mode and (True if check_nan else TRACE))]
    return [*before, swap(GRAD, recording())] if GRAD.get() else before


class detect_anomaly(Mode):
    """Context manager that remembers the line of each recorded op, and stops at the first NaN in a backward walk.

    Errors raised while walking the graph then name that line. It slows recording several times: for debugging only.
    Without `check_nan` lines are remembered, and NaN lets pass.

    >>> import tensorgrad as tg
    >>> x = tg.zeros(1, requires_grad=True)
    >>> with tg.autograd.detect_anomaly():
    ...     (x / x).sum().backward()
    Traceback (most recent call last):
        ...
    tensorgrad.errors.AutogradError: backward of div gave NaN for its input 0 of shape (1,); it was called at ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def _fresh(self) -> Mode:
        return type(self)(self.check_nan)

    def _enter(self) -> Any:
        return _switch(True, self.check_nan)


class set_detect_anomaly:
    """Sets anomaly mode, see `detect_anomaly`, at once; as a context manager, until the end of the block.

    >>> import tensorgrad as tg
    >>> with tg.autograd.set_detect_anomaly(True):
    ...     tg.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        for variable, value in self._before:
            variable.set(value)


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on in this thread.

    >>> import tensorgrad as tg
    >>> tg.is_anomaly_enabled()
    False
    """
    return bool(ANOMALY.get())
