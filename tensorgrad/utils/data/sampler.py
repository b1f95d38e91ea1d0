"""Samplers: the order in which items are taken, and their grouping into batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from tensorgrad.random import Generator, numpy_of

T_co = TypeVar("T_co", covariant=True)


def count(what: str, value: Any) -> int:
    """A value as a positive int. Raises `TypeError` for other things than ints, `ValueError` below 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")
    if value.__index__() < 1:
        raise ValueError(f"{what} must be 1 or more, not {value}")
    return int(value.__index__())


class Sampler(Generic[T_co]):
    """The base of samplers: a subclass defines `__iter__()`, over indices, and where it can `__len__()`.

    >>> from tensorgrad.utils.data import DataLoader, Sampler
    >>> class Backwards(Sampler):
    ...     def __iter__(self):
    ...         return iter([2, 1, 0])
    >>> list(DataLoader([10, 20, 30], batch_size=3, sampler=Backwards()))
    [tensor([30, 20, 10])]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: a Sampler must define __iter__()")


class SequentialSampler(Sampler[int]):
    """All indices in order.

    >>> from tensorgrad.utils.data import SequentialSampler
    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(self.order())

    def __len__(self) -> int:
        return len(self.data_source)

    def order(self) -> range:
        """The indices of an epoch."""
        return range(len(self.data_source))


class RandomSampler(Sampler[int]):
    """All indices in a new random order each time, or `num_samples` drawn with `replacement`.

    Without replacement, more samples than there are items come in rounds, each of them all items once. The numbers come
    from `generator`, else from the default one, which `tensorgrad.manual_seed` seeds. Raises `ValueError` for an empty
    data source.

    >>> from tensorgrad.utils.data import RandomSampler
    >>> sorted(RandomSampler("abc"))
    [0, 1, 2]
    >>> len(list(RandomSampler("abc", replacement=True, num_samples=10)))
    10
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not len(data_source):
            raise ValueError("RandomSampler: the data set is empty, so that there is nothing to draw from")
        numpy_of(generator)
        self.data_source = data_source
        self.replacement = replacement
        self.generator = generator
        self._num_samples = None if num_samples is None else count("RandomSampler: num_samples", num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        return self._drawn() if self.replacement else iter(self.order().tolist())

    def __len__(self) -> int:
        return self.num_samples

    def _drawn(self) -> Iterator[int]:
        """Indices drawn as they are asked for: scripts set `num_samples` to more than memory holds."""
        source, n = numpy_of(self.generator), len(self.data_source)
        for start in range(0, self.num_samples, 1024):
            yield from source.integers(0, n, min(1024, self.num_samples - start)).tolist()

    def order(self) -> np.ndarray[Any, Any]:
        """The indices of an epoch without replacement, drawn now."""
        source, n, total = numpy_of(self.generator), len(self.data_source), self.num_samples
        rounds = [source.permutation(n) for _ in range(-(-total // n))]
        return rounds[0][:total] if len(rounds) == 1 else np.concatenate(rounds)[:total]


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a new random order each time.

    >>> from tensorgrad.utils.data import SubsetRandomSampler
    >>> sorted(SubsetRandomSampler([5, 3, 8]))
    [3, 5, 8]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        numpy_of(generator)
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        return iter([self.indices[i] for i in numpy_of(self.generator).permutation(len(self.indices)).tolist()])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices drawn in proportion to `weights`, which need not add up to 1.

    Raises `ValueError` for weights that are negative, not finite or all 0, and for more samples than there are positive
    weights where there is no replacement.

    >>> from tensorgrad.utils.data import WeightedRandomSampler
    >>> list(WeightedRandomSampler([0, 1, 0], 3))
    [1, 1, 1]
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        numpy_of(generator)
        self.weights = np.array(weights, np.float64)
        self.num_samples = count("WeightedRandomSampler: num_samples", num_samples)
        self.replacement = replacement
        self.generator = generator
        if self.weights.ndim != 1:
            raise ValueError(f"WeightedRandomSampler: weights must be a vector, not of shape {self.weights.shape}")
        if not np.isfinite(self.weights).all() or (self.weights < 0).any() or not self.weights.any():
            raise ValueError("WeightedRandomSampler: weights must be finite and 0 or more, and one of them positive")
        positive = int(np.count_nonzero(self.weights))
        if not replacement and self.num_samples > positive:
            raise ValueError(
                f"WeightedRandomSampler: {self.num_samples} samples without replacement need as many positive weights, "
                f"and there are {positive}"
            )

    def __iter__(self) -> Iterator[int]:
        p = self.weights / self.weights.sum()
        drawn = numpy_of(self.generator).choice(len(p), self.num_samples, self.replacement, p)
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of `batch_size`; `drop_last` leaves out a shorter last one.

    Raises `ValueError` for a batch size below 1.

    >>> from tensorgrad.utils.data import BatchSampler
    >>> list(BatchSampler(range(5), 2, False)), list(BatchSampler(range(5), 2, True))
    ([[0, 1], [2, 3], [4]], [[0, 1], [2, 3]])
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool = False) -> None:
        self.sampler = sampler
        self.batch_size = count("BatchSampler: batch_size", batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        return batched(iter(self.sampler), self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return batches(len(self.sampler), self.batch_size, self.drop_last)  # type: ignore[arg-type]


def batched(items: Iterator[Any], batch_size: int, drop_last: bool) -> Iterator[list[Any]]:
    """Lists of `batch_size` items, the last one shorter or left out."""
    while batch := list(itertools.islice(items, batch_size)):
        if drop_last and len(batch) < batch_size:
            return
        yield batch


def batches(n: int, batch_size: int, drop_last: bool) -> int:
    """How many batches n items make."""
    return n // batch_size if drop_last else -(-n // batch_size)
