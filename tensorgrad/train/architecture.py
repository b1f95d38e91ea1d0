"""A network as plain data, which says how to build it again: what a model file holds beside the weights."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from tensorgrad import nn
from tensorgrad.nn.module import Module
from tensorgrad.random import fork_rng

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


class NotDescribed(ValueError):
    """A network that holds layers whose classes are not of `tensorgrad.nn`, or whose arguments cannot be known."""


def describe(module: Module) -> dict[str, Any]:
    """The classes of a network's layers and their arguments, as plain data that `build` takes.

    A layer's arguments are read from the attributes that are named as they are. Raises `NotDescribed` for classes that
    are not of `tensorgrad.nn`, and where what `build` makes would be another network.

    >>> import tensorgrad as tg
    >>> from tensorgrad.train.architecture import build, describe
    >>> describe(tg.nn.Linear(2, 3, bias=False))
    {'class': 'Linear', 'arguments': {'in_features': 2, 'out_features': 3, 'bias': False}}
    >>> build(describe(tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.ReLU())))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """
    description = _describe(module)
    with fork_rng():  # building draws weights, and saving must not change what is drawn after it
        again = build(description)
    alike = len(list(again.parameters())) == len(list(module.parameters()))  # or layers were used twice
    if not alike or repr(again) != repr(module) or _shapes(again) != _shapes(module):
        raise NotDescribed(f"{type(module).__name__} holds a layer that its class and attributes do not describe")
    return description


def build(description: dict[str, Any]) -> Module:
    """The network that `describe` described, with fresh weights. Raises `ValueError` for what describes none."""
    match description:
        case {"class": str(name), "children": dict(children)}:
            container = _named(name)()
            for key, child in children.items():
                container.add_module(key, build(child))
            return container
        case {"class": str(name), "arguments": dict(arguments)}:
            given = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
            return _named(name)(**given)
    raise ValueError(f"not the description of a network: {str(description)[:80]}")


def _named(name: str) -> Any:
    kind = getattr(nn, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Module)):
        raise ValueError(f"tensorgrad.nn has no layer {name!r}; the file may be of a newer tensorgrad")
    return kind


def _shapes(module: Module) -> dict[str, Any]:
    return {name: (value.shape, value.dtype) for name, value in module.state_dict().items()}


def _describe(module: Module) -> dict[str, Any]:
    kind = type(module)
    name = kind.__name__
    if getattr(nn, name, None) is not kind:
        raise NotDescribed(f"{name} is not a layer of tensorgrad.nn")
    if kind in _CONTAINERS:
        return {"class": name, "children": {key: _describe(child) for key, child in module._modules.items() if child}}
    arguments = {}
    for key, parameter in inspect.signature(kind).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if key not in _LEFT_OUT and (value := _argument(module, key)) is not parameter.default:
            arguments[key] = value
    return {"class": name, "arguments": arguments}


_LEFT_OUT = {"device", "_weight", "_freeze", "size_average", "reduce"}


def _argument(module: Module, key: str) -> Any:
    """The argument of a layer's constructor, as its attribute of that name has it."""
    if key == "dtype":
        dtypes = {p.dtype.name for p in module.parameters()}
        return None if dtypes <= {"float32"} else dtypes.pop()
    value = getattr(module, key, inspect.Parameter.empty)
    if isinstance(value, nn.Parameter) or (value is None and key == "bias"):
        value = value is not None
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, bool | int | float | str | tuple | list | None):
        raise NotDescribed(f"{type(module).__name__} does not keep its argument {key!r} as plain data")
    return value
