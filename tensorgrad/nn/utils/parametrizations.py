"""Parametrizations that are known by name: of weights by their norms, and of orthogonal matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd import no_grad
from tensorgrad.creation import eye, from_numpy, zeros, zeros_like
from tensorgrad.errors import ShapeError
from tensorgrad.nn.module import Module
from tensorgrad.nn.utils.parametrize import register_parametrization
from tensorgrad.random import randn
from tensorgrad.tensor import Tensor

MAPS = ("matrix_exp", "cayley", "householder")


def _tensor_of(function: str, module: Module, name: str) -> Tensor:
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{function}: {type(module).__name__} has no parameter or buffer {name!r}")
    return tensor


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def _norm(self, weight: Any) -> Any:
        if self.dim == -1:
            return ops.norm(weight)
        return ops.norm(weight, 2, [d for d in range(weight.ndim) if d != self.dim % weight.ndim], True)

    def forward(self, g: Any, v: Any) -> Any:
        return v * (g / self._norm(v))

    def right_inverse(self, weight: Any) -> Any:
        return self._norm(weight), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Make a weight of its norms, `original0`, and its directions, `original1` (Salimans and Kingma 2016).

    The norms are over all dimensions but `dim`, or over all with None. Returns the module.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape, layer.parametrizations.weight.original1.shape
    ((40, 1), (40, 20))
    """
    _tensor_of("weight_norm", module, name)
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"spectral_norm: dim {dim} is out of range for a weight of shape {tuple(weight.shape)}")
        if n_power_iterations < 1:
            raise ValueError(f"spectral_norm: n_power_iterations must be 1 or more, not {n_power_iterations}")
        self.dim = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight)
            for buffer, size in zip(("_u", "_v"), matrix.shape):
                self.register_buffer(buffer, self._unit(randn(size, dtype=weight.dtype)))
            self._iterate(matrix, 15)

    def _unit(self, x: Any) -> Any:
        return x / ops.norm(x).clamp(min=self.eps)

    def _matrix(self, weight: Any) -> Any:
        return weight.movedim(self.dim, 0).flatten(1)

    def _iterate(self, matrix: Any, times: int) -> None:
        """Steps of the power method, which bring the buffers near to the first singular vectors."""
        with no_grad():
            for _ in range(times):
                self._u.copy_(self._unit(matrix.mv(self._v)))
                self._v.copy_(self._unit(matrix.T.mv(self._u)))

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return self._unit(weight)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # Clones: a second forward before the first one's backward writes to the buffers.
        return weight / self._u.clone().dot(matrix.mv(self._v.clone()))

    def right_inverse(self, value: Any) -> Any:
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value, as a matrix of dimension `dim` by all others (Miyato et al. 2018).

    That is judged by `n_power_iterations` of the power method, each time the weight is read in training. `dim` is 0,
    and 1 for transposed convolutions. Returns the module.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.spectral_norm(tg.nn.Linear(3, 2), n_power_iterations=50)
    >>> bool(abs(layer.weight.square().sum() - 1) < 1)
    True
    """
    weight = _tensor_of("spectral_norm", module, name)
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _Orthogonal(Module):
    base: Any

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Any) -> Any:
        wide = x.shape[-2] < x.shape[-1]
        if wide:
            x = x.mT
        n, k = x.shape[-2:]
        y = _householder(x) if self.orthogonal_map == "householder" else self._rotation(x, n, k)[..., :k]
        if "base" in self._buffers:
            y = self.base @ y
        return y.mT if wide else y

    def _rotation(self, x: Any, n: int, k: int) -> Any:
        """The square orthogonal matrix of the skew-symmetric one whose lower triangle begins with that of `x`."""
        from tensorgrad import linalg

        x = x.tril()
        if n != k:
            x = ops.cat([x, zeros(*x.shape[:-1], n - k, dtype=x.dtype)], -1)
        skew = x - x.mT
        if self.orthogonal_map == "matrix_exp":
            return linalg.matrix_exp(skew)
        one = eye(n, dtype=x.dtype)
        return linalg.solve(one - skew * 0.5, one + skew * 0.5)

    @no_grad()
    def right_inverse(self, weight: Any) -> Any:
        if weight.shape != self.shape:
            raise ShapeError(f"orthogonal: the weight has shape {self.shape}, and one of {weight.shape} was given")
        wide = weight.shape[-2] < weight.shape[-1]
        q = weight.mT if wide else weight
        if "base" not in self._buffers:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    f"orthogonal: {self.orthogonal_map} has no inverse to assign with, unless use_trivialization=True"
                )
            x = _reflectors(q)
            return x.mT if wide else x
        n, k = q.shape[-2:]
        if n != k:
            q = ops.cat([q, randn(*q.shape[:-1], n - k, dtype=q.dtype)], -1)
        self.base = q.clone() if n == k and _is_orthogonal(q) else _orthogonalised(q)
        x = zeros_like(weight)
        ops.diagonal(x, 0, -2, -1).fill_(-1.0)  # of which every map makes the identity
        return x


def _is_orthogonal(q: Any) -> bool:
    n, dtype = q.shape[-1], q._data.dtype
    return np.allclose((q.mT @ q)._data, np.eye(n), atol=10 * n * np.finfo(dtype).eps)


def _orthogonalised(x: Any) -> Any:
    """The orthogonal factor of square matrices whose other factor has a positive diagonal."""
    q, r = np.linalg.qr(x._data)
    return from_numpy(q * np.sign(np.diagonal(r, 0, -2, -1))[..., None, :])


def _reflectors(q: Any) -> Any:
    """What Householder's map makes tall orthogonal matrices of: its vectors below the diagonal, signs on it."""
    x, tau = np.linalg.qr(q._data, "raw")
    x = np.swapaxes(x, -1, -2).copy()
    at = np.arange(x.shape[-1])
    x[..., at, at] = np.where(tau == 0, -1, 1) * np.sign(x[..., at, at])
    return from_numpy(x)


def _householder(x: Any) -> Any:
    """The product of the reflections by the columns below the diagonal, times the signs on it."""
    n, k = x.shape[-2:]
    below = x.tril(-1)
    tau = 2.0 / (1.0 + below.square().sum(-2, keepdim=True))
    one = eye(n, k, dtype=x.dtype)
    vectors, y = below + one, one
    for i in reversed(range(k)):
        v = vectors[..., i : i + 1]
        y = y - (tau[..., i : i + 1] * v) @ (v.mT @ y)
    return y * ops.diagonal(x.detach(), 0, -2, -1).trunc().unsqueeze(-2)


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a weight, (..., n, k), orthogonal: its columns, or its rows where these are fewer, are orthonormal.

    `orthogonal_map` makes the orthogonal matrix of a free one: "matrix_exp" (the default for square ones), "cayley" or
    "householder". With `use_trivialization` it is multiplied by a fixed orthogonal one, which makes assigning possible
    with all maps (Lezcano-Casado 2019). A weight that is not orthogonal is made so. Returns the module; raises
    `ShapeError` below two dimensions.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.orthogonal(tg.nn.Linear(2, 4))
    >>> bool(((layer.weight.T @ layer.weight - tg.eye(2)).abs() < 1e-6).all())
    True
    """
    weight = _tensor_of("orthogonal", module, name)
    if weight.ndim < 2:
        raise ShapeError(f"orthogonal: it takes matrices, and {name!r} has shape {weight.shape}")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(f"orthogonal: orthogonal_map must be one of {', '.join(MAPS)}, not {orthogonal_map!r}")
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
