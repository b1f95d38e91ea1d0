"""Task: what a network does, as its output for a first batch tells."""

from __future__ import annotations

from typing import Any

from tensorgrad import nn, ops
from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array
from tensorgrad.nn.modes import computing_dtype, evaluating
from tensorgrad.nn.module import Module
from tensorgrad.train.batches import Batch
from tensorgrad.train.ending import Ending
from tensorgrad.train.targets import OF_CLASSES, Targets


class Task:
    """What a network ends in and which targets go with it, found out by running it on a batch of a few examples.

    `kind` and `ignored` are the loss's, and `names` the labels of an earlier fit. Raises `ValueError` where the ending
    does not go with the loss, and `ShapeError` where the output has not one row for each example.

    >>> import tensorgrad as tg
    >>> from tensorgrad.train.batches import Batch
    >>> from tensorgrad.train.task import Task
    >>> task = Task(tg.nn.Linear(2, 3), "categorical", Batch((tg.zeros(2, 2),), None, None, 2), None)
    >>> task.name, task.ending.kind, task.inputs
    ('multiclass', '', [((2,), dtype('float32'))])
    """

    def __init__(
        self, module: Module, kind: str, batch: Batch, names: Array | None, ignored: int | None = None
    ) -> None:
        if isinstance(module, nn.Sequential) and not len(module):
            raise ValueError("the network has no layers; add some first")
        try:
            with evaluating(module):
                self.ending = Ending(module, *batch.inputs)
            self._check(kind, self.ending.shape, batch.size)
        except ShapeError as error:
            if any(x.ndim == 1 for x in batch.inputs):
                error.add_note("X has one number for each example; X.reshape(-1, 1) makes a column of them")
            else:
                tried = ", ".join(str(tuple(x.shape)) for x in batch.inputs)
                error.add_note(f"The network was tried on the first {batch.size} examples, of shape {tried}")
            raise
        shape = self.ending.shape
        self.targets = Targets(kind, shape[1:], computing_dtype(module), names, ignored)
        self.inputs: list[tuple[tuple[int, ...], Any]] = [(tuple(x.shape[1:]), x.dtype) for x in batch.inputs]

    @property
    def name(self) -> str:
        """The task of `Targets`."""
        return self.targets.task

    def _check(self, kind: str, shape: tuple[int, ...], examples: int) -> None:
        if kind != "custom" and (not shape or shape[0] != examples):
            raise ShapeError(
                f"the network gives an output of shape {shape} for {examples} examples; its first dimension must be "
                f"theirs"
            )
        if kind == "categorical" and self.ending.kind == "sigmoid":
            raise ValueError(
                "the network ends in a sigmoid, and categorical cross-entropy wants a softmax or logits; where several "
                "classes can be true at once, use 'binary_crossentropy'"
            )
        if kind == "binary" and self.ending.kind in ("softmax", "log_softmax"):
            width = shape[1] if len(shape) > 1 else 1
            raise ValueError(
                "the network ends in a softmax over a single output, which is always 1: end in a sigmoid or in logits"
                if width == 1
                else f"the network ends in a softmax over {width} classes: use 'sparse_categorical_crossentropy', or a "
                f"single output with 'binary_crossentropy'"
            )

    def probabilities(self, output: Array) -> Array:
        """What the model predicts, from the network's output: probabilities for classes, else the values."""
        if self.ending.kind in ("softmax", "sigmoid") or self.name not in OF_CLASSES:
            return output
        if self.name == "multiclass":
            return ops.softmax(output, 1)
        return ops.sigmoid(output)
