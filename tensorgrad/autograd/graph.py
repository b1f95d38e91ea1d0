"""What a recorded computation is made of: nodes, the slots of a tensor, views, and the clock of writes.

A tensor's `_node` says where a gradient for it goes:

- `None`: nowhere, it needs none;
- `LEAF`: into the tensor's own `.grad`;
- a `Node`: to the operation that made it;
- a `View`: it shares memory with a base, and follows the base's graph when the base is written to in place.

`edge(tensor)` turns that into what a consumer's node refers to: `None`, the leaf tensor itself, or a `Node`. Nodes
refer to nodes, leaves and plain arrays, never to the tensors in between, so that there are no reference cycles and
whatever is not kept dies as soon as the user lets go of it.
"""

from __future__ import annotations

import itertools
import warnings
import weakref
from functools import partial
from typing import Any

import numpy as np

from tensorgrad.autograd.modes import GRAD, enable_grad
from tensorgrad.errors import AutogradError

# One clock orders nodes and in-place writes: a node is newer than its inputs, and a value that was written to after a
# node kept it has a newer stamp than the node.
clock = itertools.count(1).__next__


class Node:
    """One recorded operation.

    `inputs` are edges, `kept` is the output (or None) and then, per input, the kept array, or else the edge, which
    still knows the input's shape. `shape` and `dtype` are the output's. `exact` says that the vjps return gradients
    with the inputs' own shape and dtype, so that the walk need not look.

    >>> import tensorgrad as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> node = (x * 3).grad_fn
    >>> node.name, node.shape, node.next_functions
    ('mul', (2,), ((<AccumulateGrad [2]>, 0), (None, 0)))
    """

    __slots__ = ("__weakref__", "attrs", "dtype", "exact", "hooks", "inputs", "kept", "line", "op", "seq", "shape")

    op: Any
    inputs: tuple[Any, ...]
    kept: tuple[Any, ...] | None
    attrs: dict[str, Any]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    seq: int
    hooks: list[Any] | None
    exact: bool
    line: str  # set in anomaly mode only

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def name(self) -> str:
        """The operation's name, as `grad_fn` shows it."""
        return self.op.name

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Where the gradient goes on to, per input: a node, `AccumulateGrad` for a leaf, None where it stops; and 0."""
        return tuple((AccumulateGrad(e) if isinstance(e, TensorBase) else e, 0) for e in self.inputs)

    def __repr__(self) -> str:
        return f"<{self.op.name} {list(self.shape)}>"


class AccumulateGrad:
    """The end of a gradient's way: the `.grad` of a leaf, which is its `variable`.

    >>> import tensorgrad as tg
    >>> x = tg.ones(2, requires_grad=True)
    >>> (x * 3).grad_fn.next_functions[0][0].variable is x
    True
    """

    __slots__ = ("variable",)
    name = "AccumulateGrad"
    next_functions: tuple[tuple[Any, int], ...] = ()

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash(self.variable)

    def __repr__(self) -> str:
        return f"<AccumulateGrad {list(self.variable.shape)}>"


class Foreign:
    """An array of another kind than NumPy's: operations on it are its own business (see `batching`).

    It has `shape`, `dtype` and the operators; NumPy refuses it with a TypeError, by which the fast paths notice it.
    `level` says which of several kinds in one call is asked: the highest.
    """

    __slots__ = ()
    __array_ufunc__ = None
    level: int

    def run(self, op: Any, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
        """The result of an op on tensors and arrays that this one is among."""
        raise NotImplementedError

    def holding(self, tensor: Any) -> Foreign:
        """An array of this kind that stands for a tensor which is none, and its graph."""
        raise NotImplementedError

    def values(self) -> np.ndarray[Any, Any]:
        """The memory behind it."""
        raise NotImplementedError


class TensorBase:
    """The slots of a tensor; `tensorgrad.Tensor` adds the operators and methods."""

    __slots__ = ("__weakref__", "_data", "_grad", "_hooks", "_node")

    _data: np.ndarray[Any, Any]
    _node: Any
    _grad: Any
    _hooks: list[Any] | None


# The class that operations return. tensor.py puts the full `Tensor` here: operations are below it and cannot import it.
Tensor: Any = TensorBase


class _Leaf:
    __slots__ = ()

    def __repr__(self) -> str:
        return "LEAF"


LEAF = _Leaf()


class View:
    """Stands in the `_node` of a tensor that shares its base's memory.

    `steps` are the (op, attrs) that lead from the base to the view. `node` is the view's edge as of the time when the
    base's `_node` was `seen` (LEAF where the user made the view itself a leaf); once the base has another, because it
    was written to in place, it is made anew from the steps. A view made under `no_grad` is not `tracked`: it is fit for
    use only as long as no gradient would have to follow a write to it or to its base.
    """

    __slots__ = ("base", "memory", "node", "seen", "steps", "tracked")

    def __init__(self, base: Any, steps: tuple[Any, ...], node: Any, tracked: bool) -> None:
        self.base = base
        self.memory = base._data
        self.steps = steps
        self.node = node
        self.seen = state(base)
        self.tracked = tracked

    def current(self) -> Any:
        """The edge of the view, following in-place writes to its base."""
        now = state(self.base)
        if now is not self.seen and now is not None:
            if not self.tracked:
                if not GRAD.get():
                    return None
                raise AutogradError(
                    "this view was made inside no_grad(), and its base was since written to, or made to require a "
                    "gradient: a gradient could not follow; make the view anew, outside no_grad()"
                )
            self.check_layout()
            before, self.seen = self.node, now
            self.node = replay(self.base, self.steps)
            move_retained(before, self.node)
        return self.node

    def check_layout(self) -> None:
        """Raise where the steps no longer lead from the base to the view."""
        if self.base._data is not self.memory:
            raise AutogradError(
                "the base of this view was given another shape in place (t_, squeeze_), or other memory (.data), and "
                "one of them then written to: a gradient could not follow; make the view anew"
            )


def state(base: Any) -> Any:
    """What a view of this base follows. The base is itself a view only where the user made that view a leaf."""
    at = base._node
    return at.current() if at.__class__ is View else at


def replay(base: Any, steps: tuple[Any, ...]) -> Any:
    """The edge of the view that the steps make of a base, recorded whatever the grad mode is now."""
    with enable_grad():
        view = base
        for op, attrs in steps:
            view = op.function(view, **attrs)
    return edge(view)


def edge(tensor: Any) -> Any:
    """What a node refers to as its input: None, the leaf tensor, or the node that made the tensor."""
    node = tensor._node
    if node is None or node.__class__ is Node:
        return node
    if node is LEAF:
        return tensor
    node = node.current()
    return tensor if node is LEAF else node


class Retain:
    """The hook of `retain_grad`: it puts the gradient into the tensor, while that lives."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = weakref.ref(tensor)

    def __call__(self, gradient: Any) -> None:
        tensor = self.tensor()
        if tensor is not None:
            if gradient._node is None:
                gradient = wrap(np.array(gradient._data))  # the walk may go on to add to its array
            tensor._grad = gradient if tensor._grad is None else tensor._grad + gradient


