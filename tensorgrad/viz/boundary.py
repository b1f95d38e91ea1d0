"""What a classifier of points in a plane decides where, and how surely."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd.modes import no_grad
from tensorgrad.creation import tensor
from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array, array
from tensorgrad.nn import Module
from tensorgrad.nn.modes import computing_dtype, evaluating
from tensorgrad.ops.checks import must_be_int
from tensorgrad.viz.panels import COLORS, classes_of, entitle, legend, panel

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
AT_ONCE = 8192  # points given to a model together


def plot_decision_boundary(model: Any, X: Any, y: Any, ax: Any = None, resolution: int = 200) -> Any:
    """Draw which class a model decides for at each point of a plane, the boundary, and the data (n, 2) on top of it.

    `model` has `predict_proba`, or `predict`, or is a Module or another callable; what it gives of points (n, 2) are
    probabilities (n, classes), the probability of the second class (n,) or (n, 1), logits of such shapes (numbers that
    are no probabilities are taken as logits), or the classes themselves. A model of values, which has `predict_proba`
    but refuses it, is asked to `predict`: it has learned one-hot rows, or the two numbers in y, and decides half-way
    between them. `y` are the classes (n,), numbers or strings, in whose order the columns stand, unless the model has
    `classes_`; or one-hot. A deeper colour is a surer decision. The plane is looked at in `resolution` x `resolution`
    points. Returns the axes. Raises `ShapeError` for other data, and `ValueError` where the model gives NaN.

    >>> import numpy as np
    >>> from tensorgrad import viz
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0], [0.2, 0.1], [0.9, 0.7]])
    >>> ax = viz.plot_decision_boundary(lambda x: x.sum(1) - 1, X, ["low", "high", "low", "high"][::-1], resolution=20)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['high', 'low']
    """
    points, labels = array(X), array(y)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ShapeError(
            f"plot_decision_boundary: X must be points in a plane, (n, 2), and has shape {points.shape}; choose two "
            f"features, or project the data to two dimensions"
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(1)
    labels = labels.reshape(-1)
    if len(labels) != len(points):
        raise ShapeError(f"plot_decision_boundary: there are {len(points)} points and {len(labels)} classes in y")
    points = points.astype(np.float64)
    if not np.isfinite(points).all():
        raise ValueError("plot_decision_boundary: X must be finite, and holds NaN or infinity")
    if (labels != labels).any():
        raise ValueError("plot_decision_boundary: y holds NaN, which is no class; leave such points out")
    must_be_int("plot_decision_boundary", 2, resolution=resolution)

    low, high = points.min(0), points.max(0)
    margin = np.where(high > low, 0.1 * (high - low), 0.5)
    xs, ys = (np.linspace(a, b, resolution) for a, b in zip(low - margin, high + margin))
    plane = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    # Together, so that what the numbers are is decided once.
    probabilities, classes = _probabilities(model, np.concatenate([plane, points]), labels)
    surface = probabilities[: len(plane)].reshape(resolution, resolution, -1)
    right = classes[probabilities[len(plane) :].argmax(1)] == labels

    own = ax is None
    ax = panel("plot_decision_boundary", ax, (6.4, 4.8))
    ax.imshow(
        _shades(surface), extent=(xs[0], xs[-1], ys[0], ys[-1]), origin="lower", aspect="auto", interpolation="bilinear"
    )
    for i in range(len(classes) if len(classes) > 2 else 1):
        lead = surface[..., i] - np.delete(surface, i, -1).max(-1, initial=-1)
        if lead.min() < 0 < lead.max():
            ax.contour(xs, ys, lead, [0], colors="black", linewidths=1)
    for i, each in enumerate(classes):
        chosen = labels == each
        if chosen.any():
            look = {"color": COLORS[i % len(COLORS)], "marker": MARKERS[i % len(MARKERS)]}
            ax.scatter(*points[chosen].T, s=28, edgecolors="white", linewidths=0.7, label=str(each), zorder=3, **look)
    names = [str(name) for name in getattr(X, "columns", ("$x_1$", "$x_2$"))]
    ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]), xlabel=names[0], ylabel=names[1])
    entitle(ax, f"Decision boundary: {np.count_nonzero(right)} of {len(right)} points right\n(deeper colour: surer)")
    legend(ax, own, title="class", ncols=1 + len(classes) // 16)
    return ax


def _shades(surface: Array) -> Array:
    """Each point in the colour of its likeliest class, paler the nearer it is to a draw."""
    classes = surface.shape[-1]
    palette = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in COLORS])
    draw = 1 / max(classes, 2)
    strength = 0.12 + 0.5 * ((surface.max(-1) - draw) / (1 - draw)).clip(0, 1)[..., None]
    shades: Array = 1 - strength * (1 - palette[surface.argmax(-1) % len(palette)])
    return shades


def _probabilities(model: Any, points: Array, labels: Array) -> tuple[Array, Array]:
    """The probabilities (n, classes) of points and what the classes are."""
    parts = [_asked(model, points[i : i + AT_ONCE], labels) for i in range(0, len(points), AT_ONCE)]
    found = np.concatenate([np.atleast_1d(part) for part in parts])
    if len(found) != len(points) or found.ndim > 2 or not found.size:
        raise ShapeError(
            f"plot_decision_boundary: of points {points.shape} the model must give (n,) or (n, classes), and gave "
            f"{found.shape}"
        )
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.dtype.kind == "f":
        lost = np.isnan(found) if found.ndim == 1 else ~np.isfinite(found.max(1))
        if lost.any():
            raise ValueError(
                f"plot_decision_boundary: for {np.count_nonzero(lost):,} of {len(lost):,} points the model gives NaN "
                f"or infinity, which decides nothing; see whether its weights are finite"
            )
    known = getattr(model, "classes_", None)
    unseen = found[~np.isin(found, labels)]
    if found.dtype.kind != "f" or (found.ndim == 1 and (known is not None or not unseen.size)):
        classes = np.unique(np.concatenate([labels, unseen]) if unseen.size else labels)
        return (found[:, None] == classes).astype(np.float64), classes
    found = found.astype(np.float64)
    if found.ndim == 1:
        if found.min() < 0 or found.max() > 1:
            found = ops.sigmoid(found)
        found = np.stack([1 - found, found], 1)
    elif found.min() < 0 or not np.allclose(found.sum(1), 1, atol=1e-3):
        found = ops.softmax(found, 1)
    classes = classes_of("plot_decision_boundary", labels, found.shape[1]) if known is None else np.asarray(known)
    return found, classes


def _asked(model: Any, points: Array, labels: Array) -> Array:
    if hasattr(model, "predict_proba"):
        try:
            return array(model.predict_proba(points))
        except (TypeError, AttributeError):  # a model of values has the method, and none to give
            if not hasattr(model, "predict"):
                raise
            return _between(array(model.predict(points)), labels)
    if hasattr(model, "predict"):
        return array(model.predict(points))
    if isinstance(model, Module):
        with evaluating(model), no_grad():
            return array(model(tensor(points, dtype=computing_dtype(model))))
    if callable(model):
        return array(model(points))
    raise TypeError(
        f"plot_decision_boundary: the model must have predict_proba or predict, or be callable, and is a "
        f"{type(model).__name__}"
    )


def _between(values: Array, labels: Array) -> Array:
    """Values that were to come near one of two numbers as probabilities of these; others as they are."""
    classes = np.unique(labels)
    if values.size != len(values) or len(classes) != 2 or labels.dtype.kind not in "biuf":
        return values
    low, high = classes.astype(np.float64)
    share = ((values.reshape(-1) - low) / (high - low)).clip(0, 1)
    return np.stack([1 - share, share], 1)
