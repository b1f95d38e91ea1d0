"""Entropies of predicted probabilities: binary, and over classes. For `reduction` see `nn.functional.reduction`."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.autograd.graph import Foreign
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.functional.reduction import chosen, expands, floating, pair, reduced
from tensorgrad.ops.checks import must_be_tensors, must_share_dtype
from tensorgrad.ops.gathering import gather_op
from tensorgrad.ops.losses import binary_cross_entropy_op, softmax_cross_entropy_op
from tensorgrad.ops.rectifiers import softplus_op
from tensorgrad.tensor import Tensor


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`-(target * log(input) + (1 - target) * log(1 - input))` of probabilities; logarithms count as at least -100.

    `weight` broadcasts to the input. Raises `ShapeError` where the shapes do not fit, `ValueError` for an input or a
    target outside [0, 1], `DtypeError` unless both have one floating dtype. Logits are better given to
    `binary_cross_entropy_with_logits`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.binary_cross_entropy(tg.tensor([0.5, 0.5]), tg.tensor([1.0, 0.0]), reduction="none")
    tensor([0.6931, 0.6931])
    """
    name = "binary_cross_entropy"
    reduction = chosen(name, reduction, size_average, reduce)
    pair(name, input, target, broadcast=False)
    floating(name, input=input, target=target)
    must_share_dtype(name, input=input, target=target)
    for what, x in (("input", input), ("target", target)):
        if x.numel() and not ((x._data >= 0) & (x._data <= 1)).all():
            raise ValueError(
                f"{name}: {what} must be probabilities, between 0 and 1, and spans {x._data.min()} to {x._data.max()}"
                + ("; for logits use binary_cross_entropy_with_logits" if what == "input" else "")
            )
    expands(name, "weight", weight, input)
    loss = binary_cross_entropy_op(input, target)
    return reduced(name, loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
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
    reduction = chosen(name, reduction, size_average, reduce)
    pair(name, input, target, broadcast=False)
    floating(name, input=input, target=target)
    expands(name, "weight", weight, input)
    expands(name, "pos_weight", pos_weight, input)
    soft = softplus_op(-input, beta=1.0, threshold=math.inf)
    if pos_weight is not None:
        soft = soft * ((pos_weight - 1.0) * target + 1.0)
    loss = (1.0 - target) * input + soft
    return reduced(name, loss if weight is None else loss * weight, reduction)


def _scores(name: str, input: Tensor, target: Tensor) -> None:
    """Raise unless the scores are floating: what is not may have been given for the other."""
    must_be_tensors(name, input=input, target=target)
    if input.dtype.kind != "f":
        swapped = target.dtype.kind == "f" and target.ndim > input.ndim
        remedy = "the scores come first, and the target second" if swapped else "convert with .float()"
        raise DtypeError(f"{name}: the input, scores, needs a floating dtype, not {input.dtype.name}; {remedy}")


def _classes(name: str, input: Tensor, target: Tensor, ignore_index: int, soft: bool) -> Any:
    """Check class indices against scores of shape (C), (N, C) or (N, C, d1, ...); return where they count, or None.

    `soft` says that probabilities may stand for them.
    """
    if target.dtype.kind not in "iu":
        text = f"{name}: class indices must be integers, not {target.dtype.name}; convert with .long()"
        raise DtypeError(f"{text}, or give probabilities of the input's shape {input.shape}" if soft else text)
    wanted = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if not input.ndim or target.shape != wanted:
        raise ShapeError(
            f"{name}: scores of shape {input.shape} (classes in dimension {min(input.ndim, 2) - 1}) need a target of "
            f"shape {wanted}, and it has {target.shape}"
            + ("; probabilities must be floating" if soft and target.shape == input.shape else "")
        )
    classes = input.shape[1] if input.ndim > 1 else input.shape[0]
    labels = target._data
    if not labels.size:
        return None
    # Read as unsigned, what is negative is too large as well: one pass says that all is right.
    plain = not isinstance(labels, Foreign)
    if plain and int(labels.view(f"u{labels.itemsize}").max()) < classes and not 0 <= ignore_index < classes:
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
    must_be_tensors(name, weight=weight)
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
        return reduced(name, losses, reduction)
    weights = _sample_weights(losses, target, weight, counts)
    losses = ops.where(weights == 0, 0.0, losses * weights)
    return reduced(name, losses, reduction, weights)


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
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of classes: log-probabilities (C), (N, C) or (N, C, d1, ...), int targets (), (N) or
    (N, d1, ...). A mean is over the weights of the classes (C) that are not ignored.

    Raises `IndexError` for a class out of range, `ShapeError` and `DtypeError` for a target that does not fit.

    >>> import tensorgrad as tg
    >>> scores = tg.tensor([[0.0, 0.0], [2.0, 0.0]]).log_softmax(1)
    >>> tg.nn.functional.nll_loss(scores, tg.tensor([0, 0]), reduction="none")
    tensor([0.6931, 0.1269])
    """
    reduction = chosen("nll_loss", reduction, size_average, reduce)
    _scores("nll_loss", input, target)
    counts = _classes("nll_loss", input, target, ignore_index, soft=False)
    _check_weight("nll_loss", input, weight)
    scores = _last(input)
    picked = gather_op(scores, _safe(target, counts).unsqueeze(-1), dim=max(scores.ndim, 1) - 1).squeeze(-1)
    return _per_class("nll_loss", -picked, target, weight, counts, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross-entropy of softmax(input) against the target: class indices, or probabilities of the input's shape.

    Logits are (C), (N, C) or (N, C, d1, ...), class indices of shape (), (N) or (N, d1, ...), of any integer dtype
    (PyTorch takes int64 and uint8 only). `weight` (C) scales the classes, `ignore_index` names a class index that does
    not count, `label_smoothing` mixes the target with the uniform distribution (Szegedy et al., 2016,
    arXiv:1512.00567). Raises `IndexError` for a class out of range, `ValueError` for an `ignore_index` beside
    probabilities, `ShapeError` and `DtypeError` for a target or a weight that does not fit.

    >>> import tensorgrad as tg
    >>> logits = tg.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> tg.nn.functional.cross_entropy(logits, tg.tensor([0, 0]), reduction="none")
    tensor([0.6931, 0.1269])
    """
    name = "cross_entropy"
    reduction = chosen(name, reduction, size_average, reduce)
    _scores(name, input, target)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"{name}: label_smoothing must be between 0 and 1, not {label_smoothing}")
    if input.ndim and target.dtype.kind == "f" and target.shape == input.shape:
        if ignore_index >= 0:
            raise ValueError(f"{name}: ignore_index goes with class indices, and the target holds probabilities")
        _check_weight(name, input, weight)
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    counts = _classes(name, input, target, ignore_index, soft=True)
    _check_weight(name, input, weight)
    logits = _last(input)
    safe = _safe(target, counts)
    losses, _ = softmax_cross_entropy_op(logits, safe)
    hard = _per_class(name, losses, target, weight, counts, reduction)
    if not label_smoothing:
        return hard
    # The uniform part: the mean over the classes of their losses, each with its own weight.
    log_p = ops.log_softmax(logits, -1)
    spread = -(log_p if weight is None else log_p * weight).mean(-1)
    if counts is not None:
        spread = ops.where(counts, spread, 0.0)
    spread = reduced(name, spread, reduction, _sample_weights(losses, target, weight, counts))
    return (1.0 - label_smoothing) * hard + label_smoothing * spread


def _soft_cross_entropy(input: Tensor, target: Tensor, weight: Any, reduction: str, label_smoothing: float) -> Any:
    logits, probabilities = _last(input), _last(target)
    classes = logits.shape[-1]
    if label_smoothing:
        probabilities = probabilities * (1.0 - label_smoothing) + label_smoothing / classes
    log_p = ops.log_softmax(logits, -1)
    return reduced("cross_entropy", -((log_p if weight is None else log_p * weight) * probabilities).sum(-1), reduction)
