"""Indexing, gathering and scattering.

A template is an index in which each array stands as the number of the input that holds it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import add

from tensorgrad.backends.cpu.shared import Array, Dims, finish


class Slot(int):
    """The place of an array in an index template."""


def locate(a: Array, template: tuple[Any, ...], arrays: tuple[Array, ...]) -> tuple[Array, tuple[Any, ...]]:
    """The array that an index of arrays reads, and the index as NumPy takes it.

    Where the arrays' dimensions go in the result, NumPy counts an int among the arrays, and an Ellipsis between them as
    parting them even if it stands for nothing; PyTorch does neither. So a view takes the ints first, and the Ellipsis
    is written out.
    """
    if not arrays:
        return a, template
    if all(isinstance(part, int) for part in template):
        return a, tuple(arrays[part] if isinstance(part, Slot) else part for part in template)
    basic: list[Any] = []
    rest: list[Any] = []
    for part in template:
        if isinstance(part, Slot):
            array = arrays[part]
            basic += [slice(None)] * (array.ndim if array.dtype.kind == "b" else 1)
            rest.append(array)
        elif part is Ellipsis:
            used = sum(
                0 if p is None or p is Ellipsis
                else arrays[p].ndim if isinstance(p, Slot) and arrays[p].dtype.kind == "b"
                else 1
                for p in template
            )  # fmt: skip
            basic += [slice(None)] * (a.ndim - used)
            rest += [slice(None)] * (a.ndim - used)
        else:
            basic.append(part)
            if part.__class__ is not int:
                rest.append(slice(None))
    return a[(*basic, ...)], tuple(rest)


def open_index(index: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index with an Ellipsis: it makes even a single element a view."""
    return index if Ellipsis in index else (*index, ...)


def view_index(a: Array, index: tuple[Any, ...]) -> Array:
    return a[open_index(index)]


def index_array(values: Any) -> Array:
    """A list or a scalar as an array to index with: an empty list selects nothing."""
    array = np.asarray(values)
    return array if array.size else array.astype(np.int64)


def index(a: Array, *arrays: Array, template: tuple[Any, ...]) -> Array:
    if len(arrays) == 1 and a.flags.c_contiguous and (first := first_of_run(template, arrays)) >= 0:
        return a.take(arrays[0], first)  # much quicker than an index: it moves rows as they lie in memory
    a, where = locate(a, template, arrays)
    return a[where]


def first_of_run(template: tuple[Any, ...], arrays: tuple[Array, ...]) -> int:
    """The first of the dimensions that arrays of integers index, where those stand in a row and the others are taken
    whole; otherwise -1."""
    if len(template) == len(arrays) == 1:
        return 0 if arrays[0].dtype.kind != "b" else -1
    first = next((i for i, part in enumerate(template) if part.__class__ is Slot), -1)
    run, others = template[first : first + len(arrays)], (*template[:first], *template[first + len(arrays) :])
    plain = (
        all(part.__class__ is Slot for part in run)
        and all(part is Ellipsis or part == slice(None) for part in others)
        and Ellipsis not in template[: max(first, 0)]
        and all(x.dtype.kind != "b" for x in arrays)
    )
    return first if plain else -1


def unindex(g: Array, *arrays: Array, template: tuple[Any, ...], shape: Dims) -> Array:
    """Zeros of a shape, with `g` added where an index reads: the transpose of indexing."""
    y = np.zeros(shape, g.dtype)
    if all(x.dtype.kind == "b" for x in arrays):  # no element is read twice
        region, where = locate(y, template, arrays)
        region[where] = g
        return y
    return add_at(y, g, *arrays, template=template, out=y)


