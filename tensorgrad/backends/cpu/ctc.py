"""Kernels of connectionist temporal classification: recursions over time, vectorised over the batch and the states.

A table has a row for the start and one for each time, and two columns before those of the states, so that the state
before a state, and the one before that, are always there.
"""

from __future__ import annotations

import numpy as np
from numpy import add, exp, log, maximum, multiply, subtract

from tensorgrad.backends.cpu.shared import Array

NEVER = -1e30  # the logarithm of 0: finite, so that no difference of two is NaN


def ctc_alpha(emissions: Array, skips: Array) -> Array:
    times, batch, states = emissions.shape
    y = np.full((times + 1, batch, states + 2), NEVER, emissions.dtype)
    y[0, :, 1] = 0.0  # the start stands before the first state
    barred = np.where(skips, 0.0, NEVER).astype(emissions.dtype)
    seen = maximum(emissions, NEVER)
    top, term, skip = np.empty_like(barred), np.empty_like(barred), np.empty_like(barred)
    for t in range(times):
        before, now = y[t], y[t + 1, :, 2:]
        stay, step = before[:, 2:], before[:, 1:-1]
        add(before[:, :-2], barred, out=skip)
        maximum(maximum(stay, step, out=top), skip, out=top)
        exp(subtract(stay, top, out=now), out=now)
        for other in (step, skip):
            now += exp(subtract(other, top, out=term), out=term)
        log(now, out=now)
        now += top
        now += seen[t]
    return y


def ctc_back(g: Array, stay: Array, step: Array, skip: Array) -> Array:
    y = np.empty_like(stay)
    total = np.zeros_like(g[0])
    for t in reversed(range(len(y))):
        total += g[t + 1]
        now = y[t]
        now[...] = total[:, 2:]
        multiply(now, stay[t], out=total[:, 2:])
        total[:, :2] = 0.0
        total[:, 1:-1] += now * step[t]
        total[:, :-2] += now * skip[t]
    return y


def ctc_forth(g: Array, stay: Array, step: Array, skip: Array) -> Array:
    times, batch, states = g.shape
    y = np.zeros((times + 1, batch, states + 2), g.dtype)
    for t in range(times):
        before, now = y[t], y[t + 1, :, 2:]
        multiply(before[:, 2:], stay[t], out=now)
        now += before[:, 1:-1] * step[t]
        now += before[:, :-2] * skip[t]
        now += g[t]
    return y
