"""Matrix products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import matrix as cpu
from tensorgrad.errors import ShapeError
from tensorgrad.ops.checks import must_go_with
from tensorgrad.ops.dims import rank
from tensorgrad.ops.shape import permute_op, reshape_op, unsqueeze


def swap(x: Any) -> Any:
    """The last two dimensions swapped."""
    ndim = len(x.shape)
    return permute_op(x, dims=(*range(ndim - 2), ndim - 1, ndim - 2))


def _left_vjp(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.shape[:-2] == g.shape[:-2]:
        return matmul_op(g, swap(b))
    return _summed_product(g, swap(b), tuple(a.shape), copied=True)


def _right_vjp(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.shape[:-2] == g.shape[:-2]:
        return matmul_op(swap(a), g)
    return _summed_product(swap(a), g, tuple(b.shape), copied=False)


def _summed_product(a: Any, b: Any, shape: tuple[int, ...], copied: bool) -> Any:
    """`a @ b`, summed over the batch dimensions that `shape` does not have: a part of the product itself.

    Where the operands would have to be copied for it, and are larger than the products, the walk may sum those.
    """
    ndim = max(len(a.shape), len(b.shape))
    a, b = (reshape_op(x, shape=(1,) * (ndim - len(x.shape)) + tuple(x.shape)) for x in (a, b))
    lead = (1,) * (ndim - len(shape)) + shape[:-2]
    summed = tuple(d for d, n in enumerate(lead) if n == 1 and a.shape[d] == b.shape[d] != 1)
    (m, k), n = a.shape[-2:], b.shape[-1]
    rest = tuple(d for d in range(ndim - 2) if d not in summed)
    if not summed or ((copied or rest) and k * (m + n) > m * n):
        return matmul_op(a, b)
    a = permute_op(a, dims=(*rest, ndim - 2, *summed, ndim - 1))
    b = permute_op(b, dims=(*rest, *summed, ndim - 2, ndim - 1))
    a = reshape_op(a, shape=(*a.shape[: len(rest)], m, math.prod(a.shape[len(rest) + 1 :])))
    b = reshape_op(b, shape=(*b.shape[: len(rest)], a.shape[-1], n))
    return reshape_op(matmul_op(a, b), shape=shape)


matmul_op: Callable[..., Any] = primitive("matmul", cpu.matmul, _left_vjp, _right_vjp, keep=("b", "a"), inputs="same")


def matmul(input: Any, other: Any) -> Any:
    """The matrix product. A vector is a row on the left, a column on the right; leading dimensions are batches.

    Raises `ShapeError` where the inner sizes differ, `DtypeError` where the dtypes do.

    >>> import tensorgrad as tg
    >>> tg.matmul(tg.tensor([[1.0, 2.0]]), tg.tensor([3.0, 4.0]))
    tensor([11.])
    """
    try:
        m, n = input.ndim, other.ndim
    except AttributeError:
        m, n = rank("matmul", input), rank("matmul", other, "other")
    if not m or not n:
        raise ShapeError(
            f"matmul: both must have a dimension or more, got shapes {tuple(input.shape)} and {tuple(other.shape)}; "
            f"use * for numbers"
        )
    if m == 2 == n:
        return matmul_op(input, other)
    if m == 1:
        y = matmul(unsqueeze(input, 0), other)
        return reshape_op(y, shape=(*y.shape[:-1],) if n == 1 else (*y.shape[:-2], y.shape[-1]))
    if n == 1:
        y = matmul(input, unsqueeze(other, 1))
        return reshape_op(y, shape=tuple(y.shape[:-1]))
    if n == 2:  # one matrix for all batches: a single, larger product
        lead = tuple(input.shape[:-1])
        y = matmul_op(reshape_op(input, shape=(math.prod(lead), input.shape[-1])), other)
        return reshape_op(y, shape=(*lead, other.shape[-1]))
    return matmul_op(input, other)


# x @ weight.T + bias as one node: it is most of what a dense network does, and saves a view, a node and a temporary.
linear_op = primitive(
    "linear",
    cpu.linear,
    lambda g, y, x, weight, bias: matmul_op(g, weight),
    lambda g, y, x, weight, bias: matmul_op(swap(g), x),
    lambda g, y, x, weight, bias: g.sum(0),
    keep=("b", "a", ""),
    inputs="same",
)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """`input @ weight.T + bias`: input (..., in), weight (out, in), bias (out) or None; gives (..., out).

    Raises `ShapeError` where `in` differs, `DtypeError` where the dtypes do, or for an array as input.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.linear(tg.ones(1, 2), tg.tensor([[1.0, 2.0]]), tg.tensor([0.5]))
    tensor([[3.5000]])
    """
    try:
        given = input._data.shape
    except AttributeError:
        must_go_with("linear", input, weight)
        given = input.shape
    if weight.ndim not in (1, 2) or not given or given[-1] != weight.shape[-1]:
        raise ShapeError(
            f"linear: input of shape {tuple(input.shape)} does not fit weight of shape {tuple(weight.shape)}: the last "
            f"dimension of the input must be {weight.shape[-1] if weight.ndim else 'that of the weight'}"
        )
    if bias is None or weight.ndim == 1:
        y = matmul(input, weight.T)
        return y if bias is None else y + bias
    if tuple(bias.shape) != (weight.shape[0],):
        return matmul(input, weight.T) + bias
    if input.ndim == 2:
        return linear_op(input, weight, bias)
    lead = tuple(input.shape[:-1])
    y = linear_op(reshape_op(input, shape=(math.prod(lead), input.shape[-1])), weight, bias)
    return reshape_op(y, shape=(*lead, weight.shape[0]))
