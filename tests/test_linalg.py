"""Linear algebra: PyTorch's values, gradients, dtypes and field names for every function, and clear refusals."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from linalg_cases import BATCH, CASES, TALL, WIDE, M, definite, inputs_of
from side_by_side import compare, normal, same, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import linalg
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.testing import gradcheck, gradgradcheck

pytestmark = pytest.mark.filterwarnings("ignore:torch.chain_matmul is deprecated")


EVERY_CASE = [(name, i) for name in CASES for i in range(len(CASES[name][1]))]


@pytest.mark.parametrize(("name", "i"), EVERY_CASE, ids=lambda x: str(x))
def test_values_and_gradients_are_those_of_torch(name, i):
    compare(CASES[name][0], inputs_of(name)[i], tolerance=1e-8, absent=True)


ILL_CONDITIONED = ("matrix_power", "cond", "pinv", "lstsq", "tensorinv")


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith(ILL_CONDITIONED)])
def test_single_precision_stays_single(name):
    arrays = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in inputs_of(name)[0]]
    compare(CASES[name][0], arrays, tolerance=2e-3, absent=True)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float16])
@pytest.mark.parametrize(
    "name", ["mm", "bmm", "mv", "dot", "inner", "outer", "kron", "cross", "tg.matmul", "tensordot", "multi_dot"]
)
def test_products_of_integers_and_half_precision_have_their_dtype(name, dtype):
    arrays = [(4 * x).astype(dtype) for x in inputs_of(name)[0]]
    compare(CASES[name][0], arrays, tolerance=1e-2, absent=True)


# What finite differences say


WITHOUT = ("cond ", "vector_norm 0", "cdist 0", "pinv with", "qr complete of", "qr of")
SMALL = [n for n in CASES if sum(x.size for x in inputs_of(n)[0]) <= 40 and not n.startswith(WITHOUT)]


@pytest.mark.parametrize("name", SMALL)
def test_second_derivatives_hold(name):
    inputs = [tg.from_numpy(x * 1.0).requires_grad_() for x in inputs_of(name)[0]]
    assert gradgradcheck(lambda *xs: CASES[name][0](tg, *xs), inputs)


@pytest.mark.parametrize("p", ["fro", "nuc", 1, -1, math.inf, -math.inf])
def test_condition_numbers_have_gradients(p):
    assert gradcheck(lambda x: linalg.cond(x, p), [tg.from_numpy(BATCH).requires_grad_()])


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_determinant_of_a_singular_matrix_has_its_cofactors_as_gradient(rank):
    left, right = normal(3, rank), normal(rank, 3, seed=1)
    x = tg.from_numpy(left @ right).requires_grad_()
    assert gradcheck(tg.det, [x])
    assert gradgradcheck(tg.det, [x])


def test_the_eigenvalues_of_the_identity_have_a_gradient():
    x = tg.eye(3).requires_grad_()
    linalg.eigvalsh(x).sum().backward()
    same(x.grad, np.eye(3, dtype=np.float32), 1e-6)


def test_a_matrix_of_low_rank_has_its_pseudoinverse():
    x = normal(5, 2) @ normal(2, 4, seed=1)
    same(linalg.pinv(tg.from_numpy(x)), np.linalg.pinv(x))


def test_the_logarithm_of_a_determinant_is_infinite_or_nan_as_torchs():
    for x in (np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([[0.0, 1.0], [1.0, 0.0]]), np.zeros((2, 2))):
        torch = torch_on_one_thread()
        same(tg.logdet(tg.from_numpy(x)), torch.logdet(torch.from_numpy(x)))
        same(linalg.slogdet(tg.from_numpy(x)).sign, torch.linalg.slogdet(torch.from_numpy(x)).sign)


def test_the_gradient_of_a_broadcast_product_is_one_product():
    a, b = tg.from_numpy(normal(2, 1, 6, 5)).requires_grad_(), tg.from_numpy(normal(2, 7, 5, 2)).requires_grad_()
    g = normal(2, 7, 6, 2, seed=3)
    tg.matmul(a, b).backward(tg.from_numpy(g))
    same(a.grad, (g @ b.detach().numpy().swapaxes(-1, -2)).sum(1, keepdims=True))
    same(b.grad, a.detach().numpy().swapaxes(-1, -2) @ g)


# Results with names, and what is told besides


def test_results_have_torchs_names():
    x = tg.from_numpy(definite(3, 3))
    y = tg.ones(3, 1, dtype=tg.float64)
    fields = {
        "L info": linalg.cholesky_ex(x), "Q R": linalg.qr(x), "eigenvalues eigenvectors": linalg.eigh(x),
        "U S Vh": linalg.svd(x), "sign logabsdet": linalg.slogdet(x), "inverse info": linalg.inv_ex(x),
        "solution residuals rank singular_values": linalg.lstsq(x, y),
    }  # fmt: skip
    for names, result in fields.items():
        assert list(result) == [getattr(result, name) for name in names.split()]
    assert tg.slogdet(x)._fields == ("sign", "logabsdet")


RANKS = [M, TALL, WIDE, BATCH, np.zeros((2, 3)), normal(3, 2) @ normal(2, 3), np.zeros((0, 3)), np.zeros((2, 3, 0))]


@pytest.mark.parametrize("x", RANKS, ids=lambda x: str(x.shape))
@pytest.mark.parametrize("how", [{}, {"atol": 1.0}, {"rtol": 0.3}, {"atol": 0.5, "rtol": 0.2}], ids=str)
def test_ranks_are_those_of_torch(x, how):
    torch = torch_on_one_thread()
    same(linalg.matrix_rank(tg.from_numpy(x), **how), torch.linalg.matrix_rank(torch.from_numpy(x), **how))
    if x.shape[-1] == x.shape[-2]:
        x = x + x.swapaxes(-1, -2)
        how = {**how, "hermitian": True}
        same(linalg.matrix_rank(tg.from_numpy(x), **how), torch.linalg.matrix_rank(torch.from_numpy(x), **how))


def test_tolerances_may_be_tensors_one_for_each_matrix():
    torch = torch_on_one_thread()
    x, tolerance = normal(2, 3, 3), np.array([0.1, 1.5])
    for name in ("matrix_rank", "pinv"):
        for how in ("atol", "rtol"):
            ours = getattr(linalg, name)(tg.from_numpy(x), **{how: tg.from_numpy(tolerance)})
            same(ours, getattr(torch.linalg, name)(torch.from_numpy(x), **{how: torch.from_numpy(tolerance)}), 1e-8)


@pytest.mark.parametrize("driver", [None, "gels", "gelsy", "gelsd", "gelss"])
@pytest.mark.parametrize(("m", "n"), [(5, 3), (3, 5), (4, 4)])
def test_least_squares_tell_what_torchs_do(driver, m, n):
    torch = torch_on_one_thread()
    for shape in [(2, m, 2), (2, m)]:
        a, b = normal(2, m, n), normal(*shape)
        ours = linalg.lstsq(tg.from_numpy(a), tg.from_numpy(b), driver=driver)
        theirs = torch.linalg.lstsq(torch.from_numpy(a), torch.from_numpy(b), driver=driver)
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.shape == tuple(other.shape)
            same(mine, other, 1e-8)


def test_condition_numbers_of_singular_matrices_are_infinite():
    x = tg.tensor([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]])
    for p in ("fro", 1, -1, math.inf, -math.inf):
        y = linalg.cond(x, p)
        assert y.isinf().tolist() == [True, False]


def test_a_zero_on_a_triangles_diagonal_divides_by_it():
    torch = torch_on_one_thread()
    for upper in (True, False):
        a, b = np.array([[1.0, 2.0], [3.0, 0.0]]), normal(2, 2)
        theirs = torch.linalg.solve_triangular(torch.from_numpy(a), torch.from_numpy(b), upper=upper)
        same(linalg.solve_triangular(tg.from_numpy(a), tg.from_numpy(b), upper=upper), theirs)


def test_the_exponential_of_infinite_elements_is_nan_and_of_others_in_the_batch_is_not():
    x = tg.tensor([[[math.inf, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    y = linalg.matrix_exp(x)
    assert y[0].isnan().all()
    assert y[1].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_results_are_written_into_out():
    x, out = tg.from_numpy(definite(3, 3)), tg.empty(0, dtype=tg.float64)
    assert linalg.inv(x, out=out) is out
    same(out, np.linalg.inv(x.numpy()), 1e-12)
    parts = tg.empty(0, dtype=tg.float64), tg.empty(0, dtype=tg.float64)
    assert linalg.qr(x, out=parts).R is parts[1]


def test_in_place_products_are_written_into_the_input():
    torch = torch_on_one_thread()
    arrays = {
        "addmm_": [normal(2, 4), normal(2, 3), normal(3, 4)],
        "addmv_": [normal(2), normal(2, 3), normal(3)],
        "addr_": [normal(2, 3), normal(2), normal(3)],
        "baddbmm_": [normal(2, 3, 5), normal(2, 3, 4), normal(2, 4, 5)],
        "addbmm_": [normal(3, 5), normal(2, 3, 4), normal(2, 4, 5)],
    }
    for name, (x, a, b) in arrays.items():
        mine, theirs = tg.from_numpy(x.copy()), torch.from_numpy(x.copy())
        assert getattr(mine, name)(tg.from_numpy(a), tg.from_numpy(b), beta=2, alpha=3) is mine
        same(mine, getattr(theirs, name)(torch.from_numpy(a), torch.from_numpy(b), beta=2, alpha=3))


def test_a_beta_of_zero_hides_even_a_nan():
    x = tg.full((1, 1), math.nan)
    assert tg.addmm(x, tg.ones(1, 2), tg.ones(2, 1), beta=0).tolist() == [[2.0]]


# Singular matrices and others that have no result


def test_a_singular_matrix_is_named():
    x = tg.from_numpy(np.stack([np.eye(3), np.ones((3, 3))]))
    with pytest.raises(linalg.LinAlgError, match=r"linalg.inv: matrix 1 of the batch is singular: its column 2"):
        linalg.inv(x)
    with pytest.raises(RuntimeError, match=r"linalg.solve: a matrix is singular"):
        linalg.solve(x, tg.ones(3, 1, dtype=tg.float64))
    assert linalg.inv_ex(x).info.tolist() == [0, 2]
    assert linalg.inv_ex(x).info.dtype == tg.int32
    assert linalg.inv_ex(x).inverse[0].tolist() == np.eye(3).tolist()
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.inv_ex(x, check_errors=True)


def test_a_matrix_that_is_not_positive_definite_is_named():
    torch = torch_on_one_thread()
    x = np.stack([np.eye(3), np.diag([1.0, 2.0, -1.0])]).reshape(1, 2, 3, 3)
    with pytest.raises(linalg.LinAlgError, match=r"matrix \(0, 1\) of the batch is not positive definite.*order 3"):
        linalg.cholesky(tg.from_numpy(x))
    same(linalg.cholesky_ex(tg.from_numpy(x)).info, torch.linalg.cholesky_ex(torch.from_numpy(x)).info)
    with pytest.raises(linalg.LinAlgError, match="positive definite"):
        linalg.cholesky_ex(tg.from_numpy(x), check_errors=True)


def test_elements_that_are_nan_are_what_did_not_converge():
    with pytest.raises(linalg.LinAlgError, match=r"linalg.svd: it did not converge; look for NaN"):
        linalg.svd(tg.full((2, 2), math.nan))


def test_gradients_that_are_not_determined_are_refused():
    x = tg.from_numpy(TALL).requires_grad_()
    with pytest.raises(AutogradError, match=r"mode='complete' is not determined.*mode='reduced'"):
        linalg.qr(x, "complete").R.sum().backward()
    with pytest.raises(AutogradError, match=r"mode='r' does not compute"):
        linalg.qr(x, "r").R.sum().backward()


X, V = tg.ones(2, 3), tg.ones(3)
MISTAKES = [
    (lambda: linalg.det(X), ShapeError,
        r"linalg.det: A must be square matrices \(\.\.\., n, n\), and has shape \(2, 3\)"),
    (lambda: tg.det(V), ShapeError, r"det: input must be square"),
    (lambda: linalg.inv(tg.ones(2, 2, dtype=tg.int64)), DtypeError,
        r"linalg.inv: A must be float32 or float64, not int64"),
    (lambda: linalg.svd(tg.ones(2, 2).half()), DtypeError, r"linalg.svd: .*not float16; convert it with .float\(\)"),
    (lambda: linalg.eigh([[1.0]]), DtypeError, r"linalg.eigh: input must be a Tensor, not list"),
    (lambda: linalg.cholesky(X), ShapeError, r"linalg.cholesky: A must be square"),
    (lambda: linalg.cholesky_ex(X), ShapeError, r"linalg.cholesky_ex: A must be square"),
    (lambda: linalg.inv_ex(X), ShapeError, r"linalg.inv_ex: A must be square"),
    (lambda: linalg.cond(tg.eye(2), "x"), ValueError, r"linalg.cond: p must be None, 'fro', 'nuc', .* not 'x'"),
    (lambda: linalg.qr(X, "full"), ValueError, r"mode must be 'reduced', 'complete' or 'r', not 'full'"),
    (lambda: linalg.qr(V), ShapeError, r"linalg.qr: A must be matrices \(\.\.\., m, n\)"),
    (lambda: linalg.eigvalsh(tg.eye(2), "X"), ValueError, r"UPLO must be 'L' or 'U', not 'X'"),
    (lambda: linalg.svd(X, driver="gesvd"), ValueError, r"linalg.svd: driver= chooses between those of CUDA"),
    (lambda: linalg.lstsq(X, V, driver="qr"), ValueError, r"driver must be 'gels'"),
    (lambda: linalg.lstsq(X, tg.ones(3, 1)), ShapeError, r"has 2 rows, and B of shape \(3, 1\) 3"),
    (lambda: linalg.solve(tg.eye(3), X), ShapeError,
        r"linalg.solve: .* \(3, 3\) do not fit .* \(2, 3\), which must have 3 rows"),
    (lambda: linalg.solve(tg.eye(3), V, left=False), ShapeError, r"left=False takes matrices B"),
    (lambda: linalg.solve(tg.eye(3), tg.ones(3, dtype=tg.float64)), DtypeError, r"solve: inputs must share one dtype"),
    (lambda: linalg.solve_triangular(tg.eye(3), V, upper=True), ShapeError, r"solve_triangular: B must be matrices"),
    (lambda: linalg.solve_triangular(tg.eye(3), tg.ones(2, 1), upper=True), ShapeError, r"must have 3 rows"),
    (lambda: linalg.tensorinv(X), ShapeError, r"tensorinv: the first 2 sizes of shape \(2, 3\)"),
    (lambda: linalg.tensorinv(X, ind=0), ValueError, r"ind must be 1 or more, not 0"),
    (lambda: linalg.tensorsolve(X, V), ShapeError,
        r"tensorsolve: A of shape \(2, 3\) must have the shape of B, \(3,\)"),
    (lambda: linalg.norm(X, "max"), ValueError, r"matrix_norm: ord must be 'fro', 'nuc'"),
    (lambda: linalg.norm(tg.ones(1, 2, 2), "fro"), ShapeError,
        r"ord='fro' needs dim for a tensor of shape \(1, 2, 2\)"),
    (lambda: linalg.norm(X, 2, dim=(0, 1, 2)), ShapeError, r"over one dimension or two"),
    (lambda: linalg.vector_norm(X, "fro"), ValueError, r"vector_norm: ord must be a number, not 'fro'"),
    (lambda: linalg.vector_norm(tg.tensor([1, 2])), DtypeError, r"linalg.vector_norm: it needs a floating dtype"),
    (lambda: linalg.matrix_norm(X, dim=(0, 0)), ShapeError, r"dims \(0, 0\) are the same"),
    (lambda: linalg.matrix_norm(V), ShapeError, r"two dims of a tensor of two or more"),
    (lambda: linalg.multi_dot([X]), ValueError, r"multi_dot: it takes a list of two tensors or more"),
    (lambda: linalg.multi_dot([X, V, X]), ShapeError, r"a vector first and last only; got shapes \(2, 3\), \(3,\)"),
    (lambda: linalg.multi_dot([X, X]), ShapeError, r"the first has 3 columns, the second 2 rows"),
    (lambda: linalg.cross(X, tg.ones(2, 2)), ShapeError, r"linalg.cross: vectors have 3 elements"),
    (lambda: tg.cross(tg.ones(2), tg.ones(2)), ShapeError, r"cross: vectors have 3 elements"),
    (lambda: linalg.vander(V, N=1), ValueError, r"N must be 2 or more, not 1"),
    (lambda: linalg.vander(tg.tensor(1.0)), ShapeError, r"linalg.vander: it takes a tensor of one dimension or more"),
    (lambda: tg.matrix_power(X, 2), ShapeError, r"matrix_power: input must be square"),
    (lambda: tg.chain_matmul(X, V), ShapeError, r"chain_matmul: it takes matrices, and got shape \(3,\)"),
    (lambda: tg.mm(X, V), ShapeError, r"mm: it takes tensors of 2 and 2 dimensions, got shapes \(2, 3\) and \(3,\)"),
    (lambda: tg.mm(X, X), ShapeError, r"matmul: shapes \(2, 3\) and \(2, 3\) do not fit"),
    (lambda: tg.bmm(tg.ones(2, 1, 1), tg.ones(3, 1, 1)), ShapeError, r"bmm: batches of 2 and 3 matrices differ"),
    (lambda: tg.ones(2, 2).bool() @ tg.ones(2, 2).bool(), DtypeError, r"matmul: it does not take bools"),
    (lambda: tg.inner(X, tg.ones(2)), ShapeError, r"inner: the last dimensions of shapes \(2, 3\) and \(2,\)"),
    (lambda: tg.addmm(tg.ones(5, 2, 2), X, X.T), ShapeError,
        r"addmm: input of shape \(5, 2, 2\) does not broadcast to .*\(2, 2\)"),
    (lambda: tg.addmm(tg.ones(2, dtype=tg.float64), X, X.T), DtypeError,
        r"addmm: .* input is float64, product is float32"),
    (lambda: tg.addbmm(V, tg.ones(2, 3, 4), tg.ones(2, 3, 4)), ShapeError, r"addbmm: batches of shapes"),
    (lambda: tg.cdist(X, tg.ones(2, 2)), ShapeError, r"cdist: inputs must be \(\.\.\., P, M\) and \(\.\.\., R, M\)"),
    *((lambda f=f, a=a: f(a, 2), DtypeError, f"{f.__name__}: the second input must be a Tensor, not int")
      for f in (tg.mm, tg.mv, tg.bmm, tg.dot, tg.vdot, tg.outer, tg.ger) for a in (X, V)),
    (lambda: tg.cross(V, 2), DtypeError, "cross: other must be a Tensor, not int"),
    (lambda: linalg.cross(2, V), DtypeError, "linalg.cross: input must be a Tensor, not int"),
    (lambda: tg.cdist(V, 2), DtypeError, "cdist: x2 must be a Tensor, not int"),
    (lambda: tg.addmm(2, X, X), DtypeError, "addmm: input must be a Tensor, not int"),
    (lambda: tg.cdist(X, X, p=-1), ValueError, r"cdist: p must be 0 or more, not -1"),
    (lambda: tg.cdist(X, X, compute_mode="fast"), ValueError, r"compute_mode must be one of"),
    (lambda: tg.tensordot(X, V, dims=2), ShapeError, r"tensordot: dims = 2 does not fit tensors of 2 and 1 dimensions"),
    (lambda: tg.tensordot(X, X, dims=([0], [0, 1])), ShapeError, r"it pairs dimensions"),
    (lambda: tg.tensordot(X, tg.ones(4, 4), dims=1), ShapeError,
        r"dimension 1 of shape \(2, 3\) and dimension 0 of shape \(4, 4\)"),
    (lambda: tg.tensordot(X, X, dims=([0, 0], [0, 1])), ShapeError, r"name a dimension twice"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), MISTAKES)
def test_mistakes_are_named(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3), (0, 2, 2)], ids=str)
@pytest.mark.parametrize("p", [None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf], ids=str)
def test_norms_of_matrices_without_elements_are_pytorchs(shape, p):
    torch = pytest.importorskip("torch")

    def norms(L):
        for keepdim in (False, True):
            with contextlib.suppress(RuntimeError, IndexError):
                yield L.linalg.matrix_norm(L.ones(shape), "fro" if p is None else p, keepdim=keepdim).tolist()
        if shape[-1] == shape[-2]:
            yield L.linalg.cond(L.ones(shape), p).tolist()

    assert list(norms(tg)) == list(norms(torch))
