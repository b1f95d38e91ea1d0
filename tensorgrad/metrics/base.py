"""The base of all metrics, the metrics that are means, and what they all check."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import TensorBase
from tensorgrad.errors import DtypeError, ShapeError

Array = np.ndarray[Any, Any]


class Metric:
    """Base class of metrics: a number that `update` gathers batch by batch, as if all examples had come at once.

    A subclass defines `reset`, `update` and `compute`. Predictions are what a model predicts, for classes the
    probabilities; they and the targets are Tensors or arrays whose first dimension counts the examples, and nothing is
    recorded for backward. `name` is what a report calls the metric: by default the name of the class, in_words.

    >>> from tensorgrad import metrics
    >>> class Largest(metrics.Metric):
    ...     def reset(self):
    ...         self.largest = float("nan")
    ...     def update(self, predictions, targets, sample_weight=None):
    ...         self.largest = max(abs(predictions - targets).max(), self.largest)
    ...     def compute(self):
    ...         return float(self.largest)
    >>> Largest().name, Largest(name="worst").name
    ('largest', 'worst')
    """

    name: str

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None:
            self.name = name
        self.reset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<=[a-zA-Z])(?=[A-Z])", "_", cls.__name__).lower()

    def reset(self) -> None:
        """Forget all examples."""
        raise NotImplementedError(f"{type(self).__name__} does not define reset()")

    def update(self, predictions: Any, targets: Any, sample_weight: Any = None) -> None:
        """Take in a batch, with a weight per example or all alike."""
        raise NotImplementedError(f"{type(self).__name__} does not define update(predictions, targets, sample_weight)")

    def compute(self) -> float:
        """The metric over all examples since the last `reset`; NaN if there were none."""
        raise NotImplementedError(f"{type(self).__name__} does not define compute()")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}: {self.compute():.4g})"


class Mean(Metric):
    """Base class of metrics that are the mean over the examples, each with its weight, of what `values` says of it.

    A subclass defines `values`: from arrays of predictions and targets to one value per example, or to several, (n,
    ...), that are averaged.

    >>> import numpy as np
    >>> from tensorgrad import metrics
    >>> class WithinOne(metrics.Mean):
    ...     def values(self, predictions, targets):
    ...         return abs(predictions - targets) <= 1
    >>> metric = WithinOne()
    >>> metric.update(np.array([1.0, 2.0, 3.0]), np.array([1.5, 5.0, 2.5]))
    >>> metric
    WithinOne(within_one: 0.6667)
    """

    def reset(self) -> None:
        """Forget all examples."""
        self.total = self.weight = 0.0

    def values(self, predictions: Array, targets: Array) -> Any:
        """The values of the examples, of shape (n, ...)."""
        raise NotImplementedError(f"{type(self).__name__} does not define values(predictions, targets)")

    def update(self, predictions: Any, targets: Any, sample_weight: Any = None) -> None:
        """Take in a batch, with a weight per example or all alike."""
        self.add(self.values(array(predictions), array(targets)), sample_weight)

    def add(self, values: Array, sample_weight: Any = None) -> None:
        """Take in the values of a batch, (n, ...)."""
        if not values.size:
            return
        n = len(values)
        if sample_weight is None:
            total = np.count_nonzero(values) if values.dtype == np.bool_ else np.add.reduce(values, None)
            self.total += float(total) * (n / values.size)
            self.weight += n
        else:
            weights = weights_of(self, sample_weight, n)
            self.total += float(np.add.reduce(weights @ values.reshape(n, -1))) * (n / values.size)
            self.weight += float(weights.sum())

    def compute(self) -> float:
        """The mean over all examples since the last `reset`; NaN if there were none."""
        return self.total / self.weight if self.weight else float("nan")


def array(x: Any) -> Array:
    """The array of a Tensor, or what NumPy makes of anything else."""
    return x._data if isinstance(x, TensorBase) else np.asarray(x)


def weights_of(metric: Metric, sample_weight: Any, n: int) -> Array:
    """The weights of n examples, as float64."""
    weights = array(sample_weight)
    if weights.shape not in ((n,), (n, 1)):
        raise ShapeError(
            f"{type(metric).__name__}: sample_weight must have one weight for each of the {n} examples, and has shape "
            f"{weights.shape}"
        )
    return weights.reshape(n).astype(np.float64, copy=False)


def paired(metric: Metric, predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Predictions and targets of one shape: (n,) goes with (n, 1), the other way round too."""
    if predictions.shape == targets.shape and targets.ndim:
        return predictions, targets
    if predictions.ndim and targets.ndim and _trimmed(predictions.shape) == _trimmed(targets.shape):
        return predictions, targets.reshape(predictions.shape)
    raise ShapeError(
        f"{type(metric).__name__}: predictions {predictions.shape} and targets {targets.shape} must have one shape, "
        f"whose first dimension counts the examples"
    )


