"""Softmax, its logarithm, and the softmax cross-entropy: the first fused op, because it is what classifiers train on."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.ops.dims import one_dim
from tensorgrad.ops.elementwise import cast, exp
from tensorgrad.ops.index import gather_op, one_hot_op
from tensorgrad.ops.reduce import sum_op

softmax_op = primitive(
    "softmax",
    cpu.softmax,
    lambda g, y, a, dim: y * (g - sum_op(g * y, dim=(dim,), keepdim=True)) if len(a.shape) else g * 0.0,
    keep="y",
    inputs="float",
)

log_softmax_op = primitive(
    "log_softmax",
    cpu.log_softmax,
    lambda g, y, a, dim: g - exp(y) * sum_op(g, dim=(dim,), keepdim=True) if len(a.shape) else g * 0.0,
    keep="y",
    inputs="float",
)


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """`exp(input)` over its sum along `dim`: probabilities that add up to 1.

    >>> import tensorgrad as tg
    >>> tg.softmax(tg.tensor([0.0, 0.0]), 0)
    tensor([0.5000, 0.5000])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return softmax_op(input, dim=one_dim("softmax", dim, input.ndim))


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The logarithm of `softmax`, without overflow or underflow.

    >>> import tensorgrad as tg
    >>> tg.log_softmax(tg.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return log_softmax_op(input, dim=one_dim("log_softmax", dim, input.ndim))


def _cross_entropy_vjp(g: Any, y: Any, a: Any, target: Any) -> Any:
    """g times (softmax - one-hot). The softmax comes from the loss: y = log-sum-exp - a[target]."""
    target = target.reshape((*target.shape, 1))
    last = len(a.shape) - 1
    y, g = y.reshape((*y.shape, 1)), g.reshape((*g.shape, 1))
    probabilities = exp(a - (y + gather_op(a, target, dim=last)))
    hot = one_hot_op(target.reshape(target.shape[:-1]), classes=a.shape[-1], dtype=a.dtype)
    return (probabilities - hot) * g


# The loss of each row of logits against its class, without the log-probabilities in between: one pass forward, and
# backward one exp. A test holds it equal to nll(log_softmax(logits)).
softmax_cross_entropy_op = primitive(
    "softmax_cross_entropy", cpu.softmax_cross_entropy, _cross_entropy_vjp, None, keep="yab"
)
