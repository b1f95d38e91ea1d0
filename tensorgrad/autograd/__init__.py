"""Reverse-mode automatic differentiation: recording, walking back, and the functions built on it."""

from importlib import import_module
from typing import Any

from tensorgrad.autograd.function import Function, once_differentiable
from tensorgrad.autograd.functional import backward, grad, hessian, hvp, jacobian, jvp, vjp
from tensorgrad.autograd.graph import Node
from tensorgrad.autograd.modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)

__all__ = [
    "Function",
    "Node",
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
    "set_grad_enabled",
    "vjp",
]


def __getattr__(name: str) -> Any:
    if name in ("gradcheck", "gradgradcheck"):  # above this room: reached when used
        return getattr(import_module("tensorgrad.testing"), name)
    raise AttributeError(f"module 'tensorgrad.autograd' has no attribute {name!r}")
