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
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any

import tensorgrad

# The PyTorch whose names and numbers ours are: what scripts that look at `torch.__version__` are told.
VERSION = "2.13.0"
# Where a package of PyTorch's is to be found, if not under its own name.
HOMES = {
    "torch": "tensorgrad",
    "torch.nn.modules": "tensorgrad.nn",
    "torch.nn.modules.utils": "tensorgrad.nn.utils.tuples",
    "torch.autograd.variable": "tensorgrad.autograd",
    "torch.multiprocessing": "tensorgrad.multiprocessing",
    "torchvision": "tensorgrad.vision",
}
# What scripts import at their top for something at their end: names that are there, and refused where they are called;
# and what to do instead.
EMPTY = {
    "torch.hub": (
        "download_url_to_file get_dir list load load_state_dict_from_url set_dir",
        "get weights as a safetensors file, and read it with torch.load",
    ),
    "torch.jit": (
        "ScriptFunction ScriptModule export freeze ignore load save script trace unused",
        "leave it out: functions and modules run as they are",
    ),
    "torch.onnx": ("export", "torch.save writes a safetensors file, which other libraries read"),
    "torch.utils.tensorboard": ("SummaryWriter", "tensorgrad.tracking keeps the history of training in MLflow"),
}
# Where else a name may be that is lacking in one place.
ROOMS = """
torch torch.Tensor torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.nn.utils.parametrizations
torch.nn.utils.parametrize torch.nn.utils.rnn torch.optim torch.optim.lr_scheduler torch.optim.swa_utils torch.linalg
torch.autograd torch.autograd.functional torch.func torch.utils.data torch.amp torch.cuda torchvision.datasets
torchvision.transforms torchvision.utils
""".split()
# What took its numbers among its tensors, before PyTorch 1.5: the numbers' names, and how many tensors there are.
OLDER = {
    name + end: (words, tensors)
    for names, words, tensors in (
        ("add sub", ("alpha",), 2),
        ("addcmul addcdiv", ("value",), 3),
        ("addbmm addmm addmv addr baddbmm", ("beta", "alpha"), 3),
    )
    for name in names.split()
    for end in ("", "_")
}
# `torch.py` and `torchvision.py`, for processes that a script starts: they have its `sys.path`, and not its finder.
STAND_IN = str(Path(__file__).resolve().parent / "stand_in")


def _home(name: str) -> Any:
    """The module of ours, or namespace in one, that stands for a module of PyTorch's, or None."""
    if name in EMPTY:
        return _empty(name)
    if name == "torch.version":
        return SimpleNamespace(__version__=VERSION, cuda=None, hip=None, xpu=None, debug=False)
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


@functools.cache
def _empty(name: str) -> ModuleType:
    module = ModuleType(name)
    for absent in EMPTY[name][0].split():
        setattr(module, absent, type(absent, (_Absent,), {"__module__": name}))
    if name == "torch.jit":
        vars(module).update(is_scripting=bool, is_tracing=bool)  # called, they are False
    return module


class _Absent:
    """What can be imported, and be asked for with isinstance, and is refused where it is called."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise AttributeError(_lacking(cls.__module__, cls.__name__), name=cls.__name__, obj=cls)


def _exists(outer: ModuleType, name: str) -> bool:
    return hasattr(outer, "__path__") and importlib.util.find_spec(name) is not None


def _nearest(name: str, candidates: list[str]) -> str:
    """The names that are most like one, for an error to offer; those in other capitals come last."""
    same = difflib.get_close_matches(name, candidates, cutoff=0.7)
    written = {c.lower(): c for c in candidates}
    folded = [written[c] for c in difflib.get_close_matches(name.lower(), written, cutoff=0.7)]
    return ", ".join(list(dict.fromkeys(same + folded))[:3])


def _names(room: str) -> list[str]:
    """What a room has, without the files that it is made of."""
    home = tensorgrad.Tensor if room == "torch.Tensor" else _home(room)
    files = {name for name, found in vars(home).items() if isinstance(found, ModuleType)}
    return [name for name in dir(home) if name not in files or home is tensorgrad or f"{room}.{name}" in ROOMS]


@functools.cache
def _lacking(module: str, name: str) -> str:
    """What is said of a name that a module has not: where it is instead, or the most like it."""
    elsewhere = [f"{room}.{name}" for room in ROOMS if name in _names(room)]
    if module in EMPTY:
        offer = f"; {EMPTY[module][1]}"
    elif elsewhere:
        offer = f"; there is {' and '.join(elsewhere)}"
    elif near := _nearest(name, _names(module)):
        offer = f"; the nearest that it has in {module}: {near}"
    else:
        offer = f"; dir({module}) lists what it has"
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
            below = f"{self.__name__}.{name}"
            if below in HOMES or below in EMPTY or below == "torch.version":
                return importlib.import_module(below)
            if name == "__all__":
                return [found for found in _names(self.__name__) if not found.startswith("_")]
            if name.startswith("__"):
                raise
            raise AttributeError(_lacking(self.__name__, name), name=name, obj=self) from None
        if isinstance(found, ModuleType) and found.__name__.startswith("tensorgrad"):
            return importlib.import_module(f"{self.__name__}.{name}")
        return _older(name, found) if home is tensorgrad and name in OLDER else found

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_home"])


class _Finder(MetaPathFinder, Loader):
    """Finds `torch`, `torchvision` and what is below them."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.split(".")[0] not in ("torch", "torchvision"):
            return None
        if _home(fullname) is None:
            parent, _, last = fullname.rpartition(".")
            raise ImportError(_lacking(parent, last), name=fullname)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        home = _home(spec.name)
        return Alias(spec.name, home) if isinstance(home, ModuleType) else home

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run: the module is a view of another."""


def _lacking_method(self: Any, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"'Tensor' object has no attribute {name!r}", name=name, obj=self)
    raise AttributeError(_lacking("torch.Tensor", name), name=name, obj=self)


def _older(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function or method that takes its numbers among its tensors too, as PyTorch 1.4 did and PyTorch still does."""
    words, count = OLDER[name]

    @functools.wraps(function)
    def older(*args: Any, **kwargs: Any) -> Any:
        if len(args) > count:
            numbers = [x for x in args if isinstance(x, int | float)]
            if len(numbers) == len(args) - count <= len(words):
                now = ", ".join(f"{word}={number}" for word, number in zip(words, numbers))
                warnings.warn(f"{name}: numbers among the tensors are deprecated: write {now} at the end", stacklevel=2)
                args = tuple(x for x in args if not isinstance(x, int | float))
                kwargs |= dict(zip(words, numbers))
        return function(*args, **kwargs)

    return older


