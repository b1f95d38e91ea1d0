"""Padding as layers: `nn.functional.pad`, with sizes that are one int for all sides or one for each."""

from __future__ import annotations

from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.module import Module


class _Pad(Module):
    """Padding of the last `dims` dimensions: `padding` is (left, right, top, bottom, front, back) as far as they go."""

    dims: int
    mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        sizes = (padding,) * (2 * self.dims) if hasattr(padding, "__index__") else tuple(padding)
        if len(sizes) != 2 * self.dims:
            raise ValueError(
                f"{type(self).__name__}: padding must be an int, or {2 * self.dims} of them, two for a dimension, not "
                f"{padding!r}"
            )
        self.padding = sizes

    def forward(self, input: Any) -> Any:
        """Pad the input."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        """Pad the input."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The settings."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Puts `value` around the last dimension.

    >>> import tensorgrad as tg
    >>> tg.nn.ConstantPad1d(1, 2.0)(tg.zeros(1, 1)).sum().item()
    4.0
    """

    dims = 1


class ConstantPad2d(_ConstantPad):
    """Puts `value` around the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ConstantPad2d(1, 2.0)(tg.zeros(1, 1, 1)).sum().item()
    16.0
    """

    dims = 2


class ConstantPad3d(_ConstantPad):
    """Puts `value` around the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ConstantPad3d(1, 2.0)(tg.zeros(1, 1, 1, 1)).sum().item()
    52.0
    """

    dims = 3


class ZeroPad1d(_Pad):
    """Puts zeros around the last dimension.

    >>> import tensorgrad as tg
    >>> tg.nn.ZeroPad1d(1)(tg.ones(1, 2)).shape
    (1, 4)
    """

    dims = 1
    mode = "constant"


class ZeroPad2d(_Pad):
    """Puts zeros around the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ZeroPad2d(1)(tg.ones(1, 2, 2)).shape
    (1, 4, 4)
    """

    dims = 2
    mode = "constant"


class ZeroPad3d(_Pad):
    """Puts zeros around the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ZeroPad3d(1)(tg.ones(1, 2, 2, 2)).shape
    (1, 4, 4, 4)
    """

    dims = 3
    mode = "constant"


class ReflectionPad1d(_Pad):
    """Mirrors the elements at the edges of the last dimension.

    >>> import tensorgrad as tg
    >>> tg.nn.ReflectionPad1d(1)(tg.ones(1, 2)).shape
    (1, 4)
    """

    dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """Mirrors the elements at the edges of the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ReflectionPad2d(1)(tg.ones(1, 2, 2)).shape
    (1, 4, 4)
    """

    dims = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """Mirrors the elements at the edges of the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ReflectionPad3d(1)(tg.ones(1, 2, 2, 2)).shape
    (1, 4, 4, 4)
    """

    dims = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """Repeats the edges of the last dimension.

    >>> import tensorgrad as tg
    >>> tg.nn.ReplicationPad1d(1)(tg.ones(1, 2)).shape
    (1, 4)
    """

    dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """Repeats the edges of the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ReplicationPad2d(1)(tg.ones(1, 2, 2)).shape
    (1, 4, 4)
    """

    dims = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """Repeats the edges of the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.ReplicationPad3d(1)(tg.ones(1, 2, 2, 2)).shape
    (1, 4, 4, 4)
    """

    dims = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """Puts the elements of the other side around the last dimension.

    >>> import tensorgrad as tg
    >>> tg.nn.CircularPad1d(1)(tg.ones(1, 2)).shape
    (1, 4)
    """

    dims = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """Puts the elements of the other side around the last two dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.CircularPad2d(1)(tg.ones(1, 2, 2)).shape
    (1, 4, 4)
    """

    dims = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """Puts the elements of the other side around the last three dimensions.

    >>> import tensorgrad as tg
    >>> tg.nn.CircularPad3d(1)(tg.ones(1, 2, 2, 2)).shape
    (1, 4, 4, 4)
    """

    dims = 3
    mode = "circular"
