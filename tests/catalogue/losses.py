"""The loss of Huber, and the recursions of connectionist temporal classification."""

from __future__ import annotations

import numpy as np

from catalogue.rows import Row, between, primitive, real, unary
from tensorgrad import ops

SKIPS = np.array([[False, True, False, True, False], [False, True, False, False, False]])
ALPHA = primitive("ctc_alpha")


def _alpha(e: np.ndarray, skips: np.ndarray) -> np.ndarray:
    """The probabilities of the states, added up as they are."""
    times, batch, states = e.shape
    y = np.zeros((times + 1, batch, states + 2))
    y[0, :, 1] = 1.0
    for t, n, s in np.ndindex(times, batch, states):
        ways = [y[t, n, s + 2], y[t, n, s + 1], y[t, n, s] * skips[n, s]]
        y[t + 1, n, s + 2] = sum(ways) * np.exp(e[t, n, s])
    return y


def _forth(g: np.ndarray, stay: np.ndarray, step: np.ndarray, skip: np.ndarray) -> np.ndarray:
    times, batch, states = g.shape
    y = np.zeros((times + 1, batch, states + 2))
    for t, n, s in np.ndindex(times, batch, states):
        at = t, n, s
        y[t + 1, n, s + 2] = g[at] + stay[at] * y[t, n, s + 2] + step[at] * y[t, n, s + 1] + skip[at] * y[t, n, s]
    return y


def _back(g: np.ndarray, stay: np.ndarray, step: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """The transpose of `_forth`, from its matrix."""
    units = np.eye(stay.size).reshape(stay.size, *stay.shape)
    return np.array([(_forth(unit, stay, step, skip) * g).sum() for unit in units]).reshape(stay.shape)


def _huber(d: np.ndarray) -> np.ndarray:
    return np.where(np.abs(d) < 0.7, d * d / 2, 0.7 * (np.abs(d) - 0.35))


WEIGHTS = (between(0.1, 0.9, 3, 2, 4),) * 3

ROWS = [
    unary("huber", primitive("huber", delta=0.7), _huber, real(3, 4, kinks=(-0.7, 0.7))),
    Row(
        "ctc_alpha",
        lambda e: ops.exp(ALPHA(e, SKIPS)),
        lambda e: _alpha(e, SKIPS),
        (real(4, 2, 5),),
        empty=((0, 2, 5),),
    ),
    Row("ctc_back", primitive("ctc_back"), _back, (real(4, 2, 6), *WEIGHTS), empty=((1, 2, 6), *((0, 2, 4),) * 3)),
    Row("ctc_forth", primitive("ctc_forth"), _forth, (real(3, 2, 4), *WEIGHTS)),
]
