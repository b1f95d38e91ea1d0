"""How well classes are told apart: the confusion matrix and ROC curves, as scikit-learn counts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import array
from tensorgrad.metrics.scikit_learn import of_scikit_learn
from tensorgrad.viz.panels import QUIET, classes_of, entitle, fitting, instead_of, legend, look, panel

SHARES = {"true": "share of each true class", "pred": "share of each predicted class", "all": "share of all examples"}
MOST_NUMBERS = 30  # classes up to which the cells are large enough for a number
CROWDED = 12  # classes above which a nought is left out


def plot_confusion_matrix(
    y_true: Any, y_pred: Any, labels: Sequence[Any] | None = None, normalize: str | None = None, ax: Any = None
) -> Any:
    """Draw how often each true class (a row) was predicted as each class (a column).

    `y_true` and `y_pred` are classes (n,), numbers or strings; `labels` says which of them to show, and in what order:
    only examples whose true and predicted class are both shown count. Strings for classes that are numbers are their
    names, in the order of the numbers. `normalize` gives shares for counts: of "true" or "pred" classes, or of "all"
    examples. Counts are those of scikit-learn's `confusion_matrix`, which must be installed. Returns the axes.

    >>> from tensorgrad import viz
    >>> ax = viz.plot_confusion_matrix(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '0', '1', '1']
    """
    name = "plot_confusion_matrix"
    true, predicted = array(y_true), array(y_pred)
    if true.ndim != 1 or true.shape != predicted.shape or not true.size:
        raise ShapeError(
            f"{name}: y_true {true.shape} and y_pred {predicted.shape} must be classes of one shape (n,)"
            f"{instead_of(predicted)}"
        )
    if normalize is not None and normalize not in SHARES:
        raise ValueError(f"{name}: normalize must be 'true', 'pred', 'all' or None, not {normalize!r}")
    every = np.concatenate([true, predicted])
    shown = np.unique(every) if labels is None else np.asarray(labels)
    classes = [str(label) for label in shown]
    if shown.dtype.kind == "U" and every.dtype.kind in "biuf":
        shown = classes_of(name, every, len(classes), "names in labels")
    counts = of_scikit_learn("confusion_matrix", name)(true, predicted, labels=shown, normalize=normalize)
    n, longest = len(classes), max(map(len, classes))
    texts = [[f"{c:.0%}" if normalize else f"{c:,}" for c in row] for row in counts]
    widest = max(len(text) for row in texts for text in row)
    own = ax is None
    side = min(max(3.2, max(0.42, 0.09 * widest) * n), 14) + min(0.05 * longest, 2)
    ax = panel(name, ax, (side + 1.2, side + 0.4))
    image = ax.imshow(counts, cmap="Blues", vmin=0, vmax=max(counts.max(), 1e-12))
    if n <= MOST_NUMBERS:
        size = fitting(ax, "0" * max(widest + 1, 3) * n, 4, 11)
        for i, row in enumerate(texts):
            for j, text in enumerate(row):
                if n > CROWDED and not counts[i, j]:
                    continue
                color = "white" if counts[i, j] > 0.55 * counts.max() else "#a0a0a0" if counts[i, j] == 0 else "black"
                ax.text(j, i, text, ha="center", va="center", color=color, fontsize=size)
    step = 1 + (n - 1) // 40
    ax.set_xticks(range(0, n, step), classes[::step])
    ax.set_yticks(range(0, n, step), classes[::step])
    if longest * n > 40:
        ax.tick_params(axis="x", rotation=90)
    ax.set(xlabel="predicted class", ylabel="true class")
    counted = np.isin(true, shown) & np.isin(predicted, shown)
    right, total = np.count_nonzero(counted & (true == predicted)), np.count_nonzero(counted)
    entitle(ax, f"Confusion matrix\n{right:,} of {total:,} right" + (f" ({right / total:.1%})" if total else ""))
    if own:
        bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, label=SHARES[normalize] if normalize else "examples")
        if normalize:
            bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        else:
            bar.ax.yaxis.get_major_locator().set_params(integer=True)
    elif normalize:
        ax.set_xlabel(f"predicted class\n({SHARES[normalize]})")
    return ax


def plot_roc(y_true: Any, y_score: Any, ax: Any = None) -> Any:
    """Draw the ROC curve: the share of a class that is found, by the share of the others that is taken for it.

    `y_score` are scores or probabilities: (n,) or (n, 1) of the second of two classes, or (n, classes), for more than
    two of which there is a curve of each class against the rest. `y_true` are the classes (n,) in whose order the
    columns stand. The legend has the area under each curve (AUC): 1 is perfect and 0.5 is chance. Curves are those of
    scikit-learn, which must be installed. Returns the axes.

    >>> from tensorgrad import viz
    >>> ax = viz.plot_roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> ax.get_legend().get_texts()[0].get_text()
    '1 (AUC 0.750)'
    """
    name = "plot_roc"
    true, scores = array(y_true), array(y_score)
    if scores.dtype.kind not in "fiub":
        raise TypeError(f"{name}: y_score must be scores or probabilities, not labels; take model.predict_proba(X)")
    if scores.ndim == 2 and scores.shape[1] <= 2:
        scores = scores[:, -1]
    if true.ndim == 2:
        true = true.argmax(1) if true.shape[1] > 1 else true[:, 0]
    if true.ndim != 1 or scores.ndim not in (1, 2) or len(true) != len(scores) or not len(true):
        raise ShapeError(
            f"{name}: y_true {array(y_true).shape} must be classes (n,), and y_score {array(y_score).shape} (n,) or "
            f"(n, classes)"
        )
    if scores.ndim == 1:
        classes = np.unique(true)
        if len(classes) != 2:
            raise ValueError(f"{name}: scores (n,) are of two classes, and y_true has {len(classes)}")
        columns = {classes[1]: scores}
    else:
        columns = dict(zip(classes_of(name, true, scores.shape[1]).tolist(), scores.T))
    roc_curve, area = of_scikit_learn("roc_curve", name), of_scikit_learn("auc", name)
    own = ax is None
    longest = max(len(str(each)) for each in columns)
    ax = panel(name, ax, (6.4 + 0.08 * longest, 4.8) if len(columns) > 1 else (5.2, 4.8))
    areas = []
    for i, (each, column) in enumerate(columns.items()):
        positive = true == each
        if positive.any() and not positive.all():
            fall_out, recall, _ = roc_curve(positive, column)
            areas.append(area(fall_out, recall))
            ax.plot(fall_out, recall, label=f"{each} (AUC {areas[-1]:.3f})", **look(i))
        else:
            ax.plot([], [], label=f"{each} (no AUC: {'all' if positive.all() else 'no'} examples)", **look(i))
    ax.plot([0, 1], [0, 1], color=QUIET, linestyle=":", label="chance (AUC 0.5)", zorder=1)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    ax.set(xlabel="false positive rate", ylabel="true positive rate")
    ax.grid(alpha=0.3)
    if len(columns) == 1:
        entitle(ax, "ROC curve")
        legend(ax, title="class", loc="lower right")
    else:
        mean = f"\n(mean AUC {np.mean(areas):.3f})" if areas else ""
        entitle(ax, f"ROC curves, each class against the rest{mean}")
        legend(ax, own, title="class", ncols=1 + len(columns) // 20)
    return ax
