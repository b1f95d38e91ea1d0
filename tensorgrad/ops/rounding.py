"""Fractions, bounds, and numbers in place of NaN and infinities."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import special as cpu
from tensorgrad.backends.dtypes import refuse_bools
from tensorgrad.ops.arithmetic import clamp, trunc
from tensorgrad.ops.choose import where
from tensorgrad.ops.compare import isfinite
from tensorgrad.ops.dims import must_be_floating


def frac(input: Any) -> Any:
    """`input - trunc(input)`, elementwise: what comes after the point. Raises `DtypeError` for integers.

    >>> import tensorgrad as tg
    >>> tg.frac(tg.tensor([1.5, -2.25]))
    tensor([ 0.5000, -0.2500])
    """
    must_be_floating("frac", input)
    return input - trunc(input)


def clamp_min(input: Any, min: Any) -> Any:
    """Each element, or `min` where it is smaller: `clamp` with that bound only.

    >>> import tensorgrad as tg
    >>> tg.clamp_min(tg.tensor([-1.0, 2.0]), 0.0)
    tensor([0., 2.])
    """
    return clamp(input, min=min)


def clamp_max(input: Any, max: Any) -> Any:
    """Each element, or `max` where it is larger: `clamp` with that bound only.

    >>> import tensorgrad as tg
    >>> tg.clamp_max(tg.tensor([-1.0, 2.0]), 0.0)
    tensor([-1.,  0.])
    """
    return clamp(input, max=max)


def positive(input: Any) -> Any:
    """The input itself: what `+input` is. Raises `DtypeError` for bool.

    >>> import tensorgrad as tg
    >>> +tg.tensor([1.0, -2.0])
    tensor([ 1., -2.])
    """
    refuse_bools("positive", input)
    return input


# Composed, it would be three tests and three selections.
nan_to_num_op = primitive(
    "nan_to_num",
    cpu.nan_to_num,
    lambda g, y, a, nan, posinf, neginf: where(isfinite(a), g, 0.0),
    keep="a",
    elementwise=True,
)


def nan_to_num(input: Any, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Each element, with numbers in place of NaN and the infinities: by default 0, the dtype's largest and smallest.

    >>> import tensorgrad as tg
    >>> tg.nan_to_num(tg.tensor([float("nan"), float("-inf"), 1.0]), neginf=-5.0)
    tensor([ 0., -5.,  1.])
    """
    return nan_to_num_op(input, nan=nan or 0.0, posinf=posinf, neginf=neginf)
