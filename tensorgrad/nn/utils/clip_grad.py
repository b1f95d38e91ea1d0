"""Limits on the gradients of a model before an optimizer's step."""

from __future__ import annotations

from typing import Any

from tensorgrad import ops
from tensorgrad.autograd import no_grad
from tensorgrad.autograd.graph import TensorBase
from tensorgrad.creation import tensor


def _several(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, TensorBase) else list(tensors)


def _gradients(parameters: Any) -> list[Any]:
    return [p.grad for p in _several(parameters) if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Any:
    """The norm of all elements of several tensors together, as a tensor of no dimensions; `norm_type` may be inf.

    With `error_if_nonfinite` a norm that is NaN or infinite raises `RuntimeError`. `foreach` changes nothing.

    >>> import tensorgrad as tg
    >>> tg.nn.utils.get_total_norm([tg.tensor([3.0]), tg.tensor([4.0])])
    tensor(5.)
    """
    return _total_norm("get_total_norm", tensors, norm_type, error_if_nonfinite)


def _total_norm(name: str, tensors: Any, norm_type: float, error_if_nonfinite: bool) -> Any:
    norms = [ops.norm(x, float(norm_type)) for x in _several(tensors)]
    if not norms:
        return tensor(0.0)
    total = ops.norm(ops.stack(norms), float(norm_type))
    if error_if_nonfinite and not total.isfinite().item():
        raise RuntimeError(
            f"{name}: the norm of order {norm_type} of the gradients is {total.item()}, and cannot be clipped; "
            f"error_if_nonfinite=False lets it be"
        )
    return total


@no_grad()
def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Any, foreach: bool | None = None) -> None:
    """Scale the gradients of parameters by `max_norm / total_norm`, where that is below 1.

    >>> import tensorgrad as tg
    >>> x = tg.zeros(1, requires_grad=True)
    >>> x.grad = tg.tensor([4.0])
    >>> tg.nn.utils.clip_grads_with_norm_(x, 1.0, tg.tensor(4.0))
    >>> x.grad
    tensor([1.0000])
    """
    scale = float(max_norm / (total_norm + 1e-6))
    if not scale >= 1:  # a NaN must reach the gradients
        for g in _gradients(parameters):
            g.mul_(scale)


@no_grad()
def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """Scale the gradients of parameters so that their norm together is at most `max_norm`; return what it was.

    `parameters` is a tensor or an iterable of tensors, of which those without a gradient are passed over. With
    `error_if_nonfinite` a norm that is NaN or infinite raises `RuntimeError`. `foreach` changes nothing.

    >>> import tensorgrad as tg
    >>> x = tg.zeros(2, requires_grad=True)
    >>> x.grad = tg.tensor([3.0, 4.0])
    >>> tg.nn.utils.clip_grad_norm_([x], max_norm=1.0)
    tensor(5.)
    >>> x.grad
    tensor([0.6000, 0.8000])
    """
    parameters = _several(parameters)
    total = _total_norm("clip_grad_norm_", _gradients(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Put every element of the gradients of parameters within +-`clip_value`.

    >>> import tensorgrad as tg
    >>> x = tg.zeros(2, requires_grad=True)
    >>> x.grad = tg.tensor([3.0, -4.0])
    >>> tg.nn.utils.clip_grad_value_([x], 1.0)
    >>> x.grad
    tensor([ 1., -1.])
    """
    for g in _gradients(parameters):
        g.clamp_(-float(clip_value), float(clip_value))
