"""Dropout."""

from __future__ import annotations

from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.module import Module


class Dropout(Module):
    """In training, sets each element to 0 with probability `p` and scales the others by 1 / (1 - p); else does nothing.

    From Srivastava et al., JMLR 15 (2014). Raises `ValueError` for a probability outside [0, 1].

    >>> import tensorgrad as tg
    >>> tg.nn.Dropout(0.2).eval()(tg.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"Dropout: p must be between 0 and 1, not {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, inplace={self.inplace}"
