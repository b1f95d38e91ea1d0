"""Linear equations, inverses and the exponential of matrices.

The gradients are those of M. B. Giles, An extended collection of matrix derivative results (2008), that of the
pseudoinverse is G. H. Golub's and V. Pereyra's (1973). What is not `tensorgrad.X` is in `tensorgrad.linalg`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import Parts, primitive
from tensorgrad.backends.cpu import decompositions as cpu
from tensorgrad.errors import ShapeError
from tensorgrad.ops.choose import clone, where
from tensorgrad.ops.dims import rank
from tensorgrad.ops.joining import cat
from tensorgrad.ops.linalg import matmul_op, swap
from tensorgrad.ops.matrices import fits, identity_like, matrices
from tensorgrad.ops.shape import tril_op, triu_op


def _solve_vjp(g: Any, wants: tuple[bool, ...], y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    gb = solve_op(swap(a), g)
    return -matmul_op(gb, swap(y)) if wants[0] else None, gb


# x of a @ x = b
solve_op: Callable[..., Any] = primitive("solve", cpu.solve, joint=_solve_vjp, keep="ya", inputs="same")


def _solve_triangular_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, a: Any, b: Any, upper: bool, unit: bool
) -> tuple[Any, Any]:
    gb = solve_triangular_op(swap(a), g, upper=not upper, unit=unit)
    if not wants[0]:
        return None, gb
    ga = -matmul_op(gb, swap(y))
    return (triu_op if upper else tril_op)(ga, diagonal=(1 if upper else -1) * unit), gb


solve_triangular_op: Callable[..., Any] = primitive(
    "solve_triangular", cpu.solve_triangular, joint=_solve_triangular_vjp, keep="ya", inputs="same"
)


def _inverse_vjp(g: Parts, wants: Any, y: Any, a: Any, check: bool) -> tuple[Any]:
    across = swap(y[0])
    return (-matmul_op(matmul_op(across, g[0]), across),)


# Gives, beside the inverse, per matrix 0 or the first column that depends on those before it. (To solve for the
# identity would factor the matrix once more for the gradient.)
inverse_op = primitive("inverse", cpu.inverse, joint=_inverse_vjp, keep="y")


def _pinv_vjp(g: Any, y: Any, a: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    gt, yt = swap(g), swap(y)
    if a.shape[-2] <= a.shape[-1]:
        k = matmul_op(gt, y)
        kyt = matmul_op(k, yt)
        x = kyt - swap(matmul_op(y, k)) - matmul_op(matmul_op(a, y), kyt)
        return x + matmul_op(matmul_op(yt, y), gt - matmul_op(k, a))
    k = matmul_op(y, gt)
    ytk = matmul_op(yt, k)
    x = ytk - swap(matmul_op(k, y)) - matmul_op(matmul_op(ytk, y), a)
    return x + matmul_op(matmul_op(gt - matmul_op(a, k), y), yt)


# Composed of singular values, its gradient would be infinite where two are equal.
pinv_op = primitive("pinv", cpu.pinv, _pinv_vjp, keep="ya")


def _matrix_exp_vjp(g: Any, y: Any, a: Any) -> Any:
    """The derivative in a direction is a corner of the exponential of a block matrix."""
    n, last = a.shape[-1], len(a.shape) - 1
    at = swap(a)
    zero = where(False, at, 0.0)
    whole = matrix_exp_op(cat([cat([at, g], last), cat([zero, at], last)], last - 1))
    return whole[..., :n, n:]


matrix_exp_op: Callable[..., Any] = primitive("matrix_exp", cpu.matrix_exp, _matrix_exp_vjp, keep="a")


def inverse(input: Any) -> Any:
    """The inverses of square matrices (..., n, n). Raises `LinAlgError` for a singular one.

    >>> import tensorgrad as tg
    >>> tg.inverse(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    matrices("inverse", input=input)
    return inverse_op(input, check=True)[0]


def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """The pseudoinverses of matrices; singular values up to `rcond` times the largest count as zero.

    >>> import tensorgrad as tg
    >>> tg.pinverse(tg.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    matrices("pinverse", square=False, input=input)
    return pinv_op(input, atol=0.0, rtol=rcond, hermitian=False)


def matrix_exp(A: Any) -> Any:
    """The exponential of square matrices, the sum of `A^k / k!`: N. J. Higham's scaling and squaring method (2005).

    >>> import tensorgrad as tg
    >>> tg.matrix_exp(tg.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    matrices("linalg.matrix_exp", A=A)
    return matrix_exp_op(A)


def matrix_power(input: Any, n: int) -> Any:
    """The n-th power of square matrices by repeated squaring; for a negative n, of their inverses.

    Raises `LinAlgError` for a negative power of a singular matrix.

    >>> import tensorgrad as tg
    >>> tg.matrix_power(tg.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    n = operator.index(n)
    if n < 0:
        input, n = inverse(input), -n
    elif rank("matrix_power", input) < 2 or input.shape[-1] != input.shape[-2]:
        raise ShapeError(f"matrix_power: input must be square matrices (..., n, n), and has shape {tuple(input.shape)}")
    if not n:
        return identity_like(input)
    result = None
    while n:
        if n & 1:
            result = input if result is None else matmul_op(result, input)
        n >>= 1
        if n:
            input = matmul_op(input, input)
    return clone(result)


def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:
    """The solutions x of `a @ x = B` (..., n, k), given the Cholesky factor L of a (or its transpose, if `upper`).

    >>> import tensorgrad as tg
    >>> tg.cholesky_solve(tg.tensor([[8.0]]), tg.tensor([[2.0]]))
    tensor([[2.]])
    """
    matrices("cholesky_solve", square=False, B=B)
    matrices("cholesky_solve", L=L)
    fits("cholesky_solve", L, B)
    left, right = (swap(L), L) if upper else (L, swap(L))
    x = solve_triangular_op(left, B, upper=False, unit=False)
    return solve_triangular_op(right, x, upper=True, unit=False)


def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """The inverse of a matrix, given its Cholesky factor L (or the transpose of it, if `upper`).

    >>> import tensorgrad as tg
    >>> tg.cholesky_inverse(tg.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    matrices("cholesky_inverse", L=L)
    return cholesky_solve(identity_like(L), L, upper)
