"""A neural network that predicts values, as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any

from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d

from tensorgrad.estimators.base import NeuralNet
from tensorgrad.metrics.base import Array
from tensorgrad.nn.module import Module


class NeuralNetRegressor(RegressorMixin, NeuralNet):  # type: ignore[misc]
    """A dense network, or one of your own, that predicts a value of each example, or several.

    Like scikit-learn's `MLPRegressor`, with its attributes and most of its names. All parameters are those of
    `NeuralNetClassifier`; `loss` is the mean squared error by default, or "mae", "huber", "log_cosh", a loss of
    `tensorgrad.nn` or a function (output, target) -> Tensor of arrays (n, outputs), and early stopping goes by R2.
    y is (n,) or (n, outputs); it is not scaled: see scikit-learn's `TransformedTargetRegressor`.

    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.preprocessing import StandardScaler
    >>> from tensorgrad.estimators import NeuralNetRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = NeuralNetRegressor((32,), loss="huber", early_stopping=True, random_state=0)
    >>> scaled = TransformedTargetRegressor(net, transformer=StandardScaler())
    >>> bool(cross_val_score(scaled, StandardScaler().fit_transform(X), y, cv=3).mean() > 0.4)
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

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Go once over some examples; return self."""
        return self._fit(X, y, sample_weight, partial=True)

    def predict(self, X: Any) -> Array:
        """The value of each example, (n,), or its values, (n, outputs)."""
        values = self._predictions(X)
        return values.ravel() if self.n_outputs_ == 1 else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _learn(self, y: Array, anew: bool, classes: Any) -> Array:
        """Values in columns."""
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y.reshape(len(y), -1)

    def _weights(self, y: Array, sample_weight: Array | None) -> Array | None:
        return sample_weight

    def _outputs(self, y: Array) -> int:
        return y.shape[1]

    def _takes(self, shape: tuple[int, ...]) -> bool:
        return False

    def _ended(self, network: Module, ending: str) -> Module:
        return network

    def _default_loss(self) -> str:
        return "mse"

    def _targets(self, y: Array, dtype: Any) -> Array:
        return y.astype(dtype)

    def _answers(self, X: Array) -> Array:
        return self.model_.predict(X)

    def _score(self, X: Array, y: Array, sample_weight: Array | None) -> float:
        return float(r2_score(y, self._answers(X), sample_weight=sample_weight))
