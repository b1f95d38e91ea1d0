"""Recipe: how a network is to learn, as `compile` is told."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

from tensorgrad import metrics as metrics_
from tensorgrad import optim
from tensorgrad.nn.module import Module
from tensorgrad.ops.checks import must_be_int
from tensorgrad.optim import Optimizer
from tensorgrad.train.architecture import NotDescribed, build, describe
from tensorgrad.train.objective import Objective
from tensorgrad.train.options import LayerOptions, groups, must_be_number

# The learning rates are Keras's; everything else is as in PyTorch.
_NAMED: dict[str, tuple[type[Optimizer], dict[str, Any]]] = {
    "sgd": (optim.SGD, {"lr": 0.01}),
    "gd": (optim.SGD, {"lr": 0.01}),
    "momentum": (optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    "nesterov": (optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    "rmsprop": (optim.RMSprop, {"lr": 0.001}),
    "adagrad": (optim.Adagrad, {"lr": 0.01}),
    "adam": (optim.Adam, {"lr": 0.001}),
    "lbfgs": (optim.LBFGS, {"line_search_fn": "strong_wolfe"}),
}
_NAMED |= {
    name.lower(): (getattr(optim, name), {})
    for name in "Adadelta Adafactor Adamax AdamW ASGD Muon NAdam RAdam Rprop".split()
}


_YES_OR_NO = (metrics_.Precision, metrics_.Recall, metrics_.F1, metrics_.AUC)


class Recipe:
    """The loss, the optimizer, the metrics and the limits that `Model.compile` was given, checked.

    `given` has them as they were given, by their names in `compile`, for reports. Raises what `compile` raises.

    >>> import tensorgrad as tg
    >>> from tensorgrad.train.recipe import Recipe
    >>> recipe = Recipe(tg.nn.Linear(2, 1), "adam", "mse", ["mae"], learning_rate=0.1)
    >>> recipe.objective.name, recipe.optimizer_name, [metric.name for metric in recipe.metrics]
    ('mse', 'Adam', ['mae'])
    """

    def __init__(
        self,
        module: Module,
        optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = (),
        *,
        learning_rate: float | None = None,
        decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        gradient_accumulation_steps: int = 1,
        **options: Any,
    ) -> None:
        if loss is None:
            raise ValueError(
                "compile: say which loss: 'sparse_categorical_crossentropy' for classes, 'binary_crossentropy' for yes "
                "or no, 'mse' for values"
            )
        numbers = {"learning_rate": learning_rate, "decay": decay, "clip_norm": clip_norm, "clip_value": clip_value}
        for name, value in numbers.items():
            if value is not None and not (name.startswith("clip") and value == float("inf")):
                must_be_number(f"compile: {name}", value)
        must_be_int("compile", 1, gradient_accumulation_steps=gradient_accumulation_steps)
        self.objective = Objective(loss)
        self._made: Optimizer | None = None
        if isinstance(optimizer, Optimizer):
            if learning_rate is not None or options:
                name = type(optimizer).__name__
                raise ValueError(f"compile: give {name} its learning rate and options when it is made")
            _must_be_of(optimizer, module)
            self._made, self._kind = optimizer, type(optimizer)
            known = inspect.signature(self._kind).parameters
            self._options = {name: value for name, value in optimizer.defaults.items() if name in known}
        else:
            self._kind, self._options = _named(optimizer, learning_rate, options)
        wanted = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
        self.metrics = [self._metric(metric) for metric in wanted]
        names = [metric.name for metric in self.metrics]
        twice = next((name for name in names if names.count(name) > 1 or name in ("loss", "penalty")), None)
        if twice is not None:
            raise ValueError(
                f"compile: the name {twice!r} of a metric is taken; give it another, as by name=... or def"
            )
        self.decay = decay
        self.limits = {"clip_norm": clip_norm, "clip_value": clip_value, "accumulate": gradient_accumulation_steps}
        self.given = {
            "optimizer": optimizer,
            "loss": loss,
            "metrics": wanted,
            **numbers,
            "gradient_accumulation_steps": gradient_accumulation_steps,
            **options,
        }

    def _metric(self, metric: Any) -> metrics_.Metric:
        """A metric; by name, those of yes or no count each output by itself."""
        if self.objective.kind != "binary" or not isinstance(metric, str):
            return metrics_.get(metric)
        if metric in ("accuracy", "acc"):
            return metrics_.BinaryAccuracy(name=metric)
        found = metrics_.get(metric)
        return metrics_.EachOutput(found) if isinstance(found, _YES_OR_NO) else found

    @property
    def optimizer_name(self) -> str:
        """The name of the optimizer's class."""
        return getattr(self._kind, "__name__", type(self._kind).__name__)

    def optimizer(self, module: Module, said: Mapping[str, LayerOptions]) -> Optimizer:
        """The optimizer for a network, with a group for each learning rate that layers were given."""
        if self._made is not None:
            _must_be_of(self._made, module)
            if any(options.learning_rate is not None for options in said.values()):
                raise ValueError(
                    f"layers have learning rates of their own, and {self.optimizer_name} was made without them; give "
                    f"it parameter groups, or give compile its name"
                )
            return self._made
        parameters = groups(module, said)
        if not parameters:
            raise ValueError("there is nothing to learn: the network has no parameters that require a gradient")
        alike = len(parameters) == 1 and len(parameters[0]) == 1  # not all optimizers take groups
        return self._kind(parameters[0]["params"] if alike else parameters, **self._options)

    def described(self) -> dict[str, Any] | None:
        """The recipe as plain data that `again` takes; None where it has functions or classes of one's own."""
        if getattr(optim, self.optimizer_name, None) is not self._kind:
            return None
        if self._made is not None and len(self._made.param_groups) > 1:  # whose division is not known
            return None
        loss, metrics = self.objective.given, self.given["metrics"]
        if not all(isinstance(metric, str) for metric in metrics):
            return None
        if not isinstance(loss, str):
            if not isinstance(loss, Module):
                return None
            try:
                loss = describe(loss)
            except NotDescribed:
                return None
        names = ("decay", "clip_norm", "clip_value", "gradient_accumulation_steps")
        return {
            "optimizer": self.optimizer_name,
            "loss": loss,
            "metrics": metrics,
            "settings": {**self._options, **{name: self.given[name] for name in names}},
        }

    @classmethod
    def again(cls, module: Module, described: dict[str, Any]) -> Recipe:
        """The recipe that was described."""
        loss = described["loss"]
        loss = loss if isinstance(loss, str) else build(loss)
        kind = getattr(optim, described["optimizer"])
        return cls(module, kind, loss, described["metrics"], **described["settings"])


