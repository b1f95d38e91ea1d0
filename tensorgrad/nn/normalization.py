"""Normalisation as layers."""

from __future__ import annotations

from typing import Any

from tensorgrad.creation import empty, ones, tensor, zeros
from tensorgrad.errors import ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter


class _Norm(Module):
    """A weight that starts at 1 and a bias that starts at 0, where they are wanted."""

    weight: Any
    bias: Any

    def add_parameters(self, shape: Any, weight: bool, bias: bool, factory: dict[str, Any]) -> None:
        """Make the parameters."""
        for name, wanted in (("weight", weight), ("bias", weight and bias)):
            self.register_parameter(name, Parameter(empty(shape, **factory)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to 1, and the bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _ChannelNorm(_Norm):
    """What batch norm and instance norm share: parameters and running statistics of the channels."""

    ndims: tuple[int, ...]  # how many dimensions an input may have
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, **factory) if tracked else None)
        self.register_buffer("running_var", ones(num_features, **factory) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0, device=device) if tracked else None)
        self.add_parameters(num_features, affine, bias, factory)

    def reset_running_stats(self) -> None:
        """Set the running mean to 0, the running variance to 1 and the count of batches to 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set the parameters and the running statistics to what they start with."""
        self.reset_running_stats()
        super().reset_parameters()

    def check(self, input: Any) -> None:
        """Raise unless the input has the dimensions, and where it matters the channels, of the layer."""
        name, ndims = type(self).__name__, self.ndims
        if input.ndim not in ndims:
            raise ShapeError(
                f"{name}: it takes {' or '.join(map(str, ndims))} dimensions, got an input of shape {input.shape}"
            )
        channels = input.shape[self.channel_dim(input)]
        if channels != self.num_features and (self.affine or self.track_running_stats):
            raise ShapeError(
                f"{name}: an input of shape {input.shape} has {channels} channels, and the layer {self.num_features}"
            )

    def channel_dim(self, input: Any) -> int:
        """Which dimension has the channels."""
        return 1

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    def forward(self, input: Any) -> Any:
        """Normalise the input; in training, move the running statistics."""
        self.check(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        update = self.training and self.track_running_stats
        if update:
            self.num_batches_tracked += 1
            if self.momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        mean, var = (self.running_mean, self.running_var) if update or not self.training else (None, None)
        training = self.training or self.running_mean is None
        return F.batch_norm(input, mean, var, self.weight, self.bias, training, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Each channel of (N, C) or (N, C, L) normalised over the batch, times `weight`, plus `bias`.

    From Ioffe and Szegedy, 2015 (arXiv:1502.03167). In training by the batch's mean and variance; in evaluation by the
    running ones, which training moves by `momentum` (None: to the mean of all batches). Raises `ShapeError` for another
    number of dimensions or channels, `ValueError` in training with one value per channel.

    >>> import tensorgrad as tg
    >>> tg.nn.BatchNorm1d(1)(tg.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    """

    ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` of images (N, C, H, W).

    >>> import tensorgrad as tg
    >>> tg.nn.BatchNorm2d(3)(tg.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` of volumes (N, C, D, H, W).

    >>> import tensorgrad as tg
    >>> tg.nn.BatchNorm3d(3)(tg.ones(2, 3, 4, 4, 4)).shape
    (2, 3, 4, 4, 4)
    """

    ndims = (5,)


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def channel_dim(self, input: Any) -> int:
        """Which dimension has the channels: there may be no batch."""
        return input.ndim - self.ndims[0]

    def forward(self, input: Any) -> Any:
        """Normalise the input; in training, move the running statistics if there are any."""
        self.check(input)
        if input.ndim == self.ndims[0]:
            return self.forward(input.unsqueeze(0)).squeeze(0)
        own = self.training or not self.track_running_stats
        mean, var = self.running_mean, self.running_var
        return F.instance_norm(input, mean, var, self.weight, self.bias, own, self.momentum or 0.0, self.eps)


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (N, C, L), or of one sample (C, L), normalised over its places.

    From Ulyanov et al., 2016 (arXiv:1607.08022). With `affine` times `weight`, plus `bias`; with `track_running_stats`
    evaluation is by the running mean and variance. Raises `ShapeError` for another number of dimensions or, where it
    matters, channels, `ValueError` for channels of one place.

    >>> import tensorgrad as tg
    >>> tg.nn.InstanceNorm1d(2)(tg.tensor([[1.0, 3.0], [2.0, 6.0]]))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    ndims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` of images (N, C, H, W) or (C, H, W).

    >>> import tensorgrad as tg
    >>> tg.nn.InstanceNorm2d(3)(tg.ones(3, 4, 4)).shape
    (3, 4, 4)
    """

    ndims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` of volumes (N, C, D, H, W) or (C, D, H, W).

    >>> import tensorgrad as tg
    >>> tg.nn.InstanceNorm3d(3)(tg.ones(3, 4, 4, 4)).shape
    (3, 4, 4, 4)
    """

    ndims = (4, 5)


class LayerNorm(_Norm):
    """The last dimensions, of `normalized_shape`, normalised, times `weight`, plus `bias`.

    From Ba et al., 2016 (arXiv:1607.06450). Raises `ShapeError` for an input of other last dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.LayerNorm(2)(tg.tensor([[1.0, 3.0], [2.0, 6.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.add_parameters(self.normalized_shape, elementwise_affine, bias, {"device": device, "dtype": dtype})

    def forward(self, input: Any) -> Any:
        """Normalise (..., *normalized_shape)."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(_Norm):
    """Groups of channels of each sample of (N, C, ...) normalised; `weight` and `bias` are of the channels.

    From Wu and He, 2018 (arXiv:1803.08494). Raises `ValueError` where the channels are not a multiple of the groups.

    >>> import tensorgrad as tg
    >>> tg.nn.GroupNorm(2, 4)(tg.ones(1, 4, 3, 3)).shape
    (1, 4, 3, 3)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels are not a multiple of {num_groups} groups")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.add_parameters(num_channels, affine, bias, {"device": device, "dtype": dtype})

    def forward(self, input: Any) -> Any:
        """Normalise (N, C, ...)."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """The last dimensions, of `normalized_shape`, over the root of their mean square, times `weight`.

    From Zhang and Sennrich, 2019 (arXiv:1910.07467). Raises `ShapeError` for an input of other last dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.RMSNorm(2)(tg.tensor([3.0, 4.0])).detach()
    tensor([0.8485, 1.1314])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Any) -> Any:
        """Normalise (..., *normalized_shape)."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Each channel of (N, C, ...) over `(k + alpha * m) ** beta`, m the mean square of `size` channels around it.

    From Krizhevsky et al., 2012.

    >>> import tensorgrad as tg
    >>> tg.nn.LocalResponseNorm(2)(tg.ones(1, 4, 3, 3)).shape
    (1, 4, 3, 3)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Any:
        """Normalise (N, C, ...)."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
