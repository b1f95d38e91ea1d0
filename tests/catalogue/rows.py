"""What a row of the catalogue is, and how its inputs are drawn.

A row says how to call the op, what NumPy says the answer is, and what inputs make sense. Inputs are drawn away from the
kinks and poles of the op: there finite differences say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad.autograd.op import REGISTRY

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Draw:
    """How an input is drawn: its shape, its range, and the points that it keeps away from."""

    shape: Shape
    low: float = -2.0
    high: float = 2.0
    kinks: tuple[float, ...] = ()
    kind: str = "f"  # f: floating, i: integers in [low, high), b: bools

    def array(self, source: np.random.Generator, shape: Shape | None = None) -> np.ndarray:
        shape = self.shape if shape is None else shape
        if self.kind == "b":
            return np.asarray(source.random(shape) < 0.5)
        if self.kind == "i":
            return np.asarray(source.integers(int(self.low), int(self.high), shape))
        # Values on a jittered grid are all different, so that no two are nearly equal (maximum, sort, amax).
        count = math.prod(shape)
        grid = (source.permutation(count) + source.uniform(0.2, 0.8, count)) / max(count, 1)
        values = self.low + (self.high - self.low) * grid
        for kink in self.kinks:
            near = np.abs(values - kink) < 0.05
            values = np.where(near, kink + np.where(values >= kink, 0.05, -0.05), values)
        return values.reshape(shape)


@dataclass(frozen=True)
class Row:
    """One primitive. `elementwise` rows are also tried on shapes that Hypothesis draws, broadcasting together.

    `empty` are the shapes of a zero-size call (by default 0 in place of each leading size); an exception class where
    the op must refuse it. Of an op with several outputs, `call` and `reference` return a tuple. `tensors_only` says that
    the public function that is called takes no arrays (in a vjp the primitive is called).
    """

    op: str
    call: Callable[..., Any]
    reference: Callable[..., Any]
    inputs: tuple[Draw, ...]
    elementwise: bool = False
    empty: Any = None
    note: str = ""
    tensors_only: bool = False

    @property
    def id(self) -> str:
        return f"{self.op}{'-' + self.note if self.note else ''}"

    @property
    def differentiable(self) -> bool:
        return REGISTRY[self.op].differentiable


def real(*shape: int, kinks: tuple[float, ...] = ()) -> Draw:
    return Draw(shape, kinks=kinks)


def positive(*shape: int) -> Draw:
    return Draw(shape, low=0.2, high=3.0)


def between(low: float, high: float, *shape: int) -> Draw:
    return Draw(shape, low=low, high=high)


def integers(low: int, high: int, *shape: int) -> Draw:
    return Draw(shape, low=low, high=high, kind="i")


def bools(*shape: int) -> Draw:
    return Draw(shape, kind="b")


def unary(op: str, call: Any, reference: Any, draw: Draw | None = None) -> Row:
    return Row(op, call, reference, (draw or real(3, 4),), elementwise=True)


def binary(op: str, call: Any, reference: Any, a: Draw | None = None, b: Draw | None = None) -> Row:
    return Row(op, call, reference, (a or real(3, 1), b or real(4)), elementwise=True)


def primitive(name: str, **attrs: Any) -> Callable[..., Any]:
    """The call of a primitive itself, for one that has no public function with its arguments."""
    return lambda *inputs: REGISTRY[name].function(*inputs, **attrs)
