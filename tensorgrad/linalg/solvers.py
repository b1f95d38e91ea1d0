"""Linear equations, inverses and determinants."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import return_types
from tensorgrad.backends.dtypes import int64
from tensorgrad.creation import empty
from tensorgrad.errors import ShapeError
from tensorgrad.linalg.norms import matrix_rank, tolerances
from tensorgrad.ops import square, sum
from tensorgrad.ops.decompositions import svdvals_op
from tensorgrad.ops.determinants import det_op, slogdet_op
from tensorgrad.ops.dims import rank
from tensorgrad.ops.linalg import matmul_op, swap
from tensorgrad.ops.matrices import fits, matrices
from tensorgrad.ops.shape import permute, reshape_op, squeeze, unsqueeze
from tensorgrad.ops.solving import inverse_op, pinv_op, solve_op, solve_triangular_op


def det(A: Any) -> Any:
    """The determinants of square matrices (..., n, n). The gradient is right for singular matrices too.

    Raises `ShapeError` unless they are square, `DtypeError` unless they are float32 or float64.

    >>> import tensorgrad as tg
    >>> tg.linalg.det(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    matrices("linalg.det", A=A)
    return det_op(A)


def slogdet(A: Any) -> Any:
    """The signs of the determinants of square matrices, and the logarithms of their sizes: 0 and -inf if singular.

    Raises `ShapeError` unless they are square, `DtypeError` unless they are float32 or float64.

    >>> import tensorgrad as tg
    >>> tg.linalg.slogdet(tg.tensor([[2.0, 0.0], [0.0, -4.0]])).sign
    tensor(-1.)
    """
    matrices("linalg.slogdet", A=A)
    return return_types.linalg_slogdet(*slogdet_op(A))


def inv(A: Any) -> Any:
    """The inverses of square matrices (..., n, n). Raises `LinAlgError` for a singular one.

    >>> import tensorgrad as tg
    >>> tg.linalg.inv(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    matrices("linalg.inv", A=A)
    return inverse_op(A, check=True)[0]


def inv_ex(A: Any, *, check_errors: bool = False) -> Any:
    """`inv`, and per matrix 0, or the first column that depends on those before it, where the inverse is NaN.

    Raises as `inv` where `check_errors` is set.

    >>> import tensorgrad as tg
    >>> tg.linalg.inv_ex(tg.zeros(2, 2)).info
    tensor(1, dtype=int32)
    """
    matrices("linalg.inv_ex", A=A)
    return return_types.linalg_inv_ex(*inverse_op(A, check=check_errors))


def pinv(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """The pseudoinverses (..., n, m) of matrices (..., m, n), of E. H. Moore and R. Penrose.

    Singular values up to the larger of `atol` and `rtol` times the largest count as zero. By default rtol is max(m, n)
    times the rounding error of the dtype, and 0 where atol is given. `hermitian` says that A is symmetric: only its
    lower triangle is then read. Raises `ShapeError` for fewer than two dimensions, and if `hermitian` unless they are
    square, `DtypeError` unless they are float32 or float64.

    >>> import tensorgrad as tg
    >>> tg.linalg.pinv(tg.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    matrices("linalg.pinv", square=hermitian, A=A)
    atol, rtol = tolerances(A, atol, rtol)
    return pinv_op(A, atol=atol, rtol=rtol, hermitian=hermitian)


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """X for which `A @ X` is B, or unless `left` `X @ A`: A (..., n, n), B (..., n, k); the batches broadcast.

    B may be a vector (n,), or a batch of vectors of the shape of A without its last dimension. Raises `LinAlgError`
    for a singular matrix.

    >>> import tensorgrad as tg
    >>> tg.linalg.solve(tg.tensor([[2.0, 0.0], [0.0, 4.0]]), tg.tensor([2.0, 4.0]))
    tensor([1., 1.])
    """
    matrices("linalg.solve", A=A)
    vectors = rank("linalg.solve", B) == 1 or tuple(B.shape) == tuple(A.shape[:-1])
    if vectors:
        if not left:
            raise ShapeError(f"linalg.solve: left=False takes matrices B (..., k, n), not shape {tuple(B.shape)}")
        B = unsqueeze(B, -1)
    matrices("linalg.solve", square=False, B=B)
    if not left:
        fits("linalg.solve", A, swap(B))
        return swap(solve_op(swap(A), swap(B)))
    fits("linalg.solve", A, B)
    x = solve_op(A, B)
    return squeeze(x, -1) if vectors else x


def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """X for which `A @ X` is B, or unless `left` `X @ A`, where A is triangular: only that triangle of it is read.

    With `unitriangular` the diagonal counts as ones and is not read. A zero on the diagonal is no error: what is
    divided by it is infinite or NaN. Raises `ShapeError` where the shapes do not fit, `DtypeError` where the dtypes
    differ.

    >>> import tensorgrad as tg
    >>> A = tg.tensor([[1.0, 2.0], [0.0, 4.0]])
    >>> tg.linalg.solve_triangular(A, tg.tensor([[3.0], [4.0]]), upper=True)
    tensor([[1.],
            [1.]])
    """
    matrices("linalg.solve_triangular", A=A)
    matrices("linalg.solve_triangular", square=False, B=B)
    if left:
        fits("linalg.solve_triangular", A, B)
        return solve_triangular_op(A, B, upper=upper, unit=unitriangular)
    fits("linalg.solve_triangular", A, swap(B))
    return swap(solve_triangular_op(swap(A), swap(B), upper=not upper, unit=unitriangular))


def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """X that makes the norm of `A @ X - B` least, as `(solution, residuals, rank, singular_values)`.

    A is (..., m, n), B (..., m, k), or a batch of vectors (..., m); of several solutions it is the shortest, whatever
    `driver` says ("gels", "gelsy", "gelsd" or "gelss"): singular values up to `rcond` times the largest count as zero.
    The rest is what PyTorch tells with a driver: the squared residuals where m > n and all matrices have full rank,
    unless it is None or "gelsy"; the rank unless it is "gels"; singular values for "gelsd" and "gelss"; else, empty.
    Raises `ShapeError` where the rows differ in number, `DtypeError` where the dtypes do, `ValueError` for another
    driver.

    >>> import tensorgrad as tg
    >>> tg.linalg.lstsq(tg.tensor([[2.0], [0.0]]), tg.tensor([[6.0], [4.0]])).solution
    tensor([[3.]])
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ValueError(f"linalg.lstsq: driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', not {driver!r}")
    matrices("linalg.lstsq", square=False, A=A)
    m, n = A.shape[-2:]
    vectors = tuple(B.shape) == tuple(A.shape[:-1])
    if vectors:
        B = unsqueeze(B, -1)
    matrices("linalg.lstsq", square=False, B=B)
    if B.shape[-2] != m:
        raise ShapeError(
            f"linalg.lstsq: A of shape {tuple(A.shape)} has {m} rows, and B of shape {tuple(B.shape)} {B.shape[-2]}"
        )
    _, rtol = tolerances(A, None, rcond)
    solution = matmul_op(pinv_op(A, atol=0.0, rtol=rtol, hermitian=False), B)
    ranks = matrix_rank(A, rtol=rtol)
    residuals = empty(0, dtype=A.dtype)
    if m > n and driver not in (None, "gelsy") and bool((ranks == n).all()):
        residuals = sum(square(matmul_op(A, solution) - B), -2)
    return return_types.linalg_lstsq(
        squeeze(solution, -1) if vectors else solution,
        residuals,
        empty(0, dtype=int64) if driver == "gels" else ranks,
        svdvals_op(A) if driver in ("gelsd", "gelss") else empty(0, dtype=A.dtype),
    )


def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of the map that `tensordot(A, x, x.ndim)` is.

    The first `ind` sizes of A must multiply to what the others do. Raises `ShapeError` where they do not, `ValueError`
    for `ind` below 1, `LinAlgError` where there is no inverse.

    >>> import tensorgrad as tg
    >>> tg.linalg.tensorinv(tg.eye(6).reshape(2, 3, 6), ind=2).shape
    (6, 2, 3)
    """
    if ind < 1:
        raise ValueError(f"linalg.tensorinv: ind must be 1 or more, not {ind}")
    first, rest = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if math.prod(first) != math.prod(rest):
        raise ShapeError(
            f"linalg.tensorinv: the first {ind} sizes of shape {tuple(A.shape)} must multiply to what the rest does"
        )
    return reshape_op(inv(reshape_op(A, shape=(math.prod(first), math.prod(rest)))), shape=rest + first)


def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """X for which `tensordot(A, X, X.ndim)` is B. The dimensions `dims` of A are first moved to its end.

    Raises `ShapeError` where the shapes do not fit, `LinAlgError` where there is no one solution.

    >>> import tensorgrad as tg
    >>> tg.linalg.tensorsolve(tg.eye(6).reshape(2, 3, 6), tg.ones(2, 3)).shape
    (6,)
    """
    if dims is not None:
        moved = [d % A.ndim for d in dims]
        A = permute(A, *(d for d in range(A.ndim) if d not in moved), *moved)
    shape = tuple(A.shape[B.ndim :])
    if tuple(A.shape[: B.ndim]) != tuple(B.shape) or math.prod(shape) != math.prod(B.shape):
        raise ShapeError(
            f"linalg.tensorsolve: A of shape {tuple(A.shape)} must have the shape of B, {tuple(B.shape)}, and then "
            f"sizes that multiply to the same"
        )
    size = math.prod(shape)
    x = solve_op(reshape_op(A, shape=(size, size)), reshape_op(B, shape=(size, 1)))
    return reshape_op(x, shape=shape)