def _named(
    optimizer: Any, learning_rate: float | None, options: dict[str, Any]
) -> tuple[type[Optimizer], dict[str, Any]]:
    """The class of an optimizer that is given by name or as the class itself, and the options for it.

    Raises `ValueError` for a name that is not known, `TypeError` for an option that the optimizer does not have.
    """
    if isinstance(optimizer, str):
        key = optimizer.lower().replace("-", "").replace("_", "")
        if key not in _NAMED:
            near = difflib.get_close_matches(key, _NAMED, 1)
            raise ValueError(
                f"compile: there is no optimizer {optimizer!r}"
                + (f"; did you mean {near[0]!r}?" if near else ".")
                + f" The names are {', '.join(map(repr, _NAMED))}; or give a class or an object of tensorgrad.optim"
            )
        kind, defaults = _NAMED[key]
    elif callable(optimizer):
        kind, defaults = optimizer, {}
    else:
        raise TypeError(
            f"compile: optimizer must be a name, a class or an object of tensorgrad.optim, not {optimizer!r}"
        )
    known = list(inspect.signature(kind).parameters)[1:]
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, known, 1)
            name = getattr(kind, "__name__", type(kind).__name__)
            raise TypeError(
                f"compile: {name} has no option {option!r}"
                + (f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(known)}")
            )
    rate = {} if learning_rate is None else {"lr": learning_rate}
    return kind, {**defaults, **options, **rate}


def _must_be_of(optimizer: Optimizer, module: Module) -> None:
    """Raise `ValueError` where an optimizer learns tensors that are not a network's, or none of them."""
    own = {id(p) for p in module.parameters()}
    learned = [p for group in optimizer.param_groups for p in group["params"]]
    strange = [p for p in learned if id(p) not in own]
    if strange:
        raise ValueError(
            f"compile: {type(optimizer).__name__} learns {len(strange)} tensors that are not of this network; make it "
            f"from model.parameters() after all layers are added, or give its name"
        )
