"""What tests of fits share: a small task, a network for it, a fit of it, and the loop written out."""

from __future__ import annotations

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.nn import functional as F

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


class Two(nn.Module):
    """Takes two inputs."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(1, 3), nn.Linear(1, 3)

    def forward(self, a, b):
        return self.a(a) + self.b(b)
