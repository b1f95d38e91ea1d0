"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorgrad import ops
from tensorgrad.autograd.graph import TensorBase
from tensorgrad.errors import ShapeError


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All elements of several tensors in one vector, which is recorded. Raises `ValueError` for none.

    >>> import tensorgrad as tg
    >>> tg.nn.utils.parameters_to_vector([tg.ones(2, 1), tg.zeros(1)])
    tensor([1., 1., 0.])
    """
    parts = [p.reshape(-1) for p in parameters]
    if not parts:
        raise ValueError("parameters_to_vector: there are no parameters; a generator gives them only once")
    return ops.cat(parts)


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Make the elements of a vector, in order, the values of parameters, whose memory they become.

    Raises `TypeError` for what is not a tensor, `ShapeError` unless the vector has as many elements as the parameters.

    >>> import tensorgrad as tg
    >>> x, y = tg.ones(2, 1), tg.zeros(1)
    >>> tg.nn.utils.vector_to_parameters(tg.tensor([1.0, 2.0, 3.0]), [x, y])
    >>> x.tolist(), y.tolist()
    ([[1.0], [2.0]], [3.0])
    """
    if not isinstance(vec, TensorBase):
        raise TypeError(f"vector_to_parameters: vec must be a Tensor, not {type(vec).__name__}")
    parameters = list(parameters)
    total = sum(p.numel() for p in parameters)
    if vec._data.shape != (total,):
        raise ShapeError(
            f"vector_to_parameters: the parameters have {total} elements, and the vector has shape {vec._data.shape}"
        )
    values = vec.detach()  # type: ignore[attr-defined]
    end = 0
    for p in parameters:
        start, end = end, end + p.numel()
        p.data = values[start:end].reshape(p.shape)
