"""`torch.multiprocessing`: Python's multiprocessing, and what PyTorch adds. Tensors that are sent are copied."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from multiprocessing.connection import wait
from typing import Any

__all__ = [
    *multiprocessing.__all__,
    "ProcessContext",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]


class ProcessContext:
    """Processes that `spawn` has started, in the list `processes`.

    >>> import tensorgrad.multiprocessing as mp
    >>> mp.ProcessContext([]).join()
    True
    """

    def __init__(self, processes: list[Any]) -> None:
        self.processes = processes

    def join(self, timeout: float | None = None) -> bool:
        """Wait until all have ended, and return True, or False where none does for `timeout` seconds.

        Where one fails, the others are ended, and a `RuntimeError` says which it was.
        """
        while running := [process for process in self.processes if process.is_alive()]:
            if not wait([process.sentinel for process in running], timeout):
                return False
            if any(process.exitcode for process in self.processes):
                break
        failed = [(i, process.exitcode) for i, process in enumerate(self.processes) if process.exitcode]
        for process in self.processes:
            if failed:
                process.terminate()
            process.join()
        if failed:
            raise RuntimeError(
                f"spawn: process {failed[0][0]} ended with exit code {failed[0][1]}; see what it printed"
            )
        return True


def start_processes(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run `fn(i, *args)` in `nprocs` processes, started as `start_method` says, and wait for them if `join`.

    >>> import tensorgrad.multiprocessing as mp
    >>> mp.start_processes(print, nprocs=0)
    """
    context: Any = multiprocessing.get_context(start_method)
    started = ProcessContext([context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)])
    for process in started.processes:
        process.start()
    if not join:
        return started
    started.join()
    return None


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """`start_processes` by the name under which scripts know it.

    >>> import tensorgrad.multiprocessing as mp
    >>> mp.spawn(print, nprocs=0)
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)


def get_all_sharing_strategies() -> set[str]:
    """The ways in which PyTorch shares tensors between processes: one name, as they are copied.

    >>> import tensorgrad.multiprocessing as mp
    >>> mp.get_all_sharing_strategies()
    {'file_system'}
    """
    return {"file_system"}


def get_sharing_strategy() -> str:
    """The way in which tensors are shared, in PyTorch's words.

    >>> import tensorgrad.multiprocessing as mp
    >>> mp.get_sharing_strategy()
    'file_system'
    """
    return "file_system"


def set_sharing_strategy(new_strategy: str) -> None:
    """Choose how tensors are shared between processes: nothing is done, as they are copied.

    >>> import tensorgrad.multiprocessing as mp
    >>> mp.set_sharing_strategy("file_system")
    """
