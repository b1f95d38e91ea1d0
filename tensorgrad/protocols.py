"""How a tensor takes part in NumPy and in Python: array protocols, numbers and containers, copies and pickles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd.graph import LEAF, TensorBase, edge, spec, wrap
from tensorgrad.errors import AutogradError, ShapeError


class Protocols(TensorBase):
    """The base of `Tensor` with what NumPy and Python call by names of their own."""

    __slots__ = ()

    # NumPy

    def __array__(self: Any, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError(f"an array of {np.dtype(dtype)} cannot be made of this {array.dtype} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        """`ndarray * tensor` is a Tensor; a ufunc that is no op works where no gradient would be lost."""
        if method == "__call__" and out is None and not kwargs:
            from tensorgrad.ops.ufuncs import by_ufunc

            function = by_ufunc.get(ufunc)
            if function is not None:
                return function(*inputs)
        for x in inputs:
            if isinstance(x, TensorBase) and edge(x) is not None:
                raise AutogradError(
                    f"np.{ufunc.__name__}{'' if method == '__call__' else '.' + method} of a tensor that requires a "
                    f"gradient would lose it; use the tensorgrad function, or .detach()"
                )
        arrays = [x._data if isinstance(x, TensorBase) else x for x in inputs]
        if out is not None:
            if any(isinstance(x, TensorBase) for x in out):
                return NotImplemented
            return getattr(ufunc, method)(*arrays, out=out, **kwargs)
        result = getattr(ufunc, method)(*arrays, **kwargs)
        return tuple(map(wrap, result)) if isinstance(result, tuple) else wrap(result)

    def __dlpack__(self: Any, **kwargs: Any) -> Any:
        return self.numpy().__dlpack__(**kwargs)

    def __dlpack_device__(self: Any) -> tuple[int, int]:
        return self._data.__dlpack_device__()

    # Looks, containers, numbers

    def __repr__(self: Any) -> str:
        from tensorgrad import printing

        return printing.text(self)

    def __format__(self: Any, format_spec: str) -> str:
        if not self._data.ndim or (format_spec and self._data.size == 1):
            return format(self._data.item(), format_spec)
        if format_spec:
            raise TypeError(f"format {format_spec!r} takes a tensor of one element, and this has shape {self.shape}")
        return repr(self)

    def __len__(self: Any) -> int:
        if not self.ndim:
            raise TypeError("len: a tensor of no dimensions has no length")
        return len(self._data)

    def __iter__(self: Any) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a tensor of no dimensions; use .item() for its number")
        return iter(ops.unbind(self))

    def __contains__(self: Any, value: Any) -> bool:
        return bool(ops.eq(self, value)._data.any())

    def __bool__(self: Any) -> bool:
        if self._data.size != 1:
            raise ShapeError(
                f"the truth of a tensor of shape {self.shape} is ambiguous; use .any() or .all(), or `is not None`"
            )
        return bool(self._data.item())

    def __int__(self: Any) -> int:
        return int(self.item())

    def __float__(self: Any) -> float:
        return float(self.item())

    def __index__(self: Any) -> int:
        if self._data.dtype.kind == "f" or self._data.size != 1:
            raise TypeError(
                f"only an integer tensor of one element can be an index, not {spec(self.shape, self.dtype)}"
            )
        return int(self._data.item())

    # Copies

    def __copy__(self: Any) -> Any:
        return self.__deepcopy__({}) if self.is_leaf else self.clone()

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        """A leaf of its own with the same values and gradient. Raises `AutogradError` for a computed tensor."""
        if not self.is_leaf:
            raise AutogradError(
                "deepcopy: only leaf tensors can be copied whole; this one has a graph behind it: .detach() it first"
            )
        if id(self) not in memo:
            made = object.__new__(type(self))
            made._data, made._grad, made._hooks = np.array(self._data), None, None
            made._node = LEAF if self.requires_grad else None
            made.__setstate__(getattr(self, "__dict__", None))
            memo[id(self)] = made
            if self._grad is not None:
                made._grad = self._grad.detach().clone()
        return memo[id(self)]

    def __setstate__(self: Any, attributes: Any) -> None:
        if attributes:
            self.__dict__.update(attributes)

    def __reduce__(self: Any) -> Any:
        """Pickling, for processes that hand tensors to one another; files are for `tensorgrad.save`."""
        if not self.is_leaf:
            raise AutogradError("pickle: this tensor has a graph behind it; .detach() it first")
        return _rebuild, (type(self), np.ascontiguousarray(self._data).reshape(self.shape), self.requires_grad)


def _rebuild(cls: type[Any], array: np.ndarray[Any, Any], requires_grad: bool) -> Any:
    made = object.__new__(cls)
    made._data, made._grad, made._hooks = array, None, None
    made._node = LEAF if requires_grad else None
    return made
