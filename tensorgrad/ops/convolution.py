"""Convolutions, their transposes, and the sliding blocks that they are made of."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import convolution as cpu
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.checks import must_go_with, sizes
from tensorgrad.ops.dims import rank
from tensorgrad.ops.reduce import sum_op
from tensorgrad.ops.shape import reshape_op, unsqueeze

# Three primitives, each of which is the derivative of the others: a convolution (of any number of dimensions, with the
# bias where there is one, which saves a pass), its gradient for the input, which is the transposed convolution, and its
# gradient for the weight. Composed of other operations they would keep every window, k * k times the input.
# `padding` is a pair for each dimension: what is added before and after.
convolution_op: Callable[..., Any] = primitive(
    "convolution",
    cpu.convolution,
    lambda g, y, x, weight, *bias, **how: convolution_input_op(g, weight, size=tuple(x.shape[2:]), **how),
    lambda g, y, x, weight, *bias, **how: convolution_weight_op(g, x, size=tuple(weight.shape[2:]), **how),
    lambda g, y, x, weight, bias, **how: sum_op(g, dim=(0, *range(2, len(g.shape))), keepdim=False),
    keep=("b", "a", ""),
    inputs="same",
    refuses="b",
)

convolution_input_op: Callable[..., Any] = primitive(
    "convolution_input",
    cpu.convolution_input,
    lambda g, y, x, weight, size, **how: convolution_op(g, weight, **how),
    lambda g, y, x, weight, size, **how: convolution_weight_op(x, g, size=tuple(weight.shape[2:]), **how),
    keep=("b", "a"),
    inputs="same",
    refuses="b",
)

convolution_weight_op: Callable[..., Any] = primitive(
    "convolution_weight",
    cpu.convolution_weight,
    lambda g, y, a, x, size, **how: convolution_op(x, g, **how),
    lambda g, y, a, x, size, **how: convolution_input_op(a, g, size=tuple(x.shape[2:]), **how),
    keep=("b", "a"),
    inputs="same",
)

im2col_op: Callable[..., Any] = primitive(
    "im2col", cpu.im2col, lambda g, y, a, **how: col2im_op(g, size=tuple(a.shape[2:]), **how)
)
col2im_op: Callable[..., Any] = primitive("col2im", cpu.col2im, lambda g, y, a, size, **how: im2col_op(g, **how))


def same_padding(kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """What padding="same" adds before and after each dimension: where it is uneven, more after, as in PyTorch.

    >>> same_padding((3, 4), (1, 1))
    ((1, 1), (1, 2))
    """
    totals = (d * (k - 1) for k, d in zip(kernel, dilation))
    return tuple((total // 2, total - total // 2) for total in totals)


def must_be_stride_1(name: str, stride: tuple[int, ...]) -> None:
    """Raise `ValueError` for a stride that padding="same" cannot go with.

    >>> must_be_stride_1("conv2d", (1, 1))
    """
    if max(stride) > 1:
        raise ValueError(f"{name}: padding='same' needs stride 1, not {stride}; give the padding in numbers")


def _padding(name: str, padding: Any, kernel: Any, stride: Any, dilation: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(padding, str):
        return tuple((p, p) for p in sizes(name, "padding", padding, len(kernel), 0))
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ValueError(f"{name}: padding must be ints, 'valid' or 'same', not {padding!r}")
    must_be_stride_1(name, stride)
    return same_padding(kernel, dilation)


def _check(name: str, count: int, input: Any, weight: Any, bias: Any, groups: int, transposed: bool) -> Any:
    """The input with its batch. Raises `ShapeError` where the input, the weight, the bias and the groups do not fit."""
    must_go_with(name, input, weight)
    ndim, shape, given = rank(name, input), tuple(input.shape), tuple(weight.shape)
    if ndim not in (count + 1, count + 2):
        sides = ("length", "height, width", "depth, height, width")[count - 1]
        raise ShapeError(
            f"{name}: input must be (batch, channels, {sides}), or without the batch, and has shape {shape}; "
            + (
                f"rows of pixels become images by .reshape(-1, channels, {sides})"
                if ndim == 2 and count == 2
                else "add what is missing with .unsqueeze(0)"
            )
        )
    if len(given) != count + 2 or not given[0] or not all(given[2:]):
        raise ShapeError(f"{name}: weight must have {count + 2} dimensions, none of them empty, and has shape {given}")
    if operator.index(groups) < 1 or given[0] % groups:
        raise ValueError(
            f"{name}: groups must be 1 or more and divide the {given[0]} channels that the weight of shape {given} "
            f"{'takes' if transposed else 'makes'}, and is {groups}"
        )
    takes = given[0] if transposed else given[1] * groups
    makes = given[1] * groups if transposed else given[0]
    if shape[-count - 1] != takes:
        remedy = ""
        if ndim == count + 1 and takes == 1:
            remedy = "; a batch that lacks its dimension of channels gets it by .unsqueeze(1), an array by [:, None]"
        elif shape[-1] == takes:
            remedy = f"; channels that come last go where they belong by .movedim(-1, {-count - 1})"
        raise ShapeError(
            f"{name}: input of shape {shape} has {shape[-count - 1]} channels, and weight of shape {given} with "
            f"groups={groups} takes {takes}{remedy}"
        )
    if bias is not None and tuple(bias.shape) != (makes,):
        raise ShapeError(f"{name}: bias must have shape ({makes},), one for each output channel, not {bias.shape}")
    return input if ndim == count + 2 else unsqueeze(input, 0)


def _convolve(
    count: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    name = f"conv{count}d"
    x = _check(name, count, input, weight, bias, groups, transposed=False)
    kernel = tuple(weight.shape[2:])
    stride = sizes(name, "stride", stride, count, 1)
    dilation = sizes(name, "dilation", dilation, count, 1)
    padding = _padding(name, padding, kernel, stride, dilation)
    if any(n + low + high <= d * (k - 1) for n, k, d, (low, high) in zip(x.shape[2:], kernel, dilation, padding)):
        raise ShapeError(
            f"{name}: a kernel of {kernel} with dilation {dilation} does not fit an input of shape "
            f"{tuple(input.shape)} with padding {padding}; pad it more, or take a smaller kernel"
        )
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    y = convolution_op(x, weight, **how) if bias is None else convolution_op(x, weight, bias, **how)
    return y if input.ndim == count + 2 else reshape_op(y, shape=tuple(y.shape[1:]))


def _transposed(
    count: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    name = f"conv_transpose{count}d"
    x = _check(name, count, input, weight, bias, groups, transposed=True)
    kernel = tuple(weight.shape[2:])
    stride = sizes(name, "stride", stride, count, 1)
    dilation = sizes(name, "dilation", dilation, count, 1)
    before = sizes(name, "padding", padding, count, 0)
    extra = sizes(name, "output_padding", output_padding, count, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        raise ValueError(
            f"{name}: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}: it chooses "
            f"among the sizes that the convolution would take to this one"
        )
    # What output_padding adds is padding that the convolution back does without.
    padding = tuple((p, p - e) for p, e in zip(before, extra))
    size = tuple(
        (n - 1) * s + d * (k - 1) + 1 - low - high
        for n, s, d, k, (low, high) in zip(x.shape[2:], stride, dilation, kernel, padding)
    )
    if min(size) < 1:
        raise ShapeError(
            f"{name}: input of shape {tuple(input.shape)} with a kernel of {kernel} and padding {before} gives a size "
            f"of {size}; take less padding"
        )
    y = convolution_input_op(x, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if bias is not None:
        if bias.dtype != y.dtype:
            raise DtypeError(f"{name}: bias must be {y.dtype.name}, as input and weight are, not {bias.dtype.name}")
        y = y + bias.reshape((-1, *(1,) * count))
    return y if input.ndim == count + 2 else reshape_op(y, shape=tuple(y.shape[1:]))


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The convolution (cross-correlation, as PyTorch has it) of (N, C, L) or (C, L) with (O, C / groups, kernel).

    `padding` is a number of zeros at either end, "valid" (none), or "same": as many as keep the length, with stride 1.
    Raises `ShapeError` where the channels or the kernel do not fit, `ValueError` for settings out of range,
    `DtypeError` where dtypes differ.

    >>> import tensorgrad as tg
    >>> tg.conv1d(tg.tensor([[1.0, 2.0, 4.0, 8.0]]), tg.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2., 4.]])
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The convolution of images (N, C, H, W) or (C, H, W) with (O, C / groups, kernel height, kernel width).

    Settings are an int, or one for each dimension; for `padding`, and what is raised, see `conv1d`.

    >>> import tensorgrad as tg
    >>> tg.conv2d(tg.ones(1, 3, 8, 8), tg.ones(6, 3, 3, 3), stride=2, padding=1).shape
    (1, 6, 4, 4)
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The convolution of volumes (N, C, D, H, W) or (C, D, H, W) with (O, C / groups, and three kernel sizes).

    Settings are an int, or one for each dimension; for `padding`, and what is raised, see `conv1d`.

    >>> import tensorgrad as tg
    >>> tg.conv3d(tg.ones(1, 1, 4, 4, 4), tg.ones(2, 1, 3, 3, 3)).shape
    (1, 2, 2, 2, 2)
    """
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv1d`, its gradient for the input: (N, C, L) or (C, L) with weight (C, O / groups, kernel).

    The length is (L - 1) * stride - 2 * padding + dilation * (kernel - 1) + `output_padding` + 1. Raises as `conv1d`,
    and `ValueError` where `output_padding` is not smaller than the stride or the dilation.

    >>> import tensorgrad as tg
    >>> tg.conv_transpose1d(tg.tensor([[1.0, 2.0]]), tg.tensor([[[1.0, 1.0]]]), stride=2)
    tensor([[1., 1., 2., 2.]])
    """
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv2d`: (N, C, H, W) or (C, H, W) with weight (C, O / groups, kernel height, kernel width).

    For the sizes, and what is raised, see `conv_transpose1d`.

    >>> import tensorgrad as tg
    >>> tg.conv_transpose2d(tg.ones(1, 3, 4, 4), tg.ones(3, 6, 2, 2), stride=2).shape
    (1, 6, 8, 8)
    """
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv3d`: (N, C, D, H, W) or (C, D, H, W) with weight (C, O / groups, and three kernel sizes).

    For the sizes, and what is raised, see `conv_transpose1d`.

    >>> import tensorgrad as tg
    >>> tg.conv_transpose3d(tg.ones(1, 1, 2, 2, 2), tg.ones(1, 2, 2, 2, 2), stride=2).shape
    (1, 2, 4, 4, 4)
    """
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)
