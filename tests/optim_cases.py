"""Optimizers with their options, the parameters that they are tried on, and how these are walked."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim

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


def optimizers(name, options, arrays):
    """Leaves and an optimizer of ours, and the same of PyTorch's."""
    torch = pytest.importorskip("torch")
    ours = leaves(arrays)
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return ours, getattr(optim, name)(ours, **options), theirs, getattr(torch.optim, name)(theirs, **options)


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
