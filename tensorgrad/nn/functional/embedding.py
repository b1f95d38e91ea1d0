"""Embeddings as functions: rows of a matrix looked up by index, one by one or in bags."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.autograd import no_grad
from tensorgrad.backends.cpu import Slot
from tensorgrad.backends.dtypes import bool_
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.checks import must_be_tensors
from tensorgrad.ops.embedding import bag_of_op, embedding_op, spread_op
from tensorgrad.ops.index import unindex_op
from tensorgrad.tensor import Tensor


def row_of(name: str, padding_idx: int | None, rows: int) -> int | None:
    """The row of the padding, counted from the first. Raises `ValueError` where there is no such row."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise ValueError(f"{name}: padding_idx {padding_idx} is out of range for {rows} embeddings")
    return padding_idx % rows


def refuse_sparse(name: str, sparse: bool) -> None:
    """Raise `ValueError` for sparse gradients."""
    if sparse:
        raise ValueError(f"{name}: sparse=True is not supported, for gradients are dense; leave it out")


def _check(name: str, input: Any, weight: Any) -> None:
    must_be_tensors(name, input=input, weight=weight)
    if input.dtype.kind not in "iu":
        swapped = "; the indices come first, and the weight second" if weight.dtype.kind in "iu" else ""
        raise DtypeError(
            f"{name}: input must hold indices, integers, not {input.dtype.name}{swapped or '; convert with .long()'}"
        )
    if weight.ndim != 2:
        raise ShapeError(f"{name}: weight must be a matrix, a row per index, and has shape {weight.shape}")
    if input.numel():
        low, high = int(input._data.min()), int(input._data.max())
        if low < 0 or high >= weight.shape[0]:
            raise IndexError(
                f"{name}: the indices span {low} to {high}, and the weight of shape {weight.shape} has rows 0 to "
                f"{weight.shape[0] - 1}"
            )


