"""Optimizers: PyTorch's numbers, state that survives, options that take effect, and errors that help."""

from __future__ import annotations

import copy
import inspect
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
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.1, "rho": 0.5, "eps": 1e-2, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("RAdam", {"betas": (0.0, 0.0)}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-2, 0.2), "maximize": True}),
]
# Those that see each parameter as a whole.
SINGLE = [
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 5, "weight_decay": 0.1, "maximize": True}),
    ("Adafactor", {}),
    (
        "Adafactor",
        {"lr": 0.5, "beta2_decay": -0.3, "eps": (1e-3, 0.1), "d": 1.5, "weight_decay": 0.1, "maximize": True},
    ),
]
SHAPES = [(4, 3), (3,), (), (2, 3, 2)]
EMPTY = [*SHAPES, (0,)]  # PyTorch's Adafactor divides by its size


def described(cases):
    return [f"{name}-{'-'.join(options) or 'defaults'}" for name, options in cases]


IDS = described(CASES)
EVERY = [*CASES, *SINGLE]
EVERY_ID = described(EVERY)


@pytest.fixture
def double_scalars():
    """PyTorch keeps some numbers of its state in the default dtype, we in double precision."""
    torch = pytest.importorskip("torch")
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


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


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
@pytest.mark.usefixtures("double_scalars")
def test_a_hundred_steps_in_float64_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    shapes = SHAPES if name == "Adafactor" else EMPTY
    ours, optimizer, theirs, peer = both(name, options, start(shapes))
    rng = np.random.default_rng(1)
    for i in range(100):
        # Now and then a parameter has no gradient: its own count of steps then falls behind.
        grads = [None if (i + k) % 7 == 3 else rng.standard_normal(p.shape) for k, p in enumerate(ours)]
        give(ours, grads)
        for q, g in zip(theirs, grads):
            q.grad = None if g is None else torch.tensor(g)
        assert optimizer.step() is None
        peer.step()
    for p, q, a in zip(ours, theirs, start(shapes)):
        assert p.numel() == 0 or not np.allclose(p.detach().numpy(), a)
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
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


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
def test_a_step_never_writes_to_the_gradient_and_records_nothing(name, options):
    params = leaves(start(EMPTY))
    grads = start(EMPTY, seed=5)
    give(params, grads)
    optimizer = getattr(optim, name)(params, **options)
    optimizer.step()
    optimizer.step()
    assert_same_bits([p.grad.numpy() for p in params], grads)
    assert all(p.is_leaf and p.requires_grad for p in params)


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
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


def walk_both(params, optimizer, theirs, peer, steps, seed=1):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        grads = [rng.standard_normal(p.shape) for p in params]
        give(params, grads)
        for q, g in zip(theirs, grads):
            q.grad = torch.tensor(g, dtype=q.dtype)
        optimizer.step()
        peer.step()


def as_torch(value):
    torch = pytest.importorskip("torch")
    return torch.tensor(value.numpy()) if isinstance(value, tg.Tensor) else value


@pytest.mark.parametrize(("name", "options"), EVERY, ids=EVERY_ID)
@pytest.mark.usefixtures("double_scalars")
def test_state_dict_has_pytorchs_layout_and_keys_and_goes_both_ways(name, options):
    ours, optimizer, theirs, peer = both(name, options, start())
    walk_both(ours, optimizer, theirs, peer, 3)
    mine, reference = optimizer.state_dict(), peer.state_dict()
    assert mine["state"].keys() == reference["state"].keys()
    for i, entry in reference["state"].items():
        assert mine["state"][i].keys() == entry.keys()
        for key, value in entry.items():
            np.testing.assert_allclose(as_torch(mine["state"][i][key]), value.numpy(), atol=1e-12)
    assert mine["param_groups"] == reference["param_groups"]
    other, peers_other = type(optimizer)(ours), type(peer)(theirs)
    other.load_state_dict(reference)
    state = {i: {key: as_torch(value) for key, value in entry.items()} for i, entry in mine["state"].items()}
    peers_other.load_state_dict({"state": state, "param_groups": mine["param_groups"]})
    walk_both(ours, other, theirs, peers_other, 3, seed=2)
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-9)


MUON = [
    {},
    {"lr": 0.1, "weight_decay": 0.0, "nesterov": False, "ns_steps": 3},
    {"lr": 0.1, "momentum": 0.5, "adjust_lr_fn": "match_rms_adamw", "ns_coefficients": (3.0, -4.0, 2.0)},
    {"lr": 0.1, "adjust_lr_fn": "original", "eps": 1e-3},
]


