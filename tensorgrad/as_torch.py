"""Running scripts that were written for PyTorch: `torch`, and all below it, resolved to tensorgrad.

python -m tensorgrad.as_torch script.py [arguments]
python -m tensorgrad.as_torch -m package.module [arguments]

PyTorch need not be installed. What tensorgrad lacks is an `AttributeError`, or an `ImportError` where it is imported,
that says so and names the nearest thing that there is. Of torchvision, which cannot be installed without PyTorch,
there is what `tensorgrad.vision` has.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import runpy
import sys
import warnings
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import tensorgrad

# The PyTorch whose names and numbers ours are: what scripts that look at `torch.__version__` are told.
VERSION = "2.13.0"
# Where a package of PyTorch's is to be found, if not under its own name.
HOMES = {
    "torch": "tensorgrad",
    "torch.nn.modules": "tensorgrad.nn",
    "torch.nn.functional": "tensorgrad.nn.functional",
    "torch.autograd.variable": "tensorgrad.autograd",
    "torchvision": "tensorgrad.vision",
}
# What scripts import at their top for something at their end: there to be imported, and empty.
EMPTY = {"torch.onnx"}
# Methods whose number came first, before PyTorch 1.5: the number's name, and how many tensors follow.
OLDER = dict.fromkeys(("add", "add_", "sub", "sub_"), ("alpha", 1)) | dict.fromkeys(
    ("addcmul", "addcmul_", "addcdiv", "addcdiv_"), ("value", 2)
)


def _home(name: str) -> Any:
    """The module of ours, or namespace in one, that stands for a module of PyTorch's, or None."""
    if name in EMPTY:
        return ModuleType(name)
    if name not in HOMES:
        parent, _, last = name.rpartition(".")
        outer = _home(parent) if parent else None
        if outer is None or last.startswith("_"):
            return None
        found = getattr(outer, last, None)
        if isinstance(found, ModuleType | SimpleNamespace):
            return found
        target = f"{outer.__name__}.{last}"
        return importlib.import_module(target) if _exists(outer, target) else None
    return importlib.import_module(HOMES[name])


def _exists(outer: ModuleType, name: str) -> bool:
    return hasattr(outer, "__path__") and importlib.util.find_spec(name) is not None


def _nearest(name: str, candidates: list[str]) -> str:
    """The names that are most like one, for an error to offer; those in other capitals come last."""
    same = difflib.get_close_matches(name, candidates, cutoff=0.7)
    written = {c.lower(): c for c in candidates}
    folded = [written[c] for c in difflib.get_close_matches(name.lower(), written, cutoff=0.7)]
    return ", ".join(list(dict.fromkeys(same + folded))[:3])


def _lacking(module: str, name: str, candidates: list[str]) -> str:
    near = _nearest(name, candidates)
    offer = f"; the nearest that it has in {module}: {near}" if near else f"; dir({module}) lists what it has"
    return f"{module}.{name}: tensorgrad, which stands in for {module.split('.')[0]}, does not have it{offer}"


class Alias(ModuleType):
    """A module of PyTorch's name that gives what a module of ours has."""

    def __init__(self, name: str, home: ModuleType) -> None:
        super().__init__(name, home.__doc__)
        self.__dict__["_home"] = home
        self.__path__: list[str] = []  # a package: its submodules are looked for by the finder
        if name == "torch":
            self.__version__ = VERSION

    def __getattr__(self, name: str) -> Any:
        home = self.__dict__["_home"]
        try:
            found = getattr(home, name)
        except AttributeError:
            if name.startswith("__"):
                raise
            raise AttributeError(_lacking(self.__name__, name, dir(home)), name=name, obj=self) from None
        if isinstance(found, ModuleType) and found.__name__.startswith("tensorgrad"):
            return importlib.import_module(f"{self.__name__}.{name}")
        return found

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_home"])


class _Finder(MetaPathFinder, Loader):
    """Finds `torch`, `torchvision` and what is below them."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.split(".")[0] not in ("torch", "torchvision"):
            return None
        if _home(fullname) is None:
            parent, _, last = fullname.rpartition(".")
            home = _home(parent)
            raise ImportError(_lacking(parent, last, dir(home) if home else []), name=fullname)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        home = _home(spec.name)
        return Alias(spec.name, home) if isinstance(home, ModuleType) else home

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run: the module is a view of another."""


def _lacking_method(self: Any, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"'Tensor' object has no attribute {name!r}", name=name, obj=self)
    raise AttributeError(_lacking("torch.Tensor", name, dir(type(self))), name=name, obj=self)


def _older(name: str, word: str, tensors: int) -> Callable[..., Any]:
    """A method that takes the number `word` before its tensors too, as PyTorch 1.4 did and PyTorch still does."""
    method = getattr(tensorgrad.Tensor, name)

    @functools.wraps(method)
    def older(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(args) == tensors + 1 and isinstance(args[0], int | float):
            new = ", ".join(["tensor1", "tensor2"][:tensors])
            warnings.warn(f"{name}({word}, {new}) is deprecated: write {name}({new}, {word}={word})", stacklevel=2)
            args, kwargs = args[1:], {word: args[0]}
        return method(self, *args, **kwargs)

    return older


def install() -> None:
    """From now on `import torch`, and imports of all below it, give tensorgrad in this process.

    Calling it again does nothing. Raises `RuntimeError` where PyTorch itself has been imported before.

    >>> import tensorgrad.as_torch
    >>> tensorgrad.as_torch.install()
    >>> import torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    >>> torch.sparse_coo_tensor
    Traceback (most recent call last):
        ...
    AttributeError: torch.sparse_coo_tensor: tensorgrad, which stands in for torch, does not have it; the nearest \
that it has in torch: as_tensor, is_tensor, ...
    >>> tensorgrad.as_torch.uninstall()
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if "torch" in sys.modules:
        raise RuntimeError("as_torch.install: PyTorch itself has been imported in this process; install before that")
    sys.meta_path.insert(0, _Finder())
    tensorgrad.Tensor.__getattr__ = _lacking_method  # type: ignore[method-assign]
    for name, arguments in OLDER.items():
        setattr(tensorgrad.Tensor, name, _older(name, *arguments))


def uninstall() -> None:
    """Take back what `install` did: `import torch` finds PyTorch again, if it is there.

    >>> import tensorgrad.as_torch
    >>> tensorgrad.as_torch.uninstall()
    """
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in [name for name, module in sys.modules.items() if isinstance(module, Alias | SimpleNamespace)]:
        del sys.modules[name]
    if "__getattr__" in vars(tensorgrad.Tensor):
        del tensorgrad.Tensor.__getattr__
        for name in OLDER:
            setattr(tensorgrad.Tensor, name, getattr(tensorgrad.Tensor, name).__wrapped__)


def main(arguments: list[str]) -> None:
    """Run a script, or with -m a module, as `python` would."""
    module = arguments[:1] == ["-m"]
    rest = arguments[1:] if module else arguments
    if not rest or rest[0] in ("-h", "--help"):
        raise SystemExit(str(__doc__).rsplit("\n\n", 1)[0])
    if not (module or Path(rest[0]).exists()):
        raise SystemExit(f"as_torch: there is no script {rest[0]!r}")
    install()
    sys.argv = rest
    if module:
        sys.path.insert(0, "")
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return
    sys.path.insert(0, str(Path(rest[0]).resolve().parent))
    runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
