"""The examples on the training engine run, at a small size here; at their full size where marked slow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib").use("Agg")
pytest.importorskip("sklearn")
pytest.importorskip("tqdm")
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import circles  # noqa: E402 (found through the path above)
import deep_dense  # noqa: E402
import gallery  # noqa: E402
import spiral  # noqa: E402

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
