"""Optimizers: PyTorch's numbers, state that survives, options that take effect, and errors that help."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.errors import AutogradError, ShapeError
from tensorgrad.optim import run

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True, "weight_decay": 0.2}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adagrad", {"maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.8}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True}),
    ("RMSprop", {"centered": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True, "maximize": True}),
    ("Adam", {"betas": (0.0, 0.0)}),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
]
SHAPES = [(4, 3), (3,), (), (2, 3, 2), (0,)]
IDS = [f"{name}-{'-'.join(options) or 'defaults'}" for name, options in CASES]


def start(shapes=SHAPES, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s).astype(dtype) for s in shapes]


def leaves(arrays):
    return [tg.tensor(a, requires_grad=True) for a in arrays]


def give(params, arrays):
    for p, a in zip(params, arrays, strict=True):
        p.grad = None if a is None else tg.from_numpy(np.array(a, p.dtype))


def walk(optimizer, params, steps, seed=1):
    """Steps on a fixed sequence of gradients."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        give(params, [rng.standard_normal(p.shape) for p in params])
        optimizer.step()


def values(params):
    return [p.detach().numpy().copy() for p in params]


def assert_same_bits(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        np.testing.assert_array_equal(x, y)


def both(name, options, arrays):
    torch = pytest.importorskip("torch")
    ours = leaves(arrays)
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return ours, getattr(optim, name)(ours, **options), theirs, getattr(torch.optim, name)(theirs, **options)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_hundred_steps_in_float64_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    ours, optimizer, theirs, peer = both(name, options, start())
    rng = np.random.default_rng(1)
    for i in range(100):
        # Now and then a parameter has no gradient: its own count of steps then falls behind.
        grads = [None if (i + k) % 7 == 3 else rng.standard_normal(p.shape) for k, p in enumerate(ours)]
        give(ours, grads)
        for q, g in zip(theirs, grads):
            q.grad = None if g is None else torch.tensor(g)
        assert optimizer.step() is None
        peer.step()
    for p, q, a in zip(ours, theirs, start()):
        assert p.numel() == 0 or not np.allclose(p.detach().numpy(), a)
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_the_losses_of_a_training_in_float32_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    options = {**options, "lr": 1e-3, "maximize": False}
    ours, optimizer, theirs, peer = both(name, options, start([(5, 8), (8,), (8, 2)], np.float32))
    x, y = start([(16, 5), (16, 2)], np.float32, seed=3)
    losses = []
    for (w1, b1, w2), opt, lib in ((ours, optimizer, tg), (theirs, peer, torch)):
        run_losses = []
        for _ in range(100):
            opt.zero_grad()
            error = (lib.tensor(x) @ w1 + b1).tanh() @ w2 - lib.tensor(y)
            loss = (error * error).mean()
            loss.backward()
            opt.step()
            run_losses.append(float(loss.item()))
        losses.append(run_losses)
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_large_small_and_strided_parameters_get_the_same_update(name, options, monkeypatch):
    arrays = start([(40, 30), (7, 5), (6,)])
    together = leaves(arrays)
    walk(getattr(optim, name)(together, **options), together, 5)
    monkeypatch.setattr(run, "SMALL", 0)
    monkeypatch.setattr(run, "PIECE", 100)
    apart = leaves(arrays)
    optimizer = getattr(optim, name)(apart, **options)
    walk(optimizer, apart, 5)
    assert max(len(r.pieces) for r in optimizer._layouts[0].runs) == 12
    assert_same_bits(values(together), values(apart))
    strided = [tg.from_numpy(np.asfortranarray(a)).requires_grad_() for a in arrays]
    rng = np.random.default_rng(1)
    optimizer = getattr(optim, name)(strided, **options)
    for _ in range(5):
        for p in strided:
            p.grad = tg.from_numpy(np.asfortranarray(rng.standard_normal(p.shape)))
        optimizer.step()
    assert not strided[0].is_contiguous()
    assert_same_bits(values(together), values(strided))


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_step_never_writes_to_the_gradient_and_records_nothing(name, options):
    params = leaves(start())
    grads = start(seed=5)
    give(params, grads)
    optimizer = getattr(optim, name)(params, **options)
    optimizer.step()
    optimizer.step()
    assert_same_bits([p.grad.numpy() for p in params], grads)
    assert all(p.is_leaf and p.requires_grad for p in params)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_loaded_state_goes_on_bit_for_bit(name, options):
    straight = leaves(start())
    optimizer = getattr(optim, name)(straight, **options)
    walk(optimizer, straight, 5)
    resumed = leaves(values(straight))
    saved = pickle.loads(pickle.dumps(optimizer.state_dict()))
    other = getattr(optim, name)(resumed, lr=123.0)
    other.load_state_dict(saved)
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    for o, ps in ((optimizer, straight), (other, resumed)):
        walk(o, ps, 5, seed=9)
    assert_same_bits(values(straight), values(resumed))


def test_state_dict_has_pytorchs_layout_and_keys():
    for name, options in CASES:
        ours, optimizer, theirs, peer = both(name, options, start())
        give(ours, start(seed=1))
        for q, g in zip(theirs, start(seed=1)):
            q.grad = __import__("torch").tensor(g)
        optimizer.step()
        peer.step()
        mine, reference = optimizer.state_dict(), peer.state_dict()
        assert mine["state"].keys() == reference["state"].keys()
        for i, entry in reference["state"].items():
            assert mine["state"][i].keys() == entry.keys(), name
            for key, value in entry.items():
                got = mine["state"][i][key]
                np.testing.assert_allclose(got if key == "step" else got.numpy(), value.numpy(), atol=1e-12)
        left_out = {"foreach", "capturable", "differentiable", "fused"}
        for got, expected in zip(mine["param_groups"], reference["param_groups"], strict=True):
            assert got == {k: v for k, v in expected.items() if k not in left_out}


def test_state_is_tensors_that_may_be_changed_replaced_or_dropped():
    (p,) = params = leaves([np.ones(3)])
    optimizer = optim.SGD(params, lr=1.0, momentum=0.5)
    give(params, [np.ones(3)])
    optimizer.step()
    buffer = optimizer.state[p]["momentum_buffer"]
    assert isinstance(buffer, tg.Tensor)
    assert buffer.tolist() == [1, 1, 1]
    buffer.zero_()
    optimizer.step()  # buffer: 0.5 * 0 + 1
    assert p.tolist() == [-1, -1, -1]
    optimizer.state[p]["momentum_buffer"] = tg.full((3,), 4.0, dtype=tg.float64)
    optimizer.step()  # buffer: 0.5 * 4 + 1
    assert p.tolist() == [-4, -4, -4]
    optimizer.state.clear()
    optimizer.step()
    assert p.tolist() == [-5, -5, -5]
    optimizer.state[p]["momentum_buffer"] = tg.zeros(2)
    with pytest.raises(ShapeError, match=r"'momentum_buffer' has shape \(2,\), but its parameter has \(3,\)"):
        optimizer.step()


def test_a_parameter_whose_memory_was_exchanged_is_still_updated():
    params = leaves([np.ones(3), np.ones(2)])
    optimizer = optim.Adam(params, lr=0.5)
    walk(optimizer, params, 1)
    fresh = tg.zeros(3, dtype=tg.float64)
    params[0].data = fresh
    walk(optimizer, params, 1)
    assert (fresh != 0).all().item()
    assert optimizer.state[params[0]]["step"] == 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_optimizer_goes_on_with_its_copied_parameters(copied):
    params = leaves(start())
    optimizer = optim.Adam(params)
    walk(optimizer, params, 3)
    other = copied(optimizer)
    theirs = other.param_groups[0]["params"]
    walk(optimizer, params, 3)
    assert not np.array_equal(theirs[0].detach().numpy(), params[0].detach().numpy())
    walk(other, theirs, 3)
    assert_same_bits(values(params), values(theirs))


def test_changing_an_option_between_steps_takes_effect():
    (p,) = params = leaves([np.zeros(2)])
    optimizer = optim.SGD(params, lr=1.0)
    give(params, [np.ones(2)])
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 10.0
    optimizer.step()
    assert p.tolist() == [-11, -11]
    optimizer.param_groups[0]["momentum"] = 0.5
    optimizer.step()
    optimizer.step()
    assert p.tolist() == [-36, -36]


def test_groups_have_options_of_their_own_and_may_be_added():
    a, b, c = leaves([np.zeros(1)] * 3)
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5}], lr=1.0)
    optimizer.add_param_group({"params": (c,), "lr": 0.25})
    give([a, b, c], [np.ones(1)] * 3)
    optimizer.step()
    assert [x.item() for x in (a, b, c)] == [-1, -0.5, -0.25]
    assert [g["params"] for g in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]


