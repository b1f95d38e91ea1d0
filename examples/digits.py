"""Learn to read handwritten digits: scikit-learn's 1,797 images of 8 x 8 pixels, which need no download.

python examples/digits.py [--epochs 60] [--seed 0] [--out runs/digits]

It trains a dense network with a plain loop, tests it on images that it has not seen, saves the model and pictures of
how it went, then loads the model back and reads a few digits.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.datasets import Digits
from tensorgrad.nn import functional as F
from tensorgrad.utils.data import DataLoader, TensorDataset, random_split
from tensorgrad.viz import DotNotFound, graph, plot_history, plot_mistakes

History = dict[str, list[float]]


def network(*sizes: int, dropout: float = 0.2) -> nn.Sequential:
    """Dense layers of the sizes, with ReLU and dropout between them; it takes flat images and gives logits."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers[:-2])


def accuracy(model: nn.Module, data: Any) -> float:
    """The share of images that the model reads rightly."""
    model.eval()
    right = 0
    with tg.no_grad():
        for images, labels in DataLoader(data, batch_size=1000):
            right += int((model(images).argmax(1) == labels).sum())
    return right / len(data)


def train(model: nn.Module, data: TensorDataset, epochs: int, batch_size: int = 64, lr: float = 3e-3) -> History:
    """Train on nine tenths of the data, watch the rest, and return the loss and the accuracies after each epoch."""
    training, validation = random_split(data, [0.9, 0.1])
    loader = DataLoader(training, batch_size=batch_size, shuffle=True)
    optimizer = tg.optim.AdamW(model.parameters(), lr=lr)
    scheduler = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    history: History = {"loss": [], "accuracy": [], "val_accuracy": []}
    with tqdm(total=epochs * len(loader), desc="training", unit="batch", mininterval=0.5, dynamic_ncols=True) as bar:
        for epoch in range(epochs):
            model.train()
            total, right = 0.0, 0
            for images, labels in loader:
                optimizer.zero_grad()
                logits = model(images)
                loss = F.cross_entropy(logits, labels, label_smoothing=0.1)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(labels)
                right += int((logits.argmax(1) == labels).sum())
                bar.update()
            scheduler.step()
            history["loss"].append(total / len(training))
            history["accuracy"].append(right / len(training))
            history["val_accuracy"].append(accuracy(model, validation))
            bar.set_postfix_str(
                f"epoch {epoch + 1}/{epochs}, loss {history['loss'][-1]:.3f}, "
                f"validation accuracy {history['val_accuracy'][-1]:.3f}"
            )
    return history


def draw_curves(history: History, path: Path) -> None:
    """Draw the loss and the accuracies by epoch."""
    axes = plot_history(history)
    axes[0].set_ylabel("cross-entropy (labels smoothed by 0.1)")
    axes[1].set_ylabel("share read rightly")
    save_figure(axes, path)


def draw_mistakes(model: nn.Module, data: Any, path: Path) -> None:
    """Draw the images that the model reads wrongly, most confident mistakes first."""
    model.eval()
    with tg.no_grad():
        probabilities = model(data.images).softmax(1)
    side = round(data.images[0].numel() ** 0.5)
    images = data.images.reshape(-1, side, side)
    save_figure(plot_mistakes(images, data.labels, probabilities.argmax(1), probabilities, cmap="gray_r"), path)


def save_figure(axes: Any, path: Path) -> None:
    """Save the figure of one or of several axes."""
    figure = np.ravel(axes)[0].figure
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_graph(model: nn.Module, data: Any, out: Path) -> Path:
    """Draw the graph behind the loss; without the `dot` program, save its source."""
    model.train()
    images, labels = data.images[:8], data.labels[:8]
    drawing = graph(F.cross_entropy(model(images), labels), params=model)
    try:
        return Path(drawing.save(out / "graph.svg"))
    except DotNotFound as error:
        print(error)
        return Path(drawing.save(out / "graph.dot"))


def report(model: nn.Module, fresh: nn.Module, test: Any, history: History, out: Path) -> float:
    """Test the model; save it and the pictures; load it into a `fresh` network and read a few digits."""
    out.mkdir(parents=True, exist_ok=True)
    result = accuracy(model, test)
    print(f"test accuracy: {result:.4f} ({round(result * len(test))} of {len(test)})")
    saved = out / "model.safetensors"
    tg.save(model.state_dict(), saved)
    draw_curves(history, out / "curves.png")
    draw_mistakes(model, test, out / "mistakes.png")
    pictures = [out / "curves.png", out / "mistakes.png", draw_graph(model, test, out)]
    print("saved:", ", ".join(str(path) for path in (saved, *pictures)))
    fresh.load_state_dict(tg.load(saved))
    fresh.eval()
    with tg.no_grad():
        read = fresh(test.images[:10]).argmax(1)
    print("loaded back, the first ten test images read:", *read.tolist())
    print("                           and they show:   ", *test.labels[:10].tolist())
    return result


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Learn to read handwritten digits.")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/digits"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    training, test = Digits(train=True, flat=True), Digits(train=False, flat=True)
    sizes = (64, 256, 128, 10)
    model = network(*sizes)
    print(f"{len(training)} images to learn from, {len(test)} to test on")
    print(model)
    history = train(model, training, options.epochs)
    return report(model, network(*sizes), test, history, options.out)


if __name__ == "__main__":
    main()
