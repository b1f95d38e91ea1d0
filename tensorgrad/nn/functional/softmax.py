"""Softmax and its kin as functions, where the dimension has to be given: guessing it hides mistakes."""

from __future__ import annotations

import warnings
from typing import Any

from tensorgrad import ops, random
from tensorgrad.autograd.graph import wrap
from tensorgrad.backends.dtypes import float16, float32
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.tensor import Tensor


def _given(name: str, dim: int | None) -> int:
    if dim is None:
        raise TypeError(f"{name}: give dim, the dimension of the classes: -1 for the last")
    return dim


def softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Any:
    """`exp(input)` over its sum along `dim`. Raises `TypeError` where `dim` is not given.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.softmax(tg.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return ops.softmax(input, _given("softmax", dim), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, dtype: Any = None) -> Any:
    """`softmax(-input)`: the smallest gets the most. Raises `TypeError` where `dim` is not given.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.softmin(tg.tensor([0.0, 1.0]), dim=0)
    tensor([0.7311, 0.2689])
    """
    return ops.softmax(-input, _given("softmin", dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Any:
    """The logarithm of `softmax`, without underflow. Raises `TypeError` where `dim` is not given.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.log_softmax(tg.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return ops.log_softmax(input, _given("log_softmax", dim), dtype=dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A sample of the Gumbel-softmax distribution of unnormalised log-probabilities, at temperature `tau`.

    `hard` gives one-hot vectors with the gradient of the soft sample (Jang et al., 2016, arXiv:1611.01144). `eps` has
    no effect. Raises `DtypeError` for logits that are not floating.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.gumbel_softmax(tg.tensor([0.0, 100.0]), hard=True)
    tensor([0., 1.])
    """
    must_be_floating("gumbel_softmax", logits)
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: eps has no effect", stacklevel=2)
    drawn = random.numpy_of(None).standard_exponential(
        logits.shape, float32 if logits.dtype == float16 else logits.dtype
    )
    gumbels = -ops.log(wrap(drawn))
    soft = ops.softmax((logits + gumbels.to(logits.dtype)) / tau, dim)
    if not hard:
        return soft
    index = ops.argmax(soft, dim, keepdim=True)
    one = soft.new_ones(index.shape)
    hot = ops.scatter_add(soft.new_zeros(soft.shape), dim, index, one)
    return hot - soft.detach() + soft
