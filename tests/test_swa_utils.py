"""Averages of models, and the schedule that goes with them, beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.optim import swa_utils

AVERAGES = {
    "mean": lambda s: {},
    "own mean": lambda s: {"avg_fn": s.get_swa_avg_fn()},
    "ema": lambda s: {"avg_fn": s.get_ema_avg_fn(0.9)},
    "ema of lists": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.75)},
    "mean of lists": lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
    "own": lambda s: {"avg_fn": lambda averaged, value, count: averaged + value * count},
    "with buffers": lambda s: {"use_buffers": True},
}


def model_of(library):
    model = library.nn.Linear(2, 1)
    model.register_buffer("seen", library.zeros(2))
    return model


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_are_torchs(name):
    torch = pytest.importorskip("torch")
    states = []
    for library in (tg, torch):
        averages = library.optim.swa_utils
        model = model_of(library)
        averaged = averages.AveragedModel(model, **AVERAGES[name](averages))
        rng = np.random.default_rng(0)
        for _ in range(5):
            with library.no_grad():
                for tensor in (*model.parameters(), *model.buffers()):
                    tensor.copy_(library.tensor(rng.standard_normal(tuple(tensor.shape))))
            averaged.update_parameters(model)
        states.append({key: value.numpy() for key, value in averaged.state_dict().items()})
    ours, theirs = states
    assert list(ours) == list(theirs)
    for key, value in ours.items():
        np.testing.assert_allclose(value, theirs[key], rtol=1e-5, atol=1e-6)
    assert ours["n_averaged"] == 5


def test_an_averaged_model_computes_and_leaves_the_model_alone():
    model = nn.Linear(2, 1)
    averaged = swa_utils.AveragedModel(model, device="cpu")
    averaged.update_parameters(model)
    x = tg.ones(3, 2)
    assert averaged(x).tolist() == model(x).tolist()
    nn.init.zeros_(model.weight)
    assert averaged(x).tolist() != model(x).tolist()


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 7])
def test_the_rates_are_torchs(strategy, epochs):
    torch = pytest.importorskip("torch")
    seen = []
    for library in (tg, torch):
        p, q = library.zeros(1, requires_grad=True), library.zeros(1, requires_grad=True)
        optimizer = library.optim.SGD([{"params": p}, {"params": q, "lr": 0.5}], lr=1.0)
        plain = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        averaging = library.optim.swa_utils.SWALR(
            optimizer, [0.05, 0.1], anneal_epochs=epochs, anneal_strategy=strategy
        )
        rates = []
        for epoch in range(15):
            optimizer.step()
            (plain if epoch < 4 else averaging).step()
            rates += [group["lr"] for group in optimizer.param_groups]
        seen.append(rates)
    assert seen[0] == pytest.approx(seen[1], rel=1e-9)
    assert seen[0][-2:] == pytest.approx([0.05, 0.1])


def test_statistics_of_batch_normalisation_become_those_of_all_batches():
    torch = pytest.importorskip("torch")
    batches = np.random.default_rng(0).standard_normal((4, 8, 3)).astype(np.float32)
    states = []
    for library in (tg, torch):
        model = library.nn.Sequential(library.nn.BatchNorm1d(3), library.nn.BatchNorm1d(3, momentum=0.3)).eval()
        loader = [(library.tensor(batch), None) for batch in batches]
        library.optim.swa_utils.update_bn(loader, model)
        assert not model.training
        assert [layer.momentum for layer in model] == [0.1, 0.3]
        states.append({key: value.numpy() for key, value in model.state_dict().items()})
    for key, value in states[0].items():
        np.testing.assert_allclose(value, states[1][key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("mistake", "error", "match"),
    [
        (lambda o: swa_utils.get_ema_avg_fn(1.5), ValueError, "decay must be from 0 to 1"),
        (lambda o: swa_utils.get_ema_multi_avg_fn(-1), ValueError, "decay must be from 0 to 1"),
        (lambda o: swa_utils.AveragedModel(nn.Tanh(), avg_fn=max, multi_avg_fn=max), ValueError, "not both"),
        (lambda o: swa_utils.SWALR(o, 0.1, anneal_strategy="x"), ValueError, "anneal_strategy must be"),
        (lambda o: swa_utils.SWALR(o, 0.1, anneal_epochs=-1), ValueError, "anneal_epochs must be"),
        (lambda o: swa_utils.SWALR(o, [0.1, 0.2]), ValueError, "2 swa_lr for 1 parameter groups"),
        (lambda o: swa_utils.SWALR(None, 0.1), TypeError, "must be an Optimizer, not NoneType"),
    ],
)
def test_mistakes_are_refused_with_the_reason(mistake, error, match):
    with pytest.raises(error, match=match):
        mistake(tg.optim.SGD([tg.zeros(1, requires_grad=True)]))
