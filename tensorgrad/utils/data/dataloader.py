"""DataLoader: a data set in batches."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from tensorgrad.autograd.graph import wrap
from tensorgrad.random import Generator, numpy_of
from tensorgrad.tensor import Tensor
from tensorgrad.utils.data.collate import default_collate, default_convert
from tensorgrad.utils.data.dataset import IterableDataset, fetch, in_memory
from tensorgrad.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    batched,
    batches,
    count,
)
from tensorgrad.utils.data.worker import Job, Workers

T_co = TypeVar("T_co", covariant=True)
# What the samplers and workers were made by.
FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})


class DataLoader(Generic[T_co]):
    """A data set in batches; each `for` over it is an epoch.

    `dataset` is any object with `__len__` and `__getitem__`, or an `IterableDataset`. `shuffle` takes the items in a
    new random order each epoch, drawn when the epoch begins from `generator`, else from the default generator, so that
    `tensorgrad.manual_seed` makes it reproducible. `sampler` gives the order instead, `batch_sampler` whole batches of
    indices. `collate_fn` makes a batch of a list of items (`default_collate` stacks them). `drop_last` leaves out a
    last batch that is shorter. `batch_size=None` gives the items one by one, without a batch dimension.

    With `num_workers` above 0, items are loaded and collated by that many processes, each with its copy of the data set
    and random numbers of its own; batches come in the same order as without, and `prefetch_factor` (2) of them per
    worker are made ahead. `worker_init_fn(number)` is called in each at its start, `persistent_workers` keeps them from
    one epoch to the next, `timeout` is how many seconds to wait for a batch (0: for ever), `multiprocessing_context`
    how they are started. An error in a worker is raised here, with its traceback. `pin_memory` has nothing to act on.

    A `TensorDataset`, or a `Subset` of one, is indexed a batch at a time. A batch is a copy, and may be written to;
    items, with `batch_size=None`, are what the data set gives.

    Raises `ValueError` for options that exclude one another, a batch size below 1, and an empty data set to shuffle;
    `TypeError` for a data set without a length or items.

    >>> import tensorgrad as tg
    >>> from tensorgrad.utils.data import DataLoader, TensorDataset
    >>> loader = DataLoader(TensorDataset(tg.arange(5), tg.arange(5) ** 2), batch_size=2)
    >>> len(loader)
    3
    >>> for x, y in loader:
    ...     print(x, y)
    tensor([0, 1]) tensor([0, 1])
    tensor([2, 3]) tensor([4, 9])
    tensor([4]) tensor([16])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if not isinstance(num_workers, int) or num_workers < 0 or timeout < 0:
            raise ValueError(
                f"DataLoader: num_workers must be an int and timeout a number of 0 or more, not {num_workers!r} and "
                f"{timeout!r}"
            )
        if not num_workers and (prefetch_factor is not None or persistent_workers or timeout):
            raise ValueError("DataLoader: prefetch_factor, persistent_workers and timeout need num_workers above 0")
        if prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(f"DataLoader: prefetch_factor must be 1 or more, not {prefetch_factor}")
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler and shuffle exclude one another: the sampler gives the order")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last")
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: batch_size=None makes no batches, so that drop_last has no meaning")
        numpy_of(generator)
        self._iterable = isinstance(dataset, IterableDataset)
        _check(dataset, self._iterable, shuffle, sampler, batch_sampler)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers else prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self._workers: Workers | None = None
        self._epochs = 0
        self.drop_last = drop_last
        self.generator = generator
        self.batch_size = None
        if batch_sampler is None and batch_size is not None:
            self.batch_size = count("DataLoader: batch_size", batch_size)
        if sampler is None and batch_sampler is None and not self._iterable:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        if sampler is not None and self.batch_size is not None:
            batch_sampler = BatchSampler(sampler, self.batch_size, drop_last)
        self.batch_sampler = batch_sampler
        batching = self.batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if batching else default_convert)
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and "_made" in self.__dict__:
            raise ValueError(f"{type(self).__name__}: {name} cannot be changed afterwards; make another DataLoader")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        """The number of batches. Raises `TypeError` where the data set or the sampler has no length."""
        if self.batch_sampler is not None:
            counted: Any = self.batch_sampler
        else:
            counted = self.dataset if self._iterable else self.sampler
        if not isinstance(counted, Sized):
            raise TypeError(
                f"DataLoader: {type(counted).__name__} has no __len__, so that the batches cannot be counted"
            )
        if self._iterable and self.batch_size is not None:
            return batches(len(counted), self.batch_size, self.drop_last)
        return len(counted)

    def __iter__(self) -> Iterator[T_co]:
        if self.num_workers:
            return self._from_workers()
        if self._iterable:
            items = iter(self.dataset)
            if self.batch_size is not None:
                items = batched(items, self.batch_size, self.drop_last)
            return map(self.collate_fn, items)
        if self.batch_sampler is None:
            assert self.sampler is not None
            return (self.collate_fn(self.dataset[i]) for i in iter(self.sampler))
        held = in_memory(self.dataset) if self.collate_fn is default_collate else None
        if held is not None:
            return _sliced(*held, self._orders())  # type: ignore[return-value]
        return (self.collate_fn(fetch(self.dataset, indices)) for indices in iter(self.batch_sampler))

    def _from_workers(self) -> Iterator[T_co]:
        """An epoch of the worker processes, which end with it unless they are persistent."""
        tasks: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        workers = self._workers
        if workers is None:
            # Another for each epoch, and none is drawn: the order of the items is that of a loader without workers.
            drawn = numpy_of(self.generator).bit_generator.state["state"]["state"]
            seed = (drawn + self._epochs * 0x9E3779B97F4A7C15) % 2**62
            self._epochs += 1
            stream = (self._iterable, self.batch_sampler is not None, self.batch_size, self.drop_last)
            job = Job(self.dataset, self.collate_fn, *stream, self.num_workers, seed, self.worker_init_fn)
            workers = Workers(job, self.prefetch_factor or 2, self.timeout, self.multiprocessing_context)
        # They stay only where an epoch comes to its end: one that is broken off leaves batches in the pipes.
        self._workers = None
        done = False
        try:
            yield from workers.epoch(iter(tasks or ()))
            done = True
        finally:
            if done and self.persistent_workers:
                self._workers = workers
            else:
                workers.close()

    def _orders(self) -> Iterator[range | np.ndarray[Any, Any]]:
        """The indices of each batch of the epoch: a range where they follow one another, else an array."""
        by: Any = self.batch_sampler
        whole = type(by) is BatchSampler and type(by.sampler) in (SequentialSampler, RandomSampler)
        if whole and not getattr(by.sampler, "replacement", False):
            order, size = by.sampler.order(), by.batch_size
            return (order[i * size : (i + 1) * size] for i in range(batches(len(order), size, by.drop_last)))
        return (np.asarray([operator.index(i) for i in indices], np.int64) for indices in iter(by))


