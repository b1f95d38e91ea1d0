"""Metrics: scikit-learn's numbers from batches of any size, clear errors, and names."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import metrics
from tensorgrad.errors import DtypeError, ShapeError


def gather(metric, predictions, targets, weights=None, cuts=(0, 1, 13, 13, 40, None)):
    """The metric of examples that come in uneven batches, one of them empty."""
    for start, stop in zip(cuts, cuts[1:]):
        part = slice(start, stop)
        metric.update(predictions[part], targets[part], None if weights is None else weights[part])
    return metric.compute()


def scores(n=100, classes=4, seed=0):
    """Probabilities, targets and weights at random: every class, but for the last, occurs."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), n).astype(np.float32)
    return p, rng.integers(0, max(classes - 1, 2), n), rng.random(n)


def binary(n=100, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random(n), rng.integers(0, 2, n), rng.random(n)


def sklearn(name):
    return getattr(pytest.importorskip("sklearn.metrics"), name)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 4, 10])
def test_accuracy_over_batches_is_that_of_scikit_learn(classes, weighted):
    p, y, w = scores(classes=classes)
    w = w if weighted else None
    expected = sklearn("accuracy_score")(y, p.argmax(1), sample_weight=w)
    one_hot = np.eye(classes)[y]
    for kind in (metrics.Accuracy, metrics.CategoricalAccuracy):
        for targets in (y, y[:, None], y.astype(np.int32), y.astype(np.float32), one_hot, one_hot.astype(bool)):
            assert gather(kind(), p, targets, w) == pytest.approx(expected)
    assert gather(metrics.Accuracy(), tg.tensor(p, requires_grad=True), tg.tensor(y), w) == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(100,), (100, 1)])
def test_binary_accuracy_over_batches_is_that_of_scikit_learn(shape, weighted):
    p, y, w = binary()
    w = w if weighted else None
    for threshold in (0.5, 0.2):
        expected = sklearn("accuracy_score")(y, p > threshold, sample_weight=w)
        for targets in (y, y[:, None], y.astype(bool), y.astype(np.uint8), y.astype(np.float32)):
            assert gather(metrics.BinaryAccuracy(threshold), p.reshape(shape), targets, w) == pytest.approx(expected)
            if threshold == 0.5:
                assert gather(metrics.Accuracy(), p.reshape(shape), targets, w) == pytest.approx(expected)


def test_binary_accuracy_of_several_labels_is_the_mean_over_them():
    rng = np.random.default_rng(0)
    p, y, w = rng.random((60, 3)), rng.integers(0, 2, (60, 3)), rng.random(60)
    right = (p > 0.5) == y
    assert gather(metrics.BinaryAccuracy(), p, y) == pytest.approx(right.mean())
    assert gather(metrics.BinaryAccuracy(), p, y, w) == pytest.approx(np.average(right.mean(1), weights=w))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 3, 6])
def test_top_k_accuracy_is_that_of_scikit_learn(k, weighted):
    p, y, w = scores(classes=6)
    w = w if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that k is all classes
        expected = sklearn("top_k_accuracy_score")(y, p, k=k, sample_weight=w, labels=range(6))
    assert gather(metrics.TopKAccuracy(k), p, y, w) == pytest.approx(expected)
    assert gather(metrics.TopKAccuracy(k), p, np.eye(6)[y], w) == pytest.approx(expected)


def test_among_equals_the_first_classes_are_chosen():
    same = np.full((4, 4), 0.25)
    assert gather(metrics.Accuracy(), same, np.arange(4), cuts=(0, None)) == 0.25
    assert gather(metrics.TopKAccuracy(1), same, np.arange(4), cuts=(0, None)) == 0.25
    assert gather(metrics.TopKAccuracy(3), same, np.arange(4), cuts=(0, None)) == 0.75


