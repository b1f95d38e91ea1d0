"""NumPy kernels: what the operations run on arrays.

A kernel takes arrays (and Python scalars) and returns an array; those of ops that have an in-place form honour `out=`,
which may be their first input. NumPy's ufuncs serve as they are; the rest is here. Dimensions arrive normalised,
attributes as keywords.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy import (
    absolute,
    add,
    arctan,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    ceil,
    cos,
    equal,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    invert,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    remainder,
    rint,
    sign,
    sin,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    true_divide,
    trunc,
)
from numpy import matmul as matrix_product

from tensorgrad.errors import DtypeError, ShapeError

Array = np.ndarray[Any, Any]
Dims = tuple[int, ...]
Kernel = Callable[..., Any]


def _finish(y: Any, out: Array | None) -> Any:
    if out is None:
        return y
    np.copyto(out, y, casting="same_kind")
    return out


# Elementwise


def _check_division(name: str, a: Any, b: Any) -> None:
    """Raise where NumPy would give int8 for bools, and 0 for integers over 0."""
    kind = (a if isinstance(a, np.ndarray) else b).dtype.kind
    if kind == "b":
        raise DtypeError(f"{name}: it does not take bools; convert one with .long()")
    if kind != "f" and not np.all(b):
        raise ZeroDivisionError(f"{name}: an integer divided by 0; convert to a floating dtype for inf and NaN")


def floor_quotient(a: Array, b: Array, out: Array | None = None) -> Array:
    _check_division("floor_divide", a, b)
    return floor_divide(a, b, out=out)


def modulo(a: Array, b: Array, out: Array | None = None) -> Array:
    _check_division("remainder", a, b)
    return remainder(a, b, out=out)


def power_of(a: Any, b: Any, out: Array | None = None) -> Array:
    if (a if isinstance(a, np.ndarray) else b).dtype.kind != "b":
        return power(a, b, out=out)
    if isinstance(b, bool):
        return logical_or(a, not b, out=out)
    raise DtypeError("pow: it does not take bools to the power of bools; convert one with .long()")


def sigmoid(a: Array, out: Array | None = None) -> Array:
    y = exp(negative(a if a.dtype.kind == "f" else a.astype(np.float32)), out=out)
    y = add(y, 1.0, out=out)
    return reciprocal(y, out=out)


def inverse(a: Array, out: Array | None = None) -> Array:
    return reciprocal(a, out=out) if a.dtype.kind == "f" else true_divide(1.0, a, out=out)


def squared(a: Array, out: Array | None = None) -> Array:
    return square(a, out=out) if a.dtype.kind != "b" else square(a, out=out, dtype=np.int64)


def signum(a: Array, out: Array | None = None) -> Array:
    return sign(a, out=out) if a.dtype.kind != "b" else _finish(a.copy(), out)


def rsqrt(a: Array, out: Array | None = None) -> Array:
    return reciprocal(sqrt(a, out=out), out=out)


def relu(a: Array, out: Array | None = None) -> Array:
    return maximum(a, 0, out=out)


def leaky_relu(a: Array, slope: float, out: Array | None = None) -> Array:
    return _finish(np.where(a > 0, a, a * slope), out)


def elu(a: Array, alpha: float, out: Array | None = None) -> Array:
    return _finish(np.where(a > 0, a, alpha * expm1(minimum(a, 0))), out)


def softplus(a: Array, beta: float, threshold: float, out: Array | None = None) -> Array:
    scaled = a * beta
    y = (maximum(scaled, 0) + log1p(exp(-absolute(scaled)))) / beta
    return _finish(np.where(scaled > threshold, a, y), out)


# log(0) counts as -100, so that a sure and wrong prediction has a finite loss: PyTorch's rule.
def binary_cross_entropy(a: Array, target: Array) -> Array:
    return -(target * maximum(log(a), -100) + (1 - target) * maximum(log1p(-a), -100))


def clamp(a: Array, min: float | None, max: float | None, out: Array | None = None) -> Array:
    return _finish(np.clip(a, min, max), out)


def where(c: Array, a: Array, b: Array) -> Array:
    return np.where(c, a, b)


def cast(a: Array, dtype: np.dtype[Any]) -> Array:
    return a.astype(dtype)


def clone(a: Array, order: Literal["K", "C"] = "K") -> Array:
    return np.array(a, order=order)


def copy(a: Array, b: Any, out: Array | None = None) -> Array:
    y = np.empty_like(a) if out is None else out
    np.copyto(y, b, casting="unsafe")
    return y


# erf by the rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function",
# Mathematics of Computation 23 (1969), with the coefficients of the Cephes library: double precision everywhere.
_ERF_P = (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
          5.55923013010394962768e4)  # fmt: skip
_ERF_Q = (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4,
          4.92673942608635921086e4)  # fmt: skip
_ERFC_P = (2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0, 4.86371970985681366614e1,
           1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3,
           5.57535335369399327526e2)  # fmt: skip
_ERFC_Q = (1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
           1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3,
           5.57535340817727675546e2)  # fmt: skip


def erf(a: Array, out: Array | None = None) -> Array:
    x = a.astype(np.float64, copy=False)
    z = x * x
    small = x * np.polyval(_ERF_P, z) / np.polyval(_ERF_Q, z)
    r = minimum(absolute(x), 6.0)  # erf rounds to 1 from there on
    large = np.copysign(1.0 - exp(-r * r) * np.polyval(_ERFC_P, r) / np.polyval(_ERFC_Q, r), x)
    y = np.where(absolute(x) < 1.0, small, large)
    y = np.where(isnan(x), x, y)
    return _finish(y.astype(a.dtype, copy=False) if a.dtype.kind == "f" else y, out)


# Reductions


def _total(dtype: np.dtype[Any]) -> Any:
    return None if dtype.kind == "f" else np.int64


def _in_single(kernel: Kernel) -> Kernel:
    """A kernel that computes half precision in single, as PyTorch does: sums and exponentials soon leave its range."""

    @functools.wraps(kernel)
    def wide(a: Array, *args: Any, **attrs: Any) -> Array:
        if a.dtype != np.float16:
            return kernel(a, *args, **attrs)
        return kernel(a.astype(np.float32), *args, **attrs).astype(np.float16)

    return wide


def _reduce(ufunc: Any, a: Array, dim: Dims, keepdim: bool, dtype: Any = None) -> Array:
    return ufunc.reduce(a, axis=dim, keepdims=keepdim, dtype=dtype)


BLOCK = 256


def _add(a: Array, dim: Dims, keepdim: bool) -> Array:
    """The sum over dimensions. Where others follow them in memory, NumPy adds row to row, and the rounding error grows
    with the number of rows; in blocks of rows it does not, at the same speed. (Only of contiguous arrays.)"""
    rows = math.prod(a.shape[d] for d in dim)
    inner = bool(dim) and dim[-1] < a.ndim - 1 and dim[-1] - dim[0] == len(dim) - 1
    if rows < 2 * BLOCK or not (inner and a.size and a.dtype.kind == "f" and a.flags.c_contiguous):
        return _reduce(add, a, dim, keepdim, _total(a.dtype))
    lead, tail = a.shape[: dim[0]], a.shape[dim[-1] + 1 :]
    y = a.reshape(math.prod(lead), rows, math.prod(tail))
    while rows >= 2 * BLOCK:
        whole = rows - rows % BLOCK
        parts = add.reduce(y[:, :whole].reshape(len(y), -1, BLOCK, y.shape[2]), axis=2)
        y = parts if whole == rows else np.concatenate([parts, y[:, whole:]], axis=1)
        rows = y.shape[1]
    return add.reduce(y, axis=1).reshape((*lead, *((1,) * len(dim) if keepdim else ()), *tail))


@_in_single
def reduce_sum(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _add(a, dim, keepdim)


@_in_single
def reduce_mean(a: Array, dim: Dims, keepdim: bool) -> Array:
    count = math.prod(a.shape[d] for d in dim)
    y = _add(a, dim, keepdim)
    return y * y.dtype.type(1.0 / count) if count else y * y.dtype.type(np.nan)


@_in_single
def reduce_prod(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _reduce(multiply, a, dim, keepdim, _total(a.dtype))


def amax(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _reduce(maximum, a, dim, keepdim)


def amin(a: Array, dim: Dims, keepdim: bool) -> Array:
    return _reduce(minimum, a, dim, keepdim)


def reduce_any(a: Array, dim: Dims, keepdim: bool) -> Array:
    y = _reduce(logical_or, a, dim, keepdim)
    return y.astype(a.dtype) if a.dtype == np.uint8 else y


def reduce_all(a: Array, dim: Dims, keepdim: bool) -> Array:
    y = _reduce(logical_and, a, dim, keepdim)
    return y.astype(a.dtype) if a.dtype == np.uint8 else y


def argmax(a: Array, dim: int | None, keepdim: bool) -> Array:
    return np.argmax(a, axis=dim, keepdims=keepdim)


def argmin(a: Array, dim: int | None, keepdim: bool) -> Array:
    return np.argmin(a, axis=dim, keepdims=keepdim)


def argsort(a: Array, dim: int, descending: bool) -> Array:
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    # Stable among equals too: the last of the reversed order is the first of the original one.
    order = np.flip(np.argsort(np.flip(a, dim), axis=dim, kind="stable"), dim)
    return a.shape[dim] - 1 - order


@_in_single
def cumsum(a: Array, dim: int) -> Array:
    return np.cumsum(a, axis=dim, dtype=_total(a.dtype))


@_in_single
def vector_norm(a: Array, dim: Dims, keepdim: bool) -> Array:
    return sqrt(_reduce(add, a * a, dim, keepdim))


@_in_single
def logsumexp(a: Array, dim: Dims, keepdim: bool) -> Array:
    top = maximum.reduce(a, axis=dim, keepdims=True, initial=-math.inf)
    top = np.where(isfinite(top), top, 0).astype(a.dtype, copy=False)
    y = log(add.reduce(exp(a - top), axis=dim, keepdims=True)) + top
    return y if keepdim else y.reshape([n for i, n in enumerate(a.shape) if i not in dim])


@_in_single
def softmax(a: Array, dim: int) -> Array:
    if not a.shape or not a.shape[dim]:
        return np.ones_like(a)
    y = subtract(a, maximum.reduce(a, axis=dim, keepdims=True))
    exp(y, out=y)
    return true_divide(y, add.reduce(y, axis=dim, keepdims=True), out=y)


@_in_single
def log_softmax(a: Array, dim: int) -> Array:
    if not a.shape or not a.shape[dim]:
        return np.zeros_like(a)
    y = subtract(a, maximum.reduce(a, axis=dim, keepdims=True))
    return subtract(y, log(add.reduce(exp(y), axis=dim, keepdims=True)), out=y)


@_in_single
def softmax_cross_entropy(a: Array, target: Array) -> Array:
    rows = a.reshape(-1, a.shape[-1])
    shifted = rows - maximum.reduce(rows, axis=1, keepdims=True)
    picked = shifted[np.arange(len(rows)), target.reshape(-1)]
    return (log(add.reduce(exp(shifted, out=shifted), axis=1)) - picked).reshape(target.shape)


# Shape

broadcast_shapes = np.broadcast_shapes
int64 = np.dtype(np.int64)


def reshape(a: Array, shape: Dims) -> Array:
    return a.reshape(shape)


def permute(a: Array, dims: Dims) -> Array:
    return a.transpose(dims)


def broadcast_to(a: Array, shape: Dims) -> Array:
    lead = len(shape) - a.ndim
    if shape[lead:] == a.shape and math.prod(shape[:lead]) == 1:
        return a.reshape(shape)  # nothing is repeated: a view that can be written to
    return np.broadcast_to(a, shape)


def diagonal(a: Array, offset: int, dim1: int, dim2: int) -> Array:
    y = a.diagonal(offset, dim1, dim2)
    y.flags.writeable = a.flags.writeable  # NumPy gives a read-only view for reasons of its history
    return y


def undiagonal(g: Array, shape: Dims, offset: int, dim1: int, dim2: int) -> Array:
    y = np.zeros(shape, g.dtype)
    diagonal(y, offset, dim1, dim2)[...] = g
    return y


def tril(a: Array, diagonal: int) -> Array:
    return np.tril(a, diagonal)


def triu(a: Array, diagonal: int) -> Array:
    return np.triu(a, diagonal)


def cat(*arrays: Array, dim: int, sizes: Dims) -> Array:
    return np.concatenate(arrays, axis=dim)


def flip(a: Array, dims: Dims) -> Array:
    return np.array(np.flip(a, dims))


def roll(a: Array, shifts: Dims, dims: Dims) -> Array:
    return np.roll(a, shifts, dims)


# Indexing. A template is an index in which each array stands as the number of the input that holds it.


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


# Matrices


def matmul(a: Array, b: Array) -> Array:
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit: the first has {a.shape[-1]} columns, the second "
            f"{b.shape[-2]} rows"
        )
    return np.matmul(a, b)


def linear(x: Array, weight: Array, bias: Array) -> Array:
    y = np.matmul(x, weight.T)
    y += bias
    return y