def retains(e: Any, tensor: Any) -> bool:
    """Whether a tensor retains the gradient that arrives at its edge."""
    hooks = e.hooks if e.__class__ is Node else None
    return any(isinstance(hook, Retain) and hook.tensor() is tensor for hook in hooks or ())


def warn_of_no_gradient(tensor: Any) -> None:
    """Warn where a tensor's `.grad` is read, and backward will never set it."""
    e = edge(tensor)
    if e.__class__ is Node and not retains(e, tensor):
        warnings.warn(
            f"grad: this tensor is not a leaf but a result of {e.op.name}, whose .grad backward leaves None; call "
            ".retain_grad() on it before backward, or read the .grad of the tensor that it was computed from",
            stacklevel=3,
        )


def move_retained(before: Any, after: Any) -> None:
    """Let a tensor that was written to in place retain the gradient of its new value."""
    if before.__class__ is Node and before.hooks and after.__class__ is Node:
        moved = [hook for hook in before.hooks if isinstance(hook, Retain)]
        if moved:
            before.hooks = [hook for hook in before.hooks if hook not in moved] or None
            after.hooks = (after.hooks or []) + moved


def wrap(array: Any, node: Any = None) -> Any:
    """A tensor around an array (or a NumPy scalar), not copied."""
    tensor = object.__new__(Tensor)
    plain = array.__class__ is np.ndarray or isinstance(array, Foreign)
    tensor._data = array if plain else np.asarray(array)
    tensor._node = node
    tensor._grad = tensor._hooks = None
    return tensor


def broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a shape can be stretched to another."""
    lead = len(to) - len(shape)
    return lead >= 0 and all(n in (1, m) for n, m in zip(shape, to[lead:]))


def spec(shape: tuple[int, ...], dtype: Any) -> str:
    """A shape and dtype as the error messages write them."""
    return f"{np.dtype(dtype).name}{list(shape)}"


class Saved(tuple[Any, ...]):
    """The arrays that a user's Function saved, standing in `Node.kept` as the output.

    `sources` says, per array, how to make it a tensor again: the edge that it came from, or the index of the output
    that it is (an output's own node would be a cycle).
    """

    sources: tuple[Any, ...]

    def __new__(cls, tensors: tuple[Any, ...], outputs: dict[int, Node]) -> Saved:
        made = super().__new__(cls, (None if x is None else x._data for x in tensors))
        made.sources = tuple(
            None if x is None else outputs[id(x)].attrs.get("index", 0) if id(x) in outputs else edge(x)
            for x in tensors
        )
        return made


class _Writes:
    """When memory was last written to in place, by the array that owns it.

    Recording an operation costs nothing here: a walk compares a node's `seq` with `latest`, and only where memory was
    written to since looks up the arrays that the node kept. An entry whose array is gone can only be older than
    whatever lives at that address now, so a stale one never accuses; the weak reference merely keeps the table small.
    """

    def __init__(self) -> None:
        self.latest = 0
        self._stamps: dict[int, list[Any]] = {}

    @staticmethod
    def _owner(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        while isinstance(array.base, np.ndarray):
            array = array.base
        return array

    def stamp(self, array: np.ndarray[Any, Any]) -> None:
        """Note that the array's memory is written to now."""
        owner = self._owner(array)
        key = id(owner)
        self.latest = now = clock()
        entry = self._stamps.get(key)
        if entry is None or entry[1]() is not owner:
            self._stamps[key] = [now, weakref.ref(owner, partial(self._forget, key))]
        else:
            entry[0] = now

    def _forget(self, key: int, _: Any) -> None:
        self._stamps.pop(key, None)

    def since(self, seq: int, array: np.ndarray[Any, Any]) -> bool:
        """Whether the array's memory was written to after `seq`."""
        entry = self._stamps.get(id(self._owner(array)))
        return entry is not None and entry[0] > seq


writes = _Writes()


def check_unwritten(node: Node) -> None:
    """Raise where a value that the node kept was changed since: its gradient would be wrong."""
    named = [("its output" if i == 0 else f"its input {i - 1}", kept) for i, kept in enumerate(node.kept or ())]
    if named and isinstance(named[0][1], tuple):
        saved = named.pop(0)[1]
        what = "saved tensor" if isinstance(saved, Saved) else "output"
        named += [(f"its {what} {i}", kept) for i, kept in enumerate(saved)]
    for which, kept in named:
        kept = kept.values() if isinstance(kept, Foreign) else kept
        if isinstance(kept, np.ndarray) and writes.since(node.seq, kept):
            raise AutogradError(
                f"backward of {node.op.name} needs {which}, {spec(kept.shape, kept.dtype)}, but that was changed in "
                f"place after {node.op.name} was computed{called_at(node)}. Use the out-of-place form of the operation "
                f"that changed it (x = x + 1, not x += 1), or change a .clone(). An optimizer's step changes "
                f"parameters so, too: call it after every backward that needs them"
            )


def called_at(node: Node) -> str:
    """Where the user's code called the op, or how to find out."""
    line = getattr(node, "line", None)
    if line is None:
        return " (run under tensorgrad.autograd.detect_anomaly() to see where that was)"
    return f"; it was called at {line}"