def add_at(a: Array, v: Any, *arrays: Array, template: tuple[Any, ...], out: Array | None = None) -> Array:
    """`a` with `v`, which broadcasts, added where an index reads: an element that is read several times gets it all."""
    y = np.array(a, order="C") if out is None else out
    first = first_of_run(template, arrays) if y.flags.c_contiguous else -1
    if first < 0:
        region, where = locate(y, template, arrays)
        add.at(region, where, v)
        return y
    last = first + len(arrays)
    outer, sizes, rest = y.shape[:first], y.shape[first:last], y.shape[last:]
    rows = row_numbers(arrays, sizes)
    v = np.broadcast_to(v, (*outer, *rows.shape, *rest))
    rows = rows.reshape(-1)
    if outer:
        rows = (np.arange(math.prod(outer))[:, None] * math.prod(sizes) + rows).reshape(-1)
    width = math.prod(rest)
    add_rows(y.reshape(math.prod(outer) * math.prod(sizes), width), rows, v.reshape(len(rows), width))
    return y


def row_numbers(arrays: tuple[Array, ...], sizes: Dims) -> Array:
    """Indices into several dimensions, negative ones counting from the end, as one into those made one."""
    rows: Any = 0
    for x, n in zip(arrays, sizes):
        x = x.astype(np.intp, copy=False)
        if x.size:
            low, high = int(x.min()), int(x.max())
            if low < -n or high >= n:
                raise IndexError(f"index {low if low < -n else high} is out of bounds for a dimension of size {n}")
            if low < 0:
                x = np.where(x < 0, x + n, x)
        rows = rows * n + x
    return rows


_BLOCK = 1 << 15  # how many elements are added at a time, so that their flat index stays in the cache


def add_rows(y: Array, rows: Array, v: Array) -> None:
    """Add each row of `v` to the row of `y` that `rows` names, in place; `y` is contiguous.

    `np.add.at` is quick where both array and index are flat, and an order slower on rows. Where the rows get about as
    many each, it is quicker still to lay those side by side, filled up with zeros, and to sum.
    """
    count, width = v.shape
    if not v.size:
        return
    if width >= 8 and count >= 2 * len(y):
        times = np.bincount(rows, minlength=len(y))
        most = int(times.max())
        if most * len(y) <= 4 * count:
            y += side_by_side(rows, times, most, v).sum(0)
            return
    flat, columns, step = y.reshape(-1), np.arange(width), max(1, _BLOCK // width)
    for start in range(0, count, step):
        some = slice(start, start + step)
        add.at(flat, (rows[some, None] * width + columns).reshape(-1), v[some].reshape(-1))


def side_by_side(rows: Array, times: Array, most: int, v: Array) -> Array:
    """The rows of `v`, by place among those with one number and then by number; zeros where there is none."""
    count = len(rows)
    order = (rows.astype(np.uint16) if len(times) <= 1 << 16 else rows).argsort(kind="stable")  # 16 bits: radix sort
    ordered = rows[order]
    starts = np.cumsum(times) - times
    places = np.full((most, len(times)), count)
    places[np.arange(count) - starts[ordered], ordered] = order
    return np.concatenate((v, np.zeros((1, v.shape[1]), v.dtype))).take(places, 0)


def put(a: Array, v: Any, *arrays: Array, template: tuple[Any, ...], out: Array | None = None) -> Array:
    y = np.array(a) if out is None else out
    if len(arrays) == 1 and arrays[0].shape == y.shape and arrays[0].dtype.kind == "b" and np.ndim(v) == 0:
        np.copyto(y, v, where=arrays[0], casting="unsafe")
        return y
    region, where = locate(y, template, arrays)
    region[where] = np.asarray(v).astype(y.dtype) if v.__class__ is int else v
    return y


def winners(*arrays: Array, template: tuple[Any, ...], shape: Dims) -> Array:
    """Which of the elements that an index assignment writes are not overwritten by a later one of the same."""
    owner, where = locate(np.zeros(shape, np.int64), template, arrays)
    numbers = np.arange(owner[where].size).reshape(owner[where].shape)
    owner[where] = numbers
    return owner[where] == numbers


def put_view(a: Array, v: Any, steps: tuple[Any, ...], out: Array | None = None) -> Array:
    y = np.array(a, order="C") if out is None else out
    region = y
    for op, attrs in steps:
        region = op.kernel(region, **attrs)
    region[...] = v
    return y
