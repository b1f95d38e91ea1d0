"""Recurrent layers: one direction of one layer over all its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from catalogue.rows import Row, Shape, real
from tensorgrad.autograd.op import REGISTRY


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _rnn(z: np.ndarray, weight: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, ...]:
    return (np.tanh(z + h @ weight.T),)


def _relu(z: np.ndarray, weight: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, ...]:
    return (np.maximum(z + h @ weight.T, 0),)


def _lstm(z: np.ndarray, weight: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, ...]:
    i, f, g, o = np.split(z + h @ weight.T, 4, 1)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    c = f * c + i * g
    return o * np.tanh(c), c, np.concatenate([i, f, g, o], 1)


def _gru(z: np.ndarray, weight: np.ndarray, h: np.ndarray, bias: Any = 0.0) -> tuple[np.ndarray, ...]:
    (zr, zu, zn), (r, u, m) = np.split(z, 3, 1), np.split(h @ weight.T + bias, 3, 1)
    r, u = _sigmoid(zr + r), _sigmoid(zu + u)
    n = np.tanh(zn + r * m)
    return (1 - u) * n + u * h, np.concatenate([r, u, n, m], 1)


def _unrolled(step: Callable[..., Any], states: int, sizes: tuple[int, ...], reverse: bool, *inputs: Any) -> Any:
    """A network as it is defined: sequence by sequence, step by step."""
    z, *first, weight = inputs[: 2 + states]
    starts = np.cumsum([0, *sizes])
    results: dict[int, Any] = {}
    for b in range(sizes[0]):
        state = [x[b : b + 1] for x in first]
        times = [t for t, size in enumerate(sizes) if size > b]
        for t in reversed(times) if reverse else times:
            row = starts[t] + b
            results[row] = step(z[row : row + 1], weight, *state, *inputs[2 + states :])
            state = list(results[row][:states])
    return tuple(np.concatenate(parts) for parts in zip(*(results[row] for row in range(len(z)))))


SIZES = (3, 2, 2, 1)


def row(
    op: str, step: Callable[..., Any], states: int, gates: int, reverse: bool, bias: bool = False, **attrs: Any
) -> Row:
    """Three sequences of 4, 3 and 1 steps through a layer of two units."""
    shapes: list[Shape] = [(8, 2 * gates), *[(3, 2)] * states, (2 * gates, 2), *[(2 * gates,)] * bias]
    empty = [(0, *shape[1:]) if i <= states else shape for i, shape in enumerate(shapes)]

    def call(z: Any, *inputs: Any) -> Any:
        if op == "gru" and not bias:
            inputs = (*inputs, None)
        return REGISTRY[op].function(z, *inputs, sizes=SIZES if len(z) else (0,), reverse=reverse, **attrs)

    def reference(*inputs: Any) -> Any:
        if not len(inputs[0]):
            return tuple(np.zeros((0, n)) for n in {"rnn": (2,), "lstm": (2, 2, 8), "gru": (2, 8)}[op])
        return _unrolled(step, states, SIZES, reverse, *inputs)

    note = "-".join(["backwards" if reverse else "", "bias" if bias else "", *attrs]).strip("-")
    return Row(op, call, reference, tuple(real(*shape) for shape in shapes), empty=tuple(empty), note=note)


ROWS = [
    row("rnn", _rnn, 1, 1, False, relu=False),
    row("rnn", _relu, 1, 1, True, relu=True),
    row("lstm", _lstm, 2, 4, False),
    row("lstm", _lstm, 2, 4, True),
    row("gru", _gru, 1, 3, False, bias=True),
    row("gru", _gru, 1, 3, True),
]
