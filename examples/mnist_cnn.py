"""Learn to read MNIST's handwritten digits with a convolutional network, at 99% and more.

python examples/mnist_cnn.py [--root FOLDER] [--download] [--epochs 6] [--seed 0] [--out runs/mnist_cnn]

The network is LeNet's (LeCun et al., 1998) with ReLU, maximum pooling and dropout; the loop and the pictures are those
of digits.py, and the files are looked for as mnist.py does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from digits import report, train

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.datasets import MNIST


def network() -> nn.Sequential:
    """Images (n, 1, 28, 28) to logits (n, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(32 * 4 * 4, 128),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Linear(128, 10),
    )


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Learn to read handwritten digits with a convolutional network.")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--download", action="store_true")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/mnist_cnn"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    training = MNIST(options.root, train=True, download=options.download)
    test = MNIST(options.root, train=False)
    model = network()
    print(f"{len(training)} images to learn from, {len(test)} to test on")
    print(model)
    history = train(model, training, options.epochs, batch_size=64, lr=2e-3)
    return report(model, network(), test, history, options.out)


if __name__ == "__main__":
    main()
