"""Losses that push scores apart by a margin. For `reduction` see `nn.functional.reduction`."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.functional.activation import logsigmoid
from tensorgrad.nn.functional.reduction import chosen, floating, must_be_1_or_2, pair, reduced, tensors, together
from tensorgrad.ops.gathering import one_hot
from tensorgrad.ops.rectifiers import softplus_op
from tensorgrad.tensor import Tensor


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The input, a distance, where the target is 1, and `max(0, margin - input)` where it is -1.

    Raises `ShapeError` where they do not broadcast.

    >>> import tensorgrad as tg
    >>> target = tg.tensor([1.0, -1.0])
    >>> tg.nn.functional.hinge_embedding_loss(tg.tensor([0.5, 0.25]), target, reduction="none")
    tensor([0.5000, 0.7500])
    """
    name = "hinge_embedding_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    tensors(name, input=input, target=target)
    floating(name, input=input)
    apart = ops.where(target != 1, ops.clamp(margin - input, min=0.0), 0.0)
    return reduced(name, apart + ops.where(target != -1, input, 0.0), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`max(0, margin - target * (input1 - input2))`: a target of 1 ranks the first higher, -1 the second.

    Raises `ShapeError` where the three differ in the number of dimensions, or do not broadcast.

    >>> import tensorgrad as tg
    >>> x1, x2 = tg.tensor([1.0, 1.0]), tg.tensor([3.0, 0.0])
    >>> tg.nn.functional.margin_ranking_loss(x1, x2, tg.tensor([1.0, 1.0]), reduction="none")
    tensor([2., 0.])
    """
    name = "margin_ranking_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    tensors(name, input1=input1, input2=input2, target=target)
    if not input1.ndim == input2.ndim == target.ndim or not together(input1, input2, target):
        raise ShapeError(
            f"{name}: inputs and target must have one shape, got {input1.shape}, {input2.shape} and {target.shape}"
        )
    return reduced(name, ops.clamp(margin - target * (input1 - input2), min=0.0), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`log(1 + exp(-target * input))` for targets of 1 and -1, without overflow.

    Raises `ShapeError` where the shapes differ.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.soft_margin_loss(tg.tensor([0.0, 2.0]), tg.tensor([1.0, -1.0]), reduction="none")
    tensor([0.6931, 2.1269])
    """
    name = "soft_margin_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    pair(name, input, target, broadcast=False)
    return reduced(name, softplus_op(-target * input, beta=1.0, threshold=math.inf), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean over classes (the last dimension) of the binary cross-entropy of logits against targets of 0 and 1.

    `weight` scales the classes. Raises `ShapeError` where the shapes do not fit.

    >>> import tensorgrad as tg
    >>> logits, target = tg.tensor([[0.0, 2.0]]), tg.tensor([[1.0, 1.0]])
    >>> tg.nn.functional.multilabel_soft_margin_loss(logits, target)
    tensor(0.4100)
    """
    name = "multilabel_soft_margin_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    tensors(name, input=input, target=target)
    floating(name, input=input)
    if not input.ndim or not together(input, target):
        raise ShapeError(
            f"{name}: input must be (..., C), of the target's shape, got {input.shape} and target {target.shape}"
        )
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduced(name, (loss if weight is None else loss * weight).mean(-1), reduction)


def _rows(name: str, input: Tensor, target: Tensor, wanted: tuple[tuple[int, ...], ...]) -> None:
    """Check scores (N, C) or (C), and class indices of one of the wanted shapes."""
    tensors(name, input=input, target=target)
    floating(name, input=input)
    if target.dtype.kind not in "iu":
        raise DtypeError(f"{name}: class indices must be integers, not {target.dtype.name}; convert with .long()")
    if input.ndim not in (1, 2) or not input.shape[-1] or target.shape not in wanted:
        shapes = " or ".join(map(str, wanted))
        raise ShapeError(
            f"{name}: scores must be (N, C) or (C), with a class or more, and the target of shape {shapes}, got "
            f"{input.shape} and target {target.shape}"
        )


def _in_range(name: str, target: Tensor, classes: int, low: int = 0) -> None:
    if target.numel() and not low <= int(target.min()) <= int(target.max()) < classes:
        raise IndexError(
            f"{name}: the target holds {int(target.min())} to {int(target.max())}, and there are {classes} classes, "
            f"0 to {classes - 1}" + (" (-1 ends a list)" if low else "")
        )


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The sum over the other classes i of `max(0, margin - input[target] + input[i]) ** p`, over C: one per sample.

    Scores are (N, C) or (C), class indices (N) or (); `p` is 1 or 2; `weight` (C) scales the samples by their class.
    Raises `IndexError` for a class out of range, `ShapeError` and `DtypeError` for what does not fit.

    >>> import tensorgrad as tg
    >>> scores = tg.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> tg.nn.functional.multi_margin_loss(scores, tg.tensor([3]))
    tensor(0.3250)
    """
    name = "multi_margin_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    must_be_1_or_2(name, p)
    wanted = ((input.shape[0],),) if getattr(input, "ndim", 0) == 2 else ((), (1,))
    _rows(name, input, target, wanted)
    classes = input.shape[-1]
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(f"{name}: weight must have shape {(classes,)}, one for each class, and has {weight.shape}")
    _in_range(name, target, classes)
    index = target.long().reshape(-1, 1)
    scores = input.reshape(-1, classes)
    behind = ops.relu(margin - ops.gather(scores, 1, index) + scores)
    if p == 2:
        behind = ops.square(behind)
    if weight is not None:
        behind = behind * weight[index]
    loss = ops.where(one_hot(index.squeeze(1), classes) == 1, 0.0, behind).mean(1)
    return reduced(name, loss.reshape(target.shape), reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The sum of `max(0, 1 - input[j] + input[i])` over classes j of the target and i of the others, over C.

    Scores are (N, C) or (C); the target, of that shape, lists class indices in each row, up to the first -1. Raises
    `IndexError` for a class out of range, `ShapeError` and `DtypeError` for what does not fit.

    >>> import tensorgrad as tg
    >>> scores, target = tg.tensor([[0.1, 0.2, 0.4, 0.8]]), tg.tensor([[3, 0, -1, 1]])
    >>> tg.nn.functional.multilabel_margin_loss(scores, target)
    tensor(0.8500)
    """
    name = "multilabel_margin_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    _rows(name, input, target, (getattr(input, "shape", ()),))
    classes = input.shape[-1]
    _in_range(name, target, classes, low=-1)
    scores, labels = input.reshape(-1, classes), target.long().reshape(-1, classes)
    listed = ops.cumsum(labels < 0, 1) == 0
    safe = ops.where(listed, labels, 0)
    among = (one_hot(safe, classes) * listed.unsqueeze(2)).sum(1) > 0
    behind = ops.relu(1.0 - ops.gather(scores, 1, safe).unsqueeze(2) + scores.unsqueeze(1))
    counts = listed.unsqueeze(2) & ~among.unsqueeze(1)
    loss = ops.where(counts, behind, 0.0).sum((1, 2)) / classes
    return reduced(name, loss.reshape(input.shape[:-1]), reduction)
