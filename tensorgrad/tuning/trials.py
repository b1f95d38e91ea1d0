"""The search: trials, each a fit of the model that a function builds."""

from __future__ import annotations

import inspect
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from tensorgrad.metrics.naming import larger_is_better
from tensorgrad.ops.checks import must_be_int
from tensorgrad.random import default_generator, fork_rng, manual_seed
from tensorgrad.train import Callback, EarlyStopping, Model
from tensorgrad.tuning.picture import plot_study
from tensorgrad.tuning.pruning import PruningCallback
from tensorgrad.tuning.pruning import optuna as _optuna
from tensorgrad.tuning.spaces import suggester
from tensorgrad.utils.stores import alone

_FIT = ("batch_size", "epochs")


@dataclass
class SearchResult:
    """What a search found: `best_params`, `best_value`, the `best_model` (None without `refit`), the `study`.

    `trials` has a dict for each trial: "number", "value", "state" ("complete", "pruned", "failed", "running"),
    "epochs", "seconds", "error", and its parameters; `pandas.DataFrame(result.trials)` makes a table of it.

    >>> import tensorgrad as tg
    >>> from tensorgrad import tuning
    >>> tuning.SearchResult({"learning_rate": 0.1}, 0.5, None, None, [{"number": 0, "value": 0.5}]).best_value
    0.5
    """

    best_params: dict[str, Any]
    best_value: float
    best_model: Model | None
    study: Any
    trials: list[dict[str, Any]] = field(repr=False)


def search(
    build: Callable[..., Model],
    space: Any,
    X: Any,
    y: Any = None,
    *,
    n_trials: int = 20,
    metric: str = "val_loss",
    direction: str | None = None,
    epochs: int = 10,
    batch_size: int | None = 32,
    callbacks: Any = (),
    pruner: Any = None,
    sampler: Any = None,
    seed: int | None = None,
    timeout: float | None = None,
    storage: str | None = None,
    study_name: str | None = None,
    refit: bool = True,
    logger: Any = None,
    **fit: Any,
) -> SearchResult:
    """Try hyperparameters, `n_trials` times, and return the best ones and the model that they give.

    `build(**params)` makes a compiled `train.Model`. `space` is a dict of the names of its parameters with `Uniform`,
    `LogUniform` or `Integer`, choices of any kind in a list, tuple, range or array, or a value that stays; or it is a
    function that makes the parameters from an Optuna trial. "batch_size" and "epochs" among them go to `fit`, where
    `build` does not take them. Each model is fitted to X and y with `epochs`, `batch_size` and what else `Model.fit`
    takes (`validation_data`, `validation_split`, `class_weight`, ...). `metric` is what counts, at the last epoch or,
    where an `EarlyStopping` puts the best weights back, at theirs; it is made small, or large for accuracy and the
    like, unless `direction` says "minimize" or "maximize". `callbacks` is a list, or a function of the trial that gives
    one.

    By default parameters come from Optuna's TPE sampler (Bergstra et al., 2011), and trials that are worse than the
    median of the others after a fifth of the epochs are pruned; `optuna.pruners.NopPruner()` prunes none. All trials
    draw the same random numbers, from `seed`, else from that of the default generator, which is left as it was:
    `manual_seed` makes a search reproducible. A trial that fails is reported and left behind. With `storage`, a file or
    the URL of a database, trials are kept, and a further call with its `study_name` does only those that are missing
    from `n_trials`, with the seed of the first call.

    `refit` fits the best model once more, as in its trial. `logger`, a `tracking.MLflowLogger`, gets that fit, with
    the trials as runs below it. Raises `ValueError` or `TypeError` for what cannot be searched, `RuntimeError` where no
    trial came to its end, `ImportError` without Optuna.

    >>> import tensorgrad as tg
    >>> from tensorgrad import train, tuning
    >>> generator = tg.manual_seed(0)
    >>> X, y = tg.datasets.spiral(50)
    >>> def build(learning_rate, hidden, optimizer):
    ...     model = train.Model(train.mlp([2, *hidden, 3]))
    ...     model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"], learning_rate=learning_rate)
    ...     return model
    >>> space = {"learning_rate": tuning.LogUniform(1e-3, 1e-1), "hidden": [[8], [16, 16]], "optimizer": "adam"}
    >>> result = tuning.search(build, space, X, y, n_trials=4, metric="accuracy", epochs=5)
    >>> sorted(result.best_params), len(result.trials), result.best_model.predict(X[:2]).shape
    (['hidden', 'learning_rate', 'optimizer'], 4, (2, 3))
    """
    optuna = _optuna("search")
    must_be_int("search", 1, n_trials=n_trials, epochs=epochs)
    direction = direction or ("maximize" if larger_is_better(metric) else "minimize")
    if direction not in ("minimize", "maximize"):
        raise ValueError(f"search: direction must be 'minimize' or 'maximize', not {direction!r}")
    suggest = suggester(space)
    validated = fit.get("validation_data") is not None or fit.get("validation_split")
    if metric.startswith("val_") and not validated and not callbacks:  # which may add numbers of their own
        raise ValueError(
            f"search: {metric!r} is a number of the validation data; give validation_data=(X, y) or "
            f"validation_split=0.2, or a metric of the training data such as {metric[4:]!r}"
        )
    fit = {"epochs": epochs, "batch_size": batch_size, "verbose": 0, **fit}
    _must_take("Model.fit", Model.fit, [*fit, "self", "X"])
    with _quiet(optuna), fork_rng():
        study = _study(optuna, direction, sampler, pruner, seed, storage, study_name, epochs)
        trainer = _Trainer(build, suggest, X, y, metric, fit, callbacks, study, logger)
        if isinstance(space, Mapping):
            _must_take("build", build, [name for name in space if name not in trainer.to_fit])
        trainer.must_know_the_trials()
        study.set_user_attr("metric", metric)
        if logger is not None:
            logger.open()
        try:
            missing = n_trials - len(_done(study))

            def stop_when_done(study: Any, trial: Any) -> None:  # other processes may take part
                if len(_done(study)) >= n_trials:
                    study.stop()

            if missing > 0:
                study.optimize(trainer, n_trials=missing, timeout=timeout, catch=Exception, callbacks=[stop_when_done])
            result = _result(optuna, study, suggest)
            if logger is not None:
                _write(logger, result, metric)
            if refit:
                result.best_model = trainer.again(study.best_trial)
        except BaseException as error:
            if logger is not None:
                logger.close("FAILED" if isinstance(error, Exception) else "KILLED")
            raise
        if logger is not None:
            logger.close()
    return result


