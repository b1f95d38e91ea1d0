"""MLflowLogger: a fit as a run of MLflow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from tensorgrad.nn.module import Module
from tensorgrad.tracking.models import put
from tensorgrad.tracking.run import Run, mlflow
from tensorgrad.train.callbacks import Callback, EarlyStopping
from tensorgrad.train.callbacks.base import Logs
from tensorgrad.train.options import LayerOptions
from tensorgrad.train.summary import summary


class MLflowLogger(Callback):
    """Keeps a fit as a run of MLflow: its parameters, the numbers of each epoch, the curves, and the model.

    Parameters are the optimizer and its options, the loss, the network, penalties, epochs, and `params`. The curves are
    drawn where matplotlib is installed; `figures` is a function of the model that gives more, a dict of file names and
    figures or axes, which are closed. The model is logged as `log_model` does it, unless `log_model=False`.
    `tracking_uri` is MLflow's own by default: that of `mlflow.set_tracking_uri` or MLFLOW_TRACKING_URI, else the file
    mlflow.db in the working directory, without a server (`mlflow ui`, of the package `mlflow`, shows it). It may be
    "sqlite:///runs/mlflow.db", "http://..." or "https://dagshub.com/USER/REPO.mlflow", with MLFLOW_TRACKING_USERNAME
    and MLFLOW_TRACKING_PASSWORD in the environment. The experiment is that of `mlflow.set_experiment`, else
    "tensorgrad".

    A run that was opened with `mlflow.start_run` is joined and left open; else there is a new one, below the run
    `nested` (True: the open one). `run_id` goes on with an earlier run, as does by itself a fit that is resumed from a
    checkpoint. A fit that is broken off leaves a run that has FAILED, or was KILLED where it was interrupted or pruned.
    When MLflow fails, training goes on: there is a warning, and what could not be written is tried again later, at the
    latest at the end; `strict=True` raises instead. MLflow's own state is never changed. Raises `ImportError` without
    MLflow, and `ValueError` before an `EarlyStopping` that puts back the best weights: it must stand behind that.

    >>> import os, tempfile, tensorgrad as tg
    >>> from tensorgrad import nn, tracking, train
    >>> model = train.Model(nn.Linear(2, 1))
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     uri = "sqlite:///" + os.path.join(folder, "mlflow.db")
    ...     logger = tracking.MLflowLogger("lines", tracking_uri=uri, params={"author": "me"}, log_model=False)
    ...     history = model.fit(tg.ones(4, 2), tg.ones(4), epochs=2, callbacks=[logger], verbose=0)
    ...     run = logger.client.get_run(logger.run_id)
    >>> run.info.status, run.data.params["optimizer"], run.data.params["author"], sorted(run.data.metrics)
    ('FINISHED', 'SGD', 'me', ['learning_rate', 'loss'])
    """

    def __init__(
        self,
        experiment: str | None = None,
        run_name: str | None = None,
        *,
        run_id: str | None = None,
        nested: bool | str = False,
        tracking_uri: str | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        figures: Callable[[Any], Mapping[str, Any]] | None = None,
        log_model: bool = True,
        input_example: Any = None,
        registered_model_name: str | None = None,
        strict: bool = False,
    ) -> None:
        mlflow("MLflowLogger")
        self._settings: dict[str, Any] = {"tracking_uri": tracking_uri, "tags": tags, "strict": strict}
        self.experiment, self.run_name, self.nested = experiment, run_name, nested
        self.extra, self.figures, self.log_model = dict(params or {}), figures, log_model
        self.input_example, self.registered_model_name = input_example, registered_model_name
        self._given = run_id
        self._resumed: str | None = None
        self._run: Run | None = None
        self._last: Run | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_run": None, "_last": None}  # a copy, as of an estimator's callbacks, begins a new run

    @property
    def run_id(self) -> str | None:
        """The run's ID, once it has begun."""
        run = self._run or self._last
        return self._given if run is None else run.run_id

    @property
    def client(self) -> Any:
        """The `MlflowClient` that the run is written through, once it has begun."""
        run = self._run or self._last
        return None if run is None else run.client

    # A run with others below it, as of a search

    def open(self) -> None:
        """Begin the run before a fit does, as that of several: fits with `child` loggers have runs below it."""
        if self._run is None:
            run_id, new = self._given or self._resumed, self._given is None
            self._run = Run(
                self.experiment, self.run_name, run_id=run_id, or_new=new, nested=self.nested, **self._settings
            )
            self._run.open()

    def child(self, run_name: str, params: Mapping[str, Any] | None = None) -> MLflowLogger:
        """A logger whose run is below this one's, without a model of its own."""
        nested: Any = self.run_id or False
        return MLflowLogger(self.experiment, run_name, nested=nested, params=params, log_model=False, **self._settings)

    def write(
        self,
        params: Mapping[str, Any] | None = None,
        numbers: Mapping[str, float] | None = None,
        figures: Mapping[str, Any] | None = None,
    ) -> None:
        """Write parameters, numbers, and figures by their file names to a run that has begun."""
        run = self._must_be_open()
        if params:
            run.do(lambda: run.put_params(params))
        if numbers:
            run.write(numbers, 0)
        if figures:
            run.do(lambda: _draw(run, figures))

    def close(self, status: str = "FINISHED") -> None:
        """End the run that `open` began: "FINISHED", "FAILED" or "KILLED"."""
        if self._run is not None:
            self._run.finish(status)
            self._last, self._run = self._run, None

    def _must_be_open(self) -> Run:
        if self._run is None:
            raise RuntimeError("MLflowLogger: there is no run; open() begins one, as does a fit")
        return self._run

    # In the course of a fit

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """See that the model which is logged at the end will be the one that is meant."""
        self._before = sys.exception()
        self._resumed, self._described = None, False
        others = self.model._callbacks.callbacks
        behind = others[others.index(self) + 1 :]
        if self.log_model and any(isinstance(c, EarlyStopping) and c.restore_best_weights for c in behind):
            raise ValueError(
                "MLflowLogger: EarlyStopping puts the best weights back at the end, and must stand before it: "
                "callbacks=[stopping, logger]"
            )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin the run, with the first epoch: a fit that is resumed knows by then which one it goes on with."""
        if not self._described:
            self._described = True
            self.open()
            run = self._must_be_open()
            run.do(lambda: run.put_params(_described(self.model, self.params) | self.extra))
            run.do(lambda: run.client.log_text(run.run_id, _table(self.model), "summary.txt"))

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write the numbers, by the number of the epoch."""
        self._must_be_open().write({"learning_rate": self.model.learning_rate} | logs, epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Write the curves and the model, and end the run."""
        run = self._run
        if run is None:
            return
        error = sys.exception()
        status = "FINISHED"
        if error is not None and error is not self._before:
            pruned = type(error).__name__ == "TrialPruned"
            status = "FAILED" if isinstance(error, Exception) and not pruned else "KILLED"
        try:
            if status == "FINISHED":
                self._write_results(run)
        finally:
            self.close(status)

    def _write_results(self, run: Run) -> None:
        run.send()
        run.do(lambda: _draw(run, self._curves()))
        figures = self.figures
        if figures is not None:
            run.do(lambda: _draw(run, figures(self.model)))
        if self.log_model:
            model, example, registered = self.model, self.input_example, self.registered_model_name
            run.do(lambda: put(run.client, run.run_id, model, "model", example, registered))

    def _curves(self) -> Mapping[str, Any]:
        if find_spec("matplotlib") is None or not self.model.history.epoch:
            return {}
        from tensorgrad.viz import plot_history

        return {"history.png": plot_history(self.model.history)}

    def state_dict(self) -> dict[str, Any]:
        """The run that a fit resumed from a checkpoint goes on with."""
        return {"run_id": self.run_id}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with that run."""
        self._resumed = state_dict["run_id"]


def _draw(run: Run, figures: Mapping[str, Any]) -> None:
    """Write figures, or those that axes or arrays of axes are of, and close them."""
    for name, drawn in figures.items():
        while hasattr(drawn, "ravel"):
            drawn = drawn.ravel()[0]
        figure = getattr(drawn, "figure", drawn)
        run.client.log_figure(run.run_id, figure, name)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close(figure)


_ALIKE = ("foreach", "fused", "capturable", "differentiable")  # options that change no number


def _described(model: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """What a compiled model is and how it learns, as parameters of a run; `params` are those of the fit."""
    recipe, optimizer = model.recipe, model.optimizer
    found = {
        "optimizer": recipe.optimizer_name,
        "loss": recipe.objective.name,
        "network": _network(model.module)[:500],
        "parameters": sum(p.numel() for p in model.module.parameters()),
    }
    options = {key: value for key, value in optimizer.defaults.items() if key not in _ALIKE and value is not None}
    found |= {("learning_rate" if key == "lr" else key): value for key, value in options.items()}
    found |= {key: recipe.given[key] for key in ("decay", "clip_norm", "clip_value") if recipe.given[key]}
    found["gradient_accumulation_steps"] = recipe.given["gradient_accumulation_steps"]
    plain = vars(LayerOptions())
    for name, said in model._options.items():
        found |= {f"{name}.{key}": value for key, value in vars(said).items() if value != plain[key]}
    return found | {key: params[key] for key in ("epochs", "batch_size", "steps") if params.get(key) is not None}


def _table(model: Any) -> str:
    return summary(model.module, model._options, model._task.inputs, None)


def _network(module: Module) -> str:
    """The layers of a network in one line."""
    leaves = [layer for layer in module.modules() if not layer._modules]
    return " > ".join(repr(layer) for layer in leaves)
