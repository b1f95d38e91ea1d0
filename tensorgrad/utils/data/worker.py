"""Worker processes that load a data set: each has a copy of it, and sends its batches through a pipe.

Batches come in the order of the sampler, whichever worker is quicker. A worker that raises hands its error over, one
that dies is noticed, and all are gone when the iteration ends.
"""

from __future__ import annotations

import multiprocessing
import queue
import random as python_random
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np

from tensorgrad import random
from tensorgrad.utils.data.dataset import fetch
from tensorgrad.utils.data.sampler import batched


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info` tells a worker: its number, how many there are, its seed and its copy of the data set.

    >>> from tensorgrad.utils.data import WorkerInfo
    >>> WorkerInfo(id=0, num_workers=2, seed=7, dataset=range(4)).num_workers
    2
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What this worker process is told of itself; None in the process that trains.

    An `IterableDataset` uses it to give each worker another part of the stream.

    >>> from tensorgrad.utils.data import get_worker_info
    >>> get_worker_info() is None
    True
    """
    return _info


@dataclass(frozen=True)
class Job:
    """What every worker is given at its start."""

    dataset: Any
    collate: Callable[[Any], Any]
    stream: bool  # the data set is an iterable, and a task is a request for the next batch
    batching: bool  # a task is a list of indices, else one
    batch_size: int | None
    drop_last: bool
    count: int
    seed: int
    init: Callable[[int], None] | None

    def made(self, stream: Iterator[Any], task: Any) -> Any:
        """The batch of a task. Raises `StopIteration` at the end of a stream."""
        if self.stream:
            return self.collate(next(stream))
        return self.collate(fetch(self.dataset, task) if self.batching else self.dataset[task])


class WorkerError(RuntimeError):
    """A worker process that ended without a word, or took longer than the timeout.

    >>> from tensorgrad.utils.data import WorkerError
    >>> issubclass(WorkerError, RuntimeError)
    True
    """


def _work(number: int, job: Job, pipe: Connection) -> None:
    """The life of a worker: a task in, a batch out."""
    global _info
    seed = (job.seed + number) % 2**63
    python_random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (data sets of users draw from it)
    random.manual_seed(seed)
    _info = WorkerInfo(number, job.count, seed, job.dataset)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # Tasks are always taken in: a worker that waits for its batch to be read must not keep the sender waiting.
    threading.Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    stream: Iterator[Any] = iter(())
    try:
        if job.init is not None:
            job.init(number)
        while (task := tasks.get()) is not None:
            if task == "begin":
                if job.stream:
                    items = iter(job.dataset)
                    stream = items if job.batch_size is None else batched(items, job.batch_size, job.drop_last)
                continue
            try:
                pipe.send(("batch", job.made(stream, task)))
            except StopIteration:
                pipe.send(("end", None))
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    except Exception as error:
        text = f"in worker process {number} of the DataLoader:\n\n{traceback.format_exc()}"
        try:
            pipe.send(("error", (type(error), text)))
        except Exception:  # its class cannot be pickled
            pipe.send(("error", (RuntimeError, text)))
        while tasks.get() is not None:  # a pipe that is closed over unread tasks would take the error back
            pass


def _receive(pipe: Connection, tasks: Any) -> None:
    try:
        while True:
            tasks.put(pipe.recv())
    except (EOFError, OSError):
        tasks.put(None)


class Workers:
    """A pool of worker processes; `epoch` gives the batches of one pass over the data."""

    def __init__(self, job: Job, prefetch: int, timeout: float, context: Any) -> None:
        context = multiprocessing.get_context(context) if isinstance(context, str | None) else context
        self.job, self.prefetch, self.timeout = job, prefetch, timeout
        self.pipes: list[Connection] = []
        self.processes: list[Any] = []
        for number in range(job.count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(number, job, theirs), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)

    def epoch(self, tasks: Iterator[Any]) -> Iterator[Any]:
        """The batches of the tasks, in their order; of a stream, of the workers in turns until each is at its end."""
        for pipe in self.pipes:
            with suppress(BrokenPipeError, ConnectionResetError):
                pipe.send("begin")
        arrived: list[deque[Any]] = [deque() for _ in self.pipes]
        going = deque(range(len(self.pipes)))  # whose turn it is
        order: deque[int] = deque()  # which worker has the next batch, and those after it
        while True:
            while going and len(order) < self.prefetch * len(self.pipes):
                if (task := "next" if self.job.stream else next(tasks, None)) is None:
                    going.clear()
                    break
                with suppress(BrokenPipeError, ConnectionResetError):  # it has ended; what it said comes in its turn
                    self.pipes[going[0]].send(task)
                order.append(going[0])
                going.rotate(-1)
            if not order:
                return
            worker = order.popleft()
            while not arrived[worker]:
                self._receive(arrived, {worker, *order})
            kind, value = arrived[worker].popleft()
            if kind == "error":
                raise _raised(*value)
            if kind == "batch":
                yield value
            elif worker in going:  # the end of its stream
                going.remove(worker)

    def _receive(self, arrived: list[deque[Any]], owing: set[int]) -> None:
        """Wait until some workers have sent something, and take it in."""
        ready = wait([self.pipes[number] for number in owing], self.timeout or None)
        if not ready:
            raise WorkerError(f"DataLoader: no batch came within the timeout of {self.timeout} seconds")
        for number in owing:
            if self.pipes[number] in ready:
                try:
                    arrived[number].append(self.pipes[number].recv())
                except (EOFError, ConnectionResetError):
                    process = self.processes[number]
                    process.join(1)
                    raise WorkerError(
                        f"DataLoader: worker process {number} (pid {process.pid}) ended without a word, with exit code "
                        f"{process.exitcode}; it may have been killed for want of memory"
                    ) from None

    def close(self) -> None:
        """End the processes."""
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join(0.2)
            if process.is_alive():
                process.terminate()
                process.join()
        self.pipes, self.processes = [], []


def _raised(kind: type[Exception], text: str) -> Exception:
    """A worker's error, of its own type where that takes a text."""
    try:
        return kind(text)
    except Exception:
        return RuntimeError(text)
