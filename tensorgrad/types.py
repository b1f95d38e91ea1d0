"""PyTorch's older names for tensors of a dtype, `FloatTensor` and its like, and what is known of a dtype."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tensorgrad.backends.device import require_cpu
from tensorgrad.backends.dtypes import (
    CATEGORY,
    as_dtype,
    bool_,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    result_dtype,
    set_default_dtype,
    uint8,
)
from tensorgrad.creation import empty, tensor
from tensorgrad.errors import DtypeError
from tensorgrad.tensor import Size, Tensor

Number: TypeAlias = int | float | bool


class TensorType:
    """Tensors of one dtype: called, it makes one, of data or (given ints) unset of a shape; `isinstance` knows them.

    >>> import tensorgrad as tg
    >>> tg.LongTensor([1.7, 2.2])
    tensor([1, 2])
    >>> isinstance(tg.zeros(2), tg.FloatTensor), isinstance(tg.zeros(2), tg.LongTensor)
    (True, False)
    """

    def __init__(self, name: str, dtype: Any) -> None:
        self.__name__, self.dtype = name, dtype

    def __call__(self, *data: Any) -> Tensor:  # noqa: D102 (the class says it)
        if len(data) == 1 and not isinstance(data[0], int | Size):
            return tensor(np.asarray(data[0]).astype(self.dtype))
        return empty(*(data or (0,)), dtype=self.dtype)

    def __instancecheck__(self, obj: Any) -> bool:
        return isinstance(obj, Tensor) and obj.dtype == self.dtype

    def __repr__(self) -> str:
        return f"<class 'tensorgrad.{self.__name__}'>"


HalfTensor = TensorType("HalfTensor", float16)
FloatTensor = TensorType("FloatTensor", float32)
DoubleTensor = TensorType("DoubleTensor", float64)
CharTensor = TensorType("CharTensor", int8)
ShortTensor = TensorType("ShortTensor", int16)
IntTensor = TensorType("IntTensor", int32)
LongTensor = TensorType("LongTensor", int64)
ByteTensor = TensorType("ByteTensor", uint8)
BoolTensor = TensorType("BoolTensor", bool_)
ALL = (HalfTensor, FloatTensor, DoubleTensor, CharTensor, ShortTensor, IntTensor, LongTensor, ByteTensor, BoolTensor)
BY_NAME = {kind.__name__: kind.dtype for kind in ALL}
BY_DTYPE = {kind.dtype: kind.__name__ for kind in ALL}


class AbsentDtype:
    """The name of a dtype that tensors cannot have: scripts that compare with it go on, those that use it are told.

    >>> import tensorgrad as tg
    >>> tg.ones(2).dtype == tg.bfloat16
    False
    >>> tg.ones(2, dtype=tg.bfloat16)
    Traceback (most recent call last):
        ...
    tensorgrad.errors.DtypeError: tensors cannot have dtype bfloat16; they can have float16, float32, ...
    """

    def __init__(self, name: str, is_floating_point: bool) -> None:
        self.name, self.is_floating_point, self.is_complex = name, is_floating_point, not is_floating_point

    def __repr__(self) -> str:
        return self.name


bfloat16 = AbsentDtype("bfloat16", is_floating_point=True)
complex64, complex128 = (AbsentDtype(name, is_floating_point=False) for name in ("complex64", "complex128"))


def set_default_tensor_type(t: Any) -> None:
    """Set the dtype of tensors made from Python floats by a type or its name: the older word for `set_default_dtype`.

    Raises `DtypeError` for a type that is not floating, `DeviceError` for one on a CUDA device.

    >>> import tensorgrad as tg
    >>> tg.set_default_tensor_type("torch.DoubleTensor")
    >>> tg.tensor(1.5).dtype
    dtype('float64')
    >>> tg.set_default_tensor_type(tg.FloatTensor)
    """
    if isinstance(t, str):
        room, _, name = t.rpartition(".")
        require_cpu("set_default_tensor_type", "cuda" if room.endswith("cuda") else None)
        t = next((kind for kind in ALL if kind.__name__ == name), t)
    if not isinstance(t, TensorType):
        raise DtypeError(f"set_default_tensor_type: {t!r} is no type of tensors, such as torch.DoubleTensor")
    set_default_dtype(t.dtype)


def converted(x: Tensor, kind: Any) -> Any:
    """`Tensor.type`: the name of a tensor's type, or the tensor in another one."""
    if kind is None:
        return f"torch.{BY_DTYPE[x.dtype]}"
    if isinstance(kind, str) and kind.rpartition(".")[2] in BY_NAME:
        kind = BY_NAME[kind.rpartition(".")[2]]
    return x.to(kind.dtype if isinstance(kind, TensorType) else as_dtype(kind))


