"""Functions that are called around a module's forward, and around its part of the backward walk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import TensorBase, edge, wrap
from tensorgrad.autograd.hooks import RemovableHandle, add_hook
from tensorgrad.autograd.modes import is_grad_enabled
from tensorgrad.errors import AutogradError

Hook = Callable[..., Any]


class Hooks:
    """What `Module` has of hooks. Each `register` returns a handle, whose `remove()` takes the hook away."""

    _forward_hooks: dict[object, tuple[Hook, bool, bool]]
    _forward_pre_hooks: dict[object, tuple[Hook, bool]]
    _backward_hooks: dict[object, Hook]
    _backward_pre_hooks: dict[object, Hook]
    forward: Callable[..., Any]

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before forward; what it returns, if anything, takes the place of the arguments.

        `with_kwargs` calls `hook(module, args, kwargs)`, which may return a new (args, kwargs); `prepend` puts the hook
        before the others.
        """
        return add_hook(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; what it returns, if anything, takes the output's place.

        `with_kwargs` calls `hook(module, args, kwargs, output)`; `prepend` puts the hook before the others;
        `always_call` calls it where forward raises an error too, with None for the output, or another hook does.
        """
        return add_hook(self._forward_hooks, (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` once the gradients of the outputs are known.

        `grad_output` is a tuple, and what the hook returns, if anything, takes its place.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` once the gradients of the positional arguments are known.

        Both are tuples, with None for what is not a tensor; what the hook returns, if anything, takes the place of
        `grad_input`. Where no argument requires a gradient, it is called when `grad_output` is known.
        """
        return add_hook(self._backward_hooks, hook, prepend)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        called: set[object] = set()
        result = watch = None
        try:
            for hook, with_kwargs in list(self._forward_pre_hooks.values()):
                changed = hook(self, args, kwargs) if with_kwargs else hook(self, args)
                if changed is None:
                    continue
                if with_kwargs:
                    args, kwargs = changed
                else:
                    args = changed if isinstance(changed, tuple) else (changed,)
            if (self._backward_hooks or self._backward_pre_hooks) and is_grad_enabled():
                watch = _Watch(self)
                args = watch.inputs(args)
            result = self.forward(*args, **kwargs)
            for key, (hook, with_kwargs, _) in list(self._forward_hooks.items()):
                called.add(key)
                changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                if changed is not None:
                    result = changed
            return result if watch is None else watch.outputs(result)
        except Exception:
            for key, (hook, with_kwargs, always_call) in list(self._forward_hooks.items()):
                if always_call and key not in called:
                    hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
            raise


class _Watch:
    """The backward hooks of one call of a module, between its inputs and its outputs."""

    def __init__(self, module: Hooks) -> None:
        self.module = module
        self.count = 0
        self.reached = False  # whether an input requires a gradient
        self.grad_output: tuple[Any, ...] = ()

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, which show their gradients to the hooks."""
        self.count = len(args)
        watched = _watched(args, self._finish)
        self.reached = watched is not args
        return watched

    def outputs(self, result: Any) -> Any:
        """The outputs, which show their gradients to the hooks before the inputs do."""
        if isinstance(result, tuple):
            return _watched(result, self._begin)
        return _watched((result,), self._begin)[0]

    def _begin(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in list(self.module._backward_pre_hooks.values()):
            grads = _replaced("register_full_backward_pre_hook", grads, hook(self.module, grads))
        self.grad_output = grads
        if not self.reached:
            self._finish((None,) * self.count)
        return grads

    def _finish(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in list(self.module._backward_hooks.values()):
            grads = _replaced("register_full_backward_hook", grads, hook(self.module, grads, self.grad_output))
        return grads


def _replaced(where: str, grads: tuple[Any, ...], changed: Any) -> tuple[Any, ...]:
    if changed is None:
        return grads
    changed = changed if isinstance(changed, tuple) else (changed,)
    if len(changed) != len(grads):
        raise AutogradError(f"{where}: the hook returned {len(changed)} gradients in the place of {len(grads)}")
    return changed


def _watched(values: tuple[Any, ...], show: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> tuple[Any, ...]:
    """The values, of which the tensors that require a gradient show it to a function, which may replace it."""
    from tensorgrad.autograd.function import Function

    positions = [i for i, x in enumerate(values) if isinstance(x, TensorBase) and edge(x) is not None]
    if not positions:
        return values
    # Tensors that require no gradient have one of zeros, as in PyTorch.
    arrays = {i: x._data for i, x in enumerate(values) if isinstance(x, TensorBase) and i not in positions}
    shapes = {i: (x.shape, x.dtype) for i, x in arrays.items() if x.dtype.kind == "f"}

    class Boundary(Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            return tensors

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            known = {i: wrap(np.zeros(*shape)) for i, shape in shapes.items()}
            known.update(zip(positions, grads))
            shown = show(tuple(known.get(i) for i in range(len(values))))
            return tuple(shown[i] for i in positions)

    watched = dict(zip(positions, Boundary.apply(*(values[i] for i in positions))))
    return tuple(watched.get(i, x) for i, x in enumerate(values))
