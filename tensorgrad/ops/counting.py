"""Counting and looking up: bins, histograms, places in a sorted sequence, elements that differ."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import return_types
from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.op import constant, primitive
from tensorgrad.backends.cpu import counting as cpu
from tensorgrad.backends.dtypes import int32, int64, promote_types, refuse_bools, result_dtype
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import cast
from tensorgrad.ops.dims import many_dims, must_be_floating, one_dim, rank
from tensorgrad.ops.gathering import check_range
from tensorgrad.ops.reduce import sum

bincount_op = primitive("bincount", cpu.bincount)
histc_op = primitive("histc", cpu.histc)
histogram_op = primitive("histogram", cpu.histogram)
searchsorted_op = primitive("searchsorted", cpu.searchsorted)
unique_op = primitive("unique", cpu.unique)


def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements over `dim` are nonzero, as int64.

    >>> import tensorgrad as tg
    >>> tg.count_nonzero(tg.tensor([1.0, 0.0, 2.0]))
    tensor(2)
    """
    return sum(input != 0, many_dims("count_nonzero", dim, rank("count_nonzero", input)))


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of the numbers from 0 on is in a vector of integers; or the sum of `weights` where it is.

    It counts up to the largest, and at least `minlength` of them. Raises `ShapeError` for more dimensions or weights
    that do not fit, `DtypeError` for what is no integer, `ValueError` for negative ones.

    >>> import tensorgrad as tg
    >>> tg.bincount(tg.tensor([1, 2, 2]))
    tensor([0, 1, 2])
    """
    if input.dtype.kind not in "iu":
        raise DtypeError(f"bincount: input must hold integers, not {input.dtype.name}; convert with .long()")
    if rank("bincount", input) != 1:
        raise ShapeError(f"bincount: input must be a vector, and has shape {tuple(input.shape)}")
    if minlength < 0 or (input._data.size and input._data.min() < 0):
        raise ValueError("bincount: it counts numbers from 0 on: neither input nor minlength may be negative")
    if weights is None:
        return bincount_op(input, minlength=minlength)
    if tuple(weights.shape) != tuple(input.shape):
        raise ShapeError(f"bincount: weights of shape {tuple(weights.shape)} do not fit input of {tuple(input.shape)}")
    return bincount_op(input, weights, minlength=minlength)


def _bins(name: str, input: Any, bins: int, given: Any, margin: float) -> tuple[float, float]:
    """The range of a histogram: as given, or that of the elements; with a margin where it is a single number."""
    if bins < 1:
        raise ValueError(f"{name}: bins must be 1 or more, not {bins}")
    low, high = cpu.bounds(input._data) if given is None else given
    if low == high:
        low, high = low - margin, high + margin
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"{name}: the range must be finite and go upwards, and is {low} to {high}; give another")
    return low, high


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements are in each of `bins` equal parts of the range from `min` to `max`, in the input's dtype.

    What is outside is not counted. Where `min` equals `max`, the range is that of the elements. Raises `DtypeError`
    for integers, `ValueError` for a range that goes downwards or is not finite.

    >>> import tensorgrad as tg
    >>> tg.histc(tg.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    must_be_floating("histc", input)
    low, high = _bins("histc", input, bins, None if min == max else (min, max), 1.0)
    return histc_op(input, bins=bins, low=low, high=high)


def histogram(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """How many elements, or how much `weight`, is in each bin, and the bins' edges, as `(hist, bin_edges)`.

    `bins` is a number of equal bins over `range` (by default that of the elements), or a vector of increasing edges.
    With `density` the result is divided by its sum and the bins' widths. Raises `DtypeError` for integers or another
    dtype of edges or weights, `ShapeError` where these do not fit, `ValueError` for a range that is not finite.

    >>> import tensorgrad as tg
    >>> tg.histogram(tg.tensor([1.0, 2.0, 1.0]), bins=2, range=(0.0, 3.0)).hist
    tensor([2., 1.])
    """
    must_be_floating("histogram", input)
    for label, given in (("bins", bins), ("weight", weight)):
        if hasattr(given, "dtype") and given.dtype != input.dtype:
            raise DtypeError(
                f"histogram: {label} must have the input's dtype, {input.dtype.name}, and has {given.dtype.name}"
            )
    if weight is not None and tuple(weight.shape) != tuple(input.shape):
        raise ShapeError(f"histogram: weight of shape {tuple(weight.shape)} does not fit input of {tuple(input.shape)}")
    if hasattr(bins, "ndim"):
        if range is not None:
            raise TypeError("histogram: give the edges as bins, or a number of them and a range, not both")
        if bins.ndim != 1 or bins.shape[0] < 2:
            raise ShapeError(f"histogram: the edges must be a vector of 2 or more, and have shape {tuple(bins.shape)}")
        edges = bins
    else:
        low, high = _bins("histogram", input, bins, range, 0.5)
        edges = wrap(cpu.linspace(low, high, bins + 1, input.dtype))
    counts = histogram_op(input, edges, *(() if weight is None else (weight,)))
    if density:
        counts = counts / (sum(counts) * (edges[1:] - edges[:-1]))
    return return_types.histogram(counts, edges)


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where each value of `input` would be put into a sorted sequence to keep its order, as int64.

    Of equal elements before the first, or after the last with `right` (or `side="right"`). A sequence of several
    dimensions has its last one sorted, and the others are `input`'s too. `sorter` has the indices that sort it. Dtypes
    promote. Raises `ShapeError` where the shapes do not fit, `DtypeError` for bools, `ValueError` for another side,
    `IndexError` for a sorter that is out of range.

    >>> import tensorgrad as tg
    >>> tg.searchsorted(tg.tensor([1.0, 3.0, 5.0]), tg.tensor([3.0, 4.0]))
    tensor([1, 2])
    """
    return _search("searchsorted", sorted_sequence, input, out_int32, right, side, sorter)


