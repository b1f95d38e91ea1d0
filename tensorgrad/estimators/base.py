"""What the estimators have in common: a network made from parameters, its fit, and its predictions."""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from tensorgrad import optim, train
from tensorgrad.autograd.graph import wrap
from tensorgrad.metrics.base import Array
from tensorgrad.nn.modes import computing_dtype
from tensorgrad.nn.module import Module
from tensorgrad.random import fork_rng, get_rng_state, manual_seed, set_rng_state
from tensorgrad.train.batches import Batch, batch_size_of
from tensorgrad.train.inputs import as_inputs, takes_integers
from tensorgrad.train.objective import Objective
from tensorgrad.train.task import Task
from tensorgrad.utils.data import DataLoader, TensorDataset

_FLOATS = [np.float64, np.float32]
_RANGES = {
    "alpha": (0.0, np.inf),
    "l1_ratio": (0.0, 1.0),
    "max_iter": (1, np.inf),
    "tol": (0.0, np.inf),
    "n_iter_no_change": (1, np.inf),
    "validation_fraction": (0.0, 1.0),
}
# A fit draws from the library's random numbers, and puts them back: fits in several threads take turns.
_TURN = threading.RLock()


class NeuralNet(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators, which say what y is: how it becomes targets, how many outputs it takes, and its loss."""

    _random: dict[str, Any]  # the state of the random numbers after a fit

    def _keep(self, arguments: dict[str, Any]) -> None:
        """Keep the arguments of the constructor as they are: scikit-learn wants them checked when fitting."""
        for name, value in arguments.items():
            if name != "self":
                setattr(self, name, value)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train a new network, or with `warm_start` go on with the one that is there; return self."""
        return self._fit(X, y, sample_weight)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, partial: bool = False, classes: Any = None) -> Any:
        anew = not self.__sklearn_is_fitted__() or not (partial or self.warm_start)
        self._check_parameters(partial)
        held: Any = None
        values = isinstance(self, RegressorMixin)
        X, y = validate_data(self, X, y, dtype=_FLOATS, multi_output=values, y_numeric=values, reset=anew)
        y = self._learn(y, anew, classes)
        weight = self._weights(y, _checked_weights(sample_weight, len(X)))
        self._must_weigh(weight)
        with self._random_numbers(anew):
            if anew:
                self._build(X, self._outputs(y))
            X = _inputs(X, self.model_.module)
            if self.early_stopping:
                X, y, weight, held = self._hold_out(X, y, weight)
            size = self._size(len(X))
            if anew or not partial:
                self._compile(size if weight is None else size * weight.mean())
            self._train(X, y, weight, held, size, partial)
        if not all(np.isfinite(p._data).all() for p in self.model_.module.parameters()):
            raise ValueError(
                f"{type(self).__name__}: the weights are no longer finite numbers; scale X (StandardScaler), or choose "
                f"a smaller learning_rate"
            )
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_") and self.model_.fitted

    def _check_parameters(self, partial: bool) -> None:
        name = type(self).__name__
        for key, (least, most) in _RANGES.items():
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, Real) or not least <= float(value) <= most:
                raise ValueError(f"{name}: {key} must be a number from {least} to {most}, not {value!r}")
        for key, unlimited in (("max_iter", ""), ("n_iter_no_change", ", or inf")):
            value = getattr(self, key)
            if not hasattr(value, "__index__") and not (unlimited and value == np.inf):
                raise ValueError(f"{name}: {key} must be an integer above 0{unlimited}, not {value!r}")
        if self.early_stopping and not 0 < self.validation_fraction < 1:
            raise ValueError(
                f"{name}: validation_fraction must lie between 0 and 1, for early_stopping learns from some examples "
                f"and validates with others, and is {self.validation_fraction!r}"
            )
        options = self.optimizer_options
        if options is not None and not isinstance(options, Mapping):
            raise TypeError(
                f"{name}: optimizer_options must be a dict, such as {{'momentum': 0.9}}, or None, not {options!r}"
            )
        size = self.batch_size
        if size not in ("auto", None) and not (hasattr(size, "__index__") and size >= 1):
            raise ValueError(f"{name}: batch_size must be 'auto', None for all or an integer above 0, not {size!r}")
        if any(not hasattr(units, "__index__") or units < 1 for units in np.atleast_1d(self.hidden_layer_sizes)):
            raise ValueError(f"{name}: hidden_layer_sizes must be integers above 0, not {self.hidden_layer_sizes!r}")
        if partial and self.early_stopping:
            raise ValueError(f"{name}: partial_fit sees a part of the data; it does not go with early_stopping=True")

    @contextmanager
    def _random_numbers(self, anew: bool) -> Iterator[None]:
        """While this lasts, the library's random numbers come from `random_state`, or go on where a fit ended."""
        with _TURN, fork_rng():
            if anew:
                manual_seed(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
            else:
                set_rng_state(self._random)
            try:
                yield
            finally:
                self._random = get_rng_state()

    def _build(self, X: Array, outputs: int) -> None:
        """Make the network, and see that its outputs go with y."""
        network: Any
        if self.module is None:
            sizes = [X.shape[1], *(int(units) for units in np.atleast_1d(self.hidden_layer_sizes)), outputs]
            network = train.mlp(sizes, self.activation, dropout=self.dropout, batch_norm=self.batch_norm)
            network.to(X.dtype)
        elif isinstance(self.module, Module):
            network = copy.deepcopy(self.module)
        else:
            network = self.module(X.shape[1], outputs)
        if not isinstance(network, Module):
            raise TypeError(
                f"{type(self).__name__}: module must be an nn.Module or a function (n_features, n_outputs) -> "
                f"nn.Module, and it gave {type(network).__name__}"
            )
        if self.init is not None:
            train.initialize(network, self.init)
        found = task("regression", network, X)
        shape = found.targets.outputs
        if shape != (outputs,) and not self._takes(shape):
            raise ValueError(
                f"{type(self).__name__}: y asks for {outputs} outputs, and the network gives {shape} for each example"
            )
        self.n_outputs_ = shape[0]
        self.model_ = train.Model(self._ended(network, found.ending.kind))
        self.history_ = train.History()

    def _size(self, examples: int) -> int:
        """How many examples make a batch."""
        size = self.batch_size
        if size == "auto":
            size = examples if self.optimizer in ("lbfgs", optim.LBFGS) else 200
        return batch_size_of(self.model_.module, size, examples)

    def _compile(self, count: float) -> None:
        """Say how the network is to learn; `count` is the weight of a batch, which the penalty is divided by."""
        l1, l2 = self.alpha * self.l1_ratio / count, self.alpha * (1 - self.l1_ratio) / 2 / count
        for layer in self.model_.module.modules():
            if any(p.ndim > 1 for p in layer.parameters(recurse=False)):
                self.model_.configure(layer, weight_l1=float(l1), weight_l2=float(l2))
        loss = self._default_loss() if self.loss is None else self.loss
        options = self.optimizer_options or {}
        self.model_.compile(self.optimizer, loss, learning_rate=self.learning_rate, **options)
        self._kind = Objective(loss).kind

    def _hold_out(self, X: Array, y: Array, weight: Array | None) -> tuple[Array, Array, Array | None, Any]:
        """The examples to learn from, and those to validate with."""
        rows, held = train_test_split(
            np.arange(len(X)),
            test_size=self.validation_fraction,
            random_state=check_random_state(self.random_state),
            stratify=y if isinstance(self, ClassifierMixin) else None,
        )
        if len(held) < 2:
            raise ValueError(
                f"{type(self).__name__}: validation_fraction={self.validation_fraction} of {len(X)} examples is "
                f"{len(held)}, and 2 are needed; make it larger"
            )
        of_rows, of_held = (None, None) if weight is None else (weight[rows], weight[held])
        self._must_weigh(of_rows, " that early_stopping leaves to learn from")
        self._must_weigh(of_held, " that early_stopping holds out")
        return X[rows], y[rows], of_rows, (X[held], y[held], of_held)

    def _must_weigh(self, weight: Array | None, which: str = "") -> None:
        if weight is not None and not weight.any():
            blamed = "sample_weight and class_weight give" if hasattr(self, "class_weight") else "sample_weight gives"
            hint = " or another validation_fraction" if which else ""
            raise ValueError(
                f"{type(self).__name__}: {blamed} every example{which} the weight zero; choose weights above it{hint}"
            )

    def _train(self, X: Array, y: Array, weight: Array | None, held: Any, size: int, partial: bool) -> None:
        callbacks = self.callbacks or []
        callbacks = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
        monitor, mode = "loss", "min"
        if held is not None:
            monitor, mode = "val_score", "max"
            score = train.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(val_score=self._score(*held)))
            callbacks.insert(0, score)
        stopping = train.EarlyStopping(monitor, self.tol, self.n_iter_no_change, mode, held is not None)
        if not partial:
            callbacks.append(stopping)
        history = self.model_.fit(
            self._loader(size, True, X, y, weight),
            epochs=1 if partial else self.max_iter,
            validation_data=None if held is None else self._loader(size, False, *held),
            callbacks=callbacks,
            verbose=int(self.verbose),
        )
        for logs in zip(*history.values()):
            self.history_.append(len(self.history_.epoch), dict(zip(history, logs)))
        self.loss_curve_ = self.history_["loss"]
        self.loss_, self.n_iter_ = self.loss_curve_[-1], len(self.loss_curve_)
        self.validation_scores_ = None if held is None else self.history_["val_score"]
        self.best_validation_score_ = None if held is None else stopping.best
        if not partial and not self.model_.stop_training and self.n_iter_no_change < np.inf:
            warnings.warn(
                f"{type(self).__name__}: max_iter={self.max_iter} epochs are over, and the {monitor} has not settled; "
                f"raise max_iter, or scale X (StandardScaler)",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _loader(self, size: int, shuffle: bool, X: Array, y: Array, weight: Array | None) -> DataLoader[Any]:
        dtype = computing_dtype(self.model_.module)
        arrays = [X, self._targets(y, dtype)]
        if weight is not None:
            arrays.append((weight / weight.mean()).astype(dtype))
        return DataLoader(TensorDataset(*map(wrap, arrays)), batch_size=size, shuffle=shuffle)

    def _predictions(self, X: Any) -> Array:
        """What the network says of examples that are yet to be checked."""
        check_is_fitted(self)
        return self._answers(_inputs(validate_data(self, X, dtype=_FLOATS, reset=False), self.model_.module))


def _inputs(X: Array, network: Module) -> Array:
    """X as the network takes it: in its dtype, or as the indices of an embedding."""
    return as_inputs(X.astype(np.int64) if takes_integers(network) else X, network)[0]


def task(kind: str, network: Module, X: Array) -> Task:
    """What the network does with its first examples."""
    first = wrap(_inputs(X[:2], network))
    return Task(network, kind, Batch((first,), None, None, len(first)), None)


def _checked_weights(sample_weight: Any, examples: int) -> Array | None:
    if sample_weight is None:
        return None
    weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weight.shape != (examples,):
        raise ValueError(f"sample_weight has shape {weight.shape}, and X has {examples} examples")
    if (weight < 0).any():
        raise ValueError("the sample_weight of an example must be zero or more")
    return weight
