"""A fit is kept as a run of MLflow, in a real store; what MLflow does wrong does not harm the fit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, tracking, train
from tensorgrad.tracking.run import quiet

with quiet():
    mlflow = pytest.importorskip("mlflow")
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
Y = np.arange(12) % 3


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store for all tests of this file: making the tables takes MLflow seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Files that go astray are seen, and MLflow's state is as it was."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    yield
    assert mlflow.active_run() is None
    assert os.listdir(tmp_path) == []


@pytest.fixture
def client(store):
    with quiet():
        return MlflowClient(store)


def classifier(**options):
    model = train.Model()
    model.add(nn.Linear(2, 8), weight_l2=1e-3)
    model.add("relu")
    model.add(nn.Linear(8, 3))
    model.compile("adam", "cross_entropy", ["accuracy"], learning_rate=0.01, clip_norm=1.0, **options)
    return model


def fit(logger, epochs=3, model=None, callbacks=(), **kwargs):
    model = model or classifier()
    kwargs = {"verbose": 0, "validation_data": (X, Y), "batch_size": 4} | kwargs
    history = model.fit(X, Y, epochs=epochs, callbacks=[*callbacks, logger], **kwargs)
    return model, history


def drawn(model):
    return {"weights/first.png": tg.viz.plot_weights(model.module)}


@pytest.fixture(scope="module")
def kept(store):
    """A fit that was kept with everything."""
    logger = tracking.MLflowLogger(
        "kept", "first", tracking_uri=store, params={"author": "me"}, tags={"kind": "test"}, input_example=X[:2],
        figures=drawn if find_spec("matplotlib") else None, registered_model_name="kept",
    )  # fmt: skip
    model, history = fit(logger)
    return logger, model, history


@pytest.fixture
def run(kept, client):
    return client.get_run(kept[0].run_id)


def uri_of(run):
    return f"models:/{run.outputs.model_outputs[0].model_id}"


# What is kept


def test_a_run_has_the_parameters_of_the_fit_and_those_of_the_user(run):
    params = run.data.params
    expected = {
        "optimizer": "Adam", "learning_rate": "0.01", "betas": "(0.9, 0.999)", "loss": "categorical_crossentropy",
        "clip_norm": "1.0", "0.weight_l2": "0.001", "epochs": "3", "steps": "3", "parameters": "51", "author": "me",
    }  # fmt: skip
    assert expected.items() <= params.items()
    assert params["network"].startswith("Linear(in_features=2, out_features=8, bias=True) > ReLU() > Linear(")
    assert "fused" not in params


def test_a_run_has_the_numbers_of_each_epoch(kept, client):
    logger, _, history = kept
    for name in ("loss", "accuracy", "penalty", "val_loss", "val_accuracy"):
        entries = sorted(client.get_metric_history(logger.run_id, name), key=lambda entry: entry.step)
        assert [entry.step for entry in entries] == [0, 1, 2]
        assert [entry.value for entry in entries] == history[name]
    assert [entry.value for entry in client.get_metric_history(logger.run_id, "learning_rate")] == [0.01] * 3


def test_a_run_is_finished_and_tells_where_it_is_from(run, client):
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "first"
    assert run.data.tags["kind"] == "test"
    assert run.data.tags["tensorgrad.version"] == tg.__version__
    assert "mlflow.source.name" in run.data.tags
    assert client.get_experiment(run.info.experiment_id).name == "kept"


def test_a_run_has_the_curves_the_figures_of_the_user_and_a_summary(run, client, tmp_path_factory):
    pytest.importorskip("matplotlib")
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"history.png", "weights", "summary.txt"}
    assert [file.path for file in client.list_artifacts(run.info.run_id, "weights")] == ["weights/first.png"]
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []
    got = client.download_artifacts(run.info.run_id, "summary.txt", str(tmp_path_factory.mktemp("got")))
    assert "51 parameters" in Path(got).read_text()


def test_files_are_beside_the_database(run, store):
    assert run.info.artifact_uri.startswith(Path(store.removeprefix("sqlite:///")).parent.as_uri())


def test_numbers_wait_a_second_and_none_is_lost(store, client):
    logger = tracking.MLflowLogger("many", tracking_uri=store, log_model=False)
    model = train.Model(nn.Linear(2, 1))
    model.compile("sgd", "mse", learning_rate=0.0)
    _, history = fit(logger, 300, model, validation_data=None, batch_size=None)
    entries = client.get_metric_history(logger.run_id, "loss")
    assert [entry.step for entry in entries] == list(range(300)) == history.epoch


def test_numbers_are_written_at_once_after_a_second_and_at_the_end(store, monkeypatch):
    calls = failing(monkeypatch, "log_batch", 0)
    monkeypatch.setattr("tensorgrad.tracking.run._SECONDS", 1000.0)
    fit(tracking.MLflowLogger("seldom", tracking_uri=store, log_model=False), 5)
    assert len(calls) == 3  # the parameters, the first epoch, and the others


def test_names_that_mlflow_does_not_take_are_changed(store, client):
    names = ["a=b", "../x", "", "a//b", "/c", "x" * 300, 3]
    logger = tracking.MLflowLogger(
        "names", tracking_uri=store, log_model=False, params=dict.fromkeys(names, 1), tags={"t/..//": "x"}
    )
    model = train.Model(nn.Linear(2, 1))
    model.compile("sgd", "mse", [lambda predictions, targets: 1.0])
    more = train.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(dict.fromkeys(map(str, names), 1.0)))
    fit(logger, 1, model, [more], validation_data=None)
    run = client.get_run(logger.run_id)
    taken = {"a_b", "__x", "_", "a__b", "_c", "x" * 250, "3"}
    assert {name for name, value in run.data.params.items() if value == "1"} - {"steps", "epochs"} >= taken
    assert run.data.metrics.keys() >= taken | {"_lambda_", "loss"}
    assert run.data.tags["t_..__"] == "x"
    assert run.info.status == "FINISHED"


def test_a_tag_that_is_not_taken_leaves_the_rest(store, client, monkeypatch):
    monkeypatch.setattr("tensorgrad.tracking.run._key", str)
    logger = tracking.MLflowLogger("tags", tracking_uri=store, log_model=False, tags={"t/..//": "x"})
    with pytest.warns(UserWarning, match="tracking failed"):
        fit(logger)
    run = client.get_run(logger.run_id)
    assert (run.info.status, run.data.params["epochs"]) == ("FINISHED", "3")


def test_nan_is_kept(store, client):
    logger = tracking.MLflowLogger("nan", tracking_uri=store, log_model=False)
    model = train.Model(nn.Linear(2, 1))
    model.compile("sgd", lambda output, target: output.mean() * float("nan"))
    with pytest.warns(UserWarning, match="no longer a number"):
        fit(logger, 1, model, validation_data=None)
    assert np.isnan(client.get_run(logger.run_id).data.metrics["loss"])


# Models


def test_a_logged_model_is_read_again(kept, run, store, client):
    model = kept[1]
    client.set_registered_model_alias("kept", "champion", 1)
    for uri in (uri_of(run), f"runs:/{run.info.run_id}/model", "models:/kept/1", "models:/kept@champion"):
        again = tracking.load_model(uri, tracking_uri=store)
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.optimizer.param_groups[0]["lr"] == 0.01
    again.fit(X, Y, verbose=0)


def test_a_pyfunc_predicts_in_a_fresh_process(kept, run, store):
    code = f"""
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
mlflow.set_tracking_uri({store!r})
model = mlflow.pyfunc.load_model({uri_of(run)!r})
X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
outputs = [model.predict(x) for x in (X, X.astype(float), X.tolist(), pd.DataFrame(X), pd.DataFrame(X, columns=["a", "b"]))]
assert all(np.array_equal(output, outputs[0]) for output in outputs)
assert model.predict(pd.DataFrame({{"a": [1, 0], "b": [True, False]}})).shape == (2, 3)
print(outputs[0].tolist(), model.predict(X, params={{"method": "predict_classes"}}).tolist(), sep="|")
"""  # noqa: E501
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    probabilities, labels = done.stdout.strip().split("\n")[-1].split("|")
    np.testing.assert_array_equal(np.array(eval(probabilities), np.float32), kept[1].predict(X))
    assert eval(labels) == kept[1].predict_classes(X).tolist()


ROOT = Path(__file__).parents[1]


def files(uri, store):
    """The folder of a model, which MLflow only finds in the store of its environment."""
    with quiet(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", store)
        return mlflow.artifacts.download_artifacts(uri)


def described(uri, store):
    with quiet():
        return mlflow.models.Model.load(files(uri, store))


def test_a_logged_model_has_a_signature_an_example_and_requirements(run, store):
    model = described(uri_of(run), store)
    assert [str(spec.type) for spec in model.signature.inputs] == ["Any", "Any"]
    assert model.signature.outputs.inputs[0].shape == (-1, 3)
    assert model.saved_input_example_info["type"] == "ndarray"
    lines = (Path(files(uri_of(run), store)) / "requirements.txt").read_text().split()
    assert {f"tensorgrad=={tg.__version__}", f"numpy=={np.__version__}"} < set(lines)


def pyfunc(uri, store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    with quiet():
        return mlflow.pyfunc.load_model(uri)


class Sum(nn.Module):
    """A network of two inputs, and of a class of one's own."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 3), nn.Linear(4, 3)

    def forward(self, x, z):
        return self.first(x) + self.second(z)


