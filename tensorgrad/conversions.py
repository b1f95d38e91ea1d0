"""What type a tensor has and where it lives: conversions to other dtypes and devices."""

from __future__ import annotations

from typing import Any

from tensorgrad import ops
from tensorgrad.autograd.graph import TensorBase
from tensorgrad.backends.device import CPU, require_cpu
from tensorgrad.backends.device import TYPES as DEVICE_TYPES
from tensorgrad.backends.device import device as device_type
from tensorgrad.backends.dtypes import as_dtype, bool_, float16, float32, float64, int8, int16, int32, int64, uint8
from tensorgrad.protocols import Protocols


class Conversions(Protocols):
    """The base of `Tensor` with its types and devices."""

    __slots__ = ()

    @property
    def device(self) -> device_type:
        """Where the tensor lives: `device("cpu")`."""
        return CPU

    def to(
        self,
        *args: Any,
        dtype: Any = None,
        copy: Any = False,
        device: Any = None,
        non_blocking: Any = False,
        memory_format: Any = None,
    ) -> Any:
        """This tensor in another dtype (or that of another tensor), or another order in memory, a `memory_format`.

        It is itself where it has them, unless `copy`. A device may be given, and must be "cpu"; `non_blocking` has
        nothing to act on there.
        """
        if memory_format is not None:
            from tensorgrad.formats import laid_out

            self = laid_out("to", self, memory_format)
        for arg in args:
            if isinstance(arg, TensorBase):
                dtype = arg._data.dtype
            elif isinstance(arg, device_type) or (isinstance(arg, str) and arg.split(":")[0] in DEVICE_TYPES):
                device = arg
            elif isinstance(arg, bool):
                continue  # non_blocking
            elif arg is not None:
                dtype = arg
        require_cpu("to", device)
        dtype = self._data.dtype if dtype is None else as_dtype(dtype)
        if dtype is self._data.dtype:
            return ops.clone(self) if copy else self
        return ops.cast(self, dtype)

    def type_as(self: Any, other: Any) -> Any:
        """This tensor in the dtype of another."""
        return self.to(other.dtype)

    def double(self: Any) -> Any:
        """This tensor as float64."""
        return self.to(float64)

    def float(self: Any) -> Any:
        """This tensor as float32."""
        return self.to(float32)

    def half(self: Any) -> Any:
        """This tensor as float16."""
        return self.to(float16)

    def long(self: Any) -> Any:
        """This tensor as int64."""
        return self.to(int64)

    def int(self: Any) -> Any:
        """This tensor as int32."""
        return self.to(int32)

    def short(self: Any) -> Any:
        """This tensor as int16."""
        return self.to(int16)

    def char(self: Any) -> Any:
        """This tensor as int8."""
        return self.to(int8)

    def byte(self: Any) -> Any:
        """This tensor as uint8."""
        return self.to(uint8)

    def bool(self: Any) -> Any:
        """This tensor as bool: whether each element is nonzero."""
        return self.to(bool_)

    def type(self: Any, dtype: Any = None, non_blocking: Any = False) -> Any:
        """The name of this tensor's type, such as "torch.FloatTensor"; or this tensor in a dtype or of such a type."""
        from tensorgrad.types import converted

        return converted(self, dtype)

    def cpu(self: Any) -> Any:
        """This tensor: it is there already."""
        return self

    def cuda(self: Any, device: Any = None, non_blocking: Any = False) -> Any:
        """Raises `DeviceError`: there is no CUDA device."""
        require_cpu("cuda", "cuda" if device in (None, "cpu", CPU) else device)

    def pin_memory(self: Any, device: Any = None) -> Any:
        """This tensor: there is no device to which pinned memory would be copied faster."""
        return self

    def share_memory_(self: Any) -> Any:
        """This tensor: worker processes are sent copies."""
        return self

    def get_device(self: Any) -> Any:
        """The index of the device, -1 on the CPU."""
        return -1

    @property
    def is_cuda(self) -> Any:
        """Whether the tensor is on a CUDA device: no."""
        return False

    def is_complex(self) -> Any:
        """Whether the elements are complex: never."""
        return False

    def is_signed(self: Any) -> Any:
        """Whether the dtype has negative numbers."""
        return self._data.dtype.kind in "if"

    def contiguous(self: Any, memory_format: Any = None) -> Any:
        """This tensor if its elements lie in order in memory (or as a `memory_format` says), otherwise a copy whose do.

        Raises `ShapeError` where the format is for another number of dimensions.
        """
        if memory_format is None:
            return self if self._data.flags.c_contiguous else ops.clone_op(self, order="C")
        from tensorgrad.formats import laid_out

        return laid_out("contiguous", self, memory_format)

    def is_inference(self) -> Any:
        """Whether the tensor cannot have a part in a graph, having been made in `inference_mode`: none is such."""
        return False

    def storage_offset(self: Any) -> Any:
        """How many elements lie before the first one in the memory that this tensor is a view of."""
        data = self._data
        whole = data if data.base is None or not hasattr(data.base, "ctypes") else data.base
        return (data.ctypes.data - whole.ctypes.data) // data.itemsize

    def is_contiguous(self: Any, memory_format: Any = None) -> Any:
        """Whether the elements lie in memory in the order of their indices, or as a `memory_format` says."""
        if memory_format is None:
            return self._data.flags.c_contiguous
        from tensorgrad.formats import lies_in

        return lies_in(self, memory_format)
