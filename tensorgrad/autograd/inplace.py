"""In-place operations: the same ops, whose result is written over their first input.

The tensor's graph is made to go on from the new value. For a view that means its base: the base becomes the old base
with the view's region put in, and every view of it follows (see `graph.View`). What the op itself keeps of the
overwritten value is copied first, and every other node that kept this memory will refuse to use it (see
`graph.writes`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.autograd.graph import Foreign, TensorBase, View, edge, move_retained, spec, writes
from tensorgrad.autograd.modes import GRAD
from tensorgrad.autograd.op import REGISTRY, explain, prepare, record
from tensorgrad.backends.dtypes import CATEGORY
from tensorgrad.errors import AutogradError, DtypeError, ShapeError


def apply_(name: str, tensor: Any, *others: Any, **attrs: Any) -> Any:
    """Run the op `name` on a tensor and write the result into it. Return the tensor.

    Raises `AutogradError` for a leaf that requires a gradient, `ShapeError` where the result has another shape, and
    `DtypeError` where its dtype is of a higher category (a float into an integer tensor). Nothing is written then.
    """
    op = REGISTRY[name]
    method = f"{name}_"
    x = tensor._data
    if isinstance(x, Foreign):
        raise DtypeError(f"{method}: inside vmap tensors cannot be changed in place; use the out-of-place form")
    edges = [edge(tensor), *(edge(o) if isinstance(o, TensorBase) else None for o in others)]
    mask = sum(1 << i for i, e in enumerate(edges) if e is not None)
    recording = bool(mask) and bool(GRAD.get())
    if GRAD.get():
        _check_may_follow(tensor, edges[0], recording, method)
    if not x.flags.writeable:
        raise AutogradError(
            f"{method}: this tensor of shape {x.shape} shares its memory (it was expanded, or it wraps a read-only "
            f"array), so that it cannot be written to; .clone() it first"
        )
    arrays = [x, *(o._data if isinstance(o, TensorBase) else o for o in others)]
    if op.inputs != "any":
        arrays = prepare(op, arrays)
    direct = arrays[0] is x
    kept = arrays
    if recording and not op.bare:
        flags = op.keeps(mask, len(arrays))[1:]
        kept = [
            np.array(a) if keep and isinstance(a, np.ndarray) and np.may_share_memory(a, x) else a
            for a, keep in zip(arrays, flags)
        ]
    shapes = [np.shape(a) for a in arrays]
    try:
        y = op.kernel(*arrays, out=x, **attrs) if direct else op.kernel(*arrays, **attrs)
    except (ValueError, TypeError) as error:
        raise _explain(op, method, arrays, error) from error
    if not direct:
        if y.shape != x.shape:
            raise _grown(method, x.shape, shapes)
        if CATEGORY[y.dtype.kind] > CATEGORY[x.dtype.kind]:
            raise _widened(method, x, y.dtype.name)
        np.copyto(x, y, casting="unsafe")
    writes.stamp(x)
    if recording and x.dtype.kind == "f":
        rebase(tensor, record(op, x, kept, edges, mask, attrs))
    return tensor


def _explain(op: Any, method: str, arrays: list[Any], error: Exception) -> Exception:
    x = arrays[0]
    if isinstance(error, np.exceptions.DTypePromotionError) or "Cannot cast" in str(error):
        return _widened(method, x, "floating")
    shapes = [np.shape(a) for a in arrays]
    try:
        grown = np.broadcast_shapes(*shapes) != x.shape
    except ValueError:
        grown = False
    return _grown(method, x.shape, shapes) if grown else explain(op, arrays, error)


def _grown(method: str, shape: tuple[int, ...], shapes: list[tuple[int, ...]]) -> ShapeError:
    return ShapeError(
        f"{method}: the result would have shape {np.broadcast_shapes(*shapes)}, but the tensor that it is written into "
        f"has {shape}; use the out-of-place form, or expand the tensor first"
    )


def _widened(method: str, x: np.ndarray[Any, Any], result: str) -> DtypeError:
    return DtypeError(
        f"{method}: the result is {result}, which cannot be written into {spec(x.shape, x.dtype)}; "
        f"use the out-of-place form, or convert the tensor first"
    )


def _check_may_follow(tensor: Any, own: Any, recording: bool, method: str) -> None:
    """Raise where the tensor's graph could not go on from the value written to it."""
    at = tensor._node
    if own is tensor:
        raise AutogradError(
            f"{method}: a leaf tensor that requires a gradient, {spec(tensor._data.shape, tensor._data.dtype)}, cannot "
            f"be changed in place; do it inside no_grad() (as an optimizer does), or on a .clone()"
        )
    if at.__class__ is View:
        if edge(at.base) is at.base:
            raise AutogradError(
                f"{method}: this is a view of a leaf tensor that requires a gradient, and cannot be changed in place; "
                f"do it inside no_grad(), or on a .clone()"
            )
        if not at.tracked and (recording or edge(at.base) is not None):
            raise AutogradError(
                f"{method}: this view was made inside no_grad(), so that the gradient could not follow a change of it; "
                f"make the view outside, or change a .clone()"
            )


def rebase(tensor: Any, node: Any) -> None:
    """Let the tensor's graph, and that of all that shares its memory, go on from a node whose output is now there."""
    at = tensor._node
    if at.__class__ is not View:
        move_retained(at, node)
        tensor._node = node
        return
    at.check_layout()
    base, steps = at.base, at.steps
    while base._node.__class__ is View:  # a view that was made a leaf, and no longer is
        base, steps = base._node.base, (*base._node.steps, *steps)
    before = base._node
    put = REGISTRY["put_view"]
    inputs = [edge(base), node]
    mask = 2 if inputs[0] is None else 3
    base._node = record(put, base._data, [base._data, tensor._data], inputs, mask, {"steps": steps})
    move_retained(before, base._node)


def relay_(method: str, tensor: Any, function: Any, *args: Any) -> Any:
    """Let a tensor become the view of it that a function makes. Return the tensor.

    Raises `AutogradError` for a leaf that requires a gradient.
    """
    own = edge(tensor)
    if GRAD.get():
        _check_may_follow(tensor, own, own is not None, method)
    view = function(tensor, *args)
    if own is not tensor:
        at = view._node
        tensor._node = at.node if at.__class__ is View and at.base is tensor else at
        move_retained(own, edge(tensor))
    tensor._data = view._data
    return tensor


def detach_(tensor: Any) -> Any:
    """Cut a tensor off from its graph, in place. Raises `AutogradError` for a view, whose base would not know."""
    if tensor._node.__class__ is View and edge(tensor) is not None:
        raise AutogradError("detach_: this is a view; use .detach(), which makes a new tensor")
    tensor._node = None
    return tensor
