"""The picture of a study."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tensorgrad.tuning.pruning import optuna


def plot_study(study: Any, ax: Any = None) -> Any:
    """Draw the value of each trial and the best so far, and beside it how much each parameter matters; return the axes.

    `study` is a study of Optuna or what `search` returned. `ax` is an array of two axes, or one for the values alone;
    where nothing is known of what matters, with one parameter or few trials, there is that one too. What matters is
    told by PED-ANOVA (Watanabe et al., 2023, arXiv:2304.10255). Raises `ValueError` where no trial came to its end,
    `ImportError` without matplotlib.

    >>> import optuna
    >>> from tensorgrad import tuning
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> study = optuna.create_study()
    >>> study.optimize(lambda trial: trial.suggest_float("x", 1, 2) ** 2, n_trials=3)
    >>> tuning.plot_study(study).get_ylabel()
    'value'
    """
    from tensorgrad.viz.curves import spread
    from tensorgrad.viz.panels import COLORS, QUIET, legend, panels, pyplot, returned

    plt = pyplot("plot_study")
    study = getattr(study, "study", study)
    done = {state: [t for t in study.trials if t.state.name == state] for state in ("COMPLETE", "PRUNED", "FAIL")}
    complete = done["COMPLETE"]
    if not complete:
        raise ValueError("plot_study: no trial of the study has come to its end yet")
    matters = {} if ax is not None and not hasattr(ax, "__len__") else _importances(study)
    axes = panels("plot_study", 2 if matters else 1, ax, 2, (6, 4))
    values = axes[0]
    largest = study.direction.name == "MAXIMIZE"
    best: list[float] = []
    for trial in complete:
        better = max if largest else min
        best.append(better([*best[-1:], trial.value]))
    numbers = [trial.number for trial in complete]
    values.plot(numbers, [t.value for t in complete], "o", color=COLORS[0], label="trial")
    values.step(numbers, best, where="post", color=COLORS[1], label="best so far")
    pruned = [(t.number, t.intermediate_values) for t in done["PRUNED"] if t.intermediate_values]
    last = [reports[max(reports)] for _, reports in pruned]
    if pruned:
        values.hlines(best[-1], numbers[-1], max(numbers[-1], pruned[-1][0]), color=COLORS[1])
        values.plot([n for n, _ in pruned], last, "x", color=QUIET, label="pruned, its last value")
    metric = study.user_attrs.get("metric", "value")
    drawn = np.array([*(trial.value for trial in complete), *last])
    logarithmic = spread(metric, drawn[np.isfinite(drawn)])
    if logarithmic:
        values.set_yscale("log")
    failed = f"; {len(done['FAIL'])} failed" if done["FAIL"] else ""
    found = study.best_trial
    values.set(
        title=f"Best: {found.value:.4g}, in trial {found.number}{failed}",
        xlabel="trial",
        ylabel=f"{metric} (log scale)" if logarithmic else metric,
    )
    values.xaxis.set_major_locator(plt.matplotlib.ticker.MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    values.grid(alpha=0.3)
    legend(values)
    if matters:
        names = list(matters)[::-1]
        bars = axes[1].barh(names, [matters[name] for name in names], color=COLORS[0])
        axes[1].bar_label(bars, fmt="{:.2f}", padding=3)
        axes[1].margins(x=0.15)
        axes[1].set(title="What matters", xlabel="share of importance")
        axes[1].grid(alpha=0.3, axis="x")
    return returned(axes)


def _importances(study: Any) -> dict[str, float]:
    """How much each parameter matters, the most first; nothing where it cannot be told."""
    importance = optuna("plot_study").importance
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = importance.get_param_importances(
                study, evaluator=importance.PedAnovaImportanceEvaluator(), normalize=False
            )
        except ValueError:  # of a single trial, before Optuna 5
            return {}
    total = sum(found.values())
    return {name: x / total for name, x in found.items()} if len(found) > 1 and total > 0 else {}
