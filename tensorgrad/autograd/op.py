"""Op: a primitive operation, written once; and `apply`, which runs it.

An op is a forward kernel on arrays, and per input one vjp (vector-Jacobian product: from the gradient of the output to
the gradient of that input), written only with operators and public operations:

    mul = binary("mul", cpu.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, keep=("b", "a"))

Given arrays it returns arrays: an eager backward walk is plain NumPy. Given tensors it records: that is
`create_graph=True`, so every op has derivatives of every order. A vjp is called with the gradient `g`, the output `y`,
the inputs and the attributes. `keep` names, per vjp, which of `y`, `a`, `b`, `c`... it reads; what no wanted vjp reads
is not retained, and stands there as something that only knows its shape and dtype.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import graph
from tensorgrad.autograd.graph import LEAF, Foreign, Node, TensorBase, View, clock, edge, spec, wrap
from tensorgrad.autograd.modes import GRAD, user_line
from tensorgrad.backends.dtypes import get_default_dtype, result_dtype
from tensorgrad.errors import DtypeError, ShapeError

LETTERS = "abcdefgh"
NO_ATTRS: dict[str, Any] = {}
REGISTRY: dict[str, Op] = {}  # every primitive by name: the catalogue of tests must have a row for each

new = object.__new__
ndarray = np.ndarray
Vjp = Callable[..., Any] | None


class Op:
    """A primitive: its name, its kernel on arrays, and how gradients flow back through it.

    An op is not changed once it is made: the functions that unroll `apply` hold its kernel.

    `vjps` is one function per input, None where none flows. `joint`, instead, computes all gradients at once:
    `joint(g, wants, y, *inputs, **attrs)` returns one per input, None where `wants` is false; of an op with several
    outputs `g` and `y` have one part for each (see `Parts`). `keep` says what the vjps read, in letters: "y" the
    output, or of several outputs "y1" the second alone, "a", "b", ... the inputs by position; one text for all vjps, or
    one each.

    `inputs` says what happens to input dtypes: "promote" them together as PyTorch does (`promoted` limits that to some
    letters), "float" promotes to a floating dtype, "same" demands one dtype, and "any" takes them as they are. Dtypes
    whose kind is in `refuses` are an error. `elementwise` says that inputs broadcast, and that no attribute speaks of
    dimensions. `view` says that the output may share the first input's memory: it then follows its base (see
    `graph.View`).
    """

    __slots__ = (
        "bare",
        "elementwise",
        "function",
        "inputs",
        "joint",
        "keep",
        "keep_flags",
        "kernel",
        "name",
        "partial",
        "promoted",
        "read",
        "refuses",
        "view",
        "vjps",
    )

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        vjps: tuple[Vjp, ...] = (),
        *,
        joint: Callable[..., Any] | None = None,
        keep: str | tuple[str, ...] = "",
        inputs: str = "any",
        promoted: str | None = None,
        refuses: str = "",
        view: bool = False,
        elementwise: bool = False,
    ) -> None:
        self.name = name
        self.kernel = kernel
        self.vjps = vjps
        self.joint = joint
        self.keep = (keep,) * max(len(vjps), 1) if isinstance(keep, str) else keep
        self.inputs = inputs
        self.promoted = promoted
        self.refuses = refuses
        self.view = view
        self.elementwise = elementwise
        self.partial = None in vjps
        self.read = [int(c) for c in self.keep[0] if c.isdigit()]  # of several outputs; none: all
        self.bare = not any(self.keep)  # keeps nothing: the graph can be walked again without retain_graph
        self.keep_flags: dict[int, tuple[bool, ...]] = {}
        self.function: Any = None  # what the user calls; set where the op is named

    @property
    def differentiable(self) -> bool:
        return self.joint is not None or any(self.vjps)

    def keeps(self, mask: int, count: int) -> tuple[bool, ...]:
        """Which of the output and the inputs to keep when the inputs in the bit mask want a gradient."""
        flags = self.keep_flags.get(mask)
        if flags is None or len(flags) != count + 1:
            if self.joint is not None:
                needed = self.keep[0]
            else:
                needed = "".join(keep for i, keep in enumerate(self.keep) if mask >> i & 1)
            flags = self.keep_flags[mask] = tuple(letter in needed for letter in "y" + LETTERS[:count])
        return flags

    def __repr__(self) -> str:
        return f"Op({self.name!r})"


class Parts(dict[int, Any]):
    """The gradients that have arrived for the outputs of an op that has several, by index. They add up."""

    def __add__(self, other: Parts) -> Parts:
        both = Parts(self)
        for index, g in other.items():
            both[index] = both[index] + g if index in both else g
        return both

    def __iadd__(self, other: Parts) -> Parts:
        for index, g in other.items():
            self[index] = self[index] + g if index in self else g
        return self


# Output `index` of an op that has several: its gradient is one part of what the op's joint vjp gets.
PICK = Op("pick", lambda ys, index: ys[index], joint=lambda g, wants, y, whole, index: (Parts({index: g}),))


def apply(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any] = NO_ATTRS) -> Any:
    """Run an op: on arrays, give arrays; on tensors, a tensor (or several), recorded where a gradient is wanted.

    Raises `ShapeError` and `DtypeError` that name the op where the kernel refuses its inputs.
    """
    arrays: list[Any] = []
    edges: list[Any] = []
    mask, bit, tensors = 0, 1, False
    foreign: Foreign | None = None
    for x in inputs:
        e = None
        if isinstance(x, TensorBase):
            tensors = True
            e = x._node
            if e is not None and e.__class__ is not Node:
                e = edge(x)
            if e is not None:
                mask |= bit
            x = x._data
        if x.__class__ is not ndarray and isinstance(x, Foreign) and (foreign is None or x.level > foreign.level):
            foreign = x
        arrays.append(x)
        edges.append(e)
        bit += bit
    if not tensors:
        if foreign is not None:
            return foreign.run(op, inputs, attrs)
        if any(isinstance(x, ndarray | np.generic) for x in arrays):
            return op.kernel(*arrays, **attrs)
        raise DtypeError(f"{op.name}: it takes a Tensor, not {', '.join(type(x).__name__ for x in inputs)}")
    if foreign is not None:
        y = foreign.run(op, inputs, attrs)
        # What is not of its level is connected to the result inside: there its gradient will come from, in what is
        # kept for a vjp too.
        for i, (e, x) in enumerate(zip(edges, arrays)):
            if e is not None and getattr(x, "level", -1) != foreign.level:
                arrays[i], edges[i] = foreign.holding(inputs[i]), None
        mask = sum(1 << i for i, e in enumerate(edges) if e is not None)
    else:
        if op.inputs != "any":
            arrays = prepare(op, arrays)
        try:
            y = op.kernel(*arrays, **attrs)
        except (ValueError, TypeError) as error:
            raise explain(op, arrays, error) from error
    if y.__class__ is tuple:
        return _several(op, y, arrays, edges, mask, attrs)
    if foreign is None and y.__class__ is not ndarray:
        y = np.asarray(y)
    if op.inputs == "float" and y.dtype.kind == "f" and arrays[0].__class__ is ndarray and arrays[0].dtype.kind != "f":
        y = y.astype(get_default_dtype())
    out = new(graph.Tensor)
    out._data = y
    out._grad = out._hooks = None
    node = None
    if mask and y.dtype.kind == "f" and GRAD.get() and op.differentiable:
        node = record(op, y, arrays, edges, mask, attrs)
    if op.view and foreign is None and np.may_share_memory(y, arrays[0]):
        out._node = view_of(inputs[0], op, attrs, node)
    else:
        out._node = node
    return out


def view_of(source: Any, op: Op, attrs: dict[str, Any], node: Node | None) -> View:
    """What stands in the `_node` of the view that an op makes of a tensor, its own node being given."""
    at = source._node
    if at.__class__ is View and at.node is not LEAF:
        return View(at.base, (*at.steps, (op, attrs)), node, at.tracked and bool(GRAD.get()))
    return View(source, ((op, attrs),), node, bool(GRAD.get()))


def record(op: Op, y: Any, arrays: list[Any], edges: list[Any], mask: int, attrs: dict[str, Any]) -> Node:
    """The node of an op that was just computed, with what its wanted vjps will read."""
    node = new(Node)
    node.op = op
    node.attrs = attrs
    if y.__class__ is tuple:
        node.shape, node.dtype = y[0].shape, y[0].dtype
        if op.read:
            y = tuple(part if i in op.read else None for i, part in enumerate(y))
    else:
        node.shape, node.dtype = y.shape, y.dtype
    node.hooks = None
    node.exact = False
    node.seq = clock()
    if op.partial:
        edges = [e if vjp is not None else None for e, vjp in zip(edges, op.vjps)]
    node.inputs = tuple(edges)
    if op.bare:
        node.kept = (None, *edges)
    else:
        flags = op.keeps(mask, len(arrays))
        kept = [a if keep else e for keep, a, e in zip(flags[1:], arrays, edges)]
        node.kept = (y if flags[0] else None, *kept)
    if GRAD.get() is not True:
        node.line = user_line()
    return node


def _several(op: Op, ys: tuple[Any, ...], arrays: Any, edges: Any, mask: int, attrs: dict[str, Any]) -> tuple[Any, ...]:
    """The outputs of an op that has several: one joint node, and a `pick` node for each floating output."""
    if not (mask and GRAD.get() and op.differentiable):
        return tuple(wrap(y) for y in ys)
    joint = record(op, ys, arrays, edges, mask, attrs)
    return tuple(wrap(y, pick(joint, y, i) if y.dtype.kind == "f" else None) for i, y in enumerate(ys))


def pick(joint: Node, y: Any, index: int) -> Node:
    """The node of output `index` of a joint node."""
    node = new(Node)
    node.op, node.attrs, node.inputs = PICK, {"index": index}, (joint,)
    node.shape, node.dtype = y.shape, y.dtype
    node.kept, node.hooks, node.exact, node.seq = (None, joint), None, True, clock()
    if hasattr(joint, "line"):
        node.line = joint.line
    return node


def _array(y: Any) -> Any:
    """The result of an elementwise kernel, which may be a NumPy scalar, as an array."""
    return y if isinstance(y, Foreign) else np.asarray(y)


def constant(value: float, dtype: Any) -> Any:
    """A tensor of no dimensions that holds a number."""
    return wrap(np.asarray(value, dtype))


def prepare(op: Op, arrays: list[Any]) -> list[Any]:
    """The inputs as the kernel wants them: arrays and Python scalars of dtypes that go together."""
    if op.inputs == "promote" and not op.refuses and arrays[0].__class__ is ndarray:
        dtype = arrays[0].dtype
        if all(x.__class__ is ndarray and x.dtype is dtype for x in arrays):
            return arrays
    values = [x if x.__class__ is ndarray else _plain(op, x, i) for i, x in enumerate(arrays)]
    if op.refuses:
        for i, x in enumerate(values):
            if np.asarray(x).dtype.kind in op.refuses:
                name = np.asarray(x).dtype.name
                raise DtypeError(f"{op.name}: input {i} is {name}, which it does not take; convert it with .to(dtype)")
    if op.inputs == "same":
        dtypes = {x.dtype for x in values}
        if len(dtypes) > 1:
            names = ", ".join(f"input {i} is {x.dtype.name}" for i, x in enumerate(values))
            raise DtypeError(
                f"{op.name}: inputs must share one dtype, but {names}; convert with .to(dtype), .float() or "
                f"tensor(data, dtype=...)"
            )
        return values
    together = [op.promoted is None or LETTERS[i] in op.promoted for i in range(len(values))]
    chosen = [x for x, chooses in zip(values, together) if chooses]
    dtype = result_dtype(chosen)
    if op.inputs == "float" and dtype.kind != "f":
        dtype = get_default_dtype()
    for i, x in enumerate(values):
        if together[i]:
            if x.__class__ is not ndarray:
                values[i] = x if any(v.__class__ is ndarray for v in chosen) else np.asarray(x, dtype)
                if x.__class__ is int and dtype.itemsize < 8 and dtype.kind in "iu" and not fits(x, dtype):
                    values[i] = np.asarray(x).astype(dtype)  # -1 is 255 in uint8, as in PyTorch
            elif x.dtype != dtype:
                values[i] = x.astype(dtype)
    return values


def fits(x: int, dtype: Any) -> bool:
    """Whether an integer dtype has a number."""
    limits = np.iinfo(dtype)
    return bool(limits.min <= x <= limits.max)


def _plain(op: Op, x: Any, position: int) -> Any:
    """An input that is not a tensor: an array, or a number as a Python scalar (which promotes weakly)."""
    if isinstance(x, ndarray):
        if x.dtype.kind in "fiub":
            return np.asarray(x)
        raise DtypeError(f"{op.name}: input {position} is an array of {x.dtype}, which is not a number")
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, numbers.Real):
        return x if isinstance(x, bool | int | float) else float(x)
    raise DtypeError(
        f"{op.name}: input {position} must be a Tensor, an ndarray or a number, not {type(x).__name__}; "
        f"make a tensor of it with tensorgrad.tensor(...)"
    )


def explain(op: Op, arrays: list[Any], error: Exception) -> Exception:
    """The error of a kernel in the words of the op that was called."""
    if isinstance(error, ShapeError | DtypeError):
        return error
    shapes = [np.shape(x) for x in arrays]
    text = str(error)
    if "broadcast" in text and isinstance(error, ValueError):
        return ShapeError(f"{op.name}: {mismatch(shapes)}")
    if "not supported" in text and isinstance(error, TypeError):
        names = sorted({np.asarray(x).dtype.name for x in arrays})
        remedy = "~ inverts a mask, .long() makes numbers" if names == ["bool"] else "convert with .long() or .bool()"
        return DtypeError(f"{op.name}: it does not take {' and '.join(names)}; {remedy}")
    specs = ", ".join(spec(np.shape(x), np.asarray(x).dtype) for x in arrays)
    kind = DtypeError if isinstance(error, TypeError) else ShapeError
    return kind(f"{op.name} cannot take {specs}: {text}")


def mismatch(shapes: list[tuple[int, ...]]) -> str:
    """Why shapes do not broadcast, naming the sizes that meet."""
    names = " and ".join(str(shape) for shape in shapes if shape != ())
    for sizes in zip(*([1] * (max(map(len, shapes)) - len(s)) + list(s) for s in shapes), strict=True):
        odd = sorted(set(sizes) - {1})
        if len(odd) > 1:
            return (
                f"shapes {names} do not broadcast: from the right, sizes must be equal or 1, and "
                f"{odd[0]} meets {odd[1]}"
            )
    return f"shapes {names} do not broadcast"


def _named(function: Callable[..., Any], op: Op, doc: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = doc
    function.op = op  # type: ignore[attr-defined]
    op.function = function
    REGISTRY[op.name] = op
    return function


def primitive(name: str, kernel: Callable[..., Any], *vjps: Vjp, doc: str = "", **settings: Any) -> Callable[..., Any]:
    """A function `f(*inputs, **attrs)` that applies a new op. For the settings see `Op`."""
    op = Op(name, kernel, vjps, **settings)

    def function(*inputs: Any, **attrs: Any) -> Any:
        return apply(op, inputs, attrs)

    return _named(function, op, doc)


def unary(
    name: str, kernel: Callable[..., Any], vjp: Vjp = None, keep: str = "", *, inputs: str = "float", doc: str = ""
) -> Callable[..., Any]:
    """An elementwise function `f(input)`: `apply` for one tensor, unrolled, because its cost is what a graph costs."""
    op = Op(name, kernel, (vjp,), keep=keep, inputs=inputs, elementwise=True)
    keep_y, keep_a = op.keeps(1, 1)
    differentiable = op.differentiable

    def function(input: Any) -> Any:
        if isinstance(input, TensorBase):
            a = input._data
            try:
                y = kernel(a)
            except Exception as error:
                if isinstance(a, Foreign):
                    return apply(op, (input,))
                if isinstance(error, ValueError | TypeError):
                    raise explain(op, [a], error) from error
                raise
            if y.dtype is a.dtype:
                out = new(graph.Tensor)
                out._data = y if y.__class__ is ndarray else _array(y)
                out._grad = out._hooks = None
                e = input._node
                if e is None or not differentiable or not (mode := GRAD.get()):
                    out._node = None
                    return out
                if e.__class__ is not Node:
                    e = input if e is LEAF else edge(input)
                    if e is None:
                        out._node = None
                        return out
                out._node = node = new(Node)
                node.op = op
                node.attrs = NO_ATTRS
                node.inputs = (e,)
                node.kept = (out._data if keep_y else None, a if keep_a else e)
                node.shape = y.shape
                node.dtype = y.dtype
                node.hooks = None
                node.exact = True
                node.seq = clock()
                if mode is not True:
                    node.line = user_line()
                return out
        return apply(op, (input,))

    return _named(function, op, doc)


def binary(
    name: str,
    kernel: Callable[..., Any],
    *vjps: Vjp,
    keep: str | tuple[str, ...] = "",
    inputs: str = "promote",
    refuses: str = "",
    doc: str = "",
) -> Callable[..., Any]:
    """An elementwise function `f(input, other)`, broadcasting: `apply` for two tensors of one dtype, unrolled."""
    op = Op(name, kernel, vjps or (None, None), keep=keep, inputs=inputs, refuses=refuses, elementwise=True)
    flags = [op.keeps(mask, 2) for mask in range(4)]
    picky = inputs == "float" or bool(refuses)
    differentiable = op.differentiable
    if not differentiable or None in vjps:

        def general(input: Any, other: Any) -> Any:
            return apply(op, (input, other))

        return _named(general, op, doc)

    def function(input: Any, other: Any) -> Any:
        if isinstance(input, TensorBase):
            a = input._data
            dtype = a.dtype
            f = None
            if isinstance(other, TensorBase):
                b: Any = other._data
                if b.dtype is not dtype or (picky and dtype.kind != "f"):
                    return apply(op, (input, other))
                f = other._node
                exact = a.shape == b.shape
            elif (other.__class__ is float or other.__class__ is int) and dtype.kind == "f":
                b = other
                exact = True
            else:
                return apply(op, (input, other))
            try:
                y = kernel(a, b)
            except Exception as error:
                if isinstance(a, Foreign) or isinstance(b, Foreign):
                    return apply(op, (input, other))
                if isinstance(error, ValueError | TypeError):
                    raise explain(op, [a, b], error) from error
                raise
            out = new(graph.Tensor)
            out._data = y if y.__class__ is ndarray else _array(y)
            out._grad = out._hooks = None
            e = input._node
            if (e is None and f is None) or not (mode := GRAD.get()):
                out._node = None
                return out
            if e is not None and e.__class__ is not Node:
                e = input if e is LEAF else edge(input)
            if f is not None and f.__class__ is not Node:
                f = other if f is LEAF else edge(other)
            if e is None and f is None:
                out._node = None
                return out
            keep_y, keep_a, keep_b = flags[(e is not None) + 2 * (f is not None)]
            out._node = node = new(Node)
            node.op = op
            node.attrs = NO_ATTRS
            node.inputs = (e, f)
            node.kept = (out._data if keep_y else None, a if keep_a else e, b if keep_b else f)
            node.shape = y.shape
            node.dtype = dtype
            node.hooks = None
            node.exact = exact
            node.seq = clock()
            if mode is not True:
                node.line = user_line()
            return out
        return apply(op, (input, other))

    return _named(function, op, doc)
