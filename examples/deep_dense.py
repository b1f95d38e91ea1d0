"""A deep dense network of any sizes, for classes or for values: fitted, scored, drawn, saved and loaded back.

python examples/deep_dense.py [--data cancer|diabetes|cats] [--sizes 30 64 32 1] [--activation relu|tanh|sigmoid]
    [--root FOLDER] [--epochs 200] [--seed 0] [--out runs/deep_dense]

The breast cancer data (569 tumours, malignant or benign) and the diabetes data (442 patients, how far the disease had
gone a year later) come with scikit-learn. The pictures of cats are looked for in `--root`, by default the folder that
TENSORGRAD_DATA names; they are made as small as the first of the sizes says, 3072 = 3 x 32 x 32.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import tensorgrad as tg
from tensorgrad import train, viz
from tensorgrad.datasets import CatVsNonCat
from tensorgrad.nn import functional as F


def load(data: str, root: Path | None, features: int, seed: int) -> tuple[list[Any], list[Any]]:
    """X and y to learn from, and X and y to test on, scaled by what is learned from."""
    if data == "cats":
        side = round((features / 3) ** 0.5)
        parts = [CatVsNonCat(root, train=part) for part in (True, False)]
        X, X_test = (F.adaptive_avg_pool2d(part.images, side).flatten(1).numpy() - 0.5 for part in parts)
        y, y_test = (np.array(part.classes)[part.labels.numpy()] for part in parts)
        return [X, y], [X_test, y_test]
    found = load_breast_cancer() if data == "cancer" else load_diabetes()
    labels = found.target_names[found.target] if data == "cancer" else found.target[:, None]
    X, X_test, y, y_test = train_test_split(found.data, labels, test_size=0.2, random_state=seed)
    scaler = StandardScaler().fit(X)
    X, X_test = scaler.transform(X), scaler.transform(X_test)
    if data == "diabetes":
        scaler = StandardScaler().fit(y)
        y, y_test = scaler.transform(y), scaler.transform(y_test)
    return [X, y], [X_test, y_test]


def show_classes(model: train.Model, X: Any, y: Any, axes: Any) -> None:
    """Print and draw how well two classes are told apart."""
    predicted, sure = model.predict_classes(X), model.predict_proba(X)[:, 1]
    second = model.classes_[1]
    viz.plot_confusion_matrix(y, predicted, ax=axes[0])
    viz.plot_roc(y, sure, ax=axes[1])
    print(f"test accuracy {model.score(X, y):.4f} ({(predicted == y).sum()} of {len(y)})")
    print(f"area under the ROC curve {roc_auc_score(y == second, sure):.4f}")
    print(f"confusion matrix, {' and '.join(model.classes_)}: {confusion_matrix(y, predicted).tolist()}")
    for i in range(3):
        print(f"  {y[i]} was taken for {predicted[i]}, with a probability of {sure[i]:.3f} for {second}")


def show_values(model: train.Model, X: Any, y: Any, axes: Any) -> None:
    """Print and draw how near the values are."""
    y, predicted = y[:, 0], model.predict(X)[:, 0]
    axes[0].scatter(y, predicted, s=14)
    axes[0].axline((y.mean(), y.mean()), slope=1, color="0.5", linestyle=":")
    axes[0].set(title="Each patient", xlabel="true value (standard deviations)", ylabel="predicted value")
    axes[0].grid(alpha=0.3)
    print(f"test R2 {model.score(X, y):.4f}")
    for i in range(3):
        print(f"  {y[i]:.2f} was predicted as {predicted[i]:.2f}")


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="A deep dense network of any sizes, for classes or for values.")
    parser.add_argument("--data", choices=["cancer", "diabetes", "cats"], default="cancer")
    parser.add_argument("--sizes", type=int, nargs="+", help="from the features to the one output")
    parser.add_argument("--activation", choices=["relu", "tanh", "sigmoid"], default="relu")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--epochs", type=int, default=200, help="at most so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/deep_dense"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    sizes = options.sizes or [{"cancer": 30, "diabetes": 10, "cats": 3072}[options.data], 64, 32, 1]
    (X, y), (X_test, y_test) = load(options.data, options.root, sizes[0], options.seed)
    classes = options.data != "diabetes"
    model = train.Model(
        train.mlp(
            sizes,
            options.activation,
            "sigmoid" if classes else None,
            dropout=0.2,
            init="he" if options.activation == "relu" else "xavier",
        )
    )
    model.compile(
        "adam", "binary_crossentropy" if classes else "mse", ["accuracy" if classes else "r2"], learning_rate=1e-3
    )
    model.summary()
    stopping = train.EarlyStopping(patience=20)
    model.fit(X, y, options.epochs, validation_split=0.2, callbacks=[stopping])

    options.out.mkdir(parents=True, exist_ok=True)
    saved = options.out / "model.safetensors"
    model.save(saved)
    loaded = train.Model.load(saved)
    figure, axes = plt.subplots(1, 4 if classes else 3, figsize=(18 if classes else 14, 4), layout="constrained")
    viz.plot_history(model.history, ["loss", "accuracy" if classes else "r2"], ax=axes[:2])
    print(f"stopped after {len(model.history.epoch)} epochs; the weights are those of epoch {stopping.best_epoch + 1}")
    (show_classes if classes else show_values)(loaded, X_test, y_test, axes[2:])
    figure.savefig(options.out / "result.png", dpi=80)
    plt.close(figure)
    print(f"saved: {saved}, {options.out / 'result.png'}")
    return loaded.score(X_test, y_test)


if __name__ == "__main__":
    main()
