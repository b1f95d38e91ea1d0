"""Softmax and its logarithm."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.ops.choose import cast
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.powers import exp
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
    return softmax_op(input, dim=one_dim("softmax", dim, rank("softmax", input)))


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The logarithm of `softmax`, without overflow or underflow.

    >>> import tensorgrad as tg
    >>> tg.log_softmax(tg.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return log_softmax_op(input, dim=one_dim("log_softmax", dim, rank("log_softmax", input)))
