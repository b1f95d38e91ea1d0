"""Images in a grid, and those that a model mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array, array
from tensorgrad.ops.checks import must_be_int
from tensorgrad.viz.panels import instead_of, panels, returned

POINTS = 0.075  # the width in inches of a letter of a title


def plot_images(
    images: Any, titles: Sequence[Any] | None = None, columns: int | None = None, ax: Any = None, cmap: str = "gray"
) -> Any:
    """Draw images in a grid, all on one scale of brightness.

    `images` are grey, (n, height, width) or (n, 1, height, width), or coloured, (n, 3, height, width) or (n, height,
    width, 3): bytes, numbers from 0 to 1, or any others, whose range is then what is drawn. `titles` has a title for
    each, `columns` is how many stand in a row (by default up to 5), `ax` as many axes to draw into, and `cmap` the
    colours of grey images: "gray_r" draws ink on paper. Returns the axes, of several images an array. Raises
    `ShapeError` for other shapes.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> axes = viz.plot_images(tg.rand(3, 1, 8, 8), titles=["a", "b", "c"])
    >>> [ax.get_title() for ax in axes]
    ['a', 'b', 'c']
    """
    pixels, low, high = _pixels("plot_images", images)
    n = len(pixels)
    texts = [""] * n if titles is None else [str(title) for title in titles]
    if len(texts) != n:
        raise ValueError(f"plot_images: there are {n} images and {len(texts)} titles")
    if not n:
        raise ValueError("plot_images: there are no images to draw")
    if columns is not None:
        must_be_int("plot_images", 1, columns=columns)
    return returned(_grid("plot_images", pixels, low, high, texts, columns or 5, ax, cmap))


def plot_mistakes(
    images: Any,
    y_true: Any,
    y_pred: Any,
    probabilities: Any = None,
    class_names: Sequence[str] | Mapping[Any, str] | None = None,
    most: int = 20,
    cmap: str = "gray",
) -> Any:
    """Draw the images whose predicted class is wrong, with both classes: at most so many, the surest mistakes first.

    `y_true` and `y_pred` are classes (n,), which `class_names` may name; `probabilities` (n, classes) or, of what was
    predicted, (n,), say how sure each prediction was, and without them the images keep their order. Images are those of
    `plot_images`. Returns the axes, of several images an array; without mistakes those of a picture that says so.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> ax = viz.plot_mistakes(tg.rand(3, 8, 8), [0, 1, 2], [0, 2, 2], class_names=["cat", "dog", "cow"])
    >>> ax.get_title()
    'dog taken for cow'
    """
    name = "plot_mistakes"
    pixels, low, high = _pixels(name, images)
    true, given = array(y_true).reshape(-1), array(y_pred)
    predicted = given.reshape(-1)
    if not len(pixels) == len(true) == len(predicted):
        raise ShapeError(
            f"{name}: there are {len(pixels)} images, {len(true)} true and {len(predicted)} predicted classes"
            f"{instead_of(given)}"
        )
    if predicted.dtype.kind == "f" and (predicted != np.round(predicted)).any():
        raise ValueError(
            f"{name}: y_pred must be classes, and holds {predicted[predicted != np.round(predicted)][0]:.4g}"
            f"{instead_of(given.reshape(-1, 1))}"
        )
    wrong = np.flatnonzero(true != predicted)
    sure = None
    if probabilities is not None:
        sure = array(probabilities)
        if len(sure) != len(true) or sure.ndim > 2:
            raise ShapeError(f"{name}: probabilities of {len(true)} images have shape {sure.shape}")
        sure = sure.max(1) if sure.ndim == 2 else sure
        wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    shown = wrong[:most]
    if not len(shown):
        (ax,) = panels(name, 1, None, 1, (4.8, 1.6))
        ax.text(0.5, 0.5, f"No mistakes: all {len(true):,} right", ha="center", va="center", fontsize=13)
        ax.axis("off")
        return ax
    labels = {*true, *predicted}
    if isinstance(class_names, Sequence) and not labels <= set(range(len(class_names))):
        raise ValueError(
            f"{name}: class_names must name the classes 0, 1, ... in order; it has {len(class_names)} names, and there "
            f"are the classes {', '.join(map(str, sorted(labels)))}"
        )
    named = class_names if isinstance(class_names, Mapping) else dict(enumerate(class_names or ()))
    names = {label: str(named.get(label, label)) for label in labels}
    texts = []
    for i in shown:
        pair = [names[true[i]], names[predicted[i]]]
        apart = "\n" if max(map(len, pair)) > 6 else " "
        surely = "" if sure is None else f"\n({sure[i]:.0%} sure)"
        texts.append(f"{pair[0]}{apart}taken for {pair[1]}{surely}")
    axes = _grid(name, pixels[shown], low, high, texts, 5, None, cmap)
    title = f"{len(wrong):,} of {len(true):,} taken for another class"
    if len(shown) < len(wrong):
        title += f"\n(the {'first' if sure is None else 'surest'} {len(shown)})"
    axes[0].figure.suptitle(title)
    return returned(axes)


def _pixels(name: str, images: Any) -> tuple[Array, float, float]:
    """Images as (n, height, width) or (n, height, width, 3), and the range of what is drawn."""
    pixels = array(images)
    if pixels.ndim == 4 and pixels.shape[1] in (1, 3):
        pixels = pixels.transpose(0, 2, 3, 1)
    if pixels.ndim == 4 and pixels.shape[3] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim != 3 and (pixels.ndim != 4 or pixels.shape[3] != 3):
        raise ShapeError(
            f"{name}: images must be (n, height, width), (n, 1 or 3, height, width) or (n, height, width, 3), and have "
            f"shape {pixels.shape}; reshape flat ones to (n, height, width), and one image to (1, ...)"
        )
    if pixels.dtype == np.uint8:
        return pixels, 0.0, 255.0
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        return pixels, 0.0, 1.0
    return pixels, low, high if high > low else low + 1


def _grid(
    name: str, pixels: Array, low: float, high: float, texts: list[str], columns: int, ax: Any, cmap: str
) -> list[Any]:
    lines = [line for text in texts for line in text.split("\n")]
    tallest = max(text.count("\n") + 1 if text else 0 for text in texts)
    width = max(1.7, POINTS * max(map(len, lines)) + 0.2)
    height = 1.7 * pixels.shape[1] / max(pixels.shape[2], 1)
    axes = panels(name, len(pixels), ax, columns, (width, min(max(height, 0.8), 4) + 0.2 * tallest), least=3.6)
    if pixels.ndim == 4:
        pixels = ((pixels.astype(np.float64) - low) / (high - low)).clip(0, 1)
    for each, image, text in zip(axes, pixels, texts):
        each.imshow(image, cmap=cmap, vmin=low, vmax=high)
        each.set_title(text, fontsize=9)
        each.set(xticks=[], yticks=[])
        each.spines[:].set(color="0.8", linewidth=0.8)  # a white picture on white paper needs an edge
    return axes