def install() -> None:
    """From now on `import torch`, and imports of all below it, give tensorgrad, here and in processes started here.

    Tensors then also take the arguments of old in their order. Calling it again does nothing. Raises `RuntimeError`
    where PyTorch itself has been imported before.

    >>> import tensorgrad.as_torch
    >>> tensorgrad.as_torch.install()
    >>> import torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    >>> torch.spectral_norm
    Traceback (most recent call last):
        ...
    AttributeError: torch.spectral_norm: tensorgrad, which stands in for torch, does not have it; there is \
torch.nn.utils.parametrizations.spectral_norm
    >>> tensorgrad.as_torch.uninstall()
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if "torch" in sys.modules:
        raise RuntimeError("as_torch.install: PyTorch itself has been imported in this process; install before that")
    sys.meta_path.insert(0, _Finder())
    sys.path.insert(0, STAND_IN)
    tensorgrad.Tensor.__getattr__ = _lacking_method  # type: ignore[method-assign]
    for name in OLDER:
        setattr(tensorgrad.Tensor, name, _older(name, getattr(tensorgrad.Tensor, name)))


def uninstall() -> None:
    """Take back what `install` did: `import torch` finds PyTorch again, if it is there.

    >>> import tensorgrad.as_torch
    >>> tensorgrad.as_torch.uninstall()
    """
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in [name for name, module in sys.modules.items() if isinstance(module, Alias | SimpleNamespace)]:
        del sys.modules[name]
    sys.path[:] = [folder for folder in sys.path if folder != STAND_IN]
    if "__getattr__" in vars(tensorgrad.Tensor):
        del tensorgrad.Tensor.__getattr__
        for name in OLDER:
            setattr(tensorgrad.Tensor, name, getattr(tensorgrad.Tensor, name).__wrapped__)


def take_place(name: str) -> None:
    """Let what `install` gives take the place of a module that is being imported: one of the folder `stand_in`."""
    del sys.modules[name]
    install()
    importlib.import_module(name)


def _show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Show an error as `python script.py` does: beginning with the script, not with what runs it."""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_globals.get("__name__") != "runpy" and frame.f_code.co_filename != __file__:
            break
        traceback = traceback.tb_next
    sys.__excepthook__(kind, error.with_traceback(traceback), traceback)


def main(arguments: list[str]) -> None:
    """Run a script, or with -m a module, as `python` would."""
    module = arguments[:1] == ["-m"]
    rest = arguments[1:] if module else arguments
    if not rest or rest[0] in ("-h", "--help"):
        raise SystemExit(str(__doc__).rsplit("\n\n", 1)[0])
    if not (module or Path(rest[0]).exists()):
        raise SystemExit(f"as_torch: there is no script {rest[0]!r}")
    install()
    sys.excepthook = _show
    sys.argv = rest
    if module:
        sys.path.insert(0, "")
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return
    sys.path.insert(0, str(Path(rest[0]).resolve().parent))
    runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    # Under its own name, of which there is to be one: a script may import it too.
    importlib.import_module("tensorgrad.as_torch").main(sys.argv[1:])
