"""A search finds good hyperparameters, and says what it tried; it can be broken off, repeated and seen."""

from __future__ import annotations

import math
import sys
import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import train, tuning

optuna = pytest.importorskip("optuna")

X = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
DATA = {"validation_data": (X[:20], Y[:20]), "epochs": 3, "batch_size": 20}
SPACE = {
    "learning_rate": tuning.LogUniform(1e-3, 1e-1),
    "hidden": [[4], [8, 4]],
    "dropout": tuning.Uniform(0.0, 0.4, 0.1),
    "optimizer": ["adam", tg.optim.SGD],
    "units": tuning.Integer(2, 6),
    "batch_size": [10, 20],
}


def build(learning_rate=0.01, hidden=(4,), optimizer="adam", dropout=0.0, units=2):
    model = train.Model(train.mlp([2, *hidden, units, 2], dropout=dropout))
    model.compile(optimizer, "cross_entropy", ["accuracy"], learning_rate=learning_rate)
    return model


def search(space=SPACE, n_trials=4, builder=build, **kwargs):
    return tuning.search(builder, space, X, Y, n_trials=n_trials, **(DATA | kwargs))


def values(result):
    return [row["value"] for row in result.trials]


# What is found


@pytest.fixture(scope="module")
def result():
    return search(n_trials=8, seed=1)


def test_the_parameters_are_of_the_space_and_the_best_value_is_the_smallest(result):
    assert len(result.trials) == 8
    for row in result.trials:
        assert 1e-3 <= row["learning_rate"] <= 1e-1
        assert row["hidden"] in SPACE["hidden"]
        assert row["optimizer"] in SPACE["optimizer"]
        assert round(row["dropout"], 6) in (0.0, 0.1, 0.2, 0.3, 0.4)
        assert row["units"] in range(2, 7)
        assert row["batch_size"] in (10, 20)
    complete = [row for row in result.trials if row["state"] == "complete"]
    best = min(complete, key=lambda row: row["value"])
    assert result.best_value == best["value"]
    assert result.best_params == {name: best[name] for name in SPACE}
    assert all(row["epochs"] == 3 and row["seconds"] > 0 and row["error"] is None for row in complete)


def test_the_best_model_is_that_of_its_trial(result):
    evaluated = result.best_model.evaluate(*DATA["validation_data"], return_dict=True)
    assert evaluated["loss"] == pytest.approx(result.best_value, rel=1e-6)
    sizes = [layer.out_features for layer in result.best_model.module if isinstance(layer, tg.nn.Linear)]
    assert sizes == [*result.best_params["hidden"], result.best_params["units"], 2]


def test_trials_make_a_table(result):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(result.trials)
    assert list(table.columns) == ["number", "value", "state", "epochs", "seconds", "error", *SPACE]


def test_the_value_is_the_last_unless_the_best_weights_are_put_back():
    plain = search({"learning_rate": 3.0}, 1, epochs=6)
    assert plain.best_value == plain.best_model.history["val_loss"][-1]
    stopped = search({"learning_rate": 3.0}, 1, epochs=6, callbacks=[train.EarlyStopping(patience=8)])
    assert stopped.best_value == min(plain.best_model.history["val_loss"]) < plain.best_value
    assert stopped.best_model.evaluate(*DATA["validation_data"])[0] == pytest.approx(stopped.best_value, rel=1e-6)
    late = search({"learning_rate": 3.0}, 1, epochs=6, callbacks=[train.EarlyStopping(start_from_epoch=9)])
    assert late.best_value == plain.best_value


def test_accuracy_is_made_large():
    result = search(metric="val_accuracy")
    assert result.study.direction.name == "MAXIMIZE"
    assert result.best_value == max(row["value"] for row in result.trials if row["state"] == "complete")
    assert search(metric="loss", direction="maximize", refit=False).study.direction.name == "MAXIMIZE"


def test_a_space_may_be_a_function_of_a_trial():
    def space(trial):
        layers = trial.suggest_int("layers", 1, 2)
        return {"hidden": [trial.suggest_int(f"size {i}", 2, 4) for i in range(layers)], "epochs": 2}

    result = search(space)
    assert len(result.best_params["hidden"]) in (1, 2)
    assert result.best_params["epochs"] == 2 == len(result.best_model.history.epoch)


