"""What a model is asked: its loss and metrics over some data, its predictions, its score, its summary."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import metrics as metrics_
from tensorgrad.autograd.modes import no_grad
from tensorgrad.metrics.base import Array
from tensorgrad.nn.modes import evaluating
from tensorgrad.train.data import Data, must_be_size
from tensorgrad.train.loop import Loop
from tensorgrad.train.options import LayerOptions, Penalties
from tensorgrad.train.recipe import Recipe
from tensorgrad.train.summary import summary
from tensorgrad.train.targets import OF_CLASSES


class Asking(Data):
    """The methods of `Model` that change nothing of what it has learned."""

    fitted: bool
    _options: dict[str, LayerOptions]

    def evaluate(
        self,
        X: Any,
        y: Any = None,
        batch_size: int | None = 256,
        *,
        sample_weight: Any = None,
        return_dict: bool = False,
        verbose: int | str = 0,
    ) -> Any:
        """The loss over some data, and the metrics: `[loss, metric, ...]`, or a dict of them by name.

        Without metrics it is the loss alone, as in Keras. The network is in evaluation mode meanwhile. Raises what
        `fit` raises for data that do not fit.

        >>> import tensorgrad as tg
        >>> from tensorgrad import nn, train
        >>> model = train.Model(nn.Linear(2, 1))
        >>> model.compile("sgd", "mse", ["mae"])
        >>> sorted(model.evaluate(tg.ones(4, 2), tg.ones(4), return_dict=True))
        ['loss', 'mae']
        """
        self._compiled("evaluate")
        must_be_size("evaluate", batch_size)
        batches = self._labelled(X, y, sample_weight, batch_size)
        logs = self._loop().evaluate(batches)
        if verbose:
            print("  ".join(f"{name} {value:.4f}" for name, value in logs.items()))
        return logs if return_dict else list(logs.values()) if len(logs) > 1 else logs["loss"]

    def predict(self, X: Any, batch_size: int | None = 256) -> Array:
        """What the network says of each example, as an array: probabilities where the loss is of classes, else values.

        It is of the shape of the network's output: (n, classes), or (n, 1) for one yes or no. Of a loader's batches the
        first part is taken. Raises `RuntimeError` before the first fit, and what `fit` raises for data that do not fit.

        >>> import tensorgrad as tg
        >>> from tensorgrad import nn, train
        >>> model = train.Model(nn.Linear(2, 3))
        >>> model.compile("sgd", "categorical_crossentropy")
        >>> history = model.fit(tg.ones(4, 2), ["a", "b", "c", "a"], verbose=0)
        >>> model.predict(tg.ones(4, 2)).sum(1)
        array([1., 1., 1., 1.], dtype=float32)
        """
        self._must_be_fitted("predict")
        must_be_size("predict", batch_size)
        batches = self._unlabelled(X, batch_size)
        assert self._task is not None
        with evaluating(self.module), no_grad():
            return np.concatenate([self._task.probabilities(self.module(*batch.inputs)._data) for batch in batches])

    def predict_proba(self, X: Any, batch_size: int | None = 256) -> Array:
        """The probability of each class, in the order of `classes_`: (n, classes), for two classes too.

        For several outputs of yes or no it is the probability of yes for each. Raises `TypeError` for values.
        """
        probabilities = self._of_classes("predict_proba", X, batch_size)
        if self._targets.task != "binary":
            return probabilities
        yes = probabilities.reshape(-1, 1)
        return np.concatenate([1 - yes, yes], 1)

    def predict_classes(self, X: Any, batch_size: int | None = 256) -> Array:
        """The most probable label of each example, (n,), as the labels were given: integers or strings.

        For several outputs of yes or no it is 0 or 1 for each. Raises `TypeError` for a model of values.
        """
        probabilities = self._of_classes("predict_classes", X, batch_size)  # first, for it meets the data
        return self._targets.decide(probabilities)

    def _of_classes(self, name: str, X: Any, batch_size: int | None) -> Array:
        probabilities = self.predict(X, batch_size)
        if self._targets.task not in OF_CLASSES:
            raise TypeError(f"{name}: the loss {self._named_loss()} compares values; predict gives them")
        return probabilities

    @property
    def classes_(self) -> Array:
        """The labels in the order of `predict_proba`'s columns. Raises `RuntimeError` before the first fit."""
        if self._task is None:
            if self._kind == "regression":
                raise AttributeError(f"classes_: the loss {self._named_loss()} tells no classes apart")
            if self._names is not None:  # of the file, or of the fit before the network was changed
                return self._names
            if self._count is not None:
                return np.arange(self._count)
            raise RuntimeError("classes_: the labels are known after fit")
        if self._targets.task not in ("multiclass", "binary"):
            raise AttributeError(f"classes_: the loss {self._named_loss()} tells no classes apart")
        return self._targets.classes

    def score(self, X: Any, y: Any = None, *, sample_weight: Any = None, batch_size: int | None = 256) -> float:
        """The accuracy of a model of classes, R2 of a model of values: larger is better, 1 is perfect.

        For several outputs of yes or no it is the share of these that are right.
        """
        self._must_be_fitted("score")
        must_be_size("score", batch_size)
        batches = self._labelled(X, y, sample_weight, batch_size)
        assert self._task is not None
        classes = {"multiclass": "accuracy", "binary": "binary_accuracy", "multilabel": "binary_accuracy"}
        metric = metrics_.get(classes.get(self._task.name, "r2"))
        with evaluating(self.module), no_grad():
            for batch in batches:
                output = self._task.probabilities(self.module(*batch.inputs)._data)
                metric.update(*self._task.targets.counted(output, batch.target, batch.weight))
        return float(metric.compute())

    def summary(self, input_size: Sequence[int] | None = None) -> None:
        """Print the layers with the shapes of what they give, their parameters, and what was said of them.

        `input_size` is the shape of one example; after a fit, or where the first layer tells it, it is known.

        >>> from tensorgrad import nn, train
        >>> train.Model([nn.Linear(2, 3), nn.ReLU()]).summary()
        layer  type    output  parameters
        0      Linear  (n, 3)           9
        1      ReLU    (n, 3)           0
        9 parameters, 9 of them learned; 36 bytes
        """
        print(summary(self.module, self._options, self._task.inputs if self._task else None, input_size))

    def _loop(self, **parts: Any) -> Loop:
        """The loop of `recipe` over the network, with the `parts` that it needs to train."""
        recipe = self._compiled("fit")
        assert self._task is not None
        # Copies, for a callback may evaluate in the middle of an epoch.
        metrics = copy.deepcopy(recipe.metrics)
        return Loop(self.module, recipe.objective, self._task, metrics, Penalties(self.module, self._options), **parts)

    def _compiled(self, what: str) -> Recipe:
        if self.recipe is None:
            raise RuntimeError(
                f"{what}: the model is not compiled; say first how it is to learn: model.compile('adam', "
                f"'sparse_categorical_crossentropy', ['accuracy']), for instance"
            )
        return self.recipe

    def _must_be_fitted(self, what: str) -> None:
        if not self.fitted:
            raise RuntimeError(
                f"{what}: the model has not learned anything yet; fit it or load one first. For a network that has "
                f"learned elsewhere say model.fitted = True; model.module(x) is what any network computes"
            )

    def _named_loss(self) -> str:
        return repr(self.recipe.objective.name) if self.recipe else "of the model"
