"""The weights with which queries attend to keys."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import attention as cpu
from tensorgrad.ops.linalg import matmul_op, swap
from tensorgrad.ops.softmax import softmax_slope_op


def _attention_weights_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, q: Any, k: Any, *mask: Any, scale: float, causal: bool, blank: float
) -> tuple[Any, ...]:
    gs = softmax_slope_op(g, y, dim=len(y.shape) - 1)
    return (
        matmul_op(gs, k) * scale if wants[0] else None,
        matmul_op(swap(gs), q) * scale if wants[1] else None,
        *(gs if wanted else None for wanted in wants[2:]),
    )


# softmax(query @ key.T * scale + mask), where a mask of bools says what a query sees, and `blank` is the weight where
# that is nothing. One primitive, because its composition writes the scores five times and keeps them twice.
attention_weights_op = primitive("attention_weights", cpu.attention_weights, joint=_attention_weights_vjp, keep="yab")
