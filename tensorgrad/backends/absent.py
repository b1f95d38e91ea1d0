"""The switches that scripts set for libraries of other devices: `backends.cudnn.benchmark = True` and its like."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any


class Absent(SimpleNamespace):
    """A library that is not there: its switches can be set and read, and change nothing."""

    enabled = benchmark = deterministic = allow_tf32 = False

    def is_available(self) -> bool:
        """Whether the library is there: no."""
        return False

    def is_built(self) -> bool:
        """Whether the library was built in: no."""
        return False


cudnn: Any = Absent()
mps: Any = Absent()
cuda: Any = Absent(
    matmul=Absent(),
    sdp_kernel=lambda *args, **kwargs: nullcontext(),
    enable_flash_sdp=lambda enabled: None,
    enable_math_sdp=lambda enabled: None,
    enable_mem_efficient_sdp=lambda enabled: None,
)
mkldnn: Any = Absent()
