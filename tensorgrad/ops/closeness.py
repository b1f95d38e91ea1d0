"""Whether tensors are equal or close, and other questions about their elements: the answers are bools."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import unary
from tensorgrad.backends.cpu import special as cpu
from tensorgrad.ops.arithmetic import abs
from tensorgrad.ops.checks import must_share_dtype
from tensorgrad.ops.choose import cast
from tensorgrad.ops.compare import eq, isfinite, logical_or
from tensorgrad.ops.dims import rank
from tensorgrad.ops.reduce import all


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether `|input - other| <= atol + rtol * |other|`, elementwise, broadcasting, as bool.

    Infinities are close to themselves only, and NaN to NaN only with `equal_nan`. Raises `DtypeError` where the dtypes
    differ or `other` is a number, `ValueError` for a negative tolerance.

    >>> import tensorgrad as tg
    >>> tg.isclose(tg.tensor([1.0, 2.0]), tg.tensor([1.000001, 2.1]))
    tensor([ True, False])
    """
    rank("isclose", other, "other")
    must_share_dtype("isclose", input=input, other=other)
    if rtol < 0 or atol < 0:
        raise ValueError(f"isclose: rtol and atol must be 0 or more, not {rtol} and {atol}")
    close = input == other
    if equal_nan:
        close = close | ((input != input) & (other != other))
    if input.dtype.kind != "f":
        input, other = cast(input, float), cast(other, float)
    error = abs(input - other)
    return close | (isfinite(error) & (error <= atol + abs(other * rtol)))


def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close (see `isclose`), as a Python bool.

    >>> import tensorgrad as tg
    >>> tg.allclose(tg.tensor([1.0, 2.0]), tg.tensor([1.000001, 2.0]))
    True
    """
    rank("allclose", other, "other")
    return bool(all(isclose(input, other, rtol, atol, equal_nan)))


def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and equal elements, as a Python bool. NaN equals nothing.

    Raises `DtypeError` for what is no tensor.

    >>> import tensorgrad as tg
    >>> tg.equal(tg.tensor([1, 2]), tg.tensor([1, 2]))
    True
    """
    rank("equal", other, "other")
    return tuple(input.shape) == tuple(other.shape) and bool(all(input == other))


def is_nonzero(input: Any) -> bool:
    """Whether the one element is not 0, as a Python bool. Raises `ShapeError` for more or fewer elements.

    >>> import tensorgrad as tg
    >>> tg.is_nonzero(tg.tensor([2.0]))
    True
    """
    return bool(input)


def isposinf(input: Any) -> Any:
    """Whether each element is positive infinity, as bool.

    >>> import tensorgrad as tg
    >>> tg.isposinf(tg.tensor([1.0, float("inf")]))
    tensor([False,  True])
    """
    return eq(input, float("inf"))


def isneginf(input: Any) -> Any:
    """Whether each element is negative infinity, as bool.

    >>> import tensorgrad as tg
    >>> tg.isneginf(tg.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    return eq(input, float("-inf"))


def isreal(input: Any) -> Any:
    """True for each element, as bool: there are no complex dtypes.

    >>> import tensorgrad as tg
    >>> tg.isreal(tg.tensor([1.0, 2.0]))
    tensor([True, True])
    """
    return logical_or(input, True)


signbit = unary(
    "signbit",
    cpu.signbit,
    inputs="any",
    doc="""Whether each element is negative, as bool; -0.0 is.

    >>> import tensorgrad as tg
    >>> tg.signbit(tg.tensor([1.0, -0.0]))
    tensor([False,  True])
    """,
)
