"""What optimizers share: hooks, state, groups and options that may change, and errors that help."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from optim_cases import assert_same_bits, give, leaves, optimizers, start, values, walk, walk_both

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.errors import AutogradError, ShapeError


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


def test_a_gradient_that_was_recorded_is_replaced_by_zeros_and_stays_as_it_was():
    (p,) = params = leaves([np.ones(2)])
    (p**3).sum().backward(create_graph=True)
    grad = p.grad
    optim.SGD(params).zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0, 0]
    assert not p.grad.requires_grad
    (second,) = tg.autograd.grad((grad * grad).sum(), p)
    assert second.tolist() == [36, 36]


def test_a_graph_that_kept_a_parameter_refuses_after_the_step():
    (p,) = params = leaves([np.ones(2)])
    loss = (p * p).sum()
    give(params, [np.ones(2)])
    optim.SGD(params).step()
    with pytest.raises(AutogradError, match="changed in place"):
        loss.backward()


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


def test_a_state_dict_of_json_and_of_before_there_was_a_choice_of_kernels_is_loaded():
    params = leaves([np.ones(2)])
    optimizer = optim.Adam(params, lr=0.5, betas=(0.5, 0.9))
    saved = optimizer.state_dict()
    (group,) = saved["param_groups"] = json.loads(json.dumps(saved["param_groups"]))
    for switch in ("foreach", "fused", "capturable", "differentiable"):
        del group[switch]
    other = optim.Adam(params, foreach=True, capturable=True)
    other.load_state_dict(saved)
    assert other.param_groups[0] == optimizer.param_groups[0]
    assert other.param_groups[0]["betas"] == (0.5, 0.9)


def test_a_number_of_the_state_may_be_changed():
    arrays = [np.ones(2), np.full(3, 2.0)]
    ours, optimizer, theirs, peer = optimizers("NAdam", {"lr": 0.1}, arrays)
    walk_both(ours, optimizer, theirs, peer, 2)
    optimizer.state[ours[1]]["mu_product"] = 0.25
    peer.state[theirs[1]]["mu_product"].fill_(0.25)
    walk_both(ours, optimizer, theirs, peer, 2, seed=2)
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6)


def edited(**changes):
    params = leaves([np.ones(2), np.ones(3)])
    optimizer = optim.Adam(params)
    walk(optimizer, params, 1)
    return {**copy.deepcopy(optimizer.state_dict()), **changes}


@pytest.mark.parametrize(
    ("saved", "error", "match"),
    [
        (lambda: None, TypeError, r"Adam\.load_state_dict: it takes a dict, not NoneType"),
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
