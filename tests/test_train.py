"""Model: a fit is the loop that one would write; what compile says of it, and what a model is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from train_cases import SPIRAL, by_hand, fitted, network, weights

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.nn import functional as F
from tensorgrad.train.ending import Ending


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
    assert accuracy == model.score(*SPIRAL) == (model.predict_classes(SPIRAL[0]) == SPIRAL[1].numpy()).mean()
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


def test_batch_norm_never_meets_a_single_example():
    fitted(nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)), batch_size=59)


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