def _check(dataset: Any, iterable: bool, shuffle: bool, sampler: Any, batch_sampler: Any) -> None:
    name = type(dataset).__name__
    if iterable:
        if shuffle or sampler is not None or batch_sampler is not None:
            raise ValueError(
                f"DataLoader: {name} is an IterableDataset and has its own order; shuffle, sampler and batch_sampler "
                f"do not apply"
            )
        return
    if not hasattr(dataset, "__getitem__"):
        raise TypeError(f"DataLoader: {name} has no __getitem__; a stream must be an IterableDataset")
    if sampler is None and batch_sampler is None and not isinstance(dataset, Sized):
        raise TypeError(f"DataLoader: {name} has no __len__; define it, or give a sampler")


def _sliced(
    tensors: tuple[Tensor, ...], rows: np.ndarray[Any, Any] | None, orders: Iterator[range | np.ndarray[Any, Any]]
) -> Iterator[list[Tensor]]:
    n = len(tensors[0]) if rows is None else len(rows)
    for order in orders:
        if isinstance(order, range) and order.stop <= n:
            where: Any = slice(order.start, order.stop)
        else:
            where = np.asarray(order)
        if rows is not None:
            where = rows[where]
        yield [_rows(t, where) for t in tensors]


def _rows(x: Tensor, where: Any) -> Tensor:
    """The rows of a tensor, copied: a batch may be written to. Without a gradient `take` is faster than indexing."""
    if x.requires_grad:
        return x[where].clone()
    return wrap(np.array(x._data[where]) if isinstance(where, slice) else x._data.take(where, axis=0))
