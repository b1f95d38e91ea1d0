"""Kernels in several threads: NumPy lets other threads run while it computes, and takes one core for most of that.

A kernel that goes through its work part by part hands the parts to `run`; they must not write to the same memory. There
are as many threads as matrix products take (see `threads`), and while they work each product takes one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from tensorgrad.backends.threads import openblas

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


def threads() -> int:
    """How many parts are worth making."""
    functions = openblas()
    return int(functions[1]()) if functions is not None else 1


def run(function: Callable[[int], Any], parts: int) -> None:
    """Call `function(part)` for each of the parts, at the same time; in order, where other work has the threads."""
    functions = openblas()
    if parts == 1 or functions is None or not workers.busy.acquire(blocking=False):
        for part in range(parts):
            function(part)
        return
    set_threads, get_threads = functions
    before = get_threads()
    done: SimpleQueue[BaseException | None] = SimpleQueue()
    errors: list[BaseException | None] = []
    try:
        workers.ensure(parts - 1)
        set_threads(1)
        for part in range(1, parts):
            workers.tasks.put((function, part, done))
        try:
            function(0)
        finally:
            errors = [done.get() for _ in range(1, parts)]
    finally:
        set_threads(before)
        workers.busy.release()
    for error in errors:
        if error is not None:
            raise error
