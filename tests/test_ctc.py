"""Connectionist temporal classification: every alignment counts, and PyTorch's numbers come out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck


def by_all_alignments(p, target, blank):
    """The loss of one sequence of probabilities (T, C), from every path of classes that collapses to the target."""
    total = 0.0
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        merged = [c for c, _ in itertools.groupby(path)]
        if [c for c in merged if c != blank] == list(target):
            total += np.prod([p[t, c] for t, c in enumerate(path)])
    return -np.log(total) if total else np.inf


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("target", [[], [1], [1, 1], [1, 3], [3, 1, 3], [1, 1, 1], [3, 3, 1, 1]], ids=str)
def test_the_loss_is_that_of_all_alignments(target, blank):
    log_probs = tg.randn(5, 4, dtype=tg.float64).log_softmax(1)
    expected = by_all_alignments(log_probs.exp().numpy(), target, blank)
    labels = tg.tensor(target, dtype=tg.int64)
    loss = F.ctc_loss(log_probs, labels, 5, len(target), blank, "none")
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected)


def cases():
    yield "plain", 7, 3, 5, [7, 7, 7], [3, 2, 4], {}
    yield "shorter sequences", 9, 3, 5, [9, 6, 4], [3, 2, 2], {}
    yield "another blank", 7, 2, 4, [7, 6], [3, 3], {"blank": 3}
    yield "empty targets", 6, 3, 4, [6, 5, 4], [0, 2, 0], {}
    yield "only empty targets", 4, 2, 3, [4, 2], [0, 0], {}
    yield "one step", 1, 2, 3, [1, 1], [1, 0], {}
    yield "no time for some", 5, 3, 3, [5, 2, 5], [2, 3, 1], {"zero_infinity": True}
    yield "no sequence at all", 4, 2, 3, [4, 0], [2, 0], {}
    yield "long", 60, 4, 20, [60, 50, 40, 60], [20, 25, 5, 29], {}


CASES = list(cases())


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("layout", ["padded", "joined"])
@pytest.mark.parametrize(
    ("note", "times", "batch", "classes", "ends", "counts", "settings"), CASES, ids=lambda x: str(x)
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_loss_and_gradient_are_torchs(note, times, batch, classes, ends, counts, settings, layout, reduction, dtype):
    torch = pytest.importorskip("torch")
    source = np.random.default_rng(0)
    logits = source.normal(0, 2, (times, batch, classes)).astype(dtype)
    blank = settings.get("blank", 0)
    targets = source.choice([c for c in range(classes) if c != blank], (batch, max(counts) + 1))
    if layout == "joined":
        targets = np.concatenate([row[:n] for row, n in zip(targets, counts, strict=True)])
    results = []
    for library, functional, make in ((tg, F, tg.from_numpy), (torch, torch.nn.functional, torch.from_numpy)):
        x = make(logits.copy()).requires_grad_()
        lengths = (tuple(ends), tuple(counts)) if layout == "padded" else (library.tensor(ends), library.tensor(counts))
        log_probs = functional.log_softmax(x, dim=2)
        loss = functional.ctc_loss(log_probs, make(targets), *lengths, reduction=reduction, **settings)
        loss.backward(library.ones_like(loss))
        results.append((loss.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*results, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        tolerance = 1e-9 if dtype == np.float64 else 2e-4
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_first_and_second_derivatives_are_those_of_finite_differences():
    targets, ends, counts = tg.tensor([[1, 1, 2], [2, 1, 0]]), [5, 4], [3, 2]

    def loss(log_probs):
        return F.ctc_loss(log_probs, targets, ends, counts, reduction="none")

    log_probs = tg.randn(5, 2, 3, dtype=tg.float64, requires_grad=True)
    assert gradcheck(loss, [log_probs])
    assert gradgradcheck(loss, [log_probs])


def test_impossible_alignments_cost_infinity_or_nothing():
    log_probs = tg.randn(2, 2, 3).log_softmax(2).requires_grad_()
    targets, ends, counts = tg.tensor([[1, 1], [1, 2]]), [2, 2], [2, 2]
    loss = F.ctc_loss(log_probs, targets, ends, counts, reduction="none")
    assert loss[0] == np.inf
    assert loss[1].isfinite()
    loss.sum().backward()
    assert log_probs.grad[:, 0].isnan().any()
    assert log_probs.grad[:, 1].isfinite().all()
    log_probs.grad = None
    F.ctc_loss(log_probs, targets, ends, counts, reduction="sum", zero_infinity=True).backward()
    assert log_probs.grad[:, 0].abs().sum() == 0.0


def test_classes_of_probability_zero_are_not_aligned_with():
    p = tg.tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])
    loss = F.ctc_loss(p.log(), tg.tensor([1]), 2, 1, reduction="sum")
    assert loss.item() == pytest.approx(np.log(2))


def test_what_comes_after_the_end_does_not_matter():
    log_probs = tg.randn(4, 1, 3).log_softmax(2)
    expected = F.ctc_loss(log_probs[:3], tg.tensor([[1]]), [3], [1])
    log_probs[3] = float("nan")
    log_probs.requires_grad_()
    loss = F.ctc_loss(log_probs, tg.tensor([[1]]), [3], [1])
    loss.backward()
    assert loss.item() == expected.item()
    assert log_probs.grad[:3].isfinite().all()
    assert (log_probs.grad[3] == 0).all()


def test_sure_predictions_keep_their_precision_in_single():
    logits = np.full((50, 1, 4), -60.0)
    logits[np.arange(50), 0, np.arange(50) % 4] = 60.0
    target = tg.tensor([[c for c in np.arange(50) % 4 if c]])
    results = []
    for dtype in (tg.float32, tg.float64):
        x = tg.tensor(logits, dtype=dtype, requires_grad=True)
        F.ctc_loss(x.log_softmax(2), target, [50], [target.shape[1]], reduction="sum").backward()
        results.append(x.grad.numpy())
    np.testing.assert_allclose(*results, atol=1e-6)


def test_the_layer_gives_what_the_function_gives_and_prints_as_torchs():
    log_probs, targets = tg.randn(5, 2, 4).log_softmax(2), tg.tensor([[1, 2], [2, 0]])
    layer = nn.CTCLoss(blank=3, reduction="sum", zero_infinity=True)
    expected = F.ctc_loss(log_probs, targets, [5, 5], [2, 1], 3, "sum", True)
    assert layer(log_probs, targets, [5, 5], [2, 1]).item() == expected.item()
    torch = pytest.importorskip("torch")
    assert repr(layer) == repr(torch.nn.CTCLoss())


X, Y = tg.zeros(5, 2, 4), tg.tensor([[1, 2], [3, 1]])
REFUSED = [
    (lambda: F.ctc_loss(X, Y, [5], [2, 2]), ShapeError, "input_lengths must hold 2, one for each"),
    (lambda: F.ctc_loss(X, Y, [6, 5], [2, 2]), ValueError, "input_lengths are 5 to 6, and must be 0 to 5"),
    (lambda: F.ctc_loss(X, Y, [5, 5], [3, 2]), ValueError, "target_lengths are 2 to 3, and must be 0 to 2"),
    (lambda: F.ctc_loss(X, Y[0], [5, 5], [-1, 3]), ValueError, "target_lengths are -1 to 3, and must be 0 or more"),
    (lambda: F.ctc_loss(X, Y, [5.0, 5.0], [2, 2]), DtypeError, "input_lengths must be integers, not float32"),
    (lambda: F.ctc_loss(X, Y.float(), [5, 5], [2, 2]), DtypeError, "targets must be integers, not float32"),
    (lambda: F.ctc_loss(X, Y[:1], [5, 5], [2, 2]), ShapeError, r"targets must be \(N, S\), here N = 2, or \(4\)"),
    (lambda: F.ctc_loss(X, Y.flatten(), [5, 5], [2, 1]), ShapeError, r"or \(3\), the sum of their lengths"),
    (lambda: F.ctc_loss(X, Y + 1, [5, 5], [2, 2]), IndexError, "targets hold 2 to 4, and there are 4 classes, 0 to 3"),
    (lambda: F.ctc_loss(X, Y, [5, 5], [2, 2], blank=4), IndexError, "blank must be one of the 4 classes"),
    (lambda: F.ctc_loss(X.half(), Y, [5, 5], [2, 2]), DtypeError, "must be float32 or float64, not float16"),
    (lambda: F.ctc_loss(X[0, 0], Y, [5, 5], [2, 2]), ShapeError, r"must be \(T, N, C\) or \(T, C\)"),
    (lambda: F.ctc_loss(X, Y, [5, 5], [2, 2], reduction="all"), ValueError, "'mean', 'sum' or 'none', not 'all'"),
    (lambda: F.ctc_loss(X, [[1, 2]], [5, 5], [2, 2]), DtypeError, "targets must be a Tensor, not list"),
    (lambda: nn.CTCLoss(reduction="all"), ValueError, "CTCLoss: reduction must be"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), REFUSED, ids=[text for _, _, text in REFUSED])
def test_what_does_not_fit_is_refused_with_the_reason(call, error, text):
    with pytest.raises(error, match=text):
        call()