KINDS = {
    "precision_score": metrics.Precision,
    "recall_score": metrics.Recall,
    "f1_score": metrics.F1,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", ["binary", "macro", "micro", "weighted"])
@pytest.mark.parametrize("name", KINDS)
def test_precision_recall_and_f1_of_probabilities_of_1_are_those_of_scikit_learn(name, average, weighted):
    p, y, w = binary()
    w = w if weighted else None
    for threshold in (0.5, 0.9):
        expected = sklearn(name)(y, p > threshold, average=average, sample_weight=w)
        for shape in ((100,), (100, 1)):
            metric = KINDS[name](average, threshold=threshold)
            assert gather(metric, p.reshape(shape), y, w) == pytest.approx(expected)
    two = np.stack([1 - p, p], 1)
    assert gather(KINDS[name](average), two, y, w) == pytest.approx(
        sklearn(name)(y, p > 0.5, average=average, sample_weight=w)
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", KINDS)
def test_precision_recall_and_f1_of_several_classes_are_those_of_scikit_learn(name, average, weighted):
    for classes in (3, 7):
        p, y, w = scores(classes=classes)
        w = w if weighted else None
        expected = sklearn(name)(y, p.argmax(1), average=average, sample_weight=w, zero_division=0)
        assert gather(KINDS[name](average), p, y, w) == pytest.approx(expected)
        assert gather(KINDS[name](average), p, np.eye(classes)[y], w) == pytest.approx(expected)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", KINDS)
def test_a_class_that_never_occurs_is_left_out_and_what_divides_by_zero_is_zero(name, average):
    p = np.eye(5)[[0, 0, 1, 3, 3]]  # 2 and 4 are never predicted, and 4 is never there
    y = np.array([0, 1, 2, 3, 2])
    expected = sklearn(name)(y, p.argmax(1), average=average, zero_division=0)
    assert gather(KINDS[name](average), p, y, cuts=(0, 2, None)) == pytest.approx(expected)
    weights = np.array([1.0, 1.0, 0.0, 0.0, 0.0])
    expected = sklearn(name)(y, p.argmax(1), average=average, zero_division=0, sample_weight=weights)
    assert gather(KINDS[name](average), p, y, weights, cuts=(0, 2, None)) == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_each_output_of_several_labels_is_the_micro_average_of_scikit_learn(name, weighted):
    rng = np.random.default_rng(0)
    p, y, w = rng.random((60, 4)), rng.integers(0, 2, (60, 4)), rng.random(60)
    w = w if weighted else None
    for threshold in (0.5, 0.8):
        metric = metrics.EachOutput(KINDS[name](threshold=threshold))
        expected = sklearn(name)(y, p > threshold, average="micro", sample_weight=w)
        assert gather(metric, p, y, w) == pytest.approx(expected)
        metric.reset()
        assert gather(metric, tg.tensor(p.reshape(60, 2, 2)), tg.tensor(y.reshape(60, 2, 2)), w) == pytest.approx(
            expected
        )
        metric.reset()
        assert math.isnan(metric.compute())


def test_each_output_has_the_name_and_takes_the_names_of_the_metric_inside():
    assert metrics.EachOutput(metrics.F1()).name == metrics.EachOutput("f1").name == "f1"
    assert metrics.EachOutput("f1", name="f1_of_labels").name == "f1_of_labels"
    with pytest.raises(ShapeError, match=r"EachOutput: sample_weight must have one weight for each of the 2 examples"):
        metrics.EachOutput("f1").update(np.ones((2, 3)), np.ones((2, 3)), np.ones(6))


SAME_SHAPE = [metrics.Accuracy, metrics.CategoricalAccuracy, metrics.TopKAccuracy, *KINDS.values()]


@pytest.mark.parametrize("kind", SAME_SHAPE)
@pytest.mark.parametrize(
    ("row", "total"), [([1, 1, 0], "2"), ([0, 0, 0], "0"), ([2, -1, 0], "1"), ([0.5, np.nan, 0.5], "nan")]
)
def test_targets_of_several_labels_are_not_taken_for_classes(kind, row, total):
    metric = kind(2) if kind is metrics.TopKAccuracy else kind()
    targets = np.array([[0, 1, 0], row])
    with pytest.raises(
        ValueError, match=rf"{kind.__name__}: .*row 1 adds up to {total}; .*BinaryAccuracy, or EachOutput"
    ):
        metric.update(np.full((2, 3), 1 / 3), targets)


def test_targets_may_be_probabilities_whose_largest_is_the_class():
    p, y, _ = scores()
    soft = (0.9 * np.eye(4)[y] + 0.025).astype(np.float16)
    assert gather(metrics.Accuracy(), p, soft) == gather(metrics.Accuracy(), p, y)
    assert gather(metrics.F1(), p, soft) == gather(metrics.F1(), p, y)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rest", [(5,), (3, 4), (1,)])
@pytest.mark.parametrize("kind", [metrics.Accuracy, metrics.CategoricalAccuracy])
def test_classes_of_every_place_are_counted_one_by_one(kind, rest, weighted):
    rng = np.random.default_rng(0)
    p, y, w = rng.random((60, 3, *rest)), rng.integers(0, 3, (60, *rest)), rng.random(60)
    w = w if weighted else None
    right = (p.argmax(1) == y).reshape(60, -1).mean(1)
    assert gather(kind(), p, y, w) == pytest.approx(np.average(right, weights=w))
    one_hot = np.moveaxis(np.eye(3)[y], -1, 1)
    assert gather(metrics.CategoricalAccuracy(), p, one_hot, w) == pytest.approx(np.average(right, weights=w))
    p[:, 1] = np.nan
    assert gather(kind(), p, y) == 0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [*KINDS.values(), metrics.AUC, lambda: metrics.TopKAccuracy(2)])
def test_every_place_counts_as_an_example(kind, weighted):
    rng = np.random.default_rng(0)
    p, y, w = rng.random((60, 3, 4, 5)), rng.integers(0, 3, (60, 4, 5)), rng.random(60)
    rows, each = np.moveaxis(p, 1, -1).reshape(-1, 3), np.repeat(w, 20)
    expected = gather(kind(), rows, y.reshape(-1), each if weighted else None)
    assert gather(kind(), p, y, w if weighted else None) == pytest.approx(expected)
    assert gather(kind(), p, np.moveaxis(np.eye(3)[y], -1, 1), w if weighted else None) == pytest.approx(expected)


def test_yes_or_no_for_each_pixel_is_still_that():
    rng = np.random.default_rng(0)
    p, y = rng.random((60, 3, 4)), rng.integers(0, 2, (60, 3, 4))
    assert gather(metrics.Accuracy(), p, y) == gather(metrics.BinaryAccuracy(), p, y)


@pytest.mark.parametrize("kind", KINDS.values())
def test_the_average_is_binary_for_two_classes_and_macro_for_more(kind):
    p, y, _ = scores(classes=2)
    assert gather(kind(), p, y) == gather(kind("binary"), p, y)
    p, y, _ = scores(classes=3)
    assert gather(kind(), p, y) == gather(kind("macro"), p, y)


def test_no_positive_at_all_gives_zero():
    for kind in KINDS.values():
        metric = kind()
        metric.update(np.array([0.1, 0.2]), np.array([0, 0]))
        assert metric.compute() == 0.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("levels", [3, 1000])
def test_the_area_under_the_curve_is_that_of_scikit_learn_with_and_without_ties(levels, weighted):
    p, y, w = binary()
    p, w = np.floor(p * levels) / levels, w if weighted else None
    expected = sklearn("roc_auc_score")(y, p, sample_weight=w)
    for shape in ((100,), (100, 1)):
        assert gather(metrics.AUC(), p.reshape(shape), y, w) == pytest.approx(expected)
    assert gather(metrics.AUC(), np.stack([1 - p, p], 1), y, w) == pytest.approx(expected)
    assert gather(metrics.AUC(), tg.tensor(p), tg.tensor(y[:, None]), w) == pytest.approx(expected)
    three, labels = np.stack([p, p / 2, 1 - p], 1), np.stack([y, 1 - y, y], 1)
    expected = sklearn("roc_auc_score")(labels, three, average="micro", sample_weight=w)
    assert gather(metrics.EachOutput("auc"), three, labels, w) == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_area_of_several_classes_is_the_mean_of_each_against_the_others(weighted):
    p, y, w = scores(classes=4)
    y[:10] = 3  # scikit-learn wants all to occur
    p, w = p.astype(np.float64) / p.sum(1, keepdims=True, dtype=np.float64), w if weighted else None
    expected = np.mean([sklearn("roc_auc_score")(y == k, p[:, k], sample_weight=w) for k in range(4)])
    assert gather(metrics.AUC(), p, y, w) == gather(metrics.AUC(), p, np.eye(4)[y], w) == pytest.approx(expected)
    if not weighted:
        assert expected == pytest.approx(sklearn("roc_auc_score")(y, p, multi_class="ovr"))
    y[y == 3] = 0
    expected = np.mean([sklearn("roc_auc_score")(y == k, p[:, k], sample_weight=w) for k in range(3)])
    assert gather(metrics.AUC(), p, y, w) == pytest.approx(expected)


def test_an_area_without_two_sides_or_with_a_nan_is_nan():
    for p, y in (([0.1, 0.9], [1, 1]), ([0.1, 0.9], [0, 0]), ([0.1, np.nan], [0, 1])):
        assert math.isnan(gather(metrics.AUC(), np.array(p), np.array(y), cuts=(0, 1, None)))


def test_what_the_area_is_made_of_is_not_changed_behind_it():
    metric, p, w = metrics.AUC(), np.array([0.2, 0.8]), ones(2)
    metric.update(p, np.array([0, 1]), w)
    p[:], w[:] = 0, -1
    assert metric.compute() == 1


ERRORS = {
    "mean_absolute_error": metrics.MeanAbsoluteError,
    "mean_squared_error": metrics.MeanSquaredError,
    "root_mean_squared_error": metrics.RootMeanSquaredError,
    "r2_score": metrics.R2,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(100,), (100, 1), (100, 3)])
