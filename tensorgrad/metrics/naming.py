"""Metrics by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import numpy as np

from tensorgrad.metrics.accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, TopKAccuracy
from tensorgrad.metrics.base import Array, Mean, Metric, array
from tensorgrad.metrics.precision import F1, Precision, Recall
from tensorgrad.metrics.ranking import AUC
from tensorgrad.metrics.regression import R2, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError

NAMES: dict[str, type[Metric]] = {
    **{
        kind.name: kind
        for kind in (
            Accuracy,
            BinaryAccuracy,
            CategoricalAccuracy,
            TopKAccuracy,
            Precision,
            Recall,
            F1,
            AUC,
            MeanAbsoluteError,
            MeanSquaredError,
            RootMeanSquaredError,
            R2,
        )
    },
    "acc": Accuracy,
    "sparse_categorical_accuracy": CategoricalAccuracy,
    "top_k_categorical_accuracy": TopKAccuracy,
    "sparse_top_k_categorical_accuracy": TopKAccuracy,
    "f1_score": F1,
    "roc_auc": AUC,
    "mae": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "rmse": RootMeanSquaredError,
    "r2_score": R2,
}


_LARGER_IS_BETTER = re.compile(
    r"(top\d*)?(acc|accuracy|[a-z]*auc|auroc|auprc|aucpr|precision|recall|[fr]\d(score)?|score|(m|mean)?iou|dice|bleu)\d*"
)


def larger_is_better(name: str) -> bool:
    """Whether a number of this name is a score, as an accuracy is, rather than a loss or an error."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return any(_LARGER_IS_BETTER.fullmatch(word) for word in re.split(r"[^a-z0-9]+", f"{words} {name.lower()}"))


def get(metric: Any) -> Metric:
    """The metric of one of Keras's names, a class, a function, or a `Metric`, which is returned as it is.

    A metric by name is reported under that name. A function of two arrays, (predictions, targets), is reported under
    its own, and gives one value per example, or one number for a batch: such numbers are averaged by how many examples
    each batch has, and take no sample weights. Raises `ValueError` for an unknown name, `TypeError` for anything else.

    >>> from tensorgrad import metrics
    >>> metrics.get("mse")
    MeanSquaredError(mse: nan)
    >>> metrics.get("acuracy")
    Traceback (most recent call last):
        ...
    ValueError: metrics.get: there is no metric 'acuracy'; did you mean 'accuracy' or ...
    """
    if isinstance(metric, str):
        kind = NAMES.get(metric.lower())
        if kind is None:
            near = get_close_matches(metric.lower(), NAMES, 3, 0.6)
            meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
            raise ValueError(
                f"metrics.get: there is no metric {metric!r}{meant} The names are {', '.join(sorted(NAMES))}"
            )
        return kind(name=metric)
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, type) and issubclass(metric, Metric):
        return metric()
    if callable(metric):
        return _OfFunction(metric)
    raise TypeError(
        f"metrics.get: a metric is a name, a Metric, its class, or a function (predictions, targets), not "
        f"{type(metric).__name__}"
    )


class _OfFunction(Mean):
    """The mean over the examples of what a function says of them, or of their batch."""

    def __init__(self, function: Callable[[Array, Array], Any]) -> None:
        super().__init__(name=getattr(function, "__name__", type(function).__name__))
        self.function = function

    def update(self, predictions: Any, targets: Any, sample_weight: Any = None) -> None:
        """Take in a batch; a weight per example needs a function that gives a value per example."""
        predictions, targets = array(predictions), array(targets)
        values = array(self.function(predictions, targets))
        if not values.ndim:
            if sample_weight is not None:
                raise ValueError(
                    f"{self.name}: it gives one number for a batch, and sample_weight needs one value per example"
                )
            values = np.full(len(targets), values)
        self.add(values, sample_weight)
