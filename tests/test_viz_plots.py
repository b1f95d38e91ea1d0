"""Plots: what stands in them, in which axes, and what is said of data that cannot be drawn."""

from __future__ import annotations

import math
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, train, viz
from tensorgrad.errors import AutogradError, ShapeError

pytest.importorskip("matplotlib").use("Agg")
from matplotlib import pyplot as plt  # noqa: E402 (only where matplotlib is)
from matplotlib.axes import Axes  # noqa: E402

nan = math.nan


def labels(ax):
    legend = ax.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def texts(ax):
    return [text.get_text() for text in ax.texts]


def inside(ax):
    """Whether everything in a figure is drawn within its edges."""
    figure = ax.figure
    figure.canvas.draw()
    box = figure.get_tightbbox()
    return box.x0 > -0.05 and box.y0 > -0.05 and box.x1 < figure.get_figwidth() + 0.05


HISTORY = {
    "loss": [1.0, 0.5, 0.1, 0.005],
    "accuracy": [0.2, 0.5, 0.8, 0.9],
    "val_loss": [1.0, 0.4, 0.3, 0.6],
    "val_accuracy": [0.1, 0.7, 0.5, 0.7],
}

# Histories


def test_a_history_has_a_panel_for_the_loss_and_each_metric_with_validation_beside_training():
    axes = viz.plot_history(HISTORY)
    assert [ax.get_title() for ax in axes] == ["Loss", "Accuracy"]
    assert all(ax.get_xlabel() == "epoch" for ax in axes)
    for ax, name in zip(axes, ("loss", "accuracy")):
        assert ax.lines[0].get_xdata().tolist() == [1, 2, 3, 4]
        assert ax.lines[0].get_ydata().tolist() == HISTORY[name]
        assert ax.lines[1].get_ydata().tolist() == HISTORY[f"val_{name}"]
    assert labels(axes[0]) == ["training", "validation", "best: 0.3, epoch 3"]
    assert labels(axes[1]) == ["training", "validation", "best: 0.7, epoch 2"]


def test_a_loss_that_falls_far_has_a_logarithmic_scale_and_others_have_not():
    loss, accuracy = viz.plot_history(HISTORY)
    assert (loss.get_yscale(), loss.get_ylabel()) == ("log", "loss (log scale)")
    assert (accuracy.get_yscale(), accuracy.get_ylabel()) == ("linear", "accuracy")
    assert viz.plot_history({"loss": [1.0, 0.5]}).get_yscale() == "linear"
    assert viz.plot_history({"loss": [100.0, 0.0, -1.0]}).get_yscale() == "linear"


def test_the_loss_stands_first():
    assert [ax.get_title() for ax in viz.plot_history({"accuracy": [0.5], "loss": [1.0]})] == ["Loss", "Accuracy"]


def test_metrics_chooses_panels_and_ax_says_where_they_go():
    assert isinstance(viz.plot_history(HISTORY, "accuracy"), Axes)
    assert [ax.get_title() for ax in viz.plot_history(HISTORY, ["accuracy", "val_loss"])] == ["Accuracy", "Loss"]
    mine = plt.subplots(1, 2)[1]
    assert viz.plot_history(HISTORY, "loss", ax=mine[0]) is mine[0]
    assert list(viz.plot_history(HISTORY, ax=mine)) == list(mine)
    with pytest.raises(ValueError, match="there are 2 panels to draw and 1 axes"):
        viz.plot_history(HISTORY, ax=mine[0])
    with pytest.raises(ValueError, match="the history has no 'f1'; it has loss, accuracy"):
        viz.plot_history(HISTORY, "f1")
    with pytest.raises(ValueError, match="metrics names none to draw; the history has loss, accuracy"):
        viz.plot_history(HISTORY, [])


def test_numbers_that_are_not_finite_are_left_out_and_counted():
    ax = viz.plot_history({"loss": [1.0, nan, math.inf, 0.5], "val_loss": [nan] * 4})
    assert labels(ax) == ["training (2 of 4 not finite)", "validation (4 of 4 not finite)"]
    assert texts(viz.plot_history({"loss": [nan]})) == ["no finite number"]


