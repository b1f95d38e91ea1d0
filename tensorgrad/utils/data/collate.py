"""Making one batch of a list of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad.backends.dtypes import float64
from tensorgrad.creation import as_tensor, tensor
from tensorgrad.errors import ShapeError
from tensorgrad.ops import stack
from tensorgrad.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch of a list of samples: what they are made of is stacked along a new first dimension.

    Tensors and arrays are stacked; Python floats become float64, ints int64 and bools bool, NumPy numbers keep their
    dtype; strings and bytes stay a list. Tuples, lists, named tuples and mappings are collated field by field (tuples
    give a list, as in PyTorch). Raises `ShapeError` for tensors of unequal shapes or sequences of unequal lengths,
    `KeyError` for mappings of other keys, and `TypeError` for samples of another kind, such as None.

    >>> import tensorgrad as tg
    >>> from tensorgrad.utils.data import default_collate
    >>> default_collate([(tg.zeros(2), 3), (tg.ones(2), 4)])
    [tensor([[0., 0.],
            [1., 1.]]), tensor([3, 4])]
    >>> default_collate([{"x": 1.5, "name": "a"}, {"x": 2.5, "name": "b"}])
    {'x': tensor([1.5000, 2.5000], dtype=float64), 'name': ['a', 'b']}
    """
    if not len(batch):
        raise ValueError("default_collate: the batch is empty")
    return _collate(batch, "")


def _collate(batch: Sequence[Any], where: str) -> Any:
    first = batch[0]
    if isinstance(first, str | bytes):
        _check_kind(batch, str | bytes, where)
        return list(batch)
    if isinstance(first, Tensor | np.ndarray):
        _check_kind(batch, Tensor | np.ndarray | np.generic, where)
        return _stacked([as_tensor(x) for x in batch], where)
    if isinstance(first, np.generic):
        _check_kind(batch, np.generic | int | float, where)
        return as_tensor(np.asarray(batch))
    if isinstance(first, int | float):
        _check_kind(batch, int | float | np.generic, where)
        return tensor(list(batch), dtype=float64 if isinstance(first, float) else None)
    if isinstance(first, Mapping):
        return _collate_mappings(batch, first, where)
    if isinstance(first, list | tuple):
        return _collate_sequences(batch, first, where)
    raise TypeError(_cannot(first, 0, where))


def _collate_mappings(batch: Sequence[Any], first: Mapping[Any, Any], where: str) -> Any:
    _check_kind(batch, Mapping, where)
    for i, sample in enumerate(batch):
        if sample.keys() != first.keys():
            raise KeyError(
                f"default_collate: all samples{_at(where)} must have the same keys: sample 0 has {list(first)}, "
                f"sample {i} has {list(sample)}"
            )
    made = {key: _collate([sample[key] for sample in batch], f"{where}[{key!r}]") for key in first}
    if type(first) is dict:
        return made
    try:
        return type(first)(made)  # type: ignore[call-arg]
    except TypeError:  # a mapping that cannot be made from a dict, such as a defaultdict
        return made


def _collate_sequences(batch: Sequence[Any], first: list[Any] | tuple[Any, ...], where: str) -> Any:
    _check_kind(batch, list | tuple, where)
    for i, sample in enumerate(batch):
        if len(sample) != len(first):
            raise ShapeError(
                f"default_collate: all samples{_at(where)} must have the same length: sample 0 has {len(first)} "
                f"elements, sample {i} has {len(sample)}; pad them in the data set, or give DataLoader a collate_fn"
            )
    fields = [_collate([sample[k] for sample in batch], f"{where}[{k}]") for k in range(len(first))]
    return type(first)(*fields) if hasattr(first, "_fields") else fields


def _stacked(tensors: list[Tensor], where: str) -> Any:
    shape = tensors[0].shape
    for i, x in enumerate(tensors):
        if x.shape != shape:
            raise ShapeError(
                f"default_collate: all samples{_at(where)} must have the same shape: sample 0 has {tuple(shape)}, "
                f"sample {i} has {tuple(x.shape)}; pad or crop them in the data set, or give DataLoader a collate_fn"
            )
    return stack(tensors)


def _check_kind(batch: Sequence[Any], kinds: Any, where: str) -> None:
    for i, sample in enumerate(batch):
        if not isinstance(sample, kinds):
            raise TypeError(f"{_cannot(sample, i, where)}; sample 0 is a {type(batch[0]).__name__}")


def _cannot(sample: Any, i: int, where: str) -> str:
    return (
        f"default_collate: sample {i}{_at(where)} is a {type(sample).__name__}, which cannot be batched here: samples "
        f"must all be tensors, arrays, numbers, strings, or tuples, lists or mappings of these"
    )


def _at(where: str) -> str:
    return f" at {where}" if where else ""


def default_convert(data: Any) -> Any:
    """A sample with the arrays and NumPy numbers in it made tensors, which share their memory; the rest as it is.

    A DataLoader that makes no batches (`batch_size=None`) applies this to each sample. Tuples give a list, as in
    PyTorch.

    >>> import numpy as np
    >>> from tensorgrad.utils.data import default_convert
    >>> default_convert({"x": np.arange(2), "name": "a"})
    {'x': tensor([0, 1]), 'name': 'a'}
    """
    if isinstance(data, Tensor | str | bytes):
        return data
    if isinstance(data, np.ndarray | np.generic):
        return as_tensor(data) if data.dtype.kind in "biuf" else data
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        made = [default_convert(x) for x in data]
        return type(data)(*made) if hasattr(data, "_fields") else made
    return data
