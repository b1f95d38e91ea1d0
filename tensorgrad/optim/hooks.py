"""Functions that are called around an optimizer's step, and around saving and loading its state."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.hooks import RemovableHandle, add_hook

Hook = Callable[..., Any]
KINDS = ("step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_state_dict_pre", "load_state_dict_post")


class Hooks:
    """What `Optimizer` has of hooks. Each `register` returns a handle, whose `remove()` takes the hook away."""

    def __init__(self) -> None:
        self._hooks: dict[str, dict[object, Hook]] = {kind: {} for kind in KINDS}
        self._has_stepped = False

    def _replaced(self, kind: str, state: Any) -> Any:
        """A state after the hooks of a kind, of which each may give another."""
        for hook in list(self._hooks[kind].values()):
            changed = hook(self, state)
            if changed is not None:
                state = changed
        return state

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return a new (args, kwargs)."""
        return add_hook(self._hooks["step_pre"], hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return add_hook(self._hooks["step_post"], hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict`."""
        return add_hook(self._hooks["state_dict_pre"], hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` on what `state_dict` made; it may return another."""
        return add_hook(self._hooks["state_dict_post"], hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` on what is to be loaded; it may return another."""
        return add_hook(self._hooks["load_state_dict_pre"], hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` after `load_state_dict`."""
        return add_hook(self._hooks["load_state_dict_post"], hook, prepend)


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """The method `step` of an optimizer with the hooks around it."""

    @functools.wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._has_stepped = True
        before, after = self._hooks["step_pre"], self._hooks["step_post"]
        if not (before or after):
            return step(self, *args, **kwargs)
        for hook in list(before.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        result = step(self, *args, **kwargs)
        for hook in list(after.values()):
            hook(self, args, kwargs)
        return result

    return hooked
