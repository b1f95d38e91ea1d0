"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.op import Op
from tensorgrad.backends.cpu import indices
from tensorgrad.backends.cpu.shape import int64
from tensorgrad.backends.device import require_cpu
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import clone
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.shape import diagonal_op, ravel, tril_op, triu_op, undiagonal_op

DIAGONAL: Op = diagonal_op.op  # type: ignore[attr-defined]


def two_dims(name: str, dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    """Two dimensions made positive. Raises `ShapeError` where they are one."""
    d1, d2 = one_dim(name, dim1, ndim), one_dim(name, dim2, ndim)
    if d1 == d2:
        raise ShapeError(f"{name}: dim1 and dim2 are both {d1}, and must differ")
    return d1, d2


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A view of the diagonals of two dimensions, as a new last dimension; `offset` counts to the right.

    >>> import tensorgrad as tg
    >>> tg.diagonal(tg.eye(3))
    tensor([1., 1., 1.])
    """
    d1, d2 = two_dims("diagonal", dim1, dim2, rank("diagonal", input))
    return diagonal_op(input, offset=offset, dim1=d1, dim2=d2)


def diag(input: Any, diagonal: int = 0) -> Any:
    """The matrix that has a vector as its diagonal, or a copy of the diagonal of a matrix.

    Raises `ShapeError` unless there are one or two dimensions.

    >>> import tensorgrad as tg
    >>> tg.diag(tg.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if rank("diag", input) not in (1, 2):
        raise ShapeError(f"diag: it takes a vector or a matrix, got shape {tuple(input.shape)}; see diag_embed")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    return clone(diagonal_op(input, offset=diagonal, dim1=0, dim2=1))


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices with the last dimension as their diagonal, and zero elsewhere, in two dimensions `dim1` and `dim2`.

    >>> import tensorgrad as tg
    >>> tg.diag_embed(tg.ones(2, 3)).shape
    (2, 3, 3)
    """
    ndim = rank("diag_embed", input)
    if not ndim:
        raise ShapeError("diag_embed: it needs a tensor of one dimension or more, and this has none")
    d1, d2 = two_dims("diag_embed", dim1, dim2, ndim + 1)
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for d in sorted((d1, d2)):
        shape.insert(d, size)
    if d1 > d2:
        d1, d2, offset = d2, d1, -offset
    return undiagonal_op(input, shape=tuple(shape), offset=offset, dim1=d1, dim2=d2)


def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix that has all elements of a tensor as its diagonal.

    >>> import tensorgrad as tg
    >>> tg.diagflat(tg.tensor([[1, 2]]))
    tensor([[1, 0],
            [0, 2]])
    """
    return diag_embed(ravel(input), offset)


def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix. Raises `ShapeError` unless there are two dimensions.

    >>> import tensorgrad as tg
    >>> tg.trace(tg.eye(3))
    tensor(3.)
    """
    if rank("trace", input) != 2:
        raise ShapeError(f"trace: it takes a matrix, got shape {tuple(input.shape)}")
    return diagonal(input).sum()


def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Write one value along the main diagonal, in place; with `wrap` it begins anew below, in a tall matrix.

    Raises `ShapeError` for fewer than two dimensions, and for more than two that are not of one size.
    """
    if self.ndim < 2 or (self.ndim > 2 and len(set(self.shape)) > 1):
        raise ShapeError(
            f"fill_diagonal_: it takes a matrix, or more dimensions all of one size, got shape {tuple(self.shape)}"
        )
    if wrap and self.ndim == 2 and self.shape[0] > self.shape[1]:
        self[indices.wrapped_diagonal(*self.shape)] = fill_value
        return self
    view = diagonal(self)
    while view.ndim > 1:
        view = diagonal(view, 0, 0, -1)
    view.fill_(fill_value)
    return self


# Triangles


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of the last two dimensions, up to a diagonal counted to the right; the rest 0.

    >>> import tensorgrad as tg
    >>> tg.tril(tg.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle("tril", tril_op, input, diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of the last two dimensions, from a diagonal counted to the right on; the rest 0.

    >>> import tensorgrad as tg
    >>> tg.triu(tg.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return _triangle("triu", triu_op, input, diagonal)


def _triangle(name: str, op: Any, input: Any, diagonal: int) -> Any:
    if rank(name, input) < 2:
        raise ShapeError(f"{name}: it takes two dimensions or more, got shape {tuple(input.shape)}")
    return op(input, diagonal=diagonal)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Any:
    """The indices of the lower triangle of a matrix of `row` rows and `col` columns: a row of rows, one of columns.

    >>> import tensorgrad as tg
    >>> tg.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _indices("tril_indices", True, row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = int64, device: Any = None) -> Any:
    """The indices of the upper triangle of a matrix of `row` rows and `col` columns: a row of rows, one of columns.

    >>> import tensorgrad as tg
    >>> tg.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _indices("triu_indices", False, row, col, offset, dtype, device)


def _indices(name: str, lower: bool, row: int, col: int, offset: int, dtype: Any, device: Any) -> Any:
    require_cpu(name, device)
    dtype = as_dtype(dtype)
    if dtype.kind not in "iu":
        raise DtypeError(f"{name}: indices are integers, and cannot be {dtype.name}")
    if row < 0 or col < 0:
        raise ShapeError(f"{name}: the numbers of rows and columns must be 0 or more, got {row} and {col}")
    return wrap(indices.triangle(lower, row, col, offset, dtype))
