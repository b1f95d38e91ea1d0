"""Activations as functions. `inplace=True`, or the name with an underscore, writes the result into the input."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad import ops, random
from tensorgrad.autograd.graph import edge, wrap
from tensorgrad.autograd.inplace import apply_
from tensorgrad.errors import ShapeError
from tensorgrad.ops.checks import must_go_with, must_share_dtype
from tensorgrad.ops.dims import must_be_floating, one_dim
from tensorgrad.ops.gelu import gelu_op
from tensorgrad.ops.rectifiers import elu_op, hardtanh_op, leaky_relu_op, softplus_op
from tensorgrad.tensor import Tensor

# The fixed point of Klambauer et al.: unit Gaussian inputs keep mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def _write(function: Callable[..., Any], input: Tensor) -> Any:
    """A function composed of several operations, written into its input; the graph keeps the value from before."""
    return apply_("copy", input, function(input if edge(input) is None else ops.clone(input)))


def relu(input: Tensor, inplace: bool = False) -> Any:
    """`max(input, 0)`, elementwise; the gradient at 0 is 0.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.relu(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return apply_("relu", input) if inplace else ops.relu(input)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """`input` limited to [`min_val`, `max_val`]; the gradient is 0 outside and at the bounds.

    Raises `ValueError` where `min_val` is above `max_val`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.hardtanh(tg.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} must not be above max_val {max_val}")
    if inplace:
        return apply_("hardtanh", input, low=min_val, high=max_val)
    return hardtanh_op(input, low=min_val, high=max_val)


def relu6(input: Tensor, inplace: bool = False) -> Any:
    """`min(max(input, 0), 6)`, elementwise; the gradient at 0 and 6 is 0.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.relu6(tg.tensor([-1.0, 2.0, 7.0]))
    tensor([0., 2., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """`input` where it is positive, else `negative_slope * input`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.leaky_relu(tg.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    if inplace:
        return apply_("leaky_relu", input, slope=negative_slope)
    return leaky_relu_op(input, slope=negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Any:
    """`input` where it is positive, else `weight * input` (He et al., 2015, arXiv:1502.01852).

    `weight` holds one number, or one for each channel, which is dimension 1 of the input. Raises `ShapeError` for
    another size, `DtypeError` where the dtypes differ.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.prelu(tg.tensor([-1.0, 2.0]), tg.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    must_go_with("prelu", input, weight)
    must_be_floating("prelu", input)
    must_share_dtype("prelu", input=input, weight=weight)
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.shape != (channels,) or not input.ndim:
            raise ShapeError(
                f"prelu: weight of shape {weight.shape} does not fit input of shape {input.shape}: it must hold one "
                f"number, or {channels}, one for each channel (dimension 1)"
            )
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2))
    elif weight.ndim > 1:
        raise ShapeError(f"prelu: weight must be a vector or a number, and has shape {weight.shape}")
    else:
        weight = weight.reshape(())
    return ops.where(input > 0, input, weight * input)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """`input` where it is positive, else scaled: in training by a random number in [`lower`, `upper`) for each element,
    else by their mean (Xu et al., 2015, arXiv:1505.00853).

    Raises `ValueError` where `lower` is above `upper`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.rrelu(tg.tensor([-1.0, 2.0]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    if lower > upper:
        raise ValueError(f"rrelu: lower {lower} must not be above upper {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    must_be_floating("rrelu", input)
    drawn = wrap(random.uniform(input.shape, input.dtype, None)) * (upper - lower) + lower
    slopes = ops.where(input <= 0, drawn, 1.0)
    return apply_("mul", input, slopes) if inplace else input * slopes


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where it is positive, else `alpha * (exp(input) - 1)` (Clevert et al., 2015, arXiv:1511.07289).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.elu(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _elu(input, inplace, alpha)


def _elu(input: Tensor, inplace: bool, alpha: float, scale: float = 1.0, input_scale: float = 1.0) -> Any:
    if inplace:
        return apply_("elu", input, alpha=alpha, scale=scale, input_scale=input_scale)
    return elu_op(input, alpha=alpha, scale=scale, input_scale=input_scale)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where it is positive, else `alpha * (exp(input / alpha) - 1)` (Barron, 2017, arXiv:1704.07483).

    Raises `ZeroDivisionError` where `alpha` is 0.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.celu(tg.tensor([-1.0, 2.0]), alpha=0.5)
    tensor([-0.4323,  2.0000])
    """
    if alpha == 0:
        raise ZeroDivisionError("celu: alpha must not be 0")
    return _elu(input, inplace, alpha, 1.0, 1.0 / alpha)


def selu(input: Tensor, inplace: bool = False) -> Any:
    """`elu` scaled so that activations keep mean 0 and variance 1 (Klambauer et al., 2017, arXiv:1706.02515).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.selu(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _elu(input, inplace, SELU_ALPHA, SELU_SCALE)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Any:
    """`input` where it is above `threshold`, else `value`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.threshold(tg.tensor([-1.0, 2.0]), 0.5, 9.0)
    tensor([9., 2.])
    """
    if inplace:
        return _write(lambda x: ops.masked_fill(x, x <= threshold, value), input)
    return ops.masked_fill(input, input <= threshold, value)


def gelu(input: Tensor, approximate: str = "none") -> Any:
    """`input` times the normal distribution function of it (Hendrycks and Gimpel, 2016, arXiv:1606.08415).

    `approximate="tanh"` computes it through tanh. Raises `ValueError` for another approximation.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.gelu(tg.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    must_be_floating("gelu", input)
    if approximate in ("none", "tanh"):
        return gelu_op(input, approximate=approximate)[0]
    raise ValueError(f"gelu: approximate must be 'none' or 'tanh', not {approximate!r}")


def silu(input: Tensor, inplace: bool = False) -> Any:
    """`input * sigmoid(input)`, also called swish.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.silu(tg.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    must_be_floating("silu", input)
    return apply_("mul", input, ops.sigmoid(input)) if inplace else input * ops.sigmoid(input)


def mish(input: Tensor, inplace: bool = False) -> Any:
    """`input * tanh(softplus(input))` (Misra, 2019, arXiv:1908.08681).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.mish(tg.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    if inplace:
        return _write(mish, input)
    return input * ops.tanh(softplus_op(input, beta=1.0, threshold=math.inf))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Any:
    """`relu6(input + 3) / 6`: a sigmoid of straight lines, whose gradient is 0 from 3 and -3 outwards.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.hardsigmoid(tg.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    must_be_floating("hardsigmoid", input)
    if inplace:
        return _write(hardsigmoid, input)
    return (hardtanh_op(input, low=-3.0, high=3.0) + 3.0) / 6.0


def hardswish(input: Tensor, inplace: bool = False) -> Any:
    """`input * hardsigmoid(input)` (Howard et al., 2019, arXiv:1905.02244).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.hardswish(tg.tensor([-4.0, 1.5, 4.0]))
    tensor([-0.0000,  1.1250,  4.0000])
    """
    return _write(hardswish, input) if inplace else input * hardsigmoid(input)


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


def hardshrink(input: Tensor, lambd: float = 0.5) -> Any:
    """`input`, but 0 where it is in [-`lambd`, `lambd`].

    >>> import tensorgrad as tg
    >>> tg.nn.functional.hardshrink(tg.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    must_be_floating("hardshrink", input)
    return ops.where((input >= -lambd) & (input <= lambd), 0.0, input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Any:
    """`input` moved towards 0 by `lambd`, and no further than 0. Raises `ValueError` for a negative `lambd`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.softshrink(tg.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must be 0 or more, not {lambd}")
    must_be_floating("softshrink", input)
    return input - ops.clamp(input, -lambd, lambd)


def tanhshrink(input: Tensor) -> Any:
    """`input - tanh(input)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.tanhshrink(tg.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """
    return input - ops.tanh(input)


def softsign(input: Tensor) -> Any:
    """`input / (1 + |input|)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.softsign(tg.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (ops.abs(input) + 1)


def glu(input: Tensor, dim: int = -1) -> Any:
    """The first half of a dimension times the sigmoid of the second (Dauphin et al., 2016, arXiv:1612.08083).

    Raises `ShapeError` where the dimension cannot be halved.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.glu(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    must_be_floating("glu", input)
    d = one_dim("glu", dim, input.ndim)
    if not input.ndim or input.shape[d] % 2:
        raise ShapeError(f"glu: dimension {dim} must have an even size to be halved, in input of shape {input.shape}")
    half = input.shape[d] // 2
    return ops.narrow(input, d, 0, half) * ops.sigmoid(ops.narrow(input, d, half, half))


def _in_place(function: Callable[..., Any], settings: str = "") -> Callable[..., Any]:
    name = function.__name__

    def written(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, **kwargs, inplace=True)

    written.__name__ = written.__qualname__ = f"{name}_"
    written.__doc__ = f"""`{name}`, written into its input, which is returned.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.{name}_(tg.tensor([0.0]){settings})
    tensor([0.])
    """
    return written


relu_ = _in_place(relu)
hardtanh_ = _in_place(hardtanh)
leaky_relu_ = _in_place(leaky_relu)
rrelu_ = _in_place(rrelu)
elu_ = _in_place(elu)
celu_ = _in_place(celu)
selu_ = _in_place(selu)
threshold_ = _in_place(threshold, ", 0.5, 0.0")