def _shorten(input: Tensor, weight: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to a norm, in place and without a record."""
    with no_grad():
        used = input.reshape(-1)
        weight[used] = ops.renorm(weight[used], norm_type, 0, max_norm)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of weight (V, D) that integers of any shape name: (*, D).

    The row `padding_idx` gets no gradient. `max_norm` first scales the rows that are looked up down to that `norm_type`
    norm, in the weight itself; `scale_grad_by_freq` divides the gradient of a row by how often it was looked up.
    Raises `IndexError` for an index out of range, `DtypeError` for indices that are not integers, `ValueError` for
    `sparse`, which there is not.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.embedding(tg.tensor([1, 0]), tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    _check("embedding", input, weight)
    refuse_sparse("embedding", sparse)
    padding_idx = row_of("embedding", padding_idx, weight.shape[0])
    if max_norm is not None:
        _shorten(input, weight, max_norm, norm_type)
    return embedding_op(weight, input, padding_idx=padding_idx, by_frequency=scale_grad_by_freq)


def _check_bags(
    name: str,
    input: Tensor,
    weight: Tensor,
    offsets: Any,
    mode: str,
    scale_grad_by_freq: bool,
    per_sample_weights: Any,
    include_last_offset: bool,
) -> None:
    """Check what `embedding_bag` takes besides indices and a matrix."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{name}: mode must be 'sum', 'mean' or 'max', not {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError(f"{name}: scale_grad_by_freq does not go with mode='max'")
    if per_sample_weights is not None:
        if mode != "sum":
            raise ValueError(f"{name}: per_sample_weights go with mode='sum', not {mode!r}")
        if per_sample_weights.shape != input.shape:
            raise ShapeError(
                f"{name}: per_sample_weights must have the input's shape {input.shape}, not {per_sample_weights.shape}"
            )
        if per_sample_weights.dtype != weight.dtype:
            raise DtypeError(
                f"{name}: per_sample_weights are {per_sample_weights.dtype.name}, and must have the weight's dtype, "
                f"{weight.dtype.name}; convert them with .to(...)"
            )
    if input.ndim not in (1, 2):
        raise ShapeError(f"{name}: input must have shape (B, N), or (N) beside offsets, and has {input.shape}")
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(f"{name}: an input of shape {input.shape} is divided already; leave offsets out")
        return
    if not isinstance(offsets, Tensor) or offsets.ndim != 1 or offsets.dtype.kind not in "iu":
        got = f"{offsets.dtype.name} of shape {offsets.shape}" if isinstance(offsets, Tensor) else offsets
        raise ShapeError(
            f"{name}: an input of one dimension needs offsets, a vector of integers: where each bag begins, not {got}"
        )
    starts, size = offsets._data, input.shape[0]
    if not starts.size and (size or include_last_offset):
        raise ValueError(f"{name}: offsets are empty, and the input has {size} indices; the first bag begins at 0")
    if starts.size and (starts[0] != 0 or int(starts[-1]) > size or (starts[1:] < starts[:-1]).any()):
        raise ValueError(f"{name}: offsets must rise from 0 to at most {size}, the input's length, and are {starts}")


def _largest(rows: Any, counts: Any) -> Any:
    """The largest of the rows (B, N, D) of each bag among those that count (B, N); zeros where none does."""
    if not rows.shape[1]:
        return rows.sum(1)
    largest = ops.max(ops.where(counts.unsqueeze(-1), rows, -math.inf), 1).values
    return ops.where(ops.any(counts, 1, keepdim=True), largest, 0.0)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum ("max") of the rows of weight (V, D) that each bag of integers names: (B, D).

    Input (B, N) is B bags of N; input (N) is divided by `offsets` (B), where the bags begin (with
    `include_last_offset` also where the last one ends). An empty bag gives zeros. `per_sample_weights`, of the input's
    shape, scale the rows of a sum. The row `padding_idx` does not count at all; for `max_norm` and
    `scale_grad_by_freq` see `embedding`. Raises `IndexError` for an index out of range, `ValueError` for another mode,
    for offsets that do not rise from 0, and for `sparse`.

    >>> import tensorgrad as tg
    >>> weight = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tg.nn.functional.embedding_bag(tg.tensor([0, 1, 1]), weight, tg.tensor([0, 2]))
    tensor([[2., 3.],
            [3., 4.]])
    """
    name = "embedding_bag"
    _check(name, input, weight)
    refuse_sparse(name, sparse)
    _check_bags(name, input, weight, offsets, mode, scale_grad_by_freq, per_sample_weights, include_last_offset)
    padding_idx = row_of(name, padding_idx, weight.shape[0])
    bags, count = None, 0
    if offsets is not None:
        if include_last_offset:
            end, offsets = int(offsets[-1]), offsets[:-1]
            input = input[:end]
            per_sample_weights = None if per_sample_weights is None else per_sample_weights[:end]
        bags, count = bag_of_op(offsets, count=input.shape[0]), offsets.shape[0]
    if max_norm is not None:
        _shorten(input, weight, max_norm, norm_type)
    if mode == "max" and bags is not None:
        input, inside = spread_op(input, bags, count=count)
    else:
        inside = input.new_ones(input.shape, dtype=bool_)
    rows = embedding_op(weight, input, padding_idx=padding_idx, by_frequency=scale_grad_by_freq)
    counts = inside if padding_idx is None else ops.logical_and(inside, input != padding_idx)
    if mode == "max":
        return _largest(rows, counts)

    def total(x: Any) -> Any:
        if bags is None:
            return x.sum(1)
        return unindex_op(x, bags, template=(Slot(0),), shape=(count, *x.shape[1:]))

    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(-1)
    if padding_idx is not None:
        rows = ops.where(counts.unsqueeze(-1), rows, 0.0)
    y = total(rows)
    return y if mode == "sum" else y / ops.clamp(total(counts.to(y.dtype)), min=1.0).unsqueeze(-1)
