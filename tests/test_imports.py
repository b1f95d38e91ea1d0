"""Importing the library is cheap, and brings in nothing optional; rooms import one way."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "tensorgrad"
OPTIONAL = [
    "safetensors", "graphviz", "sklearn", "matplotlib", "tqdm", "h5py", "pandas", "torch", "numba", "cupy", "scipy",
    "hypothesis", "pytest", "mlflow", "optuna", "IPython",
]  # fmt: skip


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_brings_in_no_optional_package():
    code = f"import sys, tensorgrad; print([m for m in {OPTIONAL} if m in sys.modules])"
    assert run(code) == "[]"


def test_training_brings_in_no_optional_package():
    code = f"""
import sys, tensorgrad as tg
model = tg.nn.Linear(2, 1)
optimizer = tg.optim.Adam(model.parameters())
for x, y in tg.utils.data.DataLoader(tg.utils.data.TensorDataset(tg.randn(4, 2), tg.randn(4, 1)), batch_size=2):
    tg.nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
print([m for m in {OPTIONAL} if m in sys.modules])"""
    assert run(code) == "[]"


def test_rooms_are_reached_by_name_in_a_fresh_process():
    names = "autograd.functional.hessian autograd.gradcheck nn.functional.relu utils.data.DataLoader io.save errors"
    used = "; ".join(f"tg.{name}" for name in names.split())
    assert run(f"import tensorgrad as tg; {used}; print('all')") == "all"


def test_every_public_name_is_there():
    assert run("import tensorgrad as tg; print([n for n in tg.__all__ if not hasattr(tg, n)])") == "[]"


# The rooms, lowest first: each imports only from those before it (and from its own).
ORDER = [
    ["errors", "return_types"],
    ["files"],
    ["backends"],
    ["autograd"],
    ["ops"],
    ["printing"],
    ["formats"],
    ["protocols"],
    ["conversions"],
    ["filling"],
    ["tensor"],
    ["creation"],
    ["linalg"],
    ["random"],
    ["types"],
    ["settings", "amp", "cuda", "accelerator", "distributed", "multiprocessing"],
    ["testing"],
    ["metrics"],
    ["nn"],
    ["func"],
    ["optim"],
    ["utils"],
    ["datasets"],
    ["vision"],
    ["layout"],
    ["io"],
    ["train"],
    ["estimators"],
    ["viz"],
    ["tracking", "tuning"],
    ["as_torch"],
    ["stand_in"],
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}


def imports_at_the_top(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tensorgrad"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_one_way(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room in RANK
    upward = {other for other in imports_at_the_top(path) if RANK[other] > RANK[room]}
    assert upward == set()


@pytest.mark.parametrize("path", sorted((PACKAGE / "ops").glob("*.py")), ids=lambda p: p.name)
def test_operations_do_not_name_numpy(path):
    """A vjp is written with operators and public operations only: that is what lets tensors through it."""
    names = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "numpy" not in names
