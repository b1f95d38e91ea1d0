"""Activations and dropout as functions."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops, random
from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.inplace import apply_
from tensorgrad.errors import DtypeError
from tensorgrad.ops.rectifiers import elu_op, leaky_relu_op, softplus_op
from tensorgrad.tensor import Tensor


def relu(input: Tensor, inplace: bool = False) -> Any:
    """`max(input, 0)`, elementwise; the gradient at 0 is 0.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.relu(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return apply_("relu", input) if inplace else ops.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """`input` where it is positive, else `negative_slope * input`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.leaky_relu(tg.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    if inplace:
        return apply_("leaky_relu", input, slope=negative_slope)
    return leaky_relu_op(input, slope=negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where it is positive, else `alpha * (exp(input) - 1)` (Clevert et al., 2015, arXiv:1511.07289).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return apply_("elu", input, alpha=alpha, scale=1.0, input_scale=1.0) if inplace else elu_op(input, alpha=alpha, scale=1.0, input_scale=1.0)


def gelu(input: Tensor, approximate: str = "none") -> Any:
    """`input` times the normal distribution function of it (Hendrycks and Gimpel, 2016, arXiv:1606.08415).

    `approximate="tanh"` computes it through tanh. Raises `ValueError` for another approximation.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.gelu(tg.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate == "none":
        return input * 0.5 * (1.0 + ops.erf(input * math.sqrt(0.5)))
    if approximate == "tanh":
        inner = math.sqrt(2.0 / math.pi) * (input + 0.044715 * input * input * input)
        return 0.5 * input * (1.0 + ops.tanh(inner))
    raise ValueError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")


def silu(input: Tensor, inplace: bool = False) -> Any:
    """`input * sigmoid(input)`, also called swish.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.silu(tg.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return apply_("mul", input, ops.sigmoid(input)) if inplace else input * ops.sigmoid(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """`log(1 + exp(beta * input)) / beta`; the input itself where `beta * input` is above the threshold.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.softplus(tg.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """
    return softplus_op(input, beta=beta, threshold=threshold)


def logsigmoid(input: Tensor) -> Any:
    """`log(sigmoid(input))`, without underflow.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.logsigmoid(tg.tensor([0.0, -100.0]))
    tensor([  -0.6931, -100.0000])
    """
    return -softplus_op(-input, beta=1.0, threshold=math.inf)


def _softmax_dim(name: str, dim: int | None) -> int:
    if dim is None:
        raise TypeError(f"{name}: give dim, the dimension of the classes: -1 for the last")
    return dim


def softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Any:
    """`exp(input)` over its sum along `dim`. Raises `TypeError` where `dim` is not given: guessing it hides mistakes.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.softmax(tg.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return ops.softmax(input, _softmax_dim("softmax", dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Any:
    """The logarithm of `softmax`, without underflow. Raises `TypeError` where `dim` is not given.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.log_softmax(tg.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return ops.log_softmax(input, _softmax_dim("log_softmax", dim), dtype=dtype)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each element set to 0 with probability `p`, the others scaled by 1 / (1 - p); else the input.

    From Srivastava et al., JMLR 15 (2014). Raises `ValueError` for a probability outside [0, 1].

    >>> import tensorgrad as tg
    >>> tg.nn.functional.dropout(tg.ones(3), 0.5, training=False)
    tensor([1., 1., 1.])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: p must be between 0 and 1, not {p}")
    if not training or p == 0.0:
        return input
    if input.dtype.kind != "f":
        raise DtypeError(f"dropout: it needs a floating tensor, not {input.dtype.name}; convert with .float()")
    mask = wrap(random.keep_mask(input.shape, input.dtype, p))
    return apply_("mul", input, mask) if inplace else input * mask