def _done(study: Any) -> list[Any]:
    """The trials that came to an end of any kind, but for those that were interrupted."""
    return [t for t in study.trials if t.state.is_finished() and not t.user_attrs.get("interrupted")]


def _must_take(name: str, function: Callable[..., Any], keywords: list[str]) -> None:
    """Raise `TypeError` where a function cannot be called with these keywords."""
    try:
        inspect.signature(function).bind(**dict.fromkeys(keywords))
    except TypeError as error:
        raise TypeError(f"search: {name} {error}") from None


@contextmanager
def _quiet(optuna: ModuleType) -> Iterator[None]:
    """Without a line of Optuna's for each trial."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _study(
    optuna: ModuleType,
    direction: str,
    sampler: Any,
    pruner: Any,
    seed: int | None,
    storage: str | None,
    study_name: str | None,
    epochs: int,
) -> Any:
    """The study, a new one or that of the storage, with the seed of its trials."""
    if storage is not None:
        study_name = study_name or "tensorgrad"
        storage = os.fspath(storage)
        storage = storage if "://" in storage else f"sqlite:///{storage}"
    with alone(storage):
        study = optuna.create_study(
            storage=storage, study_name=study_name, direction=direction, load_if_exists=storage is not None
        )
    if study.direction.name.lower() != direction:
        raise ValueError(
            f"search: the study {study_name!r} in {storage!r} is to {study.direction.name.lower()}, and this search to "
            f"{direction}; give another study_name"
        )
    if "seed" not in study.user_attrs:
        study.set_user_attr("seed", default_generator.initial_seed() if seed is None else int(seed))
    # A sampler that began anew with the same seed would draw again what the trials before this call have drawn.
    place = (study.user_attrs["seed"] + len(study.trials)) % 2**32
    study.sampler = sampler or optuna.samplers.TPESampler(seed=place)
    study.pruner = pruner or optuna.pruners.MedianPruner(n_warmup_steps=epochs // 5)
    return study


class _Trainer:
    """The objective: builds and fits the model of a trial, and returns its number."""

    def __init__(
        self,
        build: Callable[..., Model],
        suggest: Callable[[Any], dict[str, Any]],
        X: Any,
        y: Any,
        metric: str,
        fit: dict[str, Any],
        callbacks: Any,
        study: Any,
        logger: Any,
    ) -> None:
        self.build, self.suggest, self.X, self.y, self.metric, self.fit = build, suggest, X, y, metric, fit
        self.callbacks, self.study, self.logger = callbacks, study, logger
        parameters = inspect.signature(build).parameters.values()
        named = {p.name for p in parameters}
        self.to_fit = [name for name in _FIT if name not in named]

    def must_know_the_trials(self) -> None:
        """Raise `ValueError` unless the trials that the study has already are of the space."""
        optuna = _optuna("search")
        for trial in self.study.trials:
            if trial.state.name not in ("COMPLETE", "PRUNED"):
                continue  # it may have ended before all parameters were drawn
            fixed = optuna.trial.FixedTrial(trial.params, trial.number)
            try:
                self.suggest(fixed)
                for name, space in fixed.distributions.items():
                    optuna.distributions.check_distribution_compatibility(trial.distributions[name], space)
                others = trial.params.keys() - fixed.params.keys()
                if others and not callable(self.callbacks):
                    raise ValueError(f"it has {', '.join(sorted(others))} besides")
            except ValueError as error:
                raise ValueError(
                    f"search: the trials of the study {self.study.study_name!r} are of another space; give another "
                    f"study_name ({error})"
                ) from None

    def __call__(self, trial: Any) -> float:
        """Fit the model of a trial."""
        mode = "min" if self.study.direction.name == "MINIMIZE" else "max"
        try:
            params = self.suggest(trial)
            own: list[Callback] = [PruningCallback(trial, self.metric, mode)]
            if self.logger is not None:
                own.append(self.logger.child(f"trial {trial.number}", params))
            model, callbacks = self._fitted(trial, params, own)
            trial.set_user_attr("epochs", len(model.history.epoch))
            value = self._value(model, callbacks)
        except KeyboardInterrupt:
            trial.set_user_attr("interrupted", True)  # Optuna has it failed; a further call does it again
            raise
        except Exception as error:
            if not isinstance(error, _optuna("search").TrialPruned):
                trial.set_user_attr("error", f"{type(error).__name__}: {error}")
            if isinstance(error, KeyError) and repr(self.metric) in str(error):
                self.study.stop()  # no other trial would have the metric either
            raise
        return value

    def _value(self, model: Model, callbacks: list[Callback]) -> float:
        at = -1
        for stopping in (c for c in callbacks if isinstance(c, EarlyStopping) and c.restore_best_weights):
            if stopping.best_epoch is not None:
                at = model.history.epoch.index(stopping.best_epoch)
        value = model.history[self.metric][at]
        if math.isnan(value):
            raise ValueError(f"{self.metric} is NaN at the end of the fit")
        return value

    def again(self, best: Any) -> Model:
        """The model of a trial that was, fitted once more."""
        trial = _optuna("search").trial.FixedTrial(best.params, best.number)
        return self._fitted(trial, self.suggest(trial), [] if self.logger is None else [self.logger])[0]

    def _fitted(self, trial: Any, params: dict[str, Any], own: list[Callback]) -> tuple[Model, list[Callback]]:
        manual_seed(self.study.user_attrs["seed"])
        model = self.build(**{name: value for name, value in params.items() if name not in self.to_fit})
        if not isinstance(model, Model):
            raise TypeError(f"search: build must return a compiled train.Model, not {type(model).__name__}")
        given = self.callbacks(trial) if callable(self.callbacks) else self.callbacks
        callbacks = [*([given] if isinstance(given, Callback) else given), *own]
        fit = self.fit | {name: params[name] for name in self.to_fit if name in params}
        model.fit(self.X, self.y, callbacks=callbacks, **fit)
        return model, callbacks


_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def _result(optuna: ModuleType, study: Any, suggest: Callable[[Any], dict[str, Any]]) -> SearchResult:
    """What a study has found, and a warning of what failed."""
    rows = [_row(optuna, trial, suggest) for trial in study.trials]
    errors = [f"trial {row['number']}: {row['error']}" for row in rows if row["error"]]
    if not any(row["state"] == "complete" for row in rows):
        told = f"; {errors[0]}" if errors else ""
        raise RuntimeError(f"search: none of {len(rows)} trials came to its end{told}")
    if errors:
        warnings.warn(f"search: {len(errors)} of {len(rows)} trials failed; {errors[0]}", stacklevel=3)
    params = suggest(optuna.trial.FixedTrial(study.best_params, study.best_trial.number))
    return SearchResult(params, study.best_value, None, study, rows)


def _row(optuna: ModuleType, trial: Any, suggest: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    try:
        params = suggest(optuna.trial.FixedTrial(trial.params, trial.number))
    except Exception:  # it failed before all of them were drawn
        params = trial.params
    reports = trial.intermediate_values
    row = {
        "number": trial.number,
        "value": trial.value if trial.value is not None else reports[max(reports)] if reports else math.nan,
        "state": _STATES.get(trial.state.name, "running"),
        "epochs": trial.user_attrs.get("epochs", len(reports)),
        "seconds": trial.duration.total_seconds() if trial.duration else math.nan,
        "error": trial.user_attrs.get("error"),
    }
    return row | {(f"params_{name}" if name in row else name): value for name, value in params.items()}


def _write(logger: Any, result: SearchResult, metric: str) -> None:
    """Write what was found to the run above those of the trials."""
    figures = {}
    with suppress(ImportError):  # without matplotlib there is no picture
        figures["study.png"] = plot_study(result)
    params = {"trials": len(result.trials), **result.best_params}
    logger.write(params, {f"best_{metric}": result.best_value}, figures)
