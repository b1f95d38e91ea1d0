"""What `X` may be: arrays, tensors, data frames and lists, as arrays that a network takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import nn
from tensorgrad.autograd.graph import TensorBase
from tensorgrad.errors import ShapeError
from tensorgrad.metrics.base import Array
from tensorgrad.nn.modes import computing_dtype
from tensorgrad.nn.module import Module


def takes_integers(module: Module) -> bool:
    """Whether integers are indices to a network, and stay what they are: it has an embedding."""
    return any(isinstance(layer, nn.Embedding | nn.EmbeddingBag) for layer in module.modules())


def as_inputs(X: Any, module: Module, what: str = "X") -> tuple[Array, ...]:
    """The arrays of one input, or of a tuple of arrays for several inputs, checked: numbers, finite, and of one length.

    Floating arrays become the network's dtype. Integers and bools do so too, a batch at a time, unless the network has
    an embedding, whose indices they then are.
    """
    given = X if isinstance(X, tuple) and X and all(hasattr(x, "shape") for x in X) else (X,)
    names = [what] if len(given) == 1 else [f"{what}[{i}]" for i in range(len(given))]
    arrays = tuple(finite(_numbers(x, name), name, computing_dtype(module), x) for x, name in zip(given, names))
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise ShapeError(f"the inputs have different lengths: {', '.join(str(len(array)) for array in arrays)}")
    return arrays


def to_array(values: Any, what: str) -> Array:
    """What a user hands over as an array with a first dimension of examples."""
    if isinstance(values, TensorBase):
        array = values._data
    elif hasattr(values, "tocsr"):
        raise TypeError(f"{what} is a sparse matrix; give {what}.toarray()")
    else:
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise ShapeError(f"{what} cannot become an array: its rows have different lengths ({error})") from None
    if array.dtype.kind in "mM":
        raise TypeError(f"{what} holds dates or times; make numbers of them, as days since the first one")
    if np.ma.is_masked(values):
        raise ValueError(
            f"{what} is a masked array, some of which is hidden; give {what}.filled(...) or leave those out"
        )
    if array.ndim == 0:
        raise TypeError(f"{what} must be an array with one example in each row, not {_named(values)}")
    return array


def _named(values: Any) -> str:
    return "None" if values is None else f"{type(values).__name__} {str(values)[:40]!r}"


def _numbers(values: Any, what: str) -> Array:
    array = to_array(values, what)
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind == "c":
        raise TypeError(f"{what} is complex; a network takes real numbers: give {what}.real, or both parts as columns")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(_where_text(values, array, what)) from None


def _where_text(values: Any, array: Array, what: str) -> str:
    """Which column of an array of objects holds what is no number."""
    columns = getattr(values, "columns", None)
    flat = array.reshape(len(array), -1)
    for column in range(flat.shape[1]):
        for row, value in enumerate(flat[:, column]):
            try:
                float(value)
            except (TypeError, ValueError):
                where = f"column {column}" if columns is None else f"column {columns[column]!r}"
                return (
                    f"{what} must hold numbers, and {where} holds {value!r} in row {row}; encode it first, for "
                    f"instance with pandas.get_dummies or sklearn.preprocessing.OneHotEncoder"
                )
    return f"{what} must hold numbers, not {array.dtype}"


def finite(array: Array, what: str, dtype: Any, values: Any = None) -> Array:
    """Floating numbers in a dtype. Raises `ValueError` where they are NaN or infinite, or would be in it."""
    if array.dtype.kind != "f":
        return array
    must_be_finite(array, what, values)
    with np.errstate(over="ignore"):
        converted = array.astype(dtype, copy=False)
    if converted is not array and not np.isfinite(converted).all():
        raise ValueError(f"{what} holds values too large for {np.dtype(dtype).name}, such as {np.abs(array).max():g}")
    return converted


def must_be_finite(array: Array, what: str, values: Any = None) -> None:
    """Raise `ValueError` with the place of the first NaN or infinity, by the names of a frame or a series."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return
    wrong = ~np.isfinite(array)
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    count, place = int(wrong.sum()), f"{what}[{', '.join(map(str, at))}]"
    if hasattr(values, "iloc"):
        place = f"{what}.iloc[{', '.join(map(str, at))}], which is row {values.index[at[0] : at[0] + 1].tolist()[0]!r}"
        if hasattr(values, "columns"):
            place += f" of column {values.columns[at[1]]!r}"
    raise ValueError(
        f"{what} holds {count} value{'s' * (count != 1)} that {'is' if count == 1 else 'are'} NaN or infinite, the "
        f"first at {place}; fill them in (sklearn.impute.SimpleImputer, numpy.nan_to_num) or leave "
        f"those examples out"
    )