@pytest.mark.parametrize("name", ERRORS)
def test_errors_and_r2_are_those_of_scikit_learn(name, shape, weighted):
    rng = np.random.default_rng(0)
    p, y, w = rng.normal(size=shape), rng.normal(size=shape), rng.random(100)
    w = w if weighted else None
    expected = sklearn(name)(y, p, sample_weight=w)
    if name == "root_mean_squared_error":
        expected = math.sqrt(sklearn("mean_squared_error")(y, p, sample_weight=w))
    assert gather(ERRORS[name](), p, y, w) == pytest.approx(expected)
    single = gather(ERRORS[name](), tg.tensor(p.astype(np.float32)), tg.tensor(y.astype(np.float32)), w)
    assert single == pytest.approx(expected, abs=1e-5)
    if shape == (100, 1):
        assert gather(ERRORS[name](), p[:, 0], y, w) == gather(ERRORS[name](), p, y[:, 0], w) == pytest.approx(expected)


def test_r2_keeps_its_digits_beside_a_large_mean():
    rng = np.random.default_rng(0)
    y = rng.normal(size=1000)
    p = y + 0.5 * rng.normal(size=1000)
    expected = gather(metrics.R2(), p, y, cuts=range(0, 1001, 10))
    assert gather(metrics.R2(), p + 1e9, y + 1e9, cuts=range(0, 1001, 10)) == pytest.approx(expected, abs=1e-6)


