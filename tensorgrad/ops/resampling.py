"""Resampling along one dimension. `nn.functional` has the functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import resampling as cpu

# A primitive: gathered and weighed by operations, its gradient would be added up element by element.
resample_op: Callable[..., Any] = primitive(
    "resample", cpu.resample, lambda g, y, a, taps, dim: resample_op(g, taps=taps.transposed, dim=dim)
)
