"""Along a dimension: running sums and extremes, differences, integrals by the trapezoidal rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad import return_types
from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import cumulative as cpu
from tensorgrad.backends.dtypes import refuse_bools
from tensorgrad.errors import ShapeError
from tensorgrad.ops.choose import clone, where
from tensorgrad.ops.compare import logical_xor
from tensorgrad.ops.dims import must_be_floating, one_dim, rank
from tensorgrad.ops.gathering import gather_op
from tensorgrad.ops.index import slice_op
from tensorgrad.ops.joining import cat
from tensorgrad.ops.powers import exp
from tensorgrad.ops.reduce import in_dtype, of_dtype, sum


def part(x: Any, dim: int, start: int, stop: int | None = None) -> Any:
    """The elements of a dimension from `start` to `stop`."""
    return slice_op(x, index=(slice(None),) * dim + (slice(start, stop),))


cumsum_op: Callable[..., Any] = primitive(
    "cumsum", cpu.cumsum, lambda g, y, a, dim, reverse=False: cumsum_op(g, dim=dim, reverse=not reverse)
)


def _recurrence_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, a: Any, b: Any, dim: int, reverse: bool
) -> tuple[Any, Any]:
    ga = recurrence_op(g, b, dim=dim, reverse=not reverse)
    if not wants[1]:
        return ga, None
    ahead, behind = (y, ga) if reverse else (ga, y)
    return ga, part(ahead, dim, 1) * part(behind, dim, 0, -1)


# y[k] = a[k] + b[k - 1] * y[k - 1], or from the end: what the gradients of running products and exponentials are.
recurrence_op: Callable[..., Any] = primitive("recurrence", cpu.recurrence, joint=_recurrence_vjp, keep="yb")


def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sum along `dim`; of integers and bools as int64.

    >>> import tensorgrad as tg
    >>> tg.cumsum(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    input = of_dtype(input, dtype)
    d = one_dim("cumsum", dim, rank("cumsum", input))
    return in_dtype(cumsum_op(input, dim=d) if input.ndim else sum(input), dtype)


def _logcumsumexp_vjp(g: Any, y: Any, a: Any, dim: int) -> Any:
    """The sum over j >= k of g[j] * exp(a[k] - y[j]), by way of the ratios of neighbours, which are at most 1."""
    if not a.shape[dim]:
        return g
    before, after = part(y, dim, 0, -1), part(y, dim, 1)
    ratios = exp(where(after == math.inf, -math.inf, before - after))
    return exp(a - y) * recurrence_op(g, ratios, dim=dim, reverse=True)


logcumsumexp_op = primitive("logcumsumexp", cpu.logcumsumexp, _logcumsumexp_vjp, keep="ya")


def logcumsumexp(input: Any, dim: int) -> Any:
    """`log(cumsum(exp(input), dim))`, without overflow. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.logcumsumexp(tg.tensor([1000.0, 1000.0]), 0)
    tensor([1000.0000, 1000.6932])
    """
    d = one_dim("logcumsumexp", dim, rank("logcumsumexp", input))
    must_be_floating("logcumsumexp", input)
    return logcumsumexp_op(input, dim=d) if input.ndim else input * 1.0


cumulative_index_op = primitive("cumulative_index", cpu.cumulative_index)


def _running(kind: Any, input: Any, dim: int, largest: bool) -> Any:
    name = kind.__name__
    d = one_dim(name, dim, rank(name, input))
    x = input if input.ndim else input.reshape(1)
    index = cumulative_index_op(x, dim=d, largest=largest)
    shape = tuple(input.shape)
    return kind(gather_op(x, index, dim=d).reshape(shape), index.reshape(shape))


def cummax(input: Any, dim: int) -> Any:
    """The largest element so far along `dim`, and its index (the last of equal ones), as `(values, indices)`.

    From the first NaN on, it is NaN.

    >>> import tensorgrad as tg
    >>> tg.cummax(tg.tensor([1.0, 3.0, 2.0]), 0).values
    tensor([1., 3., 3.])
    """
    return _running(return_types.cummax, input, dim, largest=True)


def cummin(input: Any, dim: int) -> Any:
    """The smallest element so far along `dim`, and its index (the last of equal ones), as `(values, indices)`.

    From the first NaN on, it is NaN.

    >>> import tensorgrad as tg
    >>> tg.cummin(tg.tensor([2.0, 1.0, 3.0]), 0).indices
    tensor([0, 1, 1])
    """
    return _running(return_types.cummin, input, dim, largest=False)


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along `dim`, `n` times; of bools, whether they differ.

    `prepend` and `append` are put before and after the input first. Raises `ShapeError` for an input of no dimensions
    and where the others have not as many, `ValueError` for a negative `n`.

    >>> import tensorgrad as tg
    >>> tg.diff(tg.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    if not rank("diff", input):
        raise ShapeError("diff: input must have a dimension or more, and is a single number")
    d = one_dim("diff", dim, input.ndim)
    if n < 0:
        raise ValueError(f"diff: n must be 0 or more, not {n}")
    parts = [x for x in (prepend, input, append) if x is not None]
    for x in parts:
        if x.ndim != input.ndim:
            raise ShapeError(
                f"diff: prepend and append must have as many dimensions as input, {input.ndim}, and one of them has "
                f"shape {tuple(x.shape)}"
            )
    y = cat(parts, d) if len(parts) > 1 and n else input
    for _ in range(min(n, y.shape[d])):
        later, earlier = part(y, d, 1), part(y, d, 0, -1)
        y = logical_xor(later, earlier) if y.dtype.kind == "b" else later - earlier
    return y if n else clone(y)


def _areas(name: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """Twice the areas between neighbours along a dimension, and that dimension. Raises where `x` does not fit `y`."""
    if not rank(name, y):
        raise IndexError(f"{name}: y must have a dimension or more, and is a single number")
    d = one_dim(name, dim, y.ndim)
    refuse_bools(name, y, x, remedy=".float()")
    if x is not None:
        rank(name, x, "x")
        if dx is not None:
            raise TypeError(f"{name}: give the places of the values as x, or their distance as dx, not both")
        along = 0 if x.ndim == 1 else d + x.ndim - y.ndim
        if not x.ndim or along < 0 or x.shape[along] != y.shape[d]:
            raise ShapeError(
                f"{name}: x must have one value for each of the {y.shape[d]} of dimension {d} of y, of shape "
                f"{tuple(y.shape)}, and has shape {tuple(x.shape)}"
            )
        dx = part(x, along, 1) - part(x, along, 0, -1)
        if x.ndim == 1:
            dx = dx.reshape((*dx.shape, *(1,) * (y.ndim - 1 - d)))
    return (part(y, d, 1) + part(y, d, 0, -1)) * (1 if dx is None else dx), d


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral of `y` along `dim` by the trapezoidal rule, at the places `x`, or `dx` (1) apart.

    Raises `ShapeError` where `x` has not one value for each of `y`, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.trapezoid(tg.tensor([1.0, 2.0, 4.0]), tg.tensor([0.0, 1.0, 3.0]))
    tensor(7.5000)
    """
    areas, d = _areas("trapezoid", y, x, dx, dim)
    return sum(areas, d) / 2.0


def trapz(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """`trapezoid` by its older name.

    >>> import tensorgrad as tg
    >>> tg.trapz(tg.tensor([1.0, 3.0]), dx=2.0)
    tensor(4.)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The running integral of `y` along `dim` by the trapezoidal rule: one value fewer than `y` has.

    Raises as `trapezoid`.

    >>> import tensorgrad as tg
    >>> tg.cumulative_trapezoid(tg.tensor([1.0, 2.0, 4.0]))
    tensor([1.5000, 4.5000])
    """
    areas, d = _areas("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(areas, d) / 2.0
