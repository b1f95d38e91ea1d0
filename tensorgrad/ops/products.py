"""Products of vectors and matrices: those of fixed dimensions, those that are added to something, outer products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.arithmetic import mul
from tensorgrad.ops.arranging import roll
from tensorgrad.ops.checks import must_share_dtype
from tensorgrad.ops.contraction import tensordot
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.linalg import linear_op, matmul, matmul_op
from tensorgrad.ops.shape import permute_op, reshape_op, unsqueeze


def _check(name: str, a: Any, m: int, b: Any, n: int) -> None:
    if (rank(name, a), rank(name, b, "the second input")) != (m, n):
        raise ShapeError(
            f"{name}: it takes tensors of {m} and {n} dimensions, got shapes {tuple(a.shape)} and {tuple(b.shape)}; "
            f"matmul takes others"
        )


def _exactly(name: str, a: Any, m: int, b: Any, n: int) -> Any:
    _check(name, a, m, b, n)
    if m == 3 and a.shape[0] != b.shape[0]:
        raise ShapeError(f"{name}: batches of {a.shape[0]} and {b.shape[0]} matrices differ")
    return matmul(a, b)


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


def vdot(input: Any, other: Any) -> Any:
    """The inner product of two vectors: as `dot`, real numbers being their own conjugates.

    >>> import tensorgrad as tg
    >>> tg.vdot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _exactly("vdot", input, 1, other, 1)


def inner(input: Any, other: Any) -> Any:
    """The inner products of all vectors along the last dimension of one tensor with all those of another.

    With a tensor of no dimensions it is their elementwise product. Raises `ShapeError` where the last sizes differ.

    >>> import tensorgrad as tg
    >>> tg.inner(tg.eye(2), tg.tensor([3.0, 4.0]))
    tensor([3., 4.])
    """
    if not rank("inner", input) or not rank("inner", other):
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(
            f"inner: the last dimensions of shapes {tuple(input.shape)} and {tuple(other.shape)} must be equal"
        )
    return tensordot(input, other, ((-1,), (-1,)))


