"""Activations as layers."""

from __future__ import annotations

from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.module import Module


class ReLU(Module):
    """`max(input, 0)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.relu(input, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """`input` where it is positive, else `negative_slope * input` (Maas et al., 2013).

    >>> import tensorgrad as tg
    >>> tg.nn.LeakyReLU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"negative_slope={self.negative_slope!r}" + (", inplace=True" if self.inplace else "")


class Sigmoid(Module):
    """`1 / (1 + exp(-input))`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.Sigmoid()(tg.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent of each element.

    >>> import tensorgrad as tg
    >>> tg.nn.Tanh()(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.tanh(input)


class Softmax(Module):
    """`exp(input)` over its sum along `dim`.

    >>> import tensorgrad as tg
    >>> tg.nn.Softmax(dim=0)(tg.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The settings."""
        return f"dim={self.dim!r}"


class LogSoftmax(Module):
    """The logarithm of `softmax` along `dim`.

    >>> import tensorgrad as tg
    >>> tg.nn.LogSoftmax(dim=0)(tg.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The settings."""
        return f"dim={self.dim!r}"


class GELU(Module):
    """`input` times the normal distribution function of it (Hendrycks and Gimpel, 2016, arXiv:1606.08415).

    >>> import tensorgrad as tg
    >>> tg.nn.GELU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """The settings."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """`input * sigmoid(input)`, also called swish.

    >>> import tensorgrad as tg
    >>> tg.nn.SiLU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.silu(input, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return "inplace=True" if self.inplace else ""


class ELU(Module):
    """`input` where it is positive, else `alpha * (exp(input) - 1)` (Clevert et al., 2015, arXiv:1511.07289).

    >>> import tensorgrad as tg
    >>> tg.nn.ELU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return f"alpha={self.alpha!r}" + (", inplace=True" if self.inplace else "")


class Softplus(Module):
    """`log(1 + exp(beta * input)) / beta`; the input itself above the threshold.

    >>> import tensorgrad as tg
    >>> tg.nn.Softplus()(tg.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The settings."""
        return f"beta={self.beta!r}, threshold={self.threshold!r}"
