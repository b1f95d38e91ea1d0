"""The examples on the training engine run, at a small size here; at their full size where marked slow."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib").use("Agg")
pytest.importorskip("sklearn")
pytest.importorskip("tqdm")
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import circles  # noqa: E402 (found through the path above)
import deep_dense  # noqa: E402
import gallery  # noqa: E402
import spiral  # noqa: E402
import tracked  # noqa: E402

import tensorgrad as tg  # noqa: E402
from tensorgrad import nn, train  # noqa: E402


def written(folder):
    return {path.name for path in folder.iterdir()}


def test_spiral_at_a_small_size_writes_everything(tmp_path, capsys):
    mean = spiral.main(["--epochs", "60", "--seeds", "2", "--compare", "20", "--out", str(tmp_path)])
    assert written(tmp_path) == {"model.safetensors", "fit.png", "optimizers.png"}
    printed = capsys.readouterr().out
    assert f"training   {mean:.3f}" in printed
    assert all(f"{name} 0." in printed for name in spiral.OPTIMIZERS)


def test_spiral_compares_every_optimizer_that_takes_vectors():
    kinds = {name.lower() for name, kind in vars(tg.optim).items() if hasattr(kind, "step")}
    assert kinds - {name.lower() for name in spiral.OPTIMIZERS} == {"optimizer", "muon"}


@pytest.mark.slow
def test_spiral_reaches_its_figure(tmp_path):
    assert spiral.main(["--seeds", "3", "--compare", "0", "--out", str(tmp_path)]) >= 0.94


def test_circles_stops_early_near_the_best_there_is(tmp_path, capsys):
    assert 0.86 < circles.main(["--out", str(tmp_path)]) < 0.905
    assert written(tmp_path) == {"model.safetensors", "history.png", "boundary.png"}
    assert "stopped after" in capsys.readouterr().out


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_deep_dense_tells_tumours_apart(tmp_path, capsys, activation):
    arguments = ["--activation", activation, "--epochs", "40", "--out", str(tmp_path)]
    accuracy = deep_dense.main(arguments)
    assert accuracy > 0.9
    assert written(tmp_path) == {"model.safetensors", "result.png"}
    assert f"test accuracy {accuracy:.4f}" in capsys.readouterr().out


def test_deep_dense_predicts_values(tmp_path, capsys):
    r2 = deep_dense.main(["--data", "diabetes", "--sizes", "10", "16", "1", "--out", str(tmp_path)])
    assert r2 > 0.2
    assert f"test R2 {r2:.4f}" in capsys.readouterr().out


def test_deep_dense_takes_pictures_as_small_as_the_first_size_says(tmp_path, data_root):
    pytest.importorskip("h5py")
    arguments = ["--data", "cats", "--sizes", "192", "8", "1", "--epochs", "5", "--root", str(data_root)]
    assert deep_dense.main([*arguments, "--out", str(tmp_path)]) > 0.3


def test_gallery_writes_a_page_for_each_choice_and_says_what_is_on_it(tmp_path, capsys):
    models = gallery.main(["--epochs", "3", "--root", str(tmp_path), "--out", str(tmp_path / "out")])
    pages = {f"{title.lower().replace(' ', '_')}.png" for title in gallery.CHOICES}
    assert written(tmp_path / "out") == pages | {"overview.png"}
    printed = capsys.readouterr().out
    assert "without the cats: CatVsNonCat: train_catvnoncat.h5 not found" in printed
    for title, choice in gallery.CHOICES.items():
        assert f"{title}, after 3 epochs\n  {choice.known}" in printed
        assert models[title]["moons"].keys() == choice.runs.keys()


def test_gallery_says_which_run_was_best():
    models = {name: train.Model([nn.Linear(1, 1)]) for name in ("slow", "quick")}
    for loss, accuracy, model in zip((0.5, 0.25), (0.6, 0.9), models.values()):
        model.history.append(0, {"loss": loss, "accuracy": accuracy, "val_accuracy": 1 - accuracy})
    assert gallery.seen(models, "loss") == (
        "training loss is 0.25 with quick, 0.5 with slow; training accuracy is 0.9 with quick, 0.6 with slow; "
        "validation accuracy is 0.4 with slow, 0.1 with quick"
    )


@pytest.fixture
def few_cats(tmp_path):
    """A folder with the two files of the cats, of few pictures: those with a cat are brighter in the middle."""
    h5py = pytest.importorskip("h5py")
    source = np.random.default_rng(0)
    for part, n in (("train", 40), ("test", 20)):
        labels = np.arange(n) % 2
        pixels = source.integers(0, 60, (n, 64, 64, 3)).astype(np.uint8)
        pixels[labels == 1, 16:48, 16:48] += 150
        with h5py.File(tmp_path / f"{part}_catvnoncat.h5", "w") as file:
            file[f"{part}_set_x"], file[f"{part}_set_y"] = pixels, labels
            file["list_classes"] = np.array([b"non-cat", b"cat"])
    return tmp_path


SMALL = ["--epochs", "1", "--seeds", "2", "--copies", "2", "--rounds", "1"]


def test_tracked_without_mlflow_prints_the_mean_of_each_network(few_cats, capsys):
    found = tracked.main(["--no-track", *SMALL, "--root", str(few_cats), "--out", str(few_cats / "out")])
    assert list(found) == ["convolutional", "256-64-1", "20-7-5-1", "20-7-5-1 taught"]
    models = {f"cats_{name.replace(' ', '_')}.safetensors" for name in found}
    assert written(few_cats / "out") == {"cats.png"} | models
    printed = capsys.readouterr().out
    assert all(f"{name:<15} {sum(values) / 2:.4f}" in printed for name, values in found.items())


def test_tracked_keeps_a_run_of_each_network_and_one_of_each_fit_below_it(few_cats):
    mlflow = pytest.importorskip("mlflow")
    found = tracked.main([*SMALL, "--root", str(few_cats), "--out", str(few_cats / "out")])
    client = mlflow.MlflowClient(f"sqlite:///{few_cats / 'out' / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("cats").experiment_id])
    above = [run for run in runs if run.info.run_name in found]
    means = {run.info.run_name: run.data.metrics["mean_test_accuracy"] for run in above}
    assert means == {name: pytest.approx(sum(values) / 2) for name, values in found.items()}
    assert len(runs) == 12


@pytest.mark.slow
def test_tracked_comes_near_its_figures_at_half_the_size(tmp_path, data_root):
    pytest.importorskip("h5py")
    arguments = ["--no-track", "--root", str(data_root), "--out", str(tmp_path)]
    cats = tracked.main(["--seeds", "2", "--copies", "12", "--rounds", "6", *arguments])
    assert np.mean(cats["convolutional"]) >= 0.8
    assert np.mean(cats["20-7-5-1 taught"]) >= 0.74
    assert np.mean(tracked.main(["--data", "mnist", "--seeds", "1", *arguments])["32-16-10"]) >= 0.955
