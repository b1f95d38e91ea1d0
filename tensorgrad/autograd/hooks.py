"""Hooks: functions of the user's that are called on the way, with gradients and around layers and optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.graph import Node, Retain, TensorBase, edge, wrap
from tensorgrad.autograd.modes import set_grad_enabled
from tensorgrad.errors import AutogradError, DtypeError, ShapeError


class RemovableHandle:
    """What registering a hook returns: `remove()` takes it away; as a context manager, at the end of the block."""

    def __init__(self, hooks: Any, key: Any) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Take the hook away; a second time it does nothing."""
        hooks, self._hooks = self._hooks, ()
        if isinstance(hooks, dict):
            hooks.pop(self._key, None)
        elif self._key in hooks:
            hooks.remove(self._key)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def add_hook(hooks: dict[object, Any], entry: Any, prepend: bool = False) -> RemovableHandle:
    """Put a hook, and what was said of it, behind or before those of a layer or an optimizer."""
    key = object()
    others = dict(hooks) if prepend else {}
    for other in others:
        del hooks[other]
    hooks[key] = entry
    hooks.update(others)
    return RemovableHandle(hooks, key)


class After:
    """A hook among those of a leaf that is called once the leaf's `.grad` is set, and not with the gradient."""

    def __init__(self, hook: Callable[[Any], None]) -> None:
        self.hook = hook


def register_hook(tensor: Any, hook: Any) -> RemovableHandle:
    """Add a hook to a leaf or to the node of another tensor."""
    e = edge(tensor)
    if e is None:
        raise AutogradError("register_hook: this tensor does not require a gradient")
    if e.__class__ is Node:
        if e.hooks is None:
            e.hooks = []
        e.hooks.append(hook)
        return RemovableHandle(e.hooks, hook)
    if tensor._hooks is None:
        tensor._hooks = []
    tensor._hooks.append(hook)
    return RemovableHandle(tensor._hooks, hook)


def register_after(tensor: Any, hook: Any) -> RemovableHandle:
    """Add a hook that is called when the `.grad` of a leaf is set."""
    if edge(tensor) is not tensor:
        raise AutogradError(
            "register_post_accumulate_grad_hook: it takes a leaf that requires a gradient, whose .grad backward sets, "
            "and this tensor "
            + ("does not require one" if edge(tensor) is None else "was computed from others; use register_hook")
        )
    return register_hook(tensor, After(hook))


def call_hooks(hooks: list[Any], g: Any, source: Any) -> Any:
    """Give the gradient to the user's hooks, as a tensor; what one returns takes its place."""
    recording = isinstance(g, TensorBase)
    tensor = g if recording else wrap(g)
    for hook in sorted(hooks, key=lambda hook: isinstance(hook, Retain)):  # what is retained is what the others left
        if isinstance(hook, After):
            continue
        with set_grad_enabled(recording):
            result = hook(tensor)
        if result is not None:
            if not isinstance(result, TensorBase) or result._data.shape != tensor._data.shape:
                got = result._data.shape if isinstance(result, TensorBase) else type(result).__name__
                kind = ShapeError if isinstance(result, TensorBase) else DtypeError
                raise kind(
                    f"hook on {getattr(source, 'name', 'a leaf')!s}: it must return a Tensor of the gradient's shape "
                    f"{tensor._data.shape} or None, not {got}"
                )
            if result._data.dtype != tensor._data.dtype:
                raise DtypeError(
                    f"hook on {getattr(source, 'name', 'a leaf')!s}: the gradient is {tensor._data.dtype.name}, and it "
                    f"returned {result._data.dtype.name}; convert it back with .to(...)"
                )
            tensor = result
    return tensor if recording else tensor._data


def call_after(leaf: Any, recording: bool) -> None:
    """Call the hooks that a leaf has for when its `.grad` is set."""
    for hook in list(leaf._hooks):
        if isinstance(hook, After):
            with set_grad_enabled(recording):
                result = hook.hook(leaf)
            if result is not None:
                raise DtypeError(
                    f"register_post_accumulate_grad_hook: the hook must return None, not {type(result).__name__}; to "
                    f"change the gradient, set the leaf's .grad"
                )
