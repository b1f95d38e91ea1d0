"""L-BFGS: PyTorch's way, call by call."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from optim_cases import optimizers
from side_by_side import torch_on_one_thread

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim.line_search import Point, strong_wolfe


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


LBFGS = [
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 7, "max_eval": 30},
    {"line_search_fn": "strong_wolfe", "lr": 0.01, "max_iter": 4, "max_eval": 3},
    {"lr": 1e-3},
    {"lr": 1e-3, "max_iter": 5, "max_eval": 4, "history_size": 3, "tolerance_change": 0.0},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1.0, "tolerance_change": 1e-3},
    *({"line_search_fn": "strong_wolfe", "lr": lr, "max_iter": 10, "max_eval": 40} for lr in (0.1, 2, 5, 10)),
]


@pytest.mark.parametrize("options", LBFGS, ids=str)
def test_lbfgs_goes_pytorchs_way_call_by_call(options):
    arrays = [np.array([-1.2, 1.0, 0.5, 2.0]), np.array([[0.3, -0.4]])]
    ours, optimizer, theirs, peer = optimizers("LBFGS", options, arrays)
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


# Functions of a step that fall at 0, and their slopes.
LINES = {
    "a parabola": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "a narrow valley": (lambda t: 100 * (t - 0.01) ** 2, lambda t: 200 * (t - 0.01)),
    "a flat floor": (lambda t: (t - 2) ** 4, lambda t: 4 * (t - 2) ** 3),
    "waves": (lambda t: np.cos(3 * t) - t / 10 + 0.05 * t * t, lambda t: -3 * np.sin(3 * t) - 0.1 + 0.1 * t),
    "steep and flat": (lambda t: np.exp(-5 * t) + 0.1 * t, lambda t: -5 * np.exp(-5 * t) + 0.1),
    "a wall": (lambda t: np.exp(min(4 * t, 300)) - 50 * t, lambda t: 4 * np.exp(min(4 * t, 300)) - 50),
    "a kink": (lambda t: abs(t - 1.3), lambda t: np.sign(t - 1.3)),
    "no bottom": (lambda t: -t, lambda t: -1.0),
    "not a number": (lambda t: (t - 1) ** 2 if t < 4 else np.nan, lambda t: 2 * (t - 1) if t < 4 else np.nan),
}


@pytest.mark.parametrize("most", [0, 1, 2, 4, 25])
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 2.7, 40.0])
@pytest.mark.parametrize("name", LINES)
def test_the_line_search_goes_pytorchs_way_call_by_call(name, first, most):
    torch = torch_on_one_thread()
    from torch.optim.lbfgs import _strong_wolfe

    f, slope = LINES[name]
    called, expected = [], []

    def at(t):
        called.append(float(t))
        return Point(t, np.float64(f(t)), np.array([slope(t)]), np.float64(slope(t)))

    def peer(x, t, d):
        expected.append(float(t))
        return f(float(t)), torch.tensor([slope(float(t))], dtype=torch.float64)

    begin = Point(0, f(0.0), np.array([slope(0.0)]), slope(0.0))
    found, calls = strong_wolfe(at, begin, first, 1.0, 1e-9, most)
    one = torch.ones(1, dtype=torch.float64)
    value, g, t, evaluations = _strong_wolfe(peer, None, first, one, f(0.0), one * slope(0.0), slope(0.0), max_ls=most)
    np.testing.assert_allclose(called, expected, rtol=1e-9)
    assert calls == evaluations
    np.testing.assert_allclose([found.t, found.f, *found.g], [float(t), value, *g], rtol=1e-9)


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
