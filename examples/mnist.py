"""Learn to read handwritten digits on MNIST: 60,000 images of 28 x 28 pixels to learn from, 10,000 to test on.

python examples/mnist.py [--root FOLDER] [--download] [--epochs 12] [--seed 0] [--out runs/mnist]

The loop, the test and the pictures are those of digits.py; only the data and the sizes differ. The four files are
looked for in `--root` (by default the folder that TENSORGRAD_DATA names), and fetched there with `--download`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from digits import network, report, train

import tensorgrad as tg
from tensorgrad.datasets import MNIST


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Learn to read handwritten digits on MNIST.")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--download", action="store_true")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/mnist"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    training = MNIST(options.root, train=True, download=options.download, flat=True)
    test = MNIST(options.root, train=False, flat=True)
    sizes = (784, 256, 128, 10)
    model = network(*sizes)
    print(f"{len(training)} images to learn from, {len(test)} to test on")
    print(model)
    history = train(model, training, options.epochs, batch_size=128, lr=2e-3)
    return report(model, network(*sizes), test, history, options.out)


if __name__ == "__main__":
    main()