@pytest.mark.parametrize("options", MUON, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_muons_steps_are_pytorchs_to_the_precision_of_bfloat16(options, dtype):
    ours, optimizer, theirs, peer = both("Muon", options, start([(4, 3), (10, 20), (6, 6)], dtype))
    walk_both(ours, optimizer, theirs, peer, 30)
    for p, q in zip(ours, theirs):  # a sum in another order may round to the next number of bfloat16
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), atol=1e-3)
        assert np.median(np.abs(p.detach().numpy() - q.detach().numpy())) < 1e-4
    assert optimizer.state_dict()["param_groups"] == peer.state_dict()["param_groups"]


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


LBFGS = [
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 7, "max_eval": 30},
    {"line_search_fn": "strong_wolfe", "lr": 0.01, "max_iter": 4, "max_eval": 3},
    {"lr": 1e-3},
    {"lr": 1e-3, "max_iter": 5, "max_eval": 4, "history_size": 3, "tolerance_change": 0.0},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1.0, "tolerance_change": 1e-3},
]


@pytest.mark.parametrize("options", LBFGS, ids=str)
def test_lbfgs_goes_pytorchs_way_call_by_call(options):
    arrays = [np.array([-1.2, 1.0, 0.5, 2.0]), np.array([[0.3, -0.4]])]
    ours, optimizer, theirs, peer = both("LBFGS", options, arrays)
    seen = []
    for (x, y), held in ((ours, optimizer), (theirs, peer)):
        losses = []

        def closure(x=x, y=y, held=held, losses=losses):
            held.zero_grad()
            loss = rosenbrock(x) + ((y - 3) ** 4).sum()
            loss.backward()
            losses.append(loss.item())
            return loss

        returned = [held.step(closure).item() for _ in range(6)]
        seen.append((losses, returned, held.state_dict()["state"][0]))
    (mine, my_returns, my_state), (reference, their_returns, their_state) = seen
    assert len(mine) == len(reference)
    np.testing.assert_allclose(mine, reference, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(my_returns, their_returns, rtol=1e-6, atol=1e-12)
    assert my_state["func_evals"] == their_state["func_evals"] == len(mine)
    assert my_state["n_iter"] == their_state["n_iter"]
    assert my_state.keys() == their_state.keys() - {"al"}
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-9)


def test_lbfgs_resumes_from_its_own_state_and_from_pytorchs():
    torch = pytest.importorskip("torch")

    def make(library, form, values):
        x = library.tensor(values, requires_grad=True)
        return x, form([x], max_iter=4, line_search_fn="strong_wolfe")

    def minimise(x, optimizer):
        def closure():
            optimizer.zero_grad()
            loss = rosenbrock(x)
            loss.backward()
            return loss

        return optimizer.step(closure).item()

    begin = np.array([-1.2, 1.0, 0.5])
    x, optimizer = make(tg, optim.LBFGS, begin)
    y, peer = make(torch, torch.optim.LBFGS, begin)
    minimise(x, optimizer)
    minimise(y, peer)
    resumed, other = make(tg, optim.LBFGS, x.detach().numpy())
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    taken, third = make(tg, optim.LBFGS, y.detach().numpy())
    third.load_state_dict(peer.state_dict())
    expected = [minimise(x, optimizer) for _ in range(3)]
    assert [minimise(resumed, other) for _ in range(3)] == expected
    np.testing.assert_allclose([minimise(taken, third) for _ in range(3)], expected, rtol=1e-6)


def test_lbfgs_stops_at_once_where_it_is_flat_and_fits_float32():
    x = tg.tensor([[1.0, 2.0]], requires_grad=True)
    optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe")
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = ((x - 1) ** 2).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    optimizer.step(closure)
    assert x.dtype == tg.float32
    assert x.tolist() == [[1.0, 1.0]]
    calls.clear()
    optimizer.step(closure)
    assert calls == [0.0]
    with pytest.raises(TypeError, match="it needs a closure"):
        optimizer.step()
    with pytest.raises(ValueError, match="all parameters must be in one group"):
        optimizer.add_param_group({"params": tg.zeros(1, requires_grad=True)})


def test_a_learning_rate_may_be_a_tensor():
    for name, options in EVERY:
        number, tensor = leaves(start()), leaves(start())
        rate = tg.tensor(0.25)
        for params, lr in ((number, 0.25), (tensor, rate)):
            walk(getattr(optim, name)(params, **{**options, "lr": lr}), params, 3)
        assert_same_bits(values(number), values(tensor))
    optimizer = optim.SGD(leaves([np.zeros(1)]), lr=rate)
    other = optim.SGD(leaves([np.zeros(1)]))
    other.load_state_dict(optimizer.state_dict())
    rate.fill_(1.0)
    assert optimizer.param_groups[0]["lr"].item() == 1.0
    assert other.param_groups[0]["lr"].item() == 0.25


