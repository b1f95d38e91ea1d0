"""Model: a fit is the loop that one would write, whatever form the data, the labels and the loss come in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.nn import functional as F
from tensorgrad.train.ending import Ending
from tensorgrad.train.objective import Objective
from tensorgrad.train.targets import Targets
from tensorgrad.utils.data import DataLoader, TensorDataset

SPIRAL = tg.datasets.spiral(20, generator=tg.Generator().manual_seed(0))


SGD = {"optimizer": "sgd"}


def network(ending=None, seed=1):
    tg.manual_seed(seed)
    return train.mlp([2, 8, 3], "tanh", ending)


def fitted(
    module=None, loss="sparse_categorical_crossentropy", X=SPIRAL[0], y=SPIRAL[1], epochs=3, compile=None, **fit
):
    model = train.Model(network() if module is None else module)
    model.compile(**{"optimizer": "adam", "loss": loss, "learning_rate": 0.05} | (compile or {}))
    tg.manual_seed(7)
    history = model.fit(X, y, epochs=epochs, **{"batch_size": 16, "verbose": 0} | fit)
    return model, history


def weights(model):
    return [p.tolist() for p in model.module.parameters()]


def by_hand(module, X, y, loss_of=F.cross_entropy, epochs=3, batch=16, change=lambda: None, **options):
    """The loop written out; the losses of its epochs."""
    optimizer = tg.optim.Adam(module.parameters(), lr=0.05, **options)
    tg.manual_seed(7)
    losses = []
    for _ in range(epochs):
        order, total = tg.randperm(len(X)), 0.0
        for i in range(0, len(X), batch):
            at = order[i : i + batch]
            module.zero_grad()
            loss = loss_of(module(X[at]), y[at])
            loss.backward()
            change()
            optimizer.step()
            total += loss.item() * len(at)
        losses.append(total / len(X))
    return losses


def test_a_fit_is_the_loop_that_one_would_write_bit_for_bit():
    module = network()
    losses = by_hand(module, *SPIRAL)
    model, history = fitted()
    assert history["loss"] == losses
    assert weights(model) == [p.tolist() for p in module.parameters()]


def test_the_same_seed_gives_the_same_numbers():
    runs = []
    for _ in range(2):
        tg.manual_seed(3)
        runs.append(fitted(train.mlp([2, 8, 3], dropout=0.3)))
    (first, h1), (second, h2) = runs
    assert dict(h1) == dict(h2)
    assert weights(first) == weights(second)


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


class Two(nn.Module):
    """Takes two inputs."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(1, 3), nn.Linear(1, 3)

    def forward(self, a, b):
        return self.a(a) + self.b(b)


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


# What is said of layers


def test_penalties_are_added_to_the_loss_and_reported():
    module = network()
    said = {"weight_l1": 0.01, "weight_l2": 0.02, "bias_l1": 0.03, "bias_l2": 0.04}
    first = module[0]

    def penalty():
        w, b = first.weight, first.bias
        return 0.01 * w.abs().sum() + 0.02 * (w * w).sum() + 0.03 * b.abs().sum() + 0.04 * (b * b).sum()

    losses = by_hand(module, *SPIRAL, lambda x, y: F.cross_entropy(x, y) + penalty())
    model = train.Model()
    tg.manual_seed(1)
    model.add(nn.Linear(2, 8), **said)
    model.add("tanh")
    model.add(nn.Linear(8, 3))
    model.compile("adam", "categorical_crossentropy", learning_rate=0.05)
    tg.manual_seed(7)
    history = model.fit(*SPIRAL, epochs=3, batch_size=16, verbose=0)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-6)
    assert history["penalty"][-1] == pytest.approx(penalty().item(), rel=1e-5)
    plain = F.cross_entropy(model(SPIRAL[0]), SPIRAL[1]).item()
    assert model.evaluate(*SPIRAL) == pytest.approx(plain + penalty().item(), rel=1e-5)


