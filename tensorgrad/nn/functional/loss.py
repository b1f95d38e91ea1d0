"""Losses as functions.

`reduction` is "mean", "sum" or "none" (one loss per element, or per sample); anything else raises `ValueError`.
"""

from __future__ import annotations

import warnings
from typing import Any

from tensorgrad import ops
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.functional.activation import logsigmoid
from tensorgrad.ops.losses import binary_cross_entropy_op, softmax_cross_entropy_op
from tensorgrad.tensor import Tensor


def _reduce(name: str, loss: Any, reduction: str) -> Any:
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise ValueError(f"{name}: reduction must be 'mean', 'sum' or 'none', not {reduction!r}")


_HINT = "; make one with tensorgrad.as_tensor(...), and see that forward returns what it computes"


def _pair(name: str, input: Any, target: Any, broadcast: bool = True) -> None:
    """Check that a loss gets two tensors of one shape: broadcasting is mostly a mistake, of which PyTorch warns."""
    for what, x in (("input", input), ("target", target)):
        if not isinstance(x, Tensor):
            raise DtypeError(f"{name}: {what} must be a Tensor, not {type(x).__name__}{_HINT}")
    if input.dtype.kind != "f" and target.dtype.kind != "f":
        raise DtypeError(
            f"{name}: input or target must be floating, not {input.dtype.name} and {target.dtype.name}; convert with "
            f".float()"
        )
    if input.shape == target.shape:
        return
    text = f"{name}: input has shape {input.shape} and target {target.shape}"
    if not broadcast or not _broadcast(input, target):
        raise ShapeError(f"{text}; they must be equal: use .view_as(...) or .unsqueeze(...)")
    warnings.warn(
        f"{text}: they are broadcast, which is rarely meant; make them equal, with .view_as(...) or .squeeze(...)",
        stacklevel=3,
    )


def _broadcast(input: Any, target: Any) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(input.shape), reversed(target.shape)))


