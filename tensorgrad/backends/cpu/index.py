"""Indexing, gathering and scattering.

A template is an index in which each array stands as the number of the input that holds it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import add

from tensorgrad.backends.cpu.shared import Array, Dims


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
    a, where = locate(a, template, arrays)
    return a[where]


def unindex(g: Array, *arrays: Array, template: tuple[Any, ...], shape: Dims) -> Array:
    """Zeros of a shape, with `g` added where an index reads: the transpose of indexing."""
    y = np.zeros(shape, g.dtype)
    region, where = locate(y, template, arrays)
    if any(x.dtype.kind != "b" for x in arrays):
        add.at(region, where, g)  # an element may be read several times
    else:
        region[where] = g
    return y


def put(a: Array, v: Any, *arrays: Array, template: tuple[Any, ...], out: Array | None = None) -> Array:
    y = np.array(a) if out is None else out
    region, where = locate(y, template, arrays)
    region[where] = v
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


def _along(index: Array, dim: int) -> tuple[Array, ...]:
    where = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    where[dim] = index
    return tuple(where)


def gather(a: Array, index: Array, dim: int) -> Array:
    return a[_along(index, dim)] if a.ndim else a.reshape(1)[index.reshape(-1)].reshape(index.shape)


def ungather(g: Array, index: Array, dim: int, shape: Dims) -> Array:
    """Zeros of a shape, with `g` added where gathering reads: the transpose of gathering."""
    return scatter_add(np.zeros(shape, g.dtype), index, g, dim)


def scatter_add(a: Array, index: Array, src: Array, dim: int, out: Array | None = None) -> Array:
    y = np.array(a) if out is None else out
    region = tuple(slice(n) for n in index.shape)
    add.at(y, _along(index, dim), src[region])
    return y


def nonzero(a: Array) -> Array:
    return np.argwhere(a) if a.ndim else np.zeros((int(bool(a)), 0), np.int64)


def one_hot(a: Array, classes: int, dtype: np.dtype[Any]) -> Array:
    y = np.zeros((a.size, classes), dtype)
    y[np.arange(a.size), a.reshape(-1)] = 1
    return y.reshape(*a.shape, classes)
