"""Normalisation as functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd.modes import no_grad
from tensorgrad.backends.dtypes import float16, float32
from tensorgrad.creation import ones_like
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.checks import must_be_tensors
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.ops.normalization import moments_op, normalize_op, standardize_op
from tensorgrad.ops.pooling import Window, window_sum_op
from tensorgrad.tensor import Tensor


def _check(name: str, input: Tensor, **others: Tensor | None) -> None:
    """Raise unless all are floating and of one dtype (of half precision, the others may be single)."""
    must_be_tensors(name, input=input)
    must_be_floating(name, input)
    for what, x in others.items():
        if x is not None and x.dtype != input.dtype and (input.dtype, x.dtype) != (float16, float32):
            raise DtypeError(
                f"{name}: the input is {input.dtype.name}, and {what} {x.dtype.name}; convert one with .to(dtype)"
            )


def _check_sizes(name: str, input: Tensor, shape: tuple[int, ...], **others: Tensor | None) -> None:
    for what, x in others.items():
        if x is not None and x.shape != shape:
            raise ShapeError(
                f"{name}: {what} of shape {x.shape} does not fit an input of shape {input.shape}: it must be {shape}"
            )


def _normalize(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, layout: tuple[int, ...], batch: bool = False
) -> tuple[Any, Any, Any]:
    """The input normalised, and the mean and the variance that it had."""
    if input.dtype == float16:  # computed in single precision, as PyTorch does
        weight, bias = (None if x is None else x.float() for x in (weight, bias))
        y, mean, var = _normalize(input.float(), weight, bias, eps, layout, batch)
        return y.half(), mean, var
    if weight is None and bias is not None:
        y, mean, var = _normalize(input, None, None, eps, layout, batch)
        return (y.reshape(layout) + bias.reshape(1, *layout[1:3], 1)).reshape(input.shape), mean, var
    mean, var = moments_op(input, layout=layout, batch=batch)
    return normalize_op(input, weight, bias, mean, var, layout=layout, batch=batch, eps=eps), mean, var


def _with_statistics(input: Tensor, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    """The channels of (N, C, ...) normalised with a mean and a variance that are given."""
    if input.dtype == float16:  # computed in single precision, as PyTorch does
        weight, bias = (None if x is None else x.float() for x in (weight, bias))
        return _with_statistics(input.float(), mean, var, weight, bias, eps).half()
    if weight is None and bias is not None:
        weight = ones_like(bias)
    mean, var = (x if x.dtype == input.dtype else x.to(input.dtype) for x in (mean, var))
    layout = (*input.shape[:2], 1, math.prod(input.shape[2:]))
    return standardize_op(input, weight, bias, mean, var, layout=layout, batch=True, eps=eps)


def _update(running: Tensor | None, value: Any, momentum: float) -> None:
    if running is not None:
        with no_grad():
            running.mul_(1.0 - momentum).add_(value.to(running.dtype) * momentum)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of (N, C, ...) normalised over the batch and its places, times `weight`, plus `bias`.

    `(x - mean) / sqrt(var + eps)` (Ioffe and Szegedy, 2015, arXiv:1502.03167). In training with the batch's mean and
    variance (over n), and the running ones are moved towards those, the variance over n - 1, by `momentum`; else with
    the running ones. Raises `ValueError` in training with one value per channel, `ShapeError` and `DtypeError` for
    what does not fit the input.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.batch_norm(tg.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    _check("batch_norm", input, weight=weight, bias=bias)
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: it takes (N, C, ...), got shape {input.shape}")
    n, c = input.shape[:2]
    _check_sizes(
        "batch_norm", input, (c,), running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: in evaluation, running_mean and running_var must be given")
        return _with_statistics(input, running_mean, running_var, weight, bias, eps)
    places = math.prod(input.shape[2:])
    if n * places == 1:
        raise ValueError(
            f"batch_norm: in training there must be more than one value per channel, got an input of shape "
            f"{input.shape}; call eval() on the model, or give a larger batch"
        )
    y, mean, var = _normalize(input, weight, bias, eps, (n, c, 1, places), batch=True)
    if n * places:
        _update(running_mean, mean.reshape(-1), momentum)
        _update(running_var, var.reshape(-1) * (n * places / (n * places - 1)), momentum)
    return y


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of each sample of (N, C, ...) normalised over its places (Ulyanov et al., 2016, arXiv:1607.08022).

    With `use_input_stats` False with the running mean and variance; else those are moved towards the samples' by
    `momentum`. Raises `ValueError` for channels of one place.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.instance_norm(tg.tensor([[[1.0, 3.0], [2.0, 6.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    _check("instance_norm", input, weight=weight, bias=bias)
    if input.ndim < 2:
        raise ShapeError(f"instance_norm: it takes (N, C, ...), got shape {input.shape}")
    n, c = input.shape[:2]
    _check_sizes(
        "instance_norm", input, (c,), running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError("instance_norm: without use_input_stats, running_mean and running_var must be given")
        return _with_statistics(input, running_mean, running_var, weight, bias, eps)
    places = math.prod(input.shape[2:])
    if places == 1:
        raise ValueError(
            f"instance_norm: there must be more than one value in each channel of a sample, got shape {input.shape}"
        )
    y, mean, var = _normalize(input, weight, bias, eps, (n, c, 1, places))
    if n * places:
        _update(running_mean, mean.mean(0), momentum)
        _update(running_var, var.mean(0) * (places / (places - 1)), momentum)
    return y


def _normalized_shape(name: str, input: Tensor, shape: Any) -> tuple[int, ...]:
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(
            f"{name}: normalized_shape {shape} must be the last dimensions of the input, which has shape {input.shape}"
        )
    return shape


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int] | int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    """The last dimensions, of `normalized_shape`, normalised, times `weight`, plus `bias`, which have that shape.

    `(x - mean) / sqrt(var + eps)`, the variance over n (Ba et al., 2016, arXiv:1607.06450). Raises `ShapeError` and
    `DtypeError` for what does not fit the input.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.layer_norm(tg.tensor([[1.0, 3.0], [2.0, 6.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    shape = _normalized_shape("layer_norm", input, normalized_shape)
    _check("layer_norm", input, weight=weight, bias=bias)
    _check_sizes("layer_norm", input, shape, weight=weight, bias=bias)
    layout = (math.prod(input.shape[: -len(shape)]), 1, math.prod(shape), 1)
    return _normalize(input, weight, bias, eps, layout)[0]


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Any:
    """Groups of channels of each sample of (N, C, ...) normalised (Wu and He, 2018, arXiv:1803.08494).

    `weight` and `bias` are of the channels. Raises `ShapeError` where the channels are not a multiple of `num_groups`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.group_norm(tg.tensor([[1.0, 3.0, 2.0, 6.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    _check("group_norm", input, weight=weight, bias=bias)
    if input.ndim < 2 or num_groups < 1 or input.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: it takes (N, C, ...), C a multiple of num_groups, got shape {input.shape} and "
            f"{num_groups} groups"
        )
    n, c = input.shape[:2]
    _check_sizes("group_norm", input, (c,), weight=weight, bias=bias)
    places = math.prod(input.shape[2:])
    if n * places * (c // num_groups) == 1:
        raise ValueError(
            f"group_norm: there must be more than one value in a group, got an input of shape {input.shape}"
        )
    return _normalize(input, weight, bias, eps, (n, num_groups, c // num_groups, places))[0]


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int] | int, weight: Tensor | None = None, eps: float | None = None
) -> Any:
    """The last dimensions, of `normalized_shape`, over the root of their mean square, times `weight`.

    `x / sqrt(mean(x ** 2) + eps)`, where `eps` is by default the dtype's (Zhang and Sennrich, 2019, arXiv:1910.07467).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.rms_norm(tg.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    shape = _normalized_shape("rms_norm", input, normalized_shape)
    _check("rms_norm", input, weight=weight)
    _check_sizes("rms_norm", input, shape, weight=weight)
    x = input.float() if input.dtype == float16 else input
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    y = x * ops.rsqrt(ops.mean(ops.square(x), tuple(range(-len(shape), 0)), keepdim=True) + eps)
    return (y if weight is None else y * weight).to(input.dtype)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Each channel of (N, C, ...) over `(k + alpha * m) ** beta`, m the mean square of `size` channels around it.

    From Krizhevsky et al., 2012. Beyond the first and the last channel there are zeros.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.local_response_norm(tg.tensor([[[1.0], [2.0]]]), 2, alpha=1.0, beta=1.0)
    tensor([[[0.6667],
             [0.5714]]])
    """
    _check("local_response_norm", input)
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: it takes (N, C, ...), got shape {input.shape}")
    if size < 1:
        raise ValueError(f"local_response_norm: size must be 1 or more, not {size}")
    n, c, *rest = input.shape
    places = math.prod(rest)
    windows = (Window(size, 1, size // 2, 1, c, c), Window(1, 1, 0, 1, places, places))
    total = window_sum_op(ops.square(input).reshape(n, c, places), windows=windows)
    return input / (total.reshape(input.shape) * (alpha / size) + k) ** beta


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """`input` over its p-norm along `dim`, or over `eps` where the norm is smaller.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.normalize(tg.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return input / ops.clamp(ops.norm(input, p, dim, keepdim=True), min=eps)
