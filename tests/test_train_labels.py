"""Model takes data, labels, losses and weights of any form, and gives the same fit."""

from __future__ import annotations

import numpy as np
import pytest
from train_cases import SGD, SPIRAL, Two, by_hand, fitted, network

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.nn import functional as F
from tensorgrad.train.objective import Objective
from tensorgrad.train.targets import Targets
from tensorgrad.utils.data import DataLoader, TensorDataset

# Endings, losses and labels

Y = SPIRAL[1].numpy()
FORMS = {
    "tensor": SPIRAL[1],
    "array": Y,
    "int8": Y.astype(np.int8),
    "floats": Y.astype(np.float64),
    "column": Y[:, None],
    "list": Y.tolist(),
    "one-hot": np.eye(3)[Y],
    "one-hot integers": np.eye(3, dtype=int)[Y],
    "strings": np.array(["a", "b", "c"])[Y],
    "objects": np.array(["a", "b", "c"], object)[Y],
    "objects that are numbers": Y.astype(object),
}


@pytest.mark.parametrize("name", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize("form", FORMS)
def test_labels_of_any_form_give_the_same_fit(form, name):
    reference, losses = fitted()
    model, history = fitted(loss=name, y=FORMS[form])
    assert history["loss"] == losses["loss"]
    expected = reference.predict_classes(SPIRAL[0])
    labels = np.array(["a", "b", "c"]) if form in ("strings", "objects") else np.arange(3)
    assert (model.predict_classes(SPIRAL[0]) == labels[expected]).all()
    assert (model.classes_ == labels).all()
    assert model.score(SPIRAL[0], FORMS[form]) == reference.score(*SPIRAL)


def test_data_frames_and_series_with_strings():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(SPIRAL[0].numpy(), columns=["x", "y"])
    labels = pandas.Series(["left", "right", "up"]).take(Y).reset_index(drop=True)
    model, history = fitted(X=frame, y=labels)
    assert history["loss"] == fitted()[1]["loss"]
    assert set(model.predict_classes(frame)) <= {"left", "right", "up"}
    with pytest.raises(ValueError, match="has learned from x, y"):
        model.predict(frame[["y", "x"]])
    with pytest.raises(TypeError, match="column 'y' holds 'much' in row 0"):
        fitted(X=frame.assign(y="much"), y=labels)


class Own(nn.Module):
    """Ends in a function, which only the graph tells."""

    def __init__(self, end):
        super().__init__()
        self.trunk, self.end = network(), end

    def forward(self, x):
        return self.end(self.trunk(x))


@pytest.mark.parametrize("loss", ["categorical_crossentropy", nn.CrossEntropyLoss(), nn.NLLLoss()], ids=str)
@pytest.mark.parametrize("end", ["softmax", "log_softmax", None, "function"])
def test_logits_and_probabilities_at_the_end_learn_alike_and_predict_probabilities(end, loss):
    module = Own(lambda x: x.softmax(1)) if end == "function" else network(end)
    model, history = fitted(module, loss)
    np.testing.assert_allclose(history["loss"], fitted()[1]["loss"], rtol=1e-5)
    probabilities = model.predict(SPIRAL[0])
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(probabilities, fitted()[0].predict(SPIRAL[0]), rtol=1e-3)


@pytest.mark.parametrize("loss", ["binary_crossentropy", nn.BCELoss(), nn.BCEWithLogitsLoss()], ids=str)
@pytest.mark.parametrize("end", ["sigmoid", None, "function"])
def test_binary_endings_learn_alike(end, loss):
    X, y = tg.datasets.moons(40, generator=tg.Generator().manual_seed(0))

    def module(end):
        tg.manual_seed(1)
        if end == "function":
            own = Own(lambda x: x.sigmoid())
            tg.manual_seed(1)
            own.trunk = train.mlp([2, 8, 1])
            return own
        return train.mlp([2, 8, 1], "relu", end)

    _, expected = fitted(module(None), "binary_crossentropy", X, y)
    model, history = fitted(module(end), loss, X, y)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
    p = model.predict(X)
    assert p.shape == (40, 1)
    assert ((p >= 0) & (p <= 1)).all()
    assert model.predict_proba(X).shape == (40, 2)
    assert (model.predict_classes(X) == (p[:, 0] > 0.5)).all()


@pytest.mark.parametrize(
    "y",
    [
        lambda y: y,
        lambda y: y[:, None],
        lambda y: y.astype(bool),
        lambda y: np.eye(2)[y],
        lambda y: np.array(["no", "yes"])[y],
    ],
)
def test_binary_labels_of_any_form(y):
    X, labels = tg.datasets.moons(40, generator=tg.Generator().manual_seed(0))
    tg.manual_seed(1)
    model, history = fitted(train.mlp([2, 8, 1]), "binary_crossentropy", X, y(labels.numpy()))
    tg.manual_seed(1)
    assert history["loss"] == fitted(train.mlp([2, 8, 1]), "bce", X, labels)[1]["loss"]
    assert len(model.classes_) == 2


def test_a_sure_mistake_through_a_softmax_layer_keeps_its_gradient():
    module = nn.Sequential(nn.Linear(1, 2), nn.Softmax(1))
    module[0].weight.data = tg.tensor([[300.0], [-300.0]])
    _, history = fitted(module, X=np.ones((4, 1)), y=[1, 1, 1, 0], epochs=1, batch_size=None, compile=SGD)
    assert history["loss"][0] > 400
    assert (module[0].weight.detach() != tg.tensor([[300.0], [-300.0]])).all()


def test_several_yes_or_no_at_once():
    X = tg.randn(30, 4, generator=tg.Generator().manual_seed(0))
    y = (X[:, :3] > 0).float()
    model, _ = fitted(nn.Linear(4, 3), "binary_crossentropy", X, y, epochs=60, compile={"metrics": ["accuracy"]})
    assert model.predict(X).shape == (30, 3)
    assert model.score(X, y) > 0.9
    assert (model.predict_classes(X) == y.numpy()).mean() > 0.9


def test_probabilities_as_labels():
    soft = np.full((60, 3), 0.1)
    soft[np.arange(60), Y] = 0.8
    module = network()
    losses = by_hand(module, SPIRAL[0], tg.tensor(soft, dtype=tg.float32))
    assert fitted(y=soft)[1]["loss"] == losses


@pytest.mark.parametrize(
    "loss", ["mse", "mae", "huber", "log_cosh", nn.SmoothL1Loss(), lambda a, b: ((a - b) ** 4).mean()]
)
def test_values_are_learned_in_columns_or_not(loss):
    X = np.linspace(-1, 1, 32)[:, None]
    y = X[:, 0] * 2 + 1
    model, flat = fitted(nn.Linear(1, 1), loss, X, y[:, None] if callable(loss) else y, epochs=150)
    assert flat["loss"][-1] < 0.1 * flat["loss"][0]
    assert model.predict(X).shape == (32, 1)
    assert model.score(X, y[:, None] if callable(loss) else y) > 0.9


def test_log_cosh_is_what_its_name_says():
    x = tg.tensor([-3.0, 0.0, 0.5, 50.0])
    loss = Objective("log_cosh")
    np.testing.assert_allclose(loss(x[:3], tg.zeros(3)).item(), np.log(np.cosh(x[:3].numpy())).mean(), rtol=1e-5)
    assert loss(x, tg.zeros(4)).isfinite()


def test_two_outputs_of_values():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = X @ np.array([[1.0, 2], [0, 1], [-1, 0]])
    model, _ = fitted(nn.Linear(3, 2), "mse", X, y, epochs=200)
    assert model.score(X, y) > 0.99


# What data may be


def test_arrays_tensors_sets_and_loaders_give_the_same_fit():
    X, y = SPIRAL
    expected = fitted(shuffle=False)[1]["loss"]
    data = TensorDataset(X, y)
    for given in (X.numpy(), X.numpy().astype(np.float64), X.tolist()):
        assert fitted(X=given, shuffle=False)[1]["loss"] == expected
    for given in (DataLoader(data, batch_size=16), data, Batches(X, y)):
        assert fitted(X=given, y=None, shuffle=False)[1]["loss"] == expected


class Batches:
    """Anything that gives batches anew at each round."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __iter__(self):
        for i in range(0, len(self.X), 16):
            yield self.X[i : i + 16].numpy(), self.y[i : i + 16].numpy()


def test_a_loader_is_evaluated_and_predicted_for():
    model, _ = fitted(compile={"metrics": ["accuracy"]})
    loader = DataLoader(TensorDataset(*SPIRAL), batch_size=7)
    np.testing.assert_allclose(model.evaluate(loader), model.evaluate(*SPIRAL), rtol=1e-5)
    assert model.score(loader) == model.score(*SPIRAL)
    np.testing.assert_allclose(model.predict(loader), model.predict(SPIRAL[0]), rtol=1e-5)


def test_integers_become_numbers_and_stay_indices_for_an_embedding():
    X = np.arange(60).reshape(30, 2) % 5
    y = (X.sum(1) > 4).astype(int)
    fitted(nn.Linear(2, 2), X=X, y=y)
    fitted(nn.Linear(2, 2), X=X.astype(np.uint8), y=y)
    fitted(nn.Linear(2, 2), X=X > 2, y=y)
    fitted(nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 2)), X=X, y=y)


def test_a_tuple_of_arrays_is_for_a_network_of_several_inputs():
    X, y = SPIRAL
    model, _ = fitted(Two(), X=(X[:, :1], X[:, 1:].numpy()), y=y)
    assert model.predict((X[:, :1], X[:, 1:])).shape == (60, 3)
    model, _ = fitted(train.mlp([2, 4, 1]), "bce", ((0, 0), (0, 1), (1, 0), (1, 1)), (0, 1, 1, 0), batch_size=None)
    assert model.predict([(0, 0)]).shape == (1, 1)


def test_a_network_of_float64_computes_in_it():
    model, _ = fitted(network().double())
    assert model.predict(SPIRAL[0].numpy()).dtype == np.float64


def test_validation_split_takes_the_last_examples():
    X, y = (t[tg.randperm(60, generator=tg.Generator().manual_seed(0))] for t in SPIRAL)
    _, split = fitted(X=X, y=y, validation_split=0.25)
    _, given = fitted(X=X[:45], y=y[:45], validation_data=(X[45:], y[45:]))
    assert dict(split) == dict(given)
    assert set(split) == {"loss", "val_loss"}


def test_the_functions_of_classes_are_known_as_such():
    model, history = fitted(loss=F.cross_entropy, y=FORMS["strings"])
    assert history["loss"] == fitted()[1]["loss"]
    assert set(model.predict_classes(SPIRAL[0])) <= {"a", "b", "c"}


def test_pictures_are_learned_as_targets():
    X = np.random.default_rng(0).random((8, 1, 6, 6)).astype(np.float32)
    for channels in (1, 2):
        images = X.repeat(channels, 1)
        model, history = fitted(
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.Sigmoid()),
            "bce",
            images,
            images,
            batch_size=4,
        )
        assert history["loss"][-1] < history["loss"][0]
        assert model.predict(images).shape == images.shape


def test_layers_that_work_in_place_leave_the_data_as_they_are():
    X = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    before = X.copy()
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(0.5, inplace=True), nn.Linear(2, 2), nn.ReLU(inplace=True))
    model, _ = fitted(module, X=X, y=[0, 1] * 4, batch_size=None)
    model.predict(X), model.evaluate(X, [0, 1] * 4)
    assert (before == X).all()


@pytest.mark.parametrize("loss", [nn.functional.mse_loss, lambda output, target: ((output - target) ** 2).mean()])
def test_a_loss_function_meets_targets_of_the_outputs_shape(loss):
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    y = X @ [1.0, 2.0, 3.0]
    tg.manual_seed(1)
    expected = fitted(nn.Linear(3, 1), "mse", X, y)[1]["loss"]
    tg.manual_seed(1)
    np.testing.assert_allclose(fitted(nn.Linear(3, 1), loss, X, y)[1]["loss"], expected, rtol=1e-6)


# Weights of examples


def test_a_weight_of_two_is_an_example_twice():
    X, y = SPIRAL[0][:6], SPIRAL[1][[0, 1, 20, 21, 40, 41]]
    weight = np.array([1, 2, 1, 2, 1, 2.0])
    twice = np.repeat(np.arange(6), weight.astype(int))
    sgd = {"optimizer": "sgd", "learning_rate": 0.1}
    a, _ = fitted(X=X, y=y, sample_weight=weight, batch_size=None, compile=sgd)
    b, _ = fitted(X=X[twice], y=y[twice], batch_size=None, compile=sgd | {"learning_rate": 0.15})
    for p, q in zip(a.module.parameters(), b.module.parameters()):
        assert tg.allclose(p, q, atol=1e-6)


def test_weights_of_classes_are_those_of_their_examples():
    X, y = SPIRAL
    factors = {"a": 1.0, "b": 3.0, "c": 0.5}
    names = np.array(["a", "b", "c"])[Y]
    expected = fitted(X=X, y=names, sample_weight=[factors[name] for name in names])[1]["loss"]
    assert fitted(X=X, y=names, class_weight=factors)[1]["loss"] == expected
    balanced = {"a": 1.0, "b": 1.0, "c": 1.0}
    np.testing.assert_allclose(
        fitted(X=X, y=names, class_weight="balanced")[1]["loss"], fitted(X=X, y=names, class_weight=balanced)[1]["loss"]
    )
    loader = DataLoader(TensorDataset(X, y, tg.tensor([list(factors.values())[i] for i in Y])), batch_size=16)
    np.testing.assert_allclose(
        fitted(X=loader, y=None)[1]["loss"],
        fitted(X=X, y=y, class_weight={0: 1.0, 1: 3.0, 2: 0.5}, shuffle=False)[1]["loss"],
        rtol=1e-6,
    )


def test_the_balance_is_among_the_classes_that_are_there():
    targets = Targets("categorical", (3,), np.float64)
    with np.errstate(divide="raise"):
        found = targets.weights(np.array([0, 2, 2, 2]), "balanced", None)
    np.testing.assert_allclose(found, [2, 2 / 3, 2 / 3, 2 / 3])


OUTPUT = tg.randn(6, 3, generator=tg.Generator().manual_seed(0))
BY_CLASS = tg.tensor([1.0, 5.0, 2.0])


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        ("mse", OUTPUT - 1),
        (nn.MSELoss(reduction="sum"), OUTPUT - 1),
        (nn.BCEWithLogitsLoss(weight=BY_CLASS), (OUTPUT > 0).float()),
        (nn.BCELoss(weight=BY_CLASS), (OUTPUT > 0).float()),
        (nn.CrossEntropyLoss(weight=BY_CLASS), tg.tensor([0, 1, 2, 1, 0, 1])),
        (nn.CrossEntropyLoss(weight=BY_CLASS, label_smoothing=0.1), tg.tensor([0, 1, 2, 1, 0, 1])),
        (nn.CrossEntropyLoss(weight=BY_CLASS), OUTPUT.softmax(1)),
        (nn.NLLLoss(ignore_index=1), tg.tensor([0, 1, 2, 1, 0, 1])),
        (nn.CrossEntropyLoss(), tg.tensor([0, -100, 2, 1, -100, 1])),
    ],
    ids=lambda value: str(value)[:20],
)
def test_weights_of_one_are_no_weights(loss, target):
    loss = Objective(loss)
    assert loss(OUTPUT, target, tg.ones(6)).item() == pytest.approx(loss(OUTPUT, target).item(), rel=1e-6)


def test_weights_of_one_are_no_weights_of_a_sum_over_accumulated_batches():
    y = np.random.default_rng(0).normal(size=(60, 3))
    sums = {"optimizer": "sgd", "learning_rate": 1e-3, "gradient_accumulation_steps": 2}
    (a, plain), (b, weighted) = (
        fitted(loss=nn.MSELoss(reduction="sum"), y=y, compile=sums, sample_weight=w) for w in (None, np.ones(60))
    )
    np.testing.assert_allclose(weighted["loss"], plain["loss"], rtol=1e-6)
    for p, q in zip(a.module.parameters(), b.module.parameters()):
        assert tg.allclose(p, q, atol=1e-6)


def test_an_example_of_several_outputs_has_one_weight():
    weight = tg.tensor([1.0, 2.0, 0.0, 1.0, 0.5, 3.0])
    found = Objective("mse")(OUTPUT, OUTPUT * 0, weight)
    assert found.item() == pytest.approx((OUTPUT.square().mean(1) * weight).mean().item())


def test_weights_of_outputs_are_those_of_their_losses():
    target = (OUTPUT > 0).float()
    expected = F.binary_cross_entropy_with_logits(OUTPUT, target, weight=BY_CLASS).item()
    assert Objective(nn.BCELoss(weight=BY_CLASS))(OUTPUT, target).item() == expected


# Labels that are left out


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(ignore_index=-1), nn.NLLLoss(ignore_index=-1)], ids=str)
@pytest.mark.parametrize("weight", [None, "balanced", {0: 1.0, 1: 2.0, 2: 3.0}], ids=str)
def test_an_example_whose_label_is_ignored_is_as_if_it_were_not_there(loss, weight):
    y, kept = np.where(np.arange(60) % 4, Y, -1), np.arange(60) % 4 > 0
    said = {"optimizer": "sgd", "metrics": ["accuracy", "f1"]}
    whole = {"batch_size": None, "class_weight": weight, "compile": said}
    model, history = fitted(loss=loss, y=y, **whole)
    other, expected = fitted(loss=loss, X=SPIRAL[0][kept], y=y[kept], **whole)
    for name in ("loss", "accuracy", "f1"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-5)
    weights = np.arange(60.0)
    for w in (None, weights):
        found = other.score(SPIRAL[0][kept], y[kept], sample_weight=None if w is None else w[kept])
        assert model.score(SPIRAL[0], y, sample_weight=w) == pytest.approx(found)
    assert (model.classes_ == np.arange(3)).all()


def test_places_whose_label_is_ignored_are_left_out_one_by_one():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 2, 4)).astype(np.float32), rng.integers(0, 3, (6, 4))
    y[:, 0], y[5] = 255, 255
    module = nn.Conv1d(2, 3, 1)
    expected = F.cross_entropy(module(tg.tensor(X)), tg.tensor(y), ignore_index=255).item()
    model, history = fitted(
        module,
        nn.CrossEntropyLoss(ignore_index=255),
        X,
        y,
        epochs=1,
        batch_size=None,
        compile={"metrics": ["accuracy", "f1"]},
        validation_data=(X, y),
    )
    assert history["loss"] == [pytest.approx(expected)]
    right = (model.predict(X).argmax(1) == y)[y != 255].mean()
    assert model.score(X, y) == model.evaluate(X, y, batch_size=4)[1] == history["val_accuracy"][0] == right
    by_example = np.array([1.0, 2, 3, 4, 5, 6])
    weights = np.broadcast_to(by_example[:, None], y.shape)[y != 255]
    expected = np.average((model.predict(X).argmax(1) == y)[y != 255], weights=weights)
    assert model.score(X, y, sample_weight=by_example) == pytest.approx(expected)


def test_an_ignored_label_may_be_among_the_last_only():
    y = np.where(np.arange(60) < 50, np.arange(60) % 3, -100)
    assert "val_loss" in fitted(loss=nn.CrossEntropyLoss(), y=y, validation_split=0.25)[1]


def test_a_loader_of_other_numbers_is_converted_as_arrays_are():
    X, y = SPIRAL
    expected = fitted(shuffle=False)[1]["loss"]
    loader = DataLoader(TensorDataset(X.double(), y), batch_size=16)
    assert fitted(X=loader, y=None)[1]["loss"] == expected


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), F.cross_entropy, nn.CrossEntropyLoss(weight=BY_CLASS)])
def test_the_loss_over_batches_is_that_of_all_examples_at_once(loss):
    y = SPIRAL[1].clone()
    y[:8] = y[20:25] = -100
    model, _ = fitted(loss=loss, y=y, epochs=1)
    expected = loss(model(SPIRAL[0]), y).item()
    for size in (None, 8, 7):
        assert model.evaluate(SPIRAL[0], y, batch_size=size) == pytest.approx(expected, rel=1e-5)
    history = model.fit(SPIRAL[0], y, batch_size=8, shuffle=False, verbose=0)
    assert np.isfinite(history["loss"]).all()
