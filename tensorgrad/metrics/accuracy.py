"""Accuracies: the share of examples that are decided rightly."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.metrics.base import (
    Array,
    Mean,
    Metric,
    decided,
    has_classes,
    has_places,
    in_rows,
    labels_of,
    places_of,
    truths,
)
from tensorgrad.ops.checks import must_be_int


def _likeliest(metric: Metric, predictions: Array, targets: Array) -> Array:
    shape = places_of(predictions)
    predictions, targets, _ = in_rows(metric, predictions, targets)
    return (labels_of(metric, predictions, targets) == decided(predictions)).reshape(shape)


def _above(metric: Metric, predictions: Array, targets: Array, threshold: float) -> Array:
    predictions, targets = truths(metric, predictions, targets)
    return np.where(targets, predictions > threshold, predictions <= threshold)


class CategoricalAccuracy(Mean):
    """The share of examples whose likeliest class is the target.

    Predictions are probabilities (n, classes), or anything that grows with them, and targets classes (n,) or one-hot
    (n, classes); with more dimensions, predictions (n, classes, d1, ...) and targets (n, d1, ...), each example counts
    with the share of its places that are right. What has a NaN among its predictions is wrong. Raises `ShapeError` for
    other shapes, `IndexError` for a target that is not a class, `ValueError` for rows that are not one-hot.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.CategoricalAccuracy()
    >>> metric.update(tg.tensor([[0.1, 0.2, 0.7], [0.4, 0.5, 0.1]]), tg.tensor([2, 0]))
    >>> metric.compute()
    0.5
    """

    def values(self, predictions: Array, targets: Array) -> Any:
        """Whether each example is right."""
        return _likeliest(self, predictions, targets)


class BinaryAccuracy(Mean):
    """The share of predictions that lie on their target's side of `threshold`, above it for 1 and not for 0.

    Predictions are probabilities, and targets 0 or 1, of one shape: (n,) or (n, 1), or (n, labels) where an example can
    have several labels at once. A NaN is wrong. Raises `ShapeError` for shapes that differ and `ValueError` for other
    targets.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.BinaryAccuracy(threshold=0.6)
    >>> metric.update(tg.tensor([0.9, 0.5, 0.2, 0.1]), tg.tensor([1, 1, 0, 0]))
    >>> metric.compute()
    0.75
    """

    def __init__(self, threshold: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.threshold = threshold

    def values(self, predictions: Array, targets: Array) -> Any:
        """Whether each prediction is right."""
        return _above(self, predictions, targets, self.threshold)


class Accuracy(Mean):
    """The share of examples that are decided rightly, as the shape of the predictions demands.

    Predictions (n, classes), and (n, classes, d1, ...) with targets (n, d1, ...), are decided as by
    `CategoricalAccuracy`, and others, the probability of 1 in the shape of the targets, as by `BinaryAccuracy` with a
    threshold of 0.5. Where an example can have several labels at once use `BinaryAccuracy`: targets (n, classes) must
    be one-hot here.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.Accuracy()
    >>> metric.update(tg.tensor([0.9, 0.2]), tg.tensor([1, 0]))
    >>> metric.update(tg.tensor([[0.4], [0.7]]), tg.tensor([1, 0]))
    >>> metric.compute()
    0.5
    """

    def values(self, predictions: Array, targets: Array) -> Any:
        """Whether each example is right."""
        if has_classes(predictions) or (has_places(predictions) and targets.shape == places_of(predictions)):
            return _likeliest(self, predictions, targets)
        return _above(self, predictions, targets, 0.5)


class TopKAccuracy(Mean):
    """The share of examples whose target is among the `k` likeliest classes, those that come first among equals.

    Predictions and targets are those of `CategoricalAccuracy`. Raises `ValueError` for a `k` below 1 or
    above the number of classes, `TypeError` for one that is no int.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.TopKAccuracy(k=2)
    >>> metric.update(tg.tensor([[0.5, 0.2, 0.3], [0.6, 0.3, 0.1]]), tg.tensor([2, 2]))
    >>> metric.compute()
    0.5
    """

    def __init__(self, k: int = 5, *, name: str | None = None) -> None:
        must_be_int("TopKAccuracy", 1, k=k)
        super().__init__(name=name)
        self.k = k

    def values(self, predictions: Array, targets: Array) -> Any:
        """Whether each example's target is among the likeliest."""
        shape = places_of(predictions)
        predictions, targets, _ = in_rows(self, predictions, targets)
        labels = labels_of(self, predictions, targets)
        classes = predictions.shape[1]
        if self.k > classes:
            raise ValueError(f"TopKAccuracy: of {classes} classes {self.k} are never chosen; make k at most {classes}")
        own = predictions[np.arange(len(labels)), labels][:, None]
        ahead = (predictions > own) | ((predictions == own) & (np.arange(classes) < labels[:, None]))
        return ((np.count_nonzero(ahead, 1) < self.k) & (decided(predictions) >= 0)).reshape(shape)
