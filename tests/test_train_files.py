"""Files of models: what was saved comes back, from any network that can be described; nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.errors import FileFormatError
from tensorgrad.train.architecture import NotDescribed, build, describe

X, Y = tg.datasets.spiral(20, generator=tg.Generator().manual_seed(0))
NAMES = np.array(["left", "right", "up"])[Y.numpy()]


def fitted(y=Y, **options):
    tg.manual_seed(1)
    model = train.Model()
    model.add(nn.Linear(2, 8), weight_l2=1e-3, learning_rate=0.01)
    model.add(nn.BatchNorm1d(8), trainable=False)
    model.add("relu")
    model.add(nn.Linear(8, 3))
    model.compile(**{"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["accuracy", "f1"]} | options)
    tg.manual_seed(7)
    model.fit(X, y, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "momentum", "learning_rate": 0.1, "decay": 1e-3, "clip_norm": 1.0, "nesterov": True},
        {"optimizer": tg.optim.RMSprop, "alpha": 0.9, "gradient_accumulation_steps": 2},
        {"loss": nn.CrossEntropyLoss(label_smoothing=0.1)},
    ],
)
def test_a_model_comes_back_and_goes_on_as_if_it_had_never_been_away(tmp_path, options):
    model = fitted(NAMES, **options)
    model.save(tmp_path / "model.safetensors")
    again = train.Model.load(tmp_path / "model.safetensors")
    assert repr(again) == repr(model)
    assert (train.Model.load(tmp_path / "model.safetensors").predict_classes(X) == model.predict_classes(X)).all()
    assert (again.predict(X) == model.predict(X)).all()
    assert again.classes_.tolist() == ["left", "right", "up"]
    assert again.evaluate(X, NAMES, return_dict=True) == model.evaluate(X, NAMES, return_dict=True)
    assert dict(again.history) == dict(model.history)
    more = []
    for each in (model, again):
        tg.manual_seed(3)
        more.append(dict(each.fit(X, NAMES, epochs=2, verbose=0)))
    assert more[0] == more[1]
    assert (again.predict(X) == model.predict(X)).all()


def test_saving_what_was_loaded_loses_nothing(tmp_path):
    fitted().save(tmp_path / "a")
    train.Model.load(tmp_path / "a").save(tmp_path / "b")
    assert tg.load(tmp_path / "a").keys() == tg.load(tmp_path / "b").keys()
    assert (tmp_path / "a").stat().st_size == (tmp_path / "b").stat().st_size
    fitted().save(tmp_path / "c", include_optimizer=False)
    assert (tmp_path / "c").stat().st_size < (tmp_path / "a").stat().st_size


class Own(nn.Module):
    """A network of a class that no file can build."""

    def __init__(self, width=4):
        super().__init__()
        self.a, self.b = nn.Linear(2, width), nn.Linear(width, 3)

    def forward(self, x):
        return self.b(self.a(x).tanh())


def test_a_network_of_ones_own_is_asked_for(tmp_path):
    model = train.Model(Own())
    model.compile("adam", "categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "own")
    with pytest.raises(ValueError, match=r"a Own \(Own is not a layer of tensorgrad.nn\); make it and give it"):
        train.Model.load(tmp_path / "own")
    assert (train.Model.load(tmp_path / "own", Own()).predict(X) == model.predict(X)).all()
    with pytest.raises(RuntimeError, match=r"a.weight has shape \(4, 2\), and the model's has \(5, 2\)"):
        train.Model.load(tmp_path / "own", Own(5))


def test_a_loss_of_ones_own_leaves_a_model_that_predicts(tmp_path):
    model = fitted(loss=lambda output, target: nn.functional.cross_entropy(output, target), metrics=())
    model.save(tmp_path / "model")
    again = train.Model.load(tmp_path / "model")
    assert (again.predict(X) == model.predict(X)).all()
    with pytest.raises(RuntimeError, match="not compiled"):
        again.fit(X, Y)


def test_other_files_are_told_from_models(tmp_path):
    tg.save(nn.Linear(2, 3).state_dict(), tmp_path / "weights")
    with pytest.raises(FileFormatError, match=r"module.load_state_dict\(tensorgrad.load"):
        train.Model.load(tmp_path / "weights")
    (tmp_path / "text").write_text("hello, world")
    with pytest.raises(FileFormatError, match="text"):
        train.Model.load(tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        train.Model.load(tmp_path / "none")
    model = fitted()
    model.save(tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    (tmp_path / "half").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match="damaged"):
        train.Model.load(tmp_path / "half")


def test_a_model_that_cannot_be_written_is_still_there(tmp_path):
    model = fitted()
    with pytest.raises(OSError, match="none"):
        model.save(tmp_path / "none" / "model")
    assert model.score(X, Y) > 0.2


LAYERS = [
    nn.Linear(2, 3),
    nn.Linear(2, 3, bias=False, dtype=tg.float64),
    nn.Bilinear(2, 3, 4),
    nn.Conv2d(4, 4, 3, padding="same", padding_mode="reflect", groups=2),
    nn.ConvTranspose2d(2, 3, (3, 5), stride=2, output_padding=1, dilation=2),
    nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True, dropout=0.1, proj_size=2),
    nn.GRU(3, 4, bias=False),
    nn.RNN(3, 4, nonlinearity="relu"),
    nn.LSTMCell(2, 3),
    nn.RNNCell(2, 3, nonlinearity="relu"),
    nn.BatchNorm2d(3, affine=False),
    nn.BatchNorm1d(3, momentum=None, track_running_stats=False),
    nn.LayerNorm((3, 4), bias=False),
    nn.GroupNorm(2, 4),
    nn.RMSNorm(3),
    nn.Embedding(3, 4, padding_idx=0),
    nn.EmbeddingBag(3, 4, mode="sum"),
    nn.Dropout(0.3),
    nn.PReLU(3),
    nn.LeakyReLU(0.2),
    nn.GELU("tanh"),
    nn.Flatten(),
    nn.Unflatten(1, (2, 3)),
    nn.Softmax(1),
    nn.MaxPool2d(2, ceil_mode=True),
    nn.AdaptiveAvgPool2d((1, None)),
    nn.Upsample(scale_factor=2, mode="bilinear"),
    nn.ZeroPad2d((1, 2, 3, 4)),
    nn.Identity(),
    nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Dropout())),
    nn.ModuleList([nn.Linear(1, 2)]),
    nn.ModuleDict({"a": nn.Linear(1, 2)}),
    nn.HuberLoss(delta=2.0),
    nn.CrossEntropyLoss(label_smoothing=0.1),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_layers_are_built_again_from_their_description(layer, tmp_path):
    description = describe(layer)
    tg.save(description, tmp_path / "description")
    again = build(tg.load(tmp_path / "description"))
    assert type(again) is type(layer)
    assert repr(again) == repr(layer)
    again.load_state_dict(layer.state_dict())


def test_layers_that_their_attributes_do_not_tell_are_not_described():
    for layer, text in (
        (Own(), "Own is not a layer of tensorgrad.nn"),
        (nn.Sequential(nn.Linear(1, 1), Own()), "Own is not"),
        (nn.CrossEntropyLoss(weight=tg.ones(3)), "does not keep its argument 'weight' as plain data"),
        (nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), None),
    ):
        with pytest.raises(NotDescribed, match=text):
            describe(layer)
    with pytest.raises(ValueError, match="no layer 'Lineer'"):
        build({"class": "Lineer", "arguments": {}})
    with pytest.raises(ValueError, match="no layer 'functional'"):
        build({"class": "functional", "arguments": {}})
    with pytest.raises(ValueError, match="not the description"):
        build({"a": 1})


def test_optimizer_objects_come_back_or_are_told_to_be_missing(tmp_path):
    for kind in (tg.optim.AdamW, tg.optim.Adam, tg.optim.SGD, tg.optim.RMSprop, tg.optim.NAdam):
        module = train.mlp([2, 4, 3])
        model = train.Model(module)
        model.compile(kind(module.parameters(), lr=0.1), "categorical_crossentropy")
        model.fit(X, Y, verbose=0)
        model.save(tmp_path / "model")
        train.Model.load(tmp_path / "model").fit(X, Y, verbose=0)
    groups = [{"params": list(module[0].parameters())}, {"params": list(module[2].parameters()), "lr": 0.01}]
    model.compile(tg.optim.Adam(groups), "categorical_crossentropy")
    model.save(tmp_path / "model")
    with pytest.raises(RuntimeError, match="not compiled"):
        train.Model.load(tmp_path / "model").fit(X, Y, verbose=0)


@pytest.mark.parametrize("y", [Y, NAMES], ids=["numbers", "strings"])
def test_the_labels_are_known_before_the_next_fit(tmp_path, y):
    model = fitted(y)
    model.save(tmp_path / "model")
    labels = model.classes_.tolist()
    assert labels == sorted(set(y.tolist()))
    again = train.Model.load(tmp_path / "model")
    assert again.classes_.tolist() == labels
    for change in (
        lambda: again.configure("0", weight_l2=0.1),
        lambda: again.compile("sgd", "categorical_crossentropy"),
        lambda: again.add("softmax"),
    ):
        change()
        assert again.classes_.tolist() == labels


def test_describing_a_network_draws_no_random_numbers():
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    state = tg.get_rng_state()
    describe(network)
    assert tg.get_rng_state() == state


def test_frozen_parameters_come_back_frozen(tmp_path):
    model = train.Model(train.mlp([2, 4, 3], batch_norm=True))
    model.configure("1", trainable=False)
    model.configure(model.module, weight_l2=1e-3)
    model.module[3].bias.requires_grad_(False)
    model.compile("adam", "categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model")
    again = train.Model.load(tmp_path / "model")
    learned = [[name for name, p in m.module.named_parameters() if p.requires_grad] for m in (model, again)]
    assert learned[0] == learned[1] == ["0.weight", "3.weight"]
    again.module.train()
    statistics = again.module[1].running_mean.tolist()
    again.fit(X, Y, verbose=0)
    assert again.module[1].running_mean.tolist() == statistics


def test_layers_that_are_used_twice_are_not_described_as_two():
    layer = nn.Linear(3, 3)
    with pytest.raises(NotDescribed):
        describe(nn.Sequential(layer, nn.ReLU(), layer))


def test_a_loaded_network_can_be_changed_and_fitted(tmp_path):
    fitted().save(tmp_path / "model.safetensors")
    again = train.Model.load(tmp_path / "model.safetensors")
    again.configure("0", trainable=False)
    before = again.layers[0].weight.tolist()
    again.fit(X, Y, verbose=0)
    assert again.layers[0].weight.tolist() == before
    named = fitted(NAMES)
    named.add(nn.Linear(3, 4))
    named.fit(X, np.where(np.arange(len(X)) == 0, "down", NAMES), verbose=0)
    assert named.classes_.tolist() == ["down", "left", "right", "up"]


def test_saving_and_loading_in_mid_fit_change_nothing(tmp_path):
    def fit(*callbacks):
        tg.manual_seed(0)
        model = train.Model(train.mlp([2, 8, 3], dropout=0.5))
        model.compile("adam", "cross_entropy")
        return model.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks)["loss"]

    class Away(train.Callback):
        def on_epoch_end(self, epoch, logs):
            self.model.save(tmp_path / "model.safetensors")
            train.Model.load(tmp_path / "model.safetensors")

    assert fit() == fit(Away())
