"""What the documentation says is true: every public name is documented, and its examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import tensorgrad as tg

ROOT = Path(__file__).parents[1]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# `ops` is seen through `tensorgrad`; what else is in there, and kernels, serve other rooms.
FILES = {
    "accelerator",
    "cuda",
    "errors",
    "files",
    "io",
    "nn.init",
    "nn.utils.parametrizations",
    "nn.utils.parametrize",
    "nn.utils.rnn",
    "optim.lr_scheduler",
    "optim.swa_utils",
    "testing.strategies",
    "vision.datasets",
    "vision.transforms",
    "vision.utils",
}
ROOMS = ["tensorgrad"] + [
    name
    for _, name, is_package in pkgutil.walk_packages(tg.__path__, "tensorgrad.")
    if (is_package and name not in ("tensorgrad.ops", "tensorgrad.backends.cpu"))
    or name.removeprefix("tensorgrad.") in FILES
]


def public_objects():
    """Every function and class that a room names in `__all__`, or defines, once."""
    seen = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]):
            obj = getattr(module, name)
            if (inspect.isfunction(obj) or inspect.isclass(obj)) and obj.__module__.startswith("tensorgrad"):
                seen.setdefault(id(obj), (f"{room}.{name}", obj))
    return list(seen.values())


PUBLIC = public_objects()


def examples_of(name, obj):
    return doctest.DocTestFinder(recurse=False).find(obj, name, module=False, globs={})


@pytest.mark.parametrize(("name", "obj"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_public_names_have_a_docstring_whose_example_runs(name, obj):
    assert inspect.getdoc(obj), f"{name} has no docstring"
    examples = [test for test in examples_of(name, obj) if test.examples]
    if inspect.isclass(obj) and issubclass(obj, tuple):
        return  # a named tuple of results: it is shown where it is returned
    assert examples, f"{name} has no example"
    for test in examples:
        result = doctest.DocTestRunner(optionflags=OPTIONS).run(test)
        assert result.failed == 0


def test_there_are_as_many_public_names_as_there_should_be():
    assert len(PUBLIC) > 250


def test_public_methods_have_docstrings():
    bare = []
    for name, obj in PUBLIC:
        if inspect.isclass(obj):
            for key, member in vars(obj).items():
                if not key.startswith("_") and callable(member) and not inspect.getdoc(member):
                    bare.append(f"{name}.{key}")
    assert bare == []


def python_blocks():
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_python_in_the_readme_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = python_blocks()
    assert blocks
    for block in blocks:
        if ">>>" in block:
            test = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
            assert doctest.DocTestRunner(optionflags=OPTIONS).run(test).failed == 0
        else:
            exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("section", ["Run it", "Test it"])
def test_the_readme_sections_begin_with_one_command_line(section):
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"^## {section}\n+```sh\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert found
    assert len(found.group(1).strip().splitlines()) == 1


def test_every_file_that_the_readme_names_is_there():
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"`([\w./]+\.py)`", text))
    assert len(named) > 8
    homes = [ROOT, ROOT / "examples", ROOT / "tensorgrad", ROOT / "tensorgrad" / "autograd"]
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []
    assert [path for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text) if not (ROOT / path).exists()] == []
