"""Model: a network with its loss, its optimizer and its metrics, to be fitted, evaluated and asked."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from tensorgrad import nn
from tensorgrad.metrics.base import Array
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.checks import must_be_int
from tensorgrad.optim import LBFGS, Optimizer
from tensorgrad.optim.lr_scheduler import InverseTimeLR
from tensorgrad.train import saving
from tensorgrad.train.asking import Asking
from tensorgrad.train.batches import InMemory
from tensorgrad.train.callbacks import Callbacks, ProgressBar
from tensorgrad.train.data import BATCH_SIZE, must_be_size
from tensorgrad.train.history import History
from tensorgrad.train.loop import all_finite
from tensorgrad.train.networks import activation, initialize
from tensorgrad.train.options import LayerOptions, groups
from tensorgrad.train.recipe import Recipe
from tensorgrad.train.task import Task

# What users of Keras and PyTorch look for, and where it is.
_ELSEWHERE = {
    **dict.fromkeys(
        ("named_parameters", "state_dict", "load_state_dict", "train", "eval", "to"), "the network is model.module"
    ),
    "save_weights": "tensorgrad.save(model.module.state_dict(), path), or model.save(path) for all of the model",
    "load_weights": "model.module.load_state_dict(tensorgrad.load(path))",
    "get_weights": "model.module.state_dict() has them by name",
    "set_weights": "model.module.load_state_dict(...) takes them by name",
    "count_params": "sum(p.numel() for p in model.parameters()); model.summary() prints it",
    "pop": "del model.module[-1] takes the last layer away",
}


class Model(Asking):
    """A network that is compiled, fitted and asked in a few lines; the loop behind it is the one you could write.

    `module` is any `nn.Module`, or a list of layers and of activations by name; without one, `add` puts layers one
    behind another. The network may end in probabilities or in logits: the loss is computed from logits where there are
    any, and `predict` gives probabilities for classes in either case. `model(x)` calls the network itself, which is
    `model.module`.

    X is an array, a tensor, a data frame or a list with one example in each row, a tuple of these for a network of
    several inputs, a `Dataset`, or a `DataLoader` of batches (x, y) or (x, y, weight), which then brings the labels.
    Labels of classes may be integers from 0, strings, bools, one-hot rows or probabilities, in a column or not; integer
    and one-hot labels go with either name of the cross-entropy. Random numbers (shuffling, dropout) come from the
    default generator: `tensorgrad.manual_seed` makes a fit reproducible.

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> generator = tg.manual_seed(0)
    >>> X, y = tg.datasets.spiral(100)
    >>> model = train.Model()
    >>> model.add(nn.Linear(2, 64), weight_l2=5e-4, bias_l2=5e-4)
    >>> model.add("relu")
    >>> model.add(nn.Linear(64, 3))
    >>> model.add("softmax")
    >>> model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"], learning_rate=0.05, decay=5e-5)
    >>> history = model.fit(X, y, epochs=100, batch_size=None, verbose=0)
    >>> history["accuracy"][-1] > 0.8
    True
    >>> model.predict(X[:2]).shape, model.predict_classes(X[:2]).shape
    ((2, 3), (2,))
    """

    def __init__(self, module: Module | Sequence[Module | str] | None = None, *more: Any) -> None:
        if more:
            raise TypeError("Model: it takes one network; write Model([layer, layer, ...])")
        if module is None:
            module = nn.Sequential()
        elif isinstance(module, list | tuple):
            module = nn.Sequential(*(activation(layer) if isinstance(layer, str) else layer for layer in module))
        if not isinstance(module, Module):
            hint = f": write {module.__name__}(...)" if isinstance(module, type) else ""
            raise TypeError(f"Model: it takes an nn.Module or a list of layers, not {module!r}{hint}")
        self.module: Module = module
        self.history = History()
        self.stop_training = False
        self.fitted = False  # set it for a network that has learned elsewhere
        self._options: dict[str, LayerOptions] = {}
        self._frozen: set[str] = set()
        self.recipe: Recipe | None = None  # what compile was told
        self._task: Task | None = None  # what it does, once it has met data
        self._names: Array | None = None
        self._count: int | None = None
        self._columns: list[str] | None = None
        self._kind = "custom"
        self._optimizer: Optimizer | None = None
        self._schedule: Any = None
        self._waiting: dict[str, Any] | None = None  # the state that an optimizer takes when it is made
        self._callbacks: Callbacks | None = None
        self._to_save: list[tuple[str, bool]] = []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_callbacks": None, "_to_save": []}  # a copy that a callback makes is in no fit

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the network computes."""
        return self.module(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        hint = f": {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""
        raise AttributeError(f"'Model' object has no attribute {name!r}{hint}")

    def __repr__(self) -> str:
        how = f", loss={self.recipe.objective.name}" if self.recipe else ", not compiled"
        return f"Model({self.module!r}{how})"

    # Putting it together

    def add(self, layer: Module | str, *, init: str | Callable[[Any], Any] | None = None, **options: Any) -> None:
        """Put a layer, or an activation by its name, at the end of the network.

        `weight_l1`, `weight_l2`, `bias_l1` and `bias_l2` add `l1 * sum(|p|) + l2 * sum(p**2)` to the loss;
        `learning_rate` is the layer's own; `trainable=False` freezes it; `init` draws its weights (see `initialize`).
        Raises `TypeError` for what is no layer and for other options.

        >>> from tensorgrad import nn, train
        >>> model = train.Model()
        >>> model.add(nn.Linear(4, 8), init="he", weight_l2=1e-4, learning_rate=1e-3)
        >>> model.add("tanh")
        """
        self._must_rest("add")
        if not isinstance(self.module, nn.Sequential):
            raise TypeError(f"add: the network is a {type(self.module).__name__}; layers are added to a Sequential")
        if isinstance(layer, str):
            layer = activation(layer)
        elif not isinstance(layer, Module):
            hint = f"; {layer.__name__} is a class: write {layer.__name__}(...)" if isinstance(layer, type) else ""
            raise TypeError(f"add: a layer must be an nn.Module or the name of an activation, not {layer!r}{hint}")
        _check_options("add", options)
        LayerOptions(**options)  # raises what is wrong with them before the layer is in the network
        if init is not None:
            initialize(layer, init)
        self.module.append(layer)
        self._forget()
        if options:
            self.configure(layer, **options)

    def configure(self, layer: str | Module, **options: Any) -> None:
        """Set what `add` takes (`weight_l1`, ..., `learning_rate`, `trainable`) for a layer that is there.

        `layer` is the layer or its dotted name; what is said of a layer goes for all in it of which nothing else is
        said. Raises `ValueError` for a layer that is not there, `TypeError` for other options.

        >>> from tensorgrad import nn, train
        >>> model = train.Model(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)))
        >>> model.configure("0", trainable=False)
        >>> model.configure(model.module[2], weight_l2=1e-3)
        """
        self._must_rest("configure")
        modules = dict(self.module.named_modules())
        names = [name for name, own in modules.items() if own is layer or name == layer]
        if not names:
            raise ValueError(
                f"configure: there is no layer {layer!r}; the names are {', '.join(filter(None, modules))}"
            )
        _check_options("configure", options)
        name = names[0]
        self._options[name] = replace(self._options.get(name, LayerOptions()), **options)
        if "trainable" in options:
            modules[name].requires_grad_(options["trainable"])
            inside = {n for n in modules if not name or n == name or n.startswith(f"{name}.")}
            for n in inside & set(self._options):
                self._options[n] = replace(self._options[n], trainable=options["trainable"])
            if options["trainable"]:  # what holds the layer is no longer frozen as a whole
                above = {name[:i] for i, letter in enumerate(name) if letter == "."} | {""}
                self._frozen -= inside | above
            else:
                self._frozen |= inside
        self._forget()

    @property
    def layers(self) -> list[Module]:
        """The layers: the parts of a Sequential, the direct children of another network, or the only layer there is.

        >>> from tensorgrad import nn, train
        >>> train.Model([nn.Linear(2, 3), nn.ReLU()]).layers[0].weight.shape
        (3, 2)
        """
        if isinstance(self.module, nn.Sequential):
            return list(self.module)
        return list(self.module.children()) or [self.module]

    def parameters(self) -> Iterator[Parameter]:
        """The parameters of the network, for an optimizer that is given to `compile` as an object.

        >>> import tensorgrad as tg
        >>> model = tg.train.Model([tg.nn.Linear(2, 3)])
        >>> model.compile(tg.optim.Adam(model.parameters(), lr=0.01), "mse")
        """
        return self.module.parameters()

    def _must_rest(self, what: str) -> None:
        if self._callbacks is not None:
            raise RuntimeError(f"{what}: the model is being fitted; set stop_training, and do it when fit has returned")

    def _forget(self) -> None:
        """The network is another: what was found out about it, and its optimizer, no longer hold."""
        self._task = None
        self._optimizer = self._schedule = self._waiting = None

    def compile(
        self,
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
        """Say how the network is to learn: by which optimizer, from which loss, and what to report.

        `optimizer` is a name ("sgd", "momentum", "rmsprop", "adagrad", "adam", ...), a class of `tensorgrad.optim` or
        an optimizer of this network; `options` go to it (`momentum=0.9`). `learning_rate` is its learning rate, else
        Keras's for the four names and PyTorch's for others; `decay` divides it by `1 + decay * steps`. `loss` is a
        name ("categorical_crossentropy", "binary_crossentropy", "mse", "mae", "huber", ...), a loss of
        `tensorgrad.nn`, or a function (output, target) -> Tensor, whose target has the output's shape where it has as
        many elements. `metrics` are names ("accuracy", "f1", "mae", ...), metrics of `tensorgrad.metrics`, or functions
        (predictions, targets) of arrays. What the `ignore_index` of `nn.CrossEntropyLoss` leaves out they do not see;
        of places, as pixels, such a loss shows each to them as an example.

        `clip_norm` limits the norm of all gradients together, `clip_value` each of their elements. The optimizer steps
        once for `gradient_accumulation_steps` batches, by the mean of their gradients, in which each batch counts for
        as many examples as it has (also where the loss is their sum). Raises `ValueError` and `TypeError` for what is
        not known.

        >>> from tensorgrad import nn, train
        >>> model = train.Model(nn.Linear(4, 3))
        >>> model.compile("sgd", "categorical_crossentropy", ["accuracy"], learning_rate=0.1, momentum=0.9)
        """
        self._must_rest("compile")
        self.recipe = Recipe(
            self.module,
            optimizer,
            loss,
            metrics,
            learning_rate=learning_rate,
            decay=decay,
            clip_norm=clip_norm,
            clip_value=clip_value,
            gradient_accumulation_steps=gradient_accumulation_steps,
            **options,
        )
        self._kind, self._waiting = self.recipe.objective.kind, None
        self._forget()

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer, which is made of the network's parameters when it is first wanted."""
        recipe = self._compiled("optimizer")
        if self._optimizer is None:
            self._optimizer = recipe.optimizer(self.module, self._options)
            self._schedule = InverseTimeLR(self._optimizer, recipe.decay) if recipe.decay else None
            if self._waiting is not None:
                saving.restore_optimizer(self, self._waiting)
                self._waiting = None
        return self._optimizer

    @property
    def learning_rate(self) -> float:
        """The learning rate of the optimizer now; setting it moves those of single layers by the same factor."""
        return float(self.optimizer.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        old = self.learning_rate
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if not old and self.recipe is not None and self.recipe._made is None:  # the shares as they were told
            told = [group.get("lr", self.optimizer.defaults["lr"]) for group in groups(self.module, self._options)]
            rates, old = told, told[0]
        for group, own in zip(self.optimizer.param_groups, rates):
            group["lr"] = rate * (own / old if old else 1.0)
            group.pop("initial_lr", None)  # with which an LRScheduler of the next fit would begin
        if self._schedule is not None:  # which divides what it began with
            divisor = 1 + self._schedule.decay * self._schedule.last_epoch
            self._schedule.base_lrs = [group["lr"] * divisor for group in self.optimizer.param_groups]

    # Fitting

    def fit(
        self,
        X: Any,
        y: Any = None,
        epochs: int = 1,
        batch_size: int | None = BATCH_SIZE,
        *,
        validation_data: Any = None,
        validation_split: float = 0.0,
        callbacks: Iterable[Any] = (),
        class_weight: Any = None,
        sample_weight: Any = None,
        shuffle: bool = True,
        verbose: int | str = "auto",
        print_every: int | None = None,
        resume: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train for some epochs, and return the loss and the metrics of each.

        `batch_size` examples make a step, in a new random order each epoch unless `shuffle=False`; None takes all at
        once. (It is the fourth argument, behind `epochs`; in Keras it is the third.) After each epoch the loss and the
        metrics of `validation_data`, (X, y) or (X, y, weights) or a loader, are reported with "val_" before their
        names; `validation_split` takes the last share of the examples for it, as they stand. The loss of an example is
        multiplied by its `sample_weight` and by the `class_weight` of its label (a dict, or "balanced"). The loss
        includes the penalties of the layers, which are reported as "penalty" as well.

        `verbose` is 1 or "auto" for a progress bar in a terminal or a notebook and lines elsewhere, 2 for lines, 0 for
        silence; `print_every` says for how many epochs there is a line. `resume` is a file of `ModelCheckpoint`: the
        fit goes on after its epoch, up to `epochs` in all, with the numbers of one that was not broken off (with a
        loader, if its shuffling draws from the default generator); where the file is not there yet, it begins.

        Fitting again goes on with the weights and the optimizer as they are. Raises `ValueError`, `TypeError` and
        `ShapeError` for data that do not fit the network and the loss, before anything is learned.
        """
        self._compiled("fit")
        self._must_rest("fit")
        must_be_int("fit", 0, epochs=epochs)
        must_be_size("fit", batch_size)
        if resume is not None and not os.path.exists(resume):
            resume = None
        state = None if resume is None else saving.read(resume)
        training, validation = self._training(
            X, y, batch_size, class_weight, sample_weight, shuffle, validation_data, validation_split
        )
        history = History()
        history.params = {"epochs": epochs, "steps": training.steps, "batch_size": training.size, "verbose": verbose}
        callbacks = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
        if verbose and not any(isinstance(c, ProgressBar) for c in callbacks):
            callbacks.append(ProgressBar(print_every, bar=False if verbose == 2 else None))
        told = Callbacks(callbacks, self, history.params)
        loop = self._loop(**self._parts())
        if isinstance(validation, InMemory):
            loop.evaluate(validation.head())  # what does not fit is told before anything is learned
        self._callbacks = told
        self.history, self.stop_training, first, logs = history, False, 0, {}
        mode = self.module.training
        try:
            told.tell("on_train_begin")
            if state is not None:
                first = saving.restore(self, state, resume)
                if verbose:
                    print(f"going on after epoch {first} of {os.fspath(resume)!r}")  # type: ignore[arg-type]
            for epoch in range(first, epochs):
                if self.stop_training:
                    break
                told.tell("on_epoch_begin", epoch)
                logs = loop.epoch(training, told)
                if validation is not None:
                    logs |= {f"val_{name}": value for name, value in loop.evaluate(validation).items()}
                before = {name: values[-1] for name, values in history.items()}
                if not all_finite(logs) and all_finite(before) and not self.stop_training:
                    self._warn(epoch, logs)
                if self._schedule is not None:
                    logs["learning_rate"] = self.learning_rate
                self.fitted = True  # before callbacks are told: they may predict
                told.tell("on_epoch_end", epoch, logs)
                history.append(epoch, logs)
                while self._to_save:
                    path, due = self._to_save.pop(0)
                    if due or self.stop_training:
                        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
                        saving.write(self, path, training=True)
        finally:
            self._callbacks = None
            self._to_save.clear()
            self.module.train(mode)
            told.tell_end(logs)
        return history

    def _warn(self, epoch: int, logs: dict[str, float]) -> None:
        names = ", ".join(f"{name} {value}" for name, value in logs.items() if name.endswith("loss"))
        warnings.warn(
            f"fit: in epoch {epoch + 1} the loss is no longer a number ({names}); a smaller learning_rate, clip_norm "
            f"or scaled inputs may help, and TerminateOnNaN ends such a fit",
            stacklevel=3,
        )

    def save_after_epoch(self, path: str, due: bool = True) -> None:
        """Have the model written to a file once all callbacks have seen the end of the epoch: their state is in it.

        One that is not `due` is written only where the fit ends with the epoch.
        """
        self._to_save.append((path, due))

    def _must_not_say_trainable(self) -> None:
        """Raise where a layer was to be frozen by an attribute, as in Keras: nothing reads it."""
        for name, layer in [(None, self), *self.module.named_modules()]:
            if vars(layer).get("trainable") is False:
                whose = "the model" if name is None else f"layer {name!r}"
                raise AttributeError(
                    f"fit: trainable=False, an attribute of {whose}, does nothing; delete it, and say "
                    f"model.configure({name or ''!r}, trainable=False)"
                )

    def _parts(self) -> dict[str, Any]:
        """What the loop needs to train."""
        self._must_not_say_trainable()
        optimizer = self.optimizer
        parts = {"optimizer": optimizer, "schedule": self._schedule, **self._compiled("fit").limits}
        parts["frozen"] = [self.module.get_submodule(name) for name in self._frozen]
        if parts["accumulate"] > 1 and isinstance(optimizer, LBFGS):
            raise ValueError("fit: LBFGS evaluates a batch several times; gradient_accumulation_steps must be 1")
        return parts

    # Files

    def save(self, path: str | os.PathLike[str], include_optimizer: bool = True) -> None:
        """Write the model to one safetensors file: architecture, weights, labels, and how it was compiled.

        With the optimizer's state a fit goes on where it was. What is not of tensorgrad (a network of a class of your
        own, a loss that is a function) is named in the file, and `load` asks for it. The write is atomic. Raises
        `OSError` where the file cannot be written; nothing runs code when it is read.
        """
        saving.write(self, path, training=False, include_optimizer=include_optimizer)

    @classmethod
    def load(cls, path: str | os.PathLike[str], module: Module | None = None) -> Model:
        """Read a model that `save` or `ModelCheckpoint` wrote, ready to predict, to evaluate and to go on with.

        `module` is the network where it is of a class of your own. Raises `FileFormatError` for a file of something
        else, `ValueError` where the network has to be given, `StateDictError` where it is of another architecture.

        >>> import os, tempfile, tensorgrad as tg
        >>> from tensorgrad import nn, train
        >>> model = train.Model([nn.Linear(2, 3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     model.save(path)
        ...     train.Model.load(path).module
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
        )
        """
        return saving.load(cls, path, module)


def _check_options(name: str, options: dict[str, Any]) -> None:
    known = [each.name for each in fields(LayerOptions)]
    for option in options:
        if option not in known:
            raise TypeError(f"{name}: there is no option {option!r}; the options are {', '.join(known)}")