def test_r2_of_constant_targets_is_that_of_scikit_learn():
    for y, p in [
        ([2.0, 2.0], [2.0, 2.0]),
        ([2.0, 2.0], [2.0, 3.0]),
        ([[1.0, 0.1], [2.0, 0.1]], [[1.0, 0.1], [1.0, 0.2]]),
    ]:
        expected = pytest.approx(sklearn("r2_score")(y, p))
        assert gather(metrics.R2(), np.array(p), np.array(y), cuts=range(len(p) + 1)) == expected
        assert gather(metrics.R2(), np.array(p), np.array(y), cuts=(0, None)) == expected
    # Where the mean is rounded, scikit-learn divides by next to nothing.
    assert gather(metrics.R2(), np.array([0.1, 0.2, 0.3]), np.full(3, 0.1), cuts=(0, None)) == 0


def test_integers_and_half_precision_do_not_wrap_around_or_overflow():
    metric = metrics.MeanSquaredError()
    metric.update(np.array([0, 255], np.uint8), np.array([255, 0], np.uint8))
    metric.update(np.array([60000.0, 60000.0], np.float16), np.array([-60000.0, -60000.0], np.float16))
    assert metric.compute() == pytest.approx((255**2 + 120000.0**2) / 2, rel=1e-3)


ALL = [metrics.get(name) for name in sorted(metrics.naming.NAMES)]


