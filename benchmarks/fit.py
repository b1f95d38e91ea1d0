"""What `Model.fit` costs beside the loop that one would write: an epoch of 100 batches of 64, 784-128-64-10, Adam.

python benchmarks/fit.py
"""

from __future__ import annotations

from collections.abc import Callable

from harness import compare, header

import tensorgrad as tg
from tensorgrad import train
from tensorgrad.nn import functional as F

EXAMPLES, BATCH = 6400, 64


def bare(accuracy: bool) -> Callable[[], object]:
    """The loop written out; with `accuracy` it counts what is read rightly, as the metric does."""
    X, y = tg.randn(EXAMPLES, 784), tg.randint(0, 10, (EXAMPLES,))
    network = train.mlp([784, 128, 64, 10])
    optimizer = tg.optim.Adam(network.parameters())

    def epoch() -> tuple[float, int]:
        network.train()
        total, right = 0.0, 0
        order = tg.randperm(EXAMPLES)
        for i in range(0, EXAMPLES, BATCH):
            batch = order[i : i + BATCH]
            images, labels = X[batch], y[batch]
            optimizer.zero_grad()
            logits = network(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            if accuracy:
                right += int((logits.argmax(1) == labels).sum())
        return total / EXAMPLES, right

    return epoch


def fitted(metrics: list[str]) -> Callable[[], object]:
    """The same by `fit`."""
    X, y = tg.randn(EXAMPLES, 784), tg.randint(0, 10, (EXAMPLES,))
    model = train.Model(train.mlp([784, 128, 64, 10]))
    model.compile("adam", "sparse_categorical_crossentropy", metrics)
    return lambda: model.fit(X, y, batch_size=BATCH, verbose=0)


def main() -> None:
    header("a bare loop")
    compare("fit, an epoch", fitted([]), bare(False))
    compare("fit with accuracy, an epoch", fitted(["accuracy"]), bare(True))


if __name__ == "__main__":
    main()
