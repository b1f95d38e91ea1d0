"""Where tensors live: on "cpu". Scripts that choose a device run, and hear at once of one that is not there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorgrad.errors import DeviceError

TYPES = ("cpu", "cuda", "mps", "xpu", "meta")


class device:
    """The name of a device: `device("cpu")`, `device("cuda:1")`, `device("cuda", 1)`. Equal names are equal devices.

    Any of PyTorch's device types can be named; tensors can be on "cpu". As a context manager it does nothing but say
    the same. Raises `DeviceError` for a type that there is not.

    >>> import tensorgrad as tg
    >>> tg.device("cuda:1").type, tg.device("cuda:1").index
    ('cuda', 1)
    >>> tg.ones(2).to(tg.device("cpu")).device
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None) -> None:
        name = str(type)
        kind, _, number = name.partition(":")
        if kind not in TYPES or (number and (index is not None or not number.isdigit())):
            raise DeviceError(f"device: {name!r} is no device; it is one of {', '.join(TYPES)}, or such as 'cuda:0'")
        self.type = kind
        self.index = int(number) if number else index

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        require_cpu("with device(...)", self)
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:  # noqa: D102 (the class says it)
        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside


CPU = device("cpu")


def require_cpu(caller: str, given: Any) -> None:
    """Raise `DeviceError` unless the device is None or the CPU: the only one there is."""
    if given is None or given is CPU or given == "cpu":
        return
    if isinstance(given, int) or device(given).type != "cpu":
        raise DeviceError(
            f"{caller}: device {str(given)!r} is not available; tensors live on 'cpu'. Choose with "
            f"device('cuda' if cuda.is_available() else 'cpu')"
        )
