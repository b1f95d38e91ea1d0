"""Precision, recall and F1: counts of each class, and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array, Metric, array, decided, has_classes, in_rows, labels_of, truths, weights_of

AVERAGES = ("binary", "macro", "micro", "weighted")


class _Counts(Metric):
    """How often each class was predicted rightly, was predicted, and was the target."""

    def __init__(self, average: str | None = None, *, threshold: float = 0.5, name: str | None = None) -> None:
        if average is not None and average not in AVERAGES:
            known = ", ".join(map(repr, AVERAGES))
            raise ValueError(f"{type(self).__name__}: average must be one of {known}, or None, not {average!r}")
        self.average = average
        self.threshold = threshold
        super().__init__(name=name)

    def reset(self) -> None:
        """Forget all examples."""
        self.classes: int | None = None

    def update(self, predictions: Any, targets: Any, sample_weight: Any = None) -> None:
        """Take in a batch, with a weight per example or all alike."""
        predictions, targets, sample_weight = in_rows(self, array(predictions), array(targets), sample_weight)
        if has_classes(predictions) or predictions.ndim > 2:
            labels, chosen = labels_of(self, predictions, targets), decided(predictions)
            classes = predictions.shape[1]
        else:
            predictions, targets = truths(self, predictions, targets)
            labels, classes = targets.reshape(-1).astype(np.int64, copy=False), 2
            yes, no = predictions > self.threshold, predictions <= self.threshold
            chosen = np.where(yes, 1, np.where(no, 0, -1)).reshape(-1)
        if not len(labels):
            return
        if self.classes is None:
            self._start(classes)
        elif classes != self.classes:
            raise ShapeError(f"{type(self).__name__}: predictions of {classes} classes follow some of {self.classes}")
        weights = None if sample_weight is None else weights_of(self, sample_weight, len(labels))
        right: Array = labels == chosen
        self.right += np.bincount(labels, right if weights is None else right * weights, classes)
        self.actual += np.bincount(labels, weights, classes)
        self.predicted += np.bincount(chosen + 1, weights, classes + 1)[1:]
        self.seen[labels] = self.seen[chosen] = True

    def _start(self, classes: int) -> None:
        if self.average == "binary" and classes > 2:
            raise ShapeError(
                f"{type(self).__name__}: average='binary' is for two classes, and predictions have {classes}; choose "
                f"'macro', 'micro' or 'weighted'"
            )
        self.classes = classes
        self.right, self.actual, self.predicted = np.zeros((3, classes))
        self.seen = np.zeros(classes + 1, bool)  # the last place, -1, is of the predictions that are NaN

    def compute(self) -> float:
        """The metric over all examples since the last `reset`; NaN if there were none."""
        if self.classes is None:
            return float("nan")
        average = self.average or ("binary" if self.classes == 2 else "macro")
        counts = self.right, self.predicted, self.actual
        if average == "binary":
            return float(self.ratio(*(count[1] for count in counts)))
        if average == "micro":
            return float(self.ratio(*(count.sum() for count in counts)))
        ratios = self.ratio(*counts)
        if average == "macro":
            return float(ratios[self.seen[:-1]].mean())
        return float(_divided(ratios @ self.actual, self.actual.sum()))

    @staticmethod
    def ratio(right: Any, predicted: Any, actual: Any) -> Any:
        """The metric of classes by their counts."""
        raise NotImplementedError


def _divided(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=np.asarray(b) != 0)


class Precision(_Counts):
    """The share of predictions of a class that are right; 0 for a class that is never predicted.

    Predictions are probabilities (n, classes), decided by the largest, with targets (n,) or one-hot; or the probability
    of 1, (n,) or (n, 1), decided by `threshold`, with targets 0 or 1; where an example can have several labels at once,
    put the metric into `EachOutput`. Of predictions (n, classes, d1, ...) with targets (n, d1, ...) each place counts
    as an example. An example with a NaN counts as predicted as nothing. `average` is scikit-learn's: "binary", of class
    1 of two; "macro", the mean over the classes that occur; "weighted", that mean by how often each is the target;
    "micro", of all classes' counts together. By default it is "binary" for two classes and "macro" for more.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.Precision()
    >>> metric.update(tg.tensor([0.9, 0.8, 0.2, 0.6]), tg.tensor([1, 0, 1, 1]))
    >>> round(metric.compute(), 4)
    0.6667
    """

    @staticmethod
    def ratio(right: Any, predicted: Any, actual: Any) -> Any:
        """The precision of classes by their counts."""
        return _divided(right, predicted)


class Recall(_Counts):
    """The share of a class's examples that are predicted as it; 0 for a class without any. Else as `Precision`.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.Recall(average="macro")
    >>> metric.update(tg.tensor([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]]), tg.tensor([0, 1, 1]))
    >>> metric.compute()
    0.75
    """

    @staticmethod
    def ratio(right: Any, predicted: Any, actual: Any) -> Any:
        """The recall of classes by their counts."""
        return _divided(right, actual)


class F1(_Counts):
    """The harmonic mean of precision and recall; 0 for a class that is neither predicted nor there. As `Precision`.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.F1()
    >>> metric.update(tg.tensor([0.9, 0.8, 0.2, 0.6]), tg.tensor([1, 0, 1, 1]))
    >>> round(metric.compute(), 4)
    0.6667
    """

    @staticmethod
    def ratio(right: Any, predicted: Any, actual: Any) -> Any:
        """The F1 of classes by their counts."""
        return _divided(2 * right, predicted + actual)
