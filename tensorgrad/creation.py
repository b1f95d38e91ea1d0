"""Making tensors: from data, filled, counted. PyTorch's names, defaults and dtypes."""

from __future__ import annotations

import builtins
import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import TensorBase, edge, wrap
from tensorgrad.backends.device import require_cpu
from tensorgrad.backends.dtypes import SUPPORTED, as_dtype, get_default_dtype, int64, promote_types
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.checks import must_be_tensors
from tensorgrad.ops.dims import flat
from tensorgrad.tensor import Tensor


def finish(array: np.ndarray[Any, Any], requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor around an array; a leaf that requires a gradient if asked. Raises `DtypeError` where that cannot be,
    `DeviceError` for a device that is not the CPU."""
    if device is not None:
        require_cpu("a new tensor", device)
    made: Tensor = wrap(array)
    if requires_grad:
        made.requires_grad_()
    return made


def native(name: str, data: Any) -> np.ndarray[Any, Any]:
    """Data as an array of a dtype that tensors have, copied only where it must be."""
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ShapeError(f"{name}: the rows of the data differ in length: {error}") from None
    if array.dtype not in SUPPORTED:
        native_dtype = array.dtype.newbyteorder("=")
        if native_dtype not in SUPPORTED:
            names = ", ".join(d.name for d in SUPPORTED)
            raise DtypeError(f"{name}: data of dtype {array.dtype} cannot be a tensor; tensors hold {names}")
        array = array.astype(native_dtype)
    return array if array.dtype is SUPPORTED[array.dtype] else array.view(SUPPORTED[array.dtype])


def _from_data(name: str, data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    if isinstance(data, TensorBase):
        array = data._data
    elif isinstance(data, np.ndarray | np.generic):
        array = native(name, data)
    else:
        return _from_python(name, data, dtype)
    return array if dtype is None else array.astype(as_dtype(dtype), copy=False)


def _from_python(name: str, data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Numbers and nested sequences: Python floats count as the default dtype, tensors and arrays inside as theirs."""
    found = _dtypes(data)
    array = native(name, _as_arrays(data) if isinstance(data, list | tuple) else data)
    if not array.size and not found:
        array = array.astype(get_default_dtype())
    if dtype is None:
        return array.astype(functools.reduce(promote_types, found), copy=False) if found else array
    dtype = as_dtype(dtype)
    if dtype.kind in "iu" and array.size and array.dtype.kind != "b":
        limits = np.iinfo(dtype)
        lowest = -int(limits.max) if dtype.kind == "u" else int(limits.min)  # -1 is 255 in uint8, as in PyTorch
        if not (lowest <= array.min() and array.max() <= limits.max):
            raise ValueError(f"{name}: data from {array.min()} to {array.max()} do not fit {dtype.name}")
    return array.astype(dtype, copy=False)


def _dtypes(data: Any) -> set[Any]:
    """The dtypes of what nested sequences hold."""
    if isinstance(data, list | tuple):
        kinds = set(map(type, data))
        if kinds <= {bool, int, float}:
            return {get_default_dtype() if kind is float else as_dtype(kind) for kind in kinds}
        return set().union(*map(_dtypes, data))
    if isinstance(data, TensorBase | np.ndarray | np.generic):
        return {data._data.dtype if isinstance(data, TensorBase) else data.dtype.newbyteorder("=")}
    if isinstance(data, bool | int | float):
        return {get_default_dtype() if isinstance(data, float) else as_dtype(type(data))}
    return set()


def _as_arrays(data: Any) -> Any:
    """Nested sequences with plain arrays in place of the tensors in them."""
    if isinstance(data, list | tuple):
        return [_as_arrays(x) for x in data] if any_tensor(data) else data
    return data._data if isinstance(data, TensorBase) else data


def any_tensor(data: Any) -> bool:
    """Whether nested lists hold a tensor."""
    if isinstance(data, list | tuple):
        return builtins.any(any_tensor(x) for x in data if not isinstance(x, float | int))
    return isinstance(data, TensorBase)


def _requires_grad(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return not set(map(type, data)) <= {bool, int, float} and builtins.any(map(_requires_grad, data))
    return isinstance(data, TensorBase) and edge(data) is not None


def _warn_of_cut(name: str, stacklevel: int) -> None:
    warnings.warn(
        f"{name}: the data require a gradient, and the new tensor is cut off from their graph; keep it with "
        "stack([...]), or .clone() of one tensor, or say with .detach() that it is meant to end here",
        stacklevel=stacklevel,
    )


def maker(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that makes a tensor, with what PyTorch's take besides: `layout=`, `pin_memory=`, the size as `size=`.

    `layout` can be `strided`, and there is no device for which pinning memory would do anything. `empty` and the
    functions that make one tensor like another take a `memory_format=`, too.
    """
    name = function.__name__
    takes_size = function.__code__.co_flags & 4  # it has *size
    takes_format = name == "empty" or name.endswith("_like")

    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Tensor:
        if not kwargs:
            return function(*args)
        kwargs.pop("pin_memory", None)
        if str(kwargs.pop("layout", None)) not in ("None", "torch.strided"):
            raise ValueError(f"{name}: layout must be torch.strided, the only one there is")
        if takes_size and "size" in kwargs:
            if args:
                raise TypeError(f"{name}: the size is given twice, by position and as size=")
            args = (kwargs.pop("size"),)
        form = kwargs.pop("memory_format", None) if takes_format else None
        x = function(*args, **kwargs)
        if form is not None:
            from tensorgrad.formats import laid_out

            x._data = laid_out(name, x._data, form)
        return x

    return made


@maker
def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of `data`: a number, nested lists, an array or a tensor.

    Python floats get the default dtype (float32), ints int64, bools bool; arrays keep their dtype.
    Raises `ShapeError` for ragged lists, `DtypeError` for data that is not numbers, `ValueError` for numbers that do
    not fit the dtype. It warns where the data require a gradient: their graph ends here.

    >>> import tensorgrad as tg
    >>> tg.tensor([[1, 2], [3, 4]], dtype=tg.float64, requires_grad=True)
    tensor([[1., 2.],
            [3., 4.]], dtype=float64, requires_grad=True)
    """
    if _requires_grad(data):
        _warn_of_cut("tensor", stacklevel=4)
    return finish(np.array(_from_data("tensor", data, dtype)), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing memory with an array, and being the tensor itself, where the dtype allows.

    >>> import tensorgrad as tg
    >>> x = tg.ones(2)
    >>> tg.as_tensor(x) is x
    True
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(as_dtype(dtype))
    if _requires_grad(data):
        _warn_of_cut("as_tensor", stacklevel=3)
    return finish(_from_data("as_tensor", data, dtype), device=device)


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares the memory of an array. Raises `DtypeError` for anything else.

    >>> import numpy as np, tensorgrad as tg
    >>> a = np.zeros(2)
    >>> x = tg.from_numpy(a)
    >>> a[0] = 5
    >>> x
    tensor([5., 0.], dtype=float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise DtypeError(f"from_numpy: it takes an ndarray, not {type(ndarray).__name__}; use tensor(...)")
    return finish(native("from_numpy", ndarray))


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of any object with `__dlpack__`, as PyTorch's and JAX's CPU arrays have.

    >>> import numpy as np, tensorgrad as tg
    >>> tg.from_dlpack(np.arange(3))
    tensor([0, 1, 2])
    """
    return finish(native("from_dlpack", np.from_dlpack(ext_tensor)))


def shape_of(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as a sequence. Raises `ShapeError` for a negative one, `TypeError` for other things."""
    shape = flat(size)
    for n in shape:
        if not hasattr(n, "__index__"):
            raise TypeError(f"{name}: sizes must be ints, not {type(n).__name__}: {shape}")
        if n.__index__() < 0:
            raise ShapeError(f"{name}: a size cannot be negative: {shape}")
    return tuple(n.__index__() for n in shape)


def _dtype(dtype: Any) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else as_dtype(dtype)


@maker
def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a shape.

    >>> import tensorgrad as tg
    >>> tg.zeros(2)
    tensor([0., 0.])
    """
    return finish(np.zeros(shape_of("zeros", size), _dtype(dtype)), requires_grad, device)


@maker
def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of a shape.

    >>> import tensorgrad as tg
    >>> tg.ones(2)
    tensor([1., 1.])
    """
    return finish(np.ones(shape_of("ones", size), _dtype(dtype)), requires_grad, device)


@maker
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of a shape whose elements are whatever was in memory.

    >>> import tensorgrad as tg
    >>> tg.empty(2, 3).shape
    (2, 3)
    """
    return finish(np.empty(shape_of("empty", size), _dtype(dtype)), requires_grad, device)


@maker
def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of a shape with one value; its dtype by default that of the value.

    >>> import tensorgrad as tg
    >>> tg.full((2,), 7)
    tensor([7, 7])
    """
    value = _from_data("full", fill_value, dtype)
    shape = shape_of("full", (size,) if isinstance(size, list | tuple) else ((size,),))
    return finish(np.full(shape, value, value.dtype), requires_grad, device)


@maker
def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of another tensor.

    >>> import tensorgrad as tg
    >>> tg.zeros_like(tg.tensor([1, 2]))
    tensor([0, 0])
    """
    must_be_tensors("zeros_like", input=input)
    return finish(np.zeros(input.shape, (dtype and as_dtype(dtype)) or input.dtype), requires_grad, device)


@maker
def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of another tensor.

    >>> import tensorgrad as tg
    >>> tg.ones_like(tg.tensor([1, 2]))
    tensor([1, 1])
    """
    must_be_tensors("ones_like", input=input)
    return finish(np.ones(input.shape, (dtype and as_dtype(dtype)) or input.dtype), requires_grad, device)


@maker
def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """An unset tensor of the shape and dtype of another.

    >>> import tensorgrad as tg
    >>> tg.empty_like(tg.zeros(2, 3)).shape
    (2, 3)
    """
    must_be_tensors("empty_like", input=input)
    return finish(np.empty(input.shape, (dtype and as_dtype(dtype)) or input.dtype), requires_grad, device)


@maker
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One value in the shape and dtype of another tensor.

    >>> import tensorgrad as tg
    >>> tg.full_like(tg.zeros(2), 5)
    tensor([5., 5.])
    """
    must_be_tensors("full_like", input=input)
    return full(tuple(input.shape), fill_value, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


@maker
def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A matrix of `n` rows and `m` (by default `n`) columns with ones on its diagonal.

    >>> import tensorgrad as tg
    >>> tg.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    rows, columns = shape_of("eye", (n, n if m is None else m))
    return finish(np.eye(rows, columns, dtype=_dtype(dtype)), requires_grad, device)


@maker
def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`start`, `start + step`, ... below `end`; int64 from ints, the default dtype where a float is among them.

    With an integer `dtype` fractions are cut off first, as in PyTorch. Raises `ValueError` where the step leads away
    from the end.

    >>> import tensorgrad as tg
    >>> tg.arange(1, 2, 0.25)
    tensor([1.0000, 1.2500, 1.5000, 1.7500])
    """
    if end is None:
        start, end = None, start
    start = 0 if start is None else start
    start, end, step = (x.item() if isinstance(x, Tensor | np.generic) else x for x in (start, end, step))
    if dtype is not None and as_dtype(dtype).kind in "iu":
        start, end, step = int(start), int(end), int(step)
    if step == 0 or (end - start) / step < 0:
        raise ValueError(f"arange: a step of {step} does not lead from {start} to {end}")
    if dtype is None:
        dtype = int64 if builtins.all(isinstance(x, int) for x in (start, end, step)) else get_default_dtype()
    return finish(np.arange(start, end, step).astype(as_dtype(dtype)), requires_grad, device)


@maker
def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` powers of `base`, their exponents evenly spaced from `start` to `end`, both included.

    >>> import tensorgrad as tg
    >>> tg.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    if steps < 0:
        raise ValueError(f"logspace: steps must be 0 or more, not {steps}")
    powers = np.power(float(base), np.linspace(float(start), float(end), steps))
    return finish(powers.astype(_dtype(dtype)), requires_grad, device)


@maker
def linspace(
    start: float, end: float, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` evenly spaced values from `start` to `end`, both included.

    >>> import tensorgrad as tg
    >>> tg.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if steps < 0:
        raise ValueError(f"linspace: steps must be 0 or more, not {steps}")
    return finish(np.linspace(float(start), float(end), steps).astype(_dtype(dtype)), requires_grad, device)