def test_batch_size_and_epochs_go_to_fit_unless_build_takes_them():
    seen = []

    def with_epochs(epochs):
        seen.append(epochs)
        return build()

    result = search({"epochs": [5], "batch_size": [60]}, 1, with_epochs)
    assert seen == [5, 5]
    assert len(result.best_model.history.epoch) == 3
    assert result.best_model.history.params["steps"] == 1


def test_callbacks_may_be_a_function_of_the_trial():
    numbers = []

    def callbacks(trial):
        numbers.append(trial.number)
        return [train.TerminateOnNaN()]

    search(n_trials=3, callbacks=callbacks, refit=False)
    assert numbers == [0, 1, 2]


def test_without_refit_there_is_no_model():
    assert search(n_trials=1, refit=False).best_model is None


def test_what_fit_takes_is_passed_on():
    result = search({"units": 2}, 1, validation_data=None, validation_split=0.5)
    assert result.best_model.history.params["steps"] == 2
    with pytest.raises(RuntimeError, match="class_weight must be 'balanced' or a dict"):
        search({"units": 2}, 1, class_weight="even")


# Numbers that come again


def test_a_search_is_reproducible_and_leaves_the_generator_alone():
    first = values(search(seed=3))
    assert values(search(seed=3)) == first
    assert values(search(seed=4)) != first
    tg.manual_seed(3)
    assert values(search()) == first
    drawn = tg.rand(3)
    tg.manual_seed(3)
    assert drawn.tolist() == tg.rand(3).tolist()


def test_a_stored_search_goes_on_with_the_trials_that_are_missing(tmp_path):
    path = str(tmp_path / "study.db")
    first = search(storage=path, study_name="mine", n_trials=3)
    second = search(storage=f"sqlite:///{path}", study_name="mine", n_trials=5)
    assert values(second)[:3] == values(first)
    rates = [row["learning_rate"] for row in second.trials]
    assert len(set(rates)) == 5
    again = search(storage=path, study_name="mine", n_trials=5, builder=lambda **params: build(**params))
    assert values(again) == values(second)
    assert again.best_model.evaluate(*DATA["validation_data"])[0] == pytest.approx(again.best_value, rel=1e-6)
    with pytest.raises(ValueError, match=r"'mine' .* is to minimize, and this search to maximize; give another"):
        search(storage=path, study_name="mine", direction="maximize")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"units": tuning.Integer(2, 4)}, "'units' is not found"),
        ({"hidden": [[4], [8], [16]]}, "does not support dynamic value space"),
        ({"hidden": None}, "it has hidden besides"),
    ],
)
def test_a_study_of_another_space_is_told_before_the_first_fit(changed, match, tmp_path):
    space = {"learning_rate": tuning.LogUniform(1e-3, 1e-1), "hidden": [[4], [8]]}
    stored = {"storage": tmp_path / "study.db", "study_name": "mine", "refit": False}
    search(space, 1, **stored)
    with pytest.raises(ValueError, match=f"the study 'mine' are of another space; give another study_name .*{match}"):
        search(space | changed, 2, builder=lambda **params: pytest.fail("a model was built"), **stored)
    wider = search(space | {"learning_rate": tuning.LogUniform(1e-4, 1.0)}, 2, **stored)
    assert len(wider.trials) == 2


def test_a_seed_of_numpy_is_a_seed(tmp_path):
    plain, stored = search(n_trials=1, seed=3), search(n_trials=1, seed=np.int64(3), storage=tmp_path / "study.db")
    assert values(plain) == values(stored)


def test_parameters_named_as_what_is_told_of_a_trial_are_told_as_well():
    def builder(value):
        return build(learning_rate=value)

    (row,) = search({"value": 0.01, "epochs": 2}, 1, builder, refit=False).trials
    assert (row["params_value"], row["params_epochs"], row["epochs"]) == (0.01, 2, 2)
    assert row["value"] != 0.01


# Pruning and failing


