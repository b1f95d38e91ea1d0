"""The area under the ROC curve: how well examples are put in order, at no threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array, Metric, array, has_classes, in_rows, labels_of, truths, weights_of


class AUC(Metric):
    """The area under the ROC curve: how often a positive example is given a higher probability than a negative one.

    Equal ones count by half (Hanley and McNeil, 1982). Predictions are probabilities of 1, or anything that grows with
    them, (n,) or (n, 1), with targets 0 or 1; or probabilities (n, classes) with targets (n,) or one-hot, or those of
    each place, (n, classes, d1, ...) with (n, d1, ...): of two classes the second is the positive one, and of more the
    area is the mean over the classes that occur, each against all others, as scikit-learn's `roc_auc_score` has it with
    `multi_class="ovr"`. It is NaN where one side has no examples, or where a prediction is NaN. All predictions are
    kept until `reset`, since their order is what counts. Raises `ShapeError` for shapes that do not fit, `ValueError`
    for other targets.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.AUC()
    >>> metric.update(tg.tensor([0.9, 0.4]), tg.tensor([1, 0]))
    >>> metric.update(tg.tensor([0.3, 0.2]), tg.tensor([1, 0]))
    >>> metric
    AUC(auc: 0.75)
    """

    name = "auc"

    def reset(self) -> None:
        """Forget all examples."""
        self.scores: list[Array] = []
        self.positive: list[Array] = []
        self.weights: list[Array] = []

    def update(self, predictions: Any, targets: Any, sample_weight: Any = None) -> None:
        """Take in a batch, with a weight per example or all alike."""
        predictions, targets, sample_weight = in_rows(self, array(predictions), array(targets), sample_weight)
        if has_classes(predictions):
            classes = predictions.shape[1]
            positive = labels_of(self, predictions, targets)[:, None] == np.arange(classes)
            if classes == 2:
                predictions, positive = predictions[:, 1:], positive[:, 1:]
        else:
            predictions, targets = truths(self, predictions, targets)
            if predictions.size != len(predictions):
                raise ShapeError(
                    f"AUC: predictions must be (n,), (n, 1) or (n, classes), and have shape {predictions.shape}; where "
                    f"every output is a case by itself, use EachOutput"
                )
            predictions, positive = predictions.reshape(-1, 1), targets.reshape(-1, 1).astype(bool)
        n, width = predictions.shape
        if not n:
            return
        if self.scores and self.scores[0].shape[1] != width:
            raise ShapeError(f"AUC: predictions of width {width} follow some of width {self.scores[0].shape[1]}")
        weights = np.ones(n) if sample_weight is None else weights_of(self, sample_weight, n)
        self.scores.append(predictions.copy())
        self.positive.append(positive)
        self.weights.append(weights.copy())

    def compute(self) -> float:
        """The area over all examples since the last `reset`."""
        if not self.scores:
            return float("nan")
        weights = np.concatenate(self.weights)
        columns = zip(np.concatenate(self.scores).T, np.concatenate(self.positive).T)
        areas = [_area(scores, positive, weights) for scores, positive in columns if positive.any()]
        return float(np.mean(areas)) if areas else float("nan")


def _area(scores: Array, positive: Array, weights: Array) -> float:
    if np.isnan(scores).any():
        return float("nan")
    _, rank = np.unique(scores, return_inverse=True)
    above = np.bincount(rank, weights * positive)
    below = np.bincount(rank, weights * ~positive)
    pairs = above.sum() * below.sum()
    lower = np.cumsum(below) - below / 2
    return float(above @ lower / pairs) if pairs else float("nan")
