"""The activations that bend at a point, as primitives; `nn.functional` composes the others."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import rectifiers as cpu
from tensorgrad.ops.activation import sigmoid
from tensorgrad.ops.choose import where
from tensorgrad.ops.powers import exp

leaky_relu_op = primitive(
    "leaky_relu",
    cpu.leaky_relu,
    lambda g, y, a, slope: where(a > 0, g, g * slope),
    keep="a",
    inputs="promote",
    refuses="biu",
)


def _elu_vjp(g: Any, y: Any, a: Any, alpha: float, scale: float, input_scale: float) -> Any:
    below = exp(where(a <= 0, a, 0.0) * input_scale) * (alpha * scale * input_scale)
    return g * where(a <= 0, below, scale)


# ELU, and with its scales CELU and SELU.
elu_op = primitive("elu", cpu.elu, _elu_vjp, keep="a", inputs="promote", refuses="biu")

# `clamp` whose gradient is 0 at the bounds, where clamp's is 1.
hardtanh_op = primitive(
    "hardtanh",
    cpu.hardtanh,
    lambda g, y, a, low, high: where((a <= low) | (a >= high), 0.0, g),
    keep="a",
    inputs="promote",
    refuses="b",
)

softplus_op = primitive(
    "softplus",
    cpu.softplus,
    lambda g, y, a, beta, threshold: where(a * beta > threshold, g, g * sigmoid(a * beta)),
    keep="a",
    inputs="promote",
    refuses="biu",
)