def test_a_history_of_one_epoch_of_numpy_or_of_tensors_is_drawn():
    ax = viz.plot_history({"loss": [tg.tensor(0.5)], "val_loss": [np.float32(0.25)]})
    assert ax.get_xlim() == (0.5, 1.5)
    assert labels(ax) == ["training", "validation", "best: 0.25, epoch 1"]


def test_an_object_with_a_history_is_drawn_and_others_are_told():
    class Fitted:
        history = HISTORY

    assert len(viz.plot_history(Fitted())) == 2
    for empty in ({}, {"loss": []}):
        with pytest.raises(ValueError, match="no epochs yet"):
            viz.plot_history(empty)
    with pytest.raises(TypeError, match=r"maps names to a list of numbers per epoch.* this is list"):
        viz.plot_history([1.0])


def test_histories_are_compared_by_one_number_with_the_best_in_the_legend():
    other = {"loss": [1.0, 0.8], "val_accuracy": [0.3, 0.2]}
    ax = viz.compare_histories({"adam": HISTORY, "sgd": other})
    assert labels(ax) == ["adam (best 0.005)", "sgd (best 0.8)"]
    assert [len(line.get_xdata()) for line in ax.lines] == [4, 2]
    ax = viz.compare_histories({"adam": HISTORY, "sgd": other}, "val_accuracy", ax=plt.subplots()[1])
    assert labels(ax) == ["adam (best 0.7)", "sgd (best 0.3)"]
    assert ax.get_title() == "Validation accuracy"
    with pytest.raises(ValueError, match="'sgd' has no 'val_loss'; it has loss, val_accuracy"):
        viz.compare_histories({"adam": HISTORY, "sgd": other}, "val_loss")
    with pytest.raises(ValueError, match="no histories"):
        viz.compare_histories({})
    with pytest.raises(TypeError, match=r"must map the name of each run to its history, as in {'adam': .* and is list"):
        viz.compare_histories([HISTORY, HISTORY])


def test_some_runs_with_long_names_are_told_apart_beside_the_curves():
    runs = {f"a run with quite a long name, number {i}": HISTORY for i in range(10)}
    ax = viz.compare_histories(runs)
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 10
    assert ax.get_legend().get_window_extent().x0 > ax.get_window_extent().x1
    assert inside(ax)


def test_many_runs_have_a_panel_each_with_the_others_in_grey():
    runs = {f"run {i}": {"loss": [1.0, 0.01 * (i + 1)]} for i in range(12)}
    axes = viz.compare_histories(runs)
    assert [ax.get_title() for ax in axes] == [f"run {i} (best {0.01 * (i + 1):.4g})" for i in range(12)]
    for ax, run in zip(axes, runs.values()):
        *others, own = ax.lines
        assert own.get_ydata().tolist() == run["loss"]
        assert [line.get_ydata().tolist() for line in others] == [each["loss"] for each in runs.values()]
        assert own.get_color() not in {line.get_color() for line in others}
        assert ax.get_yscale() == "log"
    assert len(viz.compare_histories(runs, ax=plt.subplots()[1]).lines) == 12


# Decisions


def half(x):
    return x[:, 0] - 0.5


def plane(n=60, seed=0):
    X = np.random.default_rng(seed).random((n, 2))
    return X, (half(X) > 0).astype(int)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def two(x):
    p = sigmoid(10 * half(x))
    return np.stack([1 - p, p], 1)


BINARY = {
    "predict_proba": SimpleNamespace(predict_proba=two),
    "predicted classes": SimpleNamespace(predict=lambda x: (half(x) > 0).astype(int)),
    "predicted classes that are not integers": SimpleNamespace(predict=lambda x: (half(x) > 0).astype(float)),
    "predicted probabilities": SimpleNamespace(predict=lambda x: two(x)[:, 1:]),
    "a callable of probabilities": lambda x: two(x)[:, 1],
    "a callable of logits": lambda x: 10 * half(x),
    "a callable of logits of two classes": lambda x: np.stack([0 * x[:, 0], 10 * half(x)], 1),
    "a callable of tensors": lambda x: tg.tensor(10 * half(x)),
}


