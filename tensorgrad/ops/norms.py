"""The p-norm of vectors, and keeping it within bounds."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import statistics as cpu
from tensorgrad.errors import ShapeError
from tensorgrad.ops.arithmetic import abs, sign
from tensorgrad.ops.choose import cast, where
from tensorgrad.ops.dims import many_dims, must_be_floating, one_dim, rank
from tensorgrad.ops.layout import movedim
from tensorgrad.ops.reduce import amax, amin, some_of, spread, sum
from tensorgrad.ops.shape import reshape

vector_norm_op = primitive(
    "vector_norm",
    cpu.vector_norm,
    # At the zero vector the norm has no derivative: 0 is taken, as PyTorch does.
    lambda g, y, a, dim, keepdim: a * spread(where(y == 0, 0.0, g) / where(y == 0, 1.0, y), a, dim, keepdim),
    keep="ya",
)


def _p_norm_vjp(g: Any, y: Any, a: Any, dim: tuple[int, ...], keepdim: bool, p: float) -> Any:
    """sign(a) * (|a| / y) ** (p - 1) * g; where an element or the norm is 0, so is the gradient, as PyTorch has it."""
    size = where(a == 0, 1.0, abs(a))
    along = where(y == 0, 0.0, g) / where(y == 0, 1.0, y) ** (p - 1.0)
    return spread(along, a, dim, keepdim) * sign(a) * size ** (p - 1.0)


p_norm_op = primitive("p_norm", cpu.p_norm, _p_norm_vjp, keep="ya")


def norm(input: Any, p: float | str | None = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The vector p-norm over `dim`, or over all elements: `sum(|x| ** p) ** (1 / p)`; `p` may be infinite or "fro" (2).

    "nuc", over two dimensions, is the sum of the singular values of their matrices. Raises `DtypeError` for integers,
    `ShapeError` over no elements where `p` is negative or infinite.

    >>> import tensorgrad as tg
    >>> tg.norm(tg.tensor([3.0, 4.0]))
    tensor(5.)
    """
    must_be_floating("norm", input)
    if dtype is not None:
        input = cast(input, dtype)
        must_be_floating("norm", input)
    dims = many_dims("norm", dim, rank("norm", input))
    if p is None or p in (2, "fro"):
        return vector_norm_op(input, dim=dims, keepdim=bool(keepdim))
    if p == "nuc":
        return _nuclear(input, dims, keepdim)
    if isinstance(p, str):
        raise ValueError(f"norm: p must be a number, inf, 'fro' or 'nuc', not {p!r}")
    if p < 0 or p == math.inf:
        some_of("norm", input, dims)
    size = abs(input)
    if p == math.inf:
        return amax(size, dims, keepdim)
    if p == -math.inf:
        return amin(size, dims, keepdim)
    if p == 0:
        return sum(where(size != 0, 1.0, size), dims, keepdim)  # of the input, and with a gradient of 0
    if p == 1:
        return sum(size, dims, keepdim)
    return p_norm_op(input, dim=dims, keepdim=bool(keepdim), p=float(p))


def _nuclear(input: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
    """The sum of the singular values of the matrices in two dimensions."""
    from tensorgrad.ops.decompositions import svdvals_op

    if len(dims) != 2:
        raise ShapeError(f"norm: p = 'nuc' is of matrices: over two dimensions, and not {dims}")
    y = sum(svdvals_op(movedim(input, dims, (-2, -1))), -1)
    return reshape(y, tuple(1 if i in dims else n for i, n in enumerate(input.shape))) if keepdim else y


def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """`input` with each entry of `dim` whose p-norm is above `maxnorm` scaled down to that.

    Raises `ShapeError` for fewer than two dimensions, `ValueError` where `p` is not above 0 or `maxnorm` is negative,
    `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.renorm(tg.tensor([[0.6, 0.8], [3.0, 4.0]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.6000, 0.8000]])
    """
    if rank("renorm", input) < 2:
        raise ShapeError(f"renorm: input must have two dimensions or more, and has shape {tuple(input.shape)}")
    if p <= 0 or maxnorm < 0:
        raise ValueError(f"renorm: p must be above 0 and maxnorm not negative; they are {p} and {maxnorm}")
    must_be_floating("renorm", input)
    d = one_dim("renorm", dim, input.ndim)
    others = tuple(i for i in range(input.ndim) if i != d)
    above = norm(input, p, others, keepdim=True) > maxnorm
    norms = norm(where(above, input, 0.0), p, others, keepdim=True)  # a NaN elsewhere has no part in the gradient
    return input * where(above, maxnorm / (norms + 1e-7), 1.0)
