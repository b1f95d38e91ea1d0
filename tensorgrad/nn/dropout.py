"""Dropout as layers: in training each is its function of `nn.functional`; in evaluation it does nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.module import Module


class _Dropout(Module):
    function: Callable[..., Any]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{type(self).__name__}: p must be between 0 and 1, not {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor."""
        return type(self).function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, sets each element to 0 with probability `p` and scales the others by 1 / (1 - p); else does nothing.

    From Srivastava et al., JMLR 15 (2014). Raises `ValueError` for a probability outside [0, 1].

    >>> import tensorgrad as tg
    >>> tg.nn.Dropout(0.2).eval()(tg.ones(3))
    tensor([1., 1., 1.])
    """

    function = F.dropout


class Dropout1d(_Dropout):
    """`Dropout` of whole channels of (N, C, L) or (C, L) (Tompson et al., 2014, arXiv:1411.4280).

    >>> import tensorgrad as tg
    >>> tg.nn.Dropout1d(1.0)(tg.ones(1, 2))
    tensor([[0., 0.]])
    """

    function = F.dropout1d


class Dropout2d(_Dropout):
    """`Dropout` of whole channels of (N, C, H, W) (Tompson et al., 2014, arXiv:1411.4280).

    >>> import tensorgrad as tg
    >>> tg.nn.Dropout2d(1.0)(tg.ones(1, 1, 1, 2))
    tensor([[[[0., 0.]]]])
    """

    function = F.dropout2d


class Dropout3d(_Dropout):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W) (Tompson et al., 2014, arXiv:1411.4280).

    >>> import tensorgrad as tg
    >>> tg.nn.Dropout3d(1.0)(tg.ones(1, 1, 1, 2))
    tensor([[[[0., 0.]]]])
    """

    function = F.dropout3d


class AlphaDropout(_Dropout):
    """Dropout to go with `SELU`: mean and variance stay (Klambauer et al., 2017, arXiv:1706.02515).

    >>> import tensorgrad as tg
    >>> tg.nn.AlphaDropout(0.2).eval()(tg.ones(2))
    tensor([1., 1.])
    """

    function = F.alpha_dropout


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...).

    >>> import tensorgrad as tg
    >>> tg.nn.FeatureAlphaDropout(0.2).eval()(tg.ones(1, 2))
    tensor([[1., 1.]])
    """

    function = F.feature_alpha_dropout
