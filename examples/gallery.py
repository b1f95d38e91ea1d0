"""A gallery of what is to be chosen in training: a page of pictures for each choice, and one with all of them.

python examples/gallery.py [--epochs 200] [--seed 0] [--root FOLDER] [--out runs/gallery]

Optimizers, initialisations, regularisation, the size of batches and learning rates are compared on two moons, and on
pictures with and without a cat where these are found: in `--root`, by default the folder that TENSORGRAD_DATA names.
Below each page is what is seen on it, which is printed as well.
"""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn, train, viz
from tensorgrad.datasets import CatVsNonCat, moons
from tensorgrad.nn import functional as F

Data = tuple[tg.Tensor, tg.Tensor]
Models = dict[str, train.Model]

USUAL = {
    "width": 32, "init": "he", "dropout": 0.0, "l2": 0.0, "optimizer": "momentum", "learning_rate": 0.1,
    "batch_size": 32,
}  # fmt: skip


@dataclass
class Choice:
    """What differs between the runs of a page, what they share, the number that tells most, and what is known of it."""

    runs: dict[str, dict[str, Any]]
    known: str
    shared: dict[str, Any] = field(default_factory=dict)
    number: str = "loss"
    moons: tuple[int, float] = (300, 0.2)  # how many points, and their noise


CHOICES = {
    "Optimizers": Choice(
        {
            "GD": {"optimizer": "gd"},
            "momentum": {"optimizer": "momentum"},
            "RMSprop": {"optimizer": "rmsprop", "learning_rate": 0.005},
            "Adam": {"optimizer": "adam", "learning_rate": 0.005},
        },
        "Momentum adds up what the gradients have in common; RMSprop and Adam give each weight a step of its own.",
        {"batch_size": None},
    ),
    "Initialisation": Choice(
        {name: {"init": name.lower()} for name in ("random", "Xavier", "He", "zero")},
        "Numbers that begin too small fade from layer to layer; from zeros all units of a layer stay alike.",
    ),
    "Regularisation": Choice(
        {"none": {}, "dropout 0.5": {"dropout": 0.5}, "L2 0.002": {"l2": 0.002}},
        "A wide network can learn a few noisy points by heart; dropout and L2, which its loss includes, hinder it.",
        {"width": 128, "optimizer": "adam", "learning_rate": 0.01},
        "val_loss",
        (80, 0.4),
    ),
    "Batches": Choice(
        {"all at once": {"batch_size": None}, "batches of 64": {"batch_size": 64}, "batches of 8": {"batch_size": 8}},
        "Smaller batches make more steps in an epoch, and noisier ones.",
    ),
    "Learning rates": Choice(
        {f"rate {rate:g}": {"learning_rate": rate} for rate in (0.001, 0.01, 0.1, 3.0)},
        "Too small a step hardly gets anywhere; too large a step jumps across the valley, or out of it.",
        {"optimizer": "gd"},
    ),
}


def cats(root: Path | None) -> tuple[Data, Data]:
    """Pictures of 32 x 32 pixels as rows, about as long as the points of the moons: the same learning rates do."""
    parts = [CatVsNonCat(root, train=part) for part in (True, False)]
    rows = [F.adaptive_avg_pool2d(part.images, 32).flatten(1) - 0.5 for part in parts]
    return (rows[0] / 10, parts[0].labels), (rows[1] / 10, parts[1].labels)


def fitted(training: Data, validation: Data, epochs: int, seed: int, **settings: Any) -> train.Model:
    """A network with two hidden layers that is fitted with the usual settings, but for those that are given."""
    said = USUAL | settings
    tg.manual_seed(seed)
    sizes = [training[0].shape[1], said["width"], said["width"], 1]
    model = train.Model(train.mlp(sizes, "relu", "sigmoid", dropout=said["dropout"], init=said["init"]))
    for layer in model.module:
        if isinstance(layer, nn.Linear):
            model.configure(layer, weight_l2=said["l2"])
    model.compile(said["optimizer"], "binary_crossentropy", ["accuracy"], learning_rate=said["learning_rate"])
    model.fit(*training, epochs, said["batch_size"], validation_data=validation, verbose=0)
    return model


