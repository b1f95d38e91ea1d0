"""`torch.distributed` where there is one process: scripts that ask are told, and those that insist get an error."""

from __future__ import annotations

from typing import Any, NoReturn

_ONE = "tensorgrad trains in one process; start the script without torchrun"


def is_available() -> bool:
    """Whether several processes can train together: no.

    >>> import tensorgrad as tg
    >>> tg.distributed.is_available()
    False
    """
    return False


def is_initialized() -> bool:
    """Whether this process is one of a group: no.

    >>> import tensorgrad as tg
    >>> tg.distributed.is_initialized()
    False
    """
    return False


def get_rank(group: Any = None) -> int:
    """The index of this process.

    >>> import tensorgrad as tg
    >>> tg.distributed.get_rank()
    0
    """
    return 0


def get_world_size(group: Any = None) -> int:
    """The number of processes.

    >>> import tensorgrad as tg
    >>> tg.distributed.get_world_size()
    1
    """
    return 1


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Join a group of processes. Raises `RuntimeError`: there is none.

    >>> import tensorgrad as tg
    >>> tg.distributed.init_process_group("gloo")
    Traceback (most recent call last):
        ...
    RuntimeError: init_process_group: tensorgrad trains in one process; start the script without torchrun
    """
    raise RuntimeError(f"init_process_group: {_ONE}")


def destroy_process_group(group: Any = None) -> NoReturn:
    """Leave the group of processes. Raises `RuntimeError`: there is none.

    >>> import tensorgrad as tg
    >>> tg.distributed.destroy_process_group()
    Traceback (most recent call last):
        ...
    RuntimeError: destroy_process_group: tensorgrad trains in one process; start the script without torchrun
    """
    raise RuntimeError(f"destroy_process_group: {_ONE}")
