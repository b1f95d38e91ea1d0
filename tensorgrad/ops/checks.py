"""Arguments as users give them, checked: what must be a tensor, of one dtype, an int, a size."""

from __future__ import annotations

import operator
from typing import Any

from tensorgrad.autograd.graph import TensorBase
from tensorgrad.errors import DtypeError


def no_tensor(name: str, what: str, x: Any) -> DtypeError:
    """The error for an argument that must be a tensor, with the remedy that its type suggests.

    >>> no_tensor("sum", "input", [1.0])
    DtypeError('sum: input must be a Tensor, not list; make one with tensorgrad.tensor(...)')
    """
    if x is None:
        remedy = "see that forward returns what it computes"
    elif isinstance(x, tuple):
        remedy = "recurrent and attention layers return a tuple: take its first element"
    else:
        remedy = f"make one with tensorgrad.{'from_numpy' if type(x).__name__ == 'ndarray' else 'tensor'}(...)"
    return DtypeError(f"{name}: {what} must be a Tensor, not {type(x).__name__}; {remedy}")


def must_be_tensors(name: str, **given: Any) -> None:
    """Raise `DtypeError` unless all arguments are tensors.

    >>> import tensorgrad as tg
    >>> must_be_tensors("mse_loss", input=tg.ones(2), target=tg.ones(2))
    """
    for what, x in given.items():
        if not isinstance(x, TensorBase):
            raise no_tensor(name, what, x)


def must_go_with(name: str, input: Any, weight: Any) -> None:
    """Raise `DtypeError` for an input that is no tensor beside a weight that is one. (Arrays alone give arrays.)

    >>> import tensorgrad as tg
    >>> must_go_with("linear", tg.ones(2), tg.ones(2, 2))
    """
    if isinstance(weight, TensorBase) and not isinstance(input, TensorBase):
        raise no_tensor(name, "input", input)


def must_share_dtype(name: str, **given: Any) -> None:
    """Raise `DtypeError` unless all arguments have one dtype.

    >>> import tensorgrad as tg
    >>> must_share_dtype("isclose", input=tg.ones(2), other=tg.zeros(2))
    """
    if len({x.dtype for x in given.values()}) > 1:
        found = ", ".join(f"{what} is {x.dtype.name}" for what, x in given.items())
        raise DtypeError(f"{name}: {' and '.join(given)} must share one dtype, but {found}; convert with .to(dtype)")


def must_be_int(name: str, least: int, **given: Any) -> None:
    """Raise `TypeError` unless all arguments are ints, and `ValueError` where one is below `least`.

    >>> must_be_int("Linear", 0, in_features=3, out_features=2)
    """
    for what, n in given.items():
        whole = hasattr(n, "__index__") and not isinstance(n, bool)
        if not whole or n < least:
            text = f"{name}: {what} must be an int of {least} or more, not {n!r}"
            raise ValueError(text) if whole else TypeError(text)


def sizes(name: str, what: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """A setting given as an int, or as one for each dimension, as a tuple. Raises `ValueError` for anything else.

    >>> sizes("conv2d", "stride", 2, 2, 1)
    (2, 2)
    """
    try:
        given = tuple(map(operator.index, value if isinstance(value, tuple | list) else (value,)))
    except TypeError:
        given = ()
    if len(given) not in (1, count) or min(given) < least:
        several = f", or {count} of them" if count > 1 else ""
        raise ValueError(f"{name}: {what} must be an int of {least} or more{several}, not {value!r}")
    return given * count if len(given) == 1 else given
