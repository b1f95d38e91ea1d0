"""The loss of connectionist temporal classification."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.creation import arange, tensor
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.functional.reduction import reduced, tensors
from tensorgrad.ops.ctc import NEVER, ctc_alpha_op
from tensorgrad.tensor import Tensor


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """The negative log-probability of a target, over all its alignments with a sequence (Graves et al., ICML 2006).

    `log_probs` are (T, N, C) or (T, C), in float32 or float64; `targets` are classes, (N, S) or all of them one after
    another, and the lengths N ints each, or tensors of them. A mean is over the losses per label. A target that is too
    long for its sequence has an infinite loss, and NaN for a gradient; with `zero_infinity` both are 0. The gradient
    is that of `log_probs` proper: after `log_softmax` it is PyTorch's. Raises `ShapeError`, `DtypeError`, `ValueError`
    for lengths that do not fit, `IndexError` for a class out of range.

    >>> import tensorgrad as tg
    >>> log_probs = tg.full((2, 1, 3), 1 / 3).log()
    >>> tg.nn.functional.ctc_loss(log_probs, tg.tensor([[1]]), [2], [1])
    tensor(1.0986)
    """
    tensors("ctc_loss", log_probs=log_probs, targets=targets)
    if log_probs.dtype.name not in ("float32", "float64"):
        raise DtypeError(f"ctc_loss: log_probs must be float32 or float64, not {log_probs.dtype.name}; use .float()")
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"ctc_loss: log_probs must be (T, N, C) or (T, C), and have shape {log_probs.shape}")
    scores = log_probs if log_probs.ndim == 3 else log_probs.unsqueeze(1)
    times, batch, classes = scores.shape
    if not 0 <= blank < classes:
        raise IndexError(f"ctc_loss: blank must be one of the {classes} classes, 0 to {classes - 1}, not {blank}")
    ends = _lengths("input_lengths", input_lengths, batch, times)
    counts = _lengths("target_lengths", target_lengths, batch, targets.shape[-1] if targets.ndim == 2 else None)
    labels = _states(targets, counts, classes, blank)
    skips = labels != ops.roll(labels, 2, 1)  # past a blank, between different labels,
    skips[:, :2] = tensor([False, True])[: labels.shape[1]]  # and from the start to the first label
    emissions = ops.gather(scores, 2, labels.unsqueeze(0).expand(times, -1, -1))
    if batch and int(ends.min()) < times:  # what comes after the end may be anything
        running = arange(times).unsqueeze(1) < ends
        emissions = ops.where(running.unsqueeze(2), emissions, 0.0)
    alpha = ctc_alpha_op(emissions, skips)
    rows = arange(batch)
    last = 2 * counts + 2  # in columns, of which two come before the states
    total = ops.logsumexp(ops.stack([alpha[ends, rows, last], alpha[ends, rows, last - 1]]), 0)
    impossible = total < 0.5 * NEVER
    if zero_infinity:
        loss = ops.where(impossible, 0.0, -total)
    else:
        loss = -total * ops.where(impossible, math.inf, 1.0).to(total.dtype)
    if log_probs.ndim == 2:
        loss, counts = loss.squeeze(0), counts.squeeze(0)
    if reduction == "mean":
        loss = loss / counts.clamp(min=1)
    return reduced("ctc_loss", loss, reduction)


def _lengths(what: str, given: Any, batch: int, most: int | None) -> Tensor:
    """Lengths as an int64 vector, one for each sequence. Raises where they do not fit."""
    lengths = given if isinstance(given, Tensor) else tensor(given)
    if lengths.numel() and lengths.dtype.kind not in "iu":
        raise DtypeError(f"ctc_loss: {what} must be integers, not {lengths.dtype.name}")
    lengths = lengths.long().reshape(-1)
    if len(lengths) != batch:
        raise ShapeError(f"ctc_loss: {what} must hold {batch}, one for each sequence, and holds {len(lengths)}")
    if batch:
        low, high = int(lengths.min()), int(lengths.max())
        if low < 0 or (most is not None and high > most):
            limit = "0 or more" if most is None else f"0 to {most}"
            raise ValueError(f"ctc_loss: {what} are {low} to {high}, and must be {limit}")
    return lengths


def _states(targets: Tensor, counts: Tensor, classes: int, blank: int) -> Tensor:
    """The classes of the states of each sequence: its labels, with blanks before, between and after, and for pads."""
    if targets.dtype.kind not in "iu":
        raise DtypeError(f"ctc_loss: targets must be integers, not {targets.dtype.name}; convert with .long()")
    batch = len(counts)
    longest = int(counts.max()) if batch else 0
    places = arange(longest)
    given = places < counts.unsqueeze(1)
    if targets.ndim == 2 and len(targets) == batch:
        labels = targets[:, :longest].long()
    elif targets.ndim == 1 and len(targets) == int(counts.sum()):
        index = (counts.cumsum(0) - counts).unsqueeze(1) + places
        labels = targets.long()[ops.where(given, index, 0)] if len(targets) else index
    else:
        raise ShapeError(
            f"ctc_loss: targets must be (N, S), here N = {batch}, or ({int(counts.sum())}), the sum of their lengths, "
            f"and have shape {targets.shape}"
        )
    labels = ops.where(given, labels, blank)
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise IndexError(
            f"ctc_loss: targets hold {int(labels.min())} to {int(labels.max())}, and there are {classes} classes, 0 to "
            f"{classes - 1}"
        )
    blanks = labels * 0 + blank
    return ops.cat([ops.stack([blanks, labels], 2).reshape(batch, -1), counts.unsqueeze(1) * 0 + blank], 1)
