"""Decompositions, inverses, determinants and functions of matrices, over leading dimensions as a batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.shared import Array, Kernel
from tensorgrad.errors import LinAlgError


def identity(lead: tuple[int, ...], n: int, dtype: np.dtype[Any]) -> Array:
    """A batch of identity matrices."""
    return np.array(np.broadcast_to(np.eye(n, dtype=dtype), (*lead, n, n)))


def _converging(name: str, kernel: Kernel) -> Kernel:
    """A kernel whose iteration may fail, as it does where there are NaN or infinite elements."""

    def checked(a: Array, **attrs: Any) -> Any:
        try:
            return kernel(a, **attrs)
        except np.linalg.LinAlgError:
            raise LinAlgError(f"linalg.{name}: it did not converge; look for NaN or infinite elements") from None

    return checked


def _informed(function: Kernel, order: Kernel, complaint: str) -> Kernel:
    """A kernel that tells what is wrong with which matrices: it raises, or gives NaN and an order above 0 for those."""

    def kernel(a: Array, check: bool) -> tuple[Array, Array]:
        info = np.zeros(a.shape[:-2], np.int32)
        try:
            return function(a), info
        except np.linalg.LinAlgError:
            y = np.full_like(a, math.nan)
        for at in np.ndindex(info.shape):
            try:
                y[at] = function(a[at])
            except np.linalg.LinAlgError:
                info[at] = order(a[at])
                if check:
                    which = f"matrix {at[0] if len(at) == 1 else at} of the batch" if at else "the matrix"
                    raise LinAlgError(complaint.format(which=which, order=info[at])) from None
        return y, info

    return kernel


def _indefinite_minor(a: Array) -> int:
    for k in range(1, len(a)):
        try:
            np.linalg.cholesky(a[:k, :k])
        except np.linalg.LinAlgError:
            return k
    return len(a)


def _dependent_column(a: Array) -> int:
    ranks = (int(np.linalg.matrix_rank(a[:, :k])) for k in range(1, len(a) + 1))
    return next((k for k, rank in enumerate(ranks, 1) if rank < k), len(a))


cholesky = _informed(
    np.linalg.cholesky,
    _indefinite_minor,
    "linalg.cholesky: {which} is not positive definite: its leading minor of order {order} is not positive; where that "
    "is a matter of rounding, add a small multiple of the identity",
)
inverse = _informed(
    np.linalg.inv,
    _dependent_column,
    "linalg.inv: {which} is singular: its column {order} depends on those before it; linalg.pinv takes such matrices",
)

eigvalsh = _converging("eigvalsh", lambda a, lower: np.linalg.eigvalsh(a, "L" if lower else "U"))
eigh = _converging("eigh", lambda a, lower: tuple(np.linalg.eigh(a, "L" if lower else "U")))
svdvals = _converging("svdvals", lambda a: np.linalg.svd(a, compute_uv=False))
svd = _converging("svd", lambda a, full: tuple(np.linalg.svd(a, full_matrices=full)))


def qr(a: Array, mode: Any) -> tuple[Array, Array]:
    result: Any = np.linalg.qr(a, mode)
    return (np.empty(0, a.dtype), result) if mode == "r" else tuple(result)


# Linear equations


def solve(a: Array, b: Array) -> Array:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.solve: a matrix is singular, and so has no solution or many; linalg.lstsq gives the best"
        ) from None


def solve_triangular(a: Array, b: Array, upper: bool, unit: bool) -> Array:
    """Solve by halves: what is known is taken from the rest by a matrix product."""
    n = a.shape[-1]
    if n <= 32:
        return _substitute(np.triu(a) if upper else np.tril(a), b, upper, unit)
    half = n // 2
    top, bottom = slice(None, half), slice(half, None)
    first, second = (bottom, top) if upper else (top, bottom)
    known = solve_triangular(a[..., first, first], b[..., first, :], upper, unit)
    rest = b[..., second, :] - a[..., second, first] @ known
    found = solve_triangular(a[..., second, second], rest, upper, unit)
    return np.concatenate((found, known) if upper else (known, found), -2)


def _substitute(a: Array, b: Array, upper: bool, unit: bool) -> Array:
    if unit:
        np.einsum("...ii->...i", a)[...] = 1
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        pass
    y = np.array(np.broadcast_to(b, np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + b.shape[-2:]))
    rows = range(a.shape[-1])
    for i in reversed(rows) if upper else rows:  # a zero on the diagonal divides by it, as in PyTorch
        y[..., i, :] /= a[..., i, i, None]
        others = slice(None, i) if upper else slice(i + 1, None)
        y[..., others, :] -= a[..., others, i, None] * y[..., i, None, :]
    return y


def pinv(a: Array, atol: Any, rtol: Any, hermitian: bool) -> Array:
    """Singular values up to the larger tolerance, absolute or relative to the largest of them, count as zero."""
    u, s, vh = svd(a, full=False) if not hermitian else _svd_of_symmetric(a)
    most = np.max(np.abs(s), axis=-1, initial=0.0)
    least = np.maximum(atol, rtol * most)[..., None]
    inverted = np.where(np.abs(s) > least, 1 / s, 0).astype(a.dtype)
    return (vh.swapaxes(-1, -2) * inverted[..., None, :]) @ u.swapaxes(-1, -2)


def _svd_of_symmetric(a: Array) -> tuple[Array, Array, Array]:
    w, v = eigh(a, lower=True)
    return v, w, v.swapaxes(-1, -2)


# Determinants

det = np.linalg.det


def slogdet(a: Array) -> tuple[Array, Array]:
    sign, logabsdet = np.linalg.slogdet(a)
    return np.asarray(sign), np.asarray(logabsdet)


def cofactor(a: Array) -> Array:
    """`det(a) * inv(a).T`, which has a limit where the matrix is singular."""
    try:
        inverted = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return _cofactor(a)
    y = np.linalg.det(a)[..., None, None] * inverted.swapaxes(-1, -2)
    condition = np.einsum("...ij,...ij->...", a, a) * np.einsum("...ij,...ij->...", inverted, inverted)
    poor = ~(condition * np.finfo(a.dtype).eps < 1)  # half of the digits of the inverse are lost
    if poor.any():
        y[poor] = _cofactor(a[poor])
    return y


def _cofactor(a: Array) -> Array:
    u, s, vh = svd(a, full=False)
    one = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate((one, s[..., :-1]), -1), -1)
    after = np.cumprod(np.concatenate((one, s[..., :0:-1]), -1), -1)[..., ::-1]
    sign = np.sign(np.linalg.det(u @ vh))[..., None]
    return (u * (sign * before * after)[..., None, :]) @ vh if s.shape[-1] else a


# The exponential: N. J. Higham, The Scaling and Squaring Method for the Matrix Exponential Revisited (2005)

_PADE = [64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
         670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1]  # fmt: skip
_RADIUS = 5.371920351148152


def matrix_exp(a: Array) -> Array:
    x = a.astype(np.float64)
    size = np.max(np.sum(np.abs(x), axis=-2), axis=-1, initial=0.0)
    finite = np.isfinite(size)
    squarings = np.ceil(np.log2(np.maximum(np.where(finite, size, 1.0) / _RADIUS, 1.0)))
    x /= np.exp2(squarings)[..., None, None]
    x[~finite] = 0
    one, x2 = identity(x.shape[:-2], x.shape[-1], x.dtype), x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    even, odd = (
        b[0] * one + b[1] * x2 + b[2] * x4 + b[3] * x6 + x6 @ (b[4] * x2 + b[5] * x4 + b[6] * x6)
        for b in (_PADE[::2], _PADE[1::2])
    )
    odd = x @ odd
    y = np.linalg.solve(even - odd, even + odd)
    for i in range(int(np.max(squarings, initial=0.0))):
        y = np.where((squarings > i)[..., None, None], y @ y, y)
    y[~finite] = math.nan
    return y.astype(a.dtype)
