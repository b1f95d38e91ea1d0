"""Matrix decompositions, solvers and determinants. Of vectors that have no sign of their own, products are compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalogue.rows import Row, positive, primitive, real

BATCH = real(2, 3, 3)
EMPTY = ((0, 3, 3),)


def _t(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _definite(x: Any) -> Any:
    return x @ _t(x) + np.eye(3, dtype=x.dtype)


def _symmetric(x: Any) -> Any:
    return x + _t(x)


def _regular(x: Any) -> Any:
    """Far from singular."""
    return x + 4.0 * np.eye(3, dtype=x.dtype)


def _first(name: str, **attrs: Any) -> Any:
    op = primitive(name, **attrs)
    return lambda x: op(x)[0]


def _signless(u: Any, vt: Any) -> Any:
    """The products of the elements of each pair of vectors."""
    return u[..., :, None, :] * _t(vt)[..., None, :, :]


def _svd(decompose: Any) -> Any:
    def call(x: Any) -> Any:
        u, s, vh = decompose(x)
        k = s.shape[-1]
        return s, _signless(u[..., :k], vh[..., :k, :])

    return call


def _eigh(decompose: Any) -> Any:
    def call(x: Any) -> Any:
        w, v = decompose(_symmetric(x))
        return w, _signless(v, _t(v))

    return call


def _minors(x: np.ndarray) -> np.ndarray:
    rows = [[np.delete(np.delete(x, i, -2), j, -1) for j in range(3)] for i in range(3)]
    signs = np.array([[(-1) ** (i + j) for j in range(3)] for i in range(3)])
    return signs * np.stack([np.stack([np.linalg.det(m) for m in row], -1) for row in rows], -2)


def _triangular(upper: bool, unit: bool) -> tuple[Any, Any]:
    def reference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        t = np.triu(a) if upper else np.tril(a)
        return np.linalg.solve(t - t * np.eye(3) + np.eye(3) if unit else t, b)

    return primitive("solve_triangular", upper=upper, unit=unit), reference


def _series(x: np.ndarray) -> np.ndarray:
    term = total = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for k in range(1, 60):
        term = term @ x / k
        total = total + term
    return total


TALL, WIDE = real(2, 4, 3), real(2, 3, 4)
svd_thin, svd_full = primitive("svd", full=False), primitive("svd", full=True)
qr_thin = primitive("qr", mode="reduced")
inverse, eigh, eigvalsh = (
    _first("inverse", check=True),
    primitive("eigh", lower=True),
    primitive("eigvalsh", lower=False),
)

ROWS = [
    Row("cholesky", lambda x: _first("cholesky", check=True)(_definite(x)), lambda x: np.linalg.cholesky(_definite(x)), (BATCH,), empty=EMPTY),
    Row("qr", lambda x: qr_thin(x), lambda x: tuple(np.linalg.qr(x)), (TALL,), empty=((0, 4, 3),)),
    Row("svd", _svd(svd_thin), _svd(lambda x: np.linalg.svd(x, full_matrices=False)), (TALL,), empty=((0, 4, 3),), note="tall"),
    Row("svd", _svd(svd_full), _svd(np.linalg.svd), (WIDE,), empty=((0, 3, 4),), note="wide"),
    Row("svdvals", primitive("svdvals"), lambda x: np.linalg.svd(x, compute_uv=False), (TALL,), empty=((0, 4, 3),)),
    Row("eigh", _eigh(eigh), _eigh(np.linalg.eigh), (BATCH,), empty=EMPTY),
    Row("eigvalsh", lambda x: eigvalsh(_symmetric(x)), lambda x: np.linalg.eigvalsh(_symmetric(x)), (BATCH,), empty=EMPTY),
    Row("inverse", lambda x: inverse(_regular(x)), lambda x: np.linalg.inv(_regular(x)), (BATCH,), empty=EMPTY),
    Row("pinv", primitive("pinv", atol=0.0, rtol=1e-15, hermitian=False), np.linalg.pinv, (TALL,), empty=((0, 4, 3),), note="tall"),
    Row("pinv", primitive("pinv", atol=0.0, rtol=1e-15, hermitian=False), np.linalg.pinv, (WIDE,), empty=((0, 3, 4),), note="wide"),
    Row("solve", lambda a, b: primitive("solve")(_regular(a), b), lambda a, b: np.linalg.solve(_regular(a), b), (BATCH, real(3, 2)), empty=((0, 3, 3), (3, 2))),
    *(
        Row("solve_triangular", *_triangular(upper, unit), (positive(2, 3, 3), real(1, 3, 2)), empty=((0, 3, 3), (1, 3, 2)), note=f"{upper}-{unit}")
        for upper in (False, True) for unit in (False, True)
    ),
    Row("det", primitive("det"), np.linalg.det, (BATCH,), empty=EMPTY),
    Row("det", primitive("det"), np.linalg.det, (real(2, 1, 1),), empty=((2, 0, 0),), note="1x1"),
    Row("cofactor", primitive("cofactor"), _minors, (BATCH,), empty=EMPTY),
    Row("slogdet", primitive("slogdet"), lambda x: tuple(np.linalg.slogdet(x)), (BATCH,), empty=EMPTY),
    Row("matrix_exp", primitive("matrix_exp"), _series, (BATCH,), empty=EMPTY),
]  # fmt: skip