def test_layers_have_learning_rates_of_their_own_and_can_be_frozen():
    module = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 4), nn.Linear(4, 3)).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    model = train.Model(module)
    model.configure("0", learning_rate=0.0)
    model.configure(module[1], trainable=False)
    model.compile("sgd", "cross_entropy", learning_rate=0.5)
    assert [group["lr"] for group in model.optimizer.param_groups] == [0.5, 0.0]
    model.fit(*SPIRAL, verbose=0)
    changed = {name.split(".")[0] for name, value in module.state_dict().items() if (value != before[name]).any()}
    assert changed == {"2", "3"}
    assert not module.training  # as before the fit
    model.learning_rate = 0.25
    assert [group["lr"] for group in model.optimizer.param_groups] == [0.25, 0.0]


def test_what_is_said_of_a_block_goes_for_its_layers_unless_they_were_named():
    module = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Linear(2, 3))
    model = train.Model(module)
    model.configure("0", weight_l2=1.0)
    model.configure("0.1", weight_l2=0.0)
    model.compile("sgd", "cross_entropy", learning_rate=0.0)
    history = model.fit(*SPIRAL, verbose=0)
    assert history["penalty"][0] == pytest.approx((module[0][0].weight ** 2).sum().item(), rel=1e-5)


def frozen():
    module = nn.Sequential(nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4)), nn.BatchNorm1d(4), nn.Linear(4, 3))
    model = train.Model(module)
    model.compile("sgd", "cross_entropy", learning_rate=0.5)
    return model


def learned(model):
    """The weights and statistics that a fit changes."""
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    model.fit(*SPIRAL, verbose=0)
    after = model.module.state_dict()
    wanted = [name for name in after if name.endswith(("weight", "mean"))]
    return " ".join(name for name in wanted if (after[name] != before[name]).any())


def test_the_whole_network_is_set_free_from_what_was_frozen_in_it(tmp_path, capsys):
    model = frozen()
    for name in ("0", "0.1", "1"):
        model.configure(name, trainable=False)
    assert learned(model) == "2.weight"
    model.configure(model.module, trainable=True)
    model.save(tmp_path / "model")
    for each in (train.Model.load(tmp_path / "model"), model):
        each.summary()
        assert "frozen" not in capsys.readouterr().out
        assert learned(each) == "0.0.weight 0.1.weight 0.1.running_mean 1.weight 1.running_mean 2.weight"


def test_a_layer_is_set_free_from_a_block_whose_others_stay_frozen(tmp_path, capsys):
    model = frozen()
    model.configure("0", trainable=False)
    model.configure("0.1", trainable=True)
    model.save(tmp_path / "model")
    for each in (train.Model.load(tmp_path / "model"), model):
        each.summary()
        assert capsys.readouterr().out.count("frozen") == 1
        assert learned(each) == "0.1.weight 0.1.running_mean 1.weight 1.running_mean 2.weight"


def test_a_layer_that_is_used_twice_is_added_with_what_is_said_of_it():
    model, layer = train.Model(), nn.Linear(2, 2)
    for _ in range(2):
        model.add(layer, weight_l2=1.0)
    model.compile("sgd", "mse", learning_rate=0.0)
    history = model.fit(SPIRAL[0], SPIRAL[0], verbose=0)
    assert history["penalty"] == [pytest.approx(layer.weight.square().sum().item())]


def test_layers_are_the_parts_of_the_network():
    layer, two = nn.Linear(2, 2), Two()
    parts = train.Model([layer, "relu", layer]).layers
    assert [type(part) for part in parts] == [nn.Linear, nn.ReLU, nn.Linear]
    assert parts[0] is parts[2] is layer
    assert train.Model(two).layers == [two.a, two.b]
    assert train.Model(layer).layers == [layer]
    assert train.Model().layers == []


# Compile


@pytest.mark.parametrize(("name", "option"), [("clip_norm", 0.05), ("clip_value", 0.01)])
def test_gradients_are_clipped(name, option):
    module = network()
    clip = nn.utils.clip_grad_norm_ if name == "clip_norm" else nn.utils.clip_grad_value_
    losses = by_hand(module, *SPIRAL, change=lambda: clip(module.parameters(), option))
    assert fitted(compile={name: option})[1]["loss"] == losses


