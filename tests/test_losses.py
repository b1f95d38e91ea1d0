"""The losses: PyTorch's numbers, gradients and second derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from loss_cases import ALL, MEASURED, MODULES, ONCE, REDUCTIONS, softmax
from side_by_side import derivatives, same, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck


def same_as_torch(case, dtype=np.float64, tolerance=1e-10):
    results = []
    for library in (tg, torch_on_one_thread()):
        tensors, wanted = case.leaves(library.from_numpy, dtype)
        function = case.function(library.nn.functional)
        loss = derivatives(lambda *_: function(**tensors), [tensors[k] for k in wanted], library, case.once)  # noqa: B023
        results.append(loss)
    names = ["loss", *(f"d{k}" for k in wanted), *(f"dd{k}" for k in wanted)]
    for name, got, expected in zip(names, *results, strict=True):
        same(got, expected, tolerance, name=name)
    assert any(g is not None for g in results[1][1:])


ignore_torch_advice = pytest.mark.filterwarnings("ignore:reduction. .mean. divides:UserWarning")


@ignore_torch_advice
@pytest.mark.parametrize("case", ALL, ids=repr)
def test_in_double_precision_a_loss_and_its_derivatives_are_those_of_torch(case):
    same_as_torch(case, np.float64, 1e-10)


@ignore_torch_advice
@pytest.mark.parametrize("case", ALL, ids=repr)
def test_in_single_precision_a_loss_and_its_derivatives_are_those_of_torch(case):
    same_as_torch(case, np.float32, 2e-5)


# Without PyTorch: derivatives by finite differences, compositions, and the values that are known by hand.


def smooth(case):
    """Whether the loss has finite second differences at this input: no kinks, nothing saturated, not empty."""
    if case in MEASURED:
        if case.once and case.loss not in ONCE:
            return False  # it has vectors of length 0
        return case.settings.get("eps", 0.0) < 0.1 and case.settings.get("p") not in (0.5, float("inf"))
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
    if smooth(case) and case.settings.get("reduction") == "none" and next(iter(case.arrays.values())).size <= 12
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
            stack.extend(each for each, _ in node.next_functions)
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
    "case",
    [c for c in ALL[::3] if c.loss in MODULES and not (c.loss in WEIGHTED_BY_FUNCTION_ONLY and "weight" in c.arrays)],
    ids=repr,
)
def test_a_module_gives_what_its_function_gives(case):
    tensors, _ = case.leaves(tg.from_numpy, np.float64)
    kept = {k: tensors.pop(k) for k in ("weight", "pos_weight") if k in tensors}
    settings = dict(case.settings)
    if "var" in settings:
        tensors["var"] = settings.pop("var")
    module = getattr(nn, MODULES[case.loss])(**kept, **settings)
    theirs = {"log_input" if case.loss == "poisson_nll_loss" and k == "input" else k: x for k, x in tensors.items()}
    ours = module(**theirs).detach()
    np.testing.assert_array_equal(ours, getattr(F, case.loss)(**tensors, **kept, **settings).detach())


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
