"""Models in MLflow: a file of ours in the format that MLflow's own tools load, serve and register."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import tensorgrad
from tensorgrad.autograd.graph import TensorBase
from tensorgrad.nn.module import Module
from tensorgrad.tracking.run import Run, mlflow, quiet
from tensorgrad.train import Model

_FILE = "model.safetensors"
_MANY = 1000  # columns: MLflow looks at each of them by itself
_METHODS = ("predict", "predict_proba", "predict_classes")


def log_model(
    model: Any,
    name: str = "model",
    *,
    run_id: str | None = None,
    tracking_uri: str | None = None,
    input_example: Any = None,
    registered_model_name: str | None = None,
    pip_requirements: Sequence[str] | None = None,
) -> str:
    """Log a `train.Model`, or a fitted estimator of ours, as a model of MLflow; return its URI.

    What is logged is the file of `Model.save`, with a signature once the model has met data, and the flavour "pyfunc":
    `mlflow.pyfunc.load_model(uri).predict(X)` gives what `Model.predict` gives, in any process that has tensorgrad,
    and the labels with `params={"method": "predict_classes"}`. X of rows may be an array or a data frame of any real
    dtype, and must be a frame if the model has learned from one; X of more dimensions, or of more than 1,000 columns,
    is an array of the network's dtype; several inputs are a dict of "input_0", "input_1" and so on. MLflow's server
    takes rows as JSON, not as CSV. `input_example`, a few rows of X, is kept with it. A network of a class of your own
    is logged as well, but only `load_model` reads it again.

    The run is that of `run_id`, else the one that is open, else a new one. With `registered_model_name` a version of a
    registered model is made of it. `pip_requirements` are tensorgrad and NumPy by default. Raises `TypeError` for what
    is no model, MLflow's errors where it fails.

    >>> import os, tempfile, tensorgrad as tg
    >>> from tensorgrad import nn, tracking, train
    >>> model = train.Model([nn.Linear(2, 3)])
    >>> model.compile("sgd", "cross_entropy")
    >>> history = model.fit(tg.ones(4, 2), [0, 1, 2, 0], verbose=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = "sqlite:///" + os.path.join(folder, "mlflow.db")
    ...     uri = tracking.log_model(model, tracking_uri=store)
    ...     again = tracking.load_model(uri, tracking_uri=store)
    >>> (again.predict(tg.ones(4, 2)) == model.predict(tg.ones(4, 2))).all()
    np.True_
    """
    library = mlflow("log_model")
    what = _model(model), name, input_example, registered_model_name, pip_requirements
    if run_id is not None:
        with quiet():
            return put(library.MlflowClient(tracking_uri), run_id, *what)
    run = Run(tracking_uri=tracking_uri, strict=True)
    run.open()
    status = "FAILED"
    try:
        with quiet():
            uri = put(run.client, run.run_id, *what)
        status = "FINISHED"
    finally:
        run.finish(status)
    return uri


def load_model(model_uri: str, module: Module | None = None, *, tracking_uri: str | None = None) -> Model:
    """Read a model that was logged: "models:/ID", "models:/NAME/VERSION", "models:/NAME@ALIAS", "runs:/ID/model".

    A folder in MLflow's format will do as well. It is a `train.Model`, which predicts, evaluates and goes on learning
    as one of `Model.load`; `module` is the network where it is of a class of your own. Raises `ValueError` for a model
    of another library, MLflow's errors where there is none.

    >>> import os, tempfile
    >>> from tensorgrad import nn, tracking, train
    >>> model = train.Model(nn.Linear(2, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = "sqlite:///" + os.path.join(folder, "mlflow.db")
    ...     uri = tracking.log_model(model, tracking_uri=store, registered_model_name="lines")
    ...     tracking.load_model("models:/lines/1", tracking_uri=store).module
    Linear(in_features=2, out_features=1, bias=True)
    """
    library = mlflow("load_model")
    with tempfile.TemporaryDirectory() as folder, quiet():
        location = _location(model_uri, lambda: library.MlflowClient(tracking_uri))
        at = library.artifacts.download_artifacts(artifact_uri=location, dst_path=folder, tracking_uri=tracking_uri)
        flavor = library.models.Model.load(at).flavors.get("python_function", {})
        if flavor.get("loader_module") != __name__:
            raise ValueError(
                f"load_model: {model_uri!r} is a model of {flavor.get('loader_module', 'another library')}, and not of "
                f"tensorgrad: mlflow.pyfunc.load_model reads it"
            )
        return Model.load(os.path.join(at, flavor["data"]), module)


def _location(uri: str, connect: Callable[[], Any]) -> str:
    """Where the files of a model are; MLflow by itself would look for them in its default store."""
    scheme, _, path = uri.partition(":/")
    if scheme not in ("runs", "models"):
        return uri
    client = connect()
    head, _, tail = path.partition("/")
    if scheme == "runs":
        run = client.get_run(head)
        outputs = run.outputs.model_outputs if run.outputs else []
        logged = [client.get_logged_model(output.model_id) for output in outputs]
        return next((m.artifact_location for m in logged if m.name == tail), f"{run.info.artifact_uri}/{tail}")
    if "@" in head:
        return _location(client.get_model_version_by_alias(*head.split("@")).source, connect)
    if tail:
        return _location(client.get_model_version(head, tail).source, connect)
    return client.get_logged_model(head).artifact_location


def _model(model: Any) -> Model:
    estimator, model = model, getattr(model, "model_", model)
    if estimator is not model and isinstance(model, Model):  # which keeps the labels and the columns itself
        model = copy.copy(model)
        if hasattr(estimator, "classes_"):
            model._names = np.asarray(estimator.classes_.tolist())
        model._columns = [str(name) for name in getattr(estimator, "feature_names_in_", ())] or None
    if not isinstance(model, Model):
        hint = "; put it into a Model: train.Model(module)" if isinstance(model, Module) else ""
        raise TypeError(f"log_model: it takes a train.Model, or a fitted estimator, not {type(model).__name__}{hint}")
    return model


def put(
    client: Any,
    run_id: str | None,
    model: Model,
    name: str,
    input_example: Any = None,
    registered_model_name: str | None = None,
    pip_requirements: Sequence[str] | None = None,
) -> str:
    """Write a model to a run through a client, and return its URI."""
    from mlflow.exceptions import MlflowException

    experiment = client.get_run(run_id).info.experiment_id
    logged = None
    try:
        logged = client.create_logged_model(experiment, name, run_id)
    except MlflowException as error:
        if error.error_code != "ENDPOINT_NOT_FOUND":  # a server before MLflow 3: models are files of the run
            raise
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = _written(folder, model, run_id, logged, input_example, pip_requirements)
            if logged is None:
                client.log_artifacts(run_id, path, name)
            else:
                client.log_model_artifacts(logged.model_id, path)
        except BaseException:
            if logged is not None:
                client.finalize_logged_model(logged.model_id, "FAILED")
            raise
    if logged is None:
        uri, source = f"runs:/{run_id}/{name}", f"{client.get_run(run_id).info.artifact_uri}/{name}"
    else:
        client.finalize_logged_model(logged.model_id, "READY")
        client.log_outputs(run_id, [mlflow("log_model").entities.LoggedModelOutput(logged.model_id, 0)])
        uri, source = f"models:/{logged.model_id}", logged.artifact_location
    if registered_model_name is not None:
        try:
            client.create_registered_model(registered_model_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        own = {} if logged is None else {"model_id": logged.model_id}
        client.create_model_version(registered_model_name, source, run_id, **own)
    return uri


def _written(
    folder: str, model: Model, run_id: str | None, logged: Any, example: Any, requirements: Sequence[str] | None
) -> str:
    """A folder in MLflow's format with the model in it."""
    library = mlflow("log_model")
    file, path = os.path.join(folder, _FILE), os.path.join(folder, "model")
    model.save(file)
    if example is not None:
        example = _example(example)
        model.predict(_inputs(example))  # it must go through the network, and tells its shapes to a model just loaded
    own: dict[str, Any] = {"run_id": run_id}
    if logged is not None:
        own |= {"artifact_path": logged.artifact_location, "model_uuid": logged.model_id, "model_id": logged.model_id}
    library.pyfunc.save_model(
        path,
        loader_module=__name__,
        data_path=file,
        mlflow_model=library.models.Model(**own),
        signature=_signature(model),
        input_example=example,
        pip_requirements=list(requirements or _requirements()),
    )
    return path


def _requirements() -> list[str]:
    return [f"tensorgrad=={tensorgrad.__version__}", f"numpy=={np.__version__}"]


def _example(example: Any) -> Any:
    """An example as MLflow keeps it: a frame as it is, a tensor as an array, several inputs by name."""
    if isinstance(example, tuple):
        return {_name(i): _example(x) for i, x in enumerate(example)}
    if isinstance(example, TensorBase):
        return example._data
    return example if hasattr(example, "columns") else np.asarray(example)


def _name(i: int) -> str:
    return f"input_{i}"


def _inputs(X: Any) -> Any:
    """Inputs as a model takes them: several are a tuple, not a dict."""
    return tuple(np.asarray(x) for x in X.values()) if isinstance(X, Mapping) else X


def _signature(model: Model) -> Any:
    """What goes in and comes out, None before the model has met data."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
    from mlflow.types.schema import AnyType

    task = model._task
    if task is None:
        return None
    (shape, dtype), *others = task.inputs
    inputs: list[Any]
    if others:
        inputs = [TensorSpec(dtype, (-1, *shape), _name(i)) for i, (shape, dtype) in enumerate(task.inputs)]
    elif len(shape) == 1 and shape[0] <= _MANY:
        names: list[Any] = model._columns or [None] * shape[0]
        # Not double: MLflow refuses integers for one.
        kind: Any = DataType.long if dtype.kind in "iu" else AnyType()  # type: ignore[no-untyped-call]
        inputs = [ColSpec(kind, name) for name in names]
    else:
        inputs = [TensorSpec(dtype, (-1, *shape))]
    output = TensorSpec(task.targets.dtype, (-1, *task.ending.shape[1:]))
    method = ParamSpec("method", DataType.string, _METHODS[0])
    return ModelSignature(Schema(inputs), Schema([output]), ParamSchema([method]))


class _Predictor:
    """What MLflow makes of a model: an object that predicts."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, X: Any, params: Mapping[str, Any] | None = None) -> Any:
        method = (params or {}).get("method", _METHODS[0])
        if method not in _METHODS:
            raise ValueError(f"method must be one of {', '.join(_METHODS)}, not {method!r}")
        if self.model._columns is None and hasattr(X, "to_numpy"):
            X = X.to_numpy()  # MLflow makes a frame of an array, with columns that stand for nothing
        return getattr(self.model, method)(_inputs(X))


def _load_pyfunc(path: str) -> _Predictor:
    """What `mlflow.pyfunc.load_model` calls with the path of a model's file."""
    return _Predictor(Model.load(path))