def test_a_frame_gives_its_columns_to_the_signature(store, monkeypatch):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["height", "width"])
    model = classifier()
    model.fit(frame, Y.astype(str), verbose=0)
    uri = tracking.log_model(model, tracking_uri=store, input_example=frame[:2])
    assert described(uri, store).signature.inputs.input_names() == ["height", "width"]
    loaded = pyfunc(uri, store, monkeypatch)
    turned = frame[["width", "height"]].astype(float)
    np.testing.assert_array_equal(loaded.predict(turned), model.predict(frame))
    assert set(loaded.predict(frame, params={"method": "predict_classes"})) <= {"0", "1", "2"}
    with pytest.raises(ValueError, match="method must be one of predict, predict_proba"):
        loaded.predict(frame, params={"method": "fit"})


def test_a_frame_of_whole_numbers_and_of_yes_and_no_is_predicted_for(store, monkeypatch):
    pd = pytest.importorskip("pandas")
    whole = pd.DataFrame({"age": [3, 1, 2, 4] * 3, "smokes": [True, False, False, True] * 3})
    for frame in (whole, whole[["age"]], whole[["smokes"]], whole.assign(height=X[:, 0])):
        model = train.Model(train.mlp([len(frame.columns), 3]))
        model.compile("sgd", "cross_entropy")
        model.fit(frame, Y, verbose=0)
        loaded = pyfunc(tracking.log_model(model, tracking_uri=store), store, monkeypatch)
        nullable = frame.convert_dtypes()
        for each in (frame, nullable, frame.astype(float), frame[frame.columns[::-1]], frame.assign(more="x")):
            np.testing.assert_array_equal(loaded.predict(each), model.predict(frame))


