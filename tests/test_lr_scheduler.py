"""Learning-rate schedules: PyTorch's numbers over many epochs, resuming, and errors that help."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim import lr_scheduler

RATES = (1.0, 0.3)
EPOCHS = 125
CASES = [
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.95**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 1 / (1 + epoch), lambda epoch: 0.9 ** (epoch // 10)]}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 30, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [3, 20, 20, 90], "gamma": 0.3}),
    ("MultiStepLR", {"milestones": [0, 50]}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 13, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.1}),
]
PLATEAUS = [
    {},
    {"mode": "max", "patience": 3},
    {"threshold_mode": "abs", "threshold": 0.05, "patience": 2, "cooldown": 4},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.05, "patience": 0, "factor": 0.5},
    {"mode": "max", "threshold": 0.1, "patience": 1, "cooldown": 1, "min_lr": [0.2, 0.01]},
    {"patience": 0, "factor": 0.3, "min_lr": 1e-3, "eps": 1e-4},
]


def optimizer(rates=RATES):
    return optim.SGD([{"params": tg.zeros(1, requires_grad=True), "lr": lr} for lr in rates])


def peer_optimizer(rates=RATES):
    torch = pytest.importorskip("torch")
    return torch.optim.SGD([{"params": torch.zeros(1, requires_grad=True), "lr": lr} for lr in rates])


def rates(of):
    return [group["lr"] for group in of.param_groups]


def metric(epoch):
    """Falls, stays, jumps and rises."""
    return [2.0 - 0.04 * epoch, 1.0, 1.0 + 0.3 * (epoch % 5), 0.02 * epoch][epoch // 10 % 4]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_rates_are_pytorchs_in_every_epoch_and_group(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(), peer_optimizer()
    scheduler = getattr(lr_scheduler, name)(ours, **options)
    peer = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    assert scheduler.base_lrs == peer.base_lrs == list(RATES)
    for _ in range(EPOCHS):
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-9, abs=1e-12)
        assert scheduler.get_last_lr() == rates(ours)
        assert scheduler.last_epoch == peer.last_epoch
        theirs.step()
        scheduler.step()
        peer.step()
    assert rates(ours) != list(RATES)


@pytest.mark.parametrize("options", PLATEAUS)
def test_plateaus_are_seen_as_pytorch_sees_them(options):
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(), peer_optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(ours, **options)
    peer = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **options)
    for epoch in range(EPOCHS):
        scheduler.step(tg.from_numpy(np.array(metric(epoch))))
        peer.step(metric(epoch))
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-12)
        assert scheduler.get_last_lr() == rates(ours)
        for fact in ("best", "num_bad_epochs", "cooldown_counter", "last_epoch"):
            assert getattr(scheduler, fact) == getattr(peer, fact)
    assert rates(ours) != list(RATES)


def test_inverse_time_divides_by_one_plus_decay_times_the_epoch():
    ours = optimizer()
    scheduler = lr_scheduler.InverseTimeLR(ours, decay=0.5)
    for epoch in range(100):
        assert rates(ours) == [lr / (1 + 0.5 * epoch) for lr in RATES]
        scheduler.step()


RESUMABLE = [*CASES, ("InverseTimeLR", {"decay": 0.1})]


@pytest.mark.parametrize(("name", "options"), RESUMABLE)
def test_a_loaded_schedule_goes_on_where_it_was(name, options):
    straight = optimizer()
    scheduler = getattr(lr_scheduler, name)(straight, **options)
    for _ in range(25):
        scheduler.step()
    resumed = optimizer((7.0, 8.0))
    other = getattr(lr_scheduler, name)(resumed, **options)
    resumed.load_state_dict(straight.state_dict())
    other.load_state_dict(scheduler.state_dict())
    assert other.get_last_lr() == scheduler.get_last_lr()
    for _ in range(30):
        scheduler.step()
        other.step()
        assert rates(resumed) == rates(straight)


@pytest.mark.parametrize(("name", "options"), RESUMABLE)
def test_last_epoch_goes_on_from_a_loaded_optimizer(name, options):
    straight = optimizer()
    scheduler = getattr(lr_scheduler, name)(straight, **options)
    for _ in range(25):
        scheduler.step()
    resumed = optimizer()
    resumed.load_state_dict(straight.state_dict())
    getattr(lr_scheduler, name)(resumed, **options, last_epoch=25)
    scheduler.step()
    assert rates(resumed) == pytest.approx(rates(straight), rel=1e-12)


def test_cosine_annealing_goes_together_with_other_schedules_as_in_pytorch():
    torch = pytest.importorskip("torch")
    rates_by_library = []
    for lib in (tg, torch):
        held = lib.optim.SGD([lib.zeros(1, requires_grad=True)], lr=0.1)
        cosine = lib.optim.lr_scheduler.CosineAnnealingLR(held, T_max=6)
        step = lib.optim.lr_scheduler.StepLR(held, step_size=3, gamma=0.1)
        seen = []
        for _ in range(20):
            held.step()
            cosine.step()
            step.step()
            seen.append(held.param_groups[0]["lr"])
        rates_by_library.append(seen)
    assert rates_by_library[0] == pytest.approx(rates_by_library[1], rel=1e-12)


def test_a_loaded_plateau_goes_on_where_it_was():
    straight, resumed = optimizer(), optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(straight, "max", patience=2)
    for epoch in range(25):
        scheduler.step(metric(epoch))
    other = lr_scheduler.ReduceLROnPlateau(resumed)
    resumed.load_state_dict(straight.state_dict())
    other.load_state_dict(scheduler.state_dict())
    for epoch in range(25, 60):
        scheduler.step(metric(epoch))
        other.step(metric(epoch))
    assert rates(resumed) == rates(straight)
    assert other.state_dict() == scheduler.state_dict()


def test_state_dicts_are_plain_data():
    for name, options in RESUMABLE:
        for value in getattr(lr_scheduler, name)(optimizer(), **options).state_dict().values():
            assert isinstance(value, int | float | list | dict), name


def test_chained_schedules_multiply():
    ours = optimizer()
    first, second = lr_scheduler.ExponentialLR(ours, 0.5), lr_scheduler.StepLR(ours, 2, 0.1)
    for _ in range(4):
        first.step()
        second.step()
    assert rates(ours) == pytest.approx([lr * 0.5**4 * 0.1**2 for lr in RATES])


def test_the_optimizer_steps_with_the_scheduled_rate():
    p = tg.zeros(1, requires_grad=True)
    ours = optim.SGD([p], lr=1.0)
    scheduler = lr_scheduler.ExponentialLR(ours, 0.5)
    p.grad = tg.ones(1)
    for _ in range(3):
        ours.step()
        scheduler.step()
    assert p.item() == -1.75


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (
            lambda o: lr_scheduler.StepLR(0.1, 2),
            TypeError,
            "StepLR: its first argument must be an Optimizer, not float",
        ),
        (lambda o: lr_scheduler.LambdaLR(None, len), TypeError, "must be an Optimizer, not NoneType"),
        (lambda o: lr_scheduler.ReduceLROnPlateau("o"), TypeError, "must be an Optimizer, not str"),
        (lambda o: lr_scheduler.StepLR(o, 0), ValueError, "step_size must be 1 epoch or more"),
        (lambda o: lr_scheduler.StepLR(o, 2, last_epoch=5), KeyError, "has no 'initial_lr'"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 0), ValueError, "T_max must be 1 epoch or more"),
        (lambda o: lr_scheduler.InverseTimeLR(o, -1), ValueError, "decay must be 0 or more"),
        (lambda o: lr_scheduler.LambdaLR(o, [len]), ValueError, "1 functions for 2 parameter groups"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor must be less than 1"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, "lowest"), ValueError, "'min' or 'max', not 'lowest'"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "'rel' or 'abs'"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, min_lr=[1]), ValueError, "1 min_lr for 2 parameter groups"),
        (lambda o: lr_scheduler.LRScheduler(o), NotImplementedError, r"LRScheduler\.get_lr"),
    ],
)
def test_what_makes_no_schedule_is_refused_with_the_reason(make, error, match):
    with pytest.raises(error, match=match):
        make(optimizer())


def test_a_group_added_later_and_a_foreign_state_are_refused():
    ours = optimizer()
    scheduler, plateau = lr_scheduler.InverseTimeLR(ours, 0.1), lr_scheduler.ReduceLROnPlateau(ours, patience=0)
    ours.add_param_group({"params": tg.zeros(1, requires_grad=True)})
    with pytest.raises(ValueError, match="2 learning rates for 3 parameter groups"):
        scheduler.step()
    plateau.step(1.0)
    with pytest.raises(ValueError, match="2 min_lrs for 3 parameter groups"):
        plateau.step(1.0)
    with pytest.raises(KeyError, match="another kind: it lacks"):
        scheduler.load_state_dict(plateau.state_dict())
