"""What scripts set at their top: how tensors are printed, the default device, and what has nothing to act on.

On a CPU every operation is deterministic and computes in the precision of its dtype; the switches that choose between
that and speed elsewhere are taken, remembered, and change nothing. Operations run as they are called: nothing is
compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad import printing
from tensorgrad.backends.device import CPU, device, require_cpu

_PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": float("inf"), "edgeitems": 3, "linewidth": 80},
}
_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")
_switches: dict[str, Any] = {"deterministic": False, "matmul_precision": "highest"}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed: digits, elements before a summary, those shown at its edges, characters of a line.

    `profile` is "default", "short" or "full"; what is given besides goes before it. `sci_mode` True or False decides
    for or against the scientific notation, None leaves it to the values. Raises `ValueError` for another profile.

    >>> import tensorgrad as tg
    >>> tg.set_printoptions(precision=2)
    >>> tg.tensor([3.14159])
    tensor([3.14])
    >>> tg.set_printoptions(profile="default")
    """
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"set_printoptions: profile must be one of {', '.join(_PROFILES)}, not {profile!r}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen = {**_PROFILES.get(profile or "", {}), **{key: value for key, value in given.items() if value is not None}}
    for key, value in chosen.items():
        setattr(printing.OPTIONS, key, value)
    if sci_mode is not None or profile is not None:
        printing.OPTIONS.sci_mode = sci_mode


def set_default_device(device: Any) -> None:
    """Set where new tensors are made: "cpu", the only device. Raises `DeviceError` for another.

    >>> import tensorgrad as tg
    >>> tg.set_default_device("cpu")
    """
    require_cpu("set_default_device", device)


def get_default_device() -> device:
    """Where new tensors are made.

    >>> import tensorgrad as tg
    >>> tg.get_default_device()
    device(type='cpu')
    """
    return CPU


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for deterministic algorithms: all are.

    >>> import tensorgrad as tg
    >>> tg.use_deterministic_algorithms(True)
    >>> tg.are_deterministic_algorithms_enabled()
    True
    >>> tg.use_deterministic_algorithms(False)
    """
    _switches["deterministic"] = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last given.

    >>> import tensorgrad as tg
    >>> tg.are_deterministic_algorithms_enabled()
    False
    """
    return bool(_switches["deterministic"])


def set_float32_matmul_precision(precision: str) -> None:
    """Allow products of float32 to be less precise, with "high" or "medium": they are not, and change nothing.

    Raises `ValueError` for another word.

    >>> import tensorgrad as tg
    >>> tg.set_float32_matmul_precision("high")
    >>> tg.get_float32_matmul_precision()
    'high'
    >>> tg.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"set_float32_matmul_precision: it takes 'highest', 'high' or 'medium', not {precision!r}")
    _switches["matmul_precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last given.

    >>> import tensorgrad as tg
    >>> tg.get_float32_matmul_precision()
    'highest'
    """
    return str(_switches["matmul_precision"])


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
    isolate_recompiles: bool = False,
    shapes_spec: Any = None,
) -> Any:
    """The module or function itself, unchanged: operations run as they are called, and nothing is compiled.

    Without one it is a decorator. PyTorch's keywords are taken, and change nothing. Raises `TypeError` for what cannot
    be called, `ValueError` for another mode than PyTorch's, or `mode` and `options`, which exclude one another.

    >>> import tensorgrad as tg
    >>> model = tg.nn.Linear(2, 1)
    >>> tg.compile(model, mode="reduce-overhead") is model
    True
    """
    if mode is not None and options is not None:
        raise ValueError("compile: mode and options exclude one another")
    if mode not in (None, *_MODES):
        raise ValueError(f"compile: mode must be one of {', '.join(_MODES)}, not {mode!r}")
    if model is None:
        return lambda function: compile(function, mode=mode, options=options)
    if not callable(model):
        raise TypeError(f"compile: it takes a module or a function, not {type(model).__name__}")
    return model
