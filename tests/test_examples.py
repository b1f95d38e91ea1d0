"""The examples run, at a small size here; at their full size where marked slow."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib").use("Agg")
pytest.importorskip("sklearn")
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import autoencoder  # noqa: E402 (found through the path above)
import digits  # noqa: E402
import gpt  # noqa: E402
import mnist  # noqa: E402
import mnist_cnn  # noqa: E402
import names  # noqa: E402
import regression  # noqa: E402

import tensorgrad as tg  # noqa: E402

OUTPUT = {"model.safetensors", "curves.png", "mistakes.png"}


def test_digits_at_a_small_size_writes_everything(tmp_path, capsys):
    accuracy = digits.main(["--epochs", "3", "--out", str(tmp_path / "out")])
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names - {"graph.svg", "graph.dot"} == OUTPUT
    assert names & {"graph.svg", "graph.dot"}
    assert accuracy > 0.8
    assert f"test accuracy: {accuracy:.4f}" in capsys.readouterr().out


def test_digits_again_gives_the_same_numbers_over_the_old_output(tmp_path):
    first, second = (digits.main(["--epochs", "2", "--out", str(tmp_path)]) for _ in range(2))
    assert first == second


def test_digits_without_dot_says_how_to_get_it_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    digits.main(["--epochs", "1", "--out", str(tmp_path)])
    assert (tmp_path / "graph.dot").exists()
    assert "apt" in capsys.readouterr().out


@pytest.mark.slow
def test_digits_reaches_its_figure(tmp_path):
    assert digits.main(["--out", str(tmp_path)]) >= 0.975


def test_mnist_without_the_files_says_where_they_belong(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train-images"):
        mnist.main(["--root", str(tmp_path), "--out", str(tmp_path)])


@pytest.mark.slow
def test_mnist_reaches_its_figure(tmp_path, data_root):
    assert mnist.main(["--root", str(data_root), "--out", str(tmp_path)]) >= 0.98


@pytest.fixture
def small_mnist(tmp_path):
    """A folder with MNIST's four files, of few images: a bright square at a place that says which digit it is."""
    source = np.random.default_rng(0)
    for prefix, n in (("train", 600), ("t10k", 200)):
        labels = source.integers(0, 10, n).astype(np.uint8)
        images = source.integers(0, 40, (n, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels):
            row, column = 4 + 10 * (label // 5), 2 + 5 * (label % 5)
            image[row : row + 6, column : column + 4] = 250
        for name, array in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (tmp_path / name).write_bytes(header + array.tobytes())
    return tmp_path


def written(folder):
    return {path.name for path in folder.iterdir()} - {"graph.svg", "graph.dot"}


def test_mnist_cnn_at_a_small_size_writes_everything(small_mnist):
    out = small_mnist / "out"
    assert mnist_cnn.main(["--root", str(small_mnist), "--epochs", "3", "--out", str(out)]) > 0.5
    assert written(out) == OUTPUT


@pytest.mark.slow
def test_mnist_cnn_reaches_its_figure(tmp_path, data_root):
    assert mnist_cnn.main(["--root", str(data_root), "--epochs", "3", "--out", str(tmp_path)]) >= 0.988


@pytest.mark.parametrize(("latent", "pictures"), [("2", {"pairs.png", "plane.png"}), ("3", {"pairs.png"})])
def test_autoencoder_at_a_small_size_writes_everything(small_mnist, latent, pictures):
    out = small_mnist / "out"
    arguments = ["--root", str(small_mnist), "--epochs", "2", "--latent", latent, "--out", str(out)]
    assert autoencoder.main(arguments) < 600
    assert written(out) == pictures | {"model.safetensors"}


TEXT = "to be, or not to be: that is the question.\n" * 30
SMALL = ["--layers", "1", "--heads", "2", "--channels", "16", "--tokens", "16", "--batch", "4", "--sample", "20"]


def run_gpt(folder, *arguments):
    text = folder / "text.txt"
    text.write_text(TEXT)
    return gpt.main(["--text", str(text), "--out", str(folder / "out"), "--every", "20", *SMALL, *arguments])


def test_gpt_at_a_small_size_learns_and_writes_everything(tmp_path):
    assert run_gpt(tmp_path, "--steps", "60") < 3.0
    assert written(tmp_path / "out") == {"model.safetensors", "checkpoint.safetensors", "curves.png", "sample.txt"}


def test_gpt_resumed_gives_the_numbers_of_an_unbroken_run(tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    unbroken = run_gpt(whole, "--steps", "60", "--dropout", "0.1")

    validate, done = gpt.validate, []

    def validate_twice(*args):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(validate(*args))
        return done[-1]

    monkeypatch.setattr(gpt, "validate", validate_twice)
    with pytest.raises(KeyboardInterrupt):
        run_gpt(parts, "--steps", "60", "--dropout", "0.1")
    monkeypatch.setattr(gpt, "validate", validate)
    assert run_gpt(parts, "--steps", "60", "--dropout", "0.1", "--resume") == unbroken
    for a, b in zip(*(tg.load(p / "out" / "model.safetensors").values() for p in (whole, parts)), strict=True):
        assert a.tolist() == b.tolist()


def test_gpt_says_what_is_missing(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="no checkpoint"):
        run_gpt(tmp_path, "--resume")
    monkeypatch.delenv("TENSORGRAD_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="--text, or set TENSORGRAD_DATA"):
        gpt.main([])


@pytest.mark.parametrize("model", ["mlp", "rnn", "gru", "lstm"])
def test_names_at_a_small_size_writes_everything(tmp_path, model):
    text = tmp_path / "names.txt"
    text.write_text("\n".join(["anna", "emma", "hannah", "otto", "bob", "eve", "ada", "nan", "viv", "elle"] * 5))
    arguments = ["--text", str(text), "--model", model, "--steps", "60", "--count", "3", "--out", str(tmp_path / "out")]
    assert names.main(arguments) < 2.5
    assert written(tmp_path / "out") == {"model.safetensors", "curves.png", "letters.png"}


def test_regression_at_a_small_size_writes_everything(tmp_path):
    assert regression.main(["--steps", "6", "--out", str(tmp_path)]) < 0.2
    assert written(tmp_path) == {"model.safetensors", "fits.png"}