@pytest.mark.parametrize("model", BINARY.values(), ids=BINARY)
def test_a_model_of_any_kind_has_its_boundary_drawn_where_it_is(model):
    X, y = plane()
    ax = viz.plot_decision_boundary(model, X, y, resolution=50)
    (contour,) = ax.collections[:1]
    assert np.allclose(np.concatenate([path.vertices for path in contour.get_paths()])[:, 0], 0.5, atol=0.03)
    assert labels(ax) == ["0", "1"]
    assert "60 of 60 points right" in ax.get_title()
    assert sum(len(points.get_offsets()) for points in ax.collections[1:]) == 60
    assert viz.plot_decision_boundary(model, X, y[:, None], resolution=10).get_title() == ax.get_title()
    assert inside(ax)


def test_a_module_is_asked_in_evaluation_mode_for_its_logits_and_left_as_it_was():
    layer = nn.Linear(2, 1)
    with tg.no_grad():
        layer.weight.copy_(tg.tensor([[10.0, 0.0]]))
        layer.bias.copy_(tg.tensor([-5.0]))
    model = nn.Sequential(layer, nn.Dropout(0.9))
    model[0].eval()
    X, y = plane()
    ax = viz.plot_decision_boundary(model, tg.tensor(X), tg.tensor(y), resolution=20)
    assert "60 of 60 points right" in ax.get_title()
    assert (model.training, model[0].training, model[1].training) == (True, False, True)


def test_several_classes_may_be_strings_or_one_hot():
    X, _ = plane(90)
    thirds = np.floor(3 * X[:, 0]).astype(int)
    scores = lambda x: -np.abs(3 * x[:, :1] - np.array([[0.5, 1.5, 2.5]]))  # noqa: E731
    names = np.array(["a low", "b middle", "c high"])
    ax = viz.plot_decision_boundary(scores, X, names[thirds], resolution=40)
    assert labels(ax) == ["a low", "b middle", "c high"]
    assert "90 of 90" in ax.get_title()
    assert labels(viz.plot_decision_boundary(scores, X, np.eye(3)[thirds], resolution=40)) == ["0", "1", "2"]
    named = SimpleNamespace(predict=lambda x: names[scores(x).argmax(1)])
    assert "90 of 90" in viz.plot_decision_boundary(named, X, names[thirds], resolution=40).get_title()
    few = thirds < 2
    assert "right" in viz.plot_decision_boundary(scores, X[few], thirds[few], resolution=40).get_title()


def test_a_model_that_sees_one_class_everywhere_has_no_boundary():
    X, y = plane()
    ax = viz.plot_decision_boundary(lambda x: np.full(len(x), 0.1), X, y, resolution=10, ax=plt.subplots()[1])
    assert len(ax.collections) == 2
    ax = viz.plot_decision_boundary(lambda x: 0.1 + 0 * x[:, 0], X[:1], y[:1], resolution=10)
    assert ax.get_xlim()[0] < X[0, 0] < ax.get_xlim()[1]


def test_the_surer_the_decision_the_deeper_the_colour():
    X, y = plane()
    image = viz.plot_decision_boundary(lambda x: two(x)[:, 1], X, y, resolution=50).images[0].get_array()
    paleness = image.min(-1)[25]
    assert paleness[24:26].min() > max(paleness[0], paleness[-1])


@pytest.mark.parametrize(
    ("model", "X", "y", "error", "text"),
    [
        (half, np.ones((4, 3)), [0, 1, 0, 1], ShapeError, r"\(n, 2\), and has shape \(4, 3\); choose two features"),
        (half, np.ones((4, 2)), [0, 1], ShapeError, "4 points and 2 classes"),
        (half, np.full((2, 2), nan), [0, 1], ValueError, "must be finite"),
        (half, np.eye(2), [0, nan], ValueError, "y holds NaN, which is no class; leave such points out"),
        (3, np.eye(2), [0, 1], TypeError, "must have predict_proba or predict, or be callable, and is a int"),
        (lambda x: x[:1], np.eye(2), [0, 1], ShapeError, r"the model must give \(n,\) or \(n, classes\)"),
        (lambda x: np.ones((len(x), 5)), np.eye(2), ["a", "b"], ValueError, "5 columns of scores, and the 2 classes"),
        (lambda x: x.sum(), np.eye(2), [0, 1], ShapeError, r"the model must give \(n,\) or \(n, classes\)"),
        (lambda x: x[:, :0], np.eye(2), [0, 1], ShapeError, r"the model must give \(n,\) or \(n, classes\)"),
        (lambda x: nan * x, np.eye(2), [0, 1], ValueError, "for 102 of 102 points the model gives NaN or infinity"),
        (lambda x: nan * x[:, 0], np.eye(2), [0, 1], ValueError, "for 102 of 102 points the model gives NaN"),
        (lambda x: math.inf * x**0, np.eye(2), [0, 1], ValueError, "for 102 of 102 points the model gives NaN or inf"),
        (lambda x: np.where(x[:, 0] < 0, nan, 1), np.eye(2), [0, 1], ValueError, "for 10 of 102 points .* decides no"),
    ],
)
def test_data_that_have_no_boundary_are_told(model, X, y, error, text):
    with pytest.raises(error, match=text):
        viz.plot_decision_boundary(model, X, y, resolution=10)
    assert not plt.get_fignums()


