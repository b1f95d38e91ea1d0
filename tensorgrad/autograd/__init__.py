"""Reverse-mode automatic differentiation: recording, walking back, and the functions built on it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorgrad.autograd.graph import Node
from tensorgrad.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)

if TYPE_CHECKING:
    from tensorgrad.autograd.anomaly import detect_anomaly, set_detect_anomaly
    from tensorgrad.autograd.function import Function, once_differentiable
    from tensorgrad.autograd.functional import backward, grad, hessian, hvp, jacobian, jvp, vjp
    from tensorgrad.testing import gradcheck, gradgradcheck
    from tensorgrad.types import Variable

# Reached when first used.
_FOUND_IN = {
    "tensorgrad.autograd.anomaly": ("detect_anomaly", "set_detect_anomaly"),
    "tensorgrad.autograd.function": ("Function", "once_differentiable"),
    "tensorgrad.autograd.functional": ("backward", "grad", "hessian", "hvp", "jacobian", "jvp", "vjp"),
    "tensorgrad.testing": ("gradcheck", "gradgradcheck"),
    "tensorgrad.types": ("Variable",),
}
_LATE = {name: room for room, names in _FOUND_IN.items() for name in names}

__all__ = [
    "Function",
    "Node",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "hvp",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "jacobian",
    "jvp",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
    "vjp",
]


def __getattr__(name: str) -> Any:
    if name == "functional":  # PyTorch's name for the room of the derivatives of functions
        return import_module("tensorgrad.autograd.functional")
    if name in _LATE:
        found = globals()[name] = getattr(import_module(_LATE[name]), name)
        return found
    raise AttributeError(f"module 'tensorgrad.autograd' has no attribute {name!r}")