@pytest.mark.parametrize("metric", ALL, ids=lambda m: m.name)
def test_without_examples_and_after_a_reset_every_metric_is_nan(metric):
    assert math.isnan(metric.compute())
    p, y = (np.eye(6)[[0, 1, 2]],) * 2
    metric.update(p, y)
    assert not math.isnan(metric.compute())
    metric.reset()
    metric.update(p[:0], y[:0])
    assert math.isnan(metric.compute())


def test_examples_that_all_weigh_nothing_give_nan():
    for name in ("accuracy", "mse", "r2"):
        metric = metrics.get(name)
        metric.update(np.ones(2), np.ones(2), np.zeros(2))
        assert math.isnan(metric.compute())


def test_an_example_with_a_nan_is_wrong_and_an_error_is_nan():
    nan = float("nan")
    p = np.array([[nan, nan, nan], [0.9, nan, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    y = np.array([0, 0, 0, 1])
    for kind in (metrics.Accuracy(), metrics.TopKAccuracy(1), metrics.TopKAccuracy(3)):
        kind.update(p, y)
        assert kind.compute() == 0.5
    column, truth = np.array([nan, nan, 0.9, 0.1]), np.array([1, 0, 1, 0])
    for kind in (metrics.Accuracy(), metrics.BinaryAccuracy()):
        kind.update(column, truth)
        assert kind.compute() == 0.5
    for kind, expected in ((metrics.Precision(), 1.0), (metrics.Recall(), 0.5)):
        kind.update(column, truth)
        assert kind.compute() == expected
    for name in ("mse", "mae", "rmse", "r2"):
        metric = metrics.get(name)
        metric.update(column, truth)
        assert math.isnan(metric.compute())


def test_updating_records_nothing_and_keeps_no_graph():
    p = tg.rand(4, 3, requires_grad=True).softmax(1)
    for name in ("accuracy", "f1", "mse", "r2"):
        metric = metrics.get(name)
        metric.update(p, tg.nn.functional.one_hot(tg.tensor([0, 1, 2, 0]), 3))
        assert isinstance(metric.compute(), float)
        assert not any(isinstance(value, tg.Tensor) for value in vars(metric).values())


ones = np.ones
MISTAKES = [
    (metrics.Accuracy(), ones((4, 3)), ones(3), ShapeError, r"Accuracy: targets for .* \(4, 3\) must be .*\(3,\)"),
    (metrics.Accuracy(), ones((4, 3)), ones((4, 2)), ShapeError, r"one-hot \(4, 3\), and have shape \(4, 2\)"),
    (metrics.Accuracy(), ones(4), ones(3), ShapeError, r"Accuracy: predictions \(4,\) and targets \(3,\)"),
    (metrics.Accuracy(), ones(()), ones(()), ShapeError, r"Accuracy: predictions \(\) and targets \(\)"),
    (metrics.Accuracy(), ones((2, 3, 4)), ones((2, 5)), ShapeError, r"Accuracy: predictions \(2, 3, 4\)"),
    (metrics.CategoricalAccuracy(), ones((2, 3, 4)), ones((2, 5)), ShapeError, r"must be classes \(2, 4\), or one-hot"),
    (metrics.CategoricalAccuracy(), ones((2, 1, 4)), ones((2, 4)), ShapeError, r"two classes or more.* \(2, 1, 4\)"),
    (metrics.Accuracy(), ones((2, 1, 4)), ones((2, 4)), ShapeError, r"\(2, 1, 4\) and targets \(2, 4\) must have one"),
    (metrics.Accuracy(), ones((2, 3, 4)), 3 * ones((2, 4)), IndexError, r"from 0 to 2, and one is 3"),
    (metrics.AUC(), ones((4, 3)), ones(3), ShapeError, r"AUC: targets for predictions \(4, 3\)"),
    (metrics.AUC(), ones(4), 2 * ones(4), ValueError, r"AUC: .* must be 0 or 1, and one is 2"),
    (metrics.AUC(), ones((4, 3, 2)), ones((4, 3, 2)), ValueError, r"AUC: .* one-hot rows.*EachOutput"),
    (metrics.AUC(), ones((4, 1, 2)), ones((4, 1, 2)), ShapeError, r"AUC: .*\(4, 1, 2\).*EachOutput"),
    (metrics.F1(), ones((4, 3, 2)), ones((4, 3)), ShapeError, r"F1: targets .* classes \(4, 2\), or one-hot"),
    (metrics.EachOutput("f1"), ones((2, 3)), ones((2, 2)), ShapeError, r"EachOutput: predictions \(2, 3\)"),
    (metrics.EachOutput("f1"), ones((2, 3)), 2 * ones((2, 3)), ValueError, r"F1: .* must be 0 or 1, and one is 2"),
    (metrics.Accuracy(), ones((4, 3)), np.array([0, 1, 2, 3]), IndexError, r"from 0 to 2, and one is 3"),
    (metrics.Accuracy(), ones((2, 3)), np.array([0, -100]), IndexError, r"from 0 to 2, and one is -100"),
    (metrics.Accuracy(), ones((1, 3)), np.array([0.5]), DtypeError, r"must be whole numbers.*float64"),
    (metrics.Accuracy(), ones(2), np.array([0, 2]), ValueError, r"0 or 1, and one is 2; several classes need"),
    (metrics.BinaryAccuracy(), ones(2), np.array([-1, 1]), ValueError, r"BinaryAccuracy: .* one is -1"),
    (metrics.BinaryAccuracy(), ones((4, 3)), ones(4), ShapeError, r"BinaryAccuracy: predictions \(4, 3\)"),
    (metrics.CategoricalAccuracy(), ones((4, 1)), ones(4), ShapeError, r"CategoricalAccuracy: .* \(4, 1\)"),
    (metrics.TopKAccuracy(5), ones((4, 3)), ones(4), ValueError, r"TopKAccuracy: of 3 classes 5"),
    (metrics.F1("binary"), ones((4, 3)), ones(4), ShapeError, r"F1: average='binary' is for two classes.*'macro'"),
    (metrics.Recall(), ones((4, 3)), ones(3), ShapeError, r"Recall: targets for predictions \(4, 3\)"),
    (metrics.MeanSquaredError(), ones(4), ones((4, 4)), ShapeError, r"MeanSquaredError: .*\(4,\) .*\(4, 4\)"),
    (metrics.R2(), ones((4, 2)), ones((4, 3)), ShapeError, r"R2: predictions \(4, 2\) and targets \(4, 3\)"),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "predictions", "targets", "error", "text"), MISTAKES, ids=lambda v: str(v)[:20])
def test_a_mistake_is_told_by_the_metric_that_it_was_made_with(metric, predictions, targets, error, text):
    with pytest.raises(error, match=text):
        metric.update(predictions, targets)


@pytest.mark.parametrize("name", ["accuracy", "f1", "mse", "r2"])
def test_weights_that_do_not_fit_are_told(name):
    with pytest.raises(ShapeError, match=r"one weight for each of the 3 examples, and has shape \(2,\)"):
        metrics.get(name).update(ones(3), ones(3), ones(2))


def test_predictions_that_change_their_width_are_told():
    f1, r2, auc = metrics.F1(), metrics.R2(), metrics.AUC()
    auc.update(ones((2, 3)), np.array([0, 1]))
    with pytest.raises(ShapeError, match="AUC: predictions of width 1 follow some of width 3"):
        auc.update(ones(2), ones(2))
    f1.update(ones((2, 3)), np.array([0, 1]))
    r2.update(ones((2, 3)), ones((2, 3)))
    with pytest.raises(ShapeError, match="F1: predictions of 4 classes follow some of 3"):
        f1.update(ones((2, 4)), np.array([0, 1]))
    with pytest.raises(ShapeError, match="R2: predictions of 1 outputs follow some of 3"):
        r2.update(ones(2), ones(2))


def test_settings_that_cannot_be_are_told():
    with pytest.raises(ValueError, match=r"Precision: average must be one of 'binary'.*not 'samples'"):
        metrics.Precision("samples")
    for k, error in ((0, ValueError), (2.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="k must be an int of 1 or more"):
            metrics.TopKAccuracy(k)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ("accuracy acc", metrics.Accuracy),
        ("binary_accuracy", metrics.BinaryAccuracy),
        ("categorical_accuracy sparse_categorical_accuracy", metrics.CategoricalAccuracy),
        ("top_k_categorical_accuracy sparse_top_k_categorical_accuracy top_k_accuracy", metrics.TopKAccuracy),
        ("precision", metrics.Precision),
        ("recall", metrics.Recall),
        ("f1 f1_score", metrics.F1),
        ("auc AUC roc_auc", metrics.AUC),
        ("mae mean_absolute_error MAE", metrics.MeanAbsoluteError),
        ("mse mean_squared_error MSE", metrics.MeanSquaredError),
        ("rmse root_mean_squared_error", metrics.RootMeanSquaredError),
        ("r2 r2_score", metrics.R2),
    ],
)
def test_a_metric_by_name_is_reported_under_that_name(names, kind):
    for name in names.split():
        assert type(metrics.get(name)) is kind
        assert metrics.get(name).name == name


def test_metrics_and_their_classes_are_taken_as_they_are():
    metric = metrics.TopKAccuracy(3, name="top 3")
    assert metrics.get(metric) is metric
    assert type(metrics.get(metrics.R2)) is metrics.R2
    assert metrics.get(metrics.RootMeanSquaredError).name == "root_mean_squared_error"


def test_a_function_of_a_batch_is_averaged_over_examples():
    def worst(predictions, targets):
        return abs(predictions - targets).max()

    metric = metrics.get(worst)
    assert metric.name == "worst"
    metric.update(tg.tensor([1.0, 2.0, 3.0]), tg.tensor([1.0, 2.0, 4.0]))
    metric.update(np.array([1.0]), np.array([6.0]))
    assert metric.compute() == (3 * 1.0 + 1 * 5.0) / 4
    with pytest.raises(ValueError, match="worst: it gives one number for a batch"):
        metric.update(ones(2), ones(2), ones(2))


def test_a_function_of_each_example_takes_weights():
    metric = metrics.get(lambda p, y: abs(p - y))
    metric.update(np.array([1.0, 2.0]), np.array([1.0, 4.0]), np.array([1.0, 3.0]))
    assert metric.compute() == 1.5


@pytest.mark.parametrize(
    ("name", "larger"),
    [
        ("val_accuracy", True), ("acc", True), ("val_f1_score", True), ("r2", True), ("roc_auc", True), ("F1", True),
        ("top5 accuracy", True), ("TopKAccuracy", True), ("loss", False), ("val_mae", False), ("error2", False),
        ("accumulated_error", False), ("mIoU", True), ("f1score", True), ("top5acc", True), ("AUROC", True),
        ("val_meanIoU", True), ("underscored_loss", False),
    ],
)  # fmt: skip
def test_scores_are_known_by_the_words_of_their_names(name, larger):
    assert metrics.naming.larger_is_better(name) is larger


def test_an_unknown_name_is_told_with_those_near_it():
    with pytest.raises(ValueError, match="there is no metric 'acuracy'; did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match=r"there is no metric 'xyz'\. The names are acc, accuracy"):
        metrics.get("xyz")
    with pytest.raises(TypeError, match="not int"):
        metrics.get(3)


def test_a_metric_shows_its_name_and_value():
    metric = metrics.Accuracy()
    metric.update(np.array([0.9, 0.2, 0.8]), np.array([1, 0, 0]))
    assert repr(metric) == "Accuracy(accuracy: 0.6667)"


def test_tables_and_curves_are_scikit_learns_own():
    theirs = pytest.importorskip("sklearn.metrics")
    for name in ("confusion_matrix", "classification_report", "roc_curve", "roc_auc_score"):
        assert getattr(metrics, name) is getattr(theirs, name)
    with pytest.raises(AttributeError, match="no attribute 'roc'"):
        metrics.roc  # noqa: B018
