"""How the elements of a tensor lie in memory: PyTorch's memory formats. Values do not depend on them."""

from __future__ import annotations

from typing import Any

from tensorgrad.errors import ShapeError
from tensorgrad.ops.choose import clone_op
from tensorgrad.ops.shape import permute_op


class memory_format:
    """The name of an order of the elements in memory; `torch.channels_last` and its like are such names.

    >>> import tensorgrad as tg
    >>> x = tg.zeros(1, 2, 3, 4).contiguous(memory_format=tg.channels_last)
    >>> x.shape, x.stride()
    ((1, 2, 3, 4), (24, 1, 8, 2))
    """

    def __init__(self, name: str, ndim: int = 0) -> None:
        self.name, self.ndim = name, ndim

    def __repr__(self) -> str:
        return f"torch.{self.name}"


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", 4)
channels_last_3d = memory_format("channels_last_3d", 5)


class _Layout:
    """The name of a way to store elements: `torch.strided`, the only one there is."""

    def __repr__(self) -> str:
        return "torch.strided"


strided = _Layout()


def _channels_moved(x: Any, form: Any) -> Any:
    return permute_op(x, dims=(0, *range(2, form.ndim), 1))


def lies_in(x: Any, form: Any) -> bool:
    """Whether the elements of a tensor, or an array, lie in memory as the format says."""
    if form.ndim and x.ndim != form.ndim:
        return False
    x = _channels_moved(x, form) if form.ndim else x
    return bool(getattr(x, "_data", x).flags.c_contiguous)


def laid_out(name: str, x: Any, form: Any) -> Any:
    """A tensor, or an array, laid out in memory as the format says; itself where it lies so.

    Raises `ShapeError` where the format is for another number of dimensions, `TypeError` for what is no format.
    """
    if not isinstance(form, memory_format):
        raise TypeError(f"{name}: memory_format must be such as torch.channels_last, not {form!r}")
    if form.ndim and x.ndim != form.ndim:
        raise ShapeError(f"{name}: {form} takes {form.ndim} dimensions, and the tensor has shape {tuple(x.shape)}")
    if form is preserve_format or lies_in(x, form):
        return x
    if not form.ndim:
        return clone_op(x, order="C")
    back = (0, form.ndim - 1, *range(1, form.ndim - 1))
    return permute_op(clone_op(_channels_moved(x, form), order="C"), dims=back)
