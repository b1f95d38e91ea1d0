"""The estimators pass scikit-learn's own checks, and do what its networks do and more."""

import copy
import io
import os
import pickle
import subprocess
import sys
from unittest import SkipTest

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.nn import functional as F

pytest.importorskip("sklearn")

import joblib
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, make_blobs, make_regression
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from tensorgrad.estimators import NeuralNetClassifier, NeuralNetRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

BOTH = [NeuralNetClassifier, NeuralNetRegressor]
X, Y = make_blobs(120, 4, centers=3, cluster_std=2.0, random_state=0)
X = StandardScaler().fit_transform(X)
NAMES = np.array(["owl", "cat", "dog"])[Y]
VALUES, VALUE = make_regression(120, 4, noise=1.0, random_state=0)
VALUE /= VALUE.std()
QUICK = {"hidden_layer_sizes": (16,), "learning_rate": 0.02, "max_iter": 30, "random_state": 0}


def fitted(kind, **changed):
    net = kind(**{**QUICK, **changed})
    return net.fit(X, NAMES) if kind is NeuralNetClassifier else net.fit(VALUES, VALUE)


def answers(net):
    return net.predict_proba(X) if isinstance(net, NeuralNetClassifier) else net.predict(VALUES)


# scikit-learn's contract


@parametrize_with_checks([NeuralNetClassifier(), NeuralNetRegressor()])
def test_defaults_pass_every_check_of_scikit_learn(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.skip(str(reason)) if "SCIPY_ARRAY_API" in str(reason) else pytest.fail(f"left out: {reason}")


def test_the_check_that_scipy_must_be_told_of_when_it_is_imported_passes_too():
    code = """
from sklearn.utils.estimator_checks import estimator_checks_generator
from tensorgrad.estimators import NeuralNetClassifier, NeuralNetRegressor
for net in (NeuralNetClassifier(), NeuralNetRegressor()):
    checks = [c for e, c in estimator_checks_generator(net) if "check_array_api_input" in str(c)]
    for check in checks:
        check(net)
    print(len(checks))"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "SCIPY_ARRAY_API": "1"}
    )
    assert done.stdout.split() == ["1", "1"], done.stderr


@pytest.mark.parametrize("kind", BOTH)
def test_other_settings_pass_every_check_too_and_none_is_left_out(kind):
    net = kind((20,), "tanh", optimizer="rmsprop", learning_rate=0.02, alpha=0.01, l1_ratio=0.5, max_iter=50, tol=0.001)
    results = check_estimator(net, on_skip=None)
    assert len(results) > 55
    assert {(r["check_name"], r["status"]) for r in results if r["status"] != "passed"} <= {
        ("check_array_api_input", "skipped")  # without the environment's SCIPY_ARRAY_API
    }
    ran = {r["check_name"] for r in results if r["status"] == "passed"}
    assert {"check_sample_weight_equivalence_on_dense_data", "check_fit_idempotent", "check_estimators_pickle"} <= ran


@pytest.mark.parametrize("kind", BOTH)
def test_parameters_are_kept_as_they_are(kind):
    given = {"hidden_layer_sizes": [4], "callbacks": [], "optimizer_options": {"betas": (0.8, 0.9)}, "random_state": 1}
    net = kind(**given)
    assert all(net.get_params()[name] is value for name, value in given.items())
    assert clone(net).get_params()["hidden_layer_sizes"] == [4]


def test_without_scikit_learn_the_error_says_what_to_install():
    code = "import sys; sys.modules['sklearn'] = None; import tensorgrad.estimators"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: tensorgrad.estimators needs scikit-learn 1.6 or newer: pip install scikit-learn" in done.stderr


# Beside scikit-learn's networks


@pytest.mark.parametrize("hidden", [(100,), (50, 50)])
def test_digits_are_read_as_well_as_by_mlp_classifier(hidden):
    ours, theirs = [], []
    for seed in range(2):
        Xs, Xt, ys, yt = train_test_split(*load_digits(return_X_y=True), random_state=seed)
        for kind, scores in ((NeuralNetClassifier, ours), (MLPClassifier, theirs)):
            scores.append(kind(hidden, random_state=seed).fit(Xs, ys).score(Xt, yt))
    assert np.mean(ours) >= np.mean(theirs)


def test_diabetes_is_predicted_as_well_as_by_mlp_regressor():
    features, values = load_diabetes(return_X_y=True)
    score = {}
    for kind in (NeuralNetRegressor, MLPRegressor):
        net = make_pipeline(
            StandardScaler(), kind(hidden_layer_sizes=(100,), max_iter=600, n_iter_no_change=50, random_state=0)
        )
        score[kind] = cross_val_score(net, features, values, cv=3).mean()
    assert score[NeuralNetRegressor] >= score[MLPRegressor]


def test_fitted_attributes_are_those_of_mlp_classifier():
    ours = fitted(NeuralNetClassifier, early_stopping=True)
    theirs = MLPClassifier((16,), early_stopping=True, max_iter=30).fit(X, NAMES)
    left_out = {"best_loss_", "t_", "coefs_", "intercepts_", "n_layers_", "out_activation_"}
    wanted = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")} - left_out
    assert wanted <= set(vars(ours))
    for name in ("classes_", "n_outputs_", "n_features_in_"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert ours.n_iter_ == len(ours.loss_curve_) == len(ours.validation_scores_)
    assert ours.loss_ == ours.loss_curve_[-1]
    assert isinstance(ours.model_, train.Model)


@pytest.mark.parametrize(("size", "weights"), [(None, False), (None, True), (30, False)])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
def test_alpha_is_divided_by_the_weight_of_a_batch(size, weights, l1_ratio):
    weight = np.arange(len(X)) % 3 + 0.5 if weights else None
    net = NeuralNetClassifier(
        (5,), alpha=7.0, l1_ratio=l1_ratio, optimizer="sgd", learning_rate=0.0, max_iter=1, batch_size=size
    )
    net.fit(X, Y, weight)
    w = np.concatenate([net.model_.module[i].weight.detach().numpy().ravel() for i in (0, 2)])
    count = (size or len(X)) * (1 if weight is None else weight.mean())
    penalty = 7.0 * (l1_ratio * np.abs(w).sum() + (1 - l1_ratio) / 2 * (w**2).sum()) / count
    assert net.loss_ == pytest.approx(log_loss(Y, net.predict_proba(X), sample_weight=weight) + penalty, rel=1e-6)


# Labels, values, frames


@pytest.mark.parametrize(
    "labels",
    [
        Y,
        Y - 5,
        NAMES,
        NAMES.astype(object),
        Y.astype(float),
        Y > 0,
        np.where(Y > 0, "yes", "no"),
        np.where(Y > 0, 1, -1),
    ],
    ids=["0 1 2", "-5 -4 -3", "strings", "objects", "floats", "bools", "yes or no", "-1 or 1"],
)
def test_labels_may_be_anything(labels):
    net = NeuralNetClassifier(**QUICK).fit(X, labels)
    np.testing.assert_array_equal(net.classes_, np.unique(labels))
    assert net.predict(X).dtype == net.classes_.dtype
    assert net.score(X, labels) > 0.8
    assert net.predict_proba(X).shape == (len(X), len(net.classes_))
    np.testing.assert_allclose(net.predict_proba(X).sum(1), 1)
    np.testing.assert_allclose(np.exp(net.predict_log_proba(X)), net.predict_proba(X))
    assert net.n_outputs_ == (1 if len(net.classes_) == 2 else 3)


@pytest.mark.parametrize("outputs", [2, 3])
def test_several_values_are_predicted_at_once(outputs):
    values = np.stack([VALUE * (i + 1) for i in range(outputs)], 1)
    net = NeuralNetRegressor(**{**QUICK, "max_iter": 100}).fit(VALUES, values)
    assert net.predict(VALUES).shape == values.shape
    assert net.n_outputs_ == outputs
    assert net.score(VALUES, values) > 0.9


def test_a_column_of_values_is_predicted_flat():
    with pytest.warns(DataConversionWarning):
        assert NeuralNetRegressor(**QUICK).fit(VALUES, VALUE[:, None]).predict(VALUES).shape == VALUE.shape


def test_data_frames_bring_the_names_of_their_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    net = NeuralNetClassifier(**QUICK).fit(frame, pandas.Series(NAMES))
    assert net.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(net.predict(frame), fitted(NeuralNetClassifier).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(frame[list("dcba")])


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dense_networks_compute_in_the_dtype_of_X(kind, dtype):
    net = kind(**QUICK).fit(X.astype(dtype), Y)
    assert {p.dtype for p in net.model_.module.parameters()} == {np.dtype(dtype)}
    assert (net.predict_proba(X) if kind is NeuralNetClassifier else net.predict(X)).dtype == dtype


# The network


def test_the_dense_network_is_that_of_mlp():
    net = fitted(
        NeuralNetClassifier, hidden_layer_sizes=[8, 6], activation=["tanh", "gelu"], dropout=[0.1, 0], batch_norm=True
    )
    kinds = [type(layer).__name__ for layer in net.model_.module]
    assert kinds == "Linear BatchNorm1d Tanh Dropout Linear BatchNorm1d GELU Linear".split()
    assert [type(layer).__name__ for layer in fitted(NeuralNetRegressor, hidden_layer_sizes=()).model_.module] == [
        "Linear"
    ]
    assert fitted(NeuralNetRegressor, hidden_layer_sizes=7).model_.module[0].out_features == 7


def test_init_is_a_scheme_of_train():
    net = fitted(NeuralNetClassifier, init="zeros", learning_rate=0.0, max_iter=1)
    assert all((p == 0).all() for p in net.model_.module.parameters())


class TwoBranches(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.left, self.right = nn.Linear(inputs, outputs), nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.left(x) + self.right(x).tanh()


def test_a_module_is_copied_and_never_trained_itself():
    module = TwoBranches(4, 3)
    before = {name: value.numpy().copy() for name, value in module.state_dict().items()}
    net = NeuralNetClassifier(module=module, learning_rate=0.05, max_iter=50).fit(X, NAMES)
    assert net.score(X, NAMES) > 0.8
    assert net.get_params()["module"] is module
    assert all((module.state_dict()[name].numpy() == value).all() for name, value in before.items())
    assert {p.dtype for p in net.model_.module.parameters()} == {tg.float32}


@pytest.mark.parametrize("make", [TwoBranches, lambda n, k: train.mlp([n, 8, k])], ids=["class", "function"])
@pytest.mark.parametrize("kind", BOTH)
def test_a_module_may_be_made_for_the_data(kind, make):
    net = fitted(kind, module=make)
    assert (net.score(X, NAMES) if kind is NeuralNetClassifier else net.score(VALUES, VALUE)) > 0.7


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("ending", [None, "probabilities"])
@pytest.mark.parametrize("loss", [None, "mse", "function"])
def test_two_classes_go_with_one_output_or_two(outputs, ending, loss):
    def function(output, target):
        if ending:
            return F.binary_cross_entropy(output, target) if outputs == 1 else F.nll_loss(output.log(), target)
        return F.binary_cross_entropy_with_logits(output, target) if outputs == 1 else F.cross_entropy(output, target)

    module = train.mlp([4, 8, outputs], output=ending and ("sigmoid" if outputs == 1 else "softmax"))
    net = NeuralNetClassifier(
        module=module, loss=function if loss == "function" else loss, learning_rate=0.05, random_state=0
    )
    net.fit(X, Y > 0)
    assert net.n_outputs_ == outputs
    assert net.score(X, Y > 0) > 0.8
    np.testing.assert_allclose(net.predict_proba(X).sum(1), 1, rtol=1e-5)


def test_networks_of_images_unflatten_their_rows():
    images, digits = load_digits(return_X_y=True)
    module = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 10)
    )
    net = NeuralNetClassifier(module=module, learning_rate=0.02, max_iter=8, random_state=0)
    assert net.fit(images[:1000] / 16, digits[:1000]).score(images[1000:] / 16, digits[1000:]) > 0.85


def test_integers_are_indices_of_an_embedding():
    module = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(8, 2))
    words = np.random.default_rng(0).integers(0, 10, (200, 2))
    net = NeuralNetClassifier(module=module, learning_rate=0.05, random_state=0)
    assert net.fit(words, words[:, 0] < 5).score(words, words[:, 0] < 5) == 1


@pytest.mark.parametrize("kind", BOTH)
def test_a_last_batch_of_one_example_does_not_stop_batch_normalisation(kind):
    net = kind((4,), batch_norm=True, batch_size=7, max_iter=2)
    net.fit(X[:50], Y[:50])
    assert net.n_iter_ == 2


# Losses, weights


@pytest.mark.parametrize(
    "loss",
    ["cross_entropy", "mse", "mae", nn.CrossEntropyLoss(label_smoothing=0.1), nn.MultiMarginLoss(), F.cross_entropy,
     lambda output, target: ((1 - F.softmax(output, 1)) ** 2 * F.one_hot(target, 3)).sum(1).mean()],
    ids=["cross_entropy", "mse", "mae", "smoothed", "margin", "function", "lambda"],
)  # fmt: skip
def test_classes_are_learned_with_any_loss(loss):
    net = NeuralNetClassifier(**{**QUICK, "max_iter": 100}, loss=loss).fit(X, NAMES)
    assert net.score(X, NAMES) > 0.85
    np.testing.assert_allclose(net.predict_proba(X).sum(1), 1)


@pytest.mark.parametrize(
    "loss", ["mse", "mae", "huber", "log_cosh", nn.SmoothL1Loss(), lambda a, b: ((a - b).abs() ** 1.5).mean()]
)
def test_values_are_learned_with_any_loss(loss):
    assert fitted(NeuralNetRegressor, max_iter=150, loss=loss).score(VALUES, VALUE) > 0.9


@pytest.mark.parametrize("kind", BOTH)
def test_an_example_of_weight_2_counts_twice(kind):
    data, target = (X, Y) if kind is NeuralNetClassifier else (VALUES, VALUE)
    count = np.arange(len(X)) % 3
    rows = np.repeat(np.arange(len(X)), count)
    settings = {**QUICK, "batch_size": None, "alpha": 1.0}
    weighted = kind(**settings).fit(data, target, count)
    repeated = kind(**settings).fit(data[rows], target[rows])
    np.testing.assert_allclose(weighted.predict(data), repeated.predict(data))
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_)


@pytest.mark.parametrize("labels", [NAMES, np.where(Y > 0, "yes", "no")], ids=["three", "two"])
def test_class_weight_multiplies_the_weights_of_examples(labels):
    names, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = len(labels) / len(names) / counts
    ours = NeuralNetClassifier(**QUICK, class_weight="balanced").fit(X, labels)
    for other in (
        NeuralNetClassifier(**QUICK, class_weight=dict(zip(names, by_class))).fit(X, labels),
        NeuralNetClassifier(**QUICK).fit(X, labels, by_class[places]),
    ):
        np.testing.assert_allclose(ours.predict_proba(X), other.predict_proba(X), rtol=1e-6)
    doubled = NeuralNetClassifier(**QUICK, class_weight="balanced").fit(X, labels, np.full(len(X), 2.0))
    assert np.abs(ours.predict_proba(X) - doubled.predict_proba(X)).max() < 1e-4  # alpha counts for less


# Random numbers


@pytest.mark.parametrize("kind", BOTH)
def test_a_seed_makes_a_fit_reproducible_and_leaves_the_library_s_numbers_alone(kind):
    tg.manual_seed(5)
    first = fitted(kind, dropout=0.2, batch_size=20, early_stopping=True)
    drawn = tg.rand(3).numpy()
    second = fitted(kind, dropout=0.2, batch_size=20, early_stopping=True)
    np.testing.assert_array_equal(answers(first), answers(second))
    assert first.history_.history == second.history_.history
    assert not np.array_equal(answers(first), answers(fitted(kind, dropout=0.2, batch_size=20, random_state=1)))
    tg.manual_seed(5)
    np.testing.assert_array_equal(drawn, tg.rand(3).numpy())


def test_the_library_s_numbers_are_put_back_after_an_error_too():
    tg.manual_seed(5)
    expected = tg.rand(3).numpy()
    tg.manual_seed(5)
    with pytest.raises(ValueError, match="no activation"):
        fitted(NeuralNetClassifier, activation="rely")
    np.testing.assert_array_equal(expected, tg.rand(3).numpy())


def test_without_a_seed_numpy_s_global_state_decides_as_in_scikit_learn():
    found = []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002 (scikit-learn's source of numbers where random_state is None)
        found.append(fitted(NeuralNetClassifier, random_state=None).predict_proba(X))
    np.testing.assert_array_equal(*found)
    generator = np.random.RandomState(0)
    other = [fitted(NeuralNetClassifier, random_state=generator).loss_ for _ in range(2)]
    assert other[0] != other[1]


# With the rest of scikit-learn


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("way", ["pickle", "joblib", "copy"])
def test_a_fitted_estimator_survives_being_stored(kind, way):
    net = fitted(kind, early_stopping=True, batch_norm=True, warm_start=True)
    if way == "joblib":
        file = io.BytesIO()
        joblib.dump(net, file)
        again = joblib.load(file)
    else:
        again = copy.deepcopy(net) if way == "copy" else pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(answers(again), answers(net))
    target = NAMES if kind is NeuralNetClassifier else VALUE
    data = X if kind is NeuralNetClassifier else VALUES
    np.testing.assert_array_equal(answers(again.fit(data, target)), answers(net.fit(data, target)))


def test_a_search_over_a_pipeline_is_the_same_with_one_job_two_and_threads():
    net = make_pipeline(StandardScaler(), NeuralNetClassifier(**QUICK))
    net.set_params(neuralnetclassifier__max_iter=10)
    grid = {"neuralnetclassifier__hidden_layer_sizes": [(4,), (8, 4)], "neuralnetclassifier__dropout": [0.0, 0.2]}
    scores = []
    for jobs, backend in ((1, "loky"), (2, "loky"), (2, "threading")):
        with joblib.parallel_config(backend=backend):
            found = GridSearchCV(net, grid, cv=2, n_jobs=jobs).fit(X, NAMES)
        scores.append(found.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])
    assert found.best_estimator_[-1].n_features_in_ == 4


def test_classifiers_vote():
    voting = VotingClassifier(
        [(str(s), NeuralNetClassifier(**{**QUICK, "random_state": s})) for s in (0, 1)], voting="soft"
    )
    assert cross_val_score(voting, X, NAMES, cv=2).mean() > 0.8


# The course of a fit


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("weights", [False, True])
def test_early_stopping_keeps_the_weights_that_were_best_on_what_is_held_out(kind, weights):
    data, target = (X, NAMES) if kind is NeuralNetClassifier else (VALUES, VALUE)
    weight = np.linspace(0.1, 2, len(data)) if weights else None
    net = kind(**{**QUICK, "max_iter": 200}, early_stopping=True, validation_fraction=0.25, n_iter_no_change=4)
    net.fit(data, target, weight)
    assert net.n_iter_ < 200
    assert net.best_validation_score_ == max(net.validation_scores_)
    assert {"loss", "val_loss", "val_score"} <= set(net.history_)
    stratify = target if kind is NeuralNetClassifier else None
    _, held = train_test_split(np.arange(len(data)), test_size=0.25, random_state=0, stratify=stratify)
    score = net.score(data[held], target[held], None if weight is None else weight[held])
    assert score == pytest.approx(net.best_validation_score_)


@pytest.mark.parametrize("kind", BOTH)
def test_a_fit_ends_when_the_loss_has_settled(kind):
    net = fitted(kind, max_iter=1000, tol=1e-3, n_iter_no_change=3)
    assert net.n_iter_ < 1000
    assert net.validation_scores_ is net.best_validation_score_ is None


@pytest.mark.filterwarnings("error")
def test_a_loss_that_has_not_settled_is_told():
    with pytest.warns(ConvergenceWarning, match="max_iter=3 epochs are over, and the loss has not settled"):
        fitted(NeuralNetClassifier, max_iter=3)
    fitted(NeuralNetClassifier, max_iter=3, n_iter_no_change=np.inf)
    fitted(NeuralNetClassifier, max_iter=1000, tol=0.01, n_iter_no_change=2)


@pytest.mark.parametrize("kind", BOTH)
def test_warm_start_goes_on(kind):
    net = fitted(kind, warm_start=True, max_iter=5)
    model, first = net.model_, net.loss_
    net.fit(X, NAMES) if kind is NeuralNetClassifier else net.fit(VALUES, VALUE)
    assert net.model_ is model
    assert net.n_iter_ == len(net.loss_curve_) == 10
    assert net.loss_ < first
    anew = fitted(kind, max_iter=5)
    assert anew.fit(X, Y).n_iter_ == 5


def test_partial_fit_learns_batch_by_batch_even_from_one_label():
    net = NeuralNetClassifier(**{**QUICK, "learning_rate": 0.05})
    for _ in range(10):
        for name in ("owl", "cat", "dog"):
            net.partial_fit(X[name == NAMES][:10], NAMES[name == NAMES][:10], classes=["cat", "dog", "owl"])
        net.partial_fit(X, NAMES)
    assert net.n_iter_ == 40
    assert net.score(X, NAMES) > 0.8
    values = NeuralNetRegressor(**QUICK)
    for _ in range(80):
        values.partial_fit(VALUES, VALUE)
    assert values.score(VALUES, VALUE) > 0.9


def test_callbacks_and_optimizers_are_those_of_train():
    seen = []
    callbacks = [
        train.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_score"])),
        train.LRScheduler(tg.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5),
    ]
    net = fitted(
        NeuralNetClassifier, callbacks=callbacks, early_stopping=True, optimizer=tg.optim.SGD,
        optimizer_options={"momentum": 0.9, "nesterov": True}, max_iter=3,
    )  # fmt: skip
    assert seen == net.validation_scores_
    assert net.history_["learning_rate"] == [0.02, 0.01, 0.005]
    assert net.model_.optimizer.param_groups[0]["nesterov"] is True


@pytest.mark.parametrize("kind", BOTH)
def test_one_callback_needs_no_list(kind):
    stopping = train.EarlyStopping("loss", min_delta=np.inf, patience=2)
    net = fitted(kind, callbacks=stopping)
    assert (net.n_iter_, stopping.stopped_epoch) == (3, 2)
    assert net.callbacks is stopping


@pytest.mark.parametrize("kind", BOTH)
def test_lbfgs_takes_all_examples_at_once(kind):
    net = kind((8,), optimizer="lbfgs", max_iter=10, random_state=0, alpha=0.01)
    data = np.concatenate([VALUES] * 3)
    target = np.concatenate([VALUE] * 3) if kind is NeuralNetRegressor else np.concatenate([VALUE > 0] * 3)
    assert net.fit(data, target).score(data, target) > 0.98
    assert net.model_.history.params["steps"] == 1


def test_verbose_prints_a_line_for_an_epoch(capsys):
    fitted(NeuralNetClassifier, max_iter=2)
    assert capsys.readouterr().out == ""
    fitted(NeuralNetClassifier, max_iter=2, verbose=2)
    assert capsys.readouterr().out.count("loss") == 2


# Mistakes


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"alpha": -1}, ValueError, "NeuralNetClassifier: alpha must be a number from 0.0 to inf, not -1"),
        ({"l1_ratio": 2}, ValueError, "l1_ratio must be a number from 0.0 to 1.0"),
        ({"tol": "small"}, ValueError, "tol must be a number"),
        ({"max_iter": 0}, ValueError, "max_iter must be a number from 1"),
        ({"max_iter": 2.5}, ValueError, "max_iter must be an integer above 0, not 2.5"),
        ({"max_iter": np.inf}, ValueError, "max_iter must be an integer above 0, not inf"),
        ({"n_iter_no_change": 2.5}, ValueError, "n_iter_no_change must be an integer above 0, or inf, not 2.5"),
        ({"alpha": [1.0]}, ValueError, "alpha must be a number"),
        ({"batch_size": 0}, ValueError, "batch_size must be 'auto', None for all or an integer above 0, not 0"),
        ({"hidden_layer_sizes": (4, 0)}, ValueError, "hidden_layer_sizes must be integers above 0"),
        ({"hidden_layer_sizes": (4.5,)}, ValueError, "hidden_layer_sizes must be integers above 0"),
        ({"activation": "rely"}, ValueError, "no activation 'rely'"),
        ({"activation": ["relu", "tanh"]}, ValueError, "one for each of the 1 hidden layers, not 2"),
        ({"dropout": 1.5}, ValueError, "Dropout: p must be between 0 and 1"),
        ({"init": "he2"}, ValueError, "no initialisation 'he2'"),
        ({"optimizer": "adan"}, ValueError, "did you mean 'adam'"),
        ({"optimizer_options": {"momentum": 0.9}}, TypeError, "Adam has no option 'momentum'"),
        ({"optimizer_options": 5}, TypeError, "optimizer_options must be a dict, .* or None, not 5"),
        ({"learning_rate": "constant"}, ValueError, "learning_rate must be a number"),
        ({"loss": "msee"}, ValueError, "did you mean 'mse'"),
        ({"loss": "binary_crossentropy"}, ValueError, "tells two classes apart, and y has 3"),
        ({"module": nn.Linear(4, 5)}, ValueError, r"y asks for 3 outputs, and the network gives \(5,\)"),
        ({"module": nn.Linear(9, 3)}, ValueError, "9"),
        ({"module": lambda n, k: None}, TypeError, "it gave NoneType"),
        ({"class_weight": {"owl": 2, "bat": 1}}, ValueError, "bat|class_weight"),
        ({"class_weight": "even"}, ValueError, "class_weight"),
        ({"class_weight": dict.fromkeys(NAMES, 0)}, ValueError, "class_weight give every example the weight zero"),
        ({"callbacks": [print]}, TypeError, "callbacks must be Callback objects"),
        ({"callbacks": print}, TypeError, "callbacks must be Callback objects"),
        ({"early_stopping": True, "validation_fraction": 1.5}, ValueError, "validation_fraction must be a number"),
        ({"early_stopping": True, "validation_fraction": 0}, ValueError, "validation_fraction must lie .* is 0$"),
        ({"early_stopping": True, "validation_fraction": 1}, ValueError, "validation_fraction must lie .* is 1$"),
        ({"learning_rate": 1e200, "optimizer": "sgd"}, ValueError, "no longer finite"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:fit. in epoch")
def test_what_is_wrong_is_said_when_fitting(changed, error, words):
    net = NeuralNetClassifier(**{**QUICK, "max_iter": 3, **changed})
    with pytest.raises(error, match=words):
        net.fit(X, NAMES)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(("part", "words"), [(0, "leaves to learn from"), (1, "holds out")])
def test_weights_that_leave_nothing_on_one_side_of_early_stopping_are_told(kind, part, words):
    data, target = (X, NAMES) if kind is NeuralNetClassifier else (VALUES, VALUE)
    stratify = target if kind is NeuralNetClassifier else None
    rows = train_test_split(np.arange(len(data)), test_size=0.1, random_state=0, stratify=stratify)[part]
    weight = np.ones(len(data))
    weight[rows] = 0
    with pytest.raises(
        ValueError, match=f"{kind.__name__}: sample_weight .* every example that early_stopping {words}"
    ):
        kind(**QUICK, early_stopping=True).fit(data, target, weight)


@pytest.mark.parametrize(
    ("do", "error", "words"),
    [
        (lambda: NeuralNetClassifier().predict(X), NotFittedError, "not fitted"),
        (lambda: NeuralNetClassifier().partial_fit(X, Y), ValueError, "must be given all classes"),
        (lambda: fitted(NeuralNetClassifier).partial_fit(X, Y), ValueError, "unseen labels"),
        (lambda: fitted(NeuralNetClassifier).partial_fit(X, NAMES, classes=["a"]), ValueError, "not those of before"),
        (lambda: NeuralNetClassifier(class_weight="balanced").partial_fit(X, Y), ValueError, "class_weight as a dict"),
        (lambda: NeuralNetRegressor(early_stopping=True).partial_fit(X, Y), ValueError, "early_stopping"),
        (lambda: NeuralNetClassifier().fit(X, np.ones(len(X))), ValueError, "one class only"),
        (lambda: NeuralNetClassifier().fit(X, np.stack([Y, Y], 1)), ValueError, "1d array"),
        (lambda: NeuralNetClassifier().fit(X, VALUE), ValueError, "continuous"),
        (lambda: NeuralNetClassifier().fit(X, Y, np.ones(3)), ValueError, r"sample_weight has shape \(3,\)"),
        (lambda: NeuralNetClassifier().fit(X, Y, -np.ones(len(X))), ValueError, "zero or more"),
        (lambda: NeuralNetRegressor().fit(X, Y, np.zeros(len(X))), ValueError, "zero"),
        (lambda: NeuralNetRegressor(early_stopping=True).fit(X[:10], Y[:10]), ValueError, "2 are needed"),
        (lambda: NeuralNetRegressor().fit(X, np.where(Y > 0, np.nan, 1.0)), ValueError, "NaN"),
        (lambda: NeuralNetRegressor(loss=lambda a, b: (a - b).mean()).fit(X, Y, np.ones(len(X))), TypeError, "of each"),
        (lambda: fitted(NeuralNetRegressor).predict(X[:, :2]), ValueError, "expecting 4 features"),
    ],
)
def test_what_does_not_go_is_refused(do, error, words):
    with pytest.raises(error, match=words):
        do()
