"""What the losses take: PyTorch's arguments, and what they refuse."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from loss_cases import MODULES

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F

# The signatures, and the older way to choose a reduction

SIMILAR = {"CosineSimilarity": {"dim": -1}, "PairwiseDistance": {"p": 1.0, "keepdim": True}}
SIMILAR_FUNCTIONS = ("cosine_similarity", "pairwise_distance")


@pytest.mark.parametrize(("layer", "function"), list(zip(SIMILAR, SIMILAR_FUNCTIONS, strict=True)))
def test_distances_are_layers_too(layer, function):
    a, b = tg.randn(3, 4), tg.randn(3, 4)
    ours = getattr(nn, layer)(**SIMILAR[layer])
    assert ours(a, b).tolist() == getattr(F, function)(a, b, **SIMILAR[layer]).tolist()
    torch = pytest.importorskip("torch")
    assert repr(ours) == repr(getattr(torch.nn, layer)(**SIMILAR[layer]))


def parameters(callable):
    found = inspect.signature(callable).parameters.values()
    return [(p.name, p.default, p.kind) for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


@pytest.mark.parametrize("name", [*MODULES, "ctc_loss"])
def test_functions_take_torchs_arguments(name):
    torch = pytest.importorskip("torch")
    assert parameters(getattr(F, name)) == parameters(getattr(torch.nn.functional, name))


@pytest.mark.parametrize("name", [*MODULES.values(), "CTCLoss", *SIMILAR])
def test_layers_take_torchs_arguments(name):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    assert parameters(ours) == parameters(theirs)
    assert list(inspect.signature(ours.forward).parameters) == list(inspect.signature(theirs.forward).parameters)


@pytest.mark.parametrize(
    ("older", "reduction"),
    [
        ({"size_average": True}, "mean"),
        ({"size_average": False}, "sum"),
        ({"reduce": True}, "mean"),
        ({"reduce": False}, "none"),
        ({"size_average": False, "reduce": False}, "none"),
    ],
)
def test_the_older_reductions_warn_and_mean_what_they_did(older, reduction):
    x, t = tg.randn(3), tg.randn(3)
    expected = F.mse_loss(x, t, reduction=reduction).tolist()
    with pytest.warns(UserWarning, match=f"deprecated; write reduction='{reduction}'"):
        assert F.mse_loss(x, t, **older).tolist() == expected
    with pytest.warns(UserWarning, match="MSELoss: size_average and reduce are deprecated"):
        assert nn.MSELoss(**older)(x, t).tolist() == expected


def test_similarities_at_the_edges():
    a = tg.tensor([[1.0, 2.0], [0.0, 0.0]], requires_grad=True)
    similarity = F.cosine_similarity(a, tg.tensor([[2.0, 4.0]]))
    np.testing.assert_allclose(similarity.detach(), [1.0, 0.0], atol=1e-6)
    similarity.sum().backward()
    assert a.grad.isfinite().all()
    assert F.pairwise_distance(tg.zeros(2, 3), tg.tensor([[0.0, 1.0, 2.0]]), p=0, eps=0.0).tolist() == [2.0, 2.0]
    assert F.pdist(tg.zeros(1, 3)).shape == (0,)
    assert F.pdist(tg.zeros(3, 0)).tolist() == [0.0, 0.0, 0.0]


def test_a_soft_margin_does_not_overflow():
    x = tg.tensor([-1000.0, 1000.0], requires_grad=True)
    loss = F.soft_margin_loss(x, tg.ones(2), reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [1000.0, 0.0]
    assert x.grad.tolist() == [-1.0, 0.0]


# What they refuse

X, Y = tg.zeros(2, 3), tg.zeros(2, 3)
LABELS = tg.tensor([0, 1])
REFUSED = [
    (lambda: F.mse_loss(X, Y, reduction="average"), ValueError, "'mean', 'sum' or 'none', not 'average'"),
    (lambda: F.mse_loss(X, [0.0]), DtypeError, "target must be a Tensor, not list"),
    (lambda: F.mse_loss(X.long(), Y.long()), DtypeError, "needs a floating dtype, not int64 and int64"),
    (lambda: F.mse_loss(X, Y, weight=tg.ones(3)), ShapeError, r"weight must have the input's shape \(2, 3\)"),
    (lambda: F.l1_loss(X, Y, weight=tg.ones(3)), ShapeError, r"weight must have the input's shape \(2, 3\)"),
    (lambda: F.huber_loss(X, Y, weight=tg.ones(3)), ShapeError, r"weight must have the input's shape \(2, 3\)"),
    (lambda: F.smooth_l1_loss(X, Y, beta=-1.0), ValueError, "beta must be 0 or more, not -1.0"),
    (lambda: F.huber_loss(X, Y, delta=0.0), ValueError, "delta must be positive, not 0.0"),
    (lambda: F.kl_div(X, Y.long()), DtypeError, "target needs a floating dtype, not int64"),
    (lambda: F.kl_div(X, Y, reduction="batch"), ValueError, "not 'batch'"),
    (lambda: F.binary_cross_entropy(X + 1.5, Y), ValueError, "input must be probabilities.*with_logits"),
    (lambda: F.binary_cross_entropy(X, Y - 0.5), ValueError, "target must be probabilities"),
    (lambda: F.binary_cross_entropy(X * np.nan, Y), ValueError, "input must be probabilities"),
    (lambda: F.binary_cross_entropy(X, tg.zeros(2, 1)), ShapeError, r"\(2, 3\) and target \(2, 1\)"),
    (
        lambda: F.binary_cross_entropy(X, Y.double()),
        DtypeError,
        "share one dtype, but input is float32, (target|weight) is float64",
    ),
    (lambda: F.binary_cross_entropy(X, Y.long()), DtypeError, "target needs a floating dtype, not int64"),
    (lambda: F.binary_cross_entropy(X, Y, tg.ones(4, 2, 3)), ShapeError, r"broadcasts to the input's \(2, 3\)"),
    (lambda: F.binary_cross_entropy(X, Y, tg.ones(5)), ShapeError, r"broadcasts to the input's \(2, 3\)"),
    (lambda: F.binary_cross_entropy_with_logits(X, tg.zeros(3)), ShapeError, "they must be equal"),
    (lambda: F.binary_cross_entropy_with_logits(X, Y.bool()), DtypeError, "target needs a floating dtype, not bool"),
    (
        lambda: F.binary_cross_entropy_with_logits(X, Y, pos_weight=tg.ones(4, 2, 3)),
        ShapeError,
        r"pos_weight must be a Tensor that broadcasts to the input's \(2, 3\)",
    ),
    (lambda: F.binary_cross_entropy_with_logits(X, Y, pos_weight=2.0), ShapeError, "not float"),
    (lambda: F.cross_entropy(X, tg.tensor([0, 3])), IndexError, r"target\[1\] is class 3, and there are 3 classes"),
    (lambda: F.cross_entropy(X, tg.tensor([0, -1])), IndexError, r"target\[1\] is class -1"),
    (lambda: F.nll_loss(X, tg.tensor([5, 0])), IndexError, r"target\[0\] is class 5"),
    (lambda: F.cross_entropy(X, LABELS.float()), DtypeError, r"integers, not float32.*or give probabilities"),
    (lambda: F.nll_loss(X, LABELS.float()), DtypeError, "integers, not float32"),
    (lambda: F.cross_entropy(X, Y.long()), ShapeError, "probabilities must be floating"),
    (lambda: F.cross_entropy(X, LABELS.reshape(2, 1)), ShapeError, r"target of shape \(2,\), and it has \(2, 1\)"),
    (lambda: F.cross_entropy(X, tg.tensor([0, 1, 2])), ShapeError, r"target of shape \(2,\), and it has \(3,\)"),
    (lambda: F.cross_entropy(tg.tensor(1.0), tg.tensor(0)), ShapeError, "scores of shape"),
    (lambda: F.cross_entropy(tg.zeros(2, 0), LABELS), IndexError, "there are 0 classes"),
    (lambda: F.cross_entropy(X.long(), LABELS), DtypeError, "scores, needs a floating dtype, not int64"),
    (lambda: F.nll_loss(X.long(), LABELS), DtypeError, "scores, needs a floating dtype, not int64"),
    (lambda: F.cross_entropy(X, LABELS, tg.ones(2)), ShapeError, r"weight must have shape \(3,\)"),
    (lambda: F.cross_entropy(X, LABELS, tg.ones(3).double()), DtypeError, "input's dtype, float32, and has float64"),
    (lambda: F.nll_loss(X, LABELS, [1.0, 1.0, 1.0]), DtypeError, "weight must be a Tensor, not list"),
    (lambda: F.cross_entropy(X, LABELS, label_smoothing=1.5), ValueError, "between 0 and 1, not 1.5"),
    (lambda: F.cross_entropy(X, Y, ignore_index=1), ValueError, "ignore_index goes with class indices"),
    (lambda: F.cross_entropy(X, LABELS, reduction="batchmean"), ValueError, "not 'batchmean'"),
    (lambda: F.mse_loss(X, Y, "sum"), TypeError, "mse_loss: size_average and reduce are bools; name the reduction"),
    (lambda: F.gaussian_nll_loss(X, Y, tg.ones(2, 2)), ShapeError, r"var of shape \(2, 2\) does not fit input"),
    (lambda: F.gaussian_nll_loss(X, Y, tg.ones(1, 1)), ShapeError, "or have one dimension of size 1"),
    (lambda: F.gaussian_nll_loss(X, Y, -1.0), ValueError, "var must be 0 or more"),
    (lambda: F.gaussian_nll_loss(X, Y, "1"), DtypeError, "var must be a Tensor or a number, not str"),
    (lambda: F.gaussian_nll_loss(X, tg.ones(4), 1.0), ShapeError, r"target of shape \(4,\) do not broadcast"),
    (lambda: F.poisson_nll_loss(X.long(), Y.long()), DtypeError, "input or target needs a floating dtype"),
    (lambda: F.poisson_nll_loss(X, tg.ones(4)), ShapeError, "do not broadcast"),
    (lambda: F.soft_margin_loss(X, tg.ones(3)), ShapeError, "they must be equal"),
    (lambda: F.hinge_embedding_loss(X, tg.ones(4)), ShapeError, "do not broadcast"),
    (lambda: F.margin_ranking_loss(X, Y, tg.ones(3)), ShapeError, r"one shape, got \(2, 3\), \(2, 3\) and \(3,\)"),
    (lambda: F.multilabel_soft_margin_loss(X, tg.ones(4)), ShapeError, r"input must be \(..., C\)"),
    (lambda: F.multi_margin_loss(X, LABELS, p=3), ValueError, "p must be 1 or 2, not 3"),
    (lambda: F.multi_margin_loss(X, LABELS + 2), IndexError, "the target holds 2 to 3, and there are 3 classes"),
    (lambda: F.multi_margin_loss(X, LABELS.float()), DtypeError, "class indices must be integers, not float32"),
    (lambda: F.multi_margin_loss(X, LABELS[:1]), ShapeError, r"the target of shape \(2,\), got \(2, 3\)"),
    (lambda: F.multi_margin_loss(X, LABELS, weight=tg.ones(2)), ShapeError, r"weight must have shape \(3,\)"),
    (lambda: nn.MultiMarginLoss(p=3), ValueError, "MultiMarginLoss: p must be 1 or 2"),
    (lambda: F.multilabel_margin_loss(X, LABELS), ShapeError, r"the target of shape \(2, 3\)"),
    (lambda: F.multilabel_margin_loss(X, Y.long() - 2), IndexError, r"0 to 2 \(-1 ends a list\)"),
    (lambda: F.cosine_embedding_loss(X, Y, tg.ones(3)), ShapeError, r"vectors \(N, D\) and targets \(N\)"),
    (lambda: F.cosine_embedding_loss(X, Y, tg.tensor(1.0)), ShapeError, r"vectors \(N, D\) and targets \(N\)"),
    (lambda: F.triplet_margin_loss(X, Y, Y, margin=0.0), ValueError, "margin must be positive, not 0.0"),
    (lambda: F.triplet_margin_loss(X, Y, Y[0]), ShapeError, "anchor, positive and negative must have one shape"),
    (lambda: nn.TripletMarginLoss(margin=-1.0), ValueError, "TripletMarginLoss: margin must be positive, not -1.0"),
    (lambda: F.cosine_similarity(X.long(), Y), DtypeError, "x1 needs a floating dtype, not int64"),
    (lambda: F.pairwise_distance(X, tg.ones(4)), ShapeError, "do not broadcast"),
    (lambda: F.pdist(X[0]), ShapeError, r"pdist: input must be \(N, M\), and has shape \(3,\)"),
    (lambda: F.pdist(X, -1.0), ValueError, "pdist: p must be 0 or more"),
    (lambda: nn.MSELoss(reduction="average"), ValueError, "MSELoss: reduction must be"),
    (lambda: nn.CrossEntropyLoss(reduction="batchmean"), ValueError, "CrossEntropyLoss: reduction must be"),
    (lambda: nn.BCELoss(weight=[1.0]), TypeError, "BCELoss.weight: a buffer must be a Tensor, not list"),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSED, ids=[text for _, _, text in REFUSED])
def test_what_does_not_fit_is_refused_with_the_reason(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_shapes_that_broadcast_are_warned_of_as_in_torch():
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        with pytest.warns(UserWarning, match="rarely meant"):
            assert loss(tg.zeros(3, 1), tg.zeros(3), reduction="none").shape == (3, 3)
    with pytest.raises(ShapeError, match=r"mse_loss: input has shape \(2, 3\) and target \(5,\); they must be equal"):
        F.mse_loss(tg.zeros(2, 3), tg.zeros(5))