@pytest.mark.parametrize("resolution", [0, 1, -5, 10.0, True, None])
def test_a_resolution_that_shows_nothing_is_told(resolution):
    with pytest.raises((ValueError, TypeError), match=f"resolution must be an int of 2 or more, not {resolution}"):
        viz.plot_decision_boundary(half, *plane(), resolution=resolution)


@pytest.mark.parametrize("numbers", [(0, 1), (-1, 1), (1, 2)])
def test_a_model_of_values_has_its_boundary_half_way_between_two_numbers(numbers):
    X, y = plane()
    layer = nn.Linear(2, 1)
    with tg.no_grad():
        layer.weight.copy_(tg.tensor([[3.0, 0.0]]))
        layer.bias.fill_(sum(numbers) / 2 - 1.5)
    model = train.Model(layer)
    model.compile("sgd", "mse", learning_rate=0.0)
    model.fit(X, np.array(numbers)[y], verbose=0)
    ax = viz.plot_decision_boundary(model, X, np.array(numbers)[y], resolution=50)
    path = ax.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(path[:, 0], 0.5, atol=0.01)
    assert "60 of 60 points right" in ax.get_title()


def test_a_model_of_one_hot_values_is_asked_for_these():
    X, y = plane()
    model = SimpleNamespace(predict=lambda x: 2 * two(x) - 0.5)
    model.predict_proba = lambda x: model.probabilities
    assert "60 of 60 points right" in viz.plot_decision_boundary(model, X, np.eye(2)[y], resolution=20).get_title()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        viz.plot_decision_boundary(SimpleNamespace(predict_proba=lambda x: x.nothing), X, y)


# Scores

needs_sklearn = pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")


