"""Reductions: sums, means, extremes, truth, logarithms of sums. What is rarer is in families of its own."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import as_dtype, refuse_bools
from tensorgrad.errors import ShapeError
from tensorgrad.ops.arithmetic import maximum, minimum
from tensorgrad.ops.choose import cast
from tensorgrad.ops.dims import many_dims, must_be_floating, one_dim, rank
from tensorgrad.ops.powers import exp
from tensorgrad.ops.shape import broadcast_to

# What reductions share


def spread(g: Any, a: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """A reduction's gradient (or output) stretched to the shape of its input."""
    if not keepdim:
        g = g.reshape(tuple(1 if i in dim else n for i, n in enumerate(a.shape)))
    return broadcast_to(g, a.shape)


def count(a: Any, dim: tuple[int, ...]) -> int:
    """How many elements each element of a reduction is made of."""
    return math.prod(a.shape[d] for d in dim)


def of_dtype(input: Any, dtype: Any) -> Any:
    """The input in the dtype that was asked for, if one was."""
    return input if dtype is None else cast(input, dtype)


def in_dtype(result: Any, dtype: Any) -> Any:
    """The result of a reduction in the dtype that was asked for: small integers are added up as int64."""
    return result if dtype is None or result.dtype == as_dtype(dtype) else cast(result, dtype)


def some_of(name: str, input: Any, dims: tuple[int, ...]) -> None:
    """Raise `ShapeError` where a dimension that is reduced has no elements."""
    if empty := [d for d in dims if input.shape[d] == 0]:
        raise ShapeError(
            f"{name}: dimension {empty[0]} of shape {tuple(input.shape)} is empty, and nothing can be chosen from it"
        )


def taken(kind: Any, input: Any, d: int, index: Any, keepdim: bool) -> Any:
    """The elements at an index that was found along a dimension, which it has kept, and the index, as named results."""
    if not input.ndim:
        return kind(input.reshape(()), index.reshape(()))
    from tensorgrad.ops.gathering import gather_op

    values = gather_op(input, index, dim=d)
    if not keepdim:
        shape = (*input.shape[:d], *input.shape[d + 1 :])
        values, index = values.reshape(shape), index.reshape(shape)
    return kind(values, index)


# Sums and means

sum_op = primitive("sum", cpu.reduce_sum, lambda g, y, a, dim, keepdim: spread(g, a, dim, keepdim))

mean_op = primitive(
    "mean",
    cpu.reduce_mean,
    lambda g, y, a, dim, keepdim: spread(g * (1.0 / (count(a, dim) or 1)), a, dim, keepdim),
)


def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (one, several, or None for all); integers and bools are summed as int64.

    Raises `IndexError` for a dimension that is not there.

    >>> import tensorgrad as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    input = of_dtype(input, dtype)
    return in_dtype(sum_op(input, dim=many_dims("sum", dim, rank("sum", input)), keepdim=keepdim), dtype)


