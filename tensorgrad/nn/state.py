"""The state of a module: its parameters and persistent buffers by name, taken out and put back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.autograd.graph import TensorBase, wrap, writes
from tensorgrad.autograd.hooks import RemovableHandle, add_hook
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor

Hook = Callable[..., Any]


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
    _modules: dict[str, Any]
    _state_hooks: dict[str, dict[object, Hook]]
    named_modules: Callable[..., Iterator[tuple[str, Any]]]
    get_submodule: Callable[[str], Any]
    modules: Callable[[], Iterator[Any]]
    apply: Callable[[Callable[[Any], Any]], Any]

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """The parameters and persistent buffers by dotted name, detached (sharing memory) unless `keep_vars`.

        `prefix` is put before every name as it is: "encoder." with its dot. They are added to `destination`, if that is
        given.
        """
        state: OrderedDict[str, Any] = OrderedDict() if destination is None else destination
        for hook in self._hooks_of("state_dict_pre"):
            hook(self, prefix, keep_vars)
        for name, value in self._state():
            state[prefix + name] = value if keep_vars else value.detach()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_of("state_dict_post"):
            _must_be_none("register_state_dict_post_hook", hook(self, state, prefix, {"version": 1}))
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
        state_dict, keys = OrderedDict(state_dict), IncompatibleKeys([], [])
        problems: list[str] = []
        self._before_loading(state_dict, keys, problems)
        own = {
            f"{at}.{name}" if at else name: value
            for at, module in self.named_modules(remove_duplicate=False)
            for name, value in module._state()
        }
        keys.missing_keys.extend(name for name in own if name not in state_dict)
        keys.unexpected_keys.extend(name for name in state_dict if name not in own)
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
        if problems or not any(module._hooks_of("load_state_dict_post") for module in self.modules()):
            self._must_fit(keys, strict, problems, "nothing was loaded")
        for name in own.keys() & state_dict.keys():
            self._take(name, own[name], state_dict[name], assign)
        self.apply(lambda module: module._after_loading(keys))
        self._must_fit(keys, strict, [], "only what fits was loaded")
        return keys

    def _must_fit(self, keys: IncompatibleKeys, strict: bool, problems: list[str], outcome: str) -> None:
        lines = [
            f"{kind}: {', '.join(map(str, names))}"
            for kind, names in zip(("missing", "unexpected"), keys)
            if strict and names
        ] + problems
        if lines:
            raise StateDictError(
                f"load_state_dict: the state does not fit {type(self).__name__}, and {outcome}:\n  "
                + "\n  ".join(lines)
            )

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

    # Hooks

    def _hooks_of(self, kind: str) -> list[Hook]:
        return list(self._state_hooks.get(kind, {}).values())

    def _add_hook(self, kind: str, hook: Hook) -> RemovableHandle:
        return add_hook(self._state_hooks.setdefault(kind, {}), hook)

    def _before_loading(self, state: dict[str, Any], keys: IncompatibleKeys, problems: list[str]) -> None:
        """Let the hooks of each module, the outer first, change what its part of a state is."""
        for at, module in self.named_modules(remove_duplicate=False):
            hooks = module._hooks_of("load_state_dict_pre")
            if not hooks:
                continue
            prefix = f"{at}." if at else ""
            part = OrderedDict((key, state.pop(key)) for key in list(state) if str(key).startswith(prefix))
            for hook in hooks:
                hook(module, part, prefix, {}, True, *keys, problems)
            state.update((key, value) for key, value in part.items() if str(key).startswith(prefix))

    def _after_loading(self, keys: IncompatibleKeys) -> None:
        for hook in self._hooks_of("load_state_dict_post"):
            _must_be_none("register_load_state_dict_post_hook", hook(self, keys))

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` reads this module."""
        return self._add_hook("state_dict_pre", hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` once `state_dict` has read this module and all below.

        It may change `state_dict`, in place, and must return None.
        """
        return self._add_hook("state_dict_post", hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`
        before `load_state_dict`, with a dict of this module's part of the state, which it may change in place.
        """
        return self._add_hook("load_state_dict_pre", hook)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` once `load_state_dict` has written this module and all below.

        It may change the lists of keys, in place: what it takes out of them is no error. It must return None.
        """
        return self._add_hook("load_state_dict_post", hook)


def _must_be_none(where: str, result: Any) -> None:
    if result is not None:
        raise TypeError(
            f"{where}: the hook must return None, not {type(result).__name__}; let it change what it is given"
        )
