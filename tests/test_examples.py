"""The examples run, at a small size here; at their full size where marked slow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib").use("Agg")
pytest.importorskip("sklearn")
sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import digits  # noqa: E402 (found through the path above)
import mnist  # noqa: E402

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
