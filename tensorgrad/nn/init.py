"""Initialisation: functions that fill a tensor in place, without a record, and return it."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np

from tensorgrad import ops, random
from tensorgrad.autograd import no_grad
from tensorgrad.creation import from_numpy
from tensorgrad.errors import ShapeError
from tensorgrad.random import Generator
from tensorgrad.tensor import Tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which the standard deviation must grow to make up for what a nonlinearity shrinks.

    "linear", "sigmoid" and the convolutions 1; "tanh" 5/3; "relu" sqrt(2); "leaky_relu" sqrt(2 / (1 + slope**2)) with
    slope `param` (0.01); "selu" 3/4. Raises `ValueError` for another name, and for a slope that is not a number.

    >>> import tensorgrad as tg
    >>> tg.nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity in ("linear", "sigmoid") or re.fullmatch("conv(_transpose)?[123]d", nonlinearity):
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3.0
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"calculate_gain: the slope of leaky_relu must be a number, not {slope!r}")
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity == "selu":
        return 0.75
    raise ValueError(
        f"calculate_gain: unknown nonlinearity {nonlinearity!r}; known are linear, conv1d to conv3d, conv_transpose1d "
        f"to conv_transpose3d, sigmoid, tanh, relu, leaky_relu, selu"
    )


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output has, and how many outputs each input."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"{name}: it needs two dimensions or more, (out, in, ...), and the tensor has shape {tensor.shape}; "
            f"for a bias use zeros_ or uniform_"
        )
    receptive = math.prod(tensor.shape[2:])
    return tensor.shape[1] * receptive, tensor.shape[0] * receptive


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with a value.

    >>> import tensorgrad as tg
    >>> tg.nn.init.constant_(tg.empty(2), 3.0)
    tensor([3., 3.])
    """
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    >>> import tensorgrad as tg
    >>> tg.nn.init.zeros_(tg.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones.

    >>> import tensorgrad as tg
    >>> tg.nn.init.ones_(tg.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers in [`a`, `b`).

    >>> import tensorgrad as tg
    >>> bool((tg.nn.init.uniform_(tg.empty(100), 2.0, 3.0) >= 2.0).all())
    True
    """
    if b < a:
        raise ValueError(f"uniform_: b must not be below a, and {b} is below {a}")
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers.

    >>> import tensorgrad as tg
    >>> tg.nn.init.normal_(tg.empty(2), 5.0, 0.0)
    tensor([5., 5.])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in +-gain * sqrt(6 / (in + out)) (Glorot and Bengio, AISTATS 2010).

    Raises `ShapeError` below 2 dimensions.

    >>> import tensorgrad as tg
    >>> bool((tg.nn.init.xavier_uniform_(tg.empty(3, 3)).abs() <= 1.0).all())
    True
    """
    fan_in, fan_out = _fans("xavier_uniform_", tensor)
    bound = gain * math.sqrt(6.0 / max(fan_in + fan_out, 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain * sqrt(2 / (in + out)) (Glorot and Bengio, AISTATS 2010).

    >>> import tensorgrad as tg
    >>> tg.nn.init.xavier_normal_(tg.empty(3, 2)).shape
    (3, 2)
    """
    fan_in, fan_out = _fans("xavier_normal_", tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / max(fan_in + fan_out, 1)), generator)


def _he_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', not {mode!r}")
    fan = _fans(name, tensor)[0 if mode == "fan_in" else 1]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform in +-gain * sqrt(3 / fan) (He et al., 2015, arXiv:1502.01852); `a` is the slope of leaky ReLU.

    >>> import tensorgrad as tg
    >>> bool((tg.nn.init.kaiming_uniform_(tg.empty(4, 6)).abs() <= 1.0).all())
    True
    """
    bound = math.sqrt(3.0) * _he_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with standard deviation gain / sqrt(fan) (He et al., 2015, arXiv:1502.01852).

    >>> import tensorgrad as tg
    >>> tg.nn.init.kaiming_normal_(tg.empty(4, 6)).shape
    (4, 6)
    """
    return normal_(tensor, 0.0, _he_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity. Raises `ShapeError` unless it has two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.init.eye_(tg.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: it takes a matrix, and the tensor has shape {tensor.shape}")
    zeros_(tensor)
    with no_grad():
        ops.diagonal(tensor).fill_(1.0)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution, (out, in, ...), so that it gives on as many channels as it can, in each group.

    Raises `ShapeError` for other than 3 to 5 dimensions, and where `groups` does not divide the first.

    >>> import tensorgrad as tg
    >>> tg.nn.init.dirac_(tg.empty(2, 2, 3))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]],
    <BLANKLINE>
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: it takes the weight of a convolution, of 3 to 5 dimensions, not {tensor.shape}")
    if groups < 1 or tensor.shape[0] % groups:
        raise ShapeError(f"dirac_: {groups} groups do not divide the first dimension of {tensor.shape}")
    size = tensor.shape[0] // groups
    values = np.zeros(tensor.shape, tensor.dtype)
    middle: list[Any] = [n // 2 for n in tensor.shape[2:]]
    channels = np.arange(min(size, tensor.shape[1]))
    for start in range(0, tensor.shape[0], max(size, 1)):
        values[(start + channels, channels, *middle)] = 1
    return _filled(tensor, values)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with a random matrix of orthogonal rows or columns, whichever are fewer, times `gain` (Saxe et al. 2014).

    More than two dimensions are a matrix of the first by all others. Raises `ShapeError` below two.

    >>> import tensorgrad as tg
    >>> x = tg.nn.init.orthogonal_(tg.empty(2, 3))
    >>> bool(((x @ x.T - tg.tensor([[1.0, 0.0], [0.0, 1.0]])).abs() < 1e-6).all())
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: it needs two dimensions or more, and the tensor has shape {tensor.shape}")
    if not tensor.numel():
        return tensor
    rows = tensor.shape[0]
    x = random.numpy_of(generator).standard_normal((rows, tensor.numel() // rows))
    wide = x.shape[1] > rows
    q, r = np.linalg.qr(x.T if wide else x)
    q *= np.sign(np.diagonal(r))  # which makes all of them equally likely (Mezzadri 2007)
    return _filled(tensor, gain * (q.T if wide else q).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill a matrix with normal numbers, and zeros for a share `sparsity` of each column (Martens 2010).

    Raises `ShapeError` for other than two dimensions.

    >>> import tensorgrad as tg
    >>> (tg.nn.init.sparse_(tg.empty(4, 3), 0.5) == 0).sum(0)
    tensor([2, 2, 2])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: it takes a matrix, and the tensor has shape {tensor.shape}")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity must be from 0 to 1, not {sparsity}")
    normal_(tensor, 0.0, std, generator)
    ranks = random.numpy_of(generator).random(tensor.shape).argsort(0)
    with no_grad():
        return tensor.masked_fill_(from_numpy(ranks < math.ceil(sparsity * tensor.shape[0])), 0.0)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers, drawn again where they are outside [`a`, `b`].

    Warns where the mean is more than two deviations outside. Raises `ValueError` where `b` is not above `a`, or `std`
    not above 0.

    >>> import tensorgrad as tg
    >>> bool((tg.nn.init.trunc_normal_(tg.empty(1000), a=-1.0, b=1.0).abs() <= 1.0).all())
    True
    """
    if not a < b or not std > 0:
        raise ValueError(f"trunc_normal_: a must be below b, and std above 0, not a={a}, b={b}, std={std}")
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            f"trunc_normal_: the mean, {mean}, is more than two standard deviations from [{a}, {b}]; the numbers may "
            f"be distributed otherwise than was meant",
            UserWarning,
            stacklevel=2,
        )
    draw = random.numpy_of(generator)
    low, high = (a - mean) / std, (b - mean) / std
    # Numbers are kept with a probability in proportion to the density, which is highest at `peak`: normal ones where
    # most are inside, else uniform ones.
    inside = 0.5 * (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)))
    peak = min(max(low, 0.0), high)
    values = np.empty(tensor.numel())
    left = np.arange(values.size)
    while left.size:
        if inside > 0.3:
            values[left] = x = draw.standard_normal(left.size)
            kept = (low <= x) & (x <= high)
        else:
            values[left] = x = draw.uniform(low, high, left.size)
            kept = draw.random(left.size) < np.exp((peak**2 - x**2) / 2)
        left = left[~kept]
    return _filled(tensor, np.clip(values * std + mean, a, b).reshape(tensor.shape))


def _filled(tensor: Tensor, values: np.ndarray) -> Tensor:
    with no_grad():
        return tensor.copy_(from_numpy(values))