def _weighted(name: str, loss: Any, input: Any, weight: Tensor | None) -> Any:
    """The losses times their weights, which have the input's shape."""
    if weight is None:
        return loss
    if not isinstance(weight, Tensor) or weight.shape != input.shape:
        raise ShapeError(
            f"{name}: weight must have the input's shape {input.shape}, not {getattr(weight, 'shape', weight)}"
        )
    return loss * weight


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None) -> Any:
    """The squared difference; `weight`, of the input's shape, scales each element, and a mean is then a weighted one.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 3.0]), tg.tensor([0.0, 0.0]))
    tensor(5.)
    """
    _pair("mse_loss", input, target)
    loss = _weighted("mse_loss", ops.square(input - target), input, weight)
    if weight is not None and reduction == "mean":
        return loss.sum() / weight.sum()
    return _reduce("mse_loss", loss, reduction)


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", weight: Tensor | None = None) -> Any:
    """The absolute difference; `weight`, of the input's shape, scales each element, and a mean is then a weighted one.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.l1_loss(tg.tensor([1.0, 3.0]), tg.tensor([0.0, 0.0]))
    tensor(2.)
    """
    _pair("l1_loss", input, target)
    loss = _weighted("l1_loss", ops.abs(input - target), input, weight)
    if weight is not None and reduction == "mean":
        return loss.sum() / weight.sum()
    return _reduce("l1_loss", loss, reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Any:
    """`d**2 / (2 * beta)` for differences d below `beta`, `|d| - beta / 2` above (Girshick, 2015, arXiv:1504.08083).

    >>> import tensorgrad as tg
    >>> tg.nn.functional.smooth_l1_loss(tg.tensor([0.5, 3.0]), tg.tensor([0.0, 0.0]), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must be 0 or more, not {beta}")
    _pair("smooth_l1_loss", input, target)
    d = input - target
    loss = ops.abs(d) if beta == 0 else _huber(d, beta) / beta
    return _reduce("smooth_l1_loss", loss, reduction)


def _huber(d: Any, delta: float) -> Any:
    """`d**2 / 2` below `delta`, a line above. What is not squared is replaced first: 0 * inf would be its gradient."""
    size = ops.abs(d)
    near = size < delta
    return ops.where(near, 0.5 * ops.square(ops.where(near, d, 0.0)), delta * (size - 0.5 * delta))


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
    _pair("huber_loss", input, target)
    loss = _huber(input - target, delta)
    return _reduce("huber_loss", _weighted("huber_loss", loss, input, weight), reduction)


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean") -> Any:
    """`-(target * log(input) + (1 - target) * log(1 - input))` of probabilities; logarithms count as at least -100.

    `weight` broadcasts to the input. Raises `ShapeError` where the shapes do not fit, `ValueError` for an input or a
    target outside [0, 1], `DtypeError` unless both have one floating dtype. Logits are better given to
    `binary_cross_entropy_with_logits`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.binary_cross_entropy(tg.tensor([0.5, 0.5]), tg.tensor([1.0, 0.0]), reduction="none")
    tensor([0.6931, 0.6931])
    """
    name = "binary_cross_entropy"
    _pair(name, input, target, broadcast=False)
    _floating(name, input, target)
    if input.dtype != target.dtype:
        raise DtypeError(
            f"{name}: input and target must share one dtype, got {input.dtype.name} and {target.dtype.name}; convert "
            f"one with .to(dtype)"
        )
    for what, x in (("input", input), ("target", target)):
        if x.numel() and not ((x._data >= 0) & (x._data <= 1)).all():
            raise ValueError(
                f"{name}: {what} must be probabilities, between 0 and 1, and spans {x._data.min()} to {x._data.max()}"
                + ("; for logits use binary_cross_entropy_with_logits" if what == "input" else "")
            )
    _check_expands(name, "weight", weight, input)
    loss = binary_cross_entropy_op(input, target)
    return _reduce(name, loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Any:
    """Binary cross-entropy of `sigmoid(input)`, without overflow; `pos_weight` scales the loss of positive targets.

    `weight` and `pos_weight` broadcast to the input. Raises `ShapeError` where the shapes do not fit, `DtypeError` for
    integers.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.binary_cross_entropy_with_logits(tg.tensor([0.0]), tg.tensor([1.0]))
    tensor(0.6931)
    """
    name = "binary_cross_entropy_with_logits"
    _pair(name, input, target, broadcast=False)
    _floating(name, input, target)
    _check_expands(name, "weight", weight, input)
    _check_expands(name, "pos_weight", pos_weight, input)
    soft = -logsigmoid(input)
    if pos_weight is not None:
        soft = soft * ((pos_weight - 1.0) * target + 1.0)
    loss = (1.0 - target) * input + soft
    return _reduce(name, loss if weight is None else loss * weight, reduction)


def _floating(name: str, input: Tensor, target: Tensor) -> None:
    for what, x in (("input", input), ("target", target)):
        if x.dtype.kind != "f":
            raise DtypeError(f"{name}: {what} must be floating, not {x.dtype.name}; convert it with .float()")


def _check_expands(name: str, what: str, weight: Any, input: Tensor) -> None:
    """Check that a weight broadcasts to the input, and does not make the loss larger."""
    if weight is None:
        return
    shape = weight.shape if isinstance(weight, Tensor) else None
    fits = shape is not None and len(shape) <= input.ndim
    if not fits or any(n not in (1, m) for n, m in zip(reversed(shape or ()), reversed(input.shape))):
        got = f"shape {shape}" if shape is not None else type(weight).__name__
        raise ShapeError(f"{name}: {what} must be a Tensor that broadcasts to the input's {input.shape}, not {got}")


def _classes(name: str, input: Tensor, target: Tensor, ignore_index: int) -> Any:
    """Check class indices against scores of shape (C), (N, C) or (N, C, d1, ...); return where they count, or None."""
    if not isinstance(target, Tensor):
        raise DtypeError(f"{name}: target must be a Tensor, not {type(target).__name__}{_HINT}")
    if input.dtype.kind != "f":
        raise DtypeError(f"{name}: scores must be floating, not {input.dtype.name}; convert with .float()")
    if target.dtype.kind not in "iu":
        text = f"{name}: class indices must be integers, not {target.dtype.name}; convert with .long()"
        if name == "cross_entropy":
            text += f", or give probabilities of the input's shape {input.shape}"
        raise DtypeError(text)
    wanted = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if not input.ndim or target.shape != wanted:
        raise ShapeError(
            f"{name}: scores of shape {input.shape} (classes in dimension {min(input.ndim, 2) - 1}) need a target of "
            f"shape {wanted}, and it has {target.shape}"
            + ("; probabilities must be floating" if name == "cross_entropy" and target.shape == input.shape else "")
        )
    classes = input.shape[1] if input.ndim > 1 else input.shape[0]
    labels = target._data
    if not labels.size:
        return None
    low, high = int(labels.min()), int(labels.max())
    if low >= 0 and high < classes and not 0 <= ignore_index < classes:
        return None
    counts = labels != ignore_index
    wrong = counts & ((labels < 0) | (labels >= classes))
    if wrong.any():
        at = tuple(int(i[0]) for i in wrong.nonzero())
        raise IndexError(
            f"{name}: target{list(at)} is class {int(labels[at])}, and there are {classes} classes, "
            f"0 to {classes - 1} (ignore_index is {ignore_index})"
        )
    return None if counts.all() else counts


def _check_weight(name: str, input: Tensor, weight: Any) -> None:
    if weight is None:
        return
    if not isinstance(weight, Tensor):
        raise DtypeError(f"{name}: weight must be a Tensor, not {type(weight).__name__}")
    classes = input.shape[1] if input.ndim > 1 else input.shape[0]
    if weight.shape != (classes,):
        raise ShapeError(f"{name}: weight must have shape {(classes,)}, one for each class, and has {weight.shape}")
    if weight.dtype != input.dtype:
        raise DtypeError(
            f"{name}: weight must have the input's dtype, {input.dtype.name}, and has {weight.dtype.name}; convert it "
            f"with .to(...)"
        )


def _per_class(name: str, losses: Any, target: Tensor, weight: Any, counts: Any, reduction: str) -> Any:
    """Losses per sample, weighted by their class and without the ignored ones, reduced."""
    if weight is None and counts is None:
        return _reduce(name, losses, reduction)
    weights = _sample_weights(losses, target, weight, counts)
    losses = ops.where(weights == 0, 0.0, losses * weights)
    return losses.sum() / weights.sum() if reduction == "mean" else _reduce(name, losses, reduction)


def _sample_weights(losses: Any, target: Tensor, weight: Any, counts: Any) -> Any:
    """The weight of each sample: that of its class, 0 where it is ignored."""
    weights = losses.new_ones(losses.shape) if weight is None else weight[_safe(target, counts)]
    return weights if counts is None else ops.where(counts, weights, 0.0)


def _safe(target: Tensor, counts: Any) -> Tensor:
    """Class indices with a valid one in place of the ignored."""
    safe = target.long()
    return safe if counts is None else ops.where(counts, safe, 0)


def _last(input: Tensor) -> Any:
    """Scores with the classes in the last dimension."""
    return ops.movedim(input, 1, -1) if input.ndim > 2 else input


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """The negative log-likelihood of classes: log-probabilities (C), (N, C) or (N, C, d1, ...), int targets (), (N) or
    (N, d1, ...). A mean is over the weights of the classes (C) that are not ignored.

    Raises `IndexError` for a class out of range, `ShapeError` and `DtypeError` for a target that does not fit.

    >>> import tensorgrad as tg
    >>> scores = tg.tensor([[0.0, 0.0], [2.0, 0.0]]).log_softmax(1)
    >>> tg.nn.functional.nll_loss(scores, tg.tensor([0, 0]), reduction="none")
    tensor([0.6931, 0.1269])
    """
    counts = _classes("nll_loss", input, target, ignore_index)
    _check_weight("nll_loss", input, weight)
    scores = _last(input)
    picked = ops.gather(scores, -1, _safe(target, counts).unsqueeze(-1)).squeeze(-1)
    return _per_class("nll_loss", -picked, target, weight, counts, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross-entropy of softmax(input) against the target: class indices, or probabilities of the input's shape.

    Logits are (C), (N, C) or (N, C, d1, ...), class indices integers of shape (), (N) or (N, d1, ...). `weight` (C)
    scales the classes, `ignore_index` names a class index that does not count, `label_smoothing` mixes the target
    with the uniform distribution (Szegedy et al., 2016, arXiv:1512.00567). Raises `IndexError` for a class out of
    range, `ValueError` for an `ignore_index` beside probabilities, `ShapeError` and `DtypeError` for a target or a
    weight that does not fit.

    >>> import tensorgrad as tg
    >>> logits = tg.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> tg.nn.functional.cross_entropy(logits, tg.tensor([0, 0]), reduction="none")
    tensor([0.6931, 0.1269])
    """
    name = "cross_entropy"
    if not isinstance(input, Tensor):
        raise DtypeError(f"{name}: input must be a Tensor, not {type(input).__name__}{_HINT}")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"{name}: label_smoothing must be between 0 and 1, not {label_smoothing}")
    if input.dtype.kind != "f":
        raise DtypeError(f"{name}: logits must be floating, not {input.dtype.name}; convert with .float()")
    if input.ndim and isinstance(target, Tensor) and target.dtype.kind == "f" and target.shape == input.shape:
        if ignore_index >= 0:
            raise ValueError(f"{name}: ignore_index goes with class indices, and the target holds probabilities")
        _check_weight(name, input, weight)
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    counts = _classes(name, input, target, ignore_index)
    _check_weight(name, input, weight)
    logits = _last(input)
    safe = _safe(target, counts)
    losses = softmax_cross_entropy_op(logits, safe)
    hard = _per_class(name, losses, target, weight, counts, reduction)
    if not label_smoothing:
        return hard
    # The uniform part: the mean over the classes of their losses, each with its own weight.
    log_p = ops.log_softmax(logits, -1)
    spread = -(log_p if weight is None else log_p * weight).mean(-1)
    if counts is not None:
        spread = ops.where(counts, spread, 0.0)
    if reduction == "mean":
        spread = spread.sum() / _sample_weights(losses, target, weight, counts).sum()
    else:
        spread = _reduce(name, spread, reduction)
    return (1.0 - label_smoothing) * hard + label_smoothing * spread


