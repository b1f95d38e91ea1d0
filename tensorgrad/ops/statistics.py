"""Variances, means and sums without NaN, quantiles, correlations."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import return_types
from tensorgrad.autograd.op import constant, primitive
from tensorgrad.backends.cpu import statistics as cpu
from tensorgrad.backends.dtypes import float32, float64, refuse_bools
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.arithmetic import abs, ceil, clamp, floor, round
from tensorgrad.ops.choose import cast, where
from tensorgrad.ops.combining import lerp
from tensorgrad.ops.compare import isnan, logical_not
from tensorgrad.ops.dims import many_dims, must_be_floating, one_dim, rank
from tensorgrad.ops.gathering import gather_op
from tensorgrad.ops.layout import movedim
from tensorgrad.ops.linalg import matmul_op
from tensorgrad.ops.powers import sqrt
from tensorgrad.ops.reduce import amax, amin, any, count, mean, mean_op, of_dtype, some_of, spread, sum
from tensorgrad.ops.shape import diagonal_op, ravel, reshape, squeeze, transpose
from tensorgrad.ops.sorting import sort


def _var_vjp(g: Any, y: Any, a: Any, dim: tuple[int, ...], keepdim: bool, correction: float) -> Any:
    deviations = a - mean_op(a, dim=dim, keepdim=True)
    rest = count(a, dim) - correction
    if rest > 0:
        return spread(g * (2.0 / rest), a, dim, keepdim) * deviations
    return spread(g * math.inf, a, dim, keepdim) * abs(deviations)


# As compositions these are five passes over the data and four arrays of its size; here they are two and one.
var_op = primitive("var", cpu.variance, _var_vjp, keep="a")
std_op = primitive(
    "std",
    cpu.deviation,
    # At 0 the root has no derivative: 0 is taken, as PyTorch does.
    lambda g, y, a, dim, keepdim, correction: _var_vjp(
        where(y == 0, 0.0, g / where(y == 0, 1.0, y * 2.0)), y, a, dim, keepdim, correction
    ),
    keep="ya",
)


def _spread_of(name: str, op: Any, input: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> Any:
    if isinstance(dim, bool):  # var(input, unbiased), as PyTorch has it too
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = 1 if unbiased else 0
    must_be_floating(name, input)
    dims = many_dims(name, dim, rank(name, input))
    return op(input, dim=dims, keepdim=bool(keepdim), correction=1 if correction is None else correction)


def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> Any:
    """The variance over `dim`: squared deviations from the mean, summed, over n - `correction`.

    `unbiased` True or False is the older way to say correction 1 or 0. Infinite or NaN where n <= correction, as in
    PyTorch. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.var(tg.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor(1.6667)
    """
    return _spread_of("var", var_op, input, dim, unbiased, keepdim, correction)


def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> Any:
    """The standard deviation over `dim`, the square root of `var`.

    >>> import tensorgrad as tg
    >>> tg.std(tg.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.1180)
    """
    return _spread_of("std", std_op, input, dim, unbiased, keepdim, correction)


def var_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> tuple[Any, Any]:
    """The variance and the mean over `dim`; see `var`.

    >>> import tensorgrad as tg
    >>> tg.var_mean(tg.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """
    over = None if isinstance(dim, bool) else dim
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, over, keepdim)


def std_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> tuple[Any, Any]:
    """The standard deviation and the mean over `dim`; see `var`.

    >>> import tensorgrad as tg
    >>> tg.std_mean(tg.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    over = None if isinstance(dim, bool) else dim
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, over, keepdim)


def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """`sum` of the elements that are not NaN; 0 of none.

    >>> import tensorgrad as tg
    >>> tg.nansum(tg.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    return sum(where(isnan(input), 0.0, input) if input.dtype.kind == "f" else input, dim, keepdim, dtype=dtype)


def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """`mean` of the elements that are not NaN; NaN of none. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.nanmean(tg.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    must_be_floating("nanmean", input)
    input = of_dtype(input, dtype)
    there = cast(sum(logical_not(isnan(input)), dim, keepdim), input.dtype)
    return nansum(input, dim, keepdim) / there


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element along one dimension, or of all, as `(min, max)`.

    Raises `ShapeError` over an empty dimension.

    >>> import tensorgrad as tg
    >>> tg.aminmax(tg.tensor([3.0, 1.0, 2.0])).max
    tensor(3.)
    """
    dims = many_dims("aminmax", None if dim is None else one_dim("aminmax", dim, rank("aminmax", input)), input.ndim)
    some_of("aminmax", input, dims)
    return return_types.aminmax(amin(input, dims, keepdim), amax(input, dims, keepdim))


# Quantiles

# What takes the place of a rank between two elements: the share of the upper one, from the rank's fraction.
INTERPOLATIONS: dict[str, Any] = {
    "linear": lambda ranks: ranks,
    "lower": floor,
    "higher": ceil,
    "midpoint": lambda ranks: (floor(ranks) + ceil(ranks)) / 2.0,
    "nearest": round,
}


def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """The `q`-quantiles along `dim`, or of all elements: what a share `q` of the elements lies below.

    `q` is a number from 0 to 1, or a vector of them, of the input's dtype: then the result has a first dimension more.
    Between two elements `interpolation` says what is taken: "linear", "lower", "higher", "midpoint" or "nearest". It
    is NaN where an element is. Raises `DtypeError` but for float32 and float64, `ShapeError` for no elements.

    >>> import tensorgrad as tg
    >>> tg.quantile(tg.tensor([1.0, 2.0, 3.0, 4.0]), tg.tensor([0.25, 0.5]))
    tensor([1.7500, 2.5000])
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, skip=False)


def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """`quantile` of the elements that are not NaN; NaN only where all are.

    >>> import tensorgrad as tg
    >>> tg.nanquantile(tg.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, skip=True)


def _quantile(name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, skip: bool) -> Any:
    """The quantiles of all elements, or if `skip` of those that are not NaN."""
    ndim, shape = rank(name, input), tuple(input.shape)
    d = None if dim is None else one_dim(name, dim, ndim)
    if not shape:
        d = None
    if input.dtype not in (float32, float64):
        raise DtypeError(f"{name}: it needs float32 or float64, not {input.dtype.name}; convert with .float()")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"{name}: interpolation must be one of {', '.join(INTERPOLATIONS)}, not {interpolation!r}")
    if not math.prod(shape):
        raise ShapeError(f"{name}: input of shape {shape} has no elements, and so no quantiles")
    q = _checked_q(name, input, q)
    rows = ravel(input) if d is None else movedim(input, d, -1)
    lost = isnan(rows)
    if skip:
        there = cast(sum(logical_not(lost), -1, keepdim=True), input.dtype)
        ranks = clamp(there - 1.0, min=0.0) * ravel(q)
    else:  # sorted, NaN comes last: the rank of the last element finds it
        last = float(rows.shape[-1] - 1)
        ranks = where(any(lost, -1, keepdim=True), last, ravel(q) * last)
    ranks = INTERPOLATIONS[interpolation](ranks)
    ordered = sort(rows, -1).values
    found = gather_op(ordered, cast(floor(ranks), int), dim=rows.ndim - 1)
    if interpolation in ("linear", "midpoint"):
        above = gather_op(ordered, cast(ceil(ranks), int), dim=rows.ndim - 1)
        found = lerp(found, above, ranks - floor(ranks))
    found = movedim(found, -1, 0)
    kept = [n if d is not None and i != d else 1 for i, n in enumerate(shape) if keepdim or d not in (None, i)]
    return reshape(found, (*q.shape, *kept))


def _checked_q(name: str, input: Any, q: Any) -> Any:
    """The shares as a tensor of the input's dtype, of at most one dimension. Raises where they are none."""
    if not hasattr(q, "dtype"):
        q = constant(q, input.dtype)
    if q.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or a vector, and has shape {tuple(q.shape)}")
    if q.dtype != input.dtype:
        raise DtypeError(
            f"{name}: q must have the input's dtype, {input.dtype.name}, and has {q.dtype.name}; convert one with "
            f".to(dtype)"
        )
    values = q._data
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"{name}: q must lie between 0 and 1, and goes from {values.min()} to {values.max()}")
    return q


# Correlations


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of the variables in the rows of a matrix, a column per observation; of a vector its variance.

    `fweights` says how often each observation was made, `aweights` how much it weighs. Raises `ShapeError` and
    `DtypeError` for an input and weights that do not fit, `ValueError` for weights that are negative or sum to 0.

    >>> import tensorgrad as tg
    >>> tg.cov(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if rank("cov", input) > 2:
        raise ShapeError(f"cov: input must be a matrix or a vector, and has shape {tuple(input.shape)}")
    refuse_bools("cov", input, remedy=".float()")
    x = reshape(input, (1, -1)) if input.ndim < 2 else input
    size = x.shape[1]
    weights = None
    for given, label, kinds in ((fweights, "fweights", "iu"), (aweights, "aweights", "f")):
        if given is not None:
            _check_weights(label, given, kinds, size)
            weights = given if weights is None else weights * given
    x = x if x.dtype.kind == "f" else cast(x, float)
    if weights is None:
        center, rest = mean(x, 1, keepdim=True), constant(size - correction, x.dtype)
    else:
        total = sum(weights)
        if not total._data:
            raise ValueError("cov: the weights sum to 0")
        center = sum(x * weights, 1, keepdim=True) / total
        rest = total - (correction if aweights is None else correction * sum(weights * aweights) / total)
    deviations = x - center
    weighed = deviations if weights is None else deviations * weights
    return squeeze(matmul_op(deviations, transpose(weighed, 0, 1)) / clamp(rest, min=0))


def _check_weights(label: str, weights: Any, kinds: str, size: int) -> None:
    if weights.dtype.kind not in kinds:
        needed = "integers" if kinds == "iu" else "a floating dtype"
        raise DtypeError(f"cov: {label} must be of {needed}, and is {weights.dtype.name}")
    if weights.ndim > 1 or math.prod(weights.shape) != size:
        raise ShapeError(
            f"cov: {label} must hold one weight for each of {size} observations, not {tuple(weights.shape)}"
        )
    if size and weights._data.min() < 0:
        raise ValueError(f"cov: {label} must not be negative")


def corrcoef(input: Any) -> Any:
    """The correlation coefficients, from -1 to 1, of the variables in the rows of a matrix; see `cov`.

    >>> import tensorgrad as tg
    >>> tg.corrcoef(tg.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if rank("corrcoef", input) > 2:
        raise ShapeError(f"corrcoef: input must be a matrix or a vector, and has shape {tuple(input.shape)}")
    c = cov(input)
    if not c.ndim:
        return c / c
    deviations = sqrt(diagonal_op(c, offset=0, dim1=0, dim2=1))
    return clamp(c / deviations.reshape((-1, 1)) / deviations, -1.0, 1.0)
