"""What a model is handed, as batches: arrays, tensors, frames, data sets and loaders, with their labels and weights."""

from __future__ import annotations

import warnings
from typing import Any

from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array
from tensorgrad.nn.modes import computing_dtype
from tensorgrad.nn.module import Module
from tensorgrad.ops.checks import must_be_int
from tensorgrad.train.batches import InMemory, Loaded, batch_size_of, is_loader
from tensorgrad.train.inputs import as_inputs, takes_integers, to_array
from tensorgrad.train.recipe import Recipe
from tensorgrad.train.targets import Targets
from tensorgrad.train.task import Task
from tensorgrad.utils.data import DataLoader, Dataset

BATCH_SIZE = 32  # Keras's, and the only one that may be larger than the data: it is not a choice


class Data:
    """What `Model` has of data: the first that it sees tells what the network does, its `Task`."""

    module: Module
    recipe: Recipe | None
    _kind: str
    _names: Array | None
    _count: int | None
    _columns: list[str] | None
    _task: Task | None

    @property
    def _targets(self) -> Targets:
        assert self._task is not None
        return self._task.targets

    def _training(
        self,
        X: Any,
        y: Any,
        batch_size: int | None,
        class_weight: Any,
        sample_weight: Any,
        shuffle: bool,
        validation_data: Any,
        validation_split: float,
    ) -> tuple[InMemory | Loaded, InMemory | Loaded | None]:
        """The batches to train on, and those to validate on."""
        own = getattr(X, "batch_size", None) if is_loader(X) else None
        if own is not None and batch_size not in (BATCH_SIZE, own):
            raise ValueError(f"fit: the loader makes batches of {own}; batch_size={batch_size} goes with arrays")
        X = self._loader(X, batch_size, shuffle)
        training: InMemory | Loaded
        if is_loader(X):
            if y is not None or sample_weight is not None or validation_split:
                raise ValueError(
                    "fit: a loader brings its labels and weights itself; y, sample_weight and validation_split go with "
                    "arrays"
                )
            if isinstance(class_weight, str):
                raise ValueError(
                    "fit: a loader does not tell beforehand how many examples each class has; give class_weight as a "
                    "dict, as {label: n_examples / (n_classes * n_of_the_label)}"
                )
            self._meet_loader(X)
            training = Loaded(X, lambda y, w: self._encode(y, class_weight, w), computing_dtype(self.module))
        else:
            inputs = self._meet(X, "X")
            labels = _labels("fit: ", y, len(inputs[0]))
            if validation_split:
                if validation_data is not None:
                    raise ValueError("fit: give validation_data or validation_split, not both")
                inputs, labels, sample_weight, validation_data = self._split(
                    inputs, labels, sample_weight, validation_split
                )
            if batch_size is not None and batch_size > len(inputs[0]) and batch_size != BATCH_SIZE:
                raise ValueError(
                    f"fit: batch_size={batch_size} is larger than the {len(inputs[0])} examples; batch_size=None takes "
                    f"all of them at once"
                )
            self._targets.learn(labels)
            self._names = self._targets.names
            training = self._in_memory(inputs, *self._encode(labels, class_weight, sample_weight), batch_size, shuffle)
        if validation_data is None:
            return training, None
        if not is_loader(validation_data):
            if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
                raise TypeError(
                    f"fit: validation_data must be (X, y), (X, y, weights) or a loader, not "
                    f"{type(validation_data).__name__}"
                )
            X, y, sample_weight = (*validation_data, None)[:3]
            return training, self._labelled(X, y, sample_weight, 256, "validation_data: ")
        return training, self._labelled(validation_data)

    def _split(
        self, inputs: tuple[Array, ...], y: Array, weight: Any, share: float
    ) -> tuple[tuple[Array, ...], Array, Any, tuple[Any, ...]]:
        """The first examples, and the last `share` of them as validation data."""
        if not 0 < share < 1:
            raise ValueError(f"fit: validation_split must be a share between 0 and 1, not {share}")
        at = len(y) - int(len(y) * share)
        if at in (0, len(y)):
            raise ValueError(f"fit: validation_split={share} of {len(y)} examples leaves nothing on one side")
        if self._targets.task in ("multiclass", "binary") and y.ndim == 1:
            lost = set(y[at:].tolist()) - set(y[:at].tolist()) - {self._targets.ignored}
            if lost:
                raise ValueError(
                    f"fit: validation_split takes the last {len(y) - at} examples as they stand, and the label "
                    f"{next(iter(lost))!r} is only among these: y is sorted. Shuffle X and y together first, or give "
                    f"validation_data"
                )
            if len(set(y[at:].tolist())) == 1 < len(set(y[:at].tolist())) and len(y) - at > 9:
                warnings.warn(
                    f"fit: validation_split takes the last {len(y) - at} examples as they stand, and all of them have "
                    f"the label {y[-1:].tolist()[0]!r}: y is sorted. Shuffle X and y together first, or give "
                    f"validation_data",
                    stacklevel=4,
                )
        held: tuple[Any, ...] = tuple(x[at:] for x in inputs), y[at:]
        if weight is not None:
            weight = to_array(weight, "sample_weight")
            held += (weight[at:],)
            weight = weight[:at]
        return tuple(x[:at] for x in inputs), y[:at], weight, held

    def _labelled(
        self, X: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None, what: str = ""
    ) -> InMemory | Loaded:
        """Batches with their labels, to evaluate."""
        X = self._loader(X, batch_size, False)
        if is_loader(X):
            self._meet_loader(X)
            return Loaded(X, lambda y, w: self._encode(y, None, w), computing_dtype(self.module))
        inputs = self._meet(X, f"{what}X")
        labels = _labels(what, y, len(inputs[0]))
        return self._in_memory(inputs, *self._encode(labels, None, sample_weight, f"{what}y"), batch_size, False)

    def _unlabelled(self, X: Any, batch_size: int | None) -> InMemory | Loaded:
        """Batches to predict for."""
        X = self._loader(X, batch_size, False)
        if is_loader(X):
            self._meet_loader(X)
            return Loaded(X, None, computing_dtype(self.module))
        return self._in_memory(self._meet(X, "X"), None, None, batch_size, False)

    def _encode(self, y: Any, class_weight: Any, sample_weight: Any, what: str = "y") -> tuple[Array, Array | None]:
        """Labels as the loss takes them, and the weights of their examples."""
        target = self._targets.encode(y, what)
        return target, self._targets.weights(target, class_weight, sample_weight)

    def _loader(self, X: Any, batch_size: int | None, shuffle: bool) -> Any:
        """A loader in place of a data set."""
        if isinstance(X, Dataset) and not is_loader(X):
            size = batch_size_of(self.module, batch_size, len(X))  # type: ignore[arg-type]
            return DataLoader(X, batch_size=size, shuffle=shuffle)
        return X

    def _meet(self, X: Any, what: str) -> tuple[Array, ...]:
        """The inputs as arrays; the network is looked at with the first of them.

        A data frame must have the columns of the first one, in their order.
        """
        columns = self._columns
        if hasattr(X, "columns"):
            columns = [str(column) for column in X.columns]
            if self._columns is not None and columns != self._columns:
                raise ValueError(
                    f"{what} has the columns {', '.join(columns)}, and the model has learned from "
                    f"{', '.join(self._columns)}; give {what}[[{', '.join(map(repr, self._columns))}]]"
                )
        inputs = as_inputs(X, self.module, what)
        for x, (shape, _) in zip(inputs, self._task.inputs if self._task is not None else ()):
            if x.ndim == len(shape):
                raise ShapeError(
                    f"{what} has shape {x.shape}, and must be (n, {', '.join(map(str, shape))}): a single example is "
                    f"given as a batch of one, {what}[None]"
                )
        if not len(inputs[0]):
            raise ValueError(f"{what} has no examples: its shape is {inputs[0].shape}")
        if self._task is None:
            self._look(self._in_memory(tuple(x[:2] for x in inputs), None, None, None, False))
        self._columns = columns
        return inputs

    def _meet_loader(self, loader: Any) -> None:
        if self._task is None:
            self._look(Loaded(loader, None, computing_dtype(self.module)))

    def _look(self, batches: InMemory | Loaded) -> None:
        """Find out what the network does, from the first batch."""
        ignored = self.recipe.objective.ignored if self.recipe else None
        self._task = Task(self.module, self._kind, next(iter(batches)), self._names, ignored)
        if self._names is not None and len(self._names) != self._targets.count:  # of a network that was another
            self._names = self._targets.names = None
        self._count = self._targets.count if self._task.name in ("multiclass", "binary") else None

    def _in_memory(
        self, inputs: tuple[Array, ...], target: Array | None, weight: Array | None, size: int | None, shuffle: bool
    ) -> InMemory:
        size = batch_size_of(self.module, size, len(inputs[0]))
        dtype, integers = computing_dtype(self.module), takes_integers(self.module)
        return InMemory(inputs, target, weight, size, dtype=dtype, integers=integers, shuffle=shuffle)


def _labels(where: str, y: Any, examples: int) -> Array:
    if y is None:
        raise ValueError(f"{where}y is missing; X holds the inputs, y the labels or values for them")
    array = to_array(y, f"{where}y")
    if len(array) != examples:
        raise ShapeError(f"{where}X has {examples} examples, and y has {len(array)}")
    return array


def must_be_size(name: str, batch_size: Any) -> None:
    """Raise unless `batch_size` is None, for all at once, or an int of 1 or more."""
    if batch_size is not None:
        must_be_int(name, 1, batch_size=batch_size)
