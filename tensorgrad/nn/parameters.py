"""Modules that hold parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tensorgrad.autograd.graph import TensorBase
from tensorgrad.nn.container import _position
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter


def _parameter(value: Any) -> Any:
    """Tensors become parameters; anything else is held as it is."""
    return Parameter(value) if isinstance(value, TensorBase) and not isinstance(value, Parameter) else value


def _described(items: Iterable[tuple[Any, Any]]) -> str:
    lines = []
    for key, value in items:
        if isinstance(value, TensorBase):
            size = "x".join(map(str, value._data.shape))
            kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
            lines.append(f"  ({key}): {kind} containing: [{value._data.dtype} of size {size}]")
        else:
            lines.append(f"  ({key}): Object of type: {type(value).__name__}")
    return "\n".join(lines)


class _Held(Module):
    """What ParameterList and ParameterDict share: they are held, and not called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: there is nothing to compute."""
        raise TypeError(f"{type(self).__name__} holds parameters, and cannot be called")


class ParameterList(_Held):
    """A list of parameters, which a module registers as its own; tensors that are put in become parameters.

    >>> import tensorgrad as tg
    >>> weights = tg.nn.ParameterList([tg.zeros(2), tg.ones(3)])
    >>> len(weights), list(weights.state_dict())
    (2, ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(*index.indices(len(self)))])
        return getattr(self, str(_position("ParameterList", index, len(self), "parameters")))

    def __setitem__(self, index: int, param: Any) -> None:
        setattr(self, str(_position("ParameterList", index, len(self), "parameters")), _parameter(param))

    def __iadd__(self, parameters: Iterable[Any]) -> ParameterList:
        return self.extend(parameters)

    def append(self, value: Any) -> ParameterList:
        """Add a value at the end; return self."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add values at the end; return self. Raises `TypeError` for a tensor, which is one value."""
        if isinstance(values, TensorBase) or not isinstance(values, Iterable):
            raise TypeError(f"ParameterList.extend: it takes a list of values, not {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """The values."""
        return _described(enumerate(self))


class ParameterDict(_Held):
    """A dict of parameters, which a module registers as its own; tensors that are put in become parameters.

    >>> import tensorgrad as tg
    >>> weights = tg.nn.ParameterDict({"left": tg.zeros(2), "right": tg.ones(3)})
    >>> "left" in weights, list(weights.state_dict())
    (True, ['left', 'right'])
    """

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        self.update(parameters or {})

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(f"ParameterDict has no parameter {key!r}; it has {', '.join(self._keys) or 'none'}")
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"ParameterDict: a key must be a string, not {type(key).__name__}")
        setattr(self, key, _parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __or__(self, other: Mapping[str, Any]) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ror__(self, other: Mapping[str, Any]) -> ParameterDict:
        both = ParameterDict(other)
        both.update(self)
        return both

    def __ior__(self, other: Mapping[str, Any]) -> ParameterDict:
        self.update(other)
        return self

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """The names and values."""
        return ((key, self[key]) for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add or exchange values by name, from pairs, or from a dict: a plain one in the order of its sorted names."""
        named = dict(parameters)
        for key in sorted(named) if type(parameters) is dict else named:
            self[key] = named[key]

    def copy(self) -> ParameterDict:
        """Another dict of the same parameters."""
        return ParameterDict(list(self.items()))

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name, or a default where there is none."""
        return getattr(self, key) if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a name, after putting a default in where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dict of one value under several names."""
        return ParameterDict((key, default) for key in keys)

    def pop(self, key: str) -> Any:
        """Take a value out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last name and value out and return them."""
        if not self._keys:
            raise KeyError("popitem: the ParameterDict is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take all values out."""
        for key in list(self._keys):
            del self[key]

    def extra_repr(self) -> str:
        """The values."""
        return _described(self.items())
