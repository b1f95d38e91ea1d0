"""Whether operations are recorded: grad mode and anomaly mode, each per thread (and per asyncio task)."""

from __future__ import annotations

import functools
import inspect
import os
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

TRACE = "trace"  # a truthy grad mode: record, and remember the line of the user's that called each op

# False: do not record; True: record; TRACE: record with the line. One look-up per recorded op.
GRAD: ContextVar[Any] = ContextVar("grad", default=True)
INFERENCE: ContextVar[bool] = ContextVar("inference", default=False)
# False, or what is done: True looks for NaN in a backward walk, TRACE only remembers the lines.
ANOMALY: ContextVar[Any] = ContextVar("anomaly", default=False)

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep


def user_line() -> str:
    """The innermost line outside this package, as "file:line in function: text"."""
    for frame in reversed(traceback.extract_stack()):
        if not frame.filename.startswith(PACKAGE):
            return f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
    return "unknown"


class Mode:
    """What the modes are: a context manager, re-entrant, that also decorates functions and generator functions."""

    _tokens: list[Any]  # what to put back, for each block that is open

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        mode = super().__new__(cls)
        mode._tokens = []
        return mode

    def _enter(self) -> Any:
        raise NotImplementedError

    def _fresh(self) -> Mode:
        return type(self)()

    def __enter__(self) -> None:
        self._tokens.append(self._enter())

    def __exit__(self, *exc: object) -> None:
        for variable, value in self._tokens.pop():
            variable.set(value)

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                # The mode holds only while the body runs, never between two of its values.
                iterator = function(*args, **kwargs)
                advance, sent = iterator.send, None
                try:
                    while True:
                        with self._fresh():
                            value = advance(sent)
                        try:
                            sent = yield value
                            advance = iterator.send
                        except Exception as error:  # the user's throw()
                            advance, sent = iterator.throw, error
                except StopIteration as stop:
                    return stop.value
                finally:
                    iterator.close()

            return generator  # type: ignore[return-value]

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


def swap(variable: ContextVar[Any], value: Any) -> tuple[ContextVar[Any], Any]:
    """Set a variable; return it with what it held."""
    old = variable.get()
    variable.set(value)
    return variable, old


def recording() -> Any:
    """The grad mode that records."""
    return TRACE if ANOMALY.get() else True


class no_grad(Mode):
    """Context manager and decorator inside which nothing is recorded: results do not require a gradient.

    >>> import tensorgrad as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> with tg.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        return mode if function is None else mode(function)  # a bare decorator: @no_grad

    def __init__(self, function: Any = None) -> None:
        pass

    def _enter(self) -> Any:
        return [swap(GRAD, False)]


class enable_grad(no_grad):
    """Context manager and decorator that records again inside `no_grad`.

    >>> import tensorgrad as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> with tg.no_grad(), tg.enable_grad():
    ...     (x * 2).requires_grad
    True
    """

    def _enter(self) -> Any:
        return [swap(GRAD, recording())]


class set_grad_enabled(Mode):
    """Sets grad mode at once; as a context manager or decorator, until the end of the block.

    >>> import tensorgrad as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> with tg.set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = swap(GRAD, recording() if self.mode else False)

    def _fresh(self) -> Mode:
        return type(self)(self.mode)

    def _enter(self) -> Any:
        GRAD.set(recording() if self.mode else False)
        return [self._before]

    def __call__(self, function: F) -> F:
        GRAD.set(self._before[1])  # a decorator sets the mode inside the function only
        return super().__call__(function)


class inference_mode(Mode):
    """`no_grad`, under the name that PyTorch gives to code that will never need a gradient.

    >>> import tensorgrad as tg
    >>> with tg.inference_mode():
    ...     tg.is_inference_mode_enabled(), tg.is_grad_enabled()
    (True, False)
    """

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if isinstance(mode, bool):
            return made
        made.mode = True
        return made(mode)  # a bare decorator: @inference_mode

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def _fresh(self) -> Mode:
        return type(self)(self.mode)

    def _enter(self) -> Any:
        return [swap(GRAD, False if self.mode else recording()), swap(INFERENCE, self.mode)]


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded.

    >>> import tensorgrad as tg
    >>> tg.is_grad_enabled()
    True
    """
    return bool(GRAD.get())


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`.

    >>> import tensorgrad as tg
    >>> tg.is_inference_mode_enabled()
    False
    """
    return INFERENCE.get()
