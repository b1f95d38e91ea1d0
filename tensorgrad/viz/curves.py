"""Curves of training: one run's numbers by epoch, and several runs side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tensorgrad.metrics.naming import larger_is_better
from tensorgrad.viz.panels import COLORS, QUIET, fitting, legend, look, panel, panels, returned

DECADES = 50  # a loss that falls by more than this is drawn on a logarithmic scale
MOST = 10  # runs that are told apart in one panel
FEW = 30  # up to so many epochs each is a dot on the line


def plot_history(history: Any, metrics: str | Iterable[str] | None = None, ax: Any = None) -> Any:
    """Draw the loss and the metrics of a training run by epoch: a panel each, with validation beside training.

    `history` maps names to a list of numbers, one per epoch, or has such a `.history`, as what `fit` returns; "val_"
    before a name makes it the validation's. `metrics` are the names to draw, by default all, and `ax` the axes to draw
    them into. The best epoch of validation is marked: where a loss or an error is smallest, or a score largest. A loss
    that falls far has a logarithmic scale, and numbers that are not finite are left out and counted in the legend.
    Returns the axes, of several panels an array. Raises `ValueError` for a history without epochs or a name not in it.

    >>> from tensorgrad import viz
    >>> ax = viz.plot_history({"loss": [0.9, 0.5, 0.3], "val_loss": [0.8, 0.6, 0.7]})
    >>> [line.get_label() for line in ax.lines][:2]
    ['training', 'validation']
    """
    records = _records("plot_history", history)
    known = list(dict.fromkeys(name.removeprefix("val_") for name in records))
    known.sort(key=lambda name: name != "loss")
    if metrics is None:
        chosen = known
    else:
        chosen = [metrics] if isinstance(metrics, str) else list(metrics)
        chosen = list(dict.fromkeys(name.removeprefix("val_") for name in chosen))
        for name in chosen:
            if name not in known:
                raise ValueError(f"plot_history: the history has no {name!r}; it has {', '.join(known)}")
        if not chosen:
            raise ValueError(f"plot_history: metrics names none to draw; the history has {', '.join(known)}")
    axes = panels("plot_history", len(chosen), ax, 3, (4.6, 3.6))
    for each, name in zip(axes, chosen):
        _draw_pair(each, name, records.get(name), records.get(f"val_{name}"))
    return returned(axes)


def compare_histories(histories: Mapping[str, Any], metric: str = "loss", ax: Any = None) -> Any:
    """Draw one number of several training runs by epoch: `histories` maps the name of each run to its history.

    `metric` is a name in every history, as "loss" or "val_accuracy"; the legend says each run's best. More than 10 runs
    have a panel each, where no `ax` is given, with the others in grey. The histories and the scale are those of
    `plot_history`. Returns the axes, of several panels an array. Raises `ValueError` for a run that lacks the metric.

    >>> from tensorgrad import viz
    >>> ax = viz.compare_histories({"adam": {"loss": [0.9, 0.2]}, "sgd": {"loss": [0.9, 0.5]}})
    >>> [line.get_label() for line in ax.lines]
    ['adam (best 0.2)', 'sgd (best 0.5)']
    """
    if not isinstance(histories, Mapping):
        raise TypeError(
            f"compare_histories: histories must map the name of each run to its history, as in {{'adam': history}}, "
            f"and is {type(histories).__name__}"
        )
    if not histories:
        raise ValueError("compare_histories: there are no histories to draw")
    curves = {}
    for run, history in histories.items():
        records = _records(f"compare_histories: {run!r}", history)
        if metric not in records:
            raise ValueError(f"compare_histories: {run!r} has no {metric!r}; it has {', '.join(records)}")
        curves[run] = records[metric]
    own = ax is None
    every = list(curves.values())
    best = {run: _best(metric, values) for run, values in curves.items()}
    labels = {run: str(run) if i is None else f"{run} (best {curves[run][i]:.4g})" for run, i in best.items()}
    if own and len(curves) > MOST:
        axes = panels("compare_histories", len(curves), None, 5, (2.6, 2.2))
        for each, (run, values) in zip(axes, curves.items()):
            for other in every:
                _line(each, other, "", color="0.85", linewidth=0.7)
            _line(each, values, "", color=COLORS[0])
            _finish(each, metric, every)
            each.set_title(labels[run], fontsize=fitting(each, max(labels.values(), key=len), 6, 10))
            each.locator_params(axis="x", nbins=4)
            each.label_outer()
        return returned(axes)
    longest = max(map(len, curves))
    many = own and (len(curves) > 4 or longest > 24)
    ax = panel("compare_histories", ax, (7.2 + 0.08 * longest, 4.2) if many else (6, 4.2))
    for i, (run, values) in enumerate(curves.items()):
        _line(ax, values, labels[run], **look(i))
    _finish(ax, metric, every)
    legend(ax, many, ncols=1 + len(curves) // 18)
    return ax


def _records(name: str, history: Any) -> dict[str, np.ndarray[Any, Any]]:
    found = getattr(history, "history", history)
    if not isinstance(found, Mapping):
        raise TypeError(
            f"{name}: a history maps names to a list of numbers per epoch, or has such a .history; this is "
            f"{type(history).__name__}"
        )
    records = {key: np.array([float(value) for value in values]) for key, values in found.items()}
    records = {key: values for key, values in records.items() if values.size}
    if not records:
        raise ValueError(f"{name}: the history has no epochs yet")
    return records


def spread(name: str, values: np.ndarray[Any, Any]) -> bool:
    """Whether finite numbers of a name, no score, lie so far apart that they need a logarithmic scale."""
    return bool(not larger_is_better(name) and values.size and 0 < values.min() < values.max() / DECADES)


def _best(name: str, values: np.ndarray[Any, Any]) -> int | None:
    """The epoch, from 0, of the best value, the first of equals."""
    finite = np.isfinite(values)
    if not finite.any():
        return None
    worst = -np.inf if larger_is_better(name) else np.inf
    ranked = np.where(finite, values, worst)
    return int(ranked.argmax() if larger_is_better(name) else ranked.argmin())


def _line(ax: Any, values: np.ndarray[Any, Any], label: str, **kwargs: Any) -> None:
    finite = np.isfinite(values)
    lost = len(values) - int(finite.sum())
    if lost:
        label += f" ({lost} of {len(values)} not finite)"
    dots = "." if len(values) <= FEW or lost else ""
    ax.plot(np.arange(1, len(values) + 1), np.where(finite, values, np.nan), marker=dots, label=label, **kwargs)


def _draw_pair(ax: Any, name: str, training: Any, validation: Any) -> None:
    if training is not None:
        _line(ax, training, "training", color=COLORS[0])
    if validation is not None:
        _line(ax, validation, "validation", color=COLORS[1])
        best = _best(name, validation)
        if best is not None:
            label = f"best: {validation[best]:.4g}, epoch {best + 1}"
            ax.axvline(best + 1, color=QUIET, linestyle=":", linewidth=1, zorder=1)
            ax.plot([best + 1], [validation[best]], "*", color=COLORS[1], markeredgecolor="black", ms=11, label=label)
    _finish(ax, name, [values for values in (training, validation) if values is not None])
    legend(ax)


def _finish(ax: Any, name: str, curves: list[np.ndarray[Any, Any]]) -> None:
    from matplotlib.ticker import MaxNLocator

    longest = max(len(values) for values in curves)
    every = np.concatenate(curves)
    every = every[np.isfinite(every)]
    words = name.replace("val_", "validation_").replace("_", " ")
    logarithmic = spread(name, every)
    if logarithmic:
        ax.set_yscale("log")
    title = words.upper() if len(words) <= 3 else words[:1].upper() + words[1:]
    ax.set(title=title, xlabel="epoch", ylabel=f"{words} (log scale)" if logarithmic else words)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    if longest == 1:
        ax.set_xlim(0.5, 1.5)
    ax.grid(alpha=0.3)
    if not every.size:
        ax.text(0.5, 0.5, "no finite number", transform=ax.transAxes, ha="center", va="center", color=QUIET)
