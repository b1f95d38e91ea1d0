"""The activations that are primitives; `nn.functional` composes the others."""

from __future__ import annotations

from tensorgrad.autograd.op import primitive, unary
from tensorgrad.backends import cpu
from tensorgrad.ops.arithmetic import minimum
from tensorgrad.ops.choose import where
from tensorgrad.ops.powers import exp

tanh = unary(
    "tanh",
    cpu.tanh,
    lambda g, y, a: g - g * y * y,
    keep="y",
    doc="""The hyperbolic tangent of each element.

    >>> import tensorgrad as tg
    >>> tg.tanh(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """,
)

sigmoid = unary(
    "sigmoid",
    cpu.sigmoid,
    lambda g, y, a: g * y * (1.0 - y),
    keep="y",
    doc="""`1 / (1 + exp(-input))`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.sigmoid(tg.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """,
)

relu = unary(
    "relu",
    cpu.relu,
    lambda g, y, a: g * (y > 0),
    keep="y",
    inputs="promote",
    doc="""`max(input, 0)`, elementwise; the gradient at 0 is 0.

    >>> import tensorgrad as tg
    >>> tg.relu(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
)

leaky_relu_op = primitive(
    "leaky_relu", cpu.leaky_relu, lambda g, y, a, slope: where(a > 0, g, g * slope), keep="a", inputs="float"
)
elu_op = primitive(
    "elu", cpu.elu, lambda g, y, a, alpha: g * where(a > 0, 1.0, exp(minimum(a, 0.0)) * alpha), keep="a", inputs="float"
)
softplus_op = primitive(
    "softplus",
    cpu.softplus,
    lambda g, y, a, beta, threshold: where(a * beta > threshold, g, g * sigmoid(a * beta)),
    keep="a",
    inputs="float",
)
