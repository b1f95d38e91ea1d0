"""The losses: PyTorch's numbers, gradients, second derivatives and refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck

REDUCTIONS = ("none", "mean", "sum")
MODULES = {
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "kl_div": "KLDivLoss",
}


class Case:
    """A call of a loss: float arrays become tensors that want a gradient, but for those in `fixed`."""

    def __init__(self, loss, input, target, fixed=(), **settings):
        self.loss, self.fixed = loss, fixed
        self.arrays = {"input": np.asarray(input), "target": np.asarray(target)}
        self.settings = {k: v for k, v in settings.items() if not isinstance(v, np.ndarray)}
        self.arrays |= {k: np.asarray(v) for k, v in settings.items() if isinstance(v, np.ndarray)}

    def __repr__(self):
        shown = [f"{k}={v}" for k, v in self.settings.items()]
        shown += [k for k in self.arrays if k not in ("input", "target")]
        kind = "soft" if self.arrays["target"].dtype.kind == "f" else "hard"
        shape = "x".join(map(str, self.arrays["input"].shape)) or "scalar"
        return "-".join([self.loss, kind, shape, *shown])

    def leaves(self, make, dtype):
        """The tensors of a library, with PyTorch's or our names, and those that want gradients."""
        tensors = {k: make(np.asarray(a, dtype if a.dtype.kind == "f" else a.dtype)) for k, a in self.arrays.items()}
        wanted = [k for k, a in self.arrays.items() if a.dtype.kind == "f" and k not in ("weight", *self.fixed)]
        for k in wanted:
            tensors[k].requires_grad_()
        return tensors, wanted

    def function(self, functional):
        return lambda **tensors: getattr(functional, self.loss)(**tensors, **self.settings)


def derivatives(case, dtype, functional, make, grad):
    """The loss, its gradients, and the gradient of their product with fixed numbers, as arrays."""
    tensors, wanted = case.leaves(make, dtype)
    xs = [tensors[k] for k in wanted]
    y = case.function(functional)(**tensors)
    source = np.random.default_rng(3)
    incoming = make(source.standard_normal(tuple(y.shape)).astype(dtype))
    first = grad(y, xs, incoming, create_graph=True, allow_unused=True)
    result = {"loss": y} | {f"d{k}": g for k, g in zip(wanted, first, strict=True)}
    product = sum((g * make(source.standard_normal(tuple(g.shape)).astype(dtype))).sum() for g in first)
    if product.requires_grad:
        second = grad(product, xs, allow_unused=True)
        result |= {f"dd{k}": g for k, g in zip(wanted, second, strict=True)}
    else:
        result |= {f"dd{k}": None for k in wanted}
    return {k: None if v is None else v.detach().numpy(force=True) for k, v in result.items()}


