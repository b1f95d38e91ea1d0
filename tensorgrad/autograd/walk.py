"""The backward walk: one pass over the graph, newest node first.

The walk owns what no op has to think of: undoing broadcasting and casts (on the edge), adding up the gradients that
reach a node, whose array a gradient is, whether kept values are still what they were, hooks, and releasing what was
kept. With `create_graph` the same walk runs on tensors, and so records itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import (
    Foreign,
    Node,
    Saved,
    TensorBase,
    broadcasts,
    called_at,
    check_unwritten,
    edge,
    retains,
    wrap,
    writes,
)
from tensorgrad.autograd.hooks import call_after, call_hooks
from tensorgrad.autograd.modes import ANOMALY, enable_grad
from tensorgrad.autograd.op import PICK, REGISTRY, pick
from tensorgrad.errors import AutogradError, DtypeError, ShapeError

ndarray = np.ndarray
ARRAYS: Any = (ndarray, Foreign)


def backward(
    tensors: Sequence[Any],
    gradients: Sequence[Any],
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Any] | None = None,
) -> None:
    """Add the gradient of `tensors` to the `.grad` of the leaves (or of `inputs` only)."""
    targets = None if inputs is None else _targets(inputs, "backward")
    found = walk("backward", tensors, gradients, retain_graph, create_graph, targets)
    if inputs is None:
        for leaf, (g, owned) in found.items():
            if edge(leaf) is leaf:  # unless it was frozen since
                accumulate(leaf, g, owned)
    else:
        for tensor in dict.fromkeys(inputs):
            e = edge(tensor)
            if (entry := found.get(e)) is not None and not retains(e, tensor):
                accumulate(tensor, entry[0], owned=False)


def grad(
    outputs: Sequence[Any],
    inputs: Sequence[Any],
    gradients: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`; None for an input that they do not depend on."""
    found = walk("grad", outputs, gradients, retain_graph, create_graph, _targets(inputs, "grad"))
    given: set[int] = set()
    results: list[Any] = []
    for tensor in inputs:
        entry = found.get(edge(tensor))
        if entry is None:
            results.append(None)
            continue
        g, owned = entry
        if isinstance(g, TensorBase):
            results.append(g)
        else:
            results.append(wrap(g if (owned and id(g) not in given) or isinstance(g, Foreign) else np.array(g)))
            given.add(id(g))
    return tuple(results)


def _targets(inputs: Sequence[Any], caller: str) -> set[Any]:
    for i, tensor in enumerate(inputs):
        if not isinstance(tensor, TensorBase):
            raise DtypeError(f"{caller}: inputs[{i}] must be a Tensor, not {type(tensor).__name__}")
        if edge(tensor) is None:
            raise AutogradError(
                f"{caller}: inputs[{i}], of shape {tensor._data.shape}, does not require a gradient; "
                f"call requires_grad_() on it before it is used"
            )
    if not inputs:
        raise AutogradError(f"{caller}: inputs is empty; name at least one tensor")
    return {edge(tensor) for tensor in inputs}


def seed(caller: str, tensor: Any, gradient: Any, create_graph: bool) -> Any:
    """The gradient that a walk starts with at a tensor: an array, or a tensor where the walk records itself."""
    data = tensor._data
    given = "backward(gradient)" if caller == "backward" else "grad_outputs"
    if edge(tensor) is None:
        raise AutogradError(
            f"{caller}: this tensor does not require a gradient; make one of the tensors that it was computed from "
            "with requires_grad=True, and compute it outside no_grad()"
        )
    if gradient is None:
        if data.size != 1:
            raise AutogradError(
                f"{caller}: a gradient can be left out only for a tensor of one element, and this one has shape "
                f"{data.shape}; reduce it first (.sum() or .mean()), or pass {given} of its shape"
            )
        g = np.ones(data.shape, data.dtype)
        return wrap(g) if create_graph else g
    if not isinstance(gradient, TensorBase):
        raise DtypeError(f"{caller}: gradient must be a Tensor of shape {data.shape}, not {type(gradient).__name__}")
    if gradient._data.shape != data.shape:
        raise ShapeError(
            f"{caller}: gradient has shape {gradient._data.shape}, but the tensor has shape {data.shape}; "
            f"they must be equal"
        )
    if create_graph:
        return gradient if gradient._data.dtype == data.dtype else _cast(gradient, data.dtype)
    return gradient._data.astype(data.dtype, copy=False)


