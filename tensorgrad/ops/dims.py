"""Dimensions as users give them, made positive, and what they are of: a tensor, of a floating dtype."""

from __future__ import annotations

import operator
from typing import Any

from tensorgrad.errors import DtypeError, ShapeError


def must_be_floating(name: str, *inputs: Any, what: str = "it") -> None:
    """Raise `DtypeError` unless one of the inputs at least is a tensor (or array) of a floating dtype.

    >>> import tensorgrad as tg
    >>> must_be_floating("mean", tg.ones(2))
    """
    dtypes = []
    for x in inputs:
        dtype = getattr(x, "dtype", None)
        if dtype is not None:
            if dtype.kind == "f":
                return
            dtypes.append(dtype)
    if not dtypes:
        raise _no_tensor(name, "input", inputs[0])
    names = " and ".join(dtype.name for dtype in dtypes)
    raise DtypeError(f"{name}: {what} needs a floating dtype, not {names}; convert with .float()")


def rank(name: str, input: Any, what: str = "input") -> int:
    """The number of dimensions of a tensor or array. Raises `DtypeError` for anything else.

    >>> import numpy as np
    >>> rank("sum", np.zeros((2, 3)))
    2
    """
    try:
        return input.ndim
    except AttributeError:
        raise _no_tensor(name, what, input) from None


def one_dim(name: str, dim: Any, ndim: int, of: str = "a tensor") -> int:
    """A dimension, counted from either end, as 0 <= dim < ndim. Raises `IndexError` where there is no such dimension.

    >>> one_dim("sum", -1, 3)
    2
    """
    try:
        dim = operator.index(dim)
    except TypeError:
        raise TypeError(f"{name}: dim must be an int, not {type(dim).__name__}") from None
    size = max(ndim, 1)  # a tensor of no dimensions takes 0 and -1, as in PyTorch
    if not -size <= dim < size:
        raise IndexError(f"{name}: dim {dim} is out of range for {of} of {ndim} dimensions ({-size} to {size - 1})")
    return dim % size


def many_dims(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """One dimension, several, or None for all, as a sorted tuple. Raises `IndexError`, and for a repeat `ShapeError`.

    >>> many_dims("sum", (-1, 0), 3)
    (0, 2)
    """
    if dim is None or (isinstance(dim, tuple | list) and not dim):
        return tuple(range(ndim))
    if not isinstance(dim, tuple | list):
        dim = (dim,)
    dims = sorted(one_dim(name, d, ndim) for d in dim)
    if len(set(dims)) != len(dims):
        raise ShapeError(f"{name}: dim {tuple(dim)} names a dimension twice")
    return tuple(dims) if ndim else ()


def flat(args: tuple[Any, ...], named: Any = None) -> tuple[Any, ...]:
    """Sizes or dimensions given one by one, as one sequence, or by name.

    >>> flat((2, 3)), flat(((2, 3),)), flat((), (2, 3))
    ((2, 3), (2, 3), (2, 3))
    """
    if named is not None and not args:
        return tuple(named)
    if len(args) == 1 and isinstance(args[0], tuple | list):
        return tuple(args[0])
    return args


def _no_tensor(name: str, what: str, x: Any) -> DtypeError:
    from tensorgrad.ops.checks import no_tensor  # which few programs need, if any

    return no_tensor(name, what, x)
