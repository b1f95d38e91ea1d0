"""Products of two inputs with a weight."""

from __future__ import annotations

from typing import Any

from tensorgrad.errors import ShapeError
from tensorgrad.ops.checks import must_be_tensors
from tensorgrad.ops.linalg import linear
from tensorgrad.tensor import Tensor


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    """`input1 @ weight[o] @ input2 + bias[o]` for each output o: inputs (*, I) and (*, J), weight (O, I, J), bias (O).

    Raises `ShapeError` where the shapes do not fit, `DtypeError` where the dtypes differ.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.bilinear(tg.tensor([1.0, 2.0]), tg.tensor([3.0]), tg.ones(1, 2, 1))
    tensor([9.])
    """
    must_be_tensors("bilinear", input1=input1, input2=input2, weight=weight)
    a, b = input1.shape, input2.shape
    if weight.ndim != 3 or not a or not b or a[:-1] != b[:-1] or (a[-1], b[-1]) != weight.shape[1:]:
        raise ShapeError(
            f"bilinear: inputs of shapes {a} and {b} do not fit weight of shape {weight.shape}: they must be (*, I), "
            f"(*, J) and (O, I, J)"
        )
    # One product of matrices: all the pairs of features times the weights of pairs.
    pairs = input1.unsqueeze(-1) * input2.unsqueeze(-2)
    return linear(pairs.flatten(-2), weight.flatten(1), bias)
