"""What all tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis
import pytest

import tensorgrad as tg

hypothesis.settings.register_profile("default", deadline=None, max_examples=30, derandomize=True)
hypothesis.settings.load_profile("default")


def pytest_make_parametrize_id(val):
    """Functions and classes by their names: their addresses differ from process to process of a parallel run."""
    return getattr(val, "__name__", None) if callable(val) else None


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts from the same random numbers and the default dtype, and leaves no mode and no figure behind."""
    tg.manual_seed(0)
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    assert tg.is_grad_enabled()
    assert tg.get_default_dtype() == tg.float32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "file.safetensors"


@pytest.fixture
def data_root() -> Path:
    """The folder of real data, where it is: tests that need it skip elsewhere, and say so."""
    root = Path(os.environ.get("TENSORGRAD_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"the real data are not at {root}; set TENSORGRAD_DATA")
    return root
