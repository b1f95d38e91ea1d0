"""A table of a network's layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad import nn
from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.modes import no_grad
from tensorgrad.nn.modes import computing_dtype, evaluating
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor
from tensorgrad.train.options import LayerOptions, of_layer


def summary(
    module: Module,
    options: Mapping[str, LayerOptions],
    inputs: Sequence[Any] | None,
    input_size: Sequence[int] | None,
) -> str:
    """The table as text: a row for each layer that holds no others."""
    layers = {name: layer for name, layer in module.named_modules() if not any(layer.children())}
    if not any(layer is not module or not isinstance(module, nn.Sequential) for layer in layers.values()):
        return "no layers yet"
    shapes = _shapes(module, list(layers.values()), inputs, input_size)
    rows = [["layer", "type", "output", "parameters", ""]]
    for name, layer in layers.items():
        count = sum(p.numel() for p in layer.parameters())
        shape = shapes.get(layer)
        output = "?" if shape is None else f"({', '.join(['n', *map(str, shape[1:])])})"
        rows.append([name or "-", type(layer).__name__, output, f"{count:,}", _said(name, layer, options)])
    if not shapes:
        rows = [[*row[:2], *row[3:]] for row in rows]
    if not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    numbers = rows[0].index("parameters")
    lines = [
        "  ".join(c.rjust(w) if i == numbers else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip()
        for row in rows
    ]
    parameters = list(module.parameters())
    total, learned = (sum(p.numel() for p in parameters if p.requires_grad or every) for every in (True, False))
    size = sum(p.numel() * p.dtype.itemsize for p in parameters)
    return "\n".join([*lines, f"{total:,} parameters, {learned:,} of them learned; {size:,} bytes"])


def _said(name: str, layer: Module, options: Mapping[str, LayerOptions]) -> str:
    said = vars(of_layer(name, options))
    parts = [f"{key} {value:g}" for key, value in said.items() if key != "trainable" and value]
    parameters = list(layer.parameters())
    if parameters and not any(p.requires_grad for p in parameters):
        parts.append("frozen")
    return ", ".join(parts)


def _shapes(
    module: Module, layers: list[Module], inputs: Sequence[Any] | None, input_size: Sequence[int] | None
) -> dict[Module, tuple[int, ...]]:
    """The shapes of what layers give, of a batch of one; {} where the inputs are not known."""
    if input_size is not None:
        inputs = [(tuple(input_size), computing_dtype(module))]
    elif inputs is None:
        first = next((layer for layer in layers if any(True for _ in layer.parameters(recurse=False))), None)
        if not isinstance(first, nn.Linear):
            return {}
        inputs = [((first.in_features,), first.weight.dtype)]
    shapes: dict[Module, tuple[int, ...]] = {}

    def note(layer: Module, args: Any, output: Any) -> None:
        output = output[0] if isinstance(output, tuple) else output
        if isinstance(output, Tensor):
            shapes[layer] = tuple(output.shape)

    handles = [layer.register_forward_hook(note) for layer in layers]
    try:
        with evaluating(module), no_grad():
            module(*(wrap(np.zeros((1, *shape), dtype)) for shape, dtype in inputs))
    except (RuntimeError, ValueError, TypeError):
        if input_size is not None:
            raise
        return {}
    finally:
        for handle in handles:
            handle.remove()
    return shapes