def outer(input: Any, vec2: Any) -> Any:
    """The outer product of two vectors: `out[i, j] = input[i] * vec2[j]`.

    >>> import tensorgrad as tg
    >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    return _outer("outer", input, vec2)


def _outer(name: str, input: Any, vec2: Any) -> Any:
    _check(name, input, 1, vec2, 1)
    return unsqueeze(input, 1) * vec2


def ger(input: Any, vec2: Any) -> Any:
    """`outer` by another name.

    >>> import tensorgrad as tg
    >>> tg.ger(tg.tensor([1.0, 2.0]), tg.tensor([3.0]))
    tensor([[3.],
            [6.]])
    """
    return _outer("ger", input, vec2)


def kron(input: Any, other: Any) -> Any:
    """The Kronecker product: each element of `input` times the whole of `other`, as blocks.

    >>> import tensorgrad as tg
    >>> tg.kron(tg.tensor([1, 10]), tg.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    ndim = max(rank("kron", input), rank("kron", other))
    a, b = ((1,) * (ndim - x.ndim) + tuple(x.shape) for x in (input, other))
    apart = reshape_op(input, shape=tuple(n for size in a for n in (size, 1)))
    blocks = reshape_op(other, shape=tuple(n for size in b for n in (1, size)))
    return reshape_op(apart * blocks, shape=tuple(m * n for m, n in zip(a, b)))


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The vector products along a dimension of size 3, by default the first of that size. The shapes broadcast.

    >>> import tensorgrad as tg
    >>> tg.cross(tg.tensor([1.0, 0.0, 0.0]), tg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return cross_along("cross", input, other, dim)


def cross_along(name: str, input: Any, other: Any, dim: int | None) -> Any:
    """What `cross` computes, for a function of some name."""
    ndim, others = rank(name, input), rank(name, other, "other")
    a, b = tuple(input.shape), tuple(other.shape)
    if dim is None:
        dim = next((d for d, size in enumerate(a) if size == 3), -1)
    if ndim != others:
        raise ShapeError(f"{name}: shapes {a} and {b} must have as many dimensions as each other")
    d = one_dim(name, dim, ndim)
    if not a or a[d] != 3 or b[d] != 3:
        raise ShapeError(f"{name}: vectors have 3 elements; dimension {dim} of shapes {a} and {b} must be of size 3")
    return roll(input * roll(other, -1, d) - roll(input, -1, d) * other, -1, d)


# Products that are added to something


def _added(name: str, input: Any, product: Any, beta: float, alpha: float) -> Any:
    """`beta * input + alpha * product`; for beta 0 not even a NaN of the input shows."""
    shape, result = tuple(input.shape), tuple(product.shape)
    if len(shape) > len(result) or any(m not in (1, n) for m, n in zip(shape[::-1], result[::-1])):
        raise ShapeError(f"{name}: input of shape {shape} does not broadcast to that of the product, {result}")
    must_share_dtype(name, input=input, product=product)
    if product.dtype.kind != "f":
        if isinstance(alpha, float):
            raise DtypeError(f"{name}: alpha must be an integer where the inputs are, not {alpha}")
        beta = int(beta)
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return (input if beta == 1 else input * beta) + product


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """`beta * input + alpha * mat1 @ mat2`, where input broadcasts.

    >>> import tensorgrad as tg
    >>> tg.addmm(tg.ones(1), tg.ones(1, 2), tg.ones(2, 1))
    tensor([[3.]])
    """
    rank("addmm", input)
    _check("addmm", mat1, 2, mat2, 2)
    one_row = tuple(input.shape) == (mat2.shape[1],) and input.dtype == mat1.dtype == mat2.dtype
    if beta == alpha == 1 and one_row and mat1.shape[1] == mat2.shape[0]:
        return linear_op(mat1, permute_op(mat2, dims=(1, 0)), input)
    return _added("addmm", input, matmul(mat1, mat2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """`beta * input + alpha * mat @ vec`, where input broadcasts.

    >>> import tensorgrad as tg
    >>> tg.addmv(tg.ones(1), tg.ones(2, 3), tg.ones(3))
    tensor([4., 4.])
    """
    return _added("addmv", input, _exactly("addmv", mat, 2, vec, 1), beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """`beta * input + alpha * outer(vec1, vec2)`, where input broadcasts.

    >>> import tensorgrad as tg
    >>> tg.addr(tg.ones(1), tg.ones(1), tg.tensor([2.0, 3.0]))
    tensor([[3., 4.]])
    """
    _check("addr", vec1, 1, vec2, 1)
    return _added("addr", input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """`beta * input + alpha * batch1 @ batch2` of batches of matrices, where input broadcasts.

    >>> import tensorgrad as tg
    >>> tg.baddbmm(tg.ones(1), tg.ones(2, 1, 3), tg.ones(2, 3, 1), alpha=2)
    tensor([[[7.]],
    <BLANKLINE>
            [[7.]]])
    """
    return _added("baddbmm", input, _exactly("baddbmm", batch1, 3, batch2, 3), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """`beta * input + alpha * (batch1 @ batch2).sum(0)`, where input broadcasts.

    >>> import tensorgrad as tg
    >>> tg.addbmm(tg.ones(1), tg.ones(2, 1, 3), tg.ones(2, 3, 1))
    tensor([[7.]])
    """
    _check("addbmm", batch1, 3, batch2, 3)
    if batch1.shape[0] != batch2.shape[0] or batch1.shape[2] != batch2.shape[1]:
        raise ShapeError(f"addbmm: batches of shapes {tuple(batch1.shape)} and {tuple(batch2.shape)} do not fit")
    # the sum over the batch is a part of one product
    return _added("addbmm", input, tensordot(batch1, batch2, ((0, 2), (0, 1))), beta, alpha)


# Products of many


def chain_matmul(*matrices: Any) -> Any:
    """The product of matrices, in the order of multiplying that costs least.

    >>> import tensorgrad as tg
    >>> tg.chain_matmul(tg.ones(2, 3), tg.ones(3, 4), tg.ones(4, 1)).shape
    (2, 1)
    """
    for x in matrices:
        if rank("chain_matmul", x) != 2:
            raise ShapeError(f"chain_matmul: it takes matrices, and got shape {tuple(x.shape)}")
    return chain("chain_matmul", matrices)


def chain(name: str, matrices: Sequence[Any]) -> Any:
    """The product of matrices in the cheapest order, which dynamic programming finds (Cormen et al., 15.2)."""
    if not matrices:
        raise ValueError(f"{name}: it needs a matrix or more, and got none")
    for a, b in zip(matrices, matrices[1:]):
        if a.shape[1] != b.shape[0]:
            raise ShapeError(
                f"{name}: matrices of shapes {tuple(a.shape)} and {tuple(b.shape)} do not fit: the first has "
                f"{a.shape[1]} columns, the second {b.shape[0]} rows"
            )
    sizes = [x.shape[0] for x in matrices] + [matrices[-1].shape[1]]
    least = {(i, i): 0 for i in range(len(matrices))}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, len(matrices)):
        for i in range(len(matrices) - length):
            j = i + length
            least[i, j], cuts[i, j] = min(
                (least[i, k] + least[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        if i == j:
            return matrices[i]
        return matmul_op(product(i, cuts[i, j]), product(cuts[i, j] + 1, j))

    return product(0, len(matrices) - 1)
