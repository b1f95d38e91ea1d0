"""Metrics: what training reports, exact over batches of any size."""

from tensorgrad.metrics.accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, TopKAccuracy
from tensorgrad.metrics.base import Mean, Metric
from tensorgrad.metrics.naming import get
from tensorgrad.metrics.precision import F1, Precision, Recall
from tensorgrad.metrics.regression import R2, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError

__all__ = [
    "F1",
    "R2",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
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
