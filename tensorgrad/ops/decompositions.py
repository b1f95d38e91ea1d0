"""Decompositions of matrices as primitives: Cholesky, QR, singular values, and eigenvalues of symmetric matrices.

The gradients are those of M. B. Giles, An extended collection of matrix derivative results (2008), of S. F. Walter and
L. Lehmann, Algorithmic differentiation of linear algebra functions (2010), and PyTorch's. Those of singular and
eigenvectors are right for functions that do not depend on the signs of the vectors, and infinite where two values are
equal. The public functions are in `tensorgrad.linalg`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import Parts, primitive
from tensorgrad.backends.cpu import decompositions as cpu
from tensorgrad.errors import AutogradError
from tensorgrad.ops.linalg import matmul_op, swap
from tensorgrad.ops.matrices import diagonal_matrix, diagonals, ones_of
from tensorgrad.ops.shape import tril_op, triu_op
from tensorgrad.ops.solving import solve_triangular_op


def _gaps(x: Any) -> Any:
    """`x[j] - x[i]` for row i and column j, and 1 on the diagonal: what the share of two vectors is divided by."""
    return x[..., None, :] - x[..., None] + diagonal_matrix(ones_of(x))


def _cholesky_vjp(g: Parts, wants: Any, y: Any, a: Any, check: bool) -> tuple[Any]:
    lower = y[0]
    upper = swap(lower)
    x = tril_op(matmul_op(upper, g[0]), diagonal=0)
    x = x + swap(tril_op(x, diagonal=-1))  # symmetric, so that the gradient is
    x = solve_triangular_op(upper, x, upper=True, unit=False)
    return (swap(solve_triangular_op(upper, swap(x), upper=True, unit=False)) * 0.5,)


# gives the lower factor, and per matrix 0 or the order of the first leading minor that is not positive
cholesky_op = primitive("cholesky", cpu.cholesky, joint=_cholesky_vjp, keep="y")


def _qr_vjp(g: Parts, wants: Any, y: Any, a: Any, mode: str) -> tuple[Any]:
    q, r = y
    if mode == "r":
        raise AutogradError("linalg.qr: the gradient needs Q, which mode='r' does not compute; use mode='reduced'")
    if r.shape[-1] != r.shape[-2]:
        raise AutogradError(
            "linalg.qr: the gradient of mode='complete' is not determined for more rows than columns; "
            "use mode='reduced'"
        )
    gq, gr = g.get(0), g.get(1)
    x = 0.0 if gr is None else matmul_op(triu_op(gr, diagonal=0), swap(r))
    x = x if gq is None else x - matmul_op(swap(q), gq)
    x = triu_op(x, diagonal=0)
    x = matmul_op(q, x + swap(triu_op(x, diagonal=1)))
    x = x if gq is None else x + gq
    return (swap(solve_triangular_op(r, swap(x), upper=True, unit=False)),)


# of matrices with at least as many rows as columns; gives Q (nothing in mode "r") and R
qr_op = primitive("qr", cpu.qr, joint=_qr_vjp, keep="y")


def _skew(x: Any) -> Any:
    return x - swap(x)


def _svd_vjp(g: Parts, wants: Any, y: Any, a: Any, full: bool) -> tuple[Any]:
    u, s, vh = y
    k, gu, gs, gvh = s.shape[-1], g.get(0), g.get(1), g.get(2)
    u, vh = u[..., :k], vh[..., :k, :]  # the other vectors are any that complete the basis
    gu, gvh = None if gu is None else gu[..., :k], None if gvh is None else gvh[..., :k, :]
    x = diagonal_matrix(s * 0.0 if gs is None else gs)
    gaps = _gaps(s * s)
    if gu is not None:
        x = x + _skew(matmul_op(swap(u), gu)) / gaps * s[..., None, :]
    if gvh is not None:
        x = x + s[..., None] * (_skew(matmul_op(vh, swap(gvh))) / gaps)
    x = matmul_op(matmul_op(u, x), vh)
    if gu is not None and a.shape[-2] > k:
        rest = gu / s[..., None, :]
        x = x + matmul_op(rest - matmul_op(u, matmul_op(swap(u), rest)), vh)
    if gvh is not None and a.shape[-1] > k:
        rest = gvh / s[..., None]
        x = x + matmul_op(u, rest - matmul_op(matmul_op(rest, swap(vh)), vh))
    return (x,)


# gives U, S and Vh
svd_op: Callable[..., Any] = primitive("svd", cpu.svd, joint=_svd_vjp, keep="y")


def _svdvals_vjp(g: Any, y: Any, a: Any) -> Any:
    u, _, vh = svd_op(a, full=False)
    return matmul_op(u * g[..., None, :], vh)


# The vectors are computed only where the gradient needs them.
svdvals_op = primitive("svdvals", cpu.svdvals, _svdvals_vjp, keep="a")


def _eigh_vjp(g: Parts, wants: Any, y: Any, a: Any, lower: bool) -> tuple[Any]:
    w, v = y
    gw, gv = g.get(0), g.get(1)
    x = diagonal_matrix(w * 0.0 if gw is None else gw)
    if gv is not None:
        shares = matmul_op(swap(v), gv)
        x = x + (shares - diagonal_matrix(diagonals(shares))) / _gaps(w)
    return (matmul_op(matmul_op(v, x), swap(v)),)


# gives the eigenvalues in ascending order, and the eigenvectors as columns
eigh_op: Callable[..., Any] = primitive("eigh", cpu.eigh, joint=_eigh_vjp, keep="y")


def _eigvalsh_vjp(g: Any, y: Any, a: Any, lower: bool) -> Any:
    _, v = eigh_op(a, lower=lower)
    return matmul_op(v * g[..., None, :], swap(v))


eigvalsh_op = primitive("eigvalsh", cpu.eigvalsh, _eigvalsh_vjp, keep="a")
