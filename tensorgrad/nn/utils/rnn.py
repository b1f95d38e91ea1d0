"""Sequences of several lengths in one batch: padded to one length, or packed without the padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.autograd.graph import wrap
from tensorgrad.creation import full
from tensorgrad.errors import ShapeError
from tensorgrad.ops import cat, index_select
from tensorgrad.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """A batch of sequences without padding, as `pack_padded_sequence` and `pack_sequence` make it.

    It is a named tuple. `data` (sum of the lengths, ...) has the elements of the first step of all sequences, then
    those of the second, and so on, the longest sequence first; `batch_sizes` (the greatest length) says how many
    sequences each step has. `sorted_indices` says where each of the sorted sequences was, `unsorted_indices` the
    inverse; both are None where they were sorted already.

    >>> import tensorgrad as tg
    >>> packed = tg.nn.utils.rnn.pack_sequence([tg.tensor([1, 2, 3]), tg.tensor([4, 5])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        """The fields as they are given, or the first two as a pair; what is missing is worked out."""
        if batch_sizes is None:
            if not (isinstance(data, list | tuple) and len(data) == 2):
                raise TypeError("PackedSequence: without batch_sizes, data must be a pair (data, batch_sizes)")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences with `data.to(...)`; this object where nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self) -> PackedSequence:
        """This object: it is there already."""
        return self

    def double(self) -> PackedSequence:
        """The sequences as float64."""
        return self.to(np.float64)

    def float(self) -> PackedSequence:
        """The sequences as float32."""
        return self.to(np.float32)

    def half(self) -> PackedSequence:
        """The sequences as float16."""
        return self.to(np.float16)

    def long(self) -> PackedSequence:
        """The sequences as int64."""
        return self.to(np.int64)

    def int(self) -> PackedSequence:
        """The sequences as int32."""
        return self.to(np.int32)

    def short(self) -> PackedSequence:
        """The sequences as int16."""
        return self.to(np.int16)

    def char(self) -> PackedSequence:
        """The sequences as int8."""
        return self.to(np.int8)

    def byte(self) -> PackedSequence:
        """The sequences as uint8."""
        return self.to(np.uint8)

    @property
    def is_cuda(self) -> bool:
        """False: the sequences are on the CPU."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The inverse of a permutation of 0, 1, ...; None for None.

    >>> import tensorgrad as tg
    >>> tg.nn.utils.rnn.invert_permutation(tg.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    return wrap(np.argsort(permutation._data))


def _lengths(name: str, lengths: Any, batch: int) -> np.ndarray[Any, Any]:
    """The lengths of the sequences of a batch, as integers."""
    given = np.asarray(lengths._data if isinstance(lengths, Tensor) else [int(n) for n in lengths], np.int64)
    if given.shape != (batch,):
        raise ShapeError(f"{name}: lengths has shape {given.shape}, and the batch {batch} sequences; give one for each")
    return given


def _as_batch_first(name: str, padded: Any, batch_first: bool) -> Any:
    if padded.ndim < 2:
        raise ShapeError(f"{name}: it takes (T, B, ...), or (B, T, ...) with batch_first, not shape {padded.shape}")
    return padded if batch_first else padded.transpose(0, 1)


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The sequences of a padded batch (T, B, ...), with `batch_first` (B, T, ...), without the padding.

    `lengths` has the length of each sequence, 1 or more; they must not increase, unless `enforce_sorted` is False,
    which sorts them. Raises `ValueError` for lengths that are not so, or that are greater than T.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> tg.nn.utils.rnn.pack_padded_sequence(x, [2, 1, 3], batch_first=True, enforce_sorted=False).data
    tensor([4, 1, 3, 5, 2, 6])
    """
    rows = _as_batch_first("pack_padded_sequence", input, batch_first)
    batch, steps = rows.shape[:2]
    counts = _lengths("pack_padded_sequence", lengths, batch)
    if not batch or counts.min() < 1 or counts.max() > steps:
        raise ValueError(
            f"pack_padded_sequence: lengths must be from 1 to {steps}, the steps of the input, and there must be one; "
            f"got {counts.tolist()}"
        )
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts, rows = counts[order], index_select(rows, 0, wrap(order))
    elif (np.diff(counts) > 0).any():
        raise ValueError(
            f"pack_padded_sequence: lengths must not increase, got {counts.tolist()}; pass enforce_sorted=False to "
            f"have the sequences sorted"
        )
    inside = np.arange(counts[0])[:, None] < counts
    step, sequence = np.nonzero(inside)
    return PackedSequence(rows[wrap(sequence), wrap(step)], wrap(inside.sum(1)), None if order is None else wrap(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The inverse of `pack_padded_sequence`: the batch (T, B, ...), with `batch_first` (B, T, ...), and the lengths.

    T is the greatest length, or `total_length`, which raises `ValueError` where it is smaller.

    >>> import tensorgrad as tg
    >>> packed = tg.nn.utils.rnn.pack_sequence([tg.tensor([1, 2]), tg.tensor([3])])
    >>> tg.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    sizes = sequence.batch_sizes._data
    steps = len(sizes)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                f"pad_packed_sequence: total_length is {total_length}, and the longest sequence has {steps} steps"
            )
        steps = total_length
    inside = np.arange(sizes[0]) < sizes[:, None]
    step, column = np.nonzero(inside)
    lengths = inside.sum(0)
    if sequence.sorted_indices is not None:
        column = sequence.sorted_indices._data[column]
        lengths = lengths[sequence.unsorted_indices._data]  # type: ignore[union-attr]
    lead, at = ((sizes[0], steps), (column, step)) if batch_first else ((steps, sizes[0]), (step, column))
    padded = full((*map(int, lead), *sequence.data.shape[1:]), padding_value, dtype=sequence.data.dtype)
    padded[wrap(at[0]), wrap(at[1])] = sequence.data
    return padded, wrap(lengths)


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (L, ...) of several lengths as a batch (T, B, ...), with `batch_first` (B, T, ...), of the greatest.

    The rest is `padding_value`, at the end or, with `padding_side="left"`, at the start. Raises `ShapeError` where the
    other dimensions differ, `ValueError` for no sequences, or another side.

    >>> import tensorgrad as tg
    >>> tg.nn.utils.rnn.pad_sequence([tg.tensor([1, 2]), tg.tensor([3])], batch_first=True, padding_side="left")
    tensor([[1, 2],
            [0, 3]])
    """
    sequences = tuple(sequences)
    if not sequences:
        raise ValueError("pad_sequence: there are no sequences")
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side must be 'right' or 'left', not {padding_side!r}")
    first = sequences[0]
    for i, x in enumerate(sequences):
        if not x.ndim or x.shape[1:] != first.shape[1:]:
            raise ShapeError(
                f"pad_sequence: sequences must have a length, and agree in the other dimensions; sequence 0 has shape "
                f"{tuple(first.shape)}, sequence {i} has {tuple(x.shape)}"
            )
    counts = np.array([x.shape[0] for x in sequences])
    steps = np.arange(counts.max())
    start = (counts.max() - counts if padding_side == "left" else np.zeros_like(counts))[:, None]
    column, step = np.nonzero((steps >= start) & (steps < start + counts[:, None]))
    lead, at = (len(counts), len(steps)), (column, step)
    if not batch_first:
        lead, at = lead[::-1], at[::-1]
    padded = full((*lead, *first.shape[1:]), padding_value, dtype=first.dtype)
    padded[wrap(at[0]), wrap(at[1])] = cat(sequences).to(first.dtype)
    return padded


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The inverse of `pad_sequence`: views of the sequences of a batch (T, B, ...), with `batch_first` (B, T, ...).

    >>> import tensorgrad as tg
    >>> tg.nn.utils.rnn.unpad_sequence(tg.tensor([[1, 2], [3, 0]]), tg.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    rows = _as_batch_first("unpad_sequence", padded_sequences, batch_first)
    counts = _lengths("unpad_sequence", lengths, rows.shape[0])
    return [rows[i, : max(count, 0)] for i, count in enumerate(counts.tolist())]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (L, ...) packed: `pad_sequence` and `pack_padded_sequence` in one.

    >>> import tensorgrad as tg
    >>> tg.nn.utils.rnn.pack_sequence([tg.tensor([1, 2]), tg.tensor([3])]).data
    tensor([1, 3, 2])
    """
    return pack_padded_sequence(pad_sequence(sequences), [len(x) for x in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The inverse of `pack_sequence`.

    >>> import tensorgrad as tg
    >>> tg.nn.utils.rnn.unpack_sequence(tg.nn.utils.rnn.pack_sequence([tg.tensor([1, 2]), tg.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
