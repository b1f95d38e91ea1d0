"""Muon."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.errors import ShapeError
from tensorgrad.optim.optimizer import options
from tensorgrad.optim.run import Array
from tensorgrad.optim.single import Single


class Muon(Single):
    """Momentum whose direction is made orthogonal, for the matrices of hidden layers (Jordan et al. 2024).

    The moving average of the gradient, of share `1 - momentum` and looking ahead with `nesterov`, is brought near to
    the orthogonal matrix closest to it by `ns_steps` steps of Newton and Schulz's iteration with `ns_coefficients`,
    in the precision of bfloat16 as in PyTorch. The rate is `lr` times `sqrt(max(1, rows / columns))`, or
    `0.2 * sqrt(max(rows, columns))` with `adjust_lr_fn="match_rms_adamw"` (Liu et al. 2025). `weight_decay` shrinks `p`
    as `AdamW` does. Vectors, embeddings and output layers want another optimizer. Raises `ShapeError` for parameters of
    other than two dimensions, `ValueError` for options out of range.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([[3.0, 0.0], [0.0, 4.0]], requires_grad=True)
    >>> optimizer = tg.optim.Muon([x], lr=0.5, weight_decay=0)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([[2.6523, 0.0000],
            [0.0000, 3.4531]], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError`, `TypeError` or `ShapeError` for options and parameters that cannot be used."""
        super().check(group)
        if not isinstance(group["ns_coefficients"], tuple | list) or len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Muon: ns_coefficients must be three numbers, not {group['ns_coefficients']!r}")
        if not 0 <= group["ns_steps"] < 100:
            raise ValueError(f"Muon: ns_steps must be from 0 to 99, not {group['ns_steps']}")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn must be None, 'original' or 'match_rms_adamw', not {group['adjust_lr_fn']!r}"
            )
        for p in group["params"]:
            if getattr(p, "ndim", 2) != 2:
                raise ShapeError(
                    f"Muon: it takes matrices only, and a parameter has shape {tuple(p.shape)}; give the others to "
                    f"another optimizer, such as AdamW"
                )

    def revise(self, group: dict[str, Any], p: Array, g: Array, state: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, share = group["lr"], 1 - group["momentum"]
        average = self._array(state, "momentum_buffer", p)
        average += share * (g - average)
        direction = average + share * (g - average) if group["nesterov"] else average
        direction = _near_orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        p *= 1 - lr * group["weight_decay"]
        if group["adjust_lr_fn"] == "match_rms_adamw":
            lr *= 0.2 * math.sqrt(max(rows, columns))
        else:
            lr *= math.sqrt(max(1, rows / columns))
        p -= lr * direction.astype(p.dtype)


def _near_orthogonal(x: Array, coefficients: tuple[float, float, float], steps: int, eps: float) -> Array:
    """A matrix with the singular vectors of `x` and singular values near 1, in float32."""
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = _rounded(x.T if tall else x)
    size = _rounded(np.sqrt(np.vdot(x, x)).reshape(1))
    x = _rounded(x / np.maximum(size, eps))
    for _ in range(steps):
        gram = _rounded(x @ x.T)
        x = _rounded(a * x + _rounded(b * gram + c * (gram @ gram)) @ x)
    return x.T if tall else x


def _rounded(x: Array) -> Array:
    """The nearest numbers of bfloat16, which NumPy lacks: the upper half of a float32, to even in the middle."""
    bits = np.array(x, np.float32, order="C").view(np.uint32)
    bits += 0x7FFF + ((bits >> 16) & 1)
    bits &= 0xFFFF0000
    return bits.view(np.float32)