@pytest.mark.parametrize("steps", [2, 4, 7])
def test_accumulated_batches_step_as_the_large_batch_does(steps):
    sgd = {"optimizer": "sgd", "learning_rate": 0.3}
    large, _ = fitted(shuffle=False, batch_size=min(9 * steps, 60), compile=sgd)
    small, _ = fitted(shuffle=False, batch_size=9, compile=sgd | {"gradient_accumulation_steps": steps})
    for p, q in zip(large.module.parameters(), small.module.parameters()):
        assert tg.allclose(p, q, atol=1e-6)


def test_decay_divides_the_learning_rate_by_the_steps_done():
    model, history = fitted(batch_size=30, compile={"decay": 0.5, "optimizer": "sgd", "learning_rate": 1.0})
    np.testing.assert_allclose(history["learning_rate"], [1 / 2, 1 / 3, 1 / 4])
    model.learning_rate = 1.0
    again = model.fit(*SPIRAL, epochs=1, batch_size=60, verbose=0)
    np.testing.assert_allclose(again["learning_rate"], [8 / 9])  # the decay goes on from what was set


@pytest.mark.parametrize(
    "name",
    """sgd gd momentum nesterov rmsprop adagrad adam adadelta adafactor adamax adamw asgd nadam radam rprop
    lbfgs""".split(),
)
def test_every_optimizer_learns_by_its_name(name):
    whole = {"batch_size": None, "epochs": 60}
    rate = {
        "learning_rate": {"adadelta": 5.0, "sgd": 0.5, "gd": 0.5, "asgd": 0.5, "rprop": 0.01, "lbfgs": 1.0}.get(
            name, 0.05
        )
    }
    _, history = fitted(compile={"optimizer": name} | rate, **whole)
    assert history["loss"][-1] < 0.9 * history["loss"][0]


def test_an_optimizer_is_a_class_a_function_or_an_object():
    expected = fitted()[1]["loss"]
    assert fitted(compile={"optimizer": tg.optim.Adam})[1]["loss"] == expected
    made = lambda params, lr: tg.optim.Adam(params, lr=lr)  # noqa: E731
    assert fitted(compile={"optimizer": made})[1]["loss"] == expected
    module = network()
    adam = tg.optim.Adam(module.parameters(), lr=0.05)
    assert fitted(module, compile={"optimizer": adam, "learning_rate": None})[1]["loss"] == expected


def test_fitting_again_goes_on():
    model, first = fitted(shuffle=False, epochs=2)
    second = model.fit(*SPIRAL, epochs=1, batch_size=16, shuffle=False, verbose=0)
    assert first["loss"] + second["loss"] == fitted(shuffle=False, epochs=3)[1]["loss"]


# Asking


def test_metrics_are_over_all_examples_and_in_the_order_that_was_asked():
    model, history = fitted(compile={"metrics": ["accuracy", "f1", lambda p, y: p.max(1)]})
    assert list(history) == ["loss", "accuracy", "f1", "<lambda>"]
    loss, accuracy, *_ = model.evaluate(*SPIRAL, batch_size=7)
    assert accuracy == model.score(*SPIRAL) == (model.predict_classes(SPIRAL[0]) == Y).mean()
    assert model.evaluate(*SPIRAL, return_dict=True)["loss"] == pytest.approx(loss)
    assert loss == pytest.approx(F.cross_entropy(model(SPIRAL[0]), SPIRAL[1]).item())


def test_r2_is_scikit_learns():
    sklearn = pytest.importorskip("sklearn.metrics")
    X, y = np.random.default_rng(0).normal(size=(2, 30, 1))
    weight = np.random.default_rng(1).uniform(size=30)
    model, _ = fitted(nn.Linear(1, 1), "mse", X, y, epochs=20)
    assert model.score(X, y) == pytest.approx(sklearn.r2_score(y, model.predict(X)), rel=1e-4, abs=1e-6)
    expected = sklearn.r2_score(y, model.predict(X), sample_weight=weight)
    assert model.score(X, y, sample_weight=weight) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_asking_leaves_the_modes_of_layers_and_draws_no_random_numbers():
    model, _ = fitted(nn.Sequential(nn.Linear(2, 4), nn.Dropout(), nn.BatchNorm1d(4).eval(), nn.Linear(4, 3)))
    model.module.train()
    model.module[2].eval()
    state = tg.get_rng_state()
    model.predict(SPIRAL[0]), model.evaluate(*SPIRAL), model.score(*SPIRAL), model.summary()
    assert [layer.training for layer in model.module] == [True, True, False, True]
    assert tg.get_rng_state() == state


