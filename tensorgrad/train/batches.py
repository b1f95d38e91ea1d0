"""Where batches come from: arrays in memory, or a DataLoader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.autograd.graph import TensorBase, wrap
from tensorgrad.metrics.base import Array
from tensorgrad.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tensorgrad.nn.module import Module
from tensorgrad.random import numpy_of
from tensorgrad.tensor import Tensor
from tensorgrad.train.inputs import must_be_finite
from tensorgrad.utils.data import DataLoader, Dataset

_BATCH_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d)


class Batch(NamedTuple):
    """What a step of training takes."""

    inputs: tuple[Tensor, ...]
    target: Array | None
    weight: Array | None
    size: int


def batch_size_of(module: Module, size: int | None, examples: int) -> int:
    """How many examples make a batch: all of them for None, never more than there are.

    With batch normalisation it is a little more than `size` where a single example would be left for the last batch,
    which could not be normalised.
    """
    size = min(size or examples, examples) or 1
    if any(isinstance(layer, _BATCH_NORMS) for layer in module.modules()):
        while size > 1 and examples % size == 1:
            size += 1
    return size


class InMemory:
    """Arrays as batches of `size` examples, in a new random order each time if `shuffle`.

    Integers become `dtype` a batch at a time, unless `integers` are indices.
    """

    def __init__(
        self,
        inputs: tuple[Array, ...],
        target: Array | None,
        weight: Array | None,
        size: int,
        *,
        dtype: Any,
        integers: bool = False,
        shuffle: bool = False,
    ) -> None:
        self.inputs, self.target, self.weight = inputs, target, weight
        self.examples = len(inputs[0])
        self.size = size
        self.dtype, self.integers = dtype, integers
        self.shuffle = shuffle and self.size < self.examples

    @property
    def steps(self) -> int:
        """How many batches there are."""
        return -(-self.examples // self.size)

    def head(self) -> InMemory:
        """The first two examples, to try something with."""
        target, weight = (None if x is None else x[:2] for x in (self.target, self.weight))
        inputs = tuple(x[:2] for x in self.inputs)
        return InMemory(inputs, target, weight, 2, dtype=self.dtype, integers=self.integers)

    def __iter__(self) -> Iterator[Batch]:
        order = numpy_of(None).permutation(self.examples) if self.shuffle else None
        for start in range(0, self.examples, self.size):
            where: Any = slice(start, start + self.size)
            if order is not None:
                where = order[where]
            # Copies, as an order makes too: a layer may change its input in place, and a loss its target.
            inputs = tuple(wrap(self._converted(x[where].copy() if order is None else x[where])) for x in self.inputs)
            target = None if self.target is None else self.target[where].copy()
            weight = None if self.weight is None else self.weight[where]
            yield Batch(inputs, target, weight, len(inputs[0]))

    def _converted(self, x: Array) -> Array:
        if x.dtype.kind == "f":
            return x
        return x.astype(np.int64 if self.integers and x.dtype.kind in "iu" else self.dtype, copy=False)


class Loaded:
    """The batches of a DataLoader, or of anything that gives (x, y) or (x, y, weight) at each round.

    Floating numbers become `dtype`, as those of arrays do. `encode` makes of a batch's labels what the loss takes; it
    is given none where labels are not wanted.
    """

    def __init__(self, loader: Iterable[Any], encode: Callable[[Any, Any], tuple[Any, Any]] | None, dtype: Any) -> None:
        self.loader, self.encode, self.dtype = loader, encode, dtype
        self.size = getattr(loader, "batch_size", None)

    @property
    def steps(self) -> int | None:
        """How many batches there are, None where that is not known beforehand."""
        try:
            return len(self.loader)  # type: ignore[arg-type]
        except TypeError:
            return None

    def __iter__(self) -> Iterator[Batch]:
        empty = True
        for given in self.loader:
            empty = False
            parts = tuple(given) if isinstance(given, tuple | list) else (given,)
            weight = None
            if self.encode is None:
                # What was made to be trained with is predicted for, too: its labels are left out.
                x = parts[0]
                target = None
            else:
                if len(parts) not in (2, 3):
                    raise ValueError(
                        f"a loader must give batches of (x, y) or (x, y, weight), and gave "
                        f"{len(parts)} part{'s' * (len(parts) != 1)}"
                    )
                x = parts[0]
                target, weight = self.encode(parts[1], parts[2] if len(parts) == 3 else None)
            inputs = tuple(x) if isinstance(x, tuple | list) else (x,)
            tensors: Any = tuple(map(self._converted, inputs))
            yield Batch(tensors, target, weight, len(tensors[0]))
        if empty:
            raise ValueError(
                "the loader gave no batches: it is empty, or an iterator that was used up; give a DataLoader"
            )

    def _converted(self, x: Any) -> TensorBase:
        array = x._data if isinstance(x, TensorBase) else np.asarray(x)
        must_be_finite(array, "batch")
        if array.dtype.kind == "f" and array.dtype != self.dtype:
            return wrap(array.astype(self.dtype))
        return x if isinstance(x, TensorBase) else wrap(array)


def is_loader(X: Any) -> bool:
    """Whether something gives batches, rather than being the examples themselves."""
    if isinstance(X, DataLoader):
        return True
    examples = isinstance(X, TensorBase | np.ndarray | list | tuple | str | dict) or hasattr(X, "__array__")
    if isinstance(X, Dataset) or examples or not hasattr(X, "__iter__") or hasattr(X, "columns") or hasattr(X, "tocsr"):
        return False
    if iter(X) is X:
        raise TypeError(
            f"a {type(X).__name__} gives its batches only once; give a DataLoader, or an object whose __iter__ begins "
            f"anew"
        )
    return True