def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim` (one, several, or None for all). Raises `DtypeError` for integers: convert them first.

    >>> import tensorgrad as tg
    >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([1.5000, 3.5000])
    """
    input = of_dtype(input, dtype)
    must_be_floating("mean", input)
    return mean_op(input, dim=many_dims("mean", dim, rank("mean", input)), keepdim=keepdim)


# Extremes


def _shared(g: Any, a: Any, chosen: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """A gradient shared evenly among the elements that were chosen."""
    each = cast(sum_op(chosen, dim=dim, keepdim=keepdim), g.dtype)
    return spread(g / each, a, dim, keepdim) * chosen


def _extreme_vjp(g: Any, y: Any, a: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    return _shared(g, a, a == spread(y, a, dim, keepdim), dim, keepdim)


def even_vjp(g: Any, y: Any, a: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The gradient of an element chosen from all: equal ones share it, and where it is NaN all that are NaN."""
    y = spread(y, a, dim, keepdim)
    return _shared(g, a, (a == y) | ((a != a) & (y != y)), dim, keepdim)


amax_op = primitive("amax", cpu.amax, _extreme_vjp, keep="ya")
amin_op = primitive("amin", cpu.amin, _extreme_vjp, keep="ya")
max_op = primitive("max", cpu.amax, even_vjp, keep="ya")
min_op = primitive("min", cpu.amin, even_vjp, keep="ya")
argmax_op = primitive("argmax", cpu.argmax)
argmin_op = primitive("argmin", cpu.argmin)


def _extreme_dims(name: str, input: Any, dim: Any) -> tuple[int, ...]:
    dims = many_dims(name, dim, rank(name, input))
    some_of(name, input, dims)
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


def _arg(name: str, op: Any, input: Any, dim: int | None, keepdim: bool) -> Any:
    _extreme_dims(name, input, dim)
    refuse_bools(name, input)
    return op(input, dim=None if dim is None or not input.ndim else one_dim(name, dim, input.ndim), keepdim=keepdim)


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the largest element along `dim`, or in the flattened tensor; the first of equal ones.

    Raises `ShapeError` over an empty dimension, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.argmax(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([1, 0])
    """
    return _arg("argmax", argmax_op, input, dim, keepdim)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The int64 index of the smallest element along `dim`, or in the flattened tensor; the first of equal ones.

    Raises `ShapeError` over an empty dimension, `DtypeError` for bools.

    >>> import tensorgrad as tg
    >>> tg.argmin(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), dim=1)
    tensor([0, 1])
    """
    return _arg("argmin", argmin_op, input, dim, keepdim)


def _extreme(name: str, reduce: Any, arg: Any, pair: Any, input: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
    """The three forms of max and min. Raises `TypeError` for arguments that fit none."""
    if len(args) == 1 and not kwargs and hasattr(args[0], "dtype"):
        return pair(input, args[0])
    if not args and kwargs.keys() == {"other"}:
        return pair(input, kwargs["other"])
    if not args and not kwargs:
        return reduce(input, dim=_extreme_dims(name, input, None), keepdim=False)
    given = dict(zip(("dim", "keepdim"), args)) | kwargs
    if len(args) > 2 or len(given) < len(args) + len(kwargs) or not {"dim"} <= given.keys() <= {"dim", "keepdim"}:
        raise TypeError(
            f"{name}: it takes (), (dim, keepdim=False) or (other), not {len(args)} arguments and "
            f"{', '.join(kwargs) or 'no keywords'}"
        )
    d = one_dim(name, given["dim"], rank(name, input))
    some_of(name, input, (d,) if input.ndim else ())
    index = arg(input, dim=d if input.ndim else None, keepdim=True)
    from tensorgrad import return_types

    return taken(getattr(return_types, name), input, d, index, given.get("keepdim", False))


def max(input: Any, *args: Any, **kwargs: Any) -> Any:
    """`max(input)`: the largest element. `max(input, dim, keepdim=False)`: `(values, indices)` along a dimension.
    `max(input, other)`: elementwise, as `maximum`.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.max(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), 1).indices
    tensor([1, 0])
    """
    return _extreme("max", max_op, argmax_op, maximum, input, args, kwargs)


def min(input: Any, *args: Any, **kwargs: Any) -> Any:
    """`min(input)`: the smallest element. `min(input, dim, keepdim=False)`: `(values, indices)` along a dimension.
    `min(input, other)`: elementwise, as `minimum`.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.min(tg.tensor([[1.0, 2.0], [4.0, 3.0]]), 1).values
    tensor([1., 3.])
    """
    return _extreme("min", min_op, argmin_op, minimum, input, args, kwargs)


# Truth

any_op = primitive("any", cpu.reduce_any)
all_op = primitive("all", cpu.reduce_all)


def _truth(name: str, op: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    ndim = rank(name, input)
    none = isinstance(dim, tuple | list) and not dim  # over no dimensions: each element by itself, as in PyTorch
    return op(input, dim=() if none else many_dims(name, dim, ndim), keepdim=keepdim)


def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over `dim` is nonzero, as bool (of uint8 as uint8, which PyTorch once had for bool).

    >>> import tensorgrad as tg
    >>> tg.any(tg.tensor([[True, False], [False, False]]), dim=1)
    tensor([ True, False])
    """
    return _truth("any", any_op, input, dim, keepdim)


def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over `dim` are nonzero, as bool (of uint8 as uint8, which PyTorch once had for bool).

    >>> import tensorgrad as tg
    >>> tg.all(tg.tensor([[True, True], [True, False]]), dim=1)
    tensor([ True, False])
    """
    return _truth("all", all_op, input, dim, keepdim)


logsumexp_op = primitive(
    "logsumexp",
    cpu.logsumexp,
    lambda g, y, a, dim, keepdim: spread(g, a, dim, keepdim) * exp(a - spread(y, a, dim, keepdim)),
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
