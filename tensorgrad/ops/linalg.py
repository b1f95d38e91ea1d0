"""Matrix products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends import cpu
from tensorgrad.errors import ShapeError
from tensorgrad.ops.dims import rank
from tensorgrad.ops.shape import permute_op, reshape_op, unsqueeze


def _swap(x: Any) -> Any:
    """The last two dimensions swapped."""
    ndim = len(x.shape)
    return permute_op(x, dims=(*range(ndim - 2), ndim - 1, ndim - 2))


matmul_op: Callable[..., Any] = primitive(
    "matmul",
    cpu.matmul,
    lambda g, y, a, b: matmul_op(g, _swap(b)),
    lambda g, y, a, b: matmul_op(_swap(a), g),
    keep=("b", "a"),
    inputs="same",
)


def matmul(input: Any, other: Any) -> Any:
    """The matrix product. A vector is a row on the left, a column on the right; leading dimensions are batches.

    Raises `ShapeError` where the inner sizes differ, `DtypeError` where the dtypes do.

    >>> import tensorgrad as tg
    >>> tg.matmul(tg.tensor([[1.0, 2.0]]), tg.tensor([3.0, 4.0]))
    tensor([11.])
    """
    m, n = input.ndim, other.ndim
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


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices. Raises `ShapeError` for anything but two dimensions.

    >>> import tensorgrad as tg
    >>> tg.mm(tg.ones(2, 3), tg.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    return _exactly("mm", input, 2, mat2, 2)


def bmm(input: Any, mat2: Any) -> Any:
    """The products of a batch of matrices with a batch of matrices of the same length.

    >>> import tensorgrad as tg
    >>> tg.bmm(tg.ones(2, 1, 3), tg.ones(2, 3, 1)).shape
    (2, 1, 1)
    """
    if input.ndim == 3 == mat2.ndim and input.shape[0] != mat2.shape[0]:
        raise ShapeError(f"bmm: batches of {input.shape[0]} and {mat2.shape[0]} matrices differ")
    return _exactly("bmm", input, 3, mat2, 3)


def mv(input: Any, vec: Any) -> Any:
    """The product of a matrix and a vector.

    >>> import tensorgrad as tg
    >>> tg.mv(tg.ones(2, 3), tg.ones(3))
    tensor([3., 3.])
    """
    return _exactly("mv", input, 2, vec, 1)


def dot(input: Any, tensor: Any) -> Any:
    """The inner product of two vectors.

    >>> import tensorgrad as tg
    >>> tg.dot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _exactly("dot", input, 1, tensor, 1)


def outer(input: Any, vec2: Any) -> Any:
    """The outer product of two vectors: `out[i, j] = input[i] * vec2[j]`.

    >>> import tensorgrad as tg
    >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    _check("outer", input, 1, vec2, 1)
    return unsqueeze(input, 1) * vec2


def _check(name: str, a: Any, m: int, b: Any, n: int) -> None:
    if a.ndim != m or b.ndim != n:
        raise ShapeError(
            f"{name}: it takes tensors of {m} and {n} dimensions, got shapes {tuple(a.shape)} and {tuple(b.shape)}; "
            f"matmul takes others"
        )


def _exactly(name: str, a: Any, m: int, b: Any, n: int) -> Any:
    _check(name, a, m, b, n)
    return matmul(a, b)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """`beta * input + alpha * mat1 @ mat2`, where input broadcasts.

    >>> import tensorgrad as tg
    >>> tg.addmm(tg.ones(1), tg.ones(1, 2), tg.ones(2, 1))
    tensor([[3.]])
    """
    product = _exactly("addmm", mat1, 2, mat2, 2)
    return (input if beta == 1 else input * beta) + (product if alpha == 1 else product * alpha)


# x @ weight.T + bias as one node: it is most of what a dense network does, and saves a view, a node and a temporary.
linear_op = primitive(
    "linear",
    cpu.linear,
    lambda g, y, x, weight, bias: matmul_op(g, weight),
    lambda g, y, x, weight, bias: matmul_op(_swap(g), x),
    lambda g, y, x, weight, bias: g.sum(0),
    keep=("b", "a", ""),
    inputs="same",
)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """`input @ weight.T + bias`: input (..., in), weight (out, in), bias (out) or None; gives (..., out).

    Raises `ShapeError` where `in` differs, `DtypeError` where the dtypes do.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.linear(tg.ones(1, 2), tg.tensor([[1.0, 2.0]]), tg.tensor([0.5]))
    tensor([[3.5000]])
    """
    if weight.ndim not in (1, 2) or not rank("linear", input) or input.shape[-1] != weight.shape[-1]:
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
