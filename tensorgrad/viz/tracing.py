"""Which layers a network has, in the order in which they are called, and what flows between them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tensorgrad.autograd.graph import Node, TensorBase, edge
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.backends.dtypes import int64
from tensorgrad.creation import zeros
from tensorgrad.nn import Embedding, Linear, Module, ModuleDict, ModuleList, Sequential
from tensorgrad.nn.modes import computing_dtype, evaluating
from tensorgrad.viz.labels import counted

Shape = tuple[int, ...]
Inputs = Sequence[tuple[Shape, Any]]  # the shape of an example of each, and its dtype
Sources = dict[int, bool]
CONTAINERS = (Sequential, ModuleList, ModuleDict)


@dataclass
class Layer:
    """A layer as it was called: by which name, on the outputs of which others, and what came out.

    `sources` are the positions of those others, -1 for the network's input (of several -1 for the last), each with
    whether the layer took just that output, or something that was made of it in between. A shape that is not known is
    None.
    """

    name: str
    module: Module
    sources: Sources
    shape: Shape | None = None
    parameters: dict[str, Shape] = field(default_factory=dict)
    count: int = 0


def named_layers(module: Module, prefix: str = "") -> Iterator[tuple[str, Module]]:
    """The modules that are drawn: those without others in them, and the library's with parameters of their own."""
    whole = type(module).__module__.startswith("tensorgrad.") and list(module.parameters(recurse=False))
    if whole or not (module._modules or isinstance(module, CONTAINERS)) or "parametrizations" in module._modules:
        yield prefix, module
        return
    for name, child in module.named_children():
        yield from named_layers(child, f"{prefix}.{name}" if prefix else name)


def trace(
    module: Module, input_size: Any, met: Inputs | None = None
) -> tuple[list[Layer], list[Shape | None], Sources]:
    """The layers in the order of their calls, the shapes of the inputs, and which layers the output is from.

    The first number of a shape, 1, stands for n. Without an input size the inputs are those that were `met`, or that
    of a leading dense layer; where there is none a Sequential's layers are known, without shapes. Raises `ValueError`
    for any other module.
    """
    named = list(named_layers(module))
    if not named:
        raise ValueError(f"network_diagram: {type(module).__name__} has no layers")
    chained = all(isinstance(each, Sequential) for each in _above(module, {id(layer) for _, layer in named}))
    if input_size is None and met is None and chained and isinstance(named[0][1], Linear):
        input_size = (named[0][1].in_features,)
    if input_size is not None:
        met = [(shape, computing_dtype(module)) for shape in _shapes(input_size)]
        if isinstance(named[0][1], Embedding):
            met[0] = met[0][0], int64
    shapes: list[Shape | None]
    if met is not None:
        shapes = [(1, *shape) for shape, _ in met]
        found, ends = _called(module, named, met)
    elif chained:
        shapes, ends = [None], {len(named) - 1: True}
        found = [Layer(name, layer, {i - 1: True}) for i, (name, layer) in enumerate(named)]
    else:
        raise ValueError(
            f"network_diagram: what {type(module).__name__} does with its layers is found by calling it; give "
            f"input_size, the shape of one example, as (1, 28, 28)"
        )
    seen: set[int] = set()
    for layer in found:
        fresh = [(name, p) for name, p in layer.module.named_parameters() if id(p) not in seen]
        seen.update(id(p) for _, p in fresh)
        layer.parameters = {name: p.shape for name, p in fresh}
        layer.count = sum(p._data.size for _, p in fresh)
    return found, shapes, ends


def _shapes(input_size: Any) -> list[Shape]:
    """The shape of an input, or those of several."""
    given = input_size if isinstance(input_size, tuple | list) else (input_size,)
    if given and all(isinstance(each, tuple | list) for each in given):
        return [tuple(each) for each in given]
    return [tuple(given)]


def _above(module: Module, layers: set[int]) -> Iterator[Module]:
    if id(module) not in layers:
        yield module
        for child in module.children():
            yield from _above(child, layers)


def _called(module: Module, named: list[tuple[str, Module]], inputs: Inputs) -> tuple[list[Layer], Sources]:
    """The layers that a forward of zeros calls, and where its result is from."""
    found: list[Layer] = []
    given = [zeros(1, *shape, dtype=dtype, requires_grad=dtype.kind == "f") for shape, dtype in inputs]
    try:
        inspect.signature(module.forward).bind(*given)
    except TypeError as error:
        raise TypeError(
            f"network_diagram: {type(module).__name__} with {counted(len(given), 'input')}: {error}; give input_size, "
            f"of several inputs a shape for each, as ((3,), (5,))"
        ) from None
    # What flowed, tensors and their places in the graph, and which layer it is from.
    made = {id(x): i - len(given) for i, x in enumerate(given)}
    alive: list[Any] = []  # an id stays that of its object as long as the object lives

    def note(name: str, layer: Module, args: tuple[Any, ...], output: Any) -> None:
        results = _tensors(output)
        sources = _sources(_tensors(args), made, len(found) - 1)
        found.append(Layer(name, layer, sources, results[0].shape if results else None))
        alive.extend(results)
        for each in results:
            made[id(each)] = made[id(edge(each))] = len(found) - 1  # of what has no edge the place is not asked for

    handles = [layer.register_forward_hook(partial(note, name)) for name, layer in named]
    try:
        with evaluating(module), enable_grad():
            result = module(*given)
    finally:
        for handle in handles:
            handle.remove()
    return found, _sources(_tensors(result), made, len(found) - 1)


def _sources(tensors: list[Any], made: dict[int, int], last: int) -> Sources:
    """Which layers tensors are from, and whether just so; where the graph does not tell, the last one called."""
    sources: Sources = {}
    edges = []
    for each in tensors:
        if id(each) in made:
            sources[made[id(each)]] = True
        else:
            edges.append(edge(each))
    seen: set[int] = set()
    while edges:
        e = edges.pop()
        if e is None or id(e) in seen:
            continue
        seen.add(id(e))
        if id(e) in made:
            sources.setdefault(made[id(e)], False)
        elif isinstance(e, Node):
            edges.extend(e.inputs)
    return sources or {last: False}


def _tensors(value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return [tensor for each in value for tensor in _tensors(each)]
    return [value] if isinstance(value, TensorBase) else []