def test_images_and_indices_keep_their_shapes_and_kinds(store, monkeypatch):
    images = train.Model([nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)])
    images.compile("sgd", "cross_entropy")
    pixels = tg.randn(6, 1, 4, 4).numpy()
    images.fit(pixels, Y[:6], verbose=0)
    uri = tracking.log_model(images, tracking_uri=store)
    assert described(uri, store).signature.inputs.inputs[0].shape == (-1, 1, 4, 4)
    np.testing.assert_array_equal(pyfunc(uri, store, monkeypatch).predict(pixels), images.predict(pixels))

    words = train.Model([nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 3)])
    words.compile("sgd", "cross_entropy")
    indices = np.arange(18).reshape(6, 3) % 5
    words.fit(indices, Y[:6], verbose=0)
    uri = tracking.log_model(words, tracking_uri=store)
    assert [spec.type.name for spec in described(uri, store).signature.inputs] == ["long"] * 3
    np.testing.assert_array_equal(pyfunc(uri, store, monkeypatch).predict(indices), words.predict(indices))


def test_a_network_of_ones_own_class_is_read_with_it(store, monkeypatch):
    model = train.Model(Sum())
    model.compile("sgd", "cross_entropy")
    both = X, np.ones((12, 4), np.float32)
    model.fit(both, Y, verbose=0)
    uri = tracking.log_model(model, tracking_uri=store, input_example=tuple(x[:2] for x in both))
    assert described(uri, store).signature.inputs.input_names() == ["input_0", "input_1"]
    again = tracking.load_model(uri, Sum(), tracking_uri=store)
    np.testing.assert_array_equal(again.predict(both), model.predict(both))
    with pytest.raises(ValueError, match=r"the network in .* is a Sum .*; make it and give it"):
        pyfunc(uri, store, monkeypatch)
    from tensorgrad.tracking.models import _Predictor

    several = _Predictor(model).predict({"input_0": both[0], "input_1": both[1]})
    np.testing.assert_array_equal(several, model.predict(both))


