"""What functions of linear algebra are tried on: calls for a library, which is ours or PyTorch, and their inputs."""

from __future__ import annotations

import math

import numpy as np
from side_by_side import normal


def definite(*shape, seed=0):
    x = normal(*shape, seed=seed)
    return x @ x.swapaxes(-1, -2) + np.eye(shape[-1])


def symmetric(x):
    return x + x.mT


def squared(*tensors):
    """What does not depend on the signs of vectors that have none of their own."""
    return tuple(x * x for x in tensors)


POINTS = normal(5, 3, seed=1)
M, TALL, WIDE, BATCH = normal(4, 4), normal(5, 3), normal(3, 5), normal(2, 3, 4, 4)
SQUARES = [M, BATCH, normal(1, 1), normal(0, 0), normal(2, 0, 0), normal(0, 3, 3)]
SHAPES = [*SQUARES, TALL, WIDE, normal(2, 4, 3), normal(2, 3, 4)]
FULL_RANK = [x for x in SHAPES if 0 not in x.shape]

# The call, and what it is tried on: arrays, or their shapes; several of them in a list.
CASES = {
    "cholesky": (lambda L, a: L.linalg.cholesky(a @ a.mT + L.eye(a.shape[-1], dtype=a.dtype)), SQUARES),
    "cholesky of the upper triangle": (
        lambda L, a: L.linalg.cholesky(a @ a.mT + L.eye(a.shape[-1], dtype=a.dtype), upper=True),
        SQUARES,
    ),
    "cholesky_ex": (lambda L, a: tuple(L.linalg.cholesky_ex(a @ a.mT + L.eye(a.shape[-1], dtype=a.dtype))), SQUARES),
    "det": (lambda L, a: L.linalg.det(a), SQUARES),
    "tg.det": (lambda L, a: L.det(a) + a.det(), SQUARES),
    "slogdet": (lambda L, a: (*L.linalg.slogdet(a), *L.slogdet(a), a.slogdet().logabsdet), SQUARES),
    "logdet": (lambda L, a: L.logdet(a @ a.mT), SQUARES),
    "inv": (lambda L, a: L.linalg.inv(a), SQUARES),
    "inv_ex": (lambda L, a: tuple(L.linalg.inv_ex(a)), SQUARES),
    "inverse": (lambda L, a: L.inverse(a) + a.inverse(), SQUARES),
    "matrix_exp": (lambda L, a: L.linalg.matrix_exp(a), [*SQUARES, 20 * M, 1e-9 * M]),
    "tg.matrix_exp": (lambda L, a: L.matrix_exp(a) + a.matrix_exp(), [M]),
    "eigvalsh": (lambda L, a: L.linalg.eigvalsh(symmetric(a)), SQUARES),
    "eigvalsh of the upper triangle": (lambda L, a: L.linalg.eigvalsh(symmetric(a), "U"), SQUARES),
    "eigh": (lambda L, a: squared(*L.linalg.eigh(symmetric(a))), SQUARES),
    "eigh of the upper triangle": (lambda L, a: squared(*L.linalg.eigh(symmetric(a), UPLO="U")), SQUARES),
    "svdvals": (lambda L, a: L.linalg.svdvals(a), SHAPES),
    "svd reduced": (lambda L, a: squared(*L.linalg.svd(a, full_matrices=False)), SHAPES),
    "svd, vectors of one side": (lambda L, a: L.linalg.svd(a, full_matrices=False).Vh ** 2, FULL_RANK),
    "svd full": (
        lambda L, a: squared(
            *(
                x[..., : min(a.shape[-2:]), :] if i == 2 else x[..., : min(a.shape[-2:])]
                for i, x in enumerate(L.linalg.svd(a))
            )
        ),
        SHAPES,
    ),
    "qr": (lambda L, a: tuple(L.linalg.qr(a)), SHAPES),
    "qr, only R": (lambda L, a: L.linalg.qr(a).R, FULL_RANK),
    "qr, only Q": (lambda L, a: L.linalg.qr(a).Q, FULL_RANK),
    "qr complete": (lambda L, a: tuple(L.linalg.qr(a, "complete")), [M, WIDE, BATCH]),
    "qr complete of values": (lambda L, a: tuple(L.linalg.qr(a.detach(), "complete")) + (a,), SHAPES),
    "qr of mode r": (lambda L, a: L.linalg.qr(a.detach(), "r").R + 0 * a.sum(), SHAPES),
    "pinv": (lambda L, a: L.linalg.pinv(a), SHAPES),
    "pinv with tolerances": (lambda L, a: L.linalg.pinv(a, atol=0.7, rtol=0.1), [M, TALL, BATCH]),
    "pinv with a tolerance": (lambda L, a: L.linalg.pinv(a, atol=0.5), [M, WIDE]),
    "pinv of symmetric ones": (lambda L, a: L.linalg.pinv(symmetric(a), hermitian=True), [M, BATCH]),
    "pinverse": (lambda L, a: L.pinverse(a) + a.pinverse(), FULL_RANK),
    "cond": (lambda L, a: L.linalg.cond(a), FULL_RANK),
    **{
        f"cond {p}": (lambda L, a, p=p: L.linalg.cond(a.detach(), p), [M, BATCH])
        for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
    },
    "matrix_power": (lambda L, a: tuple(L.linalg.matrix_power(a, n) for n in (1, 2, 5, -3)), SQUARES),
    "matrix_power 0": (lambda L, a: L.matrix_power(a, 0) + a.matrix_power(0) + a, SQUARES),
    "diagonal": (lambda L, a: L.linalg.diagonal(a) + L.linalg.diagonal(a, offset=0, dim1=-1, dim2=-2), SQUARES),
    "vander": (lambda L, a: L.linalg.vander(a), [(3,), (2, 4)]),
    "vander of N powers": (lambda L, a: L.linalg.vander(a, N=5), [(3,), (2, 1), np.zeros(2), np.arange(3)]),
    "vecdot": (lambda L, a, b: L.linalg.vecdot(a, b), [[(2, 3), (3,)], [(2, 0), (1, 0)]]),
    "vecdot along a dim": (lambda L, a, b: L.linalg.vecdot(a, b, dim=0), [[(2, 3), (2, 1)]]),
    "linalg.cross": (lambda L, a, b: L.linalg.cross(a, b), [[(2, 3), (1, 3)], [(3,), (3,)]]),
    "linalg.cross along a dim": (lambda L, a, b: L.linalg.cross(a, b, dim=0), [[(3, 4), (3, 1)]]),
    "linalg.matmul": (lambda L, a, b: L.linalg.matmul(a, b), [[(2, 3), (3,)]]),
    "multi_dot": (
        lambda L, *xs: L.linalg.multi_dot(xs),
        [[(2, 7), (7, 3), (3, 5), (5, 1)], [(4,), (4, 3), (3,)], [(4,), (4,)], [(2, 3), (3,)], [(3,), (3, 2)]],
    ),
    "chain_matmul": (lambda L, *xs: L.chain_matmul(*xs), [[(2, 7), (7, 3), (3, 5)], [M]]),
    "solve": (
        lambda L, a, b: L.linalg.solve(a, b),
        [
            [M, (4,)],
            [M, (4, 2)],
            [BATCH, (4, 2)],
            [BATCH, (2, 3, 4)],
            [M, (5, 4, 2)],
            [(2, 1, 4, 4), (3, 4, 1)],
            [(0, 0), (0, 2)],
            [(3, 4, 4), (4,)],
            [(0, 3, 3), (3, 2)],
        ],
    ),
    "solve from the right": (lambda L, a, b: L.linalg.solve(a, b, left=False), [[M, (2, 4)], [BATCH, (5, 4)]]),
    **{
        f"solve_triangular {how}": (
            lambda L, a, b, how=how: L.linalg.solve_triangular(a, b, **how),
            [
                [M + 3 * np.eye(4), (4, 2)],
                [BATCH + 3 * np.eye(4), (4, 4)],
                [(0, 0), (0, 3)],
                [normal(70, 70) / 9 + 3 * np.eye(70), (70, 70)],
            ]
            if how.get("left", True)
            else [[M + 3 * np.eye(4), (3, 4)], [BATCH + 3 * np.eye(4), (2, 4)]],
        )
        for how in (
            {"upper": True},
            {"upper": False},
            {"upper": True, "unitriangular": True},
            {"upper": False, "left": False},
            {"upper": True, "left": False, "unitriangular": True},
        )
    },
    "cholesky_solve": (
        lambda L, a, b: L.cholesky_solve(b, a.tril()) + b.cholesky_solve(a.tril().mT, True),
        [[np.tril(M) + 3 * np.eye(4), (4, 2)]],
    ),
    "cholesky_inverse": (
        lambda L, a: L.cholesky_inverse(a.tril()) + a.tril().mT.cholesky_inverse(upper=True),
        [np.tril(M) + 3 * np.eye(4), np.tril(BATCH) + 3 * np.eye(4)],
    ),
    "lstsq": (
        lambda L, a, b: L.linalg.lstsq(a, b).solution,
        [[TALL, (5, 2)], [(2, 5, 3), (2, 5)], [WIDE, (3, 2)], [M, (4, 1)]],
    ),
    "tensorinv": (lambda L, a: L.linalg.tensorinv(a), [(4, 6, 8, 3)]),
    "tensorinv of one dim": (lambda L, a: L.linalg.tensorinv(a, ind=1), [(6, 2, 3)]),
    "tensorsolve": (lambda L, a, b: L.linalg.tensorsolve(a, b), [[(2, 3, 6), (2, 3)]]),
    "tensorsolve, moved": (lambda L, a, b: L.linalg.tensorsolve(a, b, dims=(0, 2)), [[(6, 4, 4, 3, 2), (4, 3, 2)]]),
    # Norms
    "norm": (lambda L, a: L.linalg.norm(a), [M, BATCH, (3,), np.array(2.0)]),
    "norm of vectors": (lambda L, a: L.linalg.norm(a, 3, dim=1, keepdim=True), [M, BATCH]),
    "norm without a dim": (lambda L, a: L.linalg.norm(a, 1), [M, (5,)]),
    "norm of matrices": (lambda L, a: L.linalg.norm(a, "nuc", dim=(1, 0)), [(3, 4, 2)]),
    **{
        f"vector_norm {p}": (
            lambda L, a, p=p: (L.linalg.vector_norm(a, p), L.linalg.vector_norm(a, p, -1, True)),
            [M, BATCH],
        )
        for p in (0, 1, 2, 3, 0.5, -1, math.inf, -math.inf)
    },
    "vector_norm of several dims": (lambda L, a: L.linalg.vector_norm(a, 2.5, dim=(0, -1)), [BATCH]),
    **{
        f"matrix_norm {p}": (
            lambda L, a, p=p: (L.linalg.matrix_norm(a, p), L.linalg.matrix_norm(a, p, dim=(0, -2), keepdim=True)),
            [(3, 4, 2), (2, 3, 4, 2)],
        )
        for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
    },
    # Products
    "mm": (lambda L, a, b: L.mm(a, b) + a.mm(b), [[(2, 3), (3, 4)], [(0, 3), (3, 2)], [(2, 0), (0, 2)]]),
    "bmm": (lambda L, a, b: L.bmm(a, b) + a.bmm(b), [[(2, 2, 3), (2, 3, 4)], [(0, 2, 3), (0, 3, 4)]]),
    "mv": (lambda L, a, b: L.mv(a, b) + a.mv(b), [[(2, 3), (3,)]]),
    "dot": (lambda L, a, b: L.dot(a, b) + a.dot(b) + L.vdot(a, b) + a.vdot(b), [[(3,), (3,)], [(0,), (0,)]]),
    "inner": (
        lambda L, a, b: L.inner(a, b) + a.inner(b),
        [[(3,), (3,)], [(2, 3), (3,)], [(2, 4, 3), (5, 3)], [np.array(2.0), (2, 3)]],
    ),
    "outer": (lambda L, a, b: L.outer(a, b) + a.outer(b) + L.ger(a, b) + a.ger(b), [[(3,), (2,)], [(0,), (2,)]]),
    "kron": (
        lambda L, a, b: L.kron(a, b) + a.kron(b),
        [[(2, 3), (4, 2)], [(3,), (2, 2)], [(2, 1, 2), (3,)], [np.array(3.0), (2,)]],
    ),
    "cross": (lambda L, a, b: L.cross(a, b, dim=1) + a.cross(b, 1), [[(3, 3), (1, 3)]]),
    "tg.matmul": (
        lambda L, a, b: L.matmul(a, b),
        [
            [(2, 3), (5, 3, 4)],
            [(5, 2, 3), (1, 3, 4)],
            [(2, 5, 2, 3), (5, 3, 4)],
            [(2, 1, 2, 3), (5, 3, 4)],
            [(1, 9, 9), (4, 9, 2)],
            [(2, 1, 9, 9), (2, 4, 9, 2)],
            [(3,), (2, 3, 4)],
            [(2, 3, 4), (4,)],
            [(2, 5, 4), (4, 3)],
            [(1, 0, 3), (2, 3, 1)],
            [(0, 2, 3), (1, 3, 4)],
            [(2, 3, 0), (1, 0, 4)],
        ],
    ),
    **{
        f"addmm {how}": (
            lambda L, x, a, b, how=how: L.addmm(x, a, b, **how) + x.addmm(a, b, **how),
            [
                [(2, 4), (2, 3), (3, 4)],
                [(4,), (2, 3), (3, 4)],
                [(2, 1), (2, 3), (3, 4)],
                [np.array(1.5), (2, 3), (3, 4)],
                [(1,), (2, 0), (0, 4)],
            ],
        )
        for how in ({}, {"beta": 2}, {"alpha": 0.5, "beta": -1})
    },
    "addmv": (
        lambda L, x, a, b: L.addmv(x, a, b, beta=2, alpha=3) + x.addmv(a, b),
        [[(2,), (2, 3), (3,)], [(1,), (2, 3), (3,)]],
    ),
    "addr": (
        lambda L, x, a, b: L.addr(x, a, b, beta=2, alpha=3) + x.addr(a, b),
        [[(2, 3), (2,), (3,)], [(1,), (2,), (3,)]],
    ),
    "baddbmm": (
        lambda L, x, a, b: L.baddbmm(x, a, b, beta=2, alpha=3) + x.baddbmm(a, b),
        [[(2, 3, 5), (2, 3, 4), (2, 4, 5)], [(3, 1), (2, 3, 4), (2, 4, 5)]],
    ),
    "addbmm": (
        lambda L, x, a, b: L.addbmm(x, a, b, beta=2, alpha=3) + x.addbmm(a, b),
        [[(3, 5), (2, 3, 4), (2, 4, 5)], [(1,), (2, 3, 4), (2, 4, 5)]],
    ),
    "dist": (lambda L, a, b: L.dist(a, b) + a.dist(b, 3) + L.dist(a, b, p=math.inf), [[(2, 3), (3,)]]),
    **{
        f"cdist {p}": (
            lambda L, a, b, p=p: L.cdist(a, b, p),
            [
                [(4, 3), POINTS],
                [(2, 4, 3), POINTS[None]],
                [(2, 1, 4, 3), normal(3, 5, 3, seed=2)],
                [(30, 3), POINTS],
                [(4, 0), (5, 0)],
                [(0, 3), POINTS],
                [M, M],
            ],
        )
        for p in (2, 1, 3, 0.5, 0, math.inf)
    },
    "cdist by a product": (lambda L, a, b: L.cdist(a, b, compute_mode="use_mm_for_euclid_dist"), [[(4, 3), POINTS]]),
    "cdist by differences": (
        lambda L, a, b: L.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist"),
        [[(40, 3), normal(40, 3, seed=1)], [(4, 3), POINTS]],
    ),
    # Contractions
    "tensordot": (lambda L, a, b: L.tensordot(a, b), [[(2, 3, 4), (3, 4, 5)], [(3, 4), (3, 4)]]),
    "tensordot of no dims": (lambda L, a, b: L.tensordot(a, b, dims=0), [[(2, 3), (4,)]]),
    "tensordot of pairs": (
        lambda L, a, b: L.tensordot(a, b, dims=([0, -1], [2, 0])),
        [[(2, 3, 4), (4, 5, 2)], [(2, 3, 1), (4, 5, 2)], [(2, 3, 0), (0, 5, 2)]],
    ),
}


def inputs_of(case):
    """The arrays of each trial of a case."""
    trials = [trial if isinstance(trial, list) else [trial] for trial in CASES[case][1]]
    return [[normal(*x, seed=i) if isinstance(x, tuple) else x for i, x in enumerate(trial)] for trial in trials]