def _leading_to(roots: list[Any], targets: set[Any]) -> set[Any]:
    """The nodes through which a target is reached."""
    seen: dict[int, Node] = {}
    stack = [root for root in roots if root.__class__ is Node]
    while stack:
        node = stack.pop()
        if node.seq not in seen:
            seen[node.seq] = node
            stack.extend(e for e in node.inputs if e.__class__ is Node)
    needed: set[Any] = set()
    for seq in sorted(seen):  # inputs are older than their node
        node = seen[seq]
        if any(e in targets or e in needed for e in node.inputs if e is not None):
            needed.add(node)
    return needed


def walk(
    caller: str,
    tensors: Sequence[Any],
    gradients: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
    targets: set[Any] | None,
) -> dict[Any, tuple[Any, bool]]:
    """Walk back from the tensors; return (gradient, whether this walk made the array) by leaf, or by target."""
    seeds = [(edge(t), seed(caller, t, g, create_graph)) for t, g in zip(tensors, gradients, strict=True)]
    retain = create_graph if retain_graph is None else retain_graph
    needed = None if targets is None else _leading_to([e for e, _ in seeds], targets)
    if create_graph:
        with enable_grad():
            return _walk(seeds, retain, True, targets, needed)
    return _walk(seeds, retain, False, targets, needed)


def _walk(
    seeds: list[tuple[Any, Any]], retain: bool, record: bool, targets: set[Any] | None, needed: set[Any] | None
) -> dict[Any, tuple[Any, bool]]:
    grads: dict[Any, Any] = {}  # what has arrived so far, by edge
    owned: set[Any] = set()  # the edges whose array this walk made: it may be added to in place
    found: dict[Any, tuple[Any, bool]] = {}
    newest: Node | None = None  # of the nodes that a gradient has reached; the others wait in the heap
    heap: list[tuple[int, Node]] = []
    anomaly = ANOMALY.get() is True
    for e, g in seeds:
        if e in grads:
            grads[e] = grads[e] + g
        else:
            grads[e] = g
            if e.__class__ is Node:
                heappush(heap, (-e.seq, e))
    if heap:
        newest = heappop(heap)[1]
    while newest is not None:
        node = newest
        newest = heappop(heap)[1] if heap else None
        g = grads.pop(node)
        if node.hooks is not None:
            g = call_hooks(node.hooks, g, node)
        op = node.op
        kept = node.kept
        inputs = node.inputs
        attrs = node.attrs
        exact = node.exact
        sources: Any = op.vjps  # or the gradients themselves, where one function computes them together
        together = not sources
        if targets is not None:
            if node in targets:
                found[node] = (g, False)
            if node not in needed:  # type: ignore[operator]
                continue
            inputs = tuple(e if e in targets or e in needed else None for e in inputs)  # type: ignore[operator]
        if kept is None:
            raise _released(node)
        if node.seq < writes.latest:
            check_unwritten(node)
        if record:
            kept = _as_tensors(node)
        if together:
            if kept[0].__class__ is Saved and not record:
                kept = _as_tensors(node)
            sources = op.joint(g, tuple(e is not None for e in inputs), *kept, **attrs)
            if len(sources) != len(inputs):
                raise AutogradError(
                    f"the joint vjp of {op.name} returned {len(sources)} gradients for {len(inputs)} inputs"
                )
        y = a = b = None
        two = not attrs and len(kept) == 3  # the most common call, written out: unpacking costs twice what it does
        if two:
            y, a, b = kept
        for e, source in zip(inputs, sources):
            if e is None or source is None:
                continue
            if together:
                ga = source
            elif two:
                ga = source(g, y, a, b)
            else:
                ga = source(g, *kept, **attrs)
            if not exact:
                ga = _fit(ga, e, node)
            if anomaly and op is not PICK:
                _check_nan(node, e, ga)
            old = grads.get(e)
            if old is None:
                grads[e] = ga
                if e.__class__ is not Node:
                    if _made_here(ga, g, kept):
                        owned.add(e)
                elif newest is None:
                    newest = e
                elif e.seq > newest.seq:
                    heappush(heap, (-newest.seq, newest))
                    newest = e
                else:
                    heappush(heap, (-e.seq, e))
            elif e in owned and not record:
                old += ga  # in place, but for a NumPy scalar
                grads[e] = old
            else:
                grads[e] = old + ga
                owned.add(e)
        if not (retain or op.bare):
            node.kept = None
    for leaf, g in grads.items():
        if targets is None or leaf in targets:
            if leaf._hooks is None:
                found[leaf] = (g, leaf in owned and g.__class__ is ndarray)
            else:  # the hooks have seen the array, and may hold it
                found[leaf] = (call_hooks(leaf._hooks, g, leaf), False)
    return found


def _fit(ga: Any, e: Any, node: Node) -> Any:
    """A gradient with the shape and dtype of its input: broadcasting and casts undone."""
    shape = e.shape
    if ga.shape != shape:
        ga = sum_to(ga, shape, node)
    if ga.dtype is not e.dtype:
        ga = _cast(ga, e.dtype)
    return ga


