"""Reductions: sums, means, products, extremes, norms, and cumulative sums."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import as_dtype, float16, float32
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.arithmetic import abs, maximum, minimum
from tensorgrad.ops.choose import cast, where
from tensorgrad.ops.dims import many_dims, one_dim, rank
from tensorgrad.ops.index import gather
from tensorgrad.ops.powers import exp, pow, square
from tensorgrad.ops.shape import broadcast_to, diagonal_op, flip, permute, tril_op, triu_op, undiagonal_op


class MinMax(NamedTuple):
    """What `max`, `min` and `sort` along a dimension return."""

    values: Any
    indices: Any


def _spread(g: Any, a: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """A reduction's gradient (or output) stretched to the shape of its input."""
    if not keepdim:
        g = g.reshape(tuple(1 if i in dim else n for i, n in enumerate(a.shape)))
    return broadcast_to(g, a.shape)


def _count(a: Any, dim: tuple[int, ...]) -> int:
    return math.prod(a.shape[d] for d in dim)


sum_op = primitive("sum", cpu.reduce_sum, lambda g, y, a, dim, keepdim: _spread(g, a, dim, keepdim))

mean_op = primitive(
    "mean",
    cpu.reduce_mean,
    lambda g, y, a, dim, keepdim: _spread(g * (1.0 / (_count(a, dim) or 1)), a, dim, keepdim),
)


def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (one, several, or None for all); integers and bools are summed as int64.

    Raises `IndexError` for a dimension that is not there.

    >>> import tensorgrad as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return _in_dtype(sum_op(input, dim=many_dims("sum", dim, rank("sum", input)), keepdim=keepdim), dtype)


def _in_dtype(result: Any, dtype: Any) -> Any:
    """The result of a reduction in the dtype that was asked for: small integers are added up as int64."""
    return result if dtype is None or result.dtype == as_dtype(dtype) else cast(result, dtype)


