"""Modules that hold modules."""

from __future__ import annotations

import itertools
import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from tensorgrad.nn.module import Module, _indent


def _position(name: str, index: Any, length: int, of: str = "modules") -> int:
    index = operator.index(index)
    if not -length <= index < length:
        raise IndexError(f"{name}: index {index} is out of range for {length} {of}")
    return index % length


class _ListOfModules(Module):
    """What Sequential and ModuleList share: modules named "0", "1", ... and indexed as a list."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(list(self._modules.items())[index])
        return list(self._modules.values())[_position(type(self).__name__, index, len(self))]

    def _of(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)([module for _, module in items])  # type: ignore[call-arg]

    def __setitem__(self, index: Any, module: Module) -> None:
        self.add_module(list(self._modules)[_position(type(self).__name__, index, len(self))], module)

    def __delitem__(self, index: Any) -> None:
        modules = list(self._modules.values())
        del modules[index if isinstance(index, slice) else _position(type(self).__name__, index, len(self))]
        self._modules.clear()
        self._modules.update({str(i): module for i, module in enumerate(modules)})

    def append(self, module: Module) -> Any:
        """Add a module at the end; return self."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end; return self."""
        for module in list(modules):
            self.append(module)
        return self

    def pop(self, index: Any) -> Any:
        """Take the module at an index out and return it."""
        module = self[index]
        del self[index]
        return module

    def __add__(self, other: Iterable[Module]) -> Any:
        return self._of([(str(i), module) for i, module in enumerate([*self, *other])])

    def __iadd__(self, other: Iterable[Module]) -> Any:
        return self.extend(other)

    def insert(self, index: int, module: Module) -> Any:
        """Put a module in at an index; return self."""
        modules = list(self._modules.values())
        modules.insert(index, module)
        self.append(module)  # checks it
        self._modules.clear()
        self._modules.update({str(i): m for i, m in enumerate(modules)})
        return self


class Sequential(_ListOfModules):
    """Modules run one after the other; given as arguments, or as one dict with names.

    >>> import tensorgrad as tg
    >>> net = tg.nn.Sequential(tg.nn.Linear(2, 8), tg.nn.ReLU(), tg.nn.Linear(8, 1))
    >>> net(tg.ones(4, 2)).shape
    (4, 1)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = list(args[0].items())
        else:
            named = [(str(i), module) for i, module in enumerate(args)]
        for name, module in named:
            self.add_module(name, module)

    def _of(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(dict(items))

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int) or times < 1:
            raise ValueError(f"Sequential: it can be repeated 1 or more times, not {times!r}")
        return type(self)(*(list(self) * times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        more = list(self * times)[len(self) :]
        return self.extend(more)

    def insert(self, index: int, module: Module) -> Any:
        """Put a module in at an index; return self. Raises `IndexError` where the index is out of range."""
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Sequential: index {index} is out of range for {len(self)} modules")
        return super().insert(index, module)

    def forward(self, input: Any) -> Any:
        """Run the modules on the input, each on what the last one gave."""
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleList(_ListOfModules):
    """A list of modules, whose parameters are registered; it has no forward of its own.

    >>> import tensorgrad as tg
    >>> layers = tg.nn.ModuleList([tg.nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def __repr__(self) -> str:
        """PyTorch's: neighbours that look the same share a line."""
        groups = [(list(group), text) for text, group in itertools.groupby(range(len(self)), lambda i: repr(self[i]))]
        lines = []
        for indices, text in groups:
            first, last = indices[0], indices[-1]
            lines.append(f"({first}): {text}" if first == last else f"({first}-{last}): {len(indices)} x {text}")
        body = "".join(f"\n  {_indent(line)}" for line in lines)
        return f"{type(self).__name__}({body}\n)" if lines else f"{type(self).__name__}()"


class ModuleDict(Module):
    """A dict of modules, whose parameters are registered; it has no forward of its own.

    >>> import tensorgrad as tg
    >>> layers = tg.nn.ModuleDict({"in": tg.nn.Linear(2, 2)})
    >>> "in" in layers, list(layers.state_dict())
    (True, ['in.weight', 'in.bias'])
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        if key not in self._modules:
            raise KeyError(f"ModuleDict has no module {key!r}; it has {', '.join(self._modules) or 'none'}")
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Any]:
        """The names and modules."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or exchange modules by name, from a dict or from pairs."""
        for name, module in dict(modules).items():
            self.add_module(name, module)

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module
