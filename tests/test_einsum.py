"""einsum: PyTorch's values and gradients for every form of equation, and clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare, normal

import tensorgrad as tg
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.testing import gradcheck, gradgradcheck

EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ba,cb", (2, 3), (4, 2)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("ji,kj->ik", (3, 2), (4, 3)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,kl->ijkl", (2, 3), (4, 1)),
    ("i,j->ji", (2,), (3,)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("bqhd,bkhd->bhqk", (2, 4, 3, 5), (2, 6, 3, 5)),
    ("bhqk,bkhd->bqhd", (2, 3, 4, 6), (2, 6, 3, 5)),
    ("btc,dc->btd", (2, 3, 4), (5, 4)),
    ("nchw,ochw->no", (2, 3, 4, 1), (5, 3, 4, 1)),
    ("abcd,dcbe->ae", (2, 3, 4, 5), (5, 4, 3, 2)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ij->ij", (2, 3)),
    ("ji", (2, 3)),
    ("", ()),
    (",->", (), ()),
    (",ij", (), (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("ii->", (3, 3)),
    ("iji->j", (2, 3, 2)),
    ("iiij->ji", (2, 2, 2, 3)),
    ("iijj->ij", (2, 2, 3, 3)),
    ("iij,jk->ik", (2, 2, 3), (3, 4)),
    ("ij,ii->j", (2, 3), (2, 2)),
    ("ijk,k,j->i", (2, 3, 4), (4,), (3,)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("bn,anm,bm->ba", (2, 3), (4, 3, 5), (2, 5)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("i,i,i", (3,), (3,), (3,)),
    ("ab,cd,ef,abcdef->", (2, 2), (2, 2), (2, 2), (2, 2, 2, 2, 2, 2)),
    ("...ij,...jk->...ik", (2, 3, 4), (2, 4, 5)),
    ("...ij,...jk->...ik", (7, 1, 3, 4), (2, 4, 5)),
    ("...ij,jk", (2, 5, 3, 4), (4, 5)),
    ("i...,j...->...ij", (2, 3), (4, 3)),
    ("i...->...", (2, 3, 4)),
    ("...->...", (2, 3)),
    ("...", (2, 3)),
    ("i...j->ij...", (2, 5, 6, 3)),
    ("...i,...i", (2, 3), (3,)),
    ("...,...->...", (2, 1), (3,)),
    ("i...,i...->", (2, 3), (2, 3)),
    ("...ii->...i", (4, 3, 3)),
    ("ij...,j->i...", (2, 3, 4), (3,)),
    ("ij,ij->ij", (2, 1), (2, 3)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,jk->ik", (2, 3), (1, 4)),
    ("i,i->", (1,), (3,)),
    ("aB,Bc->aBc", (2, 3), (3, 4)),
    ("bA,Ac", (2, 3), (3, 4)),
    (" i j , j k -> i k ", (2, 3), (3, 4)),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
    ("bi,bj->bij", (0, 3), (0, 4)),
    ("i,->i", (3,), ()),
]


@pytest.mark.parametrize(
    ("equation", "shapes"), [(e, s) for e, *s in EQUATIONS], ids=[f"{e}{s}" for e, *s in EQUATIONS]
)
def test_an_equation_has_torchs_value_and_gradients(equation, shapes):
    arrays = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
    compare(lambda library, *xs: library.einsum(equation, *xs), [np.asarray(a) for a in arrays])


LISTS = [
    [(2, 3), [0, 1], (3, 4), [1, 2], [0, 2]],
    [(2, 3), [0, 1], (3, 4), [1, 2]],
    [(2, 3), [30, 2], (3, 4), [2, 5]],
    [(5, 2, 3), [..., 0, 1], (3, 4), [1, 2], [0, ..., 2]],
    [(3, 3), [0, 0]],
    [(2, 3), [0, 1], []],
]


@pytest.mark.parametrize("terms", LISTS)
def test_lists_of_numbers_are_letters_too(terms):
    places = [i for i, term in enumerate(terms) if isinstance(term, tuple)]

    def call(library, *xs):
        given = list(terms)
        for i, x in zip(places, xs, strict=True):
            given[i] = x
        return library.einsum(*given)

    compare(call, [normal(*terms[i], seed=i) for i in places])


def test_operands_may_come_in_a_list():
    compare(lambda library, *xs: library.einsum("ij,jk", list(xs)), [normal(2, 3), normal(3, 4)])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64])
def test_the_dtype_of_the_operands_is_kept(dtype):
    for equation in ("ij,jk->ik", "ij,jk->ijk", "ij,jk->jki"):
        a, b = (4 * normal(2, 3)).astype(dtype), (4 * normal(3, 4)).astype(dtype)
        y = tg.einsum(equation, tg.from_numpy(a), tg.from_numpy(b))
        assert y.dtype == dtype
        expected = np.einsum(equation, a.astype(float), b.astype(float))
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-2 if dtype == np.float16 else 1e-5)


@pytest.mark.parametrize("equation", ["ij,jk,kl->il", "iij,jk->ik", "...i,j...->ij"])
def test_both_derivatives_are_those_of_finite_differences(equation):
    shapes = {
        "ij,jk,kl->il": [(2, 3), (3, 2), (2, 2)],
        "iij,jk->ik": [(2, 2, 3), (3, 2)],
        "...i,j...->ij": [(2, 3), (2, 2)],
    }
    xs = [tg.from_numpy(normal(*s, seed=i)).requires_grad_() for i, s in enumerate(shapes[equation])]
    assert gradcheck(lambda *xs: tg.einsum(equation, *xs), xs)
    assert gradgradcheck(lambda *xs: tg.einsum(equation, *xs), xs)


def test_the_cheapest_pair_is_multiplied_first(monkeypatch):
    from tensorgrad.ops import contraction

    products = []
    real = contraction.matmul_op
    monkeypatch.setattr(contraction, "matmul_op", lambda a, b: products.append((a.shape, b.shape)) or real(a, b))
    tg.einsum("ij,jk,kl->il", tg.ones(50, 40), tg.ones(40, 30), tg.ones(30, 1))
    assert products == [((40, 30), (30, 1)), ((50, 40), (40, 1))]


X = tg.ones(2, 3)


@pytest.mark.parametrize(
    ("args", "kind", "text"),
    [
        ((), ValueError, "it takes an equation and an operand or more"),
        (("ij",), ValueError, "it takes an equation and an operand or more"),
        (("ij,jk", X), ValueError, "the equation names 2 operands, and 1 were given"),
        (("ijk", X), ShapeError, r"operand 0 has shape \(2, 3\), and the equation names 3 of its dimensions"),
        (("i", X), ShapeError, r"operand 0 has shape \(2, 3\), and the equation names 1 of its dimensions"),
        (("ii", X), ShapeError, "'i' stands twice in operand 0, for sizes 2 and 3"),
        (("ij,jk", X, X), ShapeError, "operands have sizes 3 and 2 for 'j'; they must be equal or 1"),
        (("i...,i...", X, tg.ones(2, 4)), ShapeError, r"sizes 3 and 4 for '\.\.\.'"),
        (("i1->i", X), ValueError, "'1' in 'i1->i' is neither a letter nor an ellipsis"),
        (("i..->i", X), ValueError, "is neither a letter nor an ellipsis of three dots"),
        (("ij->ik", X), ValueError, "'k' of the result is not among the labels of the operands"),
        (("ij->ii", X), ValueError, "the result has 'i' more than once"),
        (
            ("ij,jk", X, tg.ones(3, 2, dtype=tg.float64)),
            DtypeError,
            "operands must share one dtype, got float32 and float64",
        ),
        (("ij", [[1.0]]), DtypeError, "input must be a Tensor"),
        ((X, [0, 52]), ValueError, "label 52 must be an int from 0 to 51"),
        ((X, [..., 0, ...]), ValueError, "one Ellipsis at most"),
        ((X, 0), TypeError, "after each operand comes a list of its labels, not int"),
    ],
)
def test_mistakes_are_named(args, kind, text):
    with pytest.raises(kind, match=text):
        tg.einsum(*args)
