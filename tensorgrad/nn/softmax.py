"""Softmax and its kin as layers."""

from __future__ import annotations

from typing import Any

from tensorgrad.errors import ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.nn.module import Module


class _Along(Module):
    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim!r}"


class Softmax(_Along):
    """`exp(input)` over its sum along `dim`.

    >>> import tensorgrad as tg
    >>> tg.nn.Softmax(dim=0)(tg.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.softmax(input, self.dim)


class Softmin(_Along):
    """`softmax(-input)` along `dim`.

    >>> import tensorgrad as tg
    >>> tg.nn.Softmin(dim=0)(tg.tensor([0.0, 1.0]))
    tensor([0.7311, 0.2689])
    """

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.softmin(input, self.dim)


class LogSoftmax(_Along):
    """The logarithm of `softmax` along `dim`.

    >>> import tensorgrad as tg
    >>> tg.nn.LogSoftmax(dim=0)(tg.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.log_softmax(input, self.dim)


class Softmax2d(Module):
    """The softmax over the channels at each place of (N, C, H, W) or (C, H, W). Raises `ShapeError` for another shape.

    >>> import tensorgrad as tg
    >>> tg.nn.Softmax2d()(tg.zeros(2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Any) -> Any:
        """Apply it to (N, C, H, W) or (C, H, W)."""
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: input must be (N, C, H, W) or (C, H, W), and has shape {input.shape}")
        return F.softmax(input, -3)
