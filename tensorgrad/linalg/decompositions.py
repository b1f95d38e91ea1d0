"""Decompositions of matrices."""

from __future__ import annotations

from typing import Any

from tensorgrad import return_types
from tensorgrad.ops.decompositions import cholesky_op, eigh_op, eigvalsh_op, qr_op, svd_op, svdvals_op
from tensorgrad.ops.joining import cat
from tensorgrad.ops.linalg import matmul_op, swap
from tensorgrad.ops.matrices import matrices


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with a positive diagonal for which `L @ L.mT` is A, or its transpose if `upper`.

    Of A (..., n, n), which must be symmetric and positive definite, only the lower triangle is read (the upper if
    `upper`). Raises `LinAlgError` for a matrix that is not positive definite.

    >>> import tensorgrad as tg
    >>> tg.linalg.cholesky(tg.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    return _cholesky("linalg.cholesky", A, upper, True).L


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> Any:
    """`cholesky`, and per matrix 0, or the order of the first leading minor that is not positive, where L is NaN.

    Raises as `cholesky` where `check_errors` is set.

    >>> import tensorgrad as tg
    >>> tg.linalg.cholesky_ex(tg.tensor([[4.0, 2.0], [2.0, 1.0]])).info
    tensor(2, dtype=int32)
    """
    return _cholesky("linalg.cholesky_ex", A, upper, check_errors)


def _cholesky(name: str, A: Any, upper: bool, check: bool) -> Any:
    matrices(name, A=A)
    factor, info = cholesky_op(swap(A) if upper else A, check=check)
    return return_types.linalg_cholesky_ex(swap(factor) if upper else factor, info)


def qr(A: Any, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and an upper triangular R for which `Q @ R` is A (..., m, n), as `(Q, R)`.

    Q is (..., m, k) with k = min(m, n), and (..., m, m) in mode "complete"; mode "r" computes R only, and Q is empty.
    The gradient needs the first k columns of A to be independent, and mode "reduced" where m > n. Raises `ValueError`
    for another mode, `ShapeError` for fewer than two dimensions, `DtypeError` unless A is float32 or float64.

    >>> import tensorgrad as tg
    >>> tg.linalg.qr(tg.tensor([[3.0], [4.0]])).R
    tensor([[-5.]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"linalg.qr: mode must be 'reduced', 'complete' or 'r', not {mode!r}")
    matrices("linalg.qr", square=False, A=A)
    m, n = A.shape[-2:]
    if m >= n or mode == "r":
        return return_types.linalg_qr(*qr_op(A, mode=mode))
    q, r = qr_op(A[..., :m], mode=mode)  # the first columns determine Q
    return return_types.linalg_qr(q, cat([r, matmul_op(swap(q), A[..., m:])], -1))


def eigh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices in ascending order, and eigenvectors as columns.

    Only the lower triangle is read, or with UPLO "U" the upper. Eigenvectors are determined but for their sign, and
    where eigenvalues are equal not at all: the gradient of what depends on them is then NaN or infinite. Raises
    `ValueError` for another UPLO, `ShapeError` unless they are square, `DtypeError` unless they are float32 or float64.

    >>> import tensorgrad as tg
    >>> tg.linalg.eigh(tg.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return return_types.linalg_eigh(*eigh_op(A, lower=_lower("linalg.eigh", A, UPLO)))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices in ascending order, read from one triangle as by `eigh`.

    Raises as `eigh`.

    >>> import tensorgrad as tg
    >>> tg.linalg.eigvalsh(tg.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return eigvalsh_op(A, lower=_lower("linalg.eigvalsh", A, UPLO))


def _lower(name: str, A: Any, triangle: str) -> bool:
    matrices(name, A=A)
    if triangle not in ("L", "l", "U", "u"):
        raise ValueError(f"{name}: UPLO must be 'L' or 'U', not {triangle!r}")
    return triangle in "Ll"


def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """U, S and Vh for which `U @ diag(S) @ Vh` is A (..., m, n): S in descending order, U and Vh orthogonal.

    U is (..., m, m) and Vh (..., n, n), or unless `full_matrices` (..., m, k) and (..., k, n) with k = min(m, n). The
    gradient takes no account of the vectors beyond k, and is NaN or infinite where two singular values are equal. There
    is one driver, so that it must be None. Raises `ShapeError` for fewer than two dimensions, `DtypeError` unless A is
    float32 or float64.

    >>> import tensorgrad as tg
    >>> tg.linalg.svd(tg.tensor([[3.0, 0.0], [0.0, -4.0]])).S
    tensor([4., 3.])
    """
    _one_driver("linalg.svd", driver)
    matrices("linalg.svd", square=False, A=A)
    return return_types.linalg_svd(*svd_op(A, full=full_matrices))


def svdvals(A: Any, *, driver: str | None = None) -> Any:
    """The singular values of matrices in descending order, (..., min(m, n)).

    Raises as `svd`.

    >>> import tensorgrad as tg
    >>> tg.linalg.svdvals(tg.tensor([[3.0, 0.0], [0.0, -4.0]]))
    tensor([4., 3.])
    """
    _one_driver("linalg.svdvals", driver)
    matrices("linalg.svdvals", square=False, A=A)
    return svdvals_op(A)


def _one_driver(name: str, driver: str | None) -> None:
    if driver is not None:
        raise ValueError(f"{name}: driver= chooses between those of CUDA; leave it out, not {driver!r}")
