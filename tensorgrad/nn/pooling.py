"""Pooling as layers: each is the function of `nn.functional` with the layer's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.module import Module
from tensorgrad.ops.checks import sizes


class _Pool(Module):
    function: Callable[..., Any]
    shown: tuple[str, ...] = ("kernel_size", "stride", "padding")

    def extra_repr(self) -> str:
        """The settings."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)


class _MaxPool(_Pool):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        """Pool the input; with `return_indices`, also return where the elements were."""
        settings = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        return type(self).function(input, *settings)


class MaxPool1d(_MaxPool):
    """The largest element of each window of (N, C, L) or (C, L); see `nn.functional.max_pool1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.MaxPool1d(2)(tg.ones(2, 6)).shape
    (2, 3)
    """

    function = F.max_pool1d


class MaxPool2d(_MaxPool):
    """The largest element of each window of (N, C, H, W) or (C, H, W); see `nn.functional.max_pool2d`.

    >>> import tensorgrad as tg
    >>> tg.nn.MaxPool2d(2)(tg.ones(2, 6, 6)).shape
    (2, 3, 3)
    """

    function = F.max_pool2d


class MaxPool3d(_MaxPool):
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.functional.max_pool3d`.

    >>> import tensorgrad as tg
    >>> tg.nn.MaxPool3d(2)(tg.ones(2, 6, 6, 6)).shape
    (2, 3, 3, 3)
    """

    function = F.max_pool3d


class _MaxUnpool(_Pool):
    dims: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = sizes(name, "kernel_size", kernel_size, self.dims, 1)
        self.stride = self.kernel_size if stride is None else sizes(name, "stride", stride, self.dims, 1)
        self.padding = sizes(name, "padding", padding, self.dims, 0)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """Put the elements of the input back to the indices that the pooling gave."""
        return type(self).function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """Puts what `MaxPool1d(..., return_indices=True)` took back to where it was, among zeros.

    >>> import tensorgrad as tg
    >>> y, indices = tg.nn.MaxPool1d(2, return_indices=True)(tg.ones(2, 6))
    >>> tg.nn.MaxUnpool1d(2)(y, indices).shape
    (2, 6)
    """

    function = F.max_unpool1d
    dims = 1


class MaxUnpool2d(_MaxUnpool):
    """Puts what `MaxPool2d(..., return_indices=True)` took back to where it was, among zeros.

    >>> import tensorgrad as tg
    >>> y, indices = tg.nn.MaxPool2d(2, return_indices=True)(tg.ones(2, 6, 6))
    >>> tg.nn.MaxUnpool2d(2)(y, indices).shape
    (2, 6, 6)
    """

    function = F.max_unpool2d
    dims = 2


class MaxUnpool3d(_MaxUnpool):
    """Puts what `MaxPool3d(..., return_indices=True)` took back to where it was, among zeros.

    >>> import tensorgrad as tg
    >>> y, indices = tg.nn.MaxPool3d(2, return_indices=True)(tg.ones(2, 6, 6, 6))
    >>> tg.nn.MaxUnpool3d(2)(y, indices).shape
    (2, 6, 6, 6)
    """

    function = F.max_unpool3d
    dims = 3


class AvgPool1d(_Pool):
    """The mean of each window of (N, C, L) or (C, L); see `nn.functional.avg_pool1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.AvgPool1d(2)(tg.ones(2, 6)).shape
    (2, 3)
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = sizes("AvgPool1d", "kernel_size", kernel_size, 1, 1)
        self.stride = self.kernel_size if stride is None else sizes("AvgPool1d", "stride", stride, 1, 1)
        self.padding = sizes("AvgPool1d", "padding", padding, 1, 0)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        """Pool the input."""
        settings = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return F.avg_pool1d(input, *settings)


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        """Pool the input."""
        settings = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return type(self).function(input, *settings, self.divisor_override)


class AvgPool2d(_AvgPool):
    """The mean of each window of (N, C, H, W) or (C, H, W); see `nn.functional.avg_pool2d`.

    >>> import tensorgrad as tg
    >>> tg.nn.AvgPool2d(2)(tg.ones(2, 6, 6)).shape
    (2, 3, 3)
    """

    function = F.avg_pool2d


class AvgPool3d(_AvgPool):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.functional.avg_pool3d`.

    >>> import tensorgrad as tg
    >>> tg.nn.AvgPool3d(2)(tg.ones(2, 6, 6, 6)).shape
    (2, 3, 3, 3)
    """

    function = F.avg_pool3d


class _LPPool(_Pool):
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        """Pool the input."""
        return type(self).function(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    """The p-norm of each window of (N, C, L) or (C, L); see `nn.functional.lp_pool1d`.

    >>> import tensorgrad as tg
    >>> tg.nn.LPPool1d(2, 2)(tg.ones(2, 6)).shape
    (2, 3)
    """

    function = F.lp_pool1d


class LPPool2d(_LPPool):
    """The p-norm of each window of (N, C, H, W) or (C, H, W); see `nn.functional.lp_pool2d`.

    >>> import tensorgrad as tg
    >>> tg.nn.LPPool2d(2, 2)(tg.ones(2, 6, 6)).shape
    (2, 3, 3)
    """

    function = F.lp_pool2d


class LPPool3d(_LPPool):
    """The p-norm of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.functional.lp_pool3d`.

    >>> import tensorgrad as tg
    >>> tg.nn.LPPool3d(2, 2)(tg.ones(2, 6, 6, 6)).shape
    (2, 3, 3, 3)
    """

    function = F.lp_pool3d


class _AdaptiveAvgPool(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        """Pool the input."""
        return type(self).function(input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of parts of (N, C, L) or (C, L), which make up `output_size`.

    >>> import tensorgrad as tg
    >>> tg.nn.AdaptiveAvgPool1d(3)(tg.ones(2, 6)).shape
    (2, 3)
    """

    function = F.adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of parts of (N, C, H, W) or (C, H, W), which make up `output_size`.

    >>> import tensorgrad as tg
    >>> tg.nn.AdaptiveAvgPool2d(3)(tg.ones(2, 6, 6)).shape
    (2, 3, 3)
    """

    function = F.adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of parts of (N, C, D, H, W) or (C, D, H, W), which make up `output_size`.

    >>> import tensorgrad as tg
    >>> tg.nn.AdaptiveAvgPool3d(3)(tg.ones(2, 6, 6, 6)).shape
    (2, 3, 3, 3)
    """

    function = F.adaptive_avg_pool3d


class _AdaptiveMaxPool(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """Pool the input; with `return_indices`, also return where the elements were."""
        return type(self).function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of parts of (N, C, L) or (C, L), which make up `output_size`.

    >>> import tensorgrad as tg
    >>> tg.nn.AdaptiveMaxPool1d(3)(tg.ones(2, 6)).shape
    (2, 3)
    """

    function = F.adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of parts of (N, C, H, W) or (C, H, W), which make up `output_size`.

    >>> import tensorgrad as tg
    >>> tg.nn.AdaptiveMaxPool2d(3)(tg.ones(2, 6, 6)).shape
    (2, 3, 3)
    """

    function = F.adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest elements of parts of (N, C, D, H, W) or (C, D, H, W), which make up `output_size`.

    >>> import tensorgrad as tg
    >>> tg.nn.AdaptiveMaxPool3d(3)(tg.ones(2, 6, 6, 6)).shape
    (2, 3, 3, 3)
    """

    function = F.adaptive_max_pool3d
