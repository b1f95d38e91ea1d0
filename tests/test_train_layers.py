"""Model: what is said of single layers, and networks from a list of sizes."""

from __future__ import annotations

import numpy as np
import pytest
from train_cases import SPIRAL, Two, by_hand, network

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.nn import functional as F

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


def test_only_an_embedding_has_a_row_of_padding():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.padding_idx, self.table = 0, nn.Embedding(5, 4, padding_idx=0)

    table = train.initialize(Words(), "xavier").table.weight
    assert (table[0] == 0).all()
    assert (table[1:] != 0).all()