def test_a_trial_that_is_not_promising_is_pruned():
    pruner = optuna.pruners.ThresholdPruner(upper=0.0, n_warmup_steps=1)
    with pytest.raises(RuntimeError, match="none of 2 trials came to its end"):
        search(n_trials=2, pruner=pruner)
    mixed = search(n_trials=12, epochs=6, seed=0, refit=False)
    assert {row["state"] for row in mixed.trials} == {"complete", "pruned"}
    assert all(0 < row["epochs"] < 6 for row in mixed.trials if row["state"] == "pruned")
    whole = search(n_trials=12, epochs=6, seed=0, refit=False, pruner=optuna.pruners.NopPruner())
    assert {row["state"] for row in whole.trials} == {"complete"}
    late = search(n_trials=12, epochs=10, seed=0, refit=False)
    assert min(row["epochs"] for row in late.trials if row["state"] == "pruned") == 3  # a fifth, and one


def test_a_pruning_callback_works_in_an_objective_of_ones_own():
    def objective(trial):
        callback = tuning.PruningCallback(trial, "val_accuracy")
        model = build(trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True))
        return model.fit(X, Y, callbacks=[callback], verbose=0, **DATA)["val_accuracy"][-1]

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.ThresholdPruner(upper=0.0))
    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["PRUNED", "PRUNED"]
    assert [list(trial.intermediate_values) for trial in study.trials] == [[0], [0]]


def test_a_pruning_callback_and_its_study_want_the_same():
    trial = optuna.create_study().ask()
    with pytest.raises(ValueError, match="the study is to minimize, and of 'val_accuracy' larger numbers are better"):
        tuning.PruningCallback(trial, "val_accuracy")
    tuning.PruningCallback(trial, "val_accuracy", mode="min")
    tuning.PruningCallback(optuna.trial.FixedTrial({}), "val_accuracy")
    several = optuna.create_study(directions=["minimize", "minimize"]).ask()
    with pytest.raises(ValueError, match="the study has 2 objectives, and Optuna prunes by one alone"):
        tuning.PruningCallback(several)


def test_a_trial_that_fails_is_reported_and_left_behind():
    def sometimes(units):
        if units > 3:
            raise OverflowError("too many")
        return build(units=units)

    with pytest.warns(UserWarning, match=r"of 6 trials failed; trial \d: OverflowError: too many"):
        result = search({"units": tuning.Integer(2, 5)}, 6, sometimes)
    states = {row["units"] > 3: (row["state"], row["error"]) for row in result.trials if row["state"] != "pruned"}
    assert states == {False: ("complete", None), True: ("failed", "OverflowError: too many")}


def test_a_fit_that_ends_in_nan_has_failed():
    def builder(scale):
        model = train.Model(train.mlp([2, 1]))
        model.compile("sgd", lambda output, target: output.mean() * float(scale))
        return model

    with pytest.warns(UserWarning, match="NaN|nan") as caught:
        result = search({"scale": ["nan", "0"]}, 6, builder, refit=False)
    assert any("val_loss is NaN at the end of the fit" in str(warning.message) for warning in caught)
    assert {row["scale"] for row in result.trials if row["state"] == "failed"} == {"nan"}
    assert result.best_params == {"scale": "0"}


def test_a_trial_that_was_interrupted_is_done_again_by_the_next_call(tmp_path):
    calls = []

    def interrupted(units):
        calls.append(units)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return build(units=units)

    stored = {"builder": interrupted, "storage": tmp_path / "study.db", "refit": False}
    with pytest.raises(KeyboardInterrupt):
        search({"units": [2]}, 3, **stored)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        result = search({"units": [2]}, 3, **stored)
    assert [row["state"] for row in result.trials] == ["complete", "failed", "complete", "complete"]
    assert len(calls) == 4


@pytest.mark.parametrize(
    ("space", "args", "match"),
    [
        (tuning.Uniform, (1.0, 0.0), "low must be not above high"),
        (tuning.Uniform, ("a", "b"), "these must be finite numbers"),
        (tuning.Uniform, (0, math.inf), "these must be finite numbers"),
        (tuning.Uniform, (0, 1, 0), "step must be more than 0"),
        (tuning.Uniform, (0, 1, -1), "step must be more than 0"),
        (tuning.LogUniform, (0.0, 1.0), "low must be more than 0, and not above high"),
        (tuning.LogUniform, (1e-3, math.inf), "these must be finite numbers"),
        (tuning.Integer, (0.5, 2), "low, high and step must be whole numbers"),
        (tuning.Integer, (1, 5, 1.5), "low, high and step must be whole numbers"),
        (tuning.Integer, (1, 5, 0), "step must be more than 0"),
        (tuning.Integer, (0, 5, 1, True), "low must be more than 0"),
        (tuning.Integer, (1, 8, 2, True), "with log=True there are no steps"),
    ],
)
def test_a_space_that_holds_nothing_is_told(space, args, match):
    with pytest.raises(ValueError, match=rf"^{space.__name__}\(low=.*\): {match}"):
        space(*args)


