"""The activations beyond those that are always loaded."""

from __future__ import annotations

import numpy as np

from catalogue.rows import Row, primitive, real, unary
from tensorgrad.nn import functional as F


def _scaled_elu(a: np.ndarray) -> np.ndarray:
    return 0.5 * np.where(a > 0, a, 1.5 * np.expm1(2.0 * a))


ROWS = [
    unary("hardtanh", lambda a: F.hardtanh(a, -1.0, 0.5), lambda a: np.clip(a, -1.0, 0.5), real(3, 4, kinks=(-1.0, 0.5))),
    Row("elu", primitive("elu", alpha=1.5, scale=0.5, input_scale=2.0), _scaled_elu, (real(3, 4, kinks=(0.0,)),), elementwise=True,
        note="scaled"),
]  # fmt: skip
