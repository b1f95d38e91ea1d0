"""The line search of L-BFGS: a step along a direction that meets the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.optim.run import Array

DECREASE, CURVATURE = 1e-4, 0.9  # the constants of the two conditions (Nocedal and Wright 2006, section 3.1)


class Point(NamedTuple):
    """A step, and there the function, its gradient, and its slope along the direction."""

    t: Any
    f: Any
    g: Array
    slope: Any


def strong_wolfe(
    at: Callable[[Any], Point], start: Point, t: Any, reach: Any, tolerance: float, most: int
) -> tuple[Point, int]:
    """The point found from step 0, `start`, with first trial `t`; and how often the function was called.

    `reach` is the largest element of the direction: the search ends where the bracket times it is below `tolerance`,
    and after `most` trials.
    """
    bracket, done, trials = _bracket(at, start, t, most)
    calls = trials + 1
    stuck = False
    low = 0 if bracket[0].f <= bracket[-1].f else 1
    while not done and trials < most:
        a, b = bracket
        if abs(b.t - a.t) * reach < tolerance:
            break
        t, stuck = _inside(cubic_minimum(a, b), min(a.t, b.t), max(a.t, b.t), stuck)
        new = at(t)
        calls += 1
        trials += 1
        if new.f > start.f + DECREASE * t * start.slope or new.f >= bracket[low].f:
            bracket[1 - low] = new
            low = 0 if bracket[0].f <= bracket[1].f else 1
            continue
        if abs(new.slope) <= -CURVATURE * start.slope:
            done = True
        elif new.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = new
    return bracket[low], calls


def _bracket(at: Callable[[Any], Point], start: Point, t: Any, most: int) -> tuple[list[Point], bool, int]:
    """Two points with a minimum between them, or one that will do; whether it will, and the trials after the first."""
    before, new = start, at(t)
    for trial in range(most):
        if new.f > start.f + DECREASE * new.t * start.slope or (trial > 1 and new.f >= before.f):
            return [before, new], False, trial
        if abs(new.slope) <= -CURVATURE * start.slope:
            return [new], True, trial
        if new.slope >= 0:
            return [before, new], False, trial
        t = cubic_minimum(before, new, (new.t + 0.01 * (new.t - before.t), new.t * 10))
        before, new = new, at(t)
    return [start, new], False, max(most, 0)


def _inside(t: Any, left: Any, right: Any, stuck: bool) -> tuple[Any, bool]:
    """A trial kept a tenth of the bracket from its ends, where it is there the second time or beyond one."""
    margin = 0.1 * (right - left)
    if not min(right - t, t - left) < margin:
        return t, False
    if not (stuck or t >= right or t <= left):
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two points with their slopes is least, within bounds: by default, the points."""
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = np.sqrt(square)
    if a.t <= b.t:
        least = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        least = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(least, low), high)
