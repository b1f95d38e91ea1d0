"""The state of a module: its parameters and persistent buffers by name, taken out and put back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.autograd.graph import TensorBase, wrap, writes
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` could not place."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not any(self):
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class StateDictError(RuntimeError, KeyError):
    """A state that does not fit a module."""

    __str__ = RuntimeError.__str__


class State:
    """What `Module` has of state."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _transient: set[str]
    named_modules: Callable[..., Iterator[tuple[str, Any]]]
    get_submodule: Callable[[str], Any]

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Any]:
        """The parameters and persistent buffers by dotted name, detached (sharing memory) unless `keep_vars`.

        `prefix` is put before every name as it is: "encoder." with its dot.
        """
        state: OrderedDict[str, Any] = OrderedDict()
        for at, module in self.named_modules(remove_duplicate=False):
            for name, value in module._state():
                state[f"{prefix}{at}.{name}" if at else f"{prefix}{name}"] = value if keep_vars else value.detach()
        return state

    def _state(self) -> Iterator[tuple[str, Any]]:
        for name, value in self._parameters.items():
            if value is not None:
                yield name, value
        for name, value in self._buffers.items():
            if value is not None and name not in self._transient:
                yield name, value

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values into the parameters and buffers by name; nothing is written unless all of it fits.

        With `strict`, names that are missing or left over raise `StateDictError`; shapes that differ always
        do. With `assign` the module takes the given tensors themselves, with their dtype, and parameters keep only
        whether they are learned. Returns what was missing and what was left over.

        >>> import tensorgrad as tg
        >>> a, b = tg.nn.Linear(2, 1), tg.nn.Linear(2, 1)
        >>> b.load_state_dict(a.state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: it takes a dict of tensors, not {type(state_dict).__name__}")
        own = self.state_dict(keep_vars=True)
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        problems = []
        if strict and missing:
            problems.append(f"missing: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected: {', '.join(map(str, unexpected))}")
        for name, tensor in own.items():
            if name not in state_dict:
                continue
            value = state_dict[name]
            if not isinstance(value, Tensor | np.ndarray):
                problems.append(f"{name} is {type(value).__name__}, not a Tensor")
            elif value.dtype.kind not in "fiub":
                problems.append(f"{name} is an array of {value.dtype}, which is not a number")
            elif tuple(value.shape) != tensor.shape:
                problems.append(f"{name} has shape {tuple(value.shape)}, and the model's has {tensor.shape}")
            elif not assign and not tensor._data.flags.writeable:
                problems.append(f"{name} of the model cannot be written to: its memory is read-only or was expanded")
        if problems:
            raise StateDictError(
                f"load_state_dict: the state does not fit {type(self).__name__}, and nothing was loaded:\n  "
                + "\n  ".join(problems)
            )
        for name in own.keys() & state_dict.keys():
            self._take(name, own[name], state_dict[name], assign)
        return IncompatibleKeys(missing, unexpected)

    def _take(self, name: str, tensor: Any, value: Any, assign: bool) -> None:
        """Copy one loaded value into its tensor, or put it into the tensor's place."""
        if not assign:
            np.copyto(tensor._data, value._data if isinstance(value, TensorBase) else value, casting="unsafe")
            writes.stamp(tensor._data)
            return
        at, _, key = name.rpartition(".")
        owner = self.get_submodule(at)
        value = value if isinstance(value, TensorBase) else wrap(value)
        if key in owner._buffers:
            owner._buffers[key] = value
        elif isinstance(value, Parameter):
            owner._parameters[key] = value.requires_grad_(tensor.requires_grad)
        else:
            owner._parameters[key] = Parameter(value, tensor.requires_grad)
