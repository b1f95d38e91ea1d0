"""`torch.accelerator` where there is none: scripts that ask for a device other than the CPU are told."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Whether tensors can live on an accelerator: no.

    >>> import tensorgrad as tg
    >>> tg.accelerator.is_available()
    False
    """
    return False


def device_count() -> int:
    """The number of accelerators.

    >>> import tensorgrad as tg
    >>> tg.accelerator.device_count()
    0
    """
    return 0


def current_accelerator(check_available: bool = False) -> Any:
    """The device of the current accelerator: None.

    >>> import tensorgrad as tg
    >>> tg.accelerator.current_accelerator() is None
    True
    """
    return None