def test_choices_may_be_an_array_or_a_range():
    space = {"learning_rate": np.array([0.01, 0.02]), "units": range(2, 4), "hidden": np.array([[4], [5]])}
    rows = search(space, 9, refit=False, seed=0).trials
    assert {row["learning_rate"] for row in rows} == {0.01, 0.02}
    assert {row["units"] for row in rows} == {2, 3}
    assert all(row["hidden"] in ([4], [5]) for row in rows)


def test_optuna_says_nothing_and_its_verbosity_is_as_it_was(capfd):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    search(n_trials=1)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == optuna.logging.INFO


@pytest.mark.parametrize(
    ("mistake", "error", "match"),
    [
        ({"validation_data": None}, ValueError, "'val_loss' is a number of the validation data; give validation_data="),
        ({"direction": "down"}, ValueError, "direction must be 'minimize' or 'maximize', not 'down'"),
        ({"space": {}}, TypeError, r"space must be a dict of names and spaces, or a function of a trial, not \{\}"),
        ({"space": {"units": [2, 2]}}, ValueError, r"the choices of 'units' are not all different: \[2, 2\]"),
        ({"space": {"units": []}}, ValueError, r"the choices of 'units' are none: \[\]"),
        ({"space": {"units": (2, 64)}}, TypeError, r"units=\(2, 64\) does not tell .* tuning.Integer"),
        ({"space": np.ones((3, 2))}, TypeError, r"not ndarray; the order is search\(build, space, X, y\)"),
        ({"space": {"units": {2, 3}}}, TypeError, "the choices of 'units' are a set, which has no order; make a list"),
        ({"metric": "val_f1", "n_trials": 9}, RuntimeError, "none of 1 trials .* there is no 'val_f1' among loss, acc"),
        ({"builder": lambda **params: 1}, RuntimeError, "build must return a compiled train.Model, not int"),
        ({"space": {"nothing": [1]}}, TypeError, "search: build got an unexpected keyword argument 'nothing'"),
        ({"builder": lambda units, rate: 1, "space": {"units": 1}}, TypeError, "build missing a required .* 'rate'"),
        ({"class_wait": 1}, TypeError, "search: Model.fit got an unexpected keyword argument 'class_wait'"),
        ({"n_trials": 0}, ValueError, "n_trials must be an int of 1 or more, not 0"),
        ({"n_trials": 2.5}, TypeError, "n_trials must be an int of 1 or more, not 2.5"),
        ({"n_trials": None}, TypeError, "n_trials must be an int of 1 or more, not None"),
        ({"epochs": "3"}, TypeError, "epochs must be an int of 1 or more, not '3'"),
    ],
)
def test_mistakes_are_told(mistake, error, match):
    with pytest.raises(error, match=match):
        search(**({"n_trials": 1} | mistake))


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"search needs Optuna: pip install optuna"):
        search()


# The picture


@pytest.fixture
def axes(result):
    pytest.importorskip("matplotlib").use("agg")
    yield tuning.plot_study(result)
    from matplotlib import pyplot

    pyplot.close("all")


def test_the_picture_shows_each_trial_the_best_so_far_and_what_matters(axes, result):
    lines = {line.get_label(): line for line in axes[0].get_lines()}
    complete = [row for row in result.trials if row["state"] == "complete"]
    assert lines["trial"].get_xdata().tolist() == [row["number"] for row in complete]
    assert lines["trial"].get_ydata().tolist() == [row["value"] for row in complete]
    best = lines["best so far"].get_ydata()
    assert best.tolist() == np.minimum.accumulate([row["value"] for row in complete]).tolist()
    assert axes[0].get_title().startswith(f"Best: {result.best_value:.4g}, in trial ")
    names = {label.get_text() for label in axes[1].get_yticklabels()}
    assert names == set(SPACE)
    widths = [bar.get_width() for bar in axes[1].patches]
    assert widths == sorted(widths)
    assert math.isclose(sum(widths), 1.0)


