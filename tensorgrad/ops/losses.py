"""The fused losses: softmax cross-entropy and binary cross-entropy."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import binary, primitive
from tensorgrad.backends.cpu import losses as cpu
from tensorgrad.ops.arithmetic import maximum
from tensorgrad.ops.index import one_hot_op
from tensorgrad.ops.powers import log, log1p
from tensorgrad.ops.softmax import softmax_op


def _softmax_cross_entropy_vjp(g: Any, y: Any, a: Any, target: Any) -> Any:
    """g times (softmax - one-hot).

    The softmax is computed again from the logits. It could be had from the loss, as exp(a - log-sum-exp), but a large
    loss is rounded, and the rounding would be a relative error of the gradient.
    """
    hot = one_hot_op(target, classes=a.shape[-1], dtype=a.dtype)
    return (softmax_op(a, dim=len(a.shape) - 1) - hot) * g.reshape((*target.shape, 1))


# The loss of each row of logits (..., C) against its class (...), without the log-probabilities in between: it saves
# writing and keeping them. A test holds it equal to -log_softmax(logits)[class].
softmax_cross_entropy_op = primitive(
    "softmax_cross_entropy", cpu.softmax_cross_entropy, _softmax_cross_entropy_vjp, None, keep="ab"
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