def test_named_parameters_keep_their_names():
    a, b = leaves([np.zeros(1)] * 2)
    optimizer = optim.SGD([("a", a), ("b", b)])
    assert optimizer.param_groups[0]["params"] == [a, b]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["a", "b"]


def test_a_parameter_without_a_gradient_is_skipped():
    a, b = leaves([np.ones(2)] * 2)
    optimizer = optim.AdamW([a, b], weight_decay=0.5)
    give([a, b], [np.ones(2), None])
    optimizer.step()
    assert b.tolist() == [1, 1]
    assert b not in optimizer.state
    assert a.tolist() != [1, 1]


def test_a_closure_runs_recording_and_its_loss_is_returned():
    (p,) = leaves([np.ones(2)])
    optimizer = optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 2
    assert p.tolist() == [0, 0]


def test_zero_grad_forgets_or_fills():
    (p,) = params = leaves([np.ones(2)])
    optimizer = optim.SGD(params)
    give(params, [np.ones(2)])
    grad = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is grad
    assert grad.tolist() == [0, 0]
    optimizer.zero_grad()
    assert p.grad is None


def test_a_graph_that_kept_a_parameter_refuses_after_the_step():
    (p,) = params = leaves([np.ones(2)])
    loss = (p * p).sum()
    give(params, [np.ones(2)])
    optim.SGD(params).step()
    with pytest.raises(AutogradError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
def test_float16_parameters_are_updated_in_float32(name):
    params = leaves(start([(3, 2), (2,)], np.float16))
    wide = leaves([p.detach().numpy().astype(np.float32) for p in params])
    for p, q in zip(params, wide):
        g = np.full(p.shape, 1e-4, np.float16)  # whose square is 0 in float16
        g.flat[0] = 0
        give([p, q], [g, g])
    for ps in (params, wide):
        getattr(optim, name)(ps, lr=0.01).step()
    for p, q in zip(params, wide):
        assert p.dtype == tg.float16
        assert np.isfinite(p.detach().numpy()).all()
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=2e-3, atol=1e-6)


