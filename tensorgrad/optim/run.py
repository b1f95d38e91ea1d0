"""How an optimizer's step is laid out in memory: few small parameters at a time, large ones piece by piece.

An update is a dozen NumPy calls. On small parameters their fixed cost is all there is, so that parameters under `SMALL`
elements are updated together, their state side by side in one array. Large ones are updated in pieces of `PIECE`
elements, which stay in the cache from one call to the next. Either way the working memory is made once and used again.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import TensorBase, spec, wrap
from tensorgrad.backends.dtypes import float16, float32
from tensorgrad.errors import ShapeError

Array = np.ndarray[Any, Any]

SMALL = 1 << 13
PIECE = 1 << 18
STRIP = 16  # columns at a time of a transposing copy: four times as fast as all at once


def computing_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What the update and its state of a parameter are computed in: its own dtype, and float32 for float16.

    In float16 the square of a gradient under 2e-4 and an eps of 1e-8 are 0, and Adam divides 0 by 0.
    """
    return float32 if dtype == float16 else dtype


class Workspace:
    """The working memory of one dtype, shared by all the runs of an optimizer."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._cells: list[Array] = []
        self._buffers = (np.empty(0, dtype), np.empty(0, dtype))

    def scalars(self, values: tuple[float, ...]) -> list[Array]:
        """The numbers as arrays of no dimensions: a ufunc takes these twice as fast as Python's."""
        cells = self._cells
        if len(cells) != len(values):
            self._cells = cells = [np.empty((), self.dtype) for _ in values]
        for cell, value in zip(cells, values):
            cell[()] = value
        return cells

    def buffers(self, size: int) -> tuple[Array, Array]:
        """Two flat arrays."""
        if self._buffers[0].size < size:
            self._buffers = np.empty(size, self.dtype), np.empty(size, self.dtype)
        work, change = self._buffers
        return work[:size], change[:size]


class Run:
    """Parameters of one dtype and age that are updated as one flat array: several small ones, or a single one.

    `pieces` are what the update is called on: where in the run, two buffers, the state there, and the pairs of a
    parameter's memory and the part of the second buffer that is to be subtracted from it.
    """

    def __init__(
        self,
        params: list[Any],
        entries: list[Any],
        fills: dict[str, float],
        step: int,
        counted: bool,
        numbers: dict[str, float],
        space: Workspace,
    ) -> None:
        arrays = [p._data for p in params]
        ends = np.cumsum([a.size for a in arrays]).tolist()
        spans = [slice(end - a.size, end) for end, a in zip(ends, arrays)]
        self.size: int = ends[-1]
        self.step, self.counted, self.numbers, self.space = step, counted, numbers, space
        flats = {name: np.full(self.size, fill, space.dtype) for name, fill in fills.items()}
        self.members: list[tuple[Any, Array, dict[str, Any], tuple[tuple[str, Any], ...]]] = []
        for p, array, entry, span in zip(params, arrays, entries, spans):
            for name, flat in flats.items():
                part = flat[span].reshape(array.shape)
                if name in entry:
                    part[...] = entry[name]._data
                entry[name] = wrap(part)
            self.members.append((p, array, entry, tuple((name, entry[name]) for name in fills)))
        self._gathered: Array | None = None
        self.pieces = self._pieces(arrays, spans, list(flats.values()))

    def _pieces(self, arrays: list[Array], spans: list[slice], flats: list[Array]) -> list[Any]:
        single = arrays[0]
        if len(arrays) > 1 or self.size <= PIECE or not single.flags.c_contiguous or single.dtype != self.space.dtype:
            work, change = self.space.buffers(self.size)
            targets = [(a, change[span].reshape(a.shape)) for a, span in zip(arrays, spans)]
            return [(slice(None), work, change, flats, targets)]
        flat, pieces = single.reshape(-1), []
        for start in range(0, self.size, PIECE):
            where = slice(start, min(start + PIECE, self.size))
            work, change = self.space.buffers(where.stop - start)
            pieces.append((where, work, change, [f[where] for f in flats], [(flat[where], change)]))
        return pieces

    def gradients(self, state: dict[Any, Any]) -> list[Array] | None:
        """All the members' gradients, none where none has one, or None where the run is no longer what it was."""
        grads, numbers = [], self.numbers
        for p, array, entry, tensors in self.members:
            if p._grad is not None:
                grads.append(p._grad._data)
            if p._data is not array:
                return None
            if tensors or self.counted:
                if state.get(p) is not entry or (self.counted and entry.get("step") != self.step):
                    return None
                if numbers and any(entry.get(name) != number for name, number in numbers.items()):
                    return None
                for name, tensor in tensors:
                    if entry.get(name) is not tensor:
                        return None
        return grads if not grads or len(grads) == len(self.members) else None

    def flatten(self, grads: list[Array]) -> Array:
        """The gradients as one flat array, in the dtype of the computation."""
        first = grads[0]
        if len(grads) == 1 and first.dtype == self.space.dtype and first.flags.c_contiguous:
            return first.reshape(-1)
        if self._gathered is None:
            self._gathered = np.empty(self.size, self.space.dtype)
        if len(grads) > 1 or first.ndim < 2:
            return np.concatenate(grads, axis=None, out=self._gathered)
        rows = self._gathered.reshape(first.shape)
        for i in range(0, first.shape[-1], STRIP):
            rows[..., i : i + STRIP] = first[..., i : i + STRIP]
        return self._gathered


