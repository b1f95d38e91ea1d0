"""Softmax and its logarithm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.ops.dims import must_be_floating, one_dim, rank
from tensorgrad.ops.powers import exp
from tensorgrad.ops.reduce import of_dtype, sum_op

softmax_op = primitive(
    "softmax",
    cpu.softmax,
    lambda g, y, a, dim: softmax_slope_op(g, y, dim=dim) if len(a.shape) else g * 0.0,
    keep="y",
)


def _sum_along(x: Any, dim: int) -> Any:
    return sum_op(x, dim=(dim,), keepdim=True)


# y * (g - sum(g * y)), in one array instead of three.
softmax_slope_op: Callable[..., Any] = primitive(
    "softmax_slope",
    cpu.softmax_slope,
    lambda h, x, g, y, dim: softmax_slope_op(h, y, dim=dim),
    lambda h, x, g, y, dim: h * (g - _sum_along(g * y, dim)) - g * _sum_along(h * y, dim),
    keep=("b", "ab"),
)

log_softmax_op = primitive(
    "log_softmax",
    cpu.log_softmax,
    lambda g, y, a, dim: g - exp(y) * _sum_along(g, dim) if len(a.shape) else g * 0.0,
    keep="y",
)


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """`exp(input)` over its sum along `dim`: probabilities that add up to 1. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.softmax(tg.tensor([0.0, 0.0]), 0)
    tensor([0.5000, 0.5000])
    """
    input = of_dtype(input, dtype)
    must_be_floating("softmax", input)
    return softmax_op(input, dim=one_dim("softmax", dim, rank("softmax", input)))


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The logarithm of `softmax`, without overflow or underflow. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.log_softmax(tg.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    input = of_dtype(input, dtype)
    must_be_floating("log_softmax", input)
    return log_softmax_op(input, dim=one_dim("log_softmax", dim, rank("log_softmax", input)))
