"""Errors of predicted numbers, and the share of their variance that is explained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array, Mean, Metric, array, paired, weights_of


def _differences(metric: Metric, predictions: Array, targets: Array) -> Array:
    predictions, targets = paired(metric, predictions, targets)
    return np.subtract(predictions, targets, dtype=np.float64)


class MeanAbsoluteError(Mean):
    """The mean of |prediction - target| over examples and outputs.

    Predictions and targets have one shape, (n, ...); (n,) goes with (n, 1). Raises `ShapeError` for shapes that differ.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.MeanAbsoluteError()
    >>> metric.update(tg.tensor([1.0, 4.0]), tg.tensor([2.0, 2.0]))
    >>> metric.compute()
    1.5
    """

    def values(self, predictions: Array, targets: Array) -> Any:
        """The absolute errors."""
        return np.abs(_differences(self, predictions, targets))


class MeanSquaredError(Mean):
    """The mean of (prediction - target)² over examples and outputs. Shapes are those of `MeanAbsoluteError`.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.MeanSquaredError()
    >>> metric.update(tg.tensor([1.0, 4.0]), tg.tensor([2.0, 2.0]))
    >>> metric.compute()
    2.5
    """

    def values(self, predictions: Array, targets: Array) -> Any:
        """The squared errors."""
        return np.square(_differences(self, predictions, targets))


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared error, taken over examples and outputs together.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.RootMeanSquaredError()
    >>> metric.update(tg.tensor([1.0, 4.0]), tg.tensor([2.0, 2.0]))
    >>> round(metric.compute(), 4)
    1.5811
    """

    def compute(self) -> float:
        """The root of the mean over all examples since the last `reset`; NaN if there were none."""
        return math.sqrt(super().compute())


class R2(Metric):
    """The coefficient of determination: 1 - (squared errors) / (squared deviations of the targets from their mean).

    Of several outputs the mean is taken, as by scikit-learn's `r2_score`. An output whose targets are all the same
    gives 1 if it is predicted without error and 0 else; fewer than two examples give NaN. The sums are kept in float64
    about the mean so far, and merged by the formula of Chan, Golub and LeVeque (1979), so a large mean costs no digits.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.R2()
    >>> metric.update(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 3.0]))
    >>> metric.update(tg.tensor([5.0]), tg.tensor([5.0]))
    >>> metric.compute()
    0.875
    """

    def reset(self) -> None:
        """Forget all examples."""
        self.examples = 0
        self.outputs: int | None = None
        self.weight = 0.0
        self.mean = self.spread = self.residue = np.zeros(())

    def update(self, predictions: Any, targets: Any, sample_weight: Any = None) -> None:
        """Take in a batch, with a weight per example or all alike."""
        errors = _differences(self, array(predictions), array(targets))
        if not errors.size:
            return
        n = len(errors)
        errors = errors.reshape(n, -1)
        outputs = errors.shape[1]
        if outputs != (self.outputs or outputs):
            raise ShapeError(f"R2: predictions of {outputs} outputs follow some of {self.outputs}")
        weights = np.ones(n) if sample_weight is None else weights_of(self, sample_weight, n)
        self.examples += n
        self.outputs = outputs
        weight = float(weights.sum())
        if not weight:
            return
        y = array(targets).reshape(n, -1).astype(np.float64, copy=False)
        # About the first target, so that the mean of large numbers that hardly differ keeps their last digits.
        mean = y[0] + weights @ (y - y[0]) / weight
        step, total = mean - self.mean, self.weight + weight
        self.spread = self.spread + weights @ np.square(y - mean) + np.square(step) * (self.weight * weight / total)
        self.residue = self.residue + weights @ np.square(errors)
        self.mean = self.mean + step * (weight / total)
        self.weight = total

    def compute(self) -> float:
        """The metric over all examples since the last `reset`; NaN if there were fewer than two."""
        if self.examples < 2 or not self.weight:
            return float("nan")
        alike = np.where(self.residue == 0, 1.0, np.where(np.isnan(self.residue), np.nan, 0.0))
        varied = self.spread != 0
        ratio = np.divide(self.residue, self.spread, out=np.zeros_like(self.spread), where=varied)
        return float(np.where(varied, 1 - ratio, alike).mean())
