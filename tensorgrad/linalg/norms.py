"""Norms of vectors and matrices, and what singular values tell: condition and rank."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.autograd.graph import TensorBase
from tensorgrad.errors import ShapeError
from tensorgrad.ops.choose import cast, where
from tensorgrad.ops.decompositions import eigvalsh_op, svdvals_op
from tensorgrad.ops.dims import must_be_floating, one_dim, rank
from tensorgrad.ops.matrices import matrices
from tensorgrad.ops.shape import permute_op, unsqueeze
from tensorgrad.ops.solving import inverse_op

ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def vector_norm(x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The p-norm `sum(|x| ** ord) ** (1 / ord)` over `dim` (one, several, or None for all elements).

    An infinite `ord` gives the largest or smallest size, 0 the number of elements that are not zero. `x` is first
    converted to `dtype`. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.linalg.vector_norm(tg.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if isinstance(ord, str):
        raise ValueError(f"linalg.vector_norm: ord must be a number, not {ord!r}, which is a norm of matrices")
    return ops.norm(_floating("linalg.vector_norm", x, dtype), ord, dim, keepdim)


def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """A norm of the matrices in two dimensions `dim`.

    "fro" is Frobenius' norm, "nuc" the sum of the singular values, 2 and -2 the largest and the smallest of them, 1 and
    -1 the largest and smallest sum of sizes of a column, inf and -inf of a row. A is first converted to `dtype`. The
    largest of nothing is 0. Raises `ValueError` for another `ord`, `ShapeError` unless there are two dimensions, or for
    the smallest of nothing, `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.linalg.matrix_norm(tg.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    name = "linalg.matrix_norm"
    if ord not in ORDERS:
        raise ValueError(f"{name}: ord must be 'fro', 'nuc', or 1, 2 or inf of either sign, not {ord!r}")
    A = _floating(name, A, dtype)
    if rank(name, A) < 2 or not isinstance(dim, tuple | list) or len(dim) != 2:
        raise ShapeError(f"{name}: it takes two dims of a tensor of two or more; got {dim} for {tuple(A.shape)}")
    row, column = (one_dim(name, d, A.ndim) for d in dim)
    if row == column:
        raise ShapeError(f"{name}: dims {tuple(dim)} are the same, and must differ")
    if ord == "fro":
        return ops.norm(A, 2, (row, column), keepdim)
    if ord in ("nuc", 2, -2):
        order = (*(d for d in range(A.ndim) if d not in (row, column)), row, column)
        matrices(name, square=False, A=A)
        values = svdvals_op(permute_op(A, dims=order))
        y = ops.sum(values, -1) if ord == "nuc" else _extreme(name, A, values, (-1,), ord)
    else:
        summed, along = (row, column) if abs(ord) == 1 else (column, row)
        y = _extreme(name, A, ops.sum(ops.abs(A), summed, keepdim=True), (summed, along), ord)
    if keepdim:
        for d in sorted((row, column)):
            y = unsqueeze(y, d)
    return y


def _extreme(name: str, A: Any, sizes: Any, dims: tuple[int, ...], ord: float) -> Any:
    """The largest or smallest of sizes, as the sign of `ord` says. The largest of none is 0."""
    if all(sizes.shape[d] for d in dims):
        return (ops.amax if ord > 0 else ops.amin)(sizes, dims)
    if ord < 0:
        raise ShapeError(f"{name}: ord={ord} takes the smallest, and matrices of shape {tuple(A.shape)} have none")
    return ops.sum(sizes, dims)


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """`vector_norm` or `matrix_norm`: of vectors if `dim` is one dimension, of matrices if it is two.

    Without `dim`, A itself must be a vector or a matrix; without `ord` too, it is the 2-norm of all elements. Raises
    `ShapeError` where neither fits.

    >>> import tensorgrad as tg
    >>> tg.linalg.norm(tg.ones(2, 2)), tg.linalg.norm(tg.ones(2, 2), "nuc"), tg.linalg.norm(tg.ones(2, 2), 1, dim=1)
    (tensor(2.), tensor(2.), tensor([2., 2.]))
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and rank("linalg.norm", A) not in (1, 2):
        raise ShapeError(f"linalg.norm: ord={ord!r} needs dim for a tensor of shape {tuple(A.shape)}")
    dims = tuple(range(A.ndim)) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    if len(dims) == 2:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    if len(dims) != 1:
        raise ShapeError(f"linalg.norm: ord={ord!r} is a norm over one dimension or two, and dim is {dim}")
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


def _floating(name: str, x: Any, dtype: Any) -> Any:
    must_be_floating(name, x)
    return x if dtype is None else cast(x, dtype)


def cond(A: Any, p: Any = None) -> Any:
    """The condition numbers of matrices: a norm of A times that of its inverse, infinite for a singular matrix.

    `p` is as `ord` of `matrix_norm`; None is 2, the largest singular value by the smallest, also of matrices that are
    not square. Raises `ShapeError` unless A is square where it must be inverted, `DtypeError` unless it is float32 or
    float64, `ValueError` for another `p`.

    >>> import tensorgrad as tg
    >>> tg.linalg.cond(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.)
    """
    if p is not None and p not in ORDERS:
        raise ValueError(f"linalg.cond: p must be None, 'fro', 'nuc', or 1, 2 or inf of either sign, not {p!r}")
    spectral = p in (None, 2, -2)
    matrices("linalg.cond", square=not spectral, A=A)
    if 0 in A.shape[-2:]:
        return ops.sum(A, (-2, -1))  # 0, as PyTorch has it
    if spectral:
        values = svdvals_op(A)
        largest, least = ops.amax(values, -1), ops.amin(values, -1)
        return least / largest if p == -2 else largest / least
    inverse, info = inverse_op(A, check=False)
    regular = info == 0
    inverse = where(regular[..., None, None], inverse, 0.0)
    return where(regular, matrix_norm(A, p) * matrix_norm(inverse, p), math.inf)


def tolerances(A: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """How small a singular value counts as zero, absolutely and relative to the largest; None stands for a default."""
    if rtol is None:
        rounding = 2.0 ** (-23 if A.dtype.itemsize == 4 else -52)
        by_default = max(A.shape[-2:]) * rounding
        rtol = by_default if atol is None else where(atol > 0, 0.0, by_default) if hasattr(atol, "dtype") else 0.0
    atol, rtol = (0.0 if x is None else x._data if isinstance(x, TensorBase) else x for x in (atol, rtol))
    return atol, rtol


def matrix_rank(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """The ranks of matrices as int64: how many singular values exceed `atol`, and `rtol` times the largest of them.

    By default rtol is max(m, n) times the rounding error of the dtype, and 0 where atol is given. `hermitian` says that
    A is symmetric: only its lower triangle is then read. Raises `ShapeError` for fewer than two dimensions, and if
    `hermitian` unless A is square, `DtypeError` unless it is float32 or float64.

    >>> import tensorgrad as tg
    >>> tg.linalg.matrix_rank(tg.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    matrices("linalg.matrix_rank", square=hermitian, A=A)
    atol, rtol = tolerances(A, atol, rtol)
    values = ops.abs(eigvalsh_op(A, lower=True)) if hermitian else svdvals_op(A)
    if not values.shape[-1]:
        return ops.sum(values > 0, -1)
    least = ops.maximum(ops.amax(values, -1) * rtol, atol)
    return ops.sum(values > unsqueeze(least, -1), -1)
