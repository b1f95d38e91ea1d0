"""The primitives of transformers: attention, GELU, embeddings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from catalogue.rows import Row, integers, primitive, real, unary

ROOT = math.sqrt(2 / math.pi)


def _attention(q: np.ndarray, k: np.ndarray, mask: Any) -> np.ndarray:
    e = np.exp(0.5 * q @ k.swapaxes(-1, -2)) * np.exp(mask)
    return e / e.sum(-1, keepdims=True)


def _gelu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))
    return x * share, share + x * np.exp(-x * x / 2) * ROOT / 2


def _gelu_tanh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t = np.tanh(ROOT * (x + 0.044715 * x**3))
    return 0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 0.134145 * x * x)


def _spread(index: np.ndarray, bags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sizes = [int((bags == bag).sum()) for bag in range(3)]
    inside = np.array([[i < size for i in range(max(sizes))] for size in sizes], bool)
    y = np.zeros(inside.shape, index.dtype)
    y[inside] = index
    return y, inside


QUERY, KEY = real(2, 3, 4), real(2, 5, 4)

ROWS = [
    Row("attention_weights", primitive("attention_weights", scale=0.5, causal=False, blank=0.0), _attention,
        (QUERY, KEY, real(3, 5)), empty=((0, 3, 4), (0, 5, 4), (3, 5))),
    Row("attention_weights", primitive("attention_weights", scale=0.5, causal=True, blank=0.0),
        lambda q, k: _attention(q, k, np.where(np.tri(3, 5), 0, -np.inf)), (QUERY, KEY), note="causal"),
    unary("gelu", primitive("gelu", approximate="none"), _gelu),
    Row("gelu", primitive("gelu", approximate="tanh"), _gelu_tanh, (real(3, 4),), elementwise=True, note="tanh"),
    Row("embedding", primitive("embedding", padding_idx=None, by_frequency=False), lambda w, i: w[i],
        (real(4, 3), integers(0, 4, 2, 3)), empty=((4, 3), (0, 3))),
    Row("embedding_shares", primitive("embedding_shares", padding_idx=1, by_frequency=True, dtype=np.dtype(np.float64)),
        lambda i: np.where(i == 1, 0, 1 / np.array([(i == j).sum() for j in i.flat]).reshape(i.shape)),
        (integers(0, 4, 2, 3),)),
    Row("bag_of", primitive("bag_of", count=9), lambda o: np.searchsorted(o, np.arange(9), side="right") - 1,
        (integers(0, 9, 5),)),
    Row("bag_spread", primitive("bag_spread", count=3), _spread, (integers(0, 9, 5), integers(0, 3, 5))),
]  # fmt: skip