@needs_sklearn
def test_a_confusion_matrix_has_the_counts_of_scikit_learn_in_a_readable_colour():
    true, predicted = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]
    ax = viz.plot_confusion_matrix(tg.tensor(true), np.array(predicted))
    assert texts(ax) == ["2", "1", "0", "0", "1", "1", "0", "0", "1"]
    assert ax.images[0].get_array().tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert [text.get_color() for text in ax.texts[:3]] == ["white", "black", "#a0a0a0"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert "4 of 6 right (66.7%)" in ax.get_title()


@needs_sklearn
@pytest.mark.parametrize(
    ("normalize", "first"), [("true", ["67%", "33%"]), ("pred", ["100%", "50%"]), ("all", ["33%", "17%"])]
)
def test_a_confusion_matrix_of_shares(normalize, first):
    ax = viz.plot_confusion_matrix([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2], normalize=normalize)
    assert texts(ax)[:2] == first
    given = viz.plot_confusion_matrix([0, 1], [0, 1], normalize=normalize, ax=plt.subplots()[1])
    assert given.get_xlabel().startswith("predicted class\n(share of ")


@needs_sklearn
def test_labels_choose_and_order_the_classes():
    ax = viz.plot_confusion_matrix(["b", "a", "c"], ["b", "a", "c"], labels=["c", "b"], ax=plt.subplots()[1])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["c", "b"]
    assert texts(ax) == ["1", "0", "0", "1"]
    assert "2 of 2 right (100.0%)" in ax.get_title()
    some = viz.plot_confusion_matrix([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 2], labels=[0, 1], normalize="true")
    assert "2 of 3 right (66.7%)" in some.get_title()
    assert viz.plot_confusion_matrix([0, 1], [2, 2], labels=[0, 1]).get_title().endswith("0 of 0 right")


@needs_sklearn
@pytest.mark.parametrize("true", [[0, 0, 2], [0, 1, 2], [3, 5, 8]])
def test_strings_name_classes_that_are_numbers(true):
    ax = viz.plot_confusion_matrix(true, true, labels=["x", "y", "z"])
    plain = viz.plot_confusion_matrix(true, true, labels=[0, 1, 2] if 0 in true else None)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["x", "y", "z"]
    assert (texts(ax), ax.get_title()) == (texts(plain), plain.get_title())
    with pytest.raises(ValueError, match=r"there are 1 names in labels, and the \d classes in y do not tell which"):
        viz.plot_confusion_matrix(true, true, labels=["x"])


@needs_sklearn
@pytest.mark.parametrize(("classes", "numbers"), [(2, 4), (10, 100), (20, 20), (60, 0)])
def test_many_classes_with_long_names_stay_within_the_picture(classes, numbers):
    names = np.array([f"quite a long name {i:02}" for i in range(classes)])
    ax = viz.plot_confusion_matrix(np.repeat(names, 2), np.repeat(names, 2), normalize="true")
    assert len(ax.texts) == numbers
    assert inside(ax)


@needs_sklearn
def test_classes_that_cannot_be_counted_are_told():
    with pytest.raises(ShapeError, match=r"y_true \(2,\) and y_pred \(2, 3\).*take .argmax\(1\)"):
        viz.plot_confusion_matrix([0, 1], np.ones((2, 3)))
    with pytest.raises(ValueError, match="normalize must be 'true', 'pred', 'all' or None, not 'rows'"):
        viz.plot_confusion_matrix([0, 1], [0, 1], normalize="rows")


@needs_sklearn
def test_a_roc_curve_has_the_area_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 50)
    score = y + rng.normal(size=50)
    for shaped in (score, score[:, None], np.stack([-score, score], 1), tg.tensor(score)):
        ax = viz.plot_roc(y, shaped)
        assert labels(ax) == [f"1 (AUC {roc_auc_score(y, score):.3f})", "chance (AUC 0.5)"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("false positive rate", "true positive rate")


@needs_sklearn
def test_several_classes_have_a_roc_curve_each():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 90)
    scores = np.eye(3)[y] + rng.normal(size=(90, 3))
    names = np.array(["a", "b", "c with quite a long name"])
    ax = viz.plot_roc(names[y], scores)
    assert labels(ax)[:3] == [f"{names[i]} (AUC {roc_auc_score(y == i, scores[:, i]):.3f})" for i in range(3)]
    assert inside(ax)
    ax = viz.plot_roc(y % 2, scores)
    assert labels(ax)[2] == "2 (no AUC: no examples)"
    with pytest.raises(ValueError, match=r"scores \(n,\) are of two classes, and y_true has 3"):
        viz.plot_roc(y, scores[:, 0])
    with pytest.raises(ShapeError, match=r"y_true \(90,\) must be classes"):
        viz.plot_roc(y, scores[:5])


# Distributions


def network():
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))


def test_each_parameter_has_a_histogram_with_its_mean_and_deviation():
    model = network()
    axes = viz.plot_weights(model)
    assert [ax.get_title().split()[0] for ax in axes] == [name for name, _ in model.named_parameters()]
    for ax, parameter in zip(axes, model.parameters()):
        values = parameter.numpy(force=True)
        assert sum(bar.get_height() for bar in ax.patches) == values.size
        assert f"mean {values.mean():.2g}, std {values.std():.2g}" in ax.get_title()
        assert ax.get_xlabel() == "weight"


def test_gradients_are_drawn_after_backward_and_a_parameter_without_one_says_so():
    model = network()
    with pytest.raises(AutogradError, match=r"no parameter has a gradient yet; call backward\(\)"):
        viz.plot_gradients(model)
    model(tg.ones(3, 6)).square().sum().backward()
    model[2].bias.grad = None
    axes = viz.plot_gradients(model)
    assert axes[0].get_title().startswith("0.weight  4x6\nmean ")
    assert texts(axes[3]) == ["no gradient"]


def test_what_is_not_finite_or_all_the_same_is_said_in_the_title():
    layer = nn.Linear(3, 1)
    with tg.no_grad():
        layer.weight.fill_(2.0)
        layer.bias.fill_(nan)
    weight, bias = viz.plot_weights(layer)
    assert weight.get_title().endswith("all 2")
    assert min(bar.get_width() for bar in weight.patches) > 0.01
    assert bias.get_title().endswith("1 not finite")


