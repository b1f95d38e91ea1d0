"""The loop: an epoch of training, and the evaluation of a network, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad import nn, optim
from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.modes import no_grad
from tensorgrad.nn.modes import evaluating
from tensorgrad.nn.module import Module
from tensorgrad.optim import Optimizer
from tensorgrad.tensor import Tensor
from tensorgrad.train.batches import Batch
from tensorgrad.train.callbacks.base import Callbacks
from tensorgrad.train.objective import Objective
from tensorgrad.train.options import Penalties
from tensorgrad.train.task import Task


class _Stopped(Exception):
    """A step was given up, because the fit is to stop."""


class Meter:
    """The mean loss over the examples so far, and the metrics over them.

    The metrics are given what the model predicts, and are computed over all examples, not averaged over batches.
    """

    def __init__(self, metrics: list[Any], task: Task, objective: Objective) -> None:
        self.metrics, self.task, self.objective = metrics, task, objective
        self.total = self.share = 0.0
        for metric in metrics:
            metric.reset()

    def update(self, loss: float, output: Tensor, batch: Batch) -> None:
        """Count a batch."""
        share = self.objective.share(batch)
        if share:  # of a batch that the loss leaves out as a whole there is no mean
            self.total += loss * share
            self.share += share
        if self.metrics:
            predictions, target, _ = self.task.targets.counted(self.task.probabilities(output._data), batch.target)
            for metric in self.metrics:
                metric.update(predictions, target)

    def logs(self) -> dict[str, float]:
        """The numbers by name; the loss includes the penalties."""
        loss = self.total / self.share if self.share else math.nan
        return {"loss": loss} | {metric.name: metric.compute() for metric in self.metrics}


class Loop:
    """Everything that a step of training needs, put together once for a fit.

    A step is: clear the gradients, compute the loss of a batch, walk back from it, clip, and let the optimizer step.
    With `accumulate` above 1 the optimizer steps once for that many batches, with the gradient of the mean loss of all
    their examples.
    """

    def __init__(
        self,
        module: Module,
        objective: Objective,
        task: Task,
        metrics: list[Any],
        penalties: Penalties,
        optimizer: Optimizer | None = None,
        schedule: Any = None,
        frozen: Iterable[Module] = (),
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
    ) -> None:
        self.module, self.objective, self.task, self.metrics = module, objective, task, metrics
        self.penalties, self.optimizer, self.schedule, self.frozen = penalties, optimizer, schedule, list(frozen)
        self.clip_norm, self.clip_value, self.accumulate = clip_norm, clip_value, accumulate
        self.parameters = [p for p in module.parameters() if p.requires_grad]

    def epoch(self, batches: Iterable[Batch], callbacks: Callbacks) -> dict[str, float]:
        """Train on each batch once; return the loss and the metrics as they were on the way."""
        self.module.train()
        for layer in self.frozen:
            layer.eval()
        meter = Meter(self.metrics, self.task, self.objective)
        whole = isinstance(self.optimizer, optim.LBFGS)
        waiting: list[tuple[int, float]] = []
        with self.task.ending.watching():
            for i, batch in enumerate(batches):
                callbacks.tell("on_train_batch_begin", i)
                if whole:
                    loss, output = self._step_with_closure(batch, callbacks, i)
                    meter.update(loss, output, batch)
                else:
                    loss, output = self._gradients(batch, bool(waiting))
                    meter.update(loss, output, batch)  # before the step: what is wrong with metrics spoils nothing
                    waiting.append((batch.size, loss))
                    if len(waiting) == self.accumulate:
                        self._step(waiting, callbacks, i)
                callbacks.tell("on_train_batch_end", i, {"loss": loss})
                if callbacks.model.stop_training:
                    break
            if waiting:
                self._step(waiting, callbacks, i)
        return self._with_penalty(meter.logs())

    def _loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss with the penalties, and the output behind it."""
        output = self.module(*batch.inputs)
        weight = None if batch.weight is None else wrap(batch.weight)
        target: Any = None if batch.target is None else wrap(batch.target)
        of_values = self.objective.kind in ("regression", "custom")
        loss = self.objective(output if of_values else self.task.ending.logits(output), target, weight)
        return (loss + self.penalties() if self.penalties else loss), output

    def _gradients(self, batch: Batch, more: bool) -> tuple[float, Tensor]:
        if not more:
            self.module.zero_grad()
        loss, output = self._loss(batch)
        # In accumulating, a batch counts for as many examples as it has.
        (loss * float(batch.size) if self.accumulate > 1 else loss).backward()
        return loss.item(), output

    def _step(self, waiting: list[tuple[int, float]], callbacks: Callbacks, i: int) -> None:
        assert self.optimizer is not None
        examples = sum(size for size, _ in waiting)
        loss = waiting[0][1] if len(waiting) == 1 else sum(size * loss for size, loss in waiting) / examples
        if self.accumulate > 1:
            for p in self.parameters:
                if p._grad is not None:
                    np.divide(p._grad._data, examples, out=p._grad._data)
        waiting.clear()
        callbacks.tell("on_gradients", i, {"loss": loss})
        if callbacks.model.stop_training:
            return
        self._clip()
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()

    def _clip(self) -> None:
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        if self.clip_value is not None:
            nn.utils.clip_grad_value_(self.parameters, self.clip_value)

    def _step_with_closure(self, batch: Batch, callbacks: Callbacks, i: int) -> tuple[float, Tensor]:
        """A step of an optimizer that evaluates the loss as often as it likes; the first evaluation is reported."""
        seen: list[tuple[float, Tensor]] = []

        def closure() -> Tensor:
            self.module.zero_grad()
            loss, output = self._loss(batch)
            loss.backward()
            if not seen:
                callbacks.tell("on_gradients", i, {"loss": loss.item()})
            seen.append((loss.item(), output))
            if callbacks.model.stop_training:
                raise _Stopped
            self._clip()
            return loss

        assert self.optimizer is not None
        try:
            self.optimizer.step(closure)
        except _Stopped:
            return seen[0]
        if self.schedule is not None:
            self.schedule.step()
        return seen[0]

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The loss and the metrics over all batches, in evaluation mode."""
        meter = Meter(self.metrics, self.task, self.objective)
        with evaluating(self.module), no_grad(), self.task.ending.watching():
            for batch in batches:
                loss, output = self._loss(batch)
                meter.update(loss.item(), output, batch)
        return meter.logs()

    def _with_penalty(self, logs: dict[str, float]) -> dict[str, float]:
        """The numbers of an epoch, and what of its loss at the end is penalties."""
        if not self.penalties:
            return logs
        with no_grad():
            return {"loss": logs.pop("loss"), "penalty": self.penalties().item(), **logs}


def all_finite(logs: dict[str, float]) -> bool:
    """Whether all losses are numbers."""
    return all(math.isfinite(value) for name, value in logs.items() if name.endswith("loss"))
