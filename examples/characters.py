"""What the character models share: where their text is, letters as numbers, curves, and the options of the programs."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib.pyplot as plt

import tensorgrad as tg


def read_text(file: str, given: Path | None) -> str:
    """A text: the file that was named, else `text/<file>` in the folder that TENSORGRAD_DATA names."""
    path = given or Path(os.environ.get("TENSORGRAD_DATA", "."), "text", file)
    if not path.is_file():
        raise SystemExit(f"there is no text at {path}: name a file with --text, or set TENSORGRAD_DATA")
    return path.read_text()


class Alphabet:
    """The characters of a text, as numbers in their order."""

    def __init__(self, text: str) -> None:
        self.letters = "".join(sorted(set(text)))
        self.number = {letter: i for i, letter in enumerate(self.letters)}

    def __len__(self) -> int:
        return len(self.letters)

    def encode(self, text: str) -> tg.Tensor:
        """A text as an int64 tensor."""
        return tg.tensor([self.number[letter] for letter in text])

    def decode(self, numbers: tg.Tensor) -> str:
        """The text of a tensor of numbers."""
        return "".join(self.letters[i] for i in numbers.tolist())


def draw_curves(history: dict[str, list[tuple[int, float]]], ylabel: str, path: Path) -> None:
    """Draw curves of (step, value)."""
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, points in history.items():
        if points:
            axes.plot(*zip(*points), label=name, marker="o" if len(points) < 30 else None, markersize=3)
    axes.set(xlabel="step", ylabel=ylabel)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)
