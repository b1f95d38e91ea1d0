"""GELU as a primitive."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import gelu as cpu
from tensorgrad.ops.activation import tanh
from tensorgrad.ops.powers import exp

CUBIC = 0.044715


def _curvature(x: Any, approximate: str) -> Any:
    """The second derivative."""
    if approximate == "none":
        return (2.0 - x * x) * exp(x * x * -0.5) * (0.5 * cpu.ROOT)
    t = tanh(cpu.ROOT * (x + CUBIC * x * x * x))
    inner = cpu.ROOT * (1.0 + 3.0 * CUBIC * x * x)
    return (1.0 - t * t) * (inner - x * t * inner * inner + 3.0 * CUBIC * cpu.ROOT * x * x)


def _gelu_vjp(g: Any, wants: tuple[bool, ...], y: Any, x: Any, approximate: str) -> tuple[Any]:
    through_y = g[0] * y[1] if 0 in g else 0.0
    return (through_y + g[1] * _curvature(x, approximate) if 1 in g else through_y,)


# The activation and its slope. One primitive, because the composition takes ten passes over memory and keeps four
# arrays; the slope, computed beside the value, makes the gradient a product.
gelu_op = primitive("gelu", cpu.gelu, joint=_gelu_vjp, keep="y1a", inputs="float")
