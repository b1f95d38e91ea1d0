"""Metrics: what training reports, exact over batches of any size.

Of tables and curves over all examples together, `confusion_matrix`, `classification_report`, `roc_curve` and
`roc_auc_score` are scikit-learn's own functions, which are imported when they are first used.
"""

from typing import Any

from tensorgrad.metrics.accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, TopKAccuracy
from tensorgrad.metrics.base import Mean, Metric
from tensorgrad.metrics.naming import get
from tensorgrad.metrics.outputs import EachOutput
from tensorgrad.metrics.precision import F1, Precision, Recall
from tensorgrad.metrics.ranking import AUC
from tensorgrad.metrics.regression import R2, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError
from tensorgrad.metrics.scikit_learn import of_scikit_learn

__all__ = [
    "AUC",
    "F1",
    "R2",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "EachOutput",
    "Mean",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "TopKAccuracy",
    "get",
]

_OF_SCIKIT_LEARN = ("classification_report", "confusion_matrix", "roc_auc_score", "roc_curve")


def __getattr__(name: str) -> Any:
    if name not in _OF_SCIKIT_LEARN:
        raise AttributeError(f"tensorgrad.metrics has no attribute {name!r}")
    return of_scikit_learn(name)