def test_centered_rmsprop_stays_finite_on_a_constant_gradient():
    (p,) = params = leaves([np.zeros(50, np.float32)])
    optimizer = optim.RMSprop(params, alpha=0.5, centered=True)
    give(params, [np.linspace(0.1, 1, 50)])
    for _ in range(60):
        optimizer.step()
    assert np.isfinite(p.detach().numpy()).all()


def test_repr_is_pytorchs():
    (p,) = leaves([np.zeros(1)])
    assert repr(optim.SGD([p], lr=0.5)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    lr: 0.5\n    maximize: False\n    momentum: 0\n"
        "    nesterov: False\n    weight_decay: 0\n)"
    )


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda p: optim.SGD([]), ValueError, r"no parameters .*may be used up"),
        (lambda p: optim.SGD(x for x in ()), ValueError, "no parameters"),
        (lambda p: optim.SGD(p), TypeError, r"write \[tensor\]"),
        (lambda p: optim.SGD([1.0]), TypeError, "parameter 0 must be a Tensor, not float"),
        (lambda p: optim.SGD([p * 2]), ValueError, "was computed by mul"),
        (lambda p: optim.SGD([p, p]), ValueError, "already in this group"),
        (lambda p: optim.SGD([{"params": p}, {"params": p}]), ValueError, "already in group 0"),
        (lambda p: optim.SGD([{"params": {p}}]), TypeError, "a set has no order"),
        (lambda p: optim.SGD([{"lr": 1.0}]), ValueError, "must have 'params'"),
        (lambda p: optim.SGD([{"params": p}, p]), TypeError, "must be a dict, not Tensor"),
        (lambda p: optim.SGD([{"params": p, "weigth_decay": 1}]), ValueError, "did you mean 'weight_decay'"),
        (lambda p: optim.SGD([("a", p), p]), ValueError, r"all \(name, tensor\) pairs"),
        (lambda p: optim.SGD([p], lr=-1), ValueError, "SGD: lr must be 0 or more, not -1"),
        (lambda p: optim.SGD([p], lr=float("nan")), ValueError, "lr must be 0 or more"),
        (lambda p: optim.SGD([p], lr="1"), TypeError, "lr must be a number, not str"),
        (lambda p: optim.SGD([{"params": p, "lr": -1}]), ValueError, "lr must be"),
        (lambda p: optim.SGD([p], momentum=-1), ValueError, "momentum must be"),
        (lambda p: optim.SGD([p], nesterov=True), ValueError, "nesterov needs momentum"),
        (lambda p: optim.SGD([p], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "no dampening"),
        (lambda p: optim.Adagrad([p], lr_decay=-1), ValueError, "Adagrad: lr_decay"),
        (lambda p: optim.Adagrad([p], initial_accumulator_value=-1), ValueError, "initial_accumulator_value"),
        (lambda p: optim.RMSprop([p], alpha=-1), ValueError, "RMSprop: alpha"),
        (lambda p: optim.RMSprop([p], weight_decay=-1), ValueError, "weight_decay"),
        (lambda p: optim.Adam([p], betas=(0.9, 1.0)), ValueError, "betas must be at least 0 and less than 1"),
        (lambda p: optim.Adam([p], betas=0.9), ValueError, "betas must be two numbers"),
        (lambda p: optim.AdamW([p], eps=-1), ValueError, "AdamW: eps"),
        (lambda p: optim.Adam([p], fused=True), TypeError, "fused"),
    ],
)
def test_what_cannot_be_optimized_is_refused_with_the_reason(make, error, match):
    with pytest.raises(error, match=match):
        make(tg.ones(2, requires_grad=True))