def test_pytorchs_choices_of_kernel_are_accepted_and_change_nothing():
    for name, options in EVERY:
        for switch, value in (("foreach", True), ("fused", True), ("capturable", True)):
            if switch in getattr(optim, name)(leaves(start())).defaults:
                plain, switched = leaves(start()), leaves(start())
                walk(getattr(optim, name)(plain, **options), plain, 2)
                walk(getattr(optim, name)(switched, **options, **{switch: value}), switched, 2)
                assert_same_bits(values(plain), values(switched))


def test_signatures_are_pytorchs():
    torch = pytest.importorskip("torch")
    for name in [*dict(EVERY), "Muon", "LBFGS"]:
        ours, theirs = (inspect.signature(getattr(library.optim, name)).parameters for library in (tg, torch))
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in theirs.values()
        ], name


def test_hooks_run_around_every_step_and_may_change_its_arguments():
    class Own(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})

        def step(self, closure=None):
            log.append(closure)

    log = []
    for make in (optim.SGD, Own):
        (p,) = params = leaves([np.ones(1)])
        give(params, [np.ones(1)])
        optimizer = make(params)
        log.clear()
        handles = [
            optimizer.register_step_pre_hook(lambda o, args, kwargs, p=p: log.append(("before", p.item()))),
            optimizer.register_step_pre_hook(lambda o, args, kwargs: (args, {"closure": lambda: "changed"})),
            optimizer.register_step_post_hook(lambda o, args, kwargs: log.append(("after", list(kwargs)))),
        ]
        optimizer.step()
        assert log[0] == ("before", 1.0)
        assert log[-1] == ("after", ["closure"])
        for handle in handles:
            handle.remove()
        before = len(log)
        optimizer.step()
        assert [entry for entry in log[before:] if entry is not None] == []


def test_hooks_of_the_state_see_and_replace_it():
    optimizer, log = optim.SGD(leaves([np.ones(1)])), []
    optimizer.register_state_dict_pre_hook(lambda o: log.append("saving"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "note": "second"})
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "note": "first"}, prepend=True)
    optimizer.register_load_state_dict_pre_hook(lambda o, state: log.append(state["note"]))
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert log == ["saving", "second", "loaded"]


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


@pytest.mark.parametrize("name", list(dict(EVERY)))
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
    for name, options in EVERY:
        _, optimizer, _, peer = both(name, options, start())
        assert repr(optimizer) == repr(peer)


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
        (lambda p: optim.Adam([p], differentiable=True), ValueError, "Adam: a step is not recorded"),
        (lambda p: optim.Adam([p], fused=True, foreach=True), ValueError, "exclude each other"),
        (lambda p: optim.Adam([p], lr=tg.ones(2)), ShapeError, r"lr must be one number, and has shape \(2,\)"),
        (lambda p: optim.Adam([p], lr=tg.tensor(-1.0)), ValueError, "lr must be 0 or more"),
        (lambda p: optim.Adadelta([p], rho=1.5), ValueError, "rho must be at most 1"),
        (lambda p: optim.Adamax([p], betas=(1.0, 0.9)), ValueError, "Adamax: betas"),
        (lambda p: optim.NAdam([p], momentum_decay=-1), ValueError, "momentum_decay"),
        (lambda p: optim.RAdam([p], betas=(0.9,)), ValueError, "betas must be two numbers"),
        (lambda p: optim.Rprop([p], etas=(0.5, 0.9)), ValueError, "between 0 and 1 and the other above 1"),
        (lambda p: optim.Rprop([p], step_sizes=(0.5,)), ValueError, "step_sizes must be two numbers"),
        (lambda p: optim.Adafactor([p], eps=1e-3), ValueError, "eps must be two numbers"),
        (lambda p: optim.Adafactor([p], eps=(None, -1)), ValueError, "Adafactor: eps"),
        (lambda p: optim.Adafactor([p], d=0.5), ValueError, "Adafactor: d must be 1 or more"),
        (lambda p: optim.Adafactor([p], beta2_decay=1), ValueError, "beta2_decay must be at most 0"),
        (lambda p: optim.Muon([p]), ShapeError, r"matrices only, and a parameter has shape \(2,\)"),
        (lambda p: optim.Muon([p], adjust_lr_fn="x"), ValueError, "adjust_lr_fn must be None"),
        (lambda p: optim.Muon([p], ns_steps=100), ValueError, "ns_steps must be from 0 to 99"),
        (lambda p: optim.Muon([p], ns_coefficients=(1.0,)), ValueError, "three numbers"),
        (lambda p: optim.LBFGS([p], line_search_fn="weak"), ValueError, "line_search_fn must be None or"),
        (lambda p: optim.LBFGS([p], history_size=0), ValueError, "history_size must be 1 or more"),
        (lambda p: optim.LBFGS([{"params": p}, {"params": p}]), ValueError, "must be in one group"),
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
