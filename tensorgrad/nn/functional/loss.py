"""Losses of numbers: differences, and divergences of distributions. For `reduction` see `nn.functional.reduction`."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.autograd.modes import no_grad
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.functional.reduction import (
    chosen,
    floating,
    must_be_reduction,
    pair,
    reduced,
    tensors,
    together,
    weighted,
)
from tensorgrad.ops.losses import huber_op
from tensorgrad.tensor import Tensor


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Any:
    """The squared difference; `weight`, of the input's shape, scales each element, and a mean is then a weighted one.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 3.0]), tg.tensor([0.0, 0.0]))
    tensor(5.)
    """
    reduction = chosen("mse_loss", reduction, size_average, reduce)
    pair("mse_loss", input, target)
    loss = weighted("mse_loss", ops.square(input - target), input, weight)
    return reduced("mse_loss", loss, reduction, weight)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Any:
    """The absolute difference; `weight`, of the input's shape, scales each element, and a mean is then a weighted one.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 3.0]), tg.tensor([0.0, 0.0]))
    tensor(2.)
    """
    reduction = chosen("l1_loss", reduction, size_average, reduce)
    pair("l1_loss", input, target)
    loss = weighted("l1_loss", ops.abs(input - target), input, weight)
    return reduced("l1_loss", loss, reduction, weight)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """`d**2 / (2 * beta)` for differences d below `beta`, `|d| - beta / 2` above (Girshick, 2015, arXiv:1504.08083).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.smooth_l1_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must be 0 or more, not {beta}")
    reduction = chosen("smooth_l1_loss", reduction, size_average, reduce)
    pair("smooth_l1_loss", input, target)
    d = input - target
    loss = ops.abs(d) if beta == 0 else huber_op(d, delta=beta) / beta
    return reduced("smooth_l1_loss", loss, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Any:
    """`d**2 / 2` for differences d below `delta`, `delta * (|d| - delta / 2)` above (Huber, 1964).

    `weight`, of the input's shape, scales each element; a mean still divides by their number, as in PyTorch.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.huber_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive, not {delta}")
    pair("huber_loss", input, target)
    loss = huber_op(input - target, delta=delta)
    return reduced("huber_loss", weighted("huber_loss", loss, input, weight), reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """The Kullback-Leibler divergence `target * (log(target) - input)`, where input holds log-probabilities.

    `log_target` says that the target does too. Beside the usual reductions, "batchmean" divides the sum by the batch
    size: that is the divergence proper.

    >>> import tensorgrad as tg
    >>> p = tg.tensor([[0.5, 0.5]])
    >>> tg.nn.functional.kl_div(tg.tensor([[0.25, 0.75]]).log(), p, reduction="batchmean")
    tensor(0.1438)
    """
    reduction = chosen("kl_div", reduction, size_average, reduce)
    must_be_reduction("kl_div", reduction, "batchmean")
    pair("kl_div", input, target)
    floating("kl_div", input=input, target=target)
    if log_target:
        loss = ops.exp(target) * (target - input)
    else:
        # 0 * log(0) is 0.
        loss = ops.where(target == 0, 0.0, target * ops.log(ops.where(target == 0, 1.0, target))) - target * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return reduced("kl_div", loss, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of counts: `exp(input) - target * input`, where input is the logarithm of the rate.

    Without `log_input` it is the rate, and the loss `input - target * log(input + eps)`. `full` adds Stirling's
    approximation of log(target!) for targets above 1. Raises `ShapeError` where input and target do not broadcast.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.poisson_nll_loss(tg.tensor([0.0, 1.0]), tg.tensor([1.0, 2.0]), reduction="none")
    tensor([1.0000, 0.7183])
    """
    name = "poisson_nll_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    tensors(name, input=input, target=target)
    floating(name, input=input)
    loss = ops.exp(input) - target * input if log_input else input - target * ops.log(input + eps)
    if full:
        n = ops.where(target > 1, target, 1.0)  # its logarithm has a finite gradient everywhere
        stirling = n * ops.log(n) - n + 0.5 * ops.log(2.0 * math.pi * n)
        loss = loss + ops.where(target > 1, stirling, 0.0)
    return reduced(name, loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of a normal distribution: `(log(var) + (input - target)**2 / var) / 2`.

    `var` is the variance, counted as at least `eps`: a number, or a tensor of the input's shape, of that without its
    last dimension, or with one dimension of size 1. `full` adds the constant log(2 pi) / 2 (Nix and Weigend, 1994).
    Raises `ShapeError` for another shape, `ValueError` for a negative variance.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.gaussian_nll_loss(tg.tensor([0.0, 1.0]), tg.tensor([1.0, 1.0]), 1.0, reduction="none")
    tensor([0.5000, 0.0000])
    """
    name = "gaussian_nll_loss"
    tensors(name, input=input, target=target)
    floating(name, input=input)
    variance: Any = input.new_full(input.shape, var) if isinstance(var, int | float) else var
    if not isinstance(variance, Tensor):
        raise DtypeError(f"{name}: var must be a Tensor or a number, not {type(var).__name__}")
    if variance.shape != input.shape:
        if variance.shape == input.shape[:-1]:
            variance = variance.unsqueeze(-1)
        elif variance.ndim != input.ndim or [n for n, m in zip(variance.shape, input.shape) if n != m] != [1]:
            raise ShapeError(
                f"{name}: var of shape {variance.shape} does not fit input of shape {input.shape}: it must have that "
                f"shape, lack its last dimension, or have one dimension of size 1"
            )
    if not together(input, target):
        raise ShapeError(f"{name}: input of shape {input.shape} and target of shape {target.shape} do not broadcast")
    if bool((variance < 0).any()):
        raise ValueError(f"{name}: var must be 0 or more, and has negative elements")
    variance = variance.clone()
    with no_grad():  # the gradient passes by the bound, as in PyTorch
        variance.clamp_(min=eps)
    loss = 0.5 * (ops.log(variance) + ops.square(input - target) / variance)
    return reduced(name, loss + 0.5 * math.log(2.0 * math.pi) if full else loss, reduction)