def _search(name: str, sequence: Any, values: Any, out_int32: bool, right: bool, side: Any, sorter: Any) -> Any:
    if side not in (None, "left", "right"):
        raise ValueError(f"{name}: side must be 'left' or 'right', not {side!r}")
    if side == "left" and right:
        raise ValueError(f"{name}: side='left' and right=True contradict each other")
    if not rank(name, sequence):
        raise ShapeError(f"{name}: the sorted sequence must have a dimension or more, and is a single number")
    if not hasattr(values, "dtype"):
        if sequence.ndim > 1:
            raise ShapeError(
                f"{name}: a number can be looked up in a vector only, not in shape {tuple(sequence.shape)}"
            )
        values = constant(values, result_dtype([sequence._data, values]))
    if values.dtype != sequence.dtype:
        dtype = promote_types(sequence.dtype, values.dtype)
        sequence, values = cast(sequence, dtype), cast(values, dtype)
    refuse_bools(name, sequence)
    if sequence.ndim > 1 and tuple(sequence.shape[:-1]) != tuple(values.shape[:-1]):
        raise ShapeError(
            f"{name}: a sequence of shape {tuple(sequence.shape)} and values of shape {tuple(values.shape)} do not "
            f"fit: all dimensions but the last must be the same"
        )
    sorters: tuple[Any, ...] = ()
    if sorter is not None:
        if sorter.dtype != int64:
            raise DtypeError(f"{name}: the sorter must be int64, not {sorter.dtype.name}; convert it with .long()")
        if tuple(sorter.shape) != tuple(sequence.shape):
            raise ShapeError(
                f"{name}: the sorter must have the sequence's shape, {tuple(sequence.shape)}, not {tuple(sorter.shape)}"
            )
        check_range(f"{name}: sorter", sorter._data, "the sequence", sequence.shape[-1])
        sorters = (sorter,)
    to_right = right or side == "right"
    return searchsorted_op(sequence, values, *sorters, right=to_right, dtype=int32 if out_int32 else int64)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Which bucket each value falls in, between the elements of a sorted vector: `searchsorted(boundaries, input)`.

    Raises as `searchsorted`, and `ShapeError` for boundaries of more dimensions.

    >>> import tensorgrad as tg
    >>> tg.bucketize(tg.tensor([3, 6]), tg.tensor([1, 3, 5, 7]))
    tensor([1, 3])
    """
    if rank("bucketize", boundaries) != 1:
        raise ShapeError(f"bucketize: the boundaries must be a vector, and have shape {tuple(boundaries.shape)}")
    return _search("bucketize", boundaries, input, out_int32, right, None, None)


def _unique(name: str, input: Any, dim: int | None, consecutive: bool, inverse: bool, counts: bool) -> Any:
    if dim is not None:
        if not rank(name, input):
            raise IndexError(f"{name}: dim = {dim} is out of range for a tensor of no dimensions")
        dim = one_dim(name, dim, input.ndim)
        if input.shape[dim] and not all(input.shape):
            raise ShapeError(
                f"{name}: input of shape {tuple(input.shape)} has no elements along other dimensions than {dim}"
            )
    found = unique_op(input, dim=dim, consecutive=consecutive)
    wanted = [part for part, asked in zip(found, (True, inverse, counts)) if asked]
    return tuple(wanted) if len(wanted) > 1 else wanted[0]


def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements that differ, or along `dim` the entries, in order whether `sorted` asks for it or not.

    `return_inverse` adds which of them each element is, `return_counts` how often each is there: then the result is a
    tuple. NaN differs from everything.

    >>> import tensorgrad as tg
    >>> tg.unique(tg.tensor([3, 1, 3, 2]), return_counts=True)
    (tensor([1, 2, 3]), tensor([1, 1, 2]))
    """
    return _unique("unique", input, dim, False, return_inverse, return_counts)


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements, or along `dim` the entries, without those that repeat the one before; more as in `unique`.

    >>> import tensorgrad as tg
    >>> tg.unique_consecutive(tg.tensor([1, 1, 2, 2, 1]))
    tensor([1, 2, 1])
    """
    return _unique("unique_consecutive", input, dim, True, return_inverse, return_counts)
