"""A neural network that tells classes apart, as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from tensorgrad import nn
from tensorgrad.estimators.base import NeuralNet, task
from tensorgrad.metrics.base import Array
from tensorgrad.nn.module import Module
from tensorgrad.train.objective import Objective


class NeuralNetClassifier(ClassifierMixin, NeuralNet):  # type: ignore[misc]
    """A dense network, or one of your own, that tells two or more classes apart.

    Like scikit-learn's `MLPClassifier`, with its attributes and most of its names, and beyond it: `activation` and
    `dropout` may be lists with one for each hidden layer, `batch_norm` normalises before each activation, `init` is a
    scheme of `train.initialize`, and `optimizer`, with `learning_rate` (None: the optimizer's own) and
    `optimizer_options`, and `callbacks` are those of `train.Model`. `module` is an `nn.Module`, which is copied and
    never trained itself, or a function (n_features, n_outputs) -> Module; it puts out logits or probabilities of the
    classes, or of two classes that of the second. What describes dense layers does not apply to it.

    `loss` is cross-entropy by default, or anything that `train.Model` takes: a loss of values, such as "mse", compares
    probabilities with one-hot rows, and a function is given logits and the places of the labels among `classes_`.
    `alpha * (l1_ratio * sum(|w|) + (1 - l1_ratio) / 2 * sum(w**2))`, divided by the examples of a batch, is added for
    the weights of all layers, not the biases. A `sample_weight` of 2 counts as an example that is there twice;
    `class_weight`, a dict or "balanced", multiplies it. `batch_size` is at most that of the data: "auto" means 200, or
    all for "lbfgs", as None does.

    The fit ends when the loss has not become better by `tol` for `n_iter_no_change` epochs. With `early_stopping` a
    share of `validation_fraction` is held out, its accuracy decides, and the best weights are kept; `history_` then has
    "val_loss" and "val_score" beside "loss". Dense networks compute in float32 where X is float32, else in float64,
    and a module in its own dtype. Random numbers come from `random_state`, never from the library's own generator.

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from tensorgrad.estimators import NeuralNetClassifier
    >>> X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    >>> net = NeuralNetClassifier(
    ...     (64, 32), ["relu", "tanh"], dropout=[0.2, 0.0], early_stopping=True, max_iter=100, random_state=0
    ... )
    >>> net.fit(X, y).score(X_test, y_test) > 0.95
    True
    >>> len(net.history_["val_loss"]) == len(net.history_["val_score"]) == net.n_iter_
    True
    >>> net.set_params(loss="mse", early_stopping=False, max_iter=100, tol=1e-3).fit(X, y).score(X_test, y_test) > 0.95
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        init: Any = None,
        module: Any = None,
        optimizer: Any = "adam",
        learning_rate: float | None = None,
        optimizer_options: dict[str, Any] | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.0,
        loss: Any = None,
        class_weight: Any = None,
        batch_size: Any = "auto",
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        callbacks: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: Any = False,
    ) -> None:
        self._keep(locals())

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Go once over some examples; the first call must be told all `classes`. Return self."""
        if self.class_weight == "balanced":
            raise ValueError(
                "NeuralNetClassifier: partial_fit cannot know how many examples there will be of a class; give "
                "class_weight as a dict"
            )
        if not self.__sklearn_is_fitted__():
            if classes is None:
                raise ValueError("NeuralNetClassifier: the first call of partial_fit must be given all classes")
        elif classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(f"NeuralNetClassifier: classes={classes!r} are not those of before, {self.classes_}")
        return self._fit(X, y, sample_weight, partial=True, classes=classes)

    def predict(self, X: Any) -> Array:
        """The most probable label of each example, (n,)."""
        places = self._predictions(X).argmax(1)  # first of all, for it sees whether there was a fit
        return self.classes_[places]

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of the classes, in the order of `classes_`: (n, classes)."""
        return self._predictions(X)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def _learn(self, y: Array, anew: bool, classes: Any) -> Array:
        """Labels as places among `classes_`."""
        check_classification_targets(y)
        if anew:
            self.classes_ = np.unique(y if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(f"NeuralNetClassifier: y has one class only, {self.classes_[0]!r}: nothing to tell apart")
        encoder = LabelEncoder()
        encoder.classes_ = self.classes_
        return encoder.transform(y)

    def _weights(self, y: Array, sample_weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        if self.class_weight == "balanced":
            counts = np.bincount(y, sample_weight, len(self.classes_))
            by_class = np.divide(counts.sum(), len(counts) * counts, out=np.zeros(len(counts)), where=counts > 0)
        else:
            by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[y])
        return by_class[y] if sample_weight is None else by_class[y] * sample_weight

    def _outputs(self, y: Array) -> int:
        kind, count = self._kind_of_loss(), len(self.classes_)
        if kind == "binary" and count > 2:
            raise ValueError(f"NeuralNetClassifier: {self.loss!r} tells two classes apart, and y has {count}")
        return 1 if count == 2 and kind in ("", "binary") else count

    def _takes(self, shape: tuple[int, ...]) -> bool:
        """Whether a network's outputs, other than expected, go with the classes: one or two for two of them."""
        return len(self.classes_) == 2 and shape in ((1,), (2,)) and self._kind_of_loss() != "binary"

    def _kind_of_loss(self) -> str:
        return "" if self.loss is None else Objective(self.loss).kind

    def _ended(self, network: Module, ending: str) -> Module:
        """The network, ending in probabilities where a loss of values is to compare them."""
        if self._kind_of_loss() != "regression" or ending in ("softmax", "sigmoid"):
            return network
        last = nn.Sigmoid() if self.n_outputs_ == 1 else nn.Softmax(1)
        return nn.Sequential(*(network if type(network) is nn.Sequential else [network]), last)

    def _default_loss(self) -> str:
        return "binary_crossentropy" if self.n_outputs_ == 1 else "categorical_crossentropy"

    def _targets(self, y: Array, dtype: Any) -> Array:
        if self.n_outputs_ == 1:
            return y[:, None].astype(dtype)
        return np.eye(self.n_outputs_, dtype=dtype)[y] if self._kind == "regression" else y

    def _answers(self, X: Array) -> Array:
        output = self.model_.predict(X)
        if self._kind == "custom":
            kind = "binary" if self.n_outputs_ == 1 else "categorical"
            output = task(kind, self.model_.module, X).probabilities(output)
        return np.concatenate([1 - output, output], 1) if self.n_outputs_ == 1 else output

    def _score(self, X: Array, y: Array, sample_weight: Array | None) -> float:
        return float(accuracy_score(y, self._answers(X).argmax(1), sample_weight=sample_weight))