def _soft_cross_entropy(input: Tensor, target: Tensor, weight: Any, reduction: str, label_smoothing: float) -> Any:
    logits, probabilities = _last(input), _last(target)
    classes = logits.shape[-1]
    if label_smoothing:
        probabilities = probabilities * (1.0 - label_smoothing) + label_smoothing / classes
    log_p = ops.log_softmax(logits, -1)
    return _reduce("cross_entropy", -((log_p if weight is None else log_p * weight) * probabilities).sum(-1), reduction)


def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Any:
    """The Kullback-Leibler divergence `target * (log(target) - input)`, where input holds log-probabilities.

    `log_target` says that the target does too. Beside the usual reductions, "batchmean" divides the sum by the batch
    size: that is the divergence proper.

    >>> import tensorgrad as tg
    >>> p = tg.tensor([[0.5, 0.5]])
    >>> tg.nn.functional.kl_div(tg.tensor([[0.25, 0.75]]).log(), p, reduction="batchmean")
    tensor(0.1438)
    """
    _pair("kl_div", input, target)
    _floating("kl_div", input, target)
    if log_target:
        loss = ops.exp(target) * (target - input)
    else:
        # 0 * log(0) is 0.
        loss = ops.where(target == 0, 0.0, target * ops.log(ops.where(target == 0, 1.0, target))) - target * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return _reduce("kl_div", loss, reduction)