def seen(models: Models, number: str) -> str:
    """What the runs came to, best first, in words."""
    words = []
    for name in dict.fromkeys([number, "accuracy", "val_accuracy"]):
        last = {label: model.history[name][-1] for label, model in models.items()}
        order = sorted(last, key=lambda label: last[label], reverse="accuracy" in name)
        named = name.replace("val_", "validation ") if "val_" in name else f"training {name}"
        words.append(f"{named} is " + ", ".join(f"{last[label]:.3g} with {label}" for label in order))
    return "; ".join(words)


def page(choice: Choice, title: str, found: dict[str, Models], points: Data, text: str, path: Path) -> None:
    """Draw the curves of each data set, and for the moons what is decided where."""
    rows = [[f"{name} {number}" for number in (choice.number, "val_accuracy") for _ in range(6)] for name in found]
    each = 12 // len(choice.runs)
    rows.insert(1, [label for label in choice.runs for _ in range(each)])
    figure, axes = plt.subplot_mosaic(rows, figsize=(12, 3.6 * len(rows) + 1), layout="constrained")
    for name, models in found.items():
        histories = {label: model.history for label, model in models.items()}
        for number in (choice.number, "val_accuracy"):
            axis = viz.compare_histories(histories, number, ax=axes[f"{name} {number}"])
            axis.set_title(f"{name}: {axis.get_title().lower()}")
    for label, model in found["moons"].items():
        axis = viz.plot_decision_boundary(model, *points, ax=axes[label])
        axis.set_title(f"{label}: what it decides")
    figure.suptitle(title, fontsize=16)
    figure.supxlabel(text, fontsize=11, x=0.05, horizontalalignment="left")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> dict[str, dict[str, Models]]:
    parser = argparse.ArgumentParser(description="Draw what the choices in training do.")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=Path("runs/gallery"))
    options = parser.parse_args(arguments)

    options.out.mkdir(parents=True, exist_ok=True)
    data: dict[str, tuple[Data, Data]] = {}
    try:
        data["cats"] = cats(options.root)
    except FileNotFoundError as error:
        print(f"without the cats: {error}")
    gallery, texts = {}, {}
    for title, choice in (bar := tqdm(CHOICES.items(), unit="page")):
        bar.set_description(title)
        tg.manual_seed(options.seed)
        points, noise = choice.moons
        drawn = {"moons": (moons(points, noise=noise), moons(1000, noise=noise)), **data}
        found = gallery[title] = {
            name: {
                label: fitted(*parts, options.epochs, options.seed, **choice.shared, **run)
                for label, run in choice.runs.items()
            }
            for name, parts in drawn.items()
        }
        lines = [f"{name.capitalize()}: {seen(models, choice.number)}." for name, models in found.items()]
        lines.insert(0, choice.known)
        texts[title] = "\n".join(textwrap.fill(line, 120, subsequent_indent="    ") for line in lines)
        path = options.out / f"{title.lower().replace(' ', '_')}.png"
        page(choice, title, found, drawn["moons"][0], texts[title], path)

    names = ["moons", *data]
    figure, grid = plt.subplots(len(names), 5, figsize=(20, 4 * len(names)), layout="constrained", squeeze=False)
    for column, (title, found) in zip(grid.T, gallery.items()):
        for axis, (name, models) in zip(column, found.items()):
            histories = {label: model.history for label, model in models.items()}
            viz.compare_histories(histories, CHOICES[title].number, ax=axis)
            axis.set_title(f"{title}, {name}")
    figure.savefig(options.out / "overview.png", dpi=60)
    plt.close(figure)

    for title, text in texts.items():
        print(f"{title}, after {options.epochs} epochs", textwrap.indent(text, "  "), sep="\n")
    print("saved:", ", ".join(str(path) for path in sorted(options.out.iterdir())))
    return gallery


if __name__ == "__main__":
    main()
