"""`torch.cuda` where there is none: scripts that ask are told, and what they call beforehand does nothing."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from tensorgrad.amp import GradScaler, autocast
from tensorgrad.errors import DeviceError

amp = SimpleNamespace(autocast=partial(autocast, "cuda"), GradScaler=partial(GradScaler, "cuda"))


def is_available() -> bool:
    """Whether tensors can live on a CUDA device: no.

    >>> import tensorgrad as tg
    >>> tg.cuda.is_available()
    False
    """
    return False


def device_count() -> int:
    """The number of CUDA devices.

    >>> import tensorgrad as tg
    >>> tg.cuda.device_count()
    0
    """
    return 0


def is_initialized() -> bool:
    """Whether CUDA is in use.

    >>> import tensorgrad as tg
    >>> tg.cuda.is_initialized()
    False
    """
    return False


def manual_seed(seed: int) -> None:
    """Seed the current CUDA device: there is none, and nothing is done.

    >>> import tensorgrad as tg
    >>> tg.cuda.manual_seed(0)
    """


def manual_seed_all(seed: int) -> None:
    """Seed all CUDA devices: there are none, and nothing is done.

    >>> import tensorgrad as tg
    >>> tg.cuda.manual_seed_all(0)
    """


def empty_cache() -> None:
    """Release memory of CUDA devices that is not in use: there is none.

    >>> import tensorgrad as tg
    >>> tg.cuda.empty_cache()
    """


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the CUDA device computes in bfloat16: there is no device.

    >>> import tensorgrad as tg
    >>> tg.cuda.is_bf16_supported()
    False
    """
    return False


def current_device() -> int:
    """The index of the current CUDA device. Raises `DeviceError`: there is none.

    >>> import tensorgrad as tg
    >>> tg.cuda.current_device()
    Traceback (most recent call last):
        ...
    tensorgrad.errors.DeviceError: cuda.current_device: there is no CUDA device; ask cuda.is_available() first
    """
    raise DeviceError("cuda.current_device: there is no CUDA device; ask cuda.is_available() first")


def get_device_name(device: Any = None) -> str:
    """The name of a CUDA device. Raises `DeviceError`: there is none.

    >>> import tensorgrad as tg
    >>> tg.cuda.get_device_name(0)
    Traceback (most recent call last):
        ...
    tensorgrad.errors.DeviceError: cuda.get_device_name: there is no CUDA device; ask cuda.is_available() first
    """
    raise DeviceError("cuda.get_device_name: there is no CUDA device; ask cuda.is_available() first")


def synchronize(device: Any = None) -> None:
    """Wait for a CUDA device. Raises `DeviceError`: there is none.

    >>> import tensorgrad as tg
    >>> tg.cuda.synchronize()
    Traceback (most recent call last):
        ...
    tensorgrad.errors.DeviceError: cuda.synchronize: there is no CUDA device; ask cuda.is_available() first
    """
    raise DeviceError("cuda.synchronize: there is no CUDA device; ask cuda.is_available() first")
