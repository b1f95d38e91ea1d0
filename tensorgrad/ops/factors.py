"""Products of elements, whole and running. Their gradients are exact with zeros too, to any order."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.cpu import cumulative
from tensorgrad.ops.choose import where
from tensorgrad.ops.cumulative import part, recurrence_op
from tensorgrad.ops.dims import many_dims, one_dim, rank
from tensorgrad.ops.joining import cat
from tensorgrad.ops.reduce import count, in_dtype, of_dtype, spread
from tensorgrad.ops.shape import flip, permute


def _before(y: Any, dim: int) -> Any:
    """Running products without the element itself: those up to the one before, and 1 at the beginning."""
    return cat([where(True, 1.0, part(y, dim, 0, 1)), part(y, dim, 0, -1)], dim)


def _cumprod_vjp(g: Any, y: Any, a: Any, dim: int) -> Any:
    """What is before each element, times the sum of what comes after it: s[k] = g[k] + a[k + 1] * s[k + 1]."""
    if not a.shape[dim]:
        return g
    return _before(y, dim) * recurrence_op(g, part(a, dim, 1), dim=dim, reverse=True)


cumprod_op = primitive("cumprod", cumulative.cumprod, _cumprod_vjp, keep="ya")


def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running product along `dim`; of integers and bools as int64.

    >>> import tensorgrad as tg
    >>> tg.cumprod(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    input = of_dtype(input, dtype)
    d = one_dim("cumprod", dim, rank("cumprod", input))
    return in_dtype(cumprod_op(input, dim=d) if input.ndim else prod(input), dtype)


def _others(x: Any, dim: int) -> Any:
    """For each element the product of the others along a dimension."""
    return _before(cumprod_op(x, dim=dim), dim) * flip(_before(cumprod_op(flip(x, dim), dim=dim), dim), dim)


def _prod_vjp(g: Any, y: Any, a: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The product of all the other elements, times g: what is before each one times what is after it."""
    if not all(a.shape):
        return spread(g, a, dim, keepdim)
    if len(dim) == 1:
        return spread(g, a, dim, keepdim) * _others(a, dim[0])
    rest = tuple(d for d in range(a.ndim) if d not in dim)
    order = (*rest, *dim)
    rows = permute(a, order).reshape((*(a.shape[d] for d in rest), count(a, dim)))
    others = _others(rows, len(rest)).reshape(tuple(a.shape[d] for d in order))
    return spread(g, a, dim, keepdim) * permute(others, tuple(order.index(d) for d in range(a.ndim)))


prod_op = primitive("prod", cpu.reduce_prod, _prod_vjp, keep="a")


def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over `dim` (None for all); integers and bools as int64.

    >>> import tensorgrad as tg
    >>> tg.prod(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(24.)
    """
    input = of_dtype(input, dtype)
    return in_dtype(prod_op(input, dim=many_dims("prod", dim, rank("prod", input)), keepdim=keepdim), dtype)
