"""What derivatives and vectorisation share: nested structures of tensors, and how deep a call is nested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tensorgrad.autograd.graph import TensorBase
from tensorgrad.errors import DtypeError

SIZES: ContextVar[tuple[int, ...]] = ContextVar("sizes", default=())  # of the batches of the vmaps we are inside of


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of nested tuples, lists and dicts, and the function that puts others in their places."""
    if isinstance(tree, dict):
        keys, values = list(tree), list(tree.values())
        make: Any = lambda parts: dict(zip(keys, parts))  # noqa: E731
    elif isinstance(tree, tuple | list):
        values = list(tree)
        make = type(tree) if not hasattr(tree, "_fields") else lambda parts: type(tree)(*parts)
    else:
        return [tree], lambda leaves: leaves[0]
    flats = [flatten(value) for value in values]

    def build(leaves: list[Any]) -> Any:
        parts, start = [], 0
        for below, rebuild in flats:
            parts.append(rebuild(leaves[start : start + len(below)]))
            start += len(below)
        return make(parts)

    return [leaf for below, _ in flats for leaf in below], build


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The structure with a function applied to each leaf."""
    leaves, build = flatten(tree)
    return build([function(leaf) for leaf in leaves])


@contextmanager
def setting(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """A context variable with a value for the time of a block."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def tensors_of(caller: str, ys: Any, complaint: str = "the function must return tensors, and returned") -> list[Any]:
    """The leaves of what a function returned, or was given. Raises `DtypeError` unless they are tensors."""
    flat = flatten(ys)[0]
    for y in flat:
        if not isinstance(y, TensorBase):
            raise DtypeError(f"{caller}: {complaint} {type(y).__name__}")
    return flat
