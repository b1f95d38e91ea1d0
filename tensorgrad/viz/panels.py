"""What all plots share: matplotlib when it is first needed, panels, colours, and what data stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.nn import Module

# Okabe and Ito (2008), which those who are colour-blind can tell apart, without the yellow that is lost on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
QUIET = "#555555"


def pyplot(name: str) -> Any:
    """matplotlib's pyplot, for the plot of a name."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(f"{name} needs matplotlib: pip install matplotlib") from error
    return pyplot


def panel(name: str, ax: Any, size: tuple[float, float] = (6, 4)) -> Any:
    """The axes given, or those of a new figure."""
    plt = pyplot(name)
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def panels(name: str, count: int, ax: Any, columns: int, size: tuple[float, float], least: float = 0) -> list[Any]:
    """As many axes: those given, or a new figure's, each of `size` inches, the figure `least` inches wide."""
    plt = pyplot(name)
    if ax is not None:
        given = [each for each in np.ravel(np.asarray(ax, dtype=object)) if each is not None]
        if len(given) < count:
            raise ValueError(f"{name}: there are {count} panels to draw and {len(given)} axes; give ax={count} of them")
        return given[:count]
    columns = min(columns, count)
    rows = -(-count // columns)
    wide = max(size[0] * columns, least)
    grid = plt.subplots(rows, columns, figsize=(wide, size[1] * rows), layout="constrained", squeeze=False)[1].ravel()
    for unused in grid[count:]:
        unused.remove()
    return list(grid[:count])


def returned(axes: Sequence[Any]) -> Any:
    """One panel as it is, several as an array."""
    if len(axes) == 1:
        return axes[0]
    array = np.empty(len(axes), object)
    array[:] = axes
    return array


def look(i: int) -> dict[str, str]:
    """Colour and style of the i-th of many lines."""
    return {"color": COLORS[i % len(COLORS)], "linestyle": STYLES[i // len(COLORS) % len(STYLES)]}


def fitting(ax: Any, text: str, least: float, most: float) -> float:
    """The size of letters, in points, at which the longest line of a text is as wide as the axes."""
    width = ax.get_position().width * ax.figure.get_figwidth() * 72
    return float(np.clip(width / (0.6 * max(map(len, text.split("\n")))), least, most))


def entitle(ax: Any, text: str) -> None:
    """Set a title, in letters small enough for the axes."""
    ax.set_title(text, fontsize=fitting(ax, text, 6, 12))


def legend(ax: Any, beside: bool = False, **kwargs: Any) -> None:
    """A legend: to the right of the axes, where a figure of ours makes room for it, or else where it hides least."""
    labels = ax.get_legend_handles_labels()[1]
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0} if beside else {"loc": "best"}
    size = 9.0 if beside else fitting(ax, "\n".join(f"{label}......" for label in labels), 5, 9)
    ax.legend(**{**place, "fontsize": size, "title_fontsize": size, **kwargs})


def module_of(name: str, model: Any) -> Module:
    """A module, or that which a model has as `.module`."""
    module = model if isinstance(model, Module) else getattr(model, "module", None)
    if not isinstance(module, Module):
        raise TypeError(f"{name}: it takes a Module, or a model with a .module, not {type(model).__name__}")
    return module


def instead_of(predicted: np.ndarray[Any, Any]) -> str:
    """What to give where scores were given for classes."""
    if predicted.ndim != 2:
        return ""
    if predicted.shape[1] == 1:  # argmax of a single column is 0 for every example
        return "; of one column of probabilities (n, 1) take model.predict_classes(X), or p[:, 0] > 0.5"
    return "; of probabilities (n, classes) take .argmax(1), or model.predict_classes(X) for labels of other names"


def classes_of(name: str, y: np.ndarray[Any, Any], count: int, what: str = "columns of scores") -> np.ndarray[Any, Any]:
    """The classes that columns or names stand for: those in y, in order, or 0, 1, ... if y has not all of them."""
    found = np.unique(y)
    if len(found) == count:
        return found
    if len(found) < count and found.dtype.kind in "iu" and found.size and found[0] >= 0 and found[-1] < count:
        return np.arange(count)
    raise ValueError(f"{name}: there are {count} {what}, and the {len(found)} classes in y do not tell which they mean")
