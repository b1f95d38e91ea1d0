"""The dtypes, the default one, and PyTorch's promotion rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.errors import DtypeError

DType = np.dtype[Any]

float16 = half = np.dtype("float16")
float32 = np.dtype("float32")
float64 = double = np.dtype("float64")
int8 = np.dtype("int8")
int16 = short = np.dtype("int16")
int32 = np.dtype("int32")
int64 = long = np.dtype("int64")
uint8 = np.dtype("uint8")
bool_ = np.dtype("bool")

# By equality, to the one object of each: dtypes can then be compared with `is`.
SUPPORTED = {d: d for d in (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)}
CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}
_PYTHON: dict[Any, DType] = {bool: bool_, int: int64}
_default = float32


def get_default_dtype() -> DType:
    """The dtype of tensors made from Python floats; float32 unless changed.

    >>> import tensorgrad as tg
    >>> tg.get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype of tensors made from Python floats. Raises `DtypeError` unless it is a floating dtype.

    >>> import tensorgrad as tg
    >>> tg.set_default_dtype(tg.float64)
    >>> tg.tensor(1.5).dtype
    dtype('float64')
    >>> tg.set_default_dtype(tg.float32)
    """
    global _default
    dtype = as_dtype(dtype)
    if dtype.kind != "f":
        raise DtypeError(f"set_default_dtype: {dtype.name} is not a floating dtype; use float16, float32 or float64")
    _default = dtype


def as_dtype(dtype: Any) -> DType:
    """A dtype from a dtype, a NumPy or Python type, or a name. Raises `DtypeError` for one that tensors do not have.

    >>> from tensorgrad.backends.dtypes import as_dtype
    >>> as_dtype(float), as_dtype("int8")
    (dtype('float32'), dtype('int8'))
    """
    if dtype is float:
        return _default
    try:
        return SUPPORTED[np.dtype(dtype)]
    except (TypeError, KeyError):
        names = ", ".join(d.name for d in SUPPORTED)
        raise DtypeError(f"tensors cannot have dtype {dtype!r}; they can have {names}") from None


def refuse_bools(name: str, *values: Any, remedy: str = ".long()") -> None:
    """Raise `DtypeError` where one of the tensors, arrays or numbers is of bools.

    >>> import tensorgrad as tg
    >>> refuse_bools("median", tg.ones(2))
    """
    for x in values:
        if getattr(x, "dtype", None) == bool_:
            raise DtypeError(f"{name}: it does not take bools; convert with {remedy}")


def promote_types(type1: Any, type2: Any) -> DType:
    """The dtype that two dtypes promote to: a floating one wins over any integer, as in PyTorch.

    >>> import tensorgrad as tg
    >>> tg.promote_types(tg.int64, tg.float16)
    dtype('float16')
    """
    a, b = as_dtype(type1), as_dtype(type2)
    if CATEGORY[a.kind] != CATEGORY[b.kind]:
        return a if CATEGORY[a.kind] > CATEGORY[b.kind] else b
    return np.promote_types(a, b)


def result_dtype(values: list[Any]) -> DType:
    """The dtype that arrays and Python scalars promote to.

    Arrays with dimensions decide; one of no dimensions, and then a Python scalar, counts only where it is of a higher
    category (bool < integer < floating).
    """
    groups: list[DType | None] = [None, None, None]
    for value in values:
        if isinstance(value, np.ndarray):
            rank, dtype = (0 if value.ndim else 1), value.dtype
        else:
            rank, dtype = 2, _PYTHON.get(type(value), _default)
        held = groups[rank]
        groups[rank] = dtype if held is None or held is dtype else promote_types(held, dtype)
    result: DType | None = None
    for dtype in groups:
        if dtype is not None and (result is None or CATEGORY[dtype.kind] > CATEGORY[result.kind]):
            result = dtype
    assert result is not None
    return result
