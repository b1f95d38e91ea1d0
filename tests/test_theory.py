"""The notebook on theory is stored clean, and every formula in it agrees with the graph and with finite differences."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import tensorgrad as tg

PATH = Path(__file__).parents[1] / "examples" / "theory.ipynb"
NOTEBOOK = json.loads(PATH.read_text(encoding="utf-8"))
CELLS = [(cell["id"], "".join(cell["source"])) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
WHOLE = "\n\n".join("".join(cell["source"]) for cell in NOTEBOOK["cells"])


@pytest.fixture
def plt():
    """Pictures that are drawn and not shown; and the default dtype, which the notebook sets, put back."""
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")
    tg.set_default_dtype(tg.float32)


def test_it_runs_from_top_to_bottom(plt):
    names = {"__name__": "__main__"}
    for name, source in CELLS:
        exec(compile(source, f"{PATH.name}, {name}", "exec"), names)
    assert plt.get_fignums()


def test_every_section_checks_something():
    sections = re.split(r"^## (\d+)\. ", WHOLE, flags=re.MULTILINE)[1:]
    assert sections[::2] == [str(number) for number in range(1, len(sections) // 2 + 1)]
    assert all(re.search(r"^\s*(assert |agree\()", section, re.MULTILINE) for section in sections[1::2])


def test_it_is_stored_without_outputs():
    for cell in NOTEBOOK["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_it_is_for_any_kernel_of_python_3():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert NOTEBOOK["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    names = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(names)) == len(names)
    assert PATH.read_text(encoding="utf-8") == json.dumps(NOTEBOOK, indent=1, ensure_ascii=False) + "\n"


def test_jupyter_accepts_it():
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.read(PATH, as_version=4))
