"""The sliding blocks of images, taken apart and added up again."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.errors import ShapeError
from tensorgrad.ops.checks import sizes
from tensorgrad.ops.convolution import col2im_op, im2col_op
from tensorgrad.ops.dims import rank
from tensorgrad.tensor import Tensor


def _settings(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    return {
        "kernel": sizes(name, "kernel_size", kernel_size, 2, 1),
        "stride": sizes(name, "stride", stride, 2, 1),
        "padding": tuple((p, p) for p in sizes(name, "padding", padding, 2, 0)),
        "dilation": sizes(name, "dilation", dilation, 2, 1),
    }


def _places(name: str, size: tuple[int, ...], how: dict[str, Any]) -> tuple[int, ...]:
    """How many blocks there are, down and across. Raises `ShapeError` where there are none."""
    places = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, (p, _), d in zip(size, how["kernel"], how["stride"], how["padding"], how["dilation"])
    )
    if min(places) < 1:
        raise ShapeError(
            f"{name}: blocks of {how['kernel']} with dilation {how['dilation']} do not fit images of {size} with "
            f"padding {how['padding']}; pad more, or take smaller blocks"
        )
    return places


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The blocks that a sliding kernel sees, as columns: (N, C, H, W) to (N, C * kernel elements, blocks).

    The batch may be missing. Settings are an int, or (height, width). Raises `ShapeError` where no block fits.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.unfold(tg.arange(6.0).reshape(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    how = _settings("unfold", kernel_size, dilation, padding, stride)
    ndim = rank("unfold", input)
    if ndim not in (3, 4):
        raise ShapeError(f"unfold: input must be (N, C, H, W) or (C, H, W), and has shape {tuple(input.shape)}")
    _places("unfold", tuple(input.shape[-2:]), how)
    y = im2col_op(input if ndim == 4 else ops.unsqueeze(input, 0), **how)
    return y if ndim == 4 else y[0]


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Blocks (N, C * kernel elements, blocks) added up to (N, C, *output_size): the transpose of `unfold`.

    The batch may be missing. Settings are an int, or (height, width). Raises `ShapeError` where the blocks are not
    those of images of that size.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.fold(tg.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    how = _settings("fold", kernel_size, dilation, padding, stride)
    size = sizes("fold", "output_size", output_size, 2, 1)
    ndim, shape = rank("fold", input), tuple(input.shape)
    places, taps = _places("fold", size, how), math.prod(how["kernel"])
    if ndim not in (2, 3) or shape[-1] != math.prod(places) or shape[-2] % taps:
        raise ShapeError(
            f"fold: input must be (N, C * {taps}, {math.prod(places)}), or without the batch, for blocks of "
            f"{how['kernel']} at {places} places, and has shape {shape}"
        )
    y = col2im_op(input if ndim == 3 else ops.unsqueeze(input, 0), size=size, **how)
    return y if ndim == 3 else y[0]
