"""Products, and matrices that are built of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad import ops
from tensorgrad.errors import ShapeError
from tensorgrad.ops.dims import rank
from tensorgrad.ops.products import chain, cross_along
from tensorgrad.ops.shape import squeeze, unsqueeze


def matmul(input: Any, other: Any) -> Any:
    """The matrix product, as `tensorgrad.matmul`.

    Raises as that does.

    >>> import tensorgrad as tg
    >>> tg.linalg.matmul(tg.ones(1, 2), tg.ones(2, 1))
    tensor([[2.]])
    """
    return ops.matmul(input, other)


def matrix_power(A: Any, n: int) -> Any:
    """The n-th power of square matrices; for a negative n, of their inverses.

    Raises `ShapeError` unless they are square, `LinAlgError` for a negative power of a singular matrix.

    >>> import tensorgrad as tg
    >>> tg.linalg.matrix_power(tg.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    return ops.matrix_power(A, n)


def multi_dot(tensors: Sequence[Any]) -> Any:
    """The product of two matrices or more, in the order of multiplying that costs least.

    The first may be a vector, which is a row, and the last, which is a column. Raises `ShapeError` where they do not
    fit.

    >>> import tensorgrad as tg
    >>> tg.linalg.multi_dot([tg.ones(3), tg.ones(3, 4), tg.ones(4)])
    tensor(12.)
    """
    name = "linalg.multi_dot"
    if not isinstance(tensors, list | tuple) or len(tensors) < 2:
        raise ValueError(f"{name}: it takes a list of two tensors or more")
    given = list(tensors)
    row, column = rank(name, given[0]) == 1, rank(name, given[-1]) == 1
    if row:
        given[0] = unsqueeze(given[0], 0)
    if column:
        given[-1] = unsqueeze(given[-1], 1)
    if any(rank(name, x) != 2 for x in given):
        shapes = ", ".join(str(tuple(x.shape)) for x in tensors)
        raise ShapeError(f"{name}: it takes matrices, and a vector first and last only; got shapes {shapes}")
    y = chain(name, given)
    return squeeze(y, (0,) * row + (-1,) * column)


def cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The vector products along a dimension of size 3; the shapes broadcast.

    Raises `ShapeError` for another size, or where they do not broadcast.

    >>> import tensorgrad as tg
    >>> tg.linalg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return cross_along("linalg.cross", input, other, dim)


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The inner products along a dimension of two tensors that broadcast.

    Raises `ShapeError` where they do not broadcast.

    >>> import tensorgrad as tg
    >>> tg.linalg.vecdot(tg.ones(2, 3), tg.ones(3))
    tensor([3., 3.])
    """
    return ops.sum(ops.mul(x, y), dim)


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """A view of the diagonals of matrices, as a new last dimension.

    Raises `IndexError` for a dimension that is not there.

    >>> import tensorgrad as tg
    >>> tg.linalg.diagonal(tg.ones(2, 3, 3)).shape
    (2, 3)
    """
    return ops.diagonal(A, offset, dim1, dim2)


def vander(x: Any, *, N: int | None = None) -> Any:
    """The matrices of A.-T. Vandermonde: the powers 0 to N - 1 of each element, in a new last dimension.

    N is by default the size of the last dimension, and at least 2. Raises `ShapeError` for a tensor of no dimensions,
    `ValueError` for N below 2.

    >>> import tensorgrad as tg
    >>> tg.linalg.vander(tg.tensor([2.0, 3.0]), N=3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    if not rank("linalg.vander", x):
        raise ShapeError("linalg.vander: it takes a tensor of one dimension or more, and this has none")
    count = x.shape[-1] if N is None else N
    if count < 2:
        raise ValueError(f"linalg.vander: N must be 2 or more, not {count}")
    powers = [ops.where(True, 1, x), x]
    while len(powers) < count:
        powers.append(powers[-1] * x)
    return ops.stack(powers, -1)