def edited(**changes):
    params = leaves([np.ones(2), np.ones(3)])
    optimizer = optim.Adam(params)
    walk(optimizer, params, 1)
    return {**copy.deepcopy(optimizer.state_dict()), **changes}


@pytest.mark.parametrize(
    ("saved", "error", "match"),
    [
        (lambda: {"state": {}}, KeyError, "no 'param_groups'"),
        (lambda: edited(param_groups=[]), ValueError, "it has 0 parameter groups, and this optimizer 1"),
        (
            lambda: edited(param_groups=[{"params": [0]}]),
            ValueError,
            "group 0 has 1 parameters, and this optimizer's 2",
        ),
        (lambda: edited(param_groups=[{"params": [0, 1]}]), ValueError, r"group 0 has no \['amsgrad', 'betas'"),
        (lambda: edited(state={7: {}}), ValueError, "parameter 7 has state"),
        (lambda: edited(state={0: {"exp_avg": tg.zeros(3)}}), ShapeError, r"has shape \(3,\)"),
    ],
)
def test_a_state_dict_that_does_not_fit_changes_nothing(saved, error, match):
    params = leaves([np.ones(2), np.ones(3)])
    optimizer = optim.Adam(params, lr=0.5)
    walk(optimizer, params, 2)
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(error, match=match):
        optimizer.load_state_dict(saved())
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert after["state"][0]["step"] == 2
    assert_same_bits(after["state"][1]["exp_avg"].numpy(), before["state"][1]["exp_avg"].numpy())


def test_a_read_only_parameter_is_refused():
    array = np.ones(2)
    array.flags.writeable = False
    p = tg.from_numpy(array).requires_grad_()
    give([p], [np.ones(2)])
    with pytest.raises(ValueError, match="read-only memory"):
        optim.SGD([p]).step()


def test_an_optimizer_without_an_algorithm_says_what_is_missing():
    (p,) = params = leaves([np.ones(2)])
    give(params, [np.ones(2)])
    with pytest.raises(NotImplementedError, match=r"Optimizer\.factors"):
        optim.Optimizer([p], {}).step()
