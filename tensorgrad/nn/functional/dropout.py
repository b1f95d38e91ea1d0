"""Dropout as functions: in training a random part of the input is set to 0 (or to what stands for it), else none.

All raise `ValueError` for a probability outside [0, 1], and `DtypeError` for a tensor that is not floating.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from tensorgrad import random
from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.inplace import apply_
from tensorgrad.errors import ShapeError
from tensorgrad.nn.functional.activation import SELU_ALPHA, SELU_SCALE
from tensorgrad.ops.dims import must_be_floating
from tensorgrad.tensor import Tensor


def _idle(name: str, input: Tensor, p: float, training: bool) -> bool:
    """Check the arguments; whether nothing is dropped."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{name}: p must be between 0 and 1, not {p}")
    if not training or p == 0.0:
        return True
    must_be_floating(name, input)
    return False


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, each element set to 0 with probability `p`, the others scaled by 1 / (1 - p); else the input.

    From Srivastava et al., JMLR 15 (2014). Raises `ValueError` for a probability outside [0, 1].

    >>> import tensorgrad as tg
    >>> tg.nn.functional.dropout(tg.ones(3), 0.5, training=False)
    tensor([1., 1., 1.])
    """
    return _drop("dropout", input, p, training, inplace, input.shape)


def _drop(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Any:
    """The input times a mask of a shape that broadcasts to it."""
    if _idle(name, input, p, training):
        return input
    mask = wrap(random.keep_mask(shape, input.dtype, p))
    return apply_("mul", input, mask) if inplace else input * mask


def _channels(input: Tensor, batched: bool) -> tuple[int, ...]:
    """The shape of one number for each channel."""
    lead = 2 if batched else 1
    return (*input.shape[:lead], *(1,) * (input.ndim - lead))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, L) or (C, L) (Tompson et al., 2014, arXiv:1411.4280).

    Raises `ShapeError` for another number of dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.dropout1d(tg.ones(2, 3), 1.0)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    if input.ndim not in (2, 3):
        raise ShapeError(f"dropout1d: input must be (N, C, L) or (C, L), not {input.shape}; dropout takes any")
    return _drop("dropout1d", input, p, training, inplace, _channels(input, input.ndim == 3))


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, H, W) (Tompson et al., 2014, arXiv:1411.4280).

    As in PyTorch, three dimensions are taken as (N, C, L), with a warning. Raises `ShapeError` for fewer than 2.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.dropout2d(tg.ones(1, 1, 1, 2), 1.0)
    tensor([[[[0., 0.]]]])
    """
    if input.ndim < 2:
        raise ShapeError(f"dropout2d: input must be (N, C, H, W), not {input.shape}; dropout takes any")
    if input.ndim != 4:
        warnings.warn(
            f"dropout2d: input of shape {input.shape} is taken as (N, C, ...), and should be (N, C, H, W); dropout1d "
            f"is for (N, C, L), and for (C, H, W) .unsqueeze(0) it",
            stacklevel=2,
        )
    return _drop("dropout2d", input, p, training, inplace, _channels(input, True))


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W) (Tompson et al., 2014, arXiv:1411.4280).

    Another number of dimensions is taken as (C, ...), with a warning. Raises `ShapeError` for none.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.dropout3d(tg.ones(1, 1, 1, 2), 1.0)
    tensor([[[[0., 0.]]]])
    """
    if not input.ndim:
        raise ShapeError("dropout3d: input must be (N, C, D, H, W) or (C, D, H, W), and has no dimensions")
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: input of shape {input.shape} is taken as (C, ...), and should be (N, C, D, H, W) or "
            f"(C, D, H, W); dropout takes any shape",
            stacklevel=2,
        )
    return _drop("dropout3d", input, p, training, inplace, _channels(input, input.ndim == 5))


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """In training, each element set to the limit of `selu` at -infinity with probability `p`, and all scaled and moved
    so that unit Gaussian inputs keep mean 0 and variance 1 (Klambauer et al., 2017, arXiv:1706.02515); else the input.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.alpha_dropout(tg.ones(2), 0.5)
    tensor([1., 1.])
    """
    return _drop_alpha("alpha_dropout", input, p, training, inplace, input.shape)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """`alpha_dropout` of whole channels of (N, C, ...). Raises `ShapeError` for fewer than two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.feature_alpha_dropout(tg.ones(1, 2), 0.5)
    tensor([[1., 1.]])
    """
    if training and input.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: input must be (N, C, ...), and has shape {input.shape}")
    return _drop_alpha("feature_alpha_dropout", input, p, training, inplace, _channels(input, True))


def _drop_alpha(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Any:
    if _idle(name, input, p, training):
        return input
    keep = wrap(random.keep_mask(shape, input.dtype, p)) * (1.0 - p)
    limit = SELU_ALPHA * SELU_SCALE
    a = 1.0 / math.sqrt((limit * limit * p + 1.0) * (1.0 - p)) if p < 1.0 else 0.0
    scale, shift = keep * a, (keep - (1.0 - p)) * (limit * a)
    return apply_("add", apply_("mul", input, scale), shift) if inplace else input * scale + shift
