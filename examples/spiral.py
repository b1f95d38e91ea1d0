"""Tell the three arms of a spiral apart, and see how each optimizer learns to.

python examples/spiral.py [--points 100] [--epochs 10000] [--seeds 5] [--compare 2000] [--out runs/spiral]

The spiral and the network, 2-64-3 with an L2 penalty on the first layer, are those of "Neural Networks from Scratch in
Python" (Kinsley and Kukieła, 2020), and so is Adam's learning rate. It is fitted to the spiral of the first seed and
drawn, then to those of the other seeds, for the mean; then every other optimizer fits the first one. A second draw of
points, which nothing is learned from, shows how much of that is learning by heart.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn, train, viz
from tensorgrad.datasets import spiral

# Learning rates that were found by trying. Muon is missing: it is for matrices alone, and layers have biases.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 1.0, "decay": 1e-3},
    "momentum": {"learning_rate": 1.0, "decay": 1e-3},
    "Nesterov": {"learning_rate": 1.0, "decay": 1e-3},
    "RMSprop": {"learning_rate": 0.02, "decay": 1e-3},
    "Adagrad": {"learning_rate": 0.2},
    "Adadelta": {"learning_rate": 10.0},
    "Adam": {"learning_rate": 0.05, "decay": 5e-5},
    "AdamW": {"learning_rate": 0.05, "decay": 5e-5},
    "Adamax": {"learning_rate": 0.1, "decay": 5e-5},
    "NAdam": {"learning_rate": 0.02},
    "RAdam": {"learning_rate": 0.05, "decay": 5e-5},
    "Adafactor": {"learning_rate": 0.2},
    "ASGD": {"learning_rate": 1.0},
    "Rprop": {"learning_rate": 0.01},
    "LBFGS": {},
}
EVALUATIONS = 20  # that a step of L-BFGS makes, at most: it gets so many times fewer epochs


def fitted(optimizer: str, seed: int, points: int, epochs: int, verbose: int = 0) -> tuple[train.Model, Any, Any]:
    """The network fitted to the spiral of a seed; the spiral, and another draw of it to validate with."""
    tg.manual_seed(seed)
    training, validation = (spiral(points, turn=2.5) for _ in range(2))
    model = train.Model()
    model.add(nn.Linear(2, 64), weight_l2=5e-4, bias_l2=5e-4)
    model.add("relu")
    model.add(nn.Linear(64, 3))
    model.add("softmax")
    model.compile(optimizer, "categorical_crossentropy", ["accuracy"], **OPTIMIZERS[optimizer])
    model.fit(*training, epochs, batch_size=None, validation_data=validation, verbose=verbose)
    return model, training, validation


def compare(points: int, epochs: int, path: Path) -> dict[str, float]:
    """Fit the first spiral with each optimizer, draw the losses, and return the accuracies on the second draw."""
    curves, accuracies = {}, {}
    for name in (bar := tqdm(OPTIMIZERS, unit="optimizer", mininterval=0.5)):
        bar.set_description(name)
        each = EVALUATIONS if name == "LBFGS" else 1
        history = fitted(name, 0, points, max(1, epochs // each))[0].history
        curves[name] = [each * epoch for epoch in history.epoch], history["loss"]
        accuracies[name] = history["val_accuracy"][-1]
    accuracies = dict(sorted(accuracies.items(), key=lambda pair: -pair[1]))
    figure, grid = plt.subplots(3, 5, figsize=(12, 7), layout="constrained", sharex=True, sharey=True)
    for axis, (name, accuracy) in zip(grid.flat, accuracies.items()):
        for curve in curves.values():
            axis.semilogy(*curve, color="0.85", linewidth=0.7)
        axis.semilogy(*curves[name], color="C0")
        axis.set_title(f"{name}\nvalidation accuracy {accuracy:.3f}", fontsize=10)
    figure.suptitle("Training loss with each optimizer, those of the others in grey")
    figure.supxlabel("epoch (of LBFGS: evaluation of the loss)")
    figure.supylabel("cross-entropy and penalty (log scale)")
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return accuracies


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Tell the three arms of a spiral apart.")
    parser.add_argument("--points", type=int, default=100, help="points of each arm")
    parser.add_argument("--epochs", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5, help="spirals to take the mean over")
    parser.add_argument("--compare", type=int, default=2000, help="epochs for each optimizer, or 0 for none")
    parser.add_argument("--out", type=Path, default=Path("runs/spiral"))
    options = parser.parse_args(arguments)

    options.out.mkdir(parents=True, exist_ok=True)
    model, training, validation = fitted("Adam", 0, options.points, options.epochs, verbose=1)
    saved = options.out / "model.safetensors"
    model.save(saved)
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
    viz.plot_decision_boundary(model, *training, ax=axes[0])
    viz.plot_history(model.history, ["loss", "accuracy"], ax=axes[1:])
    figure.savefig(options.out / "fit.png", dpi=80)
    plt.close(figure)

    learned, held = [model.score(*training)], [model.score(*validation)]
    for seed in tqdm(range(1, options.seeds), unit="spiral", desc="other spirals"):
        model, training, validation = fitted("Adam", seed, options.points, options.epochs)
        learned.append(model.score(*training))
        held.append(model.score(*validation))
    if options.compare:
        accuracies = compare(options.points, options.compare, options.out / "optimizers.png")

    print(f"Adam, {options.epochs} epochs, accuracy over {options.seeds} spirals: mean (least to most)")
    for name, values in (("training", learned), ("validation", held)):
        print(f"  {name:<10} {sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})")
    if options.compare:
        print(f"each optimizer, {options.compare} epochs on the first spiral, validation accuracy:")
        print("  " + ", ".join(f"{name} {accuracy:.3f}" for name, accuracy in accuracies.items()))
    print("saved:", ", ".join(str(path) for path in sorted(options.out.iterdir())))
    return sum(learned) / len(learned)


if __name__ == "__main__":
    main()
