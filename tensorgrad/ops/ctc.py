"""Connectionist temporal classification: the sum over all alignments of a target with a sequence, and its gradient.

The states of an alignment are the labels of the target with a blank before, between and after them. From one time to
the next a state is kept, the next one is stepped to, or, where `skips` allows it, the one after that. `ctc_alpha` gives
the log-probability of being in each state after each time. Its gradient flows back along the same three ways, each
weighted by how likely it was: a linear recursion, `ctc_back`, whose transpose is `ctc_forth`. So both are their own
derivatives' only ingredients, to any order. A composition would need some fifteen nodes for each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import ctc as cpu
from tensorgrad.ops.choose import where
from tensorgrad.ops.powers import exp

NEVER = cpu.NEVER


def _ways(table: Any) -> tuple[Any, Any, Any]:
    """The states that each state is reached from: itself, the one before, and the one before that."""
    return table[:-1, :, 2:], table[:-1, :, 1:-1], table[:-1, :, :-2]


def _alpha_vjp(g: Any, y: Any, emissions: Any, skips: Any) -> Any:
    now = y[1:, :, 2:]
    reached = now > 0.5 * NEVER
    gap = emissions - now
    stay, step, skip = _ways(y)
    return ctc_back_op(
        g,
        exp(where(reached, stay + gap, NEVER)),
        exp(where(reached, step + gap, NEVER)),
        exp(where(reached & skips, skip + gap, NEVER)),
    )


# From emissions (T, N, S), the log-probabilities of each state's label at each time, and skips (N, S).
ctc_alpha_op = primitive("ctc_alpha", cpu.ctc_alpha, _alpha_vjp, None, keep="yab")


def _back_vjp(g: Any, wants: Any, y: Any, table: Any, stay: Any, step: Any, skip: Any) -> tuple[Any, ...]:
    forth = ctc_forth_op(g, stay, step, skip)
    return (forth, *(y * way for way in _ways(forth)))


def _forth_vjp(g: Any, wants: Any, y: Any, given: Any, stay: Any, step: Any, skip: Any) -> tuple[Any, ...]:
    back = ctc_back_op(g, stay, step, skip)
    return (back, *(back * way for way in _ways(y)))


ctc_back_op: Callable[..., Any] = primitive("ctc_back", cpu.ctc_back, joint=_back_vjp, keep="ybcd")
ctc_forth_op: Callable[..., Any] = primitive("ctc_forth", cpu.ctc_forth, joint=_forth_vjp, keep="ybcd")