def test_a_model_of_another_library_is_not_read(tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "model"
    with quiet():
        mlflow.pyfunc.save_model(path, loader_module="mlflow.sklearn", pip_requirements=["numpy"])
    with pytest.raises(ValueError, match=r"is a model of mlflow\.sklearn, and not of tensorgrad"):
        tracking.load_model(str(path))


@pytest.mark.parametrize(("given", "hint"), [(nn.Linear(1, 1), "train.Model\\(module\\)"), ("model", "not str")])
def test_what_is_no_model_is_not_logged(given, hint, store):
    with pytest.raises(TypeError, match=hint):
        tracking.log_model(given, tracking_uri=store)


def test_a_server_before_mlflow_3_has_models_as_files_of_the_run(store, client, monkeypatch):
    def absent(*args, **kwargs):
        from mlflow.protos.databricks_pb2 import ENDPOINT_NOT_FOUND

        raise MlflowException("no such endpoint", error_code=ENDPOINT_NOT_FOUND)

    monkeypatch.setattr(MlflowClient, "create_logged_model", absent)
    model = classifier()
    model.fit(X, Y, verbose=0)
    uri = tracking.log_model(model, tracking_uri=store, registered_model_name="old")
    assert uri.startswith("runs:/")
    for each in (uri, "models:/old/1"):
        again = tracking.load_model(each, tracking_uri=store)
        np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_model_is_added_to_an_earlier_run_that_stays_as_it_is(store, client):
    logger = tracking.MLflowLogger("added", tracking_uri=store, log_model=False)
    model, _ = fit(logger)
    before = client.get_run(logger.run_id).info
    uri = tracking.log_model(model, "net", run_id=logger.run_id, tracking_uri=store)
    run = client.get_run(logger.run_id)
    assert (run.info.status, run.info.end_time) == (before.status, before.end_time)
    assert uri_of(run) == uri
    assert tracking.load_model(f"runs:/{logger.run_id}/net", tracking_uri=store).module


def test_a_model_that_could_not_be_written_is_marked(store, client):
    model, _ = fit(tracking.MLflowLogger("marked", tracking_uri=store, log_model=False))
    experiment_id = client.create_experiment("failed")
    run_id = client.create_run(experiment_id).info.run_id
    with pytest.raises(ValueError, match=r"shape|match"):
        tracking.log_model(model, run_id=run_id, tracking_uri=store, input_example=np.ones((2, 7)))
    (logged,) = client.search_logged_models([experiment_id])
    assert logged.status.name == "FAILED"


# Runs


def test_a_run_that_the_user_has_opened_is_joined_and_left_open(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    with quiet(), mlflow.start_run(experiment_id=experiment(store, "joined")) as opened:
        logger = tracking.MLflowLogger(log_model=False)
        fit(logger)
        assert logger.run_id == opened.info.run_id
        assert mlflow.get_run(logger.run_id).info.status == "RUNNING"
        child = tracking.MLflowLogger("joined", nested=True, log_model=False)
        fit(child)
        assert child.run_id != logger.run_id
    run = MlflowClient(store).get_run(child.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.parentRunId"] == opened.info.run_id
    assert MlflowClient(store).get_run(logger.run_id).info.status == "FINISHED"


def test_a_run_that_is_open_in_another_store_is_not_joined(store, client, monkeypatch, tmp_path_factory):
    other = f"sqlite:///{tmp_path_factory.mktemp('other') / 'mlflow.db'}"
    shutil.copy(store.removeprefix("sqlite:///"), other.removeprefix("sqlite:///"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", other)
    with quiet(), mlflow.start_run() as opened:
        logger = tracking.MLflowLogger("apart", tracking_uri=store, log_model=False)
        fit(logger)
        assert logger.run_id != opened.info.run_id
    assert client.get_run(logger.run_id).info.status == "FINISHED"


def experiment(store, name):
    with quiet():
        client = MlflowClient(store)
        found = client.get_experiment_by_name(name)
        folder = Path(store.removeprefix("sqlite:///")).parent / "mlruns"
        return found.experiment_id if found else client.create_experiment(name, folder.as_uri())


def test_the_experiment_is_that_of_the_environment(store, client, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "named")
    logger = tracking.MLflowLogger(tracking_uri=store, log_model=False)
    fit(logger)
    assert client.get_experiment(client.get_run(logger.run_id).info.experiment_id).name == "named"
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", experiment(store, "numbered"))
    fit(logger)
    assert client.get_experiment(client.get_run(logger.run_id).info.experiment_id).name == "numbered"


def test_an_earlier_run_is_gone_on_with(store, client):
    first = tracking.MLflowLogger("again", tracking_uri=store, log_model=False)
    model, _ = fit(first, 2)
    second = tracking.MLflowLogger(run_id=first.run_id, tracking_uri=store, log_model=False, params={"more": 1})
    seen = []
    watch = train.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(client.get_run(first.run_id).info.status))
    fit(second, 3, model, [watch])
    assert seen == ["RUNNING"] * 3
    run = client.get_run(first.run_id)
    assert second.run_id == first.run_id
    assert run.info.status == "FINISHED"
    assert run.data.params["epochs"] == "2"
    assert run.data.params["more"] == "1"


def test_a_fit_resumed_from_a_checkpoint_goes_on_in_its_run(store, client, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "fit.safetensors"

    def logged(epochs):
        logger = tracking.MLflowLogger("resumed", tracking_uri=store, log_model=False)
        fit(logger, epochs, callbacks=[train.ModelCheckpoint(path)], resume=path)
        return logger.run_id

    first = logged(2)
    assert logged(5) == first
    entries = client.get_metric_history(first, "loss")
    assert [entry.step for entry in entries] == [0, 1, 2, 3, 4]


def test_a_fit_resumed_where_its_run_is_not_begins_another(store, client):
    class Resumed(train.Callback):
        def on_train_begin(self, logs=None):
            logger.load_state_dict({"run_id": run_id})

    deleted = client.create_run(experiment(store, "elsewhere")).info.run_id
    client.delete_run(deleted)
    for run_id in ("0" * 32, deleted):
        logger = tracking.MLflowLogger("elsewhere", tracking_uri=store, log_model=False)
        classifier().fit(X, Y, callbacks=[logger, Resumed()], verbose=0)
        assert logger.run_id != run_id
        assert client.get_run(logger.run_id).info.status == "FINISHED"
    logger = tracking.MLflowLogger("elsewhere", run_id="0" * 32, tracking_uri=store, strict=True)
    with pytest.raises(MlflowException, match="not found"):
        fit(logger)


class Breaks(train.Callback):
    def __init__(self, error):
        self.error = error

    def on_epoch_end(self, epoch, logs):
        raise self.error


class TrialPruned(Exception):
    """Named as Optuna's."""


@pytest.mark.parametrize(
    ("error", "status"), [(OverflowError(), "FAILED"), (KeyboardInterrupt(), "KILLED"), (TrialPruned(), "KILLED")]
)
def test_a_fit_that_is_broken_off_leaves_a_run_that_says_so(error, status, store, client):
    logger = tracking.MLflowLogger("broken", tracking_uri=store)
    model = classifier()
    with pytest.raises(type(error)):
        model.fit(X, Y, callbacks=[logger, Breaks(error)], verbose=0)
    run = client.get_run(logger.run_id)
    assert run.info.status == status
    assert run.data.metrics["loss"] > 0
    assert not run.outputs.model_outputs


def test_a_fit_within_the_handling_of_an_error_is_finished(store, client):
    logger = tracking.MLflowLogger("handling", tracking_uri=store, log_model=False)
    try:
        raise OverflowError
    except OverflowError:
        fit(logger)
    assert client.get_run(logger.run_id).info.status == "FINISHED"


def test_a_logger_before_early_stopping_would_keep_another_model(store):
    logger, stopping = tracking.MLflowLogger(tracking_uri=store), train.EarlyStopping()
    with pytest.raises(ValueError, match=r"callbacks=\[stopping, logger\]"):
        classifier().fit(X, Y, validation_data=(X, Y), callbacks=[logger, stopping], verbose=0)
    assert logger.run_id is None


def test_the_model_that_early_stopping_put_back_is_kept(store, client):
    logger = tracking.MLflowLogger("stopped", tracking_uri=store)
    _, history = fit(logger, 20, callbacks=[train.EarlyStopping("val_accuracy", patience=2)])
    again = tracking.load_model(uri_of(client.get_run(logger.run_id)), tracking_uri=store)
    assert again.evaluate(X, Y, return_dict=True)["accuracy"] == history.best("val_accuracy", "max")[1]


def test_an_estimator_takes_a_logger_and_is_logged(store, client):
    pytest.importorskip("sklearn")
    from sklearn.base import clone

    from tensorgrad.estimators import NeuralNetRegressor

    logger = tracking.MLflowLogger("estimator", tracking_uri=store, log_model=False)
    model = NeuralNetRegressor((4,), max_iter=2, tol=0, callbacks=[logger], random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, X[:, 0])
        clone(model).fit(X, X[:, 0])
    runs = client.search_runs([client.get_experiment_by_name("estimator").experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
    again = tracking.load_model(tracking.log_model(model, tracking_uri=store), tracking_uri=store)
    np.testing.assert_allclose(again.predict(X).ravel(), model.predict(X), rtol=1e-6)


@pytest.mark.parametrize("labels", [[7, 5], ["yes", "no"], [True, False], [9, 4, 7]])
def test_the_model_of_an_estimator_has_its_labels_and_columns(labels, store):
    pytest.importorskip("sklearn")
    pd = pytest.importorskip("pandas")
    from tensorgrad.estimators import NeuralNetClassifier

    frame, y = pd.DataFrame(X, columns=["height", "width"]), np.array(labels)[np.arange(12) % len(labels)]
    model = NeuralNetClassifier((4,), max_iter=2, tol=0, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame, y)
    again = tracking.load_model(tracking.log_model(model, tracking_uri=store), tracking_uri=store)
    with pytest.raises(ValueError, match=r"columns width, height, and the model has learned from height, width"):
        again.predict(frame[["width", "height"]])
    assert again.predict_classes(frame).tolist() == model.predict(frame).tolist()
    assert again.score(frame, y) == model.score(frame, y)
    with pytest.raises(ValueError, match=r"y holds the label 8, which is not among|y holds numbers, .* fitted to"):
        again.evaluate(frame, np.full(12, 8))
    assert model.model_._names is None


# Failures


def failing(monkeypatch, name, times):
    """A method of the client that fails for some calls, and the list of these and of the others."""
    original, calls = getattr(MlflowClient, name), []

    def method(*args, **kwargs):
        calls.append(args)
        if len(calls) <= times:
            raise ConnectionError("the server is away")
        return original(*args, **kwargs)

    monkeypatch.setattr(MlflowClient, name, method)
    return calls


@pytest.mark.parametrize("name", ["create_run", "log_batch", "log_text"])
def test_what_fails_for_a_while_is_made_up_for_at_the_end(name, store, client, monkeypatch):
    failing(monkeypatch, name, 1)
    logger = tracking.MLflowLogger("away", tracking_uri=store)
    with pytest.warns(UserWarning, match="tracking failed .*away.*; the fit goes on") as caught:
        _, history = fit(logger)
    assert len(caught) == 1
    run = client.get_run(logger.run_id)
    assert run.info.status == "FINISHED"
    assert [entry.value for entry in client.get_metric_history(logger.run_id, "loss")] == history["loss"]
    assert run.outputs.model_outputs


def test_what_failed_is_tried_again_after_a_while(store, client, monkeypatch):
    monkeypatch.setattr("tensorgrad.tracking.run._PAUSE", 0.0)
    failing(monkeypatch, "create_run", 2)
    logger = tracking.MLflowLogger("away", tracking_uri=store, log_model=False)
    seen = []
    watch = train.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logger.client is not None))
    with pytest.warns(UserWarning, match="tracking failed") as caught:
        fit(logger, callbacks=[watch])
    assert len(caught) == 1
    assert seen == [True, True, True]


def test_what_cannot_be_made_up_for_is_said_once_more(store, client, monkeypatch):
    failing(monkeypatch, "log_text", 1000)
    logger = tracking.MLflowLogger("away", tracking_uri=store, log_model=False)
    with pytest.warns(UserWarning, match="tracking failed") as caught:
        _, history = fit(logger)
    assert len(history.epoch) == 3
    told = [str(warning.message) for warning in caught]
    assert len(told) == 2
    assert f"tracking failed again, and the run {logger.run_id} is not complete" in told[1]
    assert client.get_run(logger.run_id).data.metrics["loss"] == history["loss"][-1]


def test_a_server_that_is_away_costs_no_time_and_no_training():
    logger = tracking.MLflowLogger(tracking_uri="http://127.0.0.1:9")
    with pytest.warns(UserWarning, match="tracking failed") as caught:
        _, history = fit(logger)
    assert len(history.epoch) == 3
    assert [str(w.message).split(" (")[0].split(":")[0] for w in caught] == ["tracking failed", "tracking failed again"]
    assert logger.run_id is None


def test_a_server_that_dies_in_mid_fit_is_asked_for_a_sign_of_life_and_not_waited_for(store, monkeypatch):
    asked, calls = [], failing(monkeypatch, "log_batch", 0)

    def silent(uri):
        asked.append(uri)
        raise ConnectionError("no answer")

    class Dies(train.Callback):
        def on_epoch_end(self, epoch, logs):
            monkeypatch.setattr("tensorgrad.tracking.run._must_answer", silent)
            calls.clear()

    logger = tracking.MLflowLogger("dies", tracking_uri=store)
    with pytest.warns(UserWarning, match="tracking failed") as caught:
        fit(logger, callbacks=[Dies()])
    assert f"again, and the run {logger.run_id} is not complete" in str(caught[-1].message)
    assert calls == []
    assert len(asked) == 3  # once when it was noticed, at the end once, and whether it is worth going on


def test_processes_make_a_store_one_after_the_other(store, monkeypatch):
    original, inside, most = MlflowClient.__init__, [], []

    def slow(self, *args, **kwargs):
        inside.append(self)
        time.sleep(0.05)
        most.append(len(inside))
        inside.remove(self)
        original(self, *args, **kwargs)

    monkeypatch.setattr(MlflowClient, "__init__", slow)
    threads = [threading.Thread(target=tracking.run.Run("race", tracking_uri=store).open) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]


def test_an_experiment_that_another_process_has_just_made_is_used(store, client, monkeypatch):
    made, original, calls = experiment(store, "raced"), MlflowClient.get_experiment_by_name, []

    def late(self, name):
        calls.append(name)
        return original(self, name) if len(calls) > 1 else None

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", late)
    logger = tracking.MLflowLogger("raced", tracking_uri=store, log_model=False)
    fit(logger)
    assert client.get_run(logger.run_id).info.experiment_id == made


def test_strict_tracking_raises(store, client, monkeypatch):
    failing(monkeypatch, "log_text", 1000)
    logger = tracking.MLflowLogger("strict", tracking_uri=store, strict=True)
    with pytest.raises(ConnectionError, match="away"):
        fit(logger)
    assert client.get_run(logger.run_id).info.status == "FAILED"
    with pytest.raises(Exception, match="Connection refused"):
        fit(tracking.MLflowLogger(tracking_uri="http://127.0.0.1:9", strict=True))


def test_figures_that_fail_do_not_lose_the_model(store, client):
    logger = tracking.MLflowLogger("figures", tracking_uri=store, figures=lambda model: model.no_such_thing)
    with pytest.warns(UserWarning, match="no_such_thing"):
        fit(logger)
    assert client.get_run(logger.run_id).outputs.model_outputs


def test_without_mlflow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match=r"MLflowLogger needs MLflow: pip install mlflow"):
        tracking.MLflowLogger()
    with pytest.raises(ImportError, match=r"log_model needs MLflow: pip install mlflow"):
        tracking.log_model(classifier())
