"""Networks from a list of sizes, on cats and on MNIST, over several seeds, each fit tracked in MLflow.

python examples/tracked.py [--data cats|mnist] [--seeds 5] [--seed 0] [--epochs N] [--copies 24] [--rounds 12]
    [--root FOLDER] [--no-track] [--out runs/tracked]

The dense networks are 12288-20-7-5-1 for the cats and 784-32-16-10 for MNIST; a wider and a convolutional one show
what more there is to be had. The pictures of cats are few, so changed copies are made of them; and the small network
is fitted once more, to what three convolutional ones say of mixed parts of the pictures: they teach it (Hinton et al.,
2015, arXiv:1503.02531; the mixing is that of Zhang et al., 2018, arXiv:1710.09412). No fit sees the test images; but
how copies are made, and how the network is taught, was chosen by looking at what it does for these 50 cats and others.
`mlflow ui --backend-store-uri sqlite:///runs/tracked/mlflow.db` shows the runs beside each other; `--no-track` needs
no MLflow. The data are looked for in `--root`, by default the folder that TENSORGRAD_DATA names.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.datasets import MNIST, CatVsNonCat
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR
from tensorgrad.tracking import MLflowLogger
from tensorgrad.utils.data import Dataset
from tensorgrad.vision.transforms import Compose, Lambda, Pad, RandomCrop, RandomHorizontalFlip, RandomResizedCrop

Data = tuple[Any, ...]


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


def halved(*sizes: int) -> nn.Sequential:
    """A dense network for flat pictures of 64 x 64, of which it takes the mean of every 2 x 2 pixels.

    It is one for all pixels, whose first weights are alike for the four of a block.
    """
    return nn.Sequential(nn.Unflatten(1, (3, 64, 64)), nn.AvgPool2d(2), nn.Flatten(), train.mlp([3072, *sizes]))


class Fit(NamedTuple):
    """A network, and how it is fitted."""

    network: Callable[[], nn.Module]
    epochs: int
    learning_rate: float
    batch_size: int


# For each data set the networks by name.
TEACHER = Fit(lambda: convolutional(3, 64, 1), 3, 5e-4, 32)
NETWORKS: dict[str, dict[str, Fit]] = {
    "cats": {
        "convolutional": TEACHER,
        "256-64-1": Fit(lambda: train.mlp([12288, 256, 64, 1]), 3, 5e-4, 32),
        "20-7-5-1": Fit(lambda: train.mlp([12288, 20, 7, 5, 1]), 8, 5e-4, 32),
        "20-7-5-1 taught": Fit(lambda: halved(20, 7, 5, 1), 6, 1e-3, 128),
    },
    "mnist": {
        "convolutional": Fit(lambda: convolutional(1, 28, 10), 2, 2e-3, 128),
        "256-128-10": Fit(lambda: train.mlp([784, 256, 128, 10], init="he"), 8, 2e-3, 128),
        "32-16-10": Fit(lambda: train.mlp([784, 32, 16, 10], init="he"), 8, 2e-3, 128),
    },
}


def load(data: str, root: Path | None, copies: int) -> tuple[Data, Data]:
    """Flat images and labels to learn from and to test on; of each cat several copies."""
    if data == "mnist":
        return MNIST(root, flat=True).tensors, MNIST(root, train=False, flat=True).tensors
    training, test = CatVsNonCat(root), CatVsNonCat(root, train=False)
    images = scaled(shifted(training.images, copies))
    return (images, training.labels.repeat(copies)), (scaled(test.images), test.labels)


def changed(images: tg.Tensor, copies: int, *crop: Any) -> tg.Tensor:
    """Copies of images: cropped, mirrored, tinted."""
    tint = Lambda(lambda image: image * (0.8 + 0.4 * tg.rand(3, 1, 1)))
    change = Compose([*crop, RandomHorizontalFlip(), tint])
    return tg.stack([change(image) for _ in range(copies) for image in images])


def shifted(images: tg.Tensor, copies: int) -> tg.Tensor:
    """Copies of images, shifted by up to six pixels."""
    return changed(images, copies, RandomCrop(64, padding=6, padding_mode="reflect"))


def parts(images: tg.Tensor, copies: int, least: float) -> tg.Tensor:
    """Copies of images: parts of at least that share of each, made as large as it was."""
    return changed(images, copies, Pad(6, padding_mode="reflect"), RandomResizedCrop(64, scale=(least, 1.0)))


def scaled(images: tg.Tensor) -> tg.Tensor:
    """Flat, with a mean near 0 and a standard deviation near 1."""
    return (4 * (images - 0.4)).flatten(1)


class Lessons(Dataset):
    """Mixtures of parts of images two by two, kept as bytes, and what teachers say of each on average."""

    def __init__(self, pictures: CatVsNonCat, seeds: range, copies: int, rounds: int) -> None:
        both = shifted(pictures.images, copies), parts(pictures.images, copies, 0.5)
        again = scaled(tg.cat(both)), pictures.labels.repeat(2 * copies)
        teachers = [fitted("cats", TEACHER, again, seed, []) for seed in tqdm(seeds, "teachers", unit="fit")]
        mixed, said = [], []
        for _ in tqdm(range(rounds), "lessons", unit="round"):
            images, share = parts(pictures.images, copies, 0.3), tg.rand(len(both[1]), 1, 1, 1)
            images = (share * images + (1 - share) * images[tg.randperm(len(images))]).clamp(0, 1)
            mixed.append((255 * images.flatten(1)).round().to(tg.uint8))
            said.append(sum(teacher.predict(scaled(images)) for teacher in teachers) / len(teachers))
        self.mixed, self.said = tg.cat(mixed), tg.tensor(np.concatenate(said))

    def __len__(self) -> int:
        return len(self.mixed)

    def __getitem__(self, i: int) -> Data:
        return 4 * (self.mixed[i] / 255 - 0.4), self.said[i]


def fitted(data: str, fit: Fit, training: Data, seed: int, callbacks: list[Any]) -> train.Model:
    """A network that is fitted, with a learning rate that falls to 0."""
    tg.manual_seed(seed)
    model = train.Model(fit.network())
    loss = "binary_crossentropy" if data == "cats" else "categorical_crossentropy"
    model.compile("adam", loss, learning_rate=fit.learning_rate)
    falling = train.LRScheduler(CosineAnnealingLR, T_max=fit.epochs)
    weight = None if isinstance(training[0], Lessons) else "balanced"  # what a teacher says is no label
    model.fit(
        *training,
        epochs=fit.epochs,
        batch_size=fit.batch_size,
        class_weight=weight,
        callbacks=[falling, *callbacks],
        verbose=0,
    )
    return model


def main(arguments: list[str] | None = None) -> dict[str, list[float]]:
    parser = argparse.ArgumentParser(description="Fit networks over several seeds, and track them in MLflow.")
    parser.add_argument("--data", choices=list(NETWORKS), default="cats")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--epochs", type=int, default=None, help="for all networks, in place of what each takes")
    parser.add_argument("--copies", type=int, default=24, help="of each picture with or without a cat")
    parser.add_argument("--rounds", type=int, default=12, help="how often copies of all pictures are drawn to teach by")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--no-track", action="store_true", help="do without MLflow")
    parser.add_argument("--out", type=Path, default=Path("runs/tracked"))
    options = parser.parse_args(arguments)

    options.out.mkdir(parents=True, exist_ok=True)
    tg.manual_seed(options.seed)
    seeds = range(options.seed, options.seed + options.seeds)
    training, test = load(options.data, options.root, options.copies)
    store = f"sqlite:///{options.out / 'mlflow.db'}"
    accuracies: dict[str, list[float]] = {}
    for name, fit in NETWORKS[options.data].items():
        logger = None if options.no_track else MLflowLogger(options.data, name, tracking_uri=store)
        if logger:
            logger.open()
        accuracies[name] = []
        if name.endswith("taught"):  # the last one
            teachers = range(options.seed, options.seed + 3)
            training = (Lessons(CatVsNonCat(options.root), teachers, options.copies, options.rounds),)
        for seed in tqdm(seeds, desc=name, unit="fit"):
            callbacks = [logger.child(f"seed {seed}", {"seed": seed})] if logger else []
            model = fitted(options.data, fit._replace(epochs=options.epochs or fit.epochs), training, seed, callbacks)
            accuracies[name].append(model.score(*test))
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
