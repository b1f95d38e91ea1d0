"""Rows of a matrix looked up by index."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import Slot
from tensorgrad.backends.cpu import embedding as cpu
from tensorgrad.ops.index import unindex_op
from tensorgrad.ops.shape import unsqueeze


def _embedding_vjp(g: Any, y: Any, a: Any, index: Any, padding_idx: int | None, by_frequency: bool) -> Any:
    if padding_idx is not None or by_frequency:
        g = g * unsqueeze(shares_op(index, padding_idx=padding_idx, by_frequency=by_frequency, dtype=a.dtype), -1)
    return unindex_op(g, index, template=(Slot(0),), shape=tuple(a.shape))


# `a[index]`, whose gradient, as PyTorch defines it, leaves out the row `padding_idx`, or is divided by how often an
# index occurs: that is no composition, for it is not the derivative of what is computed.
embedding_op = primitive("embedding", cpu.embedding, _embedding_vjp, None, keep="b")
shares_op = primitive("embedding_shares", cpu.shares)
bag_of_op = primitive("bag_of", cpu.bag_of)
spread_op = primitive("bag_spread", cpu.spread)