def _cast(g: Any, dtype: Any) -> Any:
    return REGISTRY["cast"].function(g, dtype=dtype)


def _made_here(ga: Any, g: Any, kept: tuple[Any, ...]) -> bool:
    """Whether a vjp's result is an array of its own: not a view, nor something that it was given."""
    return ga.__class__ is ndarray and ga.base is None and ga is not g and not any(ga is k for k in kept)


def _as_tensors(node: Node) -> tuple[Any, ...]:
    """What a node kept, as tensors that are connected to the graph: the walk over them records itself."""

    def tensor(kept: Any, e: Any) -> Any:
        if not isinstance(kept, ARRAYS):
            return kept
        if isinstance(e, TensorBase) and e._data is kept:
            return e
        if isinstance(e, TensorBase):  # what the kernel read was a cast of the leaf
            made = _cast(e, kept.dtype)
            made._data = kept
            return made
        return wrap(kept, e)

    assert node.kept is not None
    y, *inputs = node.kept
    if isinstance(y, Saved):
        y = tuple(_saved(node, array, source) for array, source in zip(y, y.sources))
    elif isinstance(y, tuple):
        y = tuple(None if part is None else wrap(part, pick(node, part, i)) for i, part in enumerate(y))
    else:
        y = tensor(y, node)
    return (y, *(tensor(k, e) for k, e in zip(inputs, node.inputs, strict=True)))


def _saved(node: Node, array: Any, source: Any) -> Any:
    """A tensor that a Function saved, connected to the graph."""
    if array is None:
        return None
    if isinstance(source, int):  # the index of an output
        return wrap(array, pick(node, array, source) if node.op.several else node)
    if isinstance(source, TensorBase):
        return source if source._data is array else wrap(array)
    return wrap(array, source)


def sum_to(g: Any, shape: tuple[int, ...], node: Node) -> Any:
    """The gradient of a broadcast input: summed over the dimensions that broadcasting added or stretched."""
    if not broadcasts(shape, g.shape):
        raise ShapeError(
            f"backward of {node.op.name} returned a gradient of shape {tuple(g.shape)} for an input of shape {shape}"
            f"{called_at(node)}"
        )
    lead = len(g.shape) - len(shape)
    stretched = tuple(i for i, size in enumerate(shape, lead) if size == 1 and g.shape[i] != 1)
    dims = (*range(lead), *stretched)
    if dims:
        g = REGISTRY["sum"].function(g, dim=dims, keepdim=True)
    return g.reshape(shape)


def accumulate(leaf: Any, g: Any, owned: bool) -> None:
    """Add a gradient to `.grad`, which never shares memory with anything else."""
    held = leaf._grad
    if held is not None and held._data.shape != g.shape:
        raise ShapeError(
            f"backward: a leaf's .grad has shape {held._data.shape}, and its new gradient {tuple(g.shape)}: its data "
            f"were exchanged; clear the gradient with .grad = None"
        )
    if isinstance(g, TensorBase):
        leaf._grad = REGISTRY["clone"].function(g) if held is None else held + g
    elif held is None:
        leaf._grad = wrap(g if owned else np.array(g))
    elif held._node is not None:
        leaf._grad = held + wrap(g)
    else:
        np.add(held._data, g, out=held._data)
        writes.stamp(held._data)
    if leaf._hooks is not None:
        call_after(leaf, isinstance(g, TensorBase))


def clear(leaf: Any, set_to_none: bool) -> None:
    """Forget a gradient, or fill it with zeros."""
    held = leaf._grad
    if set_to_none or held is None:
        leaf._grad = None
    elif held._node is None:
        held._data.fill(0)
        writes.stamp(held._data)
    else:  # it was recorded, by create_graph, and may be needed as it is
        leaf._grad = wrap(np.zeros_like(held._data))


def _released(node: Node) -> AutogradError:
    return AutogradError(
        f"backward of {node.op.name} a second time: what it kept was released by the first backward{called_at(node)}. "
        f"Compute the loss anew before each backward, and .detach() what is carried over from an earlier step (a "
        f"hidden state); or pass retain_graph=True to the first backward"
    )


def _check_nan(node: Node, e: Any, ga: Any) -> None:
    data = ga._data if isinstance(ga, TensorBase) else ga
    if np.isnan(data).any():
        index = next(i for i, other in enumerate(node.inputs) if other is e)
        raise AutogradError(
            f"backward of {node.op.name} gave NaN for its input {index} of shape {tuple(e.shape)}{called_at(node)}"
        )
