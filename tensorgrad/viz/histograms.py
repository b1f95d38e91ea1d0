"""How the parameters of a module, and their gradients, are distributed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import AutogradError
from tensorgrad.metrics.base import Array
from tensorgrad.viz.panels import COLORS, QUIET, legend, look, module_of, panels, returned

LARGEST = 1e150  # of larger numbers the squares, and with them the standard deviation, are too large for float64


def plot_weights(module: Any, ax: Any = None) -> Any:
    """Draw a histogram of each parameter of a module, with its mean and standard deviation: a panel each.

    `module` is a Module, or a model with a `.module`. One axes given as `ax` takes all of them, as outlines; several
    take a parameter each. Returns the axes, of several panels an array. Numbers that are not finite are counted in the
    title. Raises `ValueError` for a module without parameters, or with numbers above 1e150 in size.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> axes = viz.plot_weights(tg.nn.Linear(8, 4))
    >>> [ax.get_title().split()[0] for ax in axes]
    ['weight', 'bias']
    """
    found = _parameters("plot_weights", module)
    return _draw("plot_weights", {name: parameter._data for name, parameter in found.items()}, "weight", ax)


def plot_gradients(module: Any, ax: Any = None) -> Any:
    """Draw a histogram of each parameter's gradient, as `plot_weights` does of the parameters.

    Call it after `backward()` and before the gradients are cleared; a parameter without one says so. Raises
    `AutogradError` where no parameter has a gradient.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> layer = tg.nn.Linear(8, 4)
    >>> layer(tg.ones(2, 8)).square().mean().backward()
    >>> axes = viz.plot_gradients(layer)
    >>> axes[0].get_xlabel()
    'gradient'
    """
    found = _parameters("plot_gradients", module)
    arrays = {name: None if p._grad is None else p._grad._data for name, p in found.items()}
    if all(values is None for values in arrays.values()):
        raise AutogradError(
            "plot_gradients: no parameter has a gradient yet; call backward() on a loss first, and zero_grad() after"
        )
    return _draw("plot_gradients", arrays, "gradient", ax)


def _parameters(name: str, module: Any) -> dict[str, Any]:
    found = dict(module_of(name, module).named_parameters())
    if not found:
        raise ValueError(f"{name}: the module has no parameters")
    return found


def _draw(name: str, arrays: dict[str, Array | None], what: str, ax: Any) -> Any:
    for key, values in arrays.items():
        largest = 0.0 if values is None else np.abs(_finite(values)).max(initial=0.0)
        if largest > LARGEST:
            raise ValueError(
                f"{name}: {key!r} holds numbers as large as {largest:.2g}, and up to {LARGEST:g} can be drawn; has the "
                f"training diverged?"
            )
    if ax is not None and np.ndim(ax) == 0 and len(arrays) > 1:
        for i, (key, values) in enumerate(arrays.items()):
            _outline(ax, key, values, look(i))
        ax.set(title=f"{what.capitalize()}s of {len(arrays)} parameters", xlabel=what, ylabel="density")
        ax.grid(alpha=0.3)
        legend(ax, ncols=1 + len(arrays) // 12)
        return ax
    titles = {key: _title(key, values) for key, values in arrays.items()}
    longest = max(len(line) for title in titles.values() for line in title.split("\n"))
    axes = panels(name, len(arrays), ax, 4, (max(2.6, 0.09 * longest), 2.3))
    for each, (key, values) in zip(axes, arrays.items()):
        each.set_title(titles[key], fontsize=9)
        _histogram(each, values)
        each.set_xlabel(what, fontsize=9)
    return returned(axes)


def _finite(values: Array) -> Array:
    flat = values.astype(np.float64).ravel()
    return flat[np.isfinite(flat)]


def _summary(values: Array) -> str:
    finite = _finite(values)
    if not finite.size:
        return f"{values.size:,} not finite" if values.size else "empty"
    text = f"mean {finite.mean():.2g}, std {finite.std():.2g}"
    if finite.min() == finite.max():
        text = f"all {finite[0]:.3g}"
    lost = values.size - finite.size
    return f"{text}, {lost:,} not finite" if lost else text


def _title(key: str, values: Array | None) -> str:
    if values is None:
        return f"{key}\nno gradient"
    shape = "x".join(map(str, values.shape)) or "scalar"
    return f"{key}  {shape}\n{_summary(values)}"


def _bins(finite: Array) -> Array:
    low, high = finite.min(), finite.max()
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, 1 + int(np.clip(np.sqrt(finite.size), 9, 60)))


def _histogram(ax: Any, values: Array | None) -> None:
    if values is None:
        ax.text(0.5, 0.5, "no gradient", transform=ax.transAxes, ha="center", va="center", color=QUIET)
        ax.set(xticks=[], yticks=[])
        return
    finite = _finite(values)
    if finite.size < values.size:
        ax.title.set_color(COLORS[1])
    if finite.size:
        ax.hist(finite, _bins(finite), color=COLORS[0])
        ax.axvline(0, color=QUIET, linewidth=0.8, linestyle=":")
    ax.set_ylabel("count", fontsize=9)
    ax.locator_params(axis="x", nbins=4)
    ax.locator_params(axis="y", nbins=4, integer=True)
    ax.tick_params(labelsize=8)


def _outline(ax: Any, key: str, values: Array | None, style: dict[str, str]) -> None:
    label = f"{key}: {'no gradient' if values is None else _summary(values)}"
    finite = np.zeros(0) if values is None else _finite(values)
    if finite.size:
        ax.hist(finite, _bins(finite), density=True, histtype="step", label=label, **style)
    else:
        ax.plot([], [], label=label, **style)