def torch_on_one_thread():
    """PyTorch, where it is installed; small as the work is here, its threads only get into each other's way."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def same_as_torch(case, dtype=np.float64, tolerance=1e-10):
    torch = torch_on_one_thread()
    ours = derivatives(case, dtype, F, tg.from_numpy, tg.autograd.grad)
    theirs = derivatives(case, dtype, torch.nn.functional, torch.from_numpy, torch.autograd.grad)
    for name, expected in theirs.items():
        got = ours[name]
        # A derivative that is zero everywhere may be no derivative at all in one of the two.
        if got is None or expected is None:
            assert not np.any(got) if expected is None else not np.any(expected), name
            continue
        assert got.shape == expected.shape, name
        assert got.dtype == expected.dtype, name
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=name)
    assert theirs["dinput"] is not None


def regression_cases():
    source = np.random.default_rng(0)
    for shape in [(6,), (3, 4), (2, 3, 2), ()]:
        x, t = source.normal(0, 2, shape), source.normal(0, 2, shape)
        for reduction in REDUCTIONS:
            yield Case("mse_loss", x, t, reduction=reduction)
            yield Case("l1_loss", x, t, reduction=reduction)
            yield Case("smooth_l1_loss", x, t, reduction=reduction)
            yield Case("huber_loss", x, t, reduction=reduction)
            yield Case("kl_div", x, np.exp(t), reduction=reduction)
            yield Case("kl_div", x, t, reduction=reduction, log_target=True)
    x, t = source.normal(0, 2, (3, 4)), source.normal(0, 2, (3, 4))
    x[0, 0] = t[0, 0]
    for reduction in REDUCTIONS:
        yield Case("mse_loss", x, t, reduction=reduction, weight=source.uniform(0.5, 2, (3, 4)))
        yield Case("l1_loss", x, t, reduction=reduction, weight=source.uniform(0.5, 2, (3, 4)))
        yield Case("huber_loss", x, t, reduction=reduction, weight=source.uniform(0.5, 2, (3, 4)))
        yield Case("smooth_l1_loss", x, t, reduction=reduction, beta=0.0)
        yield Case("smooth_l1_loss", x, t, reduction=reduction, beta=2.5)
        yield Case("huber_loss", x, t, reduction=reduction, delta=0.3)
    x, t = np.array([0.0, 1.0, -1.0, 2.0, 3.0]), np.array([0.0, 0.0, 0.0, 2.0, 1.0])  # on the kinks
    for loss in ("l1_loss", "smooth_l1_loss", "huber_loss"):
        yield Case(loss, x, t, reduction="none")
    for log_target in (False, True):
        yield Case(
            "kl_div",
            np.log(softmax(source.normal(size=(3, 4)))),
            -np.ones((3, 4)) if log_target else softmax(source.normal(size=(3, 4))),
            reduction="batchmean",
            log_target=log_target,
        )
    sparse = np.array([[0.0, 1.0], [0.25, 0.75]])
    yield Case("kl_div", np.log(softmax(source.normal(size=(2, 2)))), sparse, fixed=("target",))


def softmax(a):
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def binary_cases():
    source = np.random.default_rng(1)
    for shape, reduction in itertools.product([(5,), (3, 4), ()], REDUCTIONS):
        p, z, t = source.uniform(0.05, 0.95, shape), source.normal(0, 3, shape), source.uniform(0.1, 0.9, shape)
        yield Case("binary_cross_entropy", p, t, reduction=reduction)
        yield Case("binary_cross_entropy", p, (t > 0.5) * 1.0, reduction=reduction)
        yield Case("binary_cross_entropy", p, t, reduction=reduction, weight=source.uniform(0.5, 2, shape))
        yield Case("binary_cross_entropy_with_logits", z, t, reduction=reduction)
        yield Case("binary_cross_entropy_with_logits", z, t, reduction=reduction, weight=source.uniform(1, 2, shape))
        yield Case(
            "binary_cross_entropy_with_logits", z, t, reduction=reduction, fixed=("pos_weight",),
            pos_weight=source.uniform(0.5, 2, shape), weight=source.uniform(0.5, 2, shape),
        )  # fmt: skip
    p, z, t = source.uniform(0.05, 0.95, (3, 4)), source.normal(0, 3, (3, 4)), source.uniform(0.1, 0.9, (3, 4))
    one_each = source.uniform(0.5, 2, (4,))
    yield Case("binary_cross_entropy", p, t, weight=one_each)
    yield Case("binary_cross_entropy_with_logits", z, t, weight=one_each)
    yield Case("binary_cross_entropy_with_logits", z, t, pos_weight=one_each, fixed=("pos_weight",))
    yield Case("binary_cross_entropy_with_logits", z, t, pos_weight=np.array(3.0), fixed=("pos_weight",))


def class_cases():
    source = np.random.default_rng(2)
    for shape in [(5,), (4, 5), (3, 5, 2), (2, 5, 3, 2)]:
        x = source.normal(0, 2, shape)
        log_p = np.log(softmax(x if x.ndim > 1 else x[None])).reshape(shape)
        labels = source.integers(0, 5, shape[:1] + shape[2:] if len(shape) > 1 else ())
        soft = softmax(source.normal(size=shape if len(shape) > 1 else (1, *shape))).reshape(shape)
        ignored = labels.copy()
        if labels.ndim:
            ignored.reshape(-1)[0] = -100
        weight = source.uniform(0.5, 2, 5)
        for reduction in REDUCTIONS:
            for name, scores in (("nll_loss", log_p), ("cross_entropy", x)):
                yield Case(name, scores, labels, reduction=reduction)
                yield Case(name, scores, labels, reduction=reduction, weight=weight)
                yield Case(name, scores, ignored, reduction=reduction, weight=weight, ignore_index=-100)
                ignore_index = int(labels.reshape(-1)[-1]) if labels.ndim else -1
                yield Case(name, scores, labels, reduction=reduction, ignore_index=ignore_index)
            for smoothing in (0.1, 1.0):
                yield Case("cross_entropy", x, labels, reduction=reduction, label_smoothing=smoothing)
                yield Case("cross_entropy", x, ignored, reduction=reduction, label_smoothing=smoothing, weight=weight)
                yield Case("cross_entropy", x, soft, reduction=reduction, label_smoothing=smoothing, weight=weight)
            yield Case("cross_entropy", x, soft, reduction=reduction)
            yield Case("cross_entropy", x, soft, reduction=reduction, weight=weight)
            yield Case("cross_entropy", x, soft, reduction=reduction, fixed=("target",))
    x = source.normal(size=(3, 4))
    for dtype in (np.uint8, np.int64):
        yield Case("cross_entropy", x, np.array([0, 3, 1], dtype))
        yield Case("nll_loss", x, np.array([0, 3, 1], dtype))
    zero = np.array([0.0, 1.0, 1.0, 2.0])
    yield Case("cross_entropy", x, np.array([0, 3, 1]), weight=zero)
    yield Case("nll_loss", x, np.array([0, 3, 1]), weight=zero)


def empty_cases():
    labels = np.zeros(0, np.int64)
    for reduction in REDUCTIONS:
        for loss in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div"):
            yield Case(loss, np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        yield Case("binary_cross_entropy", np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        yield Case("binary_cross_entropy_with_logits", np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        yield Case("cross_entropy", np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        for settings in ({}, {"weight": np.array([1.0, 2.0, 3.0])}):
            yield Case("cross_entropy", np.zeros((0, 3)), labels, reduction=reduction, **settings)
            yield Case("nll_loss", np.zeros((0, 3)), labels, reduction=reduction, **settings)
        yield Case("cross_entropy", np.zeros((0, 3)), labels, reduction=reduction, label_smoothing=0.1)
        yield Case("cross_entropy", np.ones((2, 3)), np.full(2, -100), reduction=reduction)
        yield Case("nll_loss", np.ones((2, 3)), np.full(2, -100), reduction=reduction)


def extreme_cases():
    z = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4]])
    t = np.array([[0.0, 1.0, 0.5], [0.0, 1.0, 0.0], [1.0, 0.0, 0.25], [1.0, 0.0, 0.25]])
    for reduction in REDUCTIONS:
        yield Case("cross_entropy", z, np.array([1, 0, 2, 0]), reduction=reduction)
        yield Case("cross_entropy", z, np.array([0, 1, 2, 0]), reduction=reduction, label_smoothing=0.1)
        yield Case("cross_entropy", z, t, reduction=reduction)
        yield Case("binary_cross_entropy_with_logits", z, t, reduction=reduction)
        yield Case(
            "binary_cross_entropy_with_logits",
            z,
            t,
            reduction=reduction,
            pos_weight=np.array(2.0),
            fixed=("pos_weight",),
        )
        yield Case("smooth_l1_loss", z, t, reduction=reduction)
        yield Case("huber_loss", z, t, reduction=reduction)
        yield Case("mse_loss", z, t, reduction=reduction)


ignore_torch_advice = pytest.mark.filterwarnings("ignore:reduction. .mean. divides:UserWarning")
ALL = [*regression_cases(), *binary_cases(), *class_cases(), *extreme_cases(), *empty_cases()]


@ignore_torch_advice
@pytest.mark.parametrize("case", ALL, ids=repr)
def test_in_double_precision_a_loss_and_its_derivatives_are_those_of_torch(case):
    same_as_torch(case, np.float64, 1e-10)


@ignore_torch_advice
@pytest.mark.parametrize("case", ALL, ids=repr)
def test_in_single_precision_a_loss_and_its_derivatives_are_those_of_torch(case):
    same_as_torch(case, np.float32, 1e-5)


# Without PyTorch: derivatives by finite differences, compositions, and the values that are known by hand.


def smooth(case):
    """Whether the loss has finite second differences at this input: no kinks, nothing saturated, not empty."""
    x, t = case.arrays["input"], case.arrays["target"]
    if not x.size or np.abs(x).max() > 100:
        return False
    if case.loss in ("l1_loss", "smooth_l1_loss", "huber_loss"):
        kinks = (0.0, case.settings.get("beta", 1.0), case.settings.get("delta", 1.0))
        return all(np.abs(np.abs(x - t) - kink).min() > 1e-3 for kink in kinks)
    if case.loss == "binary_cross_entropy" and np.isin(t, (0.0, 1.0)).any():
        return False
    return not (case.loss == "kl_div" and (t == 0).any()) and not (t.dtype.kind != "f" and (t == -100).all())


CHECKED = [
    case
    for case in ALL
    if smooth(case) and case.settings.get("reduction") == "none" and case.arrays["input"].size <= 12
]


@pytest.mark.parametrize("case", CHECKED, ids=repr)
def test_second_derivatives_are_those_of_finite_differences(case):
    tensors, wanted = case.leaves(tg.from_numpy, np.float64)
    fixed = {k: v for k, v in tensors.items() if k not in wanted}

    def loss(*xs):
        return case.function(F)(**dict(zip(wanted, xs, strict=True)), **fixed)

    xs = [tensors[k] for k in wanted]
    assert gradcheck(loss, xs)
    assert gradgradcheck(loss, xs)


def test_every_loss_is_checked_by_finite_differences():
    assert {case.loss for case in CHECKED} == set(MODULES)


@pytest.mark.parametrize("dtype", [tg.float64, tg.float32])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 5, 2, 2)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_fused_softmax_cross_entropy_equals_its_composition(shape, reduction, dtype):
    logits = tg.randn(shape, dtype=dtype, requires_grad=True)
    labels = tg.randint(0, 5, shape[:1] + shape[2:] if len(shape) > 1 else ())
    fused = F.cross_entropy(logits, labels, reduction=reduction)
    composed = F.nll_loss(F.log_softmax(logits, min(1, len(shape) - 1)), labels, reduction=reduction)
    incoming, direction = tg.randn(fused.shape, dtype=dtype), tg.randn(shape, dtype=dtype)
    results = []
    for y in (fused, composed):
        (first,) = tg.autograd.grad(y, logits, incoming, create_graph=True)
        (second,) = tg.autograd.grad((first * direction).sum(), logits)
        results.append((y, first, second))
    tolerance = 1e-10 if dtype == tg.float64 else 1e-5
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=tolerance, atol=tolerance)
    assert "softmax_cross_entropy" in graph_names(fused)
    assert "softmax_cross_entropy" not in graph_names(composed)


def graph_names(y):
    names, stack = set(), [y.grad_fn]
    while stack:
        node = stack.pop()
        if hasattr(node, "next_functions"):
            names.add(node.name)
            stack.extend(node.next_functions)
    return names


def test_the_gradient_of_a_very_wrong_prediction_is_exact_in_single_precision():
    logits = tg.tensor([[-1e4, 1e4, 1e4]], requires_grad=True)
    F.cross_entropy(logits, tg.tensor([0])).backward()
    assert logits.grad.tolist() == [[-1.0, 0.5, 0.5]]


def test_sure_probabilities_have_a_finite_binary_cross_entropy_with_finite_gradients():
    p = tg.tensor([0.0, 1.0, 0.0, 1.0], dtype=tg.float64, requires_grad=True)
    t = tg.tensor([0.0, 0.0, 1.0, 1.0], dtype=tg.float64, requires_grad=True)
    loss = F.binary_cross_entropy(p, t, reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0.0, 100.0, 100.0, 0.0]
    assert p.grad.tolist() == [0.0, 1e12, -1e12, 0.0]
    # The loss counts a logarithm of 0 as -100, and so does its derivative (PyTorch's is infinite there).
    assert t.grad.tolist() == [100.0, -100.0, 100.0, -100.0]


def test_sure_probabilities_have_torchs_loss_and_gradient():
    torch = torch_on_one_thread()
    p, t = np.array([0.0, 1.0, 0.0, 1.0, 0.5]), np.array([0.0, 0.0, 1.0, 1.0, 0.5])
    results = []
    for make, functional in ((tg.from_numpy, F), (torch.from_numpy, torch.nn.functional)):
        x = make(p.copy()).requires_grad_()
        loss = functional.binary_cross_entropy(x, make(t), reduction="none")
        loss.sum().backward()
        results.append((loss.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)  # its bound 1e-12 is a float32


def test_a_target_probability_of_zero_adds_nothing_to_the_divergence():
    log_p = tg.tensor([-1.0, -2.0], requires_grad=True)
    target = tg.tensor([0.0, 1.0], requires_grad=True)
    loss = F.kl_div(log_p, target, reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0.0, 2.0]
    assert log_p.grad.tolist() == [0.0, -1.0]
    assert target.grad.isfinite().all()


def test_ignored_samples_get_no_gradient_whatever_their_scores():
    logits = tg.tensor([[1.0, 2.0], [np.inf, np.inf], [0.0, np.nan]], requires_grad=True)
    loss = F.cross_entropy(logits, tg.tensor([1, -100, -100]))
    loss.backward()
    assert loss.item() == pytest.approx(np.log1p(np.exp(-1.0)))
    assert logits.grad[0].abs().min() > 0.1


def test_a_mean_over_nothing_is_nan_and_a_sum_is_zero():
    empty = tg.zeros(0, 3)
    assert np.isnan(F.cross_entropy(empty, tg.zeros(0, dtype=tg.int64)).item())
    assert F.cross_entropy(empty, tg.zeros(0, dtype=tg.int64), reduction="sum").item() == 0.0
    assert np.isnan(F.kl_div(empty, empty, reduction="batchmean").item())


def test_mixed_precision_promotes():
    a, b = tg.ones(3), tg.zeros(3, dtype=tg.float64)
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.kl_div, F.binary_cross_entropy_with_logits):
        assert loss(a, b).dtype == tg.float64, loss.__name__
    assert F.mse_loss(a, tg.tensor([1, 2, 3])).dtype == tg.float32


# The modules


WEIGHTED_BY_FUNCTION_ONLY = ("mse_loss", "l1_loss", "huber_loss")  # as in PyTorch


@pytest.mark.parametrize(
    "case", [c for c in ALL[::3] if not (c.loss in WEIGHTED_BY_FUNCTION_ONLY and "weight" in c.arrays)], ids=repr
)
def test_a_module_gives_what_its_function_gives(case):
    tensors, _ = case.leaves(tg.from_numpy, np.float64)
    kept = {k: tensors.pop(k) for k in ("weight", "pos_weight") if k in tensors}
    module = getattr(nn, MODULES[case.loss])(**kept, **case.settings)
    ours = module(**tensors).detach()
    np.testing.assert_array_equal(ours, case.function(F)(**tensors, **kept).detach())


def test_every_module_of_a_loss_has_torchs_name_repr_and_state():
    torch = torch_on_one_thread()
    for name in MODULES.values():
        assert repr(getattr(nn, name)()) == repr(getattr(torch.nn, name)())
    for name, settings in {
        "CrossEntropyLoss": {"weight": np.ones(3)},
        "NLLLoss": {"weight": np.ones(3)},
        "BCELoss": {"weight": np.ones(3)},
        "BCEWithLogitsLoss": {"weight": np.ones(3), "pos_weight": np.ones(3)},
    }.items():
        ours = getattr(nn, name)(**{k: tg.from_numpy(v) for k, v in settings.items()})
        theirs = getattr(torch.nn, name)(**{k: torch.from_numpy(v) for k, v in settings.items()})
        assert list(ours.state_dict()) == list(theirs.state_dict()) == list(settings)
        assert not list(ours.parameters())
        assert ours.float().weight.dtype == tg.float32


# What they refuse

X, Y = tg.zeros(2, 3), tg.zeros(2, 3)
LABELS = tg.tensor([0, 1])
REFUSED = [
    (lambda: F.mse_loss(X, Y, reduction="average"), ValueError, "'mean', 'sum' or 'none', not 'average'"),
    (lambda: F.mse_loss(X, [0.0]), DtypeError, "target must be a Tensor, not list"),
    (lambda: F.mse_loss(X.long(), Y.long()), DtypeError, "must be floating, not int64 and int64"),
    (lambda: F.mse_loss(X, Y, weight=tg.ones(3)), ShapeError, r"weight must have the input's shape \(2, 3\)"),
    (lambda: F.l1_loss(X, Y, weight=tg.ones(3)), ShapeError, r"weight must have the input's shape \(2, 3\)"),
    (lambda: F.huber_loss(X, Y, weight=tg.ones(3)), ShapeError, r"weight must have the input's shape \(2, 3\)"),
    (lambda: F.smooth_l1_loss(X, Y, beta=-1.0), ValueError, "beta must be 0 or more, not -1.0"),
    (lambda: F.huber_loss(X, Y, delta=0.0), ValueError, "delta must be positive, not 0.0"),
    (lambda: F.kl_div(X, Y.long()), DtypeError, "target must be floating, not int64"),
    (lambda: F.kl_div(X, Y, reduction="batch"), ValueError, "not 'batch'"),
    (lambda: F.binary_cross_entropy(X + 1.5, Y), ValueError, "input must be probabilities.*with_logits"),
    (lambda: F.binary_cross_entropy(X, Y - 0.5), ValueError, "target must be probabilities"),
    (lambda: F.binary_cross_entropy(X * np.nan, Y), ValueError, "input must be probabilities"),
    (lambda: F.binary_cross_entropy(X, tg.zeros(2, 1)), ShapeError, r"\(2, 3\) and target \(2, 1\)"),
    (lambda: F.binary_cross_entropy(X, Y.double()), DtypeError, "share one dtype, got float32 and float64"),
    (lambda: F.binary_cross_entropy(X, Y.long()), DtypeError, "target must be floating, not int64"),
    (lambda: F.binary_cross_entropy(X, Y, tg.ones(4, 2, 3)), ShapeError, r"broadcasts to the input's \(2, 3\)"),
    (lambda: F.binary_cross_entropy(X, Y, tg.ones(5)), ShapeError, r"broadcasts to the input's \(2, 3\)"),
    (lambda: F.binary_cross_entropy_with_logits(X, tg.zeros(3)), ShapeError, "they must be equal"),
    (lambda: F.binary_cross_entropy_with_logits(X, Y.bool()), DtypeError, "target must be floating, not bool"),
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
    (lambda: F.cross_entropy(X.long(), LABELS), DtypeError, "logits must be floating, not int64"),
    (lambda: F.nll_loss(X.long(), LABELS), DtypeError, "scores must be floating, not int64"),
    (lambda: F.cross_entropy(X, LABELS, tg.ones(2)), ShapeError, r"weight must have shape \(3,\)"),
    (lambda: F.cross_entropy(X, LABELS, tg.ones(3).double()), DtypeError, "input's dtype, float32, and has float64"),
    (lambda: F.nll_loss(X, LABELS, [1.0, 1.0, 1.0]), DtypeError, "weight must be a Tensor, not list"),
    (lambda: F.cross_entropy(X, LABELS, label_smoothing=1.5), ValueError, "between 0 and 1, not 1.5"),
    (lambda: F.cross_entropy(X, Y, ignore_index=1), ValueError, "ignore_index goes with class indices"),
    (lambda: F.cross_entropy(X, LABELS, reduction="batchmean"), ValueError, "not 'batchmean'"),
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


# Training

TRAINED = {
    "MSELoss": "real",
    "L1Loss": "real",
    "SmoothL1Loss": "real",
    "HuberLoss": "real",
    "BCELoss": "binary",
    "BCEWithLogitsLoss": "binary",
    "CrossEntropyLoss": "class",
    "NLLLoss": "class",
    "KLDivLoss": "soft",
}
HEADS = {"BCELoss": ("Sigmoid", {}), "NLLLoss": ("LogSoftmax", {"dim": 1}), "KLDivLoss": ("LogSoftmax", {"dim": 1})}


def mlp(layers, loss):
    head, settings = HEADS.get(loss, ("Identity", {}))
    return layers.Sequential(
        layers.Linear(4, 16), layers.ReLU(), layers.Linear(16, 8), layers.Tanh(), layers.Linear(8, 3),
        getattr(layers, head)(**settings),
    )  # fmt: skip


def train(library, layers, make, net, loss, x, target, steps=100):
    losses = []
    criterion = getattr(layers, loss)(**({"reduction": "batchmean"} if loss == "KLDivLoss" else {}))
    x, target = make(x), make(target)
    for _ in range(steps):
        net.zero_grad()
        value = criterion(net(x), target)
        value.backward()
        losses.append(value.item())
        with library.no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
    return losses


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", TRAINED)
def test_a_hundred_steps_of_training_are_those_of_torch(loss, dtype):
    torch = torch_on_one_thread()
    source = np.random.default_rng(4)
    x = source.normal(size=(20, 4)).astype(dtype)
    target = {
        "real": source.normal(size=(20, 3)),
        "binary": (source.random((20, 3)) < 0.5) * 1.0,
        "class": source.integers(0, 3, 20),
        "soft": softmax(source.normal(size=(20, 3))),
    }[TRAINED[loss]]
    target = target.astype(dtype) if target.dtype.kind == "f" else target
    torch.manual_seed(0)
    theirs = mlp(torch.nn, loss).to(getattr(torch, np.dtype(dtype).name))
    ours = mlp(nn, loss).to(np.dtype(dtype))
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    expected = train(torch, torch.nn, torch.from_numpy, theirs, loss, x, target)
    losses = train(tg, nn, tg.from_numpy, ours, loss, x, target)
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-5)
    assert losses[-1] < 0.9 * losses[0]
    tolerance = 1e-10 if dtype == np.float64 else 1e-4
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("loss", [F.huber_loss, F.smooth_l1_loss])
def test_an_infinite_difference_has_a_finite_gradient(loss):
    x = tg.tensor([float("inf"), 0.5], requires_grad=True)
    loss(x, tg.zeros(2), reduction="sum").backward()
    assert x.grad.tolist() == [1.0, 0.5]
