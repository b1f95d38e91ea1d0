"""What functions of matrices share: checks of what they are given, diagonals, identities."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.graph import wrap
from tensorgrad.backends.cpu import decompositions as cpu
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import where
from tensorgrad.ops.dims import rank
from tensorgrad.ops.shape import diagonal_op, undiagonal_op


def matrices(name: str, square: bool = True, **inputs: Any) -> None:
    """Raise unless each input holds matrices: `ShapeError` for other shapes, `DtypeError` for other dtypes."""
    for what, x in inputs.items():
        if rank(name, x) < 2 or (square and x.shape[-1] != x.shape[-2]):
            kind = "square matrices (..., n, n)" if square else "matrices (..., m, n)"
            raise ShapeError(f"{name}: {what} must be {kind}, and has shape {tuple(x.shape)}")
        if x.dtype.kind != "f" or x.dtype.itemsize < 4:
            raise DtypeError(f"{name}: {what} must be float32 or float64, not {x.dtype.name}; convert it with .float()")


def fits(name: str, a: Any, b: Any) -> None:
    """Raise `ShapeError` unless square matrices have a row for each row of others."""
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"{name}: matrices of shape {tuple(a.shape)} do not fit right-hand sides of shape {tuple(b.shape)}, which "
            f"must have {a.shape[-1]} rows"
        )


def diagonal_matrix(x: Any) -> Any:
    """Matrices with the last dimension on their diagonal."""
    n, ndim = x.shape[-1], len(x.shape)
    return undiagonal_op(x, shape=(*x.shape, n), offset=0, dim1=ndim - 1, dim2=ndim)


def diagonals(x: Any) -> Any:
    """The diagonals of matrices."""
    ndim = len(x.shape)
    return diagonal_op(x, offset=0, dim1=ndim - 2, dim2=ndim - 1)


def ones_of(x: Any) -> Any:
    """Ones in the shape of what a vjp was given."""
    return where(True, 1.0, x)


def identity_like(x: Any) -> Any:
    """Identity matrices in the shape of square ones."""
    return wrap(cpu.identity(tuple(x.shape[:-2]), x.shape[-1], x.dtype))