class Layout:
    """The runs of one parameter group, and the parameters that never had a gradient."""

    def __init__(self, params: list[Any], fills: dict[str, float], counted: bool, numbers: Mapping[str, float]) -> None:
        self.params = list(params)
        self.fills = fills
        self.counted = counted
        self.numbers = numbers
        self.runs: list[Run] = []
        self.idle = list(params)
        self._alone: set[int] = set()

    def fits(self, params: list[Any], fills: dict[str, float]) -> bool:
        """Whether it was made for these parameters and these names of state."""
        return fills == self.fills and len(params) == len(self.params) and all(map(operator.is_, params, self.params))

    def dissolve(self, run: Run) -> None:
        """Give up a run. A member that has no gradient when others do is on its own from then on."""
        self.runs.remove(run)
        for p, *_ in run.members:
            self.idle.append(p)
            if p._grad is None:
                self._alone.add(id(p))

    def place(self, state: dict[Any, Any], spaces: dict[Any, Workspace]) -> list[Run]:
        """Make runs of the idle parameters that have a gradient, and return these."""
        ready = [p for p in self.idle if p._grad is not None]
        if not ready:
            return []
        packs: dict[Any, list[Any]] = {}
        for number, p in enumerate(ready):
            size, dtype = p._data.size, p._data.dtype
            self._check(p, state.get(p, {}))
            apart = size > SMALL or not p._data.flags.c_contiguous or id(p) in self._alone
            age = self._age(state.get(p, {}))
            packs.setdefault((dtype, *age, number if apart else None), []).append(p)
        made = [self._run(part, state, spaces) for pack in packs.values() for part in _parts(pack)]
        self.idle = [p for p in self.idle if p._grad is None]
        self.runs += made
        return made

    def _run(self, params: list[Any], state: dict[Any, Any], spaces: dict[Any, Workspace]) -> Run:
        dtype = computing_dtype(params[0]._data.dtype)
        if dtype not in spaces:
            spaces[dtype] = Workspace(dtype)
        stateful = self.counted or bool(self.fills)
        entries = [state.setdefault(p, {}) if stateful else {} for p in params]
        step, *values = self._age(entries[0])
        numbers = dict(zip(self.numbers, values))
        if self.counted:
            for entry in entries:
                entry["step"] = step
                entry.update(numbers)
        return Run(params, entries, self.fills, int(step), self.counted, numbers, spaces[dtype])

    def _age(self, entry: dict[str, Any]) -> tuple[float, ...]:
        """How many steps the parameter's state has seen (without a count 0 for none, 1 for some), and its numbers."""
        if self.counted:
            return int(entry.get("step", 0)), *(entry.get(name, start) for name, start in self.numbers.items())
        return (int(bool(self.fills) and self.fills.keys() <= entry.keys()),)

    def _check(self, p: Any, entry: dict[str, Any]) -> None:
        array = p._data
        if not array.flags.writeable:
            raise ValueError(
                f"step: a parameter, {spec(array.shape, array.dtype)}, is in read-only memory; make it from a copy, "
                f"with .clone() or tensor(...)"
            )
        for name in self.fills.keys() & entry.keys():
            check_state(name, entry[name], array)


def check_state(name: str, value: Any, array: Array) -> None:
    """Raise where a value cannot be the state of that name of a parameter."""
    if not isinstance(value, TensorBase):
        raise TypeError(f"optimizer state {name!r} must be a Tensor, not {type(value).__name__}")
    if value._data.shape != array.shape:
        raise ShapeError(
            f"optimizer state {name!r} has shape {value._data.shape}, but its parameter has {array.shape}; delete "
            f"optimizer.state[parameter] to start it anew"
        )


def _parts(params: Iterable[Any]) -> Iterable[list[Any]]:
    """The parameters, cut where a run would grow past a piece."""
    part: list[Any] = []
    size = 0
    for p in params:
        if part and size + p._data.size > PIECE:
            yield part
            part, size = [], 0
        part.append(p)
        size += p._data.size
    yield part
