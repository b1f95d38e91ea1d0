"""Function: an operation that a user writes, with a forward and a backward of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import Node, Saved, TensorBase, View, broadcasts, clock, edge, wrap, writes
from tensorgrad.autograd.modes import GRAD, no_grad, user_line
from tensorgrad.autograd.op import Op, pick
from tensorgrad.errors import AutogradError, DtypeError, ShapeError


class Context:
    """What `forward` hands to `backward`: saved tensors, and whatever attributes it sets.

    `needs_input_grad` says, per argument of `forward`, whether a gradient is wanted for it.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._saved: tuple[Any, ...] = ()
        self._fixed: set[int] = set()
        self._dirty: set[int] = set()
        self._materialize = True
        self._tensors: tuple[Any, ...] | None = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Save inputs or outputs for backward, watched for changes in place. Raises `DtypeError` for other things."""
        for i, x in enumerate(tensors):
            if x is not None and not isinstance(x, TensorBase):
                raise DtypeError(
                    f"save_for_backward: argument {i} is {type(x).__name__}, not a Tensor; set it as an attribute of "
                    f"ctx instead"
                )
        self._saved = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` saved. Raises `AutogradError` once the graph was released."""
        if self._tensors is None:
            raise AutogradError(
                "saved_tensors: they were released by the first backward; pass retain_graph=True to it, or compute "
                "the loss anew"
            )
        return self._tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that these outputs have no gradient."""
        self._fixed |= {id(x) for x in tensors}

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that `forward` changed these inputs in place."""
        self._dirty |= {id(x) for x in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for an output that nothing was computed from."""
        self._materialize = value


class _FunctionOp(Op):
    """The op behind one call of a Function: its joint vjp is the user's backward."""

    __slots__ = ("several",)

    def __init__(self, name: str, call: _Call) -> None:
        super().__init__(name, kernel=call.refuse, joint=call.vjp, keep="y")  # "y": the saved tensors
        self.several = call.several


class _Call:
    """One call of a Function: what its backward needs to know of it."""

    def __init__(self, function: type[Function], ctx: Context, arguments: tuple[Any, ...]) -> None:
        self.function = function
        self.ctx = ctx
        self.count = len(arguments)
        self.positions = [i for i, x in enumerate(arguments) if isinstance(x, TensorBase)]
        self.shapes = [arguments[i]._data.shape for i in self.positions]
        self.outputs: list[tuple[tuple[int, ...], Any]] = []
        self.several = False

    def refuse(self, *_: Any, **__: Any) -> Any:
        raise AutogradError(f"{self.function.__name__}: a Function runs through apply(...)")

    def vjp(self, g: Any, wants: tuple[bool, ...], y: Any, *inputs: Any) -> tuple[Any, ...]:
        """Give the gradients to the user's backward as tensors, and check what comes back."""
        name = self.function.__name__
        parts = [g.get(i) for i in range(len(self.outputs))] if self.several else [g]
        recording = any(isinstance(part, TensorBase) for part in parts)
        grads = []
        for part, (shape, dtype) in zip(parts, self.outputs):
            if part is None:
                part = np.zeros(shape, dtype) if self.ctx._materialize else None
            grads.append(part if part is None or isinstance(part, TensorBase) else wrap(part))
        self.ctx._tensors = y
        try:
            if recording:
                results = self.function.backward(self.ctx, *grads)
            else:
                with no_grad():
                    results = self.function.backward(self.ctx, *grads)
        finally:
            self.ctx._tensors = None
        if not isinstance(results, tuple):
            results = (results,)
        if len(results) > self.count and all(extra is None for extra in results[self.count :]):
            results = results[: self.count]
        if len(results) != self.count:
            raise AutogradError(
                f"{name}.backward returned {len(results)} gradients, and forward took {self.count} arguments: return "
                f"one for each, None where there is none"
            )
        out: list[Any] = []
        for wanted, position, shape in zip(wants, self.positions, self.shapes):
            gradient = results[position]
            if gradient is None or not wanted:
                out.append(None)
                continue
            if not isinstance(gradient, TensorBase):
                raise DtypeError(
                    f"{name}.backward returned {type(gradient).__name__} as gradient {position}; return a Tensor"
                )
            if not broadcasts(shape, gradient._data.shape):
                raise ShapeError(
                    f"{name}.backward returned a gradient of shape {gradient._data.shape} for argument {position}, "
                    f"which has shape {shape}"
                )
            out.append(gradient if recording else np.array(gradient._data))
        return tuple(out)


class Function:
    """Base class for an operation with a hand-written derivative.

    Define two static methods and call the operation through `apply`. `forward(ctx, *args)` computes with tensors, not
    recorded, and returns a tensor or a tuple; `ctx.save_for_backward(...)` keeps what backward needs.
    `backward(ctx, *grads)` gets the gradient of each output and returns one per argument of forward, None where there
    is none (`ctx.needs_input_grad` says which are wanted). Written with tensor operations, backward can itself be
    differentiated; `once_differentiable` says that it cannot. `gradcheck` tells whether it is right.

    >>> import tensorgrad as tg
    >>> class Cube(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return grad * 3 * x * x
    >>> x = tg.tensor([2.0], requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor([12.])
    """

    @staticmethod
    def forward(ctx: Context, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx: Context, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep in `ctx` what backward needs, where forward is written without it: `forward(*args)`."""
        raise NotImplementedError("a Function whose forward takes no ctx needs setup_context(ctx, inputs, output)")

    @staticmethod
    def backward(ctx: Context, *grads: Any) -> Any:
        """Compute the gradients of the inputs from those of the outputs."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward on the arguments and record it, where one of them requires a gradient."""
        for name, x in kwargs.items():
            if isinstance(x, TensorBase):
                raise DtypeError(f"{cls.__name__}: tensors must be given by position, and {name} was given by name")
        edges = [edge(x) if isinstance(x, TensorBase) else None for x in args]
        mode = GRAD.get()
        ctx = Context(tuple(e is not None for e in edges))
        with no_grad():
            if cls.setup_context is Function.setup_context:
                outputs = cls.forward(ctx, *args, **kwargs)
            else:
                outputs = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, outputs)
        several = isinstance(outputs, tuple)
        results = outputs if several else (outputs,)
        for i, y in enumerate(results):
            if not isinstance(y, TensorBase):
                raise DtypeError(f"{cls.__name__}.forward returned {type(y).__name__} as output {i}; return a Tensor")
        if not mode or not any(e is not None for e in edges):
            return outputs
        call = _Call(cls, ctx, args)
        call.several = several
        call.outputs = [(y._data.shape, y._data.dtype) for y in results]
        results = tuple(cls._own(y, args, results[:i], ctx) for i, y in enumerate(results))
        cls._record(call, args, edges, results, mode)
        return results if several else results[0]

    @classmethod
    def _own(cls, y: Any, args: tuple[Any, ...], before: tuple[Any, ...], ctx: Context) -> Any:
        """An output as a tensor of its own, in memory of its own: a write to one must not reach another unseen."""
        if id(y) in ctx._dirty:
            return y
        others = [x for x in (*args, *before) if isinstance(x, TensorBase)]
        shared = any(np.may_share_memory(y._data, x._data) for x in others)
        own = wrap(np.array(y._data) if shared else y._data)
        if id(y) in ctx._fixed:
            ctx._fixed.add(id(own))
        if not any(y is x for x in args):
            ctx._saved = tuple(own if saved is y else saved for saved in ctx._saved)
        return own

    @classmethod
    def _record(cls, call: _Call, args: tuple[Any, ...], edges: list[Any], results: Any, mode: Any) -> None:
        ctx = call.ctx
        for x in args:
            if isinstance(x, TensorBase) and id(x) in ctx._dirty:
                if x._node.__class__ is View or edge(x) is x:
                    raise AutogradError(
                        f"{cls.__name__}: forward changed a leaf that requires a gradient, or a view, in place; return "
                        f"a new tensor"
                    )
                if not any(x is y for y in results):
                    raise AutogradError(f"{cls.__name__}: forward marked an input dirty, and must return it")
                writes.stamp(x._data)
        node = object.__new__(Node)
        node.op = _FunctionOp(cls.__name__, call)
        node.attrs = {}
        node.inputs = tuple(edges[i] for i in call.positions)
        node.shape, node.dtype = call.outputs[0]
        node.hooks, node.exact = None, False
        node.seq = clock()
        if mode is not True:
            node.line = user_line()
        made = {}
        for i, y in enumerate(results):
            if id(y) in ctx._fixed or y._data.dtype.kind != "f":
                continue
            made[id(y)] = y._node = pick(node, y._data, i) if call.several else node
        # The saved tensors stand in `kept` as the "output": checked, released and made anew like everything kept.
        node.kept = (Saved(ctx._saved, made), *node.inputs)
        ctx._saved = ()


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a `Function.backward` that cannot be differentiated again: trying to raises `AutogradError`.

    >>> import tensorgrad as tg
    >>> class Square(tg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     @tg.autograd.once_differentiable
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return grad * 2 * x
    >>> x = tg.tensor([1.0], requires_grad=True)
    >>> (g,) = tg.autograd.grad(Square.apply(x), x, create_graph=True)
    >>> g.backward()
    Traceback (most recent call last):
        ...
    tensorgrad.errors.AutogradError: a gradient that Square.backward computed cannot be differentiated again: it is \
marked once_differentiable
    """

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        if not GRAD.get():
            return backward(ctx, *grads)
        with no_grad():
            results = backward(ctx, *grads)
        name = backward.__qualname__.split("<locals>.")[-1]
        several = results if isinstance(results, tuple) else (results,)
        dependent = [g for g in (*grads, *ctx.saved_tensors) if isinstance(g, TensorBase) and edge(g) is not None]
        barred = tuple(
            _Barrier.apply(name, g, *dependent) if isinstance(g, TensorBase) and dependent else g for g in several
        )
        return barred if isinstance(results, tuple) else barred[0]

    return wrapper


class _Barrier(Function):
    """Passes a value on, and refuses to be walked back through."""

    @staticmethod
    def forward(ctx: Context, name: str, value: Any, *dependent: Any) -> Any:
        ctx.name = name  # type: ignore[attr-defined]
        return value.clone()

    @staticmethod
    def backward(ctx: Context, *grads: Any) -> Any:
        raise AutogradError(
            f"a gradient that {ctx.name} computed cannot be differentiated again: "  # type: ignore[attr-defined]
            f"it is marked once_differentiable"
        )
