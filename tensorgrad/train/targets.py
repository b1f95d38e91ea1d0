"""What `y` may be, and what a loss takes: labels as indices of classes, yes or no as 1 or 0, values in columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array
from tensorgrad.train.inputs import finite, must_be_finite, to_array
from tensorgrad.train.options import must_be_number

OF_CLASSES = ("multiclass", "binary", "multilabel")  # tasks that are answered by probabilities


class Targets:
    """How the labels or values of a task become what the loss takes, and predictions become labels again.

    `task` is one of `OF_CLASSES`, "regression" or "custom", by the loss's kind and the shape `outputs` of the output
    of one example. Integers are the indices of classes; `names` are the labels in the order of the network's outputs
    where they are strings, which `learn` finds. `dtype` is that of floating targets. The loss leaves out the label
    `ignored`, which is that of no class.

    >>> import numpy as np
    >>> from tensorgrad.train.targets import Targets
    >>> targets = Targets("categorical", (3,), np.float32)
    >>> targets.learn(np.array(["dog", "cat", "owl"]))
    >>> targets.encode(np.array(["owl", "cat"]))
    array([2, 0])
    """

    def __init__(
        self,
        kind: str,
        outputs: tuple[int, ...],
        dtype: Any,
        names: Array | None = None,
        ignored: int | None = None,
    ) -> None:
        self.outputs = outputs
        self.dtype = dtype
        self.names = names
        self.ignored = ignored
        width = outputs[0] if outputs else 1
        if kind == "categorical":
            self.task = "multiclass"
            if width == 1:
                raise ValueError(
                    "a network with a single output cannot tell classes apart by categorical cross-entropy: use "
                    "'binary_crossentropy' for two classes, or one output per class"
                )
        elif kind == "binary":
            self.task = "binary" if np.prod(outputs, dtype=int) == 1 else "multilabel"
        else:
            self.task = kind
        self.width = width

    @property
    def count(self) -> int:
        """How many classes the network tells apart."""
        return 2 if self.task == "binary" else self.width

    @property
    def classes(self) -> Array:
        """The labels in the order of the network's outputs."""
        return np.arange(self.count) if self.names is None else self.names

    def learn(self, y: Any) -> None:
        """Take the classes from labels that are to be learned from: strings get their places here, in sorted order.

        Raises `ValueError` where there is one class only, or more strings than the network tells apart.
        """
        if self.task not in ("multiclass", "binary"):
            return
        array = _labels(_flat(to_array(y, "y")), "y")
        before = self.names
        if array.dtype.kind == "U" and self.names is None:
            names = np.unique(array)
            if len(names) != self.count and len(names) > 1:
                raise ValueError(
                    f"y has {len(names)} different labels ({_some(names)}), and the network tells {self.count} classes "
                    f"apart; give its last layer {len(names)} outputs"
                )
            self.names = names
        indices = self.encode(y)
        if indices.dtype.kind == "i" or self.task == "binary":
            indices = indices[indices != self.ignored]
            first = indices[:1].ravel()
            if not len(first):
                raise ValueError(f"all labels of y are {self.ignored}, which the loss leaves out")
            if (indices == first).all():
                only = self.decode(first.astype(np.int64)).tolist()[0]
                self.names = before
                raise ValueError(
                    f"all {len(indices)} labels of y are {only!r}: there is one class only, and nothing to tell apart"
                )

    # To what the loss takes

    def encode(self, y: Any, what: str = "y") -> Array:
        """Labels or values, in any of the forms that are understood, as an array that the loss takes."""
        array = to_array(y, what)
        if self.task == "custom":
            wanted = (len(array), *self.outputs)
            if array.ndim != len(wanted) and [n for n in array.shape if n != 1] == [n for n in wanted if n != 1]:
                array = array.reshape(wanted)  # a column for (n,): (n, 1) - (n,) would be broadcast to (n, n)
            return array.astype(self.dtype, copy=False) if array.dtype.kind == "f" else array
        if self.task == "regression":
            return self._values(array, what)
        if self.task == "multilabel":
            return self._each_yes_or_no(array, what)
        if self.task == "binary":
            return self._yes_or_no(array, what)
        return self._indices(array, what)

    def _values(self, array: Array, what: str) -> Array:
        if array.dtype.kind not in "fiub":
            try:
                array = array.astype(np.float64, casting="safe" if array.dtype.kind == "c" else "unsafe")
            except (TypeError, ValueError):
                raise TypeError(
                    f"{what} holds {array.ravel()[:1].tolist()[0]!r}, and the loss compares numbers; for classes use "
                    f"'categorical_crossentropy' or 'binary_crossentropy'"
                ) from None
        array = finite(array, what, self.dtype)
        wanted = (len(array), *self.outputs)
        if array.shape != wanted:
            if array.size != np.prod(wanted) or [n for n in array.shape if n != 1] != [n for n in wanted if n != 1]:
                hint = ""
                if self.width > 1 and array.size == len(array) and array.dtype.kind in "iu":
                    hint = "; for classes use 'sparse_categorical_crossentropy'"
                raise ShapeError(
                    f"{what} has shape {array.shape}, and the network's outputs for it would have {wanted}{hint}"
                )
            array = array.reshape(wanted)
        return array.astype(self.dtype, copy=False)

    def _indices(self, array: Array, what: str) -> Array:
        """Indices of classes (n, ...), or probabilities (n, classes, ...)."""
        shape = (len(array), *self.outputs)
        if array.shape == shape and array.ndim > 1 and array.dtype.kind in "fiub":
            return self._one_hot(array, what)
        array = _labels(_flat(array), what)
        if array.ndim != len(self.outputs):
            raise ShapeError(
                f"{what} has shape {array.shape}; for {self.width} classes it must be ({len(array)},) labels, or "
                f"{shape} one-hot rows or probabilities"
            )
        if array.dtype.kind == "U" or self.names is not None:
            return self._places(array, what)
        indices = self._whole(array, what)
        wrong = ((indices < 0) | (indices >= self.width)) & (indices != self.ignored)
        if wrong.any():
            at = int(np.flatnonzero(wrong.ravel())[0])
            label = indices.ravel()[at]
            hint = "; give y - 1" if indices.min() == 1 and indices.max() == self.width else ""
            raise ValueError(
                f"{what} holds the label {label} (at {at}), and {self.width} classes have the labels 0 to "
                f"{self.width - 1}{hint}; or give the labels as strings, or the network's last layer more outputs"
            )
        return indices

    def _one_hot(self, array: Array, what: str) -> Array:
        must_be_finite(array, what)
        sums = array.sum(1, dtype=np.float64)
        if (array < 0).any() or np.abs(sums - 1).max(initial=0) > 1e-3:
            worst = int(np.argmax(np.abs(sums.reshape(len(array), -1) - 1).max(1)))
            raise ValueError(
                f"the rows of {what} must be one-hot or probabilities that add up to 1, and row {worst} is "
                f"{array[worst].tolist()}; where several classes can be true at once, use 'binary_crossentropy'"
            )
        if array.dtype.kind != "f" or ((array == 0) | (array == 1)).all():
            return array.argmax(1)
        return array.astype(self.dtype, copy=False)

    def _yes_or_no(self, array: Array, what: str) -> Array:
        """0 and 1 in the shape of the output."""
        one_hot = array.ndim == 2 and array.shape[1] == 2 and array.dtype.kind in "fiub"
        if one_hot:
            array = self._one_hot(array, what)
            if array.ndim == 2:
                array = array[:, 1]
        array = _labels(_flat(array), what)
        if array.ndim != 1:
            raise ShapeError(f"{what} has shape {array.shape}; a network with one output takes ({len(array)},) labels")
        if not one_hot and (array.dtype.kind == "U" or self.names is not None):
            array = self._places(array, what)
        else:
            self._must_be_shares(array, what)
        return array.astype(self.dtype).reshape(len(array), *self.outputs)

    def _each_yes_or_no(self, array: Array, what: str) -> Array:
        shape = (len(array), *self.outputs)
        if array.shape != shape or array.dtype.kind not in "fiub":
            raise ShapeError(
                f"{what} has shape {array.shape}, and 'binary_crossentropy' of {self.width} outputs takes 0 or 1 for "
                f"each, {shape}; for one of {self.width} classes use 'sparse_categorical_crossentropy'"
            )
        self._must_be_shares(array, what)
        return array.astype(self.dtype, copy=False)

    def _must_be_shares(self, array: Array, what: str) -> None:
        must_be_finite(array, what)
        if array.dtype.kind == "b" or not ((array < 0) | (array > 1)).any():
            return
        values = np.unique(array)
        hint = ""
        if len(values) == 2 and self.task == "binary":
            hint = f"; give y == {values[1]}, or the labels as strings"
        elif len(values) > 2 and array.dtype.kind in "iu":
            hint = "; for more than two classes use 'sparse_categorical_crossentropy', with an output for each"
        raise ValueError(f"{what} holds {_some(values)}, and 'binary_crossentropy' takes 0 and 1{hint}")

    def _whole(self, array: Array, what: str) -> Array:
        if array.dtype.kind == "f":
            must_be_finite(array, what)
            if (array != np.floor(array)).any():
                at = int(np.flatnonzero((array != np.floor(array)).ravel())[0])
                raise ValueError(
                    f"{what} holds {array.ravel()[at]} (at {at}), which is no label of a class; for values use 'mse'"
                )
        return array.astype(np.int64, copy=False)

    def _places(self, array: Array, what: str) -> Array:
        """The places of labels that are names among the classes."""
        if self.names is None:
            raise ValueError(
                f"{what} holds the label {str(array.ravel()[0])!r}, and the model has not learned from strings yet: "
                f"fit it to arrays of labels first (a loader does not tell all of them beforehand)"
            )
        strings = self.names.dtype.kind == "U"
        if strings != (array.dtype.kind == "U"):
            raise ValueError(
                f"{what} holds {'numbers' if strings else 'strings'}, and the model was fitted to the labels "
                f"{_some(self.names)}"
            )
        places = np.minimum(np.searchsorted(self.names, array), len(self.names) - 1)
        unknown = self.names[places] != array
        if unknown.any():
            raise ValueError(
                f"{what} holds the label {array[unknown][0].item()!r}, which is not among those that were learned: "
                f"{_some(self.names)}"
            )
        return places

    # From what the network puts out

    def decide(self, probabilities: Array) -> Array:
        """The labels that probabilities speak for."""
        if self.task == "multilabel":
            return (probabilities > 0.5).astype(np.int64)
        if self.task == "binary":
            return self.decode((probabilities.reshape(len(probabilities)) > 0.5).astype(np.int64))
        return self.decode(probabilities.argmax(1))

    def decode(self, indices: Array) -> Array:
        """The labels of indices of classes."""
        return indices if self.names is None else self.names[indices]

    # What counts

    def counted(self, predictions: Array, target: Any, weight: Array | None = None) -> tuple[Array, Any, Array | None]:
        """What metrics see: where labels may be left out, each place of those that are not is an example by itself."""
        if self.ignored is None or target.dtype.kind == "f":
            return predictions, target, weight
        kept = target != self.ignored
        if weight is not None:
            weight = np.repeat(weight, target[0].size)[kept.ravel()]
        return np.moveaxis(predictions, 1, -1)[kept], target[kept], weight

    def weights(self, target: Array, class_weight: Any, sample_weight: Any) -> Array | None:
        """The weight of each example, from the weights of classes and of examples; None where all are equal."""
        weight: Array | None = None
        if sample_weight is not None:
            weight = to_array(sample_weight, "sample_weight")
            if weight.dtype.kind not in "fiub" or weight.shape != (len(target),):
                raise ShapeError(
                    f"sample_weight must be ({len(target)},) numbers, one for each example, and is {weight.dtype} "
                    f"{weight.shape}"
                )
            must_be_finite(weight, "sample_weight")
            if (weight < 0).any():
                raise ValueError("sample_weight must be 0 or more")
        if class_weight is not None:
            by_class = self._of_classes(target, class_weight)
            weight = by_class if weight is None else weight * by_class
        return None if weight is None else weight.astype(self.dtype)

    def _of_classes(self, target: Array, class_weight: Any) -> Array:
        hard = target.dtype.kind == "i" or (self.task == "binary" and ((target == 0) | (target == 1)).all())
        if self.task not in ("multiclass", "binary") or not hard:
            raise ValueError("class_weight goes with labels of classes; for other targets give sample_weight")
        if self.task == "multiclass" and target.ndim > 1:
            raise ValueError(
                "class_weight weighs examples by their label, and here each example has many; compile with "
                "nn.CrossEntropyLoss(weight=...) weighs each of them"
            )
        indices = target.reshape(len(target), -1)[:, 0].astype(np.int64)
        kept = indices != self.ignored
        if isinstance(class_weight, Mapping):
            by_class = self._by_class(class_weight)
        elif isinstance(class_weight, str) and class_weight == "balanced":
            counts = np.bincount(indices[kept], minlength=self.count)
            by_class = kept.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
        else:
            raise TypeError(f"class_weight must be 'balanced' or a dict of label to weight, not {class_weight!r}")
        return by_class[np.where(kept, indices, 0)]

    def _by_class(self, class_weight: Mapping[Any, float]) -> Array:
        labels = self.classes.tolist()
        unknown = [label for label in class_weight if label not in labels]
        if unknown:
            raise ValueError(f"class_weight has {unknown[0]!r}, which is not among the labels {labels}")
        for label, weight in class_weight.items():
            must_be_number(f"class_weight of {label!r}", weight)
        return np.array([class_weight.get(label, 1.0) for label in labels], np.float64)


def _flat(array: Array) -> Array:
    """A column as its elements."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _labels(array: Array, what: str) -> Array:
    """Labels as numbers or as strings."""
    if array.dtype.kind in "fiubU":
        return array
    for i, value in enumerate(array.ravel()):
        if value is None or value != value:
            raise ValueError(f"{what}[{i}] is {value!r}, which is no label; leave such examples out")
    if all(isinstance(value, str) for value in array.ravel()):
        return array.astype(np.str_)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        kinds = sorted({type(value).__name__ for value in array.ravel()})
        raise TypeError(
            f"{what} holds labels of the type {' and '.join(kinds)}; make them all numbers or all strings, as with "
            f"{what}.astype(str)"
        ) from None


def _some(values: Array) -> str:
    shown = ", ".join(map(repr, values[:6].tolist()))
    return shown + (f" and {len(values) - 6} more" if len(values) > 6 else "")
