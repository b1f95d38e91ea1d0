"""A metric of models with several outputs, each of which is a case by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.metrics.base import Metric, array, paired, weights_of
from tensorgrad.metrics.naming import get


class EachOutput(Metric):
    """A metric of yes or no that counts every output of every example as one case: where several labels can be true.

    Predictions and targets are of one shape, (n, outputs) or (n, ...), and `metric`, or what `metrics.get` makes of it,
    is given them flattened, with an example's weight for each of its outputs. `Precision`, `Recall` and `F1` are then
    scikit-learn's with `average="micro"`. The name is that of the metric inside. Raises `ShapeError` for shapes that
    differ, and what the metric raises.

    >>> import tensorgrad as tg
    >>> metric = tg.metrics.EachOutput(tg.metrics.Recall())
    >>> metric.update(tg.tensor([[0.9, 0.8, 0.1], [0.2, 0.7, 0.4]]), tg.tensor([[1, 1, 0], [0, 1, 1]]))
    >>> metric
    EachOutput(recall: 0.75)
    """

    def __init__(self, metric: Any, *, name: str | None = None) -> None:
        self.metric = get(metric)
        super().__init__(name=self.metric.name if name is None else name)

    def reset(self) -> None:
        """Forget all examples."""
        self.metric.reset()

    def update(self, predictions: Any, targets: Any, sample_weight: Any = None) -> None:
        """Take in a batch, with a weight per example or all alike."""
        predictions, targets = paired(self, array(predictions), array(targets))
        n = len(predictions)
        if sample_weight is not None and n:
            sample_weight = np.repeat(weights_of(self, sample_weight, n), predictions.size // n)
        self.metric.update(predictions.reshape(-1), targets.reshape(-1), sample_weight)

    def compute(self) -> float:
        """The metric over all outputs of all examples since the last `reset`; NaN if there were none."""
        return self.metric.compute()