@pytest.mark.parametrize("together", [False, True])
def test_numbers_too_large_to_draw_are_told(together):
    layer = nn.Linear(2, 1, dtype=tg.float64)
    with tg.no_grad():
        layer.weight.copy_(tg.tensor([[1.7e308, -1.7e308]], dtype=tg.float64))
    ax = plt.subplots()[1] if together else None
    with pytest.raises(
        ValueError, match=r"plot_weights: 'weight' holds numbers as large as 1.7e\+308, and up to 1e\+150"
    ):
        viz.plot_weights(layer, ax=ax)
    with tg.no_grad():
        layer.weight.mul_(1e-160)
    assert viz.plot_weights(layer)[0].get_title().endswith("mean 0, std 1.7e+148")


def test_one_axes_takes_all_parameters_and_a_model_may_hold_its_module():
    class Model:
        module = network()

    ax = plt.subplots()[1]
    assert viz.plot_weights(Model(), ax=ax) is ax
    assert [label.split(":")[0] for label in labels(ax)] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(ValueError, match="no parameters"):
        viz.plot_weights(nn.ReLU())
    with pytest.raises(TypeError, match=r"takes a Module, or a model with a .module, not int"):
        viz.plot_weights(3)


# Images


@pytest.mark.parametrize(
    ("shape", "drawn"),
    [((4, 5, 6), (5, 6)), ((4, 1, 5, 6), (5, 6)), ((4, 3, 5, 6), (5, 6, 3)), ((4, 5, 6, 3), (5, 6, 3))],
)
def test_images_of_every_layout_are_drawn(shape, drawn):
    pixels = np.random.default_rng(0).random(shape)
    for images in (pixels, tg.tensor(pixels), (255 * pixels).astype(np.uint8), 10 * pixels - 5):
        axes = viz.plot_images(images, titles=range(4))
        assert [ax.get_title() for ax in axes] == ["0", "1", "2", "3"]
        assert axes[0].images[0].get_array().shape == drawn


def test_grey_images_share_one_scale_of_brightness():
    images = np.stack([np.full((2, 2), 3.0), np.full((2, 2), -1.0)])
    assert {ax.images[0].get_clim() for ax in viz.plot_images(images)} == {(-1.0, 3.0)}
    assert {ax.images[0].get_clim() for ax in viz.plot_images(np.full((2, 3, 3), 0.5))} == {(0.0, 1.0)}
    assert {ax.images[0].get_clim() for ax in viz.plot_images(np.full((2, 3, 3), 5.0))} == {(5.0, 6.0)}


def test_columns_and_ax_say_where_images_go():
    axes = viz.plot_images(np.ones((5, 2, 2)), columns=2)
    assert axes[0].get_subplotspec().get_gridspec().get_geometry() == (3, 2)
    assert len(axes[0].figure.axes) == 5
    ax = plt.subplots()[1]
    assert viz.plot_images(np.ones((1, 2, 2)), ax=ax) is ax


def test_images_that_cannot_be_drawn_are_told():
    with pytest.raises(ShapeError, match=r"have shape \(4, 64\); reshape flat ones"):
        viz.plot_images(np.ones((4, 64)))
    with pytest.raises(ValueError, match="there are 2 images and 1 titles"):
        viz.plot_images(np.ones((2, 3, 3)), titles=["a"])
    with pytest.raises(ValueError, match="no images"):
        viz.plot_images(np.ones((0, 3, 3)))
    with pytest.raises(ValueError, match="columns must be an int of 1 or more"):
        viz.plot_images(np.ones((2, 3, 3)), columns=0)


def test_mistakes_are_drawn_surest_first_with_both_classes():
    images = np.arange(5.0)[:, None, None] * np.ones((5, 3, 3))
    true, predicted, sure = [0, 1, 2, 0, 1], [0, 2, 2, 1, 0], [0.9, 0.5, 0.8, 0.7, 0.6]
    axes = viz.plot_mistakes(images, true, tg.tensor(predicted), sure, class_names=["cat", "dog", "cow"])
    titles = ["cat taken for dog\n(70% sure)", "dog taken for cat\n(60% sure)", "dog taken for cow\n(50% sure)"]
    assert [ax.get_title() for ax in axes] == titles
    assert [ax.images[0].get_array()[0, 0] for ax in axes] == [3.0, 4.0, 1.0]
    assert axes[0].figure.get_suptitle() == "3 of 5 taken for another class"


