"""Weights go to PyTorch and come from it, by safetensors files: the networks then give the same numbers."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")
files = pytest.importorskip("safetensors.torch")


def lenet(nn):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def resnet8(nn):
    class Block(nn.Module):
        def __init__(self, inner, outer, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer)
            self.conv2, self.bn2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False), nn.BatchNorm2d(outer)
            self.shortcut = nn.Sequential()
            if stride != 1 or inner != outer:
                self.shortcut = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

        def forward(self, x):
            y = self.bn2(self.conv2(nn.functional.relu(self.bn1(self.conv1(x)))))
            return nn.functional.relu(y + self.shortcut(x))

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        Block(8, 8, 1), Block(8, 16, 2), Block(16, 32, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


def characters(nn):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(27, 12)
            self.lstm = nn.LSTM(12, 16, num_layers=2, batch_first=True, bidirectional=True)
            self.head = nn.Linear(32, 27)

        def forward(self, x):
            return self.head(self.lstm(self.embedding(x))[0])

    return Model()


def gpt(nn):
    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x):
            b, t, width = x.shape
            q, k, v = (z.view(b, t, 4, -1).transpose(1, 2) for z in self.qkv(self.ln1(x)).chunk(3, dim=-1))
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(b, t, width))
            return x + self.mlp(self.ln2(x))

    return nn.Sequential(nn.Embedding(27, 32), *(Block(32) for _ in range(2)), nn.LayerNorm(32), nn.Linear(32, 27))


def encoder(nn):
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True, activation="gelu")
    return nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(32), enable_nested_tensor=False)


def drawn(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


TOKENS = np.random.default_rng(0).integers(0, 27, (2, 9))
NETWORKS = {
    lenet: drawn(2, 1, 28, 28),
    resnet8: drawn(4, 3, 16, 16),
    characters: TOKENS,
    gpt: TOKENS,
    encoder: drawn(2, 9, 32),
}
each_network = pytest.mark.parametrize(("network", "x"), NETWORKS.items(), ids=[f.__name__ for f in NETWORKS])


def compare(ours, theirs, x):
    ours.eval(), theirs.eval()
    with tg.no_grad(), torch.no_grad():
        got, expected = ours(tg.from_numpy(x)).numpy(), theirs(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def warm(model, x):
    """Once forward in training: batch norm then has statistics."""
    model.train()
    model(x)


@each_network
def test_weights_of_pytorch_are_loaded(network, x, tmp_path):
    theirs, ours = network(torch.nn), network(tg.nn)
    warm(theirs, torch.from_numpy(x))
    files.save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    loaded = ours.load_state_dict(tg.load(tmp_path / "weights.safetensors"))
    assert not loaded.missing_keys
    assert not loaded.unexpected_keys
    compare(ours, theirs, x)


@each_network
def test_pytorch_loads_our_weights(network, x, tmp_path):
    theirs, ours = network(torch.nn), network(tg.nn)
    warm(ours, tg.from_numpy(x))
    tg.save(ours.state_dict(), tmp_path / "weights.safetensors")
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(files.load_file(tmp_path / "weights.safetensors"))
    compare(ours, theirs, x)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("SGD", {"momentum": 0.9}), ("Adam", {}), ("AdamW", {"amsgrad": True}), ("RMSprop", {"centered": True})],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_training_goes_on_alike_from_the_state_of_pytorchs_optimizer(name, settings, tmp_path):
    theirs, ours = torch.nn.Linear(3, 2), tg.nn.Linear(3, 2)
    x = drawn(5, 3)

    def train(lib, model, optimizer):
        optimizer.zero_grad()
        model(lib.from_numpy(x)).square().mean().backward()
        optimizer.step()

    first = getattr(torch.optim, name)(theirs.parameters(), lr=0.1, **settings)
    for _ in range(3):
        train(torch, theirs, first)
    ours.load_state_dict({key: tg.from_numpy(value.numpy().copy()) for key, value in theirs.state_dict().items()})
    second = getattr(tg.optim, name)(ours.parameters(), lr=0.1, **settings)
    state = copy.deepcopy(first.state_dict())
    for values in state["state"].values():
        values.update({k: tg.from_numpy(v.numpy()) for k, v in values.items() if isinstance(v, torch.Tensor)})
    second.load_state_dict(state)
    for _ in range(3):
        train(torch, theirs, first)
        train(tg, ours, second)
    np.testing.assert_allclose(ours.weight.detach(), theirs.weight.detach().numpy(), rtol=1e-5, atol=1e-6)
