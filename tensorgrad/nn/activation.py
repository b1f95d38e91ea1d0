"""Activations as layers: each is the function of `nn.functional` with the layer's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.creation import empty
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter


class _Activation(Module):
    """A function applied to the input, and the layer's attributes that are its further arguments, by name."""

    function: Callable[..., Any]
    settings: tuple[str, ...] = ()

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return type(self).function(input, *[getattr(self, name) for name in self.settings])

    def extra_repr(self) -> str:
        """The settings; `inplace` only where it is set."""
        shown = [name for name in self.settings if name != "inplace" or self.inplace]
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)


class _InPlace(_Activation):
    settings = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(_InPlace):
    """`max(input, 0)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.ReLU()(tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = F.relu


class ReLU6(_InPlace):
    """`min(max(input, 0), 6)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.ReLU6()(tg.tensor([-1.0, 7.0]))
    tensor([0., 6.])
    """

    function = F.relu6


class RReLU(_Activation):
    """`input` where it is positive, else times a random number in [`lower`, `upper`), or their mean in evaluation.

    From Xu et al., 2015, arXiv:1505.00853.

    >>> import tensorgrad as tg
    >>> tg.nn.RReLU(0.25, 0.75).eval()(tg.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    function = F.rrelu
    settings = ("lower", "upper", "inplace")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it to a tensor of any shape."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Hardtanh(_Activation):
    """`input` limited to [`min_val`, `max_val`]. Raises `ValueError` where `min_val` is not below `max_val`.

    >>> import tensorgrad as tg
    >>> tg.nn.Hardtanh()(tg.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    function = F.hardtanh
    settings = ("min_val", "max_val", "inplace")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if min_val >= max_val:
            raise ValueError(f"Hardtanh: min_val {min_val} must be below max_val {max_val}")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace


class LeakyReLU(_Activation):
    """`input` where it is positive, else `negative_slope * input` (Maas et al., 2013).

    >>> import tensorgrad as tg
    >>> tg.nn.LeakyReLU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """

    function = F.leaky_relu
    settings = ("negative_slope", "inplace")

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace


class _Exponential(_Activation):
    settings = ("alpha", "inplace")

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class ELU(_Exponential):
    """`input` where it is positive, else `alpha * (exp(input) - 1)` (Clevert et al., 2015, arXiv:1511.07289).

    >>> import tensorgrad as tg
    >>> tg.nn.ELU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    function = F.elu


class CELU(_Exponential):
    """`input` where it is positive, else `alpha * (exp(input / alpha) - 1)` (Barron, 2017, arXiv:1704.07483).

    >>> import tensorgrad as tg
    >>> tg.nn.CELU(0.5)(tg.tensor([-1.0, 2.0]))
    tensor([-0.4323,  2.0000])
    """

    function = F.celu


class SELU(_InPlace):
    """ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al., 2017, arXiv:1706.02515).

    >>> import tensorgrad as tg
    >>> tg.nn.SELU()(tg.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    function = F.selu


class Threshold(_Activation):
    """`input` where it is above `threshold`, else `value`.

    >>> import tensorgrad as tg
    >>> tg.nn.Threshold(0.5, 9.0)(tg.tensor([-1.0, 2.0]))
    tensor([9., 2.])
    """

    function = F.threshold
    settings = ("threshold", "value", "inplace")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace


class GELU(_Activation):
    """`input` times the normal distribution function of it (Hendrycks and Gimpel, 2016, arXiv:1606.08415).

    >>> import tensorgrad as tg
    >>> tg.nn.GELU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    function = F.gelu
    settings = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class SiLU(_InPlace):
    """`input * sigmoid(input)`, also called swish.

    >>> import tensorgrad as tg
    >>> tg.nn.SiLU()(tg.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    function = F.silu


class Mish(_InPlace):
    """`input * tanh(softplus(input))` (Misra, 2019, arXiv:1908.08681).

    >>> import tensorgrad as tg
    >>> tg.nn.Mish()(tg.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    function = F.mish


class Sigmoid(_Activation):
    """`1 / (1 + exp(-input))`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.Sigmoid()(tg.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """

    function = F.sigmoid


class LogSigmoid(_Activation):
    """`log(sigmoid(input))`, without underflow.

    >>> import tensorgrad as tg
    >>> tg.nn.LogSigmoid()(tg.tensor([0.0, -100.0]))
    tensor([  -0.6931, -100.0000])
    """

    function = F.logsigmoid


class _Unshown(_InPlace):
    def extra_repr(self) -> str:
        """Nothing, as PyTorch has it."""
        return ""


class Hardsigmoid(_Unshown):
    """`relu6(input + 3) / 6`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.Hardsigmoid()(tg.tensor([0.0, 1.5]))
    tensor([0.5000, 0.7500])
    """

    function = F.hardsigmoid


class Hardswish(_Unshown):
    """`input * hardsigmoid(input)` (Howard et al., 2019, arXiv:1905.02244).

    >>> import tensorgrad as tg
    >>> tg.nn.Hardswish()(tg.tensor([1.5, 4.0]))
    tensor([1.1250, 4.0000])
    """

    function = F.hardswish


class Tanh(_Activation):
    """The hyperbolic tangent of each element.

    >>> import tensorgrad as tg
    >>> tg.nn.Tanh()(tg.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    function = F.tanh


class Tanhshrink(_Activation):
    """`input - tanh(input)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.Tanhshrink()(tg.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """

    function = F.tanhshrink


class Softplus(_Activation):
    """`log(1 + exp(beta * input)) / beta`; the input itself above the threshold.

    >>> import tensorgrad as tg
    >>> tg.nn.Softplus()(tg.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    function = F.softplus
    settings = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Softsign(_Activation):
    """`input / (1 + |input|)`, elementwise.

    >>> import tensorgrad as tg
    >>> tg.nn.Softsign()(tg.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    function = F.softsign


class _Shrink(_Activation):
    settings = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """The settings."""
        return str(self.lambd)


class Hardshrink(_Shrink):
    """`input`, but 0 where it is in [-`lambd`, `lambd`].

    >>> import tensorgrad as tg
    >>> tg.nn.Hardshrink()(tg.tensor([0.5, 2.0]))
    tensor([0., 2.])
    """

    function = F.hardshrink


class Softshrink(_Shrink):
    """`input` moved towards 0 by `lambd`, and no further than 0.

    >>> import tensorgrad as tg
    >>> tg.nn.Softshrink()(tg.tensor([0.5, 2.0]))
    tensor([0.0000, 1.5000])
    """

    function = F.softshrink


class GLU(_Activation):
    """The first half of dimension `dim` times the sigmoid of the second (Dauphin et al., 2016, arXiv:1612.08083).

    >>> import tensorgrad as tg
    >>> tg.nn.GLU()(tg.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """

    function = F.glu
    settings = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class PReLU(_Activation):
    """`input` where it is positive, else `weight * input`; `weight` (num_parameters) is learned, and starts at `init`.

    `num_parameters` is 1, or the number of channels, which are dimension 1 (He et al., 2015, arXiv:1502.01852).

    >>> import tensorgrad as tg
    >>> tg.nn.PReLU()(tg.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    function = F.prelu
    settings = ("weight",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(empty(num_parameters, **factory))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to `init`."""
        init.constant_(self.weight, self.init)

    def extra_repr(self) -> str:
        """The settings."""
        return f"num_parameters={self.num_parameters}"
