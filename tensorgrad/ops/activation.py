"""The activations that are tensor methods too; `rectifiers.py` has other primitives, `nn.functional` the rest."""

from __future__ import annotations

from tensorgrad.autograd.op import unary
from tensorgrad.backends import cpu

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
    lambda g, y, a: g * (y != 0),  # so that it flows to NaN, as in PyTorch
    keep="y",
    inputs="promote",
    doc="""`max(input, 0)`, elementwise; the gradient at 0 is 0.

    >>> import tensorgrad as tg
    >>> tg.relu(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
)
