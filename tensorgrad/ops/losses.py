"""The fused losses: softmax cross-entropy, binary cross-entropy, and that of Huber."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import binary, primitive
from tensorgrad.backends.cpu import losses as cpu
from tensorgrad.ops.arithmetic import maximum
from tensorgrad.ops.gathering import one_hot_op
from tensorgrad.ops.powers import log, log1p
from tensorgrad.ops.rectifiers import hardtanh_op
from tensorgrad.ops.softmax import softmax_slope_op


def _softmax_cross_entropy_vjp(g: Any, wants: tuple[bool, ...], y: Any, a: Any, target: Any) -> tuple[Any, None]:
    """Of a loss, the probabilities less 1 at the class; of the probabilities, the slope of softmax."""
    ga = softmax_slope_op(g[1], y[1], dim=len(a.shape) - 1) if 1 in g else 0.0
    if 0 in g:
        hot = one_hot_op(target, classes=a.shape[-1], dtype=a.dtype)
        ga = ga + (y[1] - hot) * g[0].reshape((*target.shape, 1))
    return ga, None


# The loss of each row of logits (..., C) against its class (...), and the probabilities, of which the gradient is made:
# only they are kept. A test holds it equal to -log_softmax(logits)[class].
softmax_cross_entropy_op = primitive(
    "softmax_cross_entropy", cpu.softmax_cross_entropy, joint=_softmax_cross_entropy_vjp, keep="y1b"
)

# A primitive for its derivative, which must be finite where a probability is exactly 0 or 1: there the composition of
# logarithm and clamp would give 0 * inf.
binary_cross_entropy_op = binary(
    "binary_cross_entropy",
    cpu.binary_cross_entropy,
    lambda g, y, a, b: g * (a - b) / maximum(a * (1.0 - a), 1e-12),
    lambda g, y, a, b: g * (maximum(log1p(-a), -100.0) - maximum(log(a), -100.0)),
    keep=("ab", "a"),
)

# Of a difference: its square halved up to delta, and a line from there on. The composition chooses between two
# branches, forward and backward, and takes five times as long.
huber_op = primitive(
    "huber",
    cpu.huber,
    lambda g, y, a, delta: g * hardtanh_op(a, low=-delta, high=delta),
    keep="a",
)
