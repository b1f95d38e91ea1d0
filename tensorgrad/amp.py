"""`torch.amp` where nothing computes in lower precision on the side: what scripts call changes nothing, and says so.

PyTorch does the same on a machine without CUDA: it warns, and goes on in the tensors' own dtype.
"""

from __future__ import annotations

import warnings
from contextlib import ContextDecorator
from typing import Any


class autocast(ContextDecorator):
    """A block, or a decorated function, that computes in the tensors' own dtypes, as everything does.

    With `enabled` it warns of that; the other arguments are PyTorch's and change nothing.

    >>> import tensorgrad as tg
    >>> with tg.amp.autocast("cpu", enabled=False):
    ...     (tg.ones(2, 2) @ tg.ones(2, 2)).dtype
    dtype('float32')
    """

    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: Any = None) -> None:
        if enabled:
            warnings.warn(
                f"autocast: there is none for {device_type!r} here; the block computes in the tensors' own dtypes",
                stacklevel=2,
            )
        self.device, self.fast_dtype = device_type, dtype

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: Any) -> None:
        pass


class GradScaler:
    """Steps an optimizer with gradients as they are: without autocast no loss needs scaling.

    With `enabled` it warns of that; the other arguments are PyTorch's and change nothing.

    >>> import tensorgrad as tg
    >>> x = tg.ones(1, requires_grad=True)
    >>> optimizer, scaler = tg.optim.SGD([x], lr=0.5), tg.amp.GradScaler(enabled=False)
    >>> scaler.scale(x.sum()).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> x.tolist()
    [0.5]
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled:
            warnings.warn(f"GradScaler: there is no autocast for {device!r} here; losses are not scaled", stacklevel=2)

    def scale(self, outputs: Any) -> Any:
        """The loss, or losses, unchanged."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients by the scale, which is 1."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """What `optimizer.step` returns."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Adapt the scale, which stays 1."""

    def get_scale(self) -> float:
        """The scale: 1."""
        return 1.0

    def is_enabled(self) -> bool:
        """Whether losses are scaled: no."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """The state, which is empty."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state, of which nothing is needed."""
