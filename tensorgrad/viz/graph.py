"""Draw the graph behind a tensor: parameters, operations and results, in the order of computation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import Node, TensorBase, edge, spec
from tensorgrad.autograd.op import PICK, REGISTRY, Op
from tensorgrad.errors import AutogradError
from tensorgrad.nn.module import Module
from tensorgrad.ops.checks import must_be_int
from tensorgrad.viz.drawing import FONT, Drawing
from tensorgrad.viz.labels import (
    ALARM,
    QUIET,
    SMALL,
    bold,
    counted,
    escape,
    listed,
    of_attributes,
    of_shape,
    of_value,
    plain,
    quoted,
    short,
    small,
)

# Kind: fill, border, style. They differ in outline too, so that a print in black and white can be read.
KINDS = {
    "parameter": ("#d6e6f5", "#2f6ea5", "filled"),
    "leaf": ("#dcefdc", "#3c8a4a", "filled"),
    "data": ("#ffffff", "#8a8a8a", "filled,dashed"),
    "operation": ("#efefef", "#6b6b6b", "filled,rounded"),
    "view": ("#ffffff", "#a8a8a8", "filled,rounded"),
    "function": ("#e9e0f3", "#7a55a5", "filled,rounded"),
    "output": ("#fdebc8", "#c07f13", "filled,bold"),
}
MANY = 4  # a leaf that more operations use is drawn beside each


@dataclass(frozen=True)
class Graph(Drawing):
    """A drawing of a graph, as `graph` returns it. In a notebook it shows itself.

    `source` is the text in Graphviz's DOT language, the same for the same graph. `operations` and `leaves` count what
    is drawn, `hidden` the older operations that are not, and `missing` are the names given that are not in the graph.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> w, b = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True)
    >>> drawing = viz.graph((w * 2).sum(), {"w": w, "b": b})
    >>> drawing
    <Graph of 2 operations and 1 leaf; not in it: b>
    >>> drawing.missing
    ('b',)
    """

    operations: int
    leaves: int
    hidden: int = 0
    missing: tuple[str, ...] = ()

    def __repr__(self) -> str:
        text = f"<Graph of {counted(self.operations, 'operation')} and {counted(self.leaves, 'leaf')}"
        if self.hidden:
            text += f"; {self.hidden:,} older hidden"
        if self.missing:
            text += f"; not in it: {listed(self.missing)}"
        return text + ">"


def graph(
    tensor: Any,
    params: Any = None,
    *,
    direction: str = "TB",
    max_nodes: int | None = 500,
    show_gradients: bool = False,
    legend: bool = True,
) -> Graph:
    """The graph behind a tensor (or a list or tuple of them), drawn from its leaves to the result.

    `params` names tensors: a Module, a `train.Model`, or a dict of name to tensor. Besides parameters a dict may name
    inputs and results in between. Every operation shows its output's shape and what it was called with; views, which
    move no data, are white. Data that needs no gradient is drawn where an operation kept it for backward, and not once
    backward has released the graph. A picture as .svg tells more where the mouse rests, and the line of code of each
    operation if it was computed under `autograd.detect_anomaly()`.

    `direction` is "TB" (from top to bottom) or "LR" (left to right). Of more than `max_nodes` operations the newest are
    drawn, and the picture says how many are not; None draws all. `show_gradients` adds the norm of each leaf's `.grad`.

    Raises `AutogradError` for a tensor without a graph, `TypeError` or `ValueError` for other arguments.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> w, x = tg.ones(3, 2, requires_grad=True), tg.ones(4, 3)
    >>> viz.graph((x @ w).relu().sum(), {"w": w, "x": x}, direction="LR")
    <Graph of 3 operations and 1 leaf>
    """
    if direction not in ("TB", "LR"):
        raise ValueError(f"graph: direction must be 'TB' or 'LR', not {direction!r}")
    if max_nodes is not None:
        must_be_int("graph", 1, max_nodes=max_nodes)
    names = _Names(params)
    outputs = _outputs(tensor)
    nodes, hidden = _collect([edge(t) for t in outputs], max_nodes)
    return _Drawing(names, nodes, outputs, show_gradients).finish(hidden, direction, legend)


def _outputs(tensor: Any) -> list[Any]:
    several = isinstance(tensor, list | tuple)
    outputs = list(tensor) if several else [tensor]
    if not outputs:
        raise ValueError("graph: there are no tensors to draw")
    for i, t in enumerate(outputs):
        which = f"tensor {i}" if several else "this tensor"
        if not isinstance(t, TensorBase):
            raise TypeError(f"graph: it draws a Tensor, or a list or tuple of them, and {which} is {type(t).__name__}")
        if edge(t) is None:
            raise AutogradError(
                f"graph: {which}, {spec(t._data.shape, t._data.dtype)}, has no graph; make one of the tensors that it "
                f"is computed from with requires_grad=True, and compute it outside no_grad()"
            )
    return outputs


def _collect(roots: Iterable[Any], limit: int | None) -> tuple[list[Node], int]:
    """The operations behind the roots, oldest first, the newest up to the limit; and how many more there are."""
    heap: list[tuple[int, Node]] = []
    seen: set[int] = set()
    drawn: list[Node] = []
    hidden = 0
    edges = list(roots)
    while True:
        for e in edges:
            source = _source(e)
            if source.__class__ is Node and source.seq not in seen:
                seen.add(source.seq)
                heappush(heap, (-source.seq, source))
        if not heap:
            return drawn[::-1], hidden
        node = heappop(heap)[1]
        if limit is None or len(drawn) < limit:
            drawn.append(node)
        else:
            hidden += 1
        edges = list(node.inputs)


def _source(e: Any) -> Any:
    """What an edge comes from, with the outputs of an op that has several folded into that op."""
    return e.inputs[0] if e.__class__ is Node and e.op is PICK else e


class _Names:
    """The names that the user gave: of leaves and results by their edge, of other data by the array."""

    def __init__(self, params: Any) -> None:
        if not isinstance(params, Module | Mapping):
            params = getattr(params, "module", params)  # of a train.Model
        if params is None:
            pairs: list[tuple[Any, Any]] = []
        elif isinstance(params, Mapping):
            pairs = list(params.items())
        elif callable(getattr(params, "named_parameters", None)):
            pairs = list(params.named_parameters())
        else:
            raise TypeError(
                f"graph: params must be a Module, a dict of name to tensor, or None, not {type(params).__name__}"
            )
        self.names: dict[int, list[str]] = {}
        self.keys: dict[str, int] = {}
        self.used: set[int] = set()
        self.alive = []  # an id stays that of its object as long as the object lives
        for name, tensor in pairs:
            if not isinstance(name, str) or not isinstance(tensor, TensorBase):
                raise TypeError(
                    f"graph: params must hold names and tensors, and holds {name!r}: {type(tensor).__name__}"
                )
            e = edge(tensor)
            thing = tensor._data if e is None else e
            self.alive.append(thing)
            self.names.setdefault(id(thing), []).append(name)
            self.keys[name] = id(thing)

    def of(self, thing: Any) -> str | None:
        names = self.names.get(id(thing))
        if names is None:
            return None
        self.used.add(id(thing))
        return ", ".join(names)

    def missing(self) -> tuple[str, ...]:
        return tuple(name for name, key in self.keys.items() if key not in self.used)


class _Drawing:
    """The DOT text of a graph, written oldest operation first."""

    def __init__(self, names: _Names, nodes: list[Node], outputs: list[Any], show_gradients: bool) -> None:
        import graphviz

        self.dot = graphviz.Digraph("tensorgrad")
        self.names = names
        self.nodes = nodes
        self.outputs = outputs
        self.show_gradients = show_gradients
        self.shown = {id(node) for node in nodes}
        self.results = {id(edge(t)) for t in outputs}  # whose names stand in the boxes of the outputs
        self.boxes: dict[Any, str] = {}  # what is drawn, by id; leaves and data by `_place`
        self.counts = dict.fromkeys(("op", "leaf", "data", "y"), 0)
        self.kinds: set[str] = set()
        edges = [e for node in nodes for e in node.inputs] + [edge(t) for t in outputs]
        self.joints = {id(_source(e)) for e in edges if _source(e) is not e}  # operations with several outputs
        self.leaves = {id(e) for e in edges if isinstance(e, TensorBase)}
        self.uses: Counter[int] = Counter()  # how many operations read a leaf or data
        for node in nodes:
            self.uses.update({id(e if e is not None else _kept(node, i)) for i, e in enumerate(node.inputs)})

    def finish(self, hidden: int, direction: str, legend: bool) -> Graph:
        """Draw everything."""
        attr = self.dot.attr
        attr("graph", rankdir=direction, ordering="in", nodesep="0.25", ranksep="0.32", pad="0.15", tooltip=" ")
        attr("node", shape="box", fontname=FONT, fontsize="11", margin="0.12,0.06", height="0.3", width="0.6")
        attr("edge", fontname=FONT, fontsize=SMALL, fontcolor=QUIET, color="#4d4d4d", arrowsize="0.6", tooltip=" ")
        if hidden:
            text = small(f"{counted(hidden, 'older operation')} not drawn")
            self.dot.node(
                "hidden",
                f"<{bold('…')}<BR/>{text}>",
                shape="none",
                tooltip="max_nodes sets how many operations are drawn",
            )
        for node in self.nodes:
            self._operation(node)
        for i, tensor in enumerate(self.outputs):
            self._output(tensor, "output" if len(self.outputs) == 1 else f"output {i}")
        missing = self.names.missing()
        rows = [self._legend()] if legend else []
        if missing:
            rows.append(f"not in this graph: {escape(listed(missing))}")
        if any(node.kept is None for node in self.nodes):
            rows.append("released by backward(): what it kept of the input data is gone")
        if rows:
            table = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
            label = f"<<TABLE BORDER='0' CELLSPACING='0' CELLPADDING='3'>{table}</TABLE>>"
            attr("graph", label=label, fontname=FONT, fontsize=SMALL, fontcolor=QUIET, labelloc="b")
        return Graph(self.dot.source, self.counts["op"], len(self.leaves), hidden, missing)

    def _legend(self) -> str:
        cells = ""
        for kind, (fill, border, style) in KINDS.items():
            if kind in self.kinds:
                outline = f" STYLE='{style.split(',')[1]}'" if style.endswith(("dashed", "rounded")) else ""
                cells += f"<TD BORDER='1' BGCOLOR='{fill}' COLOR='{border}'{outline}>{kind}</TD>"
        return f"<TABLE BORDER='0' CELLSPACING='4' CELLPADDING='3'><TR>{cells}</TR></TABLE>"

    def _place(self, thing: Any, target: str) -> Any:
        """Where a leaf or data is drawn: once, but beside each operation if so many use it that lines would tangle."""
        return (id(thing), target) if self.uses[id(thing)] > MANY else id(thing)

    def _box(self, place: Any, prefix: str, kind: str, lines: list[str], hints: list[str]) -> str:
        """Add a box and return its name in the DOT text; the lines are HTML, the hints are not."""
        fill, border, style = KINDS[kind]
        self.kinds.add(kind)
        name = self.boxes[place] = f"{prefix}{self.counts[prefix]}"
        self.counts[prefix] += 1
        label = f"<{'<BR/>'.join(line for line in lines if line)}>"
        self.dot.node(name, label, fillcolor=fill, color=border, style=style, tooltip=quoted(hints))
        return name

    def _operation(self, node: Node) -> None:
        op: Op = node.op
        kind = "function" if REGISTRY.get(op.name) is not op else "view" if op.view else "operation"
        several = id(node) in self.joints
        name = self._name_between(node)
        title = bold(op.name) + ("" if name is None else f" <I>{escape(short(name))}</I>")
        details = ", ".join([*self._numbers(node), *of_attributes(node)])
        lines = [title, small(details)]
        if len(details) <= 20 and name is None:
            lines = [" ".join(line for line in lines if line)]
        hints = [op.name if several else f"{op.name}: {spec(node.shape, node.dtype)}"]
        hints += [f"{key} = {of_value(value)}" for key, value in node.attrs.items() if key != "steps"]
        hints += [f"computed at {line}" for line in [getattr(node, "line", None)] if line]
        me = self._box(id(node), "op", kind, [*lines, "" if several else small(of_shape(node))], hints)
        drawn = []
        for i, e in enumerate(node.inputs):
            if e is not None:
                drawn.append(self._edge(e, me, "broadcast" if _broadcasts(node, e) else ""))
            elif isinstance(data := _kept(node, i), np.ndarray) and data.ndim:
                self._data(data, me)
        if not all(drawn):
            self.dot.edge("hidden", me, style="dotted")

    def _edge(self, e: Any, target: str, label: str = "") -> bool:
        """Draw an edge, and the leaf that it may come from. Return whether its source is drawn."""
        source = _source(e)
        if source.__class__ is Node and id(source) not in self.shown:
            return False
        if source is not e:
            name = self._name_between(e)
            which = f"out {e.attrs['index']}" if name is None else short(plain(name))
            label = "  ".join(part for part in (which, of_shape(e), label) if part)
        place = id(source) if source.__class__ is Node else self._place(source, target)
        if place not in self.boxes:
            self._leaf(source, place)
        text = quoted([f" {label} "]) if label else None
        self.dot.edge(self.boxes[place], target, label=text, tooltip=spec(e.shape, e.dtype))
        return True

    def _name_between(self, node: Node) -> str | None:
        return None if id(node) in self.results else self.names.of(node)

    def _leaf(self, leaf: Any, place: Any) -> None:
        name = self.names.of(leaf)
        title = "leaf" if name is None else name
        lines = [bold(title), small(of_shape(leaf, always=True)), self._shared(leaf)]
        if self.show_gradients:
            norm = None if leaf._grad is None else float(np.linalg.norm(leaf._grad._data.astype(np.float64)))
            text = "no gradient" if norm is None else f"|grad| {norm:.3g}"
            lines.append(small(text, QUIET if norm is not None and math.isfinite(norm) else ALARM))
        hints = [f"{title}: {spec(leaf.shape, leaf.dtype)}", counted(leaf._data.size, "element")]
        self._box(place, "leaf", "leaf" if name is None else "parameter", lines, hints)

    def _data(self, array: Any, target: str) -> None:
        place = self._place(array, target)
        if place not in self.boxes:
            name = self.names.of(array)
            title = "data" if name is None else name
            hints = [f"{title}: {spec(array.shape, array.dtype)}", "needs no gradient"]
            lines = [bold(title), small(of_shape(array, always=True)), self._shared(array)]
            self._box(place, "data", "data", lines, hints)
        self.dot.edge(self.boxes[place], target, style="dashed", color=KINDS["data"][1])

    def _shared(self, thing: Any) -> str:
        uses = self.uses[id(thing)]
        return small(f"shared by {uses:,} operations") if uses > MANY else ""

    def _output(self, tensor: Any, default: str) -> None:
        e, data = edge(tensor), tensor._data
        name = self.names.of(e) if e.__class__ is Node else None
        title = default if name is None else name
        lines = [bold(title), small(of_shape(data, always=True))]
        if data.size == 1:
            value = data.item()
            lines.append(small(f"= {value:.4g}", QUIET if math.isfinite(value) else ALARM))
        self._edge(
            e, self._box(("output", default), "y", "output", lines, [f"{title}: {spec(data.shape, data.dtype)}"])
        )

    def _numbers(self, node: Node) -> list[str]:
        """The single numbers among what an operation was given, in their places: "(·, 0.5)"."""
        texts = []
        for i, e in enumerate(node.inputs):
            x = _kept(node, i) if e is None else None
            if isinstance(x, np.ndarray) and not x.ndim:
                name = self.names.of(x)
                texts.append(of_value(x.item()) if name is None else f"{name}={of_value(x.item())}")
            else:
                texts.append(of_value(x) if isinstance(x, bool | int | float) else "·")
        return [f"({', '.join(texts)})"] if any(text != "·" for text in texts) else []


def _kept(node: Node, i: int) -> Any:
    """What an operation kept of its input i: an array or a number, if anything."""
    return node.kept[i + 1] if node.kept is not None and i + 1 < len(node.kept) else None


def _broadcasts(node: Node, e: Any) -> bool:
    """Whether an elementwise operation stretches this input, whose gradient is then summed."""
    if node.op.inputs != "promote" or len(node.op.vjps) < 2 or e.shape == node.shape:
        return False
    return bool(np.broadcast_shapes(e.shape, node.shape) == node.shape)