def Variable(data: Any, requires_grad: bool = False) -> Any:  # a class in the PyTorch of old
    """The tensor itself: what older scripts wrap tensors in, for gradients. `requires_grad` asks for one.

    >>> import tensorgrad as tg
    >>> tg.autograd.Variable(tg.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """
    return data.detach().requires_grad_() if requires_grad else data


class _Limits:
    """Python numbers that say what a dtype holds."""

    dtype: str
    bits: int

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value}' for key, value in vars(self).items())})"


class finfo(_Limits):
    """The limits of a floating dtype, by default the default one, as Python floats.

    `eps` is the step after 1, `tiny` or `smallest_normal` the least positive number of full precision, `resolution`
    that of decimal digits; further `min`, `max`, `bits` and the name `dtype`. Raises `DtypeError` for other dtypes.

    >>> import tensorgrad as tg
    >>> tg.finfo(tg.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any = None) -> None:
        dtype = get_default_dtype() if type is None else as_dtype(type)
        if dtype.kind != "f":
            raise DtypeError(f"finfo: {dtype.name} is not a floating dtype; use iinfo")
        held = np.finfo(dtype)
        self.resolution = float(f"1e-{held.precision}")
        self.min, self.max, self.eps = float(held.min), float(held.max), float(held.eps)
        self.smallest_normal = self.tiny = float(held.tiny)
        self.bits, self.dtype = held.bits, dtype.name


class iinfo(_Limits):
    """The limits of an integer dtype: `min`, `max`, `bits` and the name `dtype`. Raises `DtypeError` for other dtypes.

    >>> import tensorgrad as tg
    >>> tg.iinfo(tg.uint8)
    iinfo(min=0, max=255, bits=8, dtype=uint8)
    """

    def __init__(self, type: Any) -> None:
        dtype = as_dtype(type)
        if dtype.kind not in "iu":
            raise DtypeError(f"iinfo: {dtype.name} is not an integer dtype; use finfo")
        held = np.iinfo(dtype)
        self.min, self.max = int(held.min), int(held.max)
        self.bits, self.dtype = held.bits, dtype.name


def is_floating_point(input: Tensor) -> bool:
    """Whether a tensor's dtype is a floating one.

    >>> import tensorgrad as tg
    >>> tg.is_floating_point(tg.ones(1))
    True
    """
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether a tensor is complex: no tensor is.

    >>> import tensorgrad as tg
    >>> tg.is_complex(tg.ones(1))
    False
    """
    return input.is_complex()


def numel(input: Tensor) -> int:
    """The number of elements of a tensor.

    >>> import tensorgrad as tg
    >>> tg.numel(tg.zeros(2, 3))
    6
    """
    return input.numel()


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype that an operation on two tensors or numbers gives.

    >>> import tensorgrad as tg
    >>> tg.result_type(tg.tensor([1, 2]), 1.0)
    dtype('float32')
    """
    return result_dtype([x._data if isinstance(x, Tensor) else x for x in (tensor1, tensor2)])


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a dtype may be converted to another without leaving its category (bool, integer, floating) downward.

    >>> import tensorgrad as tg
    >>> tg.can_cast(tg.float64, tg.float32), tg.can_cast(tg.float32, tg.int64)
    (True, False)
    """
    given, wanted = as_dtype(from_), as_dtype(to)
    return CATEGORY[given.kind] <= CATEGORY[wanted.kind] and not (given.kind == "i" and wanted.kind == "u")
