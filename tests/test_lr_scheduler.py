"""Learning-rate schedules: PyTorch's numbers over many epochs, resuming, and errors that help."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim import lr_scheduler

RATES = (1.0, 0.3)


class Halving:
    """A callable object, whose attributes a state holds."""

    def __init__(self, base=0.5):
        self.base = base

    def __call__(self, x):
        return self.base**x


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
    ("LambdaLR", {"lr_lambda": Halving(0.9)}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.95}),
    ("MultiplicativeLR", {"lr_lambda": [Halving(0.999), lambda epoch: 1 - 1 / (epoch + 2)]}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 40}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 50}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 60, "power": 2.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 2, "eta_min": 0.05}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 10}),
    (
        "CyclicLR",
        {"base_lr": [0.01, 0.1], "max_lr": 0.5, "step_size_up": 4, "step_size_down": 9, "mode": "triangular2"},
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 6, "mode": "exp_range", "gamma": 0.98}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 6, "scale_fn": Halving(), "cycle_momentum": False}),
    (
        "CyclicLR",
        {
            "base_lr": 0.1,
            "max_lr": [1.0, 2.0],
            "step_size_up": 5,
            "scale_fn": Halving(0.99),
            "scale_mode": "iterations",
        },
    ),
    ("OneCycleLR", {"max_lr": 2.0, "total_steps": 125}),
    ("OneCycleLR", {"max_lr": [2.0, 1.0], "epochs": 25, "steps_per_epoch": 5, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 130, "three_phase": True, "pct_start": 0.4, "div_factor": 5.0}),
    (
        "OneCycleLR",
        {"max_lr": 1.0, "total_steps": 125, "base_momentum": [0.7, 0.8], "max_momentum": 0.9, "final_div_factor": 10.0},
    ),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 125, "cycle_momentum": False}),
]
PLATEAUS = [
    {},
    {"mode": "max", "patience": 3},
    {"threshold_mode": "abs", "threshold": 0.05, "patience": 2, "cooldown": 4},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.05, "patience": 0, "factor": 0.5},
    {"mode": "max", "threshold": 0.1, "patience": 1, "cooldown": 1, "min_lr": [0.2, 0.01]},
    {"patience": 0, "factor": 0.3, "min_lr": 1e-3, "eps": 1e-4},
]


def held(library, rates=RATES, form="SGD", **options):
    """An optimizer that has made a step, so that schedules may."""
    groups = [{"params": library.zeros(1, requires_grad=True), "lr": lr} for lr in rates]
    made = getattr(library.optim, form)(groups, **options)
    made.step()
    return made


def optimizer(rates=RATES):
    return held(tg, rates, momentum=0.9)


def peer_optimizer(rates=RATES):
    return held(pytest.importorskip("torch"), rates, momentum=0.9)


def rates(of):
    return [group["lr"] for group in of.param_groups]


def momenta(of):
    return [group["betas"] if "betas" in group else group.get("momentum") for group in of.param_groups]


def metric(epoch):
    """Falls, stays, jumps and rises."""
    return [2.0 - 0.04 * epoch, 1.0, 1.0 + 0.3 * (epoch % 5), 0.02 * epoch][epoch // 10 % 4]


@pytest.mark.parametrize("form", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_rates_are_pytorchs_in_every_epoch_and_group(name, options, form):
    torch = pytest.importorskip("torch")
    ours, theirs = (held(library, form=form) for library in (tg, torch))
    scheduler = getattr(lr_scheduler, name)(ours, **options)
    peer = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    assert scheduler.base_lrs == peer.base_lrs
    seen = set()
    for _ in range(EPOCHS):
        seen.add(tuple(rates(ours)))
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-9, abs=1e-12)
        assert momenta(ours) == [pytest.approx(momentum, rel=1e-9) for momentum in momenta(theirs)]
        assert scheduler.get_last_lr() == rates(ours)
        assert scheduler.last_epoch == peer.last_epoch
        theirs.step()
        scheduler.step()
        peer.step()
    assert len(seen) > 1


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


@pytest.mark.parametrize(("name", "options"), CASES)
def test_last_epoch_goes_on_from_a_loaded_optimizer_as_in_pytorch(name, options):
    torch = pytest.importorskip("torch")
    seen = []
    for library in (tg, torch):
        straight, resumed = held(library), held(library)
        form = getattr(library.optim.lr_scheduler, name)
        scheduler = form(straight, **options)
        for _ in range(25):
            straight.step()
            scheduler.step()
        resumed.load_state_dict(straight.state_dict())
        other = form(resumed, **options, last_epoch=25)
        for _ in range(5):
            seen.append(rates(resumed))
            resumed.step()
            other.step()
    assert seen[:5] == [pytest.approx(theirs, rel=1e-9, abs=1e-12) for theirs in seen[5:]]


def test_last_epoch_goes_on_with_inverse_time():
    resumed = optimizer()
    lr_scheduler.InverseTimeLR(resumed, 0.1)
    lr_scheduler.InverseTimeLR(resumed, 0.1, last_epoch=24)
    assert rates(resumed) == [lr / 3.5 for lr in RATES]


def test_cosine_annealing_goes_together_with_other_schedules_as_in_pytorch():
    torch = pytest.importorskip("torch")
    rates_by_library = []
    for lib in (tg, torch):
        one = held(lib, [0.1])
        cosine = lib.optim.lr_scheduler.CosineAnnealingLR(one, T_max=6)
        step = lib.optim.lr_scheduler.StepLR(one, step_size=3, gamma=0.1)
        seen = []
        for _ in range(20):
            one.step()
            cosine.step()
            step.step()
            seen.append(one.param_groups[0]["lr"])
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
            assert value is None or isinstance(value, int | float | str | list | dict), name


@pytest.mark.parametrize(("name", "options"), CASES)
def test_states_go_to_pytorch_and_come_from_it(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(), peer_optimizer()
    scheduler = getattr(lr_scheduler, name)(ours, **options)
    peer = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    for _ in range(10):
        theirs.step()
        scheduler.step()
        peer.step()
    fresh, peers_fresh = optimizer(), peer_optimizer()
    taken = getattr(lr_scheduler, name)(fresh, **options)
    given = getattr(torch.optim.lr_scheduler, name)(peers_fresh, **options)
    taken.load_state_dict(peer.state_dict())
    given.load_state_dict(scheduler.state_dict())
    fresh.load_state_dict(theirs.state_dict())
    peers_fresh.load_state_dict(ours.state_dict())
    for _ in range(20):
        peers_fresh.step()
        taken.step()
        given.step()
        scheduler.step()
        assert rates(fresh) == pytest.approx(rates(ours), rel=1e-9, abs=1e-12)
        assert rates(peers_fresh) == pytest.approx(rates(ours), rel=1e-9, abs=1e-12)


def test_a_callable_objects_attributes_are_in_the_state():
    first, second = (lr_scheduler.LambdaLR(optimizer(), Halving(base)) for base in (0.5, 0.25))
    second.load_state_dict(first.state_dict())
    assert second.lr_lambdas[0].base == 0.5
    options = {"base_lr": 0.1, "max_lr": 1.0}
    first, second = (lr_scheduler.CyclicLR(optimizer(), **options, scale_fn=Halving(base)) for base in (0.5, 0.25))
    second.load_state_dict(first.state_dict())
    assert second.scale_fn(1) == 0.5


COMBINED = {
    "warm-up and cosine": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, total_iters=5), s.CosineAnnealingLR(o, T_max=20)], milestones=[5]
    ),
    "four in turn": lambda s, o: s.SequentialLR(
        o,
        [s.ConstantLR(o, factor=0.1), s.ExponentialLR(o, 0.9), s.MultiStepLR(o, [0, 2, 4]), s.LambdaLR(o, Halving())],
        milestones=[4, 10, 20],
    ),
    "three in turn": lambda s, o: s.SequentialLR(
        o,
        [s.CosineAnnealingWarmRestarts(o, 3), s.PolynomialLR(o, 8), s.StepLR(o, 3)],
        milestones=[7, 14],
    ),
    "relative ones in turn": lambda s, o: s.SequentialLR(
        o, [s.StepLR(o, 3, 0.5), s.MultiplicativeLR(o, Halving(0.99)), s.ConstantLR(o)], milestones=[7, 14]
    ),
    "a cycle in turn": lambda s, o: s.SequentialLR(
        o, [s.StepLR(o, 3, 0.5), s.OneCycleLR(o, max_lr=1.0, total_steps=40)], milestones=[10]
    ),
    "at once": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, factor=0.5), s.ExponentialLR(o, 0.9), s.StepLR(o, 7)]),
    "at once, then in turn": lambda s, o: s.SequentialLR(
        o, [s.ChainedScheduler([s.LinearLR(o), s.StepLR(o, 2)]), s.ExponentialLR(o, 0.9)], milestones=[9]
    ),
    "turns at once": lambda s, o: s.ChainedScheduler(
        [s.SequentialLR(o, [s.ConstantLR(o), s.ExponentialLR(o, 0.9)], milestones=[6]), s.StepLR(o, 5)], o
    ),
}


@pytest.mark.filterwarnings("ignore:Detected call")  # by PyTorch, of schedules that it steps itself
@pytest.mark.parametrize("name", COMBINED)
def test_combined_schedules_go_pytorchs_way_and_resume(name):
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(), peer_optimizer()
    scheduler = COMBINED[name](lr_scheduler, ours)
    peer = COMBINED[name](torch.optim.lr_scheduler, theirs)
    for epoch in range(40):
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-9, abs=1e-12), epoch
        assert scheduler.get_last_lr() == rates(ours)
        if epoch == 12:
            fresh = optimizer()
            resumed = COMBINED[name](lr_scheduler, fresh)
            fresh.load_state_dict(ours.state_dict())
            resumed.load_state_dict(scheduler.state_dict())
            ours, scheduler = fresh, resumed
        theirs.step()
        scheduler.step()
        peer.step()


def test_warm_restarts_go_to_any_epoch_as_in_pytorch():
    torch = pytest.importorskip("torch")
    for options in ({"T_0": 4}, {"T_0": 3, "T_mult": 2}, {"T_0": 2, "T_mult": 3, "eta_min": 0.1}):
        ours, theirs = optimizer(), peer_optimizer()
        scheduler = lr_scheduler.CosineAnnealingWarmRestarts(ours, **options)
        peer = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, **options)
        for epoch in (*np.arange(0, 20, 0.3), 1.0, 0, None, None, 5, None):
            scheduler.step(epoch)
            peer.step(epoch)
            assert rates(ours) == pytest.approx(rates(theirs), rel=1e-9, abs=1e-12)
            assert (scheduler.T_cur, scheduler.T_i) == pytest.approx((peer.T_cur, peer.T_i))


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_schedule_goes_to_an_epoch_with_a_warning_as_in_pytorch(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = optimizer(), peer_optimizer()
    scheduler = getattr(lr_scheduler, name)(ours, **options)
    peer = getattr(torch.optim.lr_scheduler, name)(theirs, **options)
    for epoch in (0, 1, None, 7, 8, None, None, 2, 0, None, 50, 13, 90, 100, None):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            scheduler.step(epoch)
        assert len(told) == (epoch is not None and name != "CosineAnnealingWarmRestarts")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer.step(epoch)
        assert rates(ours) == pytest.approx(rates(theirs), rel=1e-9, abs=1e-12), epoch
        assert scheduler.last_epoch == peer.last_epoch


def test_a_schedule_that_watches_a_metric_is_told_the_epoch_with_a_warning():
    ours = optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(ours, patience=0)
    scheduler.step(1.0)
    with pytest.warns(UserWarning, match=r"ReduceLROnPlateau\.step: the argument epoch is deprecated"):
        scheduler.step(2.0, 7)
    assert scheduler.last_epoch == 7
    assert rates(ours) == pytest.approx([0.1, 0.03])


def test_schedules_made_of_schedules_go_to_no_epoch():
    chained = lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(optimizer(), 2)])
    with pytest.raises(TypeError):
        chained.step(3)


def test_a_state_is_a_dict():
    with pytest.raises(TypeError, match=r"StepLR\.load_state_dict: it takes a dict, not NoneType"):
        lr_scheduler.StepLR(optimizer(), 2).load_state_dict(None)


def test_the_base_has_its_older_name():
    assert lr_scheduler._LRScheduler is lr_scheduler.LRScheduler


def test_a_schedule_writes_into_a_learning_rate_that_is_a_tensor():
    rate = tg.tensor(1.0)
    ours = held(tg, [rate])
    scheduler = lr_scheduler.ExponentialLR(ours, 0.5)
    scheduler.step()
    assert ours.param_groups[0]["lr"] is rate
    assert rate.item() == 0.5
    assert scheduler.get_last_lr() == [0.5]
    plateau = lr_scheduler.ReduceLROnPlateau(ours, patience=0)
    plateau.step(1.0)
    plateau.step(1.0)
    assert rate.item() == pytest.approx(0.05)


def test_stepping_before_the_optimizer_warns_once():
    ours = optim.SGD([tg.zeros(1, requires_grad=True)])
    scheduler = lr_scheduler.ExponentialLR(ours, 0.5)
    with pytest.warns(UserWarning, match=r"ExponentialLR.step\(\) was called before optimizer.step\(\)") as caught:
        scheduler.step()
    assert caught[0].filename == __file__
    scheduler.step()


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
        (lambda o: lr_scheduler.MultiplicativeLR(o, 0.5), TypeError, "lr_lambda must be a function, not float"),
        (lambda o: lr_scheduler.ConstantLR(o, 1.5), ValueError, "ConstantLR: factor must be from 0 to 1"),
        (lambda o: lr_scheduler.LinearLR(o, 0), ValueError, "start_factor must be above 0"),
        (lambda o: lr_scheduler.LinearLR(o, 0.5, 2), ValueError, "end_factor must be from 0 to 1"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0 must be an int of 1 or more"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 1.5), ValueError, "T_mult must be an int"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2).step(-1), ValueError, "epoch must be 0 or more"),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, mode="square"), ValueError, "mode must be 'triangular'"),
        (lambda o: lr_scheduler.CyclicLR(o, [0.1], 1.0), ValueError, "1 base_lr for 2 parameter groups"),
        (
            lambda o: lr_scheduler.CyclicLR(optim.Adagrad([tg.zeros(1)]), 0.1, 1.0),
            ValueError,
            "Adagrad has no momentum to cycle",
        ),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0), ValueError, "give total_steps, or both"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, epochs=1, steps_per_epoch=0), ValueError, "steps_per_epoch must be"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 0), ValueError, "total_steps must be an int of 1 or more, not 0"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 9, pct_start=1.5), ValueError, "pct_start must be"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 9, anneal_strategy="x"), ValueError, "'cos' or 'linear'"),
        (lambda o: lr_scheduler.ChainedScheduler([]), ValueError, "needs one schedule or more"),
        (lambda o: lr_scheduler.ChainedScheduler([o], o), TypeError, r"schedulers\[0\] must be a schedule, not SGD"),
        (
            lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.ReduceLROnPlateau(o)]),
            ValueError,
            "whose step needs a metric",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(optimizer(), 1)], []),
            ValueError,
            "StepLR, is of another optimizer",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 1)], [1]),
            ValueError,
            "1 schedules need 0 milestones, and there are 1",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(
                o, [lr_scheduler.StepLR(o, 1), lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 1)])], [1]
            ),
            ValueError,
            "has no first epoch to begin from",
        ),
        (lambda o: lr_scheduler.LRScheduler(o), NotImplementedError, r"LRScheduler\.get_lr"),
    ],
)
def test_what_makes_no_schedule_is_refused_with_the_reason(make, error, match):
    with pytest.raises(error, match=match):
        make(optimizer())


def test_a_group_added_later_and_a_foreign_state_are_refused():
    ours = optimizer()
    scheduler, plateau = (
        lr_scheduler.InverseTimeLR(ours, 0.1),
        lr_scheduler.ReduceLROnPlateau(ours, patience=0, min_lr=[0, 0]),
    )
    ours.add_param_group({"params": tg.zeros(1, requires_grad=True)})
    with pytest.raises(ValueError, match="2 learning rates for 3 parameter groups"):
        scheduler.step()
    plateau.step(1.0)
    with pytest.raises(ValueError, match="2 min_lrs for 3 parameter groups"):
        plateau.step(1.0)
    with pytest.raises(KeyError, match="another kind: it lacks"):
        scheduler.load_state_dict(plateau.state_dict())
    lr_scheduler.OneCycleLR(ours, 1.0, total_steps=1).step()
    with pytest.raises(ValueError, match="the schedule has 1 steps, and this is step 2"):
        lr_scheduler.OneCycleLR(ours, 1.0, total_steps=1, last_epoch=1)