def test_the_picture_goes_where_it_is_wanted(axes, result):
    given = axes[0].figure.add_subplot()
    assert tuning.plot_study(result.study, given) is given
    study = optuna.create_study(direction="maximize")
    with pytest.raises(ValueError, match="no trial of the study has come to its end yet"):
        tuning.plot_study(study)
    study.add_trials([optuna.trial.create_trial(value=value) for value in (1.0, 3.0, 2.0)])
    single = tuning.plot_study(study)
    assert single.get_lines()[1].get_ydata().tolist() == [1.0, 3.0, 3.0]
    assert (single.get_yscale(), single.get_ylabel()) == ("linear", "value")


def studied(*trials):
    """A study of trials: the value, the parameters, and the numbers of the epochs of one that was pruned."""
    study = optuna.create_study()
    for value, params, reports in trials:
        ranges = dict.fromkeys(params, optuna.distributions.FloatDistribution(0, 1))
        kind = {"value": value} if reports is None else {"state": optuna.trial.TrialState.PRUNED}
        kept = {"params": params, "distributions": ranges, "intermediate_values": dict(enumerate(reports or []))}
        study.add_trial(optuna.trial.create_trial(**kind, **kept))
    return study


def test_the_picture_has_pruned_trials_at_their_last_value_and_values_far_apart_on_a_logarithmic_scale(axes):
    study = studied((1.0, {}, None), (None, {}, [5.0, 4.0]), (None, {}, []), (0.001, {}, None))
    ax = tuning.plot_study(study)
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert lines["pruned, its last value"].get_xydata().tolist() == [[1, 4.0]]
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "value (log scale)")


def test_what_matters_is_left_out_where_it_cannot_be_told(axes):
    alone = [(float(i), {"x": i / 9}, None) for i in range(10)]
    alike = [(1.0, {"x": i / 9, "y": i / 9}, None) for i in range(10)]
    for trials in (alone, alike, alike[:1]):
        assert not hasattr(tuning.plot_study(studied(*trials)), "__len__")


# With others


def test_a_search_is_kept_as_a_run_with_its_trials_below(tmp_path, monkeypatch):
    from tensorgrad import tracking
    from tensorgrad.tracking.run import quiet

    with quiet():
        pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    logger = tracking.MLflowLogger("tuned", "search", tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    result = search(n_trials=3, logger=logger)
    with quiet():
        parent = logger.client.get_run(logger.run_id)
        runs = logger.client.search_runs([parent.info.experiment_id])
        again = tracking.load_model(f"runs:/{logger.run_id}/model", tracking_uri=logger.client.tracking_uri)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["best_val_loss"] == result.best_value
    assert parent.data.metrics["val_loss"] == result.best_model.history["val_loss"][-1]
    assert parent.data.params["trials"] == "3"
    assert parent.data.params["learning_rate"] == str(result.best_params["learning_rate"])
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == logger.run_id]
    assert sorted(run.info.run_name for run in children) == ["trial 0", "trial 1", "trial 2"]
    assert {run.data.params["hidden"] for run in children} <= {"[4]", "[8, 4]"}
    assert "study.png" in {file.path for file in logger.client.list_artifacts(logger.run_id)}
    np.testing.assert_array_equal(again.predict(X), result.best_model.predict(X))
    with pytest.raises(RuntimeError, match="none of 1 trials"):
        search({"units": 2}, 1, lambda units: None, logger=logger)
    with quiet():
        assert logger.client.get_run(logger.run_id).info.status == "FAILED"


def test_scikit_learn_searches_over_the_estimators_as_well():
    pytest.importorskip("sklearn")
    from sklearn.model_selection import GridSearchCV

    from tensorgrad.estimators import NeuralNetClassifier

    model = NeuralNetClassifier(hidden_layer_sizes=(8,), max_iter=30, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # thirty epochs do not settle
        grid = GridSearchCV(model, {"learning_rate": [1e-6, 0.05], "activation": ["relu", "tanh"]}, cv=2).fit(X, Y)
    assert grid.best_params_["learning_rate"] == 0.05
    assert grid.score(X, Y) > 0.7