def test_only_the_most_certain_mistakes_are_shown_and_the_title_says_so():
    probabilities = np.array([[0.1, 0.9], [0.4, 0.6], [0.2, 0.8]])
    axes = viz.plot_mistakes(np.ones((3, 2, 2)), [0, 0, 0], [1, 1, 1], probabilities, most=2)
    assert [ax.get_title() for ax in axes] == ["0 taken for 1\n(90% sure)", "0 taken for 1\n(80% sure)"]
    assert axes[0].figure.get_suptitle() == "3 of 3 taken for another class\n(the surest 2)"
    ax = viz.plot_mistakes(np.ones((3, 2, 2)), [0, 0, 0], [0, 1, 1], most=1)
    assert ax.get_title() == "0 taken for 1"
    assert ax.figure.get_suptitle().endswith("\n(the first 1)")


@pytest.mark.parametrize("true", [[0, 1, 2], [0, 1, -1], ["a", "b", "c"]])
def test_classes_that_have_no_name_are_told(true):
    with pytest.raises(ValueError, match=r"class_names must name the classes 0, 1, .* it has 2 names, and there are"):
        viz.plot_mistakes(np.ones((3, 2, 2)), true, true[::-1], class_names=["x", "y"])


def test_without_mistakes_the_picture_says_so():
    assert texts(viz.plot_mistakes(np.ones((2, 3, 3)), [0, 1], [0, 1])) == ["No mistakes: all 2 right"]
    with pytest.raises(ShapeError, match="2 images, 2 true and 4 predicted classes"):
        viz.plot_mistakes(np.ones((2, 3, 3)), [0, 1], np.ones((2, 2)))
    with pytest.raises(ShapeError, match=r"probabilities of 2 images have shape \(3,\)"):
        viz.plot_mistakes(np.ones((2, 3, 3)), [0, 1], [1, 1], np.ones(3))


# All


def test_the_room_needs_no_matplotlib_until_something_is_plotted():
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['sklearn'] = None\n"
        "from tensorgrad import viz\n"
        "for plot in (lambda: viz.plot_history({'loss': [1.0]}), lambda: viz.plot_confusion_matrix([1], [1])):\n"
        "    try: plot()\n"
        "    except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "plot_history needs matplotlib: pip install matplotlib",
        "plot_confusion_matrix needs scikit-learn: pip install scikit-learn",
    ]


def test_given_axes_are_drawn_into_and_no_other_figure_is_made():
    axes = plt.subplots(2, 2)[1].ravel()
    X, y = plane()
    drawn = [
        viz.plot_history(HISTORY, "loss", ax=axes[0]),
        viz.compare_histories({"a": HISTORY}, ax=axes[1]),
        viz.plot_decision_boundary(half, X, y, ax=axes[2], resolution=10),
        viz.plot_weights(network(), ax=axes[3]),
    ]
    assert drawn == list(axes)
    assert len(plt.get_fignums()) == 1


def test_every_name_of_the_room_is_there_and_others_are_not():
    assert all(hasattr(viz, name) for name in viz.__all__)
    assert set(viz.__all__) == set(dir(viz))
    with pytest.raises(AttributeError, match="no attribute 'plot_nothing'"):
        viz.plot_nothing  # noqa: B018


def test_probabilities_in_place_of_classes_are_told_with_what_to_take():
    p = np.array([[0.2], [0.9]])
    with pytest.raises(ValueError, match=r"y_pred must be classes, and holds 0.2; .* model.predict_classes\(X\)"):
        viz.plot_mistakes(np.ones((2, 3, 3)), [0, 1], p)
    with pytest.raises(ShapeError, match=r"of one column of probabilities \(n, 1\) take model.predict_classes"):
        viz.plot_confusion_matrix([0, 1], p)


def test_classes_that_are_not_counted_from_0_are_named_by_a_mapping():
    axes = viz.plot_mistakes(np.ones((2, 3, 3)), ["a", "b"], ["b", "a"], class_names={"a": "ant", "b": "bee"})
    assert [ax.get_title() for ax in axes] == ["ant taken for bee", "bee taken for ant"]
