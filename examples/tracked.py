"""Networks from a list of sizes, on cats and on MNIST, over several seeds, each fit tracked in MLflow.

python examples/tracked.py [--data cats|mnist] [--seeds 5] [--epochs N] [--copies 24] [--root FOLDER]
    [--no-track] [--out runs/tracked]

The dense networks are 12288-20-7-5-1 for the cats and 784-32-16-10 for MNIST; a wider and a convolutional one show
what more there is to be had. The pictures of cats are few, so changed copies are made of them; and the small network
is fitted once more, to what the convolutional ones say of mixed pictures: they teach it (Hinton et al., 2015,
arXiv:1503.02531; the mixing is that of Zhang et al., 2018, arXiv:1710.09412). The test images decide nothing in a fit.
`mlflow ui --backend-store-uri sqlite:///runs/tracked/mlflow.db` shows the runs beside each other; `--no-track` needs
no MLflow. The data are looked for in `--root`, by default the folder that TENSORGRAD_DATA names.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import matplotlib.pyplot as plt
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.datasets import MNIST, CatVsNonCat
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR
from tensorgrad.tracking import MLflowLogger
from tensorgrad.vision.transforms import Compose, Lambda, RandomCrop, RandomHorizontalFlip

Data = tuple[tg.Tensor, ...]


def convolutional(channels: int, side: int, outputs: int) -> nn.Sequential:
    """Two convolutions and two dense layers, for flat images."""
    return nn.Sequential(
        nn.Unflatten(1, (channels, side, side)),
        nn.Conv2d(channels, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(side // 14),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(7),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, outputs),
    )


# For each data set the networks by name, and how many times each sees all images; the convolutional ones teach.
NETWORKS: dict[str, dict[str, tuple[Callable[[], nn.Module], int]]] = {
    "cats": {
        "convolutional": (lambda: convolutional(3, 64, 1), 3),
        "256-64-1": (lambda: train.mlp([12288, 256, 64, 1]), 3),
        "20-7-5-1": (lambda: train.mlp([12288, 20, 7, 5, 1]), 8),
        "20-7-5-1 taught": (lambda: train.mlp([12288, 20, 7, 5, 1]), 8),
    },
    "mnist": {
        "convolutional": (lambda: convolutional(1, 28, 10), 2),
        "256-128-10": (lambda: train.mlp([784, 256, 128, 10], init="he"), 8),
        "32-16-10": (lambda: train.mlp([784, 32, 16, 10], init="he"), 8),
    },
}


def load(data: str, root: Path | None, copies: int) -> tuple[Data, Data]:
    """Flat images and labels to learn from and to test on; of each cat several copies: shifted, mirrored, tinted."""
    if data == "mnist":
        return MNIST(root, flat=True).tensors, MNIST(root, train=False, flat=True).tensors
    training, test = CatVsNonCat(root), CatVsNonCat(root, train=False)
    tint = Lambda(lambda image: image * (0.8 + 0.4 * tg.rand(3, 1, 1)))
    change = Compose([RandomCrop(64, padding=6, padding_mode="reflect"), RandomHorizontalFlip(), tint])
    images = tg.stack([change(image) for _ in range(copies) for image in training.images])
    return (scaled(images), training.labels.repeat(copies)), (scaled(test.images), test.labels)


def scaled(images: tg.Tensor) -> tg.Tensor:
    """Flat, with a mean near 0 and a standard deviation near 1."""
    return (4 * (images - 0.4)).flatten(1)


def lesson(teachers: list[train.Model], X: tg.Tensor) -> Data:
    """Mixtures of images two by two, and what the teachers say of them on average."""
    share = tg.rand(len(X), 1)
    mixed = share * X + (1 - share) * X[tg.randperm(len(X))]
    return mixed, tg.tensor(sum(teacher.predict(mixed) for teacher in teachers) / len(teachers))


def fitted(data: str, module: nn.Module, training: Data, epochs: int, callbacks: list[Any]) -> train.Model:
    """A network that is fitted, with a learning rate that falls to 0."""
    model = train.Model(module)
    cats = data == "cats"
    loss = "binary_crossentropy" if cats else "categorical_crossentropy"
    model.compile("adam", loss, learning_rate=5e-4 if cats else 2e-3)
    falling = train.LRScheduler(CosineAnnealingLR, T_max=epochs)
    weight = None if training[1].is_floating_point() else "balanced"  # what a teacher says is no label
    batch = 32 if cats else 128
    model.fit(*training, epochs, batch, class_weight=weight, callbacks=[falling, *callbacks], verbose=0)
    return model


def main(arguments: list[str] | None = None) -> dict[str, list[float]]:
    parser = argparse.ArgumentParser(description="Fit networks over several seeds, and track them in MLflow.")
    parser.add_argument("--data", choices=list(NETWORKS), default="cats")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=None, help="for all networks, in place of what each takes")
    parser.add_argument("--copies", type=int, default=24, help="of each picture with or without a cat")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--no-track", action="store_true", help="do without MLflow")
    parser.add_argument("--out", type=Path, default=Path("runs/tracked"))
    options = parser.parse_args(arguments)

    options.out.mkdir(parents=True, exist_ok=True)
    tg.manual_seed(0)
    training, test = load(options.data, options.root, options.copies)
    store = f"sqlite:///{options.out / 'mlflow.db'}"
    accuracies: dict[str, list[float]] = {}
    teachers: list[train.Model] = []
    for name, (network, usual) in NETWORKS[options.data].items():
        logger = None if options.no_track else MLflowLogger(options.data, name, tracking_uri=store)
        if logger:
            logger.open()
        accuracies[name] = []
        learned = lesson(teachers, training[0]) if name.endswith("taught") else training
        for seed in tqdm(range(options.seeds), desc=name, unit="fit"):
            tg.manual_seed(seed)
            callbacks = [logger.child(f"seed {seed}", {"seed": seed})] if logger else []
            model = fitted(options.data, network(), learned, options.epochs or usual, callbacks)
            accuracies[name].append(model.score(*test))
            if name == "convolutional":
                teachers.append(model)
        model.save(options.out / f"{options.data}_{name.replace(' ', '_')}.safetensors")
        if logger:
            logger.write(numbers={"mean_test_accuracy": mean(accuracies[name])})
            logger.close()

    figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
    for name, found in accuracies.items():
        axis.plot(found, [name] * len(found), "o", color="C0", alpha=0.5)
        axis.plot(mean(found), name, "|", color="black", markersize=18)
    axis.set(title=f"{options.data}: each fit, and the mean of each network", xlabel="test accuracy")
    axis.margins(y=0.2)
    axis.grid(alpha=0.3)
    figure.savefig(options.out / f"{options.data}.png", dpi=100)
    plt.close(figure)

    print(f"{options.data}, test accuracy over {options.seeds} seeds: mean, standard deviation (least to most)")
    for name, found in accuracies.items():
        spread = f", {stdev(found):.4f}" if len(found) > 1 else ""
        print(f"  {name:<15} {mean(found):.4f}{spread} ({min(found):.4f} to {max(found):.4f})")
    print("saved:", ", ".join(str(path) for path in sorted(options.out.iterdir())))
    return accuracies


if __name__ == "__main__":
    main()