def test_validation_does_not_change_the_fit():
    dropout = lambda: (tg.manual_seed(1), train.mlp([2, 8, 3], dropout=0.5))[1]  # noqa: E731
    plain, _ = fitted(dropout())
    watched, _ = fitted(dropout(), validation_data=SPIRAL)
    assert weights(plain) == weights(watched)


def test_the_summary_shows_layers_shapes_and_what_was_said(capsys):
    model = train.Model(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 3)))
    model.configure("0", trainable=False)
    model.configure("2", weight_l2=0.5)
    model.summary((1, 8, 8))
    out = capsys.readouterr().out
    assert "Conv2d   (n, 4, 6, 6)          40  frozen" in out
    assert "Linear   (n, 3)               435  weight_l2 0.5" in out
    assert "475 parameters, 435 of them learned; 1,900 bytes" in out


def test_the_summary_has_no_shapes_where_the_inputs_are_not_known(capsys):
    train.Model([nn.Conv1d(2, 3, 1), "relu"]).summary()
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert (head.split(), first.split()) == (["layer", "type", "parameters"], ["0", "Conv1d", "9"])


class Last(nn.Module):
    """The last of what a recurrent layer gives."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(2, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def test_the_summary_shows_the_first_of_several_outputs(capsys):
    train.Model(Last()).summary((5, 2))
    assert "LSTM    (n, 5, 4)         128" in capsys.readouterr().out


# Networks


def test_mlp_is_made_of_its_list():
    module = train.mlp([4, 8, 6, 2], ["relu", "tanh"], "softmax", dropout=0.5, batch_norm=True, init="he")
    kinds = [type(layer).__name__ for layer in module]
    assert kinds == "Linear BatchNorm1d ReLU Dropout Linear BatchNorm1d Tanh Dropout Linear Softmax".split()
    assert module[0].bias is None
    assert (module[8].bias == 0).all()
    shared = nn.PReLU()
    first, second = (layer for layer in train.mlp([2, 2, 2, 2], shared) if isinstance(layer, nn.PReLU))
    assert first is not second


@pytest.mark.parametrize(
    ("scheme", "std"), [("he", (2 / 400) ** 0.5), ("xavier", (2 / 700) ** 0.5), ("normal", 0.01), ("zeros", 0)]
)
def test_schemes_draw_with_their_spread(scheme, std):
    tg.manual_seed(0)
    layer = train.initialize(nn.Linear(400, 300), scheme)
    assert layer.weight.std().item() == pytest.approx(std, rel=0.02)
    assert (layer.bias == 0).all()


def test_normalisation_and_padding_keep_what_they_have():
    for layer in (nn.LayerNorm((2, 3)), nn.BatchNorm1d(3), nn.RMSNorm((2, 3)), nn.GroupNorm(1, 3)):
        before = [p.tolist() for p in layer.parameters()]
        train.initialize(layer, "he")
        assert [p.tolist() for p in layer.parameters()] == before
    row = train.initialize(nn.Embedding(3, 4, padding_idx=1), "normal").weight.abs().sum(1) > 0
    assert row.tolist() == [True, False, True]


def test_a_parametrized_weight_is_drawn_as_a_whole():
    tg.manual_seed(0)
    for parametrization in (nn.utils.parametrizations.weight_norm, lambda layer: layer):
        layer = train.initialize(parametrization(nn.Linear(400, 300)), "he")
        assert layer.weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
        assert layer.weight.norm(dim=1).std().item() == pytest.approx((1 / 400) ** 0.5, rel=0.2)
        assert (layer.bias == 0).all()


def test_arrays_are_lists_of_dropouts():
    drops = [
        layer.p for layer in train.mlp([2, 3, 4, 1], dropout=np.array([0.1, 0.2])) if isinstance(layer, nn.Dropout)
    ]
    assert drops == [0.1, 0.2]
    assert train.mlp(np.array([2, 3, 1]), dropout=np.float64(0.5))[2].p == 0.5


def test_layers_that_work_in_place_leave_the_data_as_they_are():
    X = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    before = X.copy()
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(0.5, inplace=True), nn.Linear(2, 2), nn.ReLU(inplace=True))
    model, _ = fitted(module, X=X, y=[0, 1] * 4, batch_size=None)
    model.predict(X), model.evaluate(X, [0, 1] * 4)
    assert (before == X).all()


def test_batch_norm_never_meets_a_single_example():
    fitted(nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)), batch_size=59)


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


def test_scores_of_several_yes_or_no_count_each_output():
    theirs = pytest.importorskip("sklearn.metrics")
    X = tg.randn(30, 4, generator=tg.Generator().manual_seed(0))
    y = (X[:, :3] > 0).float()
    names = ["precision", "recall", "f1", "accuracy", "auc"]
    model, _ = fitted(nn.Linear(4, 3), "bce", X, y, epochs=9, compile={"metrics": names})
    found, decided = model.evaluate(X, y, return_dict=True), model.predict_classes(X)
    for name in ("precision", "recall", "f1"):
        expected = getattr(theirs, f"{name}_score")(y.numpy(), decided, average="micro")
        assert found[name] == pytest.approx(expected)
    assert found["accuracy"] == pytest.approx((decided == y.numpy()).mean())
    assert found["auc"] == pytest.approx(theirs.roc_auc_score(y.numpy(), model.predict(X), average="micro"))


def test_threads_evaluate_one_model_at_once():
    model, _ = fitted(train.mlp([2, 64, 3], output="softmax", dropout=0.5), compile={"metrics": ["accuracy"]})
    expected = model.evaluate(*SPIRAL, batch_size=2)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: model.evaluate(*SPIRAL, batch_size=2), range(40)))
        assert found == [expected] * 40
        module, ending = model.module, Ending(model.module.eval(), SPIRAL[0])
        with ending.watching():
            output = module(SPIRAL[0])
            pool.submit(lambda: module(SPIRAL[0][:3])).result()  # between a forward and its loss
            assert ending.logits(output).shape == (60, 3)


@pytest.mark.parametrize("loss", [nn.functional.mse_loss, lambda output, target: ((output - target) ** 2).mean()])
def test_a_loss_function_meets_targets_of_the_outputs_shape(loss):
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    y = X @ [1.0, 2.0, 3.0]
    tg.manual_seed(1)
    expected = fitted(nn.Linear(3, 1), "mse", X, y)[1]["loss"]
    tg.manual_seed(1)
    np.testing.assert_allclose(fitted(nn.Linear(3, 1), loss, X, y)[1]["loss"], expected, rtol=1e-6)


def test_the_functions_of_classes_are_known_as_such():
    model, history = fitted(loss=F.cross_entropy, y=FORMS["strings"])
    assert history["loss"] == fitted()[1]["loss"]
    assert set(model.predict_classes(SPIRAL[0])) <= {"a", "b", "c"}


def test_a_softmax_of_a_softmax_is_warned_of():
    with pytest.warns(UserWarning, match="ends in a softmax of what is a softmax already"):
        fitted(nn.Sequential(network("softmax"), nn.Softmax(1)))


def test_validation_of_one_class_only_is_warned_of():
    with pytest.warns(UserWarning, match="y is sorted"):
        fitted(validation_split=0.2)


def test_names_of_activations_stand_among_layers():
    assert repr(train.Model([nn.Linear(2, 3), "relu"]).module[1]) == "ReLU()"
    assert repr(train.activation(nn.ReLU)) == "ReLU()"
    assert repr(train.mlp([2, 3, 1], nn.Tanh)[1]) == "Tanh()"