def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim` (one, several, or None for all). Raises `DtypeError` for integers: convert them first.

    >>> import tensorgrad as tg
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([1.5000, 3.5000])
    """
    if dtype is not None:
        input = cast(input, dtype)
    if input.dtype.kind != "f":
        raise DtypeError(f"mean: it needs a floating dtype, not {input.dtype.name}; convert with .float()")
    return mean_op(input, dim=many_dims("mean", dim, rank("mean", input)), keepdim=keepdim)


def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float = 1
) -> Any:
    """The variance over `dim`: squared deviations from the mean, summed, over n - `correction`.

    `unbiased` True or False is the older way to say correction 1 or 0. NaN where n <= correction, as in PyTorch.
    Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor(1.6667)
    """
    if isinstance(dim, bool):  # var(input, unbiased), as PyTorch has it too
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = 1 if unbiased else 0
    if input.dtype.kind != "f":
        raise DtypeError(f"var: it needs a floating dtype, not {input.dtype.name}; convert with .float()")
    if input.dtype == float16:
        return _in_single(var, input, dim, keepdim=keepdim, correction=correction)
    dims = many_dims("var", dim, rank("var", input))
    rest = _count(input, dims) - correction
    deviations = square(input - mean(input, dims, keepdim=True)) if dims else input * 0.0
    total = sum_op(deviations, dim=dims, keepdim=keepdim)
    return total * (1.0 / rest if rest > 0 else math.nan)


def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float = 1
) -> Any:
    """The standard deviation over `dim`, the square root of `var`.

    >>> import tensorgrad as tg
    >>> tg.std(tg.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.1180)
    """
    if input.dtype == float16:
        return _in_single(std, input, dim, unbiased, keepdim, correction=correction)
    return _root(var(input, dim, correction=correction, unbiased=unbiased, keepdim=keepdim), 2)


def _in_single(function: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
    """A function composed of operations, of half precision, computed in single: its squares would leave the range."""
    return cast(function(cast(input, float32), *args, **kwargs), float16)


def _root(a: Any, p: float) -> Any:
    """`a ** (1 / p)` whose gradient at 0 is 0, as PyTorch's std and norm have it, and not infinite."""
    return where(a == 0, 0.0, pow(where(a == 0, 1.0, a), 1.0 / p))


def _prod_vjp(g: Any, y: Any, a: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The product of all the other elements, times g.

    Without a zero that is y / a. With one, each element's others are multiplied out, which is exact to any order. (The
    choice is made by looking at the values: a capture of this vjp has to refuse, or to take the second way.)
    """
    if not (a == 0).any():
        return _spread(g * y, a, dim, keepdim) / a
    rest = tuple(d for d in range(a.ndim) if d not in dim)
    order = (*rest, *dim)
    count = _count(a, dim)
    rows = permute(a, order).reshape((*(a.shape[d] for d in rest), 1, count))
    rows = broadcast_to(rows, (*rows.shape[:-2], count, count))
    at = {"offset": 0, "dim1": rows.ndim - 2, "dim2": rows.ndim - 1}
    ones = undiagonal_op(where(True, 1.0, diagonal_op(rows, **at)), shape=tuple(rows.shape), **at)
    rows = tril_op(rows, diagonal=-1) + triu_op(rows, diagonal=1) + ones
    others = prod_op(rows, dim=(rows.ndim - 1,), keepdim=False)
    others = permute(others.reshape(tuple(a.shape[d] for d in order)), tuple(order.index(d) for d in range(a.ndim)))
    return _spread(g, a, dim, keepdim) * others


prod_op = primitive("prod", cpu.reduce_prod, _prod_vjp, keep="ya")


def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over `dim` (None for all); integers and bools as int64. Its gradient is exact with zeros too.

    >>> import tensorgrad as tg
    >>> tg.prod(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(24.)
    """
    if dtype is not None:
        input = cast(input, dtype)
    return _in_dtype(prod_op(input, dim=many_dims("prod", dim, rank("prod", input)), keepdim=keepdim), dtype)


def _extreme_vjp(g: Any, y: Any, a: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    chosen = a == _spread(y, a, dim, keepdim)
    share = chosen / sum(chosen, dim, keepdim=True) if dim else chosen
    return _spread(g, a, dim, keepdim) * share


amax_op = primitive("amax", cpu.amax, _extreme_vjp, keep="ya")
amin_op = primitive("amin", cpu.amin, _extreme_vjp, keep="ya")


def _extreme_dims(name: str, input: Any, dim: Any) -> tuple[int, ...]:
    dims = many_dims(name, dim, input.ndim)
    if any_zero := [d for d in dims if input.shape[d] == 0]:
        raise ShapeError(
            f"{name}: dimension {any_zero[0]} of shape {tuple(input.shape)} is empty, and so has no {name[-3:]}imum"
        )
    return dims


def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element over `dim` (one, several, or None for all). Equal ones share the gradient.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.amax(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([2., 4.])
    """
    return amax_op(input, dim=_extreme_dims("amax", input, dim), keepdim=keepdim)


def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element over `dim` (one, several, or None for all). Equal ones share the gradient.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.amin(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([1., 3.])
    """
    return amin_op(input, dim=_extreme_dims("amin", input, dim), keepdim=keepdim)


argmax_op = primitive("argmax", cpu.argmax)
argmin_op = primitive("argmin", cpu.argmin)
argsort_op = primitive("argsort", cpu.argsort)


def _arg_dim(name: str, input: Any, dim: int | None) -> int | None:
    _extreme_dims(name, input, dim)
    return None if dim is None or not input.ndim else one_dim(name, dim, input.ndim)


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the largest element along `dim`, or in the flattened tensor; the first of equal ones.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.argmax(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([1, 0])
    """
    return argmax_op(input, dim=_arg_dim("argmax", input, dim), keepdim=keepdim)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the smallest element along `dim`, or in the flattened tensor; the first of equal ones.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.argmin(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([0, 1])
    """
    return argmin_op(input, dim=_arg_dim("argmin", input, dim), keepdim=keepdim)


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The int64 indices that sort along `dim`. The sort is always stable.

    >>> import tensorgrad as tg
    >>> tg.argsort(tg.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    if not input.ndim:
        return argmax_op(input, dim=None, keepdim=False)
    return argsort_op(input, dim=one_dim("argsort", dim, rank("argsort", input)), descending=descending)


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> MinMax:
    """The elements sorted along `dim`, and their indices, as `(values, indices)`. The sort is always stable.

    >>> import tensorgrad as tg
    >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]), descending=True).values
    tensor([3., 2., 1.])
    """
    order = argsort(input, dim, descending)
    return MinMax(gather(input, dim, order), order)


def _extreme(name: str, reduce: Any, arg: Any, pair: Any, input: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
    """The three forms of max and min. Raises `TypeError` for arguments that fit none."""
    if len(args) == 1 and not kwargs and hasattr(args[0], "dtype"):
        return pair(input, args[0])
    if not args and kwargs.keys() == {"other"}:
        return pair(input, kwargs["other"])
    if not args and not kwargs:
        return reduce(input)
    given = dict(zip(("dim", "keepdim"), args)) | kwargs
    if len(args) > 2 or len(given) < len(args) + len(kwargs) or not {"dim"} <= given.keys() <= {"dim", "keepdim"}:
        raise TypeError(
            f"{name}: it takes (), (dim, keepdim=False) or (other), not {len(args)} arguments and "
            f"{', '.join(kwargs) or 'no keywords'}"
        )
    d = one_dim(name, given["dim"], rank(name, input))
    index = arg(input, d, keepdim=True)
    values = gather(input, d, index)
    if not given.get("keepdim", False) and input.ndim:
        shape = input.shape[:d] + input.shape[d + 1 :]
        values, index = values.reshape(shape), index.reshape(shape)
    return MinMax(values, index)


def max(input: Any, *args: Any, **kwargs: Any) -> Any:
    """`max(input)`: the largest element. `max(input, dim, keepdim=False)`: `(values, indices)` along a dimension.
    `max(input, other)`: elementwise, as `maximum`.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.max(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), 1).indices
    tensor([1, 0])
    """
    return _extreme("max", amax, argmax, maximum, input, args, kwargs)


def min(input: Any, *args: Any, **kwargs: Any) -> Any:
    """`min(input)`: the smallest element. `min(input, dim, keepdim=False)`: `(values, indices)` along a dimension.
    `min(input, other)`: elementwise, as `minimum`.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.min(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), 1).values
    tensor([1., 3.])
    """
    return _extreme("min", amin, argmin, minimum, input, args, kwargs)


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> MinMax:
    """The `k` largest (or smallest) elements along `dim`, in order, and their indices, as `(values, indices)`.

    Raises `ShapeError` where the dimension has fewer than `k` elements.

    >>> import tensorgrad as tg
    >>> tg.topk(tg.tensor([1.0, 4.0, 3.0]), 2).values
    tensor([4., 3.])
    """
    d = one_dim("topk", dim, rank("topk", input))
    size = input.shape[d] if input.ndim else 1
    if not 0 <= k <= size:
        raise ShapeError(f"topk: k = {k} is out of range for dimension {d} of size {size}")
    order = argsort(input, d, descending=largest)
    order = order.narrow(d, 0, k) if input.ndim else order
    return MinMax(gather(input, d, order), order)


any_op = primitive("any", cpu.reduce_any)
all_op = primitive("all", cpu.reduce_all)


def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over `dim` is nonzero, as bool (of uint8 as uint8, which PyTorch once had for bool).

    >>> import tensorgrad as tg
    >>> tg.any(tg.tensor([[True, False], [False, False]]), dim=1)
    tensor([ True, False])
    """
    return any_op(input, dim=many_dims("any", dim, rank("any", input)), keepdim=keepdim)


def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over `dim` are nonzero, as bool (of uint8 as uint8, which PyTorch once had for bool).

    >>> import tensorgrad as tg
    >>> tg.all(tg.tensor([[True, True], [True, False]]), dim=1)
    tensor([ True, False])
    """
    return all_op(input, dim=many_dims("all", dim, rank("all", input)), keepdim=keepdim)


def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements over `dim` are nonzero, as int64.

    >>> import tensorgrad as tg
    >>> tg.count_nonzero(tg.tensor([1.0, 0.0, 2.0]))
    tensor(2)
    """
    return sum(input != 0, dim)


cumsum_op: Callable[..., Any] = primitive(
    "cumsum", cpu.cumsum, lambda g, y, a, dim: flip(cumsum_op(flip(g, (dim,)), dim=dim), (dim,)) if a.ndim else g
)


def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sum along `dim`; of integers and bools as int64.

    >>> import tensorgrad as tg
    >>> tg.cumsum(tg.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    d = one_dim("cumsum", dim, rank("cumsum", input))
    return _in_dtype(cumsum_op(input, dim=d) if input.ndim else sum(input), dtype)


logsumexp_op = primitive(
    "logsumexp",
    cpu.logsumexp,
    lambda g, y, a, dim, keepdim: _spread(g, a, dim, keepdim) * exp(a - _spread(y, a, dim, keepdim)),
    keep="ya",
    inputs="float",
)


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """`log(sum(exp(input)))` over `dim`, without overflow.

    >>> import tensorgrad as tg
    >>> tg.logsumexp(tg.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    return logsumexp_op(input, dim=many_dims("logsumexp", dim, rank("logsumexp", input)), keepdim=keepdim)


vector_norm_op = primitive(
    "vector_norm",
    cpu.vector_norm,
    # At the zero vector the norm has no derivative: 0 is taken, as PyTorch does.
    lambda g, y, a, dim, keepdim: a * _spread(g * where(y == 0, 0.0, 1.0) / where(y == 0, 1.0, y), a, dim, keepdim),
    keep="ya",
)


def norm(input: Any, p: float | str = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """The vector p-norm over `dim`, or over all elements: `sum(|x| ** p) ** (1 / p)`; `p` may be infinite or "fro" (2).

    Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.norm(tg.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if input.dtype.kind != "f":
        raise DtypeError(f"norm: it needs a floating dtype, not {input.dtype.name}; convert with .float()")
    dims = many_dims("norm", dim, rank("norm", input))
    if p in (2, "fro"):
        return vector_norm_op(input, dim=dims, keepdim=keepdim)
    if isinstance(p, str):
        raise ValueError(f"norm: p must be a number, inf or 'fro', not {p!r}")
    if input.dtype == float16:
        return _in_single(norm, input, p, dim, keepdim)
    size = abs(input)
    if p == math.inf:
        return amax(size, dims, keepdim)
    if p == -math.inf:
        return amin(size, dims, keepdim)
    if p == 0:
        return cast(sum(size != 0, dims, keepdim), input.dtype)
    if p == 1:
        return sum(size, dims, keepdim)
    if 0 < p < 1:  # the power's derivative at 0 is infinite
        size = where(size == 0, 0.0, pow(where(size == 0, 1.0, size), p))
    else:
        size = pow(size, p)
    total = sum(size, dims, keepdim)
    return _root(total, p) if p > 0 else pow(total, 1.0 / p)
