"""The keywords that public functions take besides their own: `out=`, and NumPy's `axis=` and `keepdims=`.

They are taken at the door, where a function becomes `tensorgrad.X` or a method; the library's own calls pass by it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.graph import TensorBase, edge
from tensorgrad.autograd.inplace import apply_
from tensorgrad.autograd.modes import GRAD, no_grad
from tensorgrad.backends import cpu
from tensorgrad.backends.dtypes import CATEGORY
from tensorgrad.errors import AutogradError, DtypeError, ShapeError

SEVERAL = frozenset({"broadcast_tensors", "cartesian_prod", "meshgrid"})  # these take tensors, and only look at them
ALIASES = {"axis": "dim", "keepdims": "keepdim"}


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return (*names, "dim", "keepdim") if code.co_flags & 8 else names  # 8: it takes **kwargs


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function as a method of Tensor: one with a `dim` takes `axis` for it, and `keepdims` for `keepdim`."""
    aliases = {theirs: ours for theirs, ours in ALIASES.items() if ours in _parameters(function)}
    if not aliases:
        return function

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            if "out" in kwargs and kwargs["out"] is None:
                del kwargs["out"]  # numpy.sum(tensor) calls the method with it
            for theirs, ours in aliases.items():
                if theirs in kwargs and ours not in kwargs:
                    kwargs[ours] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    return renamed


def public(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function as `tensorgrad.X`: as `method`, and with `out=` where it is computed from an `input`."""
    names = _parameters(function)
    computed = names[:1] and names[0] in ("input", "condition", "tensors") and function.__name__ not in SEVERAL
    return takes_out(method(function)) if computed and "out" not in names else method(function)


def takes_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the keyword `out=`: tensors that its results are written into, and that it then returns."""

    @functools.wraps(function)
    def writing(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        y = function(*args, **kwargs)
        return y if out is None else write_out(function.__name__, y, out)

    return writing


def write_out(name: str, y: Any, out: Any) -> Any:
    """Write results into the tensors given as `out=`, and return those.

    An empty one takes on the result's shape. Raises `ShapeError` and `DtypeError` where a result does not fit, and
    `AutogradError` where a gradient would be lost.
    """
    if isinstance(y, tuple):
        if not isinstance(out, tuple | list) or len(out) != len(y):
            raise DtypeError(f"{name}: it has {len(y)} results, and out= must be a tuple of as many tensors")
        for part, into in zip(y, out):
            if part.dtype.kind == "i" and getattr(into, "dtype", part.dtype) != part.dtype:
                raise DtypeError(f"{name}: out= for a result of {part.dtype.name} must be that, not {into.dtype.name}")
        written = (write_out(name, part, into) for part, into in zip(y, out))
        return type(y)(*written) if hasattr(y, "_fields") else tuple(written)
    if not isinstance(out, TensorBase):
        raise DtypeError(f"{name}: out= must be a Tensor, not {type(out).__name__}")
    return _write(name, y, out)


def _write(name: str, y: Any, out: Any) -> Any:
    if GRAD.get() and (edge(y) is not None or edge(out) is not None):
        raise AutogradError(f"{name}: out= does not record a graph, and a gradient is wanted; use it inside no_grad()")
    if CATEGORY[y.dtype.kind] > CATEGORY[out.dtype.kind]:
        raise DtypeError(f"{name}: the result is {y.dtype.name}, which cannot be written into out= of {out.dtype.name}")
    if tuple(out.shape) != tuple(y.shape):
        if out.numel():
            raise ShapeError(f"{name}: the result has shape {tuple(y.shape)}, and out= has {tuple(out.shape)}")
        out._data = cpu.cast(y._data, out.dtype)
        return out
    with no_grad():
        return apply_("copy", out, y)
