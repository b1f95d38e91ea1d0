"""Convolutional layers, and their transposes."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.creation import empty
from tensorgrad.errors import ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.checks import must_be_int, sizes
from tensorgrad.ops.convolution import must_be_stride_1, same_padding
from tensorgrad.tensor import Tensor

MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What the convolutional layers of all dimensions share."""

    dims: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        name, dims = type(self).__name__, self.dims
        must_be_int(name, 1, groups=groups, in_channels=in_channels, out_channels=out_channels)
        for what, count in (("in_channels", in_channels), ("out_channels", out_channels)):
            if count % groups:
                raise ValueError(f"{name}: {what} must be a multiple of groups={groups}, not {count}")
        if padding_mode not in (MODES[:1] if self.transposed else MODES):
            known = "'zeros'" if self.transposed else f"one of {', '.join(map(repr, MODES))}"
            raise ValueError(f"{name}: padding_mode must be {known}, not {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = sizes(name, "kernel_size", kernel_size, dims, 1)
        self.stride = sizes(name, "stride", stride, dims, 1)
        if not isinstance(padding, str):
            padding = sizes(name, "padding", padding, dims, 0)
        elif self.transposed or padding not in ("valid", "same"):
            known = "ints" if self.transposed else "ints, 'valid' or 'same'"
            raise ValueError(f"{name}: padding must be {known}, not {padding!r}")
        elif padding == "same":
            must_be_stride_1(name, self.stride)
        self.padding = padding
        self.dilation = sizes(name, "dilation", dilation, dims, 1)
        self.output_padding = sizes(name, "output_padding", output_padding, dims, 0)
        self.groups = groups
        self.padding_mode = padding_mode
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty(*channels, *self.kernel_size, **factory))
        self.register_parameter("bias", Parameter(empty(out_channels, **factory)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1.0 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The settings that are not the usual ones."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        none, ones = (0,) * self.dims, (1,) * self.dims
        for name, usual in (("padding", none), ("dilation", ones), ("output_padding", none), ("groups", 1)):
            value = getattr(self, name)
            if value != usual:
                text += f", {name}={value}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Conv(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, 0, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Any:
        """Apply the layer to (N, in_channels, ...) or (in_channels, ...)."""
        convolve, padding = getattr(F, f"conv{self.dims}d"), self.padding
        if self.padding_mode != "zeros":
            pairs: Any = ()
            if padding == "same":
                pairs = same_padding(self.kernel_size, self.dilation)
            elif padding != "valid":
                pairs = zip(padding, padding)
            around = [p for pair in reversed(tuple(pairs)) for p in pair]  # F.pad takes the last dimension first
            input = F.pad(input, around, mode=self.padding_mode) if any(around) else input
            padding = 0
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """The convolution of (N, in_channels, length) or (in_channels, length) with a learned kernel; see `conv1d`.

    `weight` (out_channels, in_channels / groups, kernel) and `bias` (out_channels) start uniform in +-1 / sqrt(n), n
    the inputs of an output, as in PyTorch. `padding_mode` is "zeros", "reflect", "replicate" or "circular". Raises
    `ValueError` for settings out of range.

    >>> import tensorgrad as tg
    >>> tg.nn.Conv1d(2, 4, 3, padding="same")(tg.ones(5, 2, 8)).shape
    (5, 4, 8)
    """

    dims = 1


class Conv2d(_Conv):
    """The convolution of images (N, in_channels, H, W) or (in_channels, H, W) with a learned kernel; see `conv2d`.

    Settings are an int, or (height, width). For the parameters and what is raised see `Conv1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.Conv2d(3, 8, 3, stride=2, padding=1)(tg.ones(5, 3, 8, 8)).shape
    (5, 8, 4, 4)
    """

    dims = 2


class Conv3d(_Conv):
    """The convolution of volumes (N, in_channels, D, H, W), or without N, with a learned kernel.

    Settings are an int, or (depth, height, width). For the parameters and what is raised see `Conv1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.Conv3d(1, 2, (1, 3, 3))(tg.ones(5, 1, 4, 4, 4)).shape
    (5, 2, 4, 2, 2)
    """

    dims = 3


class _ConvTranspose(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Any = None) -> Any:
        """Apply the layer to (N, in_channels, ...) or (in_channels, ...); or to an `output_size`."""
        extra = self.output_padding if output_size is None else self._extra(input, tuple(output_size))
        transpose = getattr(F, f"conv_transpose{self.dims}d")
        return transpose(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, input: Tensor, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output_padding that makes the output of the wanted size."""
        least = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-self.dims :], self.stride, self.padding, self.dilation, self.kernel_size
            )
        )
        size = wanted[-self.dims :]
        fits = len(wanted) in (self.dims, input.ndim)
        if not fits or any(not m <= n < m + s for n, m, s in zip(size, least, self.stride)):
            most = tuple(m + s - 1 for m, s in zip(least, self.stride))
            raise ShapeError(
                f"{type(self).__name__}: output_size {wanted} must be from {least} to {most} for input of shape "
                f"{input.shape}"
            )
        return tuple(n - m for n, m in zip(size, least))


class ConvTranspose1d(_ConvTranspose):
    """The transpose of `Conv1d`: (N, in_channels, length), or without N, to a longer one; see `conv_transpose1d`.

    `weight` is (in_channels, out_channels / groups, kernel). For the rest, and what is raised, see `Conv1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.ConvTranspose1d(2, 4, 2, stride=2)(tg.ones(5, 2, 8)).shape
    (5, 4, 16)
    """

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d`: images (N, in_channels, H, W), or without N, to larger ones; see `conv_transpose2d`.

    `weight` is (in_channels, out_channels / groups, height, width). For the rest, and what is raised, see `Conv1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.ConvTranspose2d(3, 8, 3, stride=2, padding=1)(tg.ones(5, 3, 4, 4), output_size=(8, 8)).shape
    (5, 8, 8, 8)
    """

    dims = 2


class ConvTranspose3d(_ConvTranspose):
    """The transpose of `Conv3d`: volumes (N, in_channels, D, H, W), or without N, to larger ones.

    `weight` is (in_channels, out_channels / groups, depth, height, width). For the rest, and what is raised, see
    `Conv1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.ConvTranspose3d(1, 2, 2, stride=2)(tg.ones(5, 1, 2, 2, 2)).shape
    (5, 2, 4, 4, 4)
    """

    dims = 3


class Unfold(Module):
    """The blocks that a sliding kernel sees, as columns: (N, C, H, W) to (N, C * kernel elements, blocks).

    >>> import tensorgrad as tg
    >>> tg.nn.Unfold(2)(tg.ones(5, 3, 4, 4)).shape
    (5, 12, 9)
    """

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Any:
        """Unfold images."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Blocks (N, C * kernel elements, blocks) added up to images (N, C, *output_size): the transpose of `Unfold`.

    >>> import tensorgrad as tg
    >>> tg.nn.Fold((4, 4), 2)(tg.ones(5, 12, 9)).shape
    (5, 3, 4, 4)
    """

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Any:
        """Fold blocks."""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
