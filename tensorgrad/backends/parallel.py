"""Kernels in several threads: NumPy lets other threads run while it computes, and takes one core for most of that.

A kernel that goes through its work part by part hands the parts to `run`; they must not write to the same memory. From
the first time on, matrix products take one thread each (see `threads`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from tensorgrad.backends.threads import take_over

Task = tuple[Callable[[int], None], int, "SimpleQueue[BaseException | None]"]


class _Workers:
    """Threads that wait for tasks: each is a function, its argument, and where to say that it is done."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Task] = SimpleQueue()
        self.count = 0
        self.busy = threading.Lock()

    def ensure(self, count: int) -> None:
        while self.count < count:
            threading.Thread(target=self._work, name="tensorgrad", daemon=True).start()
            self.count += 1

    def _work(self) -> None:
        while True:
            function, part, done = self.tasks.get()
            try:
                function(part)
                done.put(None)
            except BaseException as error:  # it is raised again where the work was asked for
                done.put(error)
            del function, done  # while the thread waits, it holds no arrays


workers = _Workers()


def _anew() -> None:
    global workers
    workers = _Workers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_anew)  # a process that is forked has none of the threads


def run(function: Callable[[int], Any], parts: int) -> None:
    """Call `function(part)` for each of the parts, at the same time; in order, where other work has the threads."""
    if parts == 1 or not workers.busy.acquire(blocking=False):
        for part in range(parts):
            function(part)
        return
    done: SimpleQueue[BaseException | None] = SimpleQueue()
    errors: list[BaseException | None] = []
    try:
        take_over()
        workers.ensure(parts - 1)
        for part in range(1, parts):
            workers.tasks.put((function, part, done))
        try:
            function(0)
        finally:
            errors = [done.get() for _ in range(1, parts)]
    finally:
        workers.busy.release()
    for error in errors:
        if error is not None:
            raise error
