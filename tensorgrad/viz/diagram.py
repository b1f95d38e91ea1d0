"""Draw the layers of a network: dense ones unit by unit, others as boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tensorgrad.nn import Flatten, Linear
from tensorgrad.viz.drawing import FONT, Drawing
from tensorgrad.viz.graph import KINDS
from tensorgrad.viz.labels import QUIET, SMALL, bold, counted, escape, short, small
from tensorgrad.viz.panels import COLORS, module_of
from tensorgrad.viz.tracing import Layer, Shape, Sources, trace

FORWARD, BACKWARD = COLORS[:2]
PATHS = ("forward", "backward", "both")
UNITS = 8  # a layer of more is drawn with its first and last units, and dots between
STEP = 0.42  # inches from unit to unit
LINE = 0.17  # inches from line to line
LETTER = 0.085  # the width of a letter


@dataclass(frozen=True)
class Diagram(Drawing):
    """A drawing of a network, as `network_diagram` returns it: saved and shown as a `Graph` is.

    `layers` counts the layers that are drawn, and `parameters` the numbers that are learned, each once.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> viz.network_diagram(tg.nn.Linear(4, 2)).parameters
    10
    """

    layers: int
    parameters: int

    def __repr__(self) -> str:
        return f"<Diagram of {counted(self.layers, 'layer')} and {counted(self.parameters, 'parameter')}>"


def network_diagram(module: Any, input_size: Any = None, path: str = "forward") -> Diagram:
    """The layers of a network in the order in which they are called, with their settings, sizes and parameters.

    A chain of dense layers is drawn unit by unit, at most 8 of each layer, with what follows each (activations,
    dropout) written below it; other networks as boxes. `path` says which shapes to add: of the values on their way
    "forward", of their gradients and the parameters' on the way "backward", or of "both". n is the number of examples.

    `module` is a Module, or a model with a `.module`. `input_size`, the shape of one example, an int or a tuple, or of
    several inputs a tuple of shapes, is what a forward of zeros is done with, in evaluation mode. It may be left out
    for a `train.Model` that has met data, and for a Sequential: then shapes are known where its first layer is dense.
    What a `forward` does between its layers is not drawn (see `graph`), and the line there is dotted. Raises
    `ValueError` for another path, or where `input_size` is needed, and `TypeError` where inputs are missing.

    >>> import tensorgrad as tg
    >>> from tensorgrad import viz
    >>> net = tg.nn.Sequential(tg.nn.Linear(64, 32), tg.nn.ReLU(), tg.nn.Linear(32, 10))
    >>> viz.network_diagram(net, path="both")
    <Diagram of 3 layers and 2,410 parameters>
    """
    if path not in PATHS:
        raise ValueError(f"network_diagram: path must be 'forward', 'backward' or 'both', not {path!r}")
    task = getattr(module, "_task", None)  # of a fitted model
    module = module_of("network_diagram", module)
    layers, shapes, ends = trace(module, input_size, None if task is None else task.inputs)
    total = sum(parameter._data.size for parameter in module.parameters())
    title = bold(f"{type(module).__name__}: {counted(len(layers), 'layer')}, {counted(total, 'parameter')}")
    if not all(all(sources.values()) for sources in (*(layer.sources for layer in layers), ends)):
        title += f"<BR/>{small('dotted: other operations in between')}"
    dot = _start(title)
    columns = _columns(layers, shapes, ends)
    if columns is None:
        _draw_boxes(dot, layers, shapes, ends, path)
    else:
        _draw_units(dot, columns, path)
    return Diagram(dot.source, len(layers), total)


def _start(title: str) -> Any:
    import graphviz

    dot = graphviz.Digraph("network")
    dot.attr("graph", label=f"<{title}>", labelloc="t", fontname=FONT, fontsize="12", pad="0.15", tooltip=" ")
    dot.attr("node", fontname=FONT, fontsize="11", tooltip=" ")
    dot.attr("edge", fontname=FONT, fontsize=SMALL, arrowsize="0.6", tooltip=" ")
    return dot


def _shown(shape: Shape | None) -> str:
    """A shape whose first number is that of the examples."""
    if not shape:
        return "" if shape is None else "scalar"
    return str(shape) if shape[0] != 1 else f"(n{str(shape)[2:]}"


def _colored(text: str, color: str) -> str:
    return f"<FONT COLOR='{color}' POINT-SIZE='{SMALL}'>{escape(text)}</FONT>" if text else ""


def _gradients(layer: Layer) -> list[str]:
    return [f"{name}.grad {shape}" for name, shape in layer.parameters.items()]


# Boxes


def _draw_boxes(dot: Any, layers: Sequence[Layer], inputs: list[Shape | None], ends: Sources, path: str) -> None:
    dot.attr("graph", rankdir="TB", nodesep="0.3", ranksep="0.35")
    dot.attr("node", shape="box", margin="0.14,0.07", height="0.3")
    first = -len(inputs)
    for source, shape in zip(range(first, 0), inputs):
        _box(dot, _named(source, first), "data", [bold("input"), small(_shown(shape))])
    shapes = dict(enumerate([*inputs, *(layer.shape for layer in layers)], first))
    learned = dict.fromkeys(range(first, 0), False)  # whether there is something to learn at a layer or before it
    for i, layer in enumerate(layers):
        title = type(layer.module).__name__
        settings = "" if layer.module._modules else layer.module.extra_repr().replace("\n", ", ")
        name = f" <FONT COLOR='{QUIET}'>{escape(short(layer.name))}</FONT>" if layer.name else ""
        lines = [bold(title) + name, small(settings), small(counted(layer.count, "parameter") if layer.count else "")]
        if path != "forward":
            lines += [_colored(short(text), BACKWARD) for text in _gradients(layer)]
        _box(dot, f"layer{i}", "parameter" if layer.count else "operation", lines)
        for source, direct in layer.sources.items():
            _flow(dot, _named(source, first), f"layer{i}", shapes[source], path, learned[source], direct)
        learned[i] = layer.count > 0 or any(learned[source] for source in layer.sources)
    last = shapes[max(ends)] if all(ends.values()) else None
    _box(dot, "out", "output", [bold("output"), small(_shown(last))])
    for source, direct in ends.items():
        _flow(dot, _named(source, first), "out", shapes[source], path, learned[source], direct)


def _named(source: int, first: int) -> str:
    """The name of the box of a layer, or of an input: "in", of several "in0" and so on."""
    if source >= 0:
        return f"layer{source}"
    return "in" if first == -1 else f"in{source - first}"


def _box(dot: Any, name: str, kind: str, lines: list[str]) -> None:
    fill, border, style = KINDS[kind]
    dot.node(name, f"<{'<BR/>'.join(line for line in lines if line)}>", fillcolor=fill, color=border, style=style)


def _flow(dot: Any, start: str, target: str, shape: Shape | None, path: str, learned: bool, direct: bool) -> None:
    """The lines between two boxes: of values, and of gradients where something before them learns."""
    style = "solid" if direct else "dotted"
    text = f"  {_shown(shape)}  " if direct else ""
    if path == "backward":
        dot.edge(start, target, color=QUIET, style=style)
    else:
        dot.edge(start, target, color=FORWARD, fontcolor=FORWARD, label=text, style=style)
    if path != "forward" and learned:
        text = f"  grad {_shown(shape)}  " if direct else ""
        style = "dashed" if direct else "dotted"
        dot.edge(start, target, dir="back", color=BACKWARD, fontcolor=BACKWARD, label=text, style=style)


# Units


@dataclass
class _Column:
    """A layer of units: how many, what is written below, and the gradients of what it is computed with."""

    units: int
    lines: list[str]
    gradients: list[str] = field(default_factory=list)


def _columns(layers: Sequence[Layer], inputs: list[Shape | None], ends: Sources) -> list[_Column] | None:
    """The columns of a chain of dense layers; None for any other network."""
    last = len(layers) - 1
    shape, *others = inputs
    if shape is None or others or ends != {last: True} or not any(isinstance(layer.module, Linear) for layer in layers):
        return None
    columns = [_Column(shape[-1], ["input"])]
    for i, layer in enumerate(layers):
        module, name = layer.module, type(layer.module).__name__
        if layer.sources != {i - 1: True} or layer.shape is None or len(layer.shape) != 2:
            return None
        if isinstance(module, Linear):
            size = f"{module.in_features} → {module.out_features}"
            lines = [f"{name} {size}", counted(layer.count, "parameter")]
            columns.append(_Column(module.out_features, lines, _gradients(layer)))
        elif isinstance(module, Flatten) and len(columns) == 1:
            columns[0].units = layer.shape[-1]
            columns[0].lines.append(f"{_shown(shape)} flattened")
        elif layer.shape[1:] == (columns[-1].units,):
            settings = module.extra_repr()
            count = f", {counted(layer.count, 'parameter')}" if layer.count else ""
            columns[-1].lines.append(short(f"{name}({settings})" if settings else name, 30) + count)
            columns[-1].gradients += [f"{name}.{text}" for text in _gradients(layer)]
        else:
            return None
    return columns


def _draw_units(dot: Any, columns: Sequence[_Column], path: str) -> None:
    """Place everything by hand, in inches: a column is a layer, and what is said of it stands below."""
    values, gradients = path != "backward", path != "forward"
    texts = [column.lines + (column.gradients if gradients else []) for column in columns]
    gap = max(1.5, LETTER * max(len(line) for lines in texts for line in lines) + 0.2)
    dot.attr("graph", layout="neato", splines="line", outputorder="edgesfirst")
    names = [_draw_column(dot, i, column.units, i * gap, i == len(columns) - 1) for i, column in enumerate(columns)]
    for here, there in zip(names, names[1:]):
        for start in here:
            for end in there:
                dot.edge(start, end, arrowhead="none", color="#9a9a9a", penwidth="0.4")
    y = -STEP * (max(min(column.units, UNITS) for column in columns) / 2 + 0.2)
    height = LINE * max(map(len, texts)) + 0.1
    for i, column in enumerate(columns):
        lines = [bold(counted(column.units, "unit")), *map(small, column.lines)]
        lines += [_colored(text, BACKWARD) for text in column.gradients] if gradients else []
        _text(dot, f"text{i}", "<BR/>".join(lines), i * gap, y - (height + LINE) / 2, gap, height + LINE)
    y -= height + LINE + 0.2
    last = len(columns) - 1
    if values:
        _text(dot, "values", _colored("values", FORWARD), -0.55, y, 0.9, LINE)
        for i, column in enumerate(columns):
            _arrow(dot, f"f{i}", i * gap, (i + 1) * gap, y, f"(n, {column.units})", FORWARD)
        _text(dot, "prediction", _colored("prediction", FORWARD), (last + 1) * gap + 0.3, y, 0.9, LINE)
        y -= 0.4
    if gradients:
        _text(dot, "gradients", _colored("gradients", BACKWARD), -0.55, y, 0.9, LINE)
        for i, column in enumerate(columns[1:], 1):
            _arrow(dot, f"b{i}", (i + 1) * gap, i * gap, y, f"(n, {column.units})", BACKWARD)
        _text(dot, "loss", _colored("loss", BACKWARD), (last + 1) * gap + 0.3, y, 0.9, LINE)


def _draw_column(dot: Any, i: int, units: int, x: float, is_output: bool) -> list[str]:
    """Draw the units of a layer and return their names."""
    fill, border, _ = KINDS["data" if i == 0 else "output" if is_output else "parameter"]
    slots = min(units, UNITS)
    dots = UNITS // 2 if units > UNITS else -1
    names = []
    for slot in range(slots):
        y = STEP * ((slots - 1) / 2 - slot)
        if slot == dots:
            for offset in (-1, 0, 1):
                _point(dot, f"more{i}_{offset + 1}", x, y + 0.1 * offset, 0.045)
            continue
        names.append(f"unit{i}_{slot}")
        dot.node(
            names[-1], "", shape="circle", fixedsize="true", width="0.28", pos=f"{x:.3f},{y:.3f}!", style="filled",
            fillcolor=fill, color=border,
        )  # fmt: skip
    return names


def _point(dot: Any, name: str, x: float, y: float, width: float) -> None:
    style = {} if width else {"style": "invis"}
    dot.node(name, "", shape="point", width=str(width), pos=f"{x:.3f},{y:.3f}!", color=QUIET, **style)


def _text(dot: Any, name: str, text: str, x: float, y: float, width: float, height: float) -> None:
    dot.node(
        name, f"<{text}>", shape="plaintext", fixedsize="true", labelloc="t", width=f"{width:.3f}",
        height=f"{height:.3f}", pos=f"{x:.3f},{y:.3f}!",
    )  # fmt: skip


def _arrow(dot: Any, name: str, start: float, end: float, y: float, text: str, color: str) -> None:
    """An arrow from left to right, or back, with a text above it."""
    inset = 0.12 if end > start else -0.12
    _point(dot, f"{name}_from", start + inset, y, 0)
    _point(dot, f"{name}_to", end - inset, y, 0)
    dot.edge(f"{name}_from", f"{name}_to", color=color)
    _text(dot, name, _colored(text, color), (start + end) / 2, y + 0.12, abs(end - start), LINE)