def _trimmed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def truths(metric: Metric, predictions: Array, targets: Array) -> tuple[Array, Array]:
    """Predictions and targets of one shape, whose targets are 0 and 1."""
    predictions, targets = paired(metric, predictions, targets)
    # Only 0 and 1 are their own squares, in integers that wrap around too.
    if targets.dtype.kind != "b" and np.count_nonzero(targets * targets == targets) != targets.size:
        other = targets[targets * targets != targets].flat[0]
        raise ValueError(
            f"{type(metric).__name__}: targets of shape {targets.shape} must be 0 or 1, and one is {other}; several "
            f"classes need predictions (n, classes)"
        )
    return predictions, targets


def has_classes(predictions: Array) -> bool:
    """Whether predictions are probabilities of several classes: (n, 2) and more."""
    return predictions.ndim == 2 and predictions.shape[1] > 1


def has_places(predictions: Array) -> bool:
    """Whether predictions may be probabilities of several classes at each of several places: (n, 2, d1, ...)."""
    return predictions.ndim > 2 and predictions.shape[1] > 1


def places_of(predictions: Array) -> tuple[int, ...]:
    """The shape (n, d1, ...) of the targets for predictions (n, classes, d1, ...)."""
    return predictions.shape[:1] + predictions.shape[2:]


def in_rows(metric: Metric, predictions: Array, targets: Array, sample_weight: Any = None) -> tuple[Array, Array, Any]:
    """Predictions (n, classes), targets and weights; of more dimensions every place, as a pixel, becomes an example."""
    if not has_places(predictions):
        return predictions, targets, sample_weight
    shape, classes = places_of(predictions), predictions.shape[1]
    if targets.shape == predictions.shape:
        targets = np.moveaxis(targets, 1, -1).reshape(-1, classes)
    elif targets.shape == shape:
        targets = targets.reshape(-1)
    else:
        raise ShapeError(
            f"{type(metric).__name__}: targets for predictions {predictions.shape} must be classes {shape}, or one-hot "
            f"{predictions.shape}, and have shape {targets.shape}"
        )
    if sample_weight is not None:
        sample_weight = np.repeat(weights_of(metric, sample_weight, shape[0]), math.prod(shape[1:]))
    return np.moveaxis(predictions, 1, -1).reshape(-1, classes), targets, sample_weight


def labels_of(metric: Metric, predictions: Array, targets: Array) -> Array:
    """The classes (n,) that targets name for predictions (n, classes): as integers, or one-hot, or by probabilities."""
    name = type(metric).__name__
    if not has_classes(predictions):
        raise ShapeError(
            f"{name}: predictions must be probabilities (n, classes) of two classes or more, and have shape "
            f"{predictions.shape}"
        )
    n, classes = predictions.shape
    if targets.shape == predictions.shape:
        sums = targets.sum(1, dtype=np.float64)
        wrong = ~(np.abs(sums - 1) <= 1e-3) | (targets < 0).any(1)  # NaN is wrong too
        if wrong.any():
            raise ValueError(
                f"{name}: targets of the shape of the predictions, {targets.shape}, must be one-hot rows, or "
                f"probabilities that add up to 1, and row {wrong.argmax()} adds up to {sums[wrong.argmax()]:g}; where "
                f"an example can have several labels at once, use BinaryAccuracy, or EachOutput with Precision, Recall "
                f"or F1"
            )
        return targets.argmax(1)
    if targets.shape not in ((n,), (n, 1)):
        raise ShapeError(
            f"{name}: targets for predictions {predictions.shape} must be classes ({n},), or one-hot ({n}, {classes}), "
            f"and have shape {targets.shape}"
        )
    labels = targets.reshape(n).astype(np.int64, copy=False)
    if targets.dtype.kind not in "iub" and (labels != targets.reshape(n)).any():
        raise DtypeError(f"{name}: targets ({n},) must be whole numbers, the classes, and are {targets.dtype.name}")
    # As unsigned numbers the negative ones are larger than all others: one look finds both kinds.
    if n and labels.view(np.uint64).max() >= classes:
        other = labels[(labels < 0) | (labels >= classes)][0]
        raise IndexError(f"{name}: with {classes} classes targets must be from 0 to {classes - 1}, and one is {other}")
    return labels


def decided(predictions: Array) -> Array:
    """The likeliest class (n,) of predictions (n, classes), the first of equals; -1 where one of them is NaN."""
    chosen = predictions.argmax(1)
    if np.isnan(np.vdot(predictions, predictions)):  # the cheapest look at all of them
        chosen[np.isnan(predictions).any(1)] = -1
    return chosen
