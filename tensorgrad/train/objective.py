"""Losses by name or as objects, in a form that takes what the network puts out, whether logits or probabilities."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import nn
from tensorgrad.errors import ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.tensor import Tensor


def _log_cosh(input: Tensor, target: Tensor, reduction: str = "mean") -> Any:
    x = (input - target).abs()
    loss = x + F.softplus(-2.0 * x) - float(np.log(2.0))
    return loss.mean() if reduction == "mean" else loss


_NAMED: dict[str, tuple[str, Callable[..., Any]]] = {
    "categorical_crossentropy": ("categorical", F.cross_entropy),
    "binary_crossentropy": ("binary", F.binary_cross_entropy_with_logits),
    "mse": ("regression", F.mse_loss),
    "mae": ("regression", F.l1_loss),
    "huber": ("regression", F.huber_loss),
    "log_cosh": ("regression", _log_cosh),
}
_ALIASES = {
    "sparse_categorical_crossentropy": "categorical_crossentropy",
    "cross_entropy": "categorical_crossentropy",
    "cce": "categorical_crossentropy",
    "crossentropy": "categorical_crossentropy",
    "bce": "binary_crossentropy",
    "binary_cross_entropy": "binary_crossentropy",
    "log_loss": "binary_crossentropy",
    "mean_squared_error": "mse",
    "squared_error": "mse",
    "mean_absolute_error": "mae",
    "l1": "mae",
    "logcosh": "log_cosh",
}
_KINDS = {nn.CrossEntropyLoss: "categorical", nn.NLLLoss: "categorical", nn.BCEWithLogitsLoss: "binary"}
_KINDS |= {nn.BCELoss: "binary"}
_KINDS |= dict.fromkeys((nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss), "regression")
_FUNCTIONS = {
    "categorical": (F.cross_entropy,),
    "binary": (F.binary_cross_entropy_with_logits,),
    "regression": (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss),
}


class Objective:
    """A loss, and what kind of task it says that the labels are for.

    `kind` is "categorical" (one of several classes), "binary" (yes or no, once or for each of several outputs),
    "regression", or "custom" for a function of one's own, which is given the network's output and the targets, in its
    shape where they have as many elements. The first two are computed from logits. `ignored` is the label that a loss
    of classes leaves out, its `ignore_index`; None for a loss by name.

    >>> from tensorgrad.train.objective import Objective
    >>> Objective("sparse_categorical_crossentropy").kind
    'categorical'
    """

    def __init__(self, loss: Any) -> None:
        self.given = loss
        if isinstance(loss, str):
            name = loss.lower().replace("-", "_").replace(" ", "_")
            name = _ALIASES.get(name, name)
            if name not in _NAMED:
                near = difflib.get_close_matches(name, [*_NAMED, *_ALIASES], 1)
                raise ValueError(
                    f"compile: there is no loss {loss!r}"
                    + (f"; did you mean {near[0]!r}?" if near else ".")
                    + f" The names are {', '.join(map(repr, [*_NAMED, *_ALIASES]))}; or give a loss of tensorgrad.nn, "
                    f"or a function (output, target) -> loss"
                )
            self.name = name
            self.kind, self._function = _NAMED[name]
        elif isinstance(loss, type) or not callable(loss):
            hint = f": write {loss.__name__}()" if isinstance(loss, type) else ""
            raise TypeError(
                f"compile: loss must be a name, a loss such as nn.CrossEntropyLoss() or a function, not {loss!r}{hint}"
            )
        else:
            self.name = getattr(loss, "__name__", type(loss).__name__)
            self.kind = next((kind for kind, known in _FUNCTIONS.items() if loss in known), "")
            self._function = loss
            if not self.kind:
                self.kind = _KINDS.get(type(loss), "custom")
                self._function = _of(loss)
        self.ignored: int | None = None
        if self.kind == "categorical" and not isinstance(loss, str):
            self.ignored = getattr(loss, "ignore_index", -100)  # of a function its default

    def __call__(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The loss of a batch; with weights of the examples, that of each is multiplied by its own beforehand."""
        if weight is None:
            loss = self._function(output, target)
            if not isinstance(loss, Tensor) or (loss.ndim and loss.numel() != 1):
                got = f"shape {loss.shape}" if isinstance(loss, Tensor) else type(loss).__name__
                raise ShapeError(f"the loss {self.name} must give one number as a Tensor, and gave {got}; see .mean()")
            return loss if not loss.ndim else loss.reshape(())
        losses = self._function(output, target, reduction="none")
        if not losses.ndim or len(losses) != len(weight):
            raise ShapeError(f"the loss {self.name} must give a loss for each example, and gave shape {losses.shape}")
        total = (losses.reshape(len(weight), -1).sum(1) * weight).sum()
        if getattr(self.given, "reduction", "mean") == "sum":
            return total
        counted = self._count(target._data)
        return total / (losses.numel() if counted is None else counted)

    def _count(self, target: Any) -> Any:
        """How many losses the mean is over: none for labels that are left out, for others the weight of their class.

        None where each counts as one.
        """
        if self.ignored is None or target.dtype.kind == "f":
            return None
        labels = target[target != self.ignored]
        by_class = getattr(self.given, "weight", None)
        return labels.size if by_class is None else by_class._data[labels].sum()

    def share(self, batch: Any) -> float:
        """By how much the loss of a batch counts in the mean over several."""
        if self.ignored is None:
            return batch.size
        of_sum = getattr(self.given, "reduction", "mean") == "sum"
        counted = None if of_sum or batch.target is None else self._count(batch.target)
        return batch.size if counted is None else float(counted)


def _of(loss: Any) -> Callable[..., Any]:
    """The function of a loss object, with `reduction="none"` where weights need the loss of each example."""
    if isinstance(loss, nn.BCELoss):  # of logits, which it does not need to be told apart from probabilities for
        own = loss

        def binary(output: Tensor, target: Tensor, reduction: str | None = None) -> Any:
            reduction = reduction or own.reduction
            return F.binary_cross_entropy_with_logits(output, target, own.weight, reduction=reduction)

        return binary
    from_log = isinstance(loss, nn.NLLLoss)
    each: Any = None
    if isinstance(getattr(loss, "reduction", None), str):
        each = copy.copy(loss)
        each.reduction = "none"

    def function(output: Tensor, target: Tensor, reduction: str | None = None) -> Any:
        if reduction is not None and each is None:
            name = getattr(loss, "__name__", type(loss).__name__)
            raise TypeError(
                f"class_weight and sample_weight need the loss of each example, and {name} gives that of a batch; use "
                f"a loss by its name or one of tensorgrad.nn, or weigh inside the function"
            )
        return (loss if reduction is None else each)(output.log_softmax(1) if from_log else output, target)

    return function
