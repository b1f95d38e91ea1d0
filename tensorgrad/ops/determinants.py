"""Determinants of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad import return_types
from tensorgrad.autograd.op import Parts, primitive
from tensorgrad.backends.cpu import decompositions as cpu
from tensorgrad.ops.arithmetic import sign
from tensorgrad.ops.choose import where
from tensorgrad.ops.decompositions import svd_op
from tensorgrad.ops.factors import prod_op
from tensorgrad.ops.linalg import matmul_op, swap
from tensorgrad.ops.matrices import diagonal_matrix, diagonals, matrices, ones_of
from tensorgrad.ops.solving import inverse_op

det_op = primitive("det", cpu.det, lambda g, y, a: g[..., None, None] * cofactor_op(a), keep="a")


def _cofactor_vjp(g: Any, y: Any, a: Any) -> Any:
    """Of a diagonal matrix it is made of the products of all elements of the diagonal but two; others are turned."""
    u, s, vh = svd_op(a, full=False)
    m = matmul_op(matmul_op(swap(u), g), swap(vh))
    others = 1.0 - diagonal_matrix(ones_of(s))
    neither = others[..., None, :] * others[..., None, :, :]
    n = len(s.shape)
    products = prod_op(s[..., None, None, :] * neither + (1.0 - neither), dim=(n + 1,), keepdim=False) * others
    x = diagonal_matrix((diagonals(m)[..., None] * products).sum(n - 1)) - swap(m) * products
    return matmul_op(matmul_op(u, x), vh) * sign(det_op(matmul_op(u, vh)))[..., None, None]


# The gradient of the determinant is right for singular matrices too, which det(a) * inv(a).T would not be.
cofactor_op: Callable[..., Any] = primitive("cofactor", cpu.cofactor, _cofactor_vjp, keep="a")


def _slogdet_vjp(g: Parts, wants: Any, y: Any, a: Any) -> tuple[Any]:
    if 1 not in g:
        return (where(False, a, 0.0),)
    return (g[1][..., None, None] * swap(inverse_op(a, check=False)[0]),)


slogdet_op = primitive("slogdet", cpu.slogdet, joint=_slogdet_vjp, keep="a")


def det(input: Any) -> Any:
    """The determinants of square matrices (..., n, n). The gradient is right for singular matrices too.

    >>> import tensorgrad as tg
    >>> tg.det(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    matrices("det", input=input)
    return det_op(input)


def slogdet(input: Any) -> Any:
    """The signs of the determinants of square matrices, and the logarithms of their sizes: 0 and -inf if singular.

    >>> import tensorgrad as tg
    >>> tg.slogdet(tg.tensor([[2.0, 0.0], [0.0, -4.0]]))
    tensorgrad.return_types.slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(2.0794))
    """
    matrices("slogdet", input=input)
    return return_types.slogdet(*slogdet_op(input))


def logdet(input: Any) -> Any:
    """The logarithms of the determinants of square matrices: -inf where that is 0, NaN where it is negative.

    >>> import tensorgrad as tg
    >>> tg.logdet(tg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.0794)
    """
    matrices("logdet", input=input)
    sign, logabsdet = slogdet_op(input)
    return where(sign == -1.0, math.nan, logabsdet)
