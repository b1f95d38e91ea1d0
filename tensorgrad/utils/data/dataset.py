"""Data sets: things with a length and items, and ways to join and divide them."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar, cast

import numpy as np

from tensorgrad.creation import as_tensor
from tensorgrad.errors import ShapeError
from tensorgrad.random import Generator, numpy_of
from tensorgrad.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """The base of data sets that have items by index: a subclass defines `__getitem__(index)` and `__len__()`.

    It is a convenience: a DataLoader takes any object with these two methods.

    >>> from tensorgrad.utils.data import Dataset
    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> (Squares() + Squares())[7]
    9
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__}: a Dataset must define __getitem__(index)")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """The base of data sets that are streams: a subclass defines `__iter__()`, and there is no access by index.

    >>> from tensorgrad.utils.data import DataLoader, IterableDataset
    >>> class Count(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(5))
    >>> list(DataLoader(Count(), batch_size=2))
    [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: an IterableDataset must define __iter__()")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors, or arrays, of one length; item i is the tuple of their rows i.

    Arrays become tensors that share their memory. Raises `ShapeError` where the lengths differ.

    >>> import tensorgrad as tg
    >>> from tensorgrad.utils.data import TensorDataset
    >>> data = TensorDataset(tg.eye(3), tg.tensor([0, 1, 2]))
    >>> len(data), data[1]
    (3, (tensor([0., 1., 0.]), tensor(1)))
    """

    def __init__(self, *tensors: Any) -> None:
        for t in tensors:
            if isinstance(t, list | tuple):
                raise TypeError(
                    f"TensorDataset: it takes tensors or arrays as separate arguments, not a {type(t).__name__}: "
                    f"TensorDataset(X, y)"
                )
        self.tensors: tuple[Tensor, ...] = tuple(as_tensor(t) for t in tensors)
        shapes = [tuple(t.shape) for t in self.tensors]
        if not shapes:
            raise ValueError("TensorDataset: it takes at least one tensor")
        if () in shapes:
            raise ShapeError(f"TensorDataset: tensor {shapes.index(())} has no dimensions, and so no rows")
        if len({shape[0] for shape in shapes}) > 1:
            lengths = ", ".join(str(shape[0]) for shape in shapes)
            raise ShapeError(f"TensorDataset: the tensors must have one length, and have {lengths}; shapes {shapes}")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def in_memory(self) -> tuple[Tensor, ...] | None:
        """The tensors whose rows are the items, or None where a subclass computes its items in another way."""
        cls = type(self)
        same = cls.__getitem__ is TensorDataset.__getitem__ and cls.__len__ is TensorDataset.__len__
        return self.tensors if same else None


class Subset(Dataset[T_co]):
    """The items of a data set at `indices`, in their order.

    >>> from tensorgrad.utils.data import Subset
    >>> list(Subset("abcdef", [4, 0, 1]))
    ['e', 'a', 'b']
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return cast(T_co, self.dataset[[self.indices[i] for i in index]])
        return cast(T_co, self.dataset[self.indices[index]])

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        """The items at several indices, fetched together where the data set can."""
        return fetch(self.dataset, [self.indices[i] for i in indices])


class ConcatDataset(Dataset[T_co]):
    """Several data sets, one after the other. Raises `ValueError` for none, `TypeError` for one without a length.

    >>> from tensorgrad.utils.data import ConcatDataset
    >>> data = ConcatDataset(["ab", "cde"])
    >>> len(data), data[2], data[-1]
    (5, 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: it takes at least one data set")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset) or not isinstance(dataset, Sized):
                raise TypeError(f"ConcatDataset: {type(dataset).__name__} has no items by index and length to join by")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ConcatDataset: index {index} is out of range for {n} items")
        index %= n
        which = bisect.bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[which - 1] if which else 0
        return cast(T_co, self.datasets[which][index - start])


class ChainDataset(IterableDataset[T_co]):
    """Streams one after another.

    >>> from tensorgrad.utils.data import ChainDataset, IterableDataset
    >>> class Count(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(ChainDataset([Count(), Count()]))
    [0, 1, 0, 1]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        for i, dataset in enumerate(self.datasets):
            if not isinstance(dataset, IterableDataset):
                raise TypeError(f"ChainDataset: data set {i} is {type(dataset).__name__}, not an IterableDataset")

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class StackDataset(Dataset[Any]):
    """Data sets of one length side by side: an item is the tuple (or, by keywords, the dict) of their items.

    Raises `ShapeError` where their lengths differ, `ValueError` for none, or for some by position and some by name.

    >>> from tensorgrad.utils.data import StackDataset
    >>> StackDataset([1, 2], ["a", "b"])[1]
    (2, 'b')
    >>> StackDataset(number=[1, 2], letter=["a", "b"])[0]
    {'number': 1, 'letter': 'a'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: give data sets by position, or all of them by keyword")
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in (args or kwargs.values())]
        if len(set(lengths)) > 1:
            raise ShapeError(f"StackDataset: the data sets must have one length, and have {lengths}")
        self._length = lengths[0]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {key: dataset[index] for key, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)


def random_split(dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset[Any]]:
    """Divide a data set at random into subsets of the given lengths, or of fractions that add up to 1.

    Items that rounding the fractions down leaves over go to the parts one each, from the first on. Raises `ValueError`
    unless the lengths add up to that of the data set; warns where a fraction gives an empty part.

    >>> import tensorgrad as tg
    >>> from tensorgrad.utils.data import random_split
    >>> train, test = random_split(range(10), [0.8, 0.2], generator=tg.Generator().manual_seed(0))
    >>> len(train), len(test), sorted([*train, *test]) == list(range(10))
    (8, 2, True)
    """
    n = len(dataset)
    if any(not length >= 0 for length in lengths):
        raise ValueError(f"random_split: lengths cannot be negative: {list(lengths)}")
    if lengths and math.isclose(sum(lengths), 1):
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, (size, fraction) in enumerate(zip(sizes, lengths)):
            if not size and fraction:
                warnings.warn(f"random_split: part {i}, {fraction} of {n} items, is empty", stacklevel=2)
    else:
        sizes = [int(length) for length in lengths]
        if sizes != list(lengths) or sum(sizes) != n:
            raise ValueError(
                f"random_split: the lengths {list(lengths)} must be ints that add up to the data set's {n} items, "
                f"or fractions that add up to 1"
            )
    order = numpy_of(generator).permutation(n).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends)]


def fetch(dataset: Any, indices: list[Any]) -> list[Any]:
    """The items at several indices: by the data set's own `__getitems__` where it has one."""
    together = getattr(dataset, "__getitems__", None)
    if together is None:
        return [dataset[i] for i in indices]
    items: list[Any] = together(indices)
    if len(items) != len(indices):
        raise ValueError(
            f"{type(dataset).__name__}.__getitems__: it was asked for {len(indices)} items and returned {len(items)}"
        )
    return items


def in_memory(dataset: Any) -> tuple[tuple[Tensor, ...], np.ndarray[Any, Any] | None] | None:
    """Tensors whose rows are a data set's items, and which rows (None: all, in order); None for any other data set."""
    if isinstance(dataset, TensorDataset):
        tensors = dataset.in_memory()
        return None if tensors is None else (tensors, None)
    if type(dataset) is not Subset:
        return None
    held = in_memory(dataset.dataset)
    if held is None:
        return None
    tensors, rows = held
    indices = dataset.indices
    if rows is None and isinstance(indices, range) and indices.step == 1:
        start, stop = indices.start, indices.stop
        if 0 <= start <= stop <= len(tensors[0]):
            return tuple(t[start:stop] for t in tensors), None
    chosen = np.asarray(indices)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        return None
    return tensors, chosen if rows is None else rows[chosen]
