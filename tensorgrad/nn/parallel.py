"""`nn.parallel` where there is one device and one process."""

from __future__ import annotations

from typing import Any, NoReturn

from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor


class DataParallel(Module):
    """Calls its `module`, as PyTorch's does on a machine without devices to spread a batch over.

    The module's names in `state_dict()` begin with "module."; `device_ids`, `output_device` and `dim` change nothing.

    >>> import tensorgrad as tg
    >>> model = tg.nn.DataParallel(tg.nn.Linear(3, 2))
    >>> model(tg.ones(4, 3)).shape, list(model.state_dict())
    ((4, 2), ['module.weight', 'module.bias'])
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.dim = dim
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Tensor, **kwargs: Any) -> Any:
        """What the module makes of the inputs."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """A module trained by several processes. Raises `RuntimeError`: there is one.

    >>> import tensorgrad as tg
    >>> tg.nn.parallel.DistributedDataParallel(tg.nn.Linear(3, 2))
    Traceback (most recent call last):
        ...
    RuntimeError: DistributedDataParallel: tensorgrad trains in one process; use the module itself
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("DistributedDataParallel: tensorgrad trains in one process; use the module itself")
