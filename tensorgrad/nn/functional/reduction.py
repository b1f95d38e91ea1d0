"""What losses share: how they are reduced, and the checks of their arguments.

`reduction` is "mean", "sum" or "none" (one loss per element, or per sample); anything else raises `ValueError`. The
arguments `size_average` and `reduce` are the older way to say it, as in PyTorch: they warn.
"""

from __future__ import annotations

import warnings
from typing import Any

from tensorgrad.autograd.graph import broadcasts
from tensorgrad.backends.cpu import broadcast_shapes
from tensorgrad.errors import ShapeError
from tensorgrad.ops.checks import must_be_tensors
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.tensor import Tensor


def chosen(name: str, reduction: str, size_average: Any, reduce: Any) -> str:
    """The reduction, by its name or by the older arguments."""
    if size_average is None and reduce is None:
        return reduction
    for given in (size_average, reduce):
        if isinstance(given, str):
            raise TypeError(f"{name}: size_average and reduce are bools; name the reduction, reduction={given!r}")
    older = "mean" if size_average is None or size_average else "sum"
    if reduce is not None and not reduce:
        older = "none"
    warnings.warn(f"{name}: size_average and reduce are deprecated; write reduction={older!r}", stacklevel=3)
    return older


def must_be_reduction(name: str, reduction: str, *more: str) -> None:
    """Raise `ValueError` unless the reduction is one of the three, or one of those that a loss has besides."""
    known = ("mean", "sum", "none", *more)
    if reduction not in known:
        names = f"{', '.join(map(repr, known[:-1]))} or {known[-1]!r}"
        raise ValueError(f"{name}: reduction must be {names}, not {reduction!r}")


def must_be_positive(name: str, margin: float) -> None:
    """Raise `ValueError` for a margin of 0 or less."""
    if margin <= 0:
        raise ValueError(f"{name}: margin must be positive, not {margin}")


def must_be_1_or_2(name: str, p: int) -> None:
    """Raise `ValueError` for another power of a margin."""
    if p not in (1, 2):
        raise ValueError(f"{name}: p must be 1 or 2, not {p}")


def reduced(name: str, loss: Any, reduction: str, weight: Any = None) -> Any:
    """The mean of losses, their sum, or all of them; of losses that were multiplied by a weight, the weighted mean."""
    if reduction == "mean":
        return loss.mean() if weight is None else loss.sum() / weight.sum()
    if reduction == "sum":
        return loss.sum()
    must_be_reduction(name, reduction)
    return loss


def tensors(name: str, **given: Any) -> None:
    """Check that arguments are tensors, and that one of them is floating."""
    must_be_tensors(name, **given)
    must_be_floating(name, *given.values(), what=" or ".join(given))


def pair(name: str, input: Any, target: Any, broadcast: bool = True) -> None:
    """Check that a loss gets two tensors of one shape: broadcasting is mostly a mistake, of which PyTorch warns."""
    tensors(name, input=input, target=target)
    if input.shape == target.shape:
        return
    text = f"{name}: input has shape {input.shape} and target {target.shape}"
    if not broadcast or not together(input, target):
        raise ShapeError(f"{text}; they must be equal: use .view_as(...) or .unsqueeze(...)")
    warnings.warn(
        f"{text}: they are broadcast, which is rarely meant; make them equal, with .view_as(...) or .squeeze(...)",
        stacklevel=3,
    )


def together(*given: Any) -> bool:
    """Whether tensors broadcast together."""
    try:
        broadcast_shapes(*(x.shape for x in given))
    except ValueError:
        return False
    return True


def floating(name: str, **given: Any) -> None:
    """Check that all of the arguments are floating."""
    for what, x in given.items():
        must_be_floating(name, x, what=what)


def weighted(name: str, loss: Any, input: Any, weight: Any) -> Any:
    """The losses times their weights, which have the input's shape."""
    if weight is None:
        return loss
    if not isinstance(weight, Tensor) or weight.shape != input.shape:
        got = getattr(weight, "shape", weight)
        raise ShapeError(f"{name}: weight must have the input's shape {input.shape}, not {got}")
    return loss * weight


def expands(name: str, what: str, weight: Any, input: Tensor) -> None:
    """Check that a weight broadcasts to the input, and does not make the loss larger."""
    if weight is None:
        return
    if not isinstance(weight, Tensor) or not broadcasts(weight.shape, input.shape):
        got = f"shape {weight.shape}" if isinstance(weight, Tensor) else type(weight).__name__
        raise ShapeError(f"{name}: {what} must be a Tensor that broadcasts to the input's {input.shape}, not {got}")
