"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.graph import LEAF, TensorBase
from tensorgrad.errors import DtypeError
from tensorgrad.tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that a `Module` registers, by the attribute that it is assigned to, as something to learn.

    It shares the memory of `data`. Raises `DtypeError` for data that are not a floating tensor.

    >>> import tensorgrad as tg
    >>> tg.nn.Parameter(tg.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        """Wrap the memory of a tensor."""
        if data is None:
            data = Tensor()
        if not isinstance(data, TensorBase):
            raise DtypeError(f"Parameter: data must be a Tensor, not {type(data).__name__}; use tensor(...)")
        if requires_grad and data._data.dtype.kind != "f":
            raise DtypeError(
                f"Parameter: only floating tensors have gradients, and this is {data._data.dtype.name}; convert it "
                f"with .float(), or pass requires_grad=False"
            )
        made = object.__new__(cls)
        made._data = data._data
        made._node = LEAF if requires_grad else None
        made._grad = made._hooks = None
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A parameter of its own with the same values; without the gradient, as in PyTorch."""
        made = super().__deepcopy__(memo)
        made._grad = None
        return made

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
