"""Pooling: the primitives. `nn.functional` has the functions.

They take the last dimensions, one for each of the `windows`. The largest elements of windows come with their places in
them, a byte each: all that the gradient reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import pooling as cpu

Window = cpu.Window

max_pool_op = primitive(
    "max_pool",
    cpu.max_pool,
    joint=lambda g, wants, y, a, windows, places: (put_places_op(g[0], y[1], windows=windows),),
    keep="y1",
)
place_index_op = primitive("place_index", cpu.place_index)

take_places_op: Callable[..., Any] = primitive(
    "take_places",
    cpu.take_places,
    lambda g, y, a, b, windows: put_places_op(g, b, windows=windows),
    None,
    keep="b",
)
put_places_op: Callable[..., Any] = primitive(
    "put_places",
    cpu.put_places,
    lambda g, y, a, b, windows: take_places_op(g, b, windows=windows),
    None,
    keep="b",
)

window_sum_op: Callable[..., Any] = primitive(
    "window_sum", cpu.window_sum, lambda g, y, a, windows: window_spread_op(g, windows=windows)
)
window_spread_op: Callable[..., Any] = primitive(
    "window_spread", cpu.window_spread, lambda g, y, a, windows: window_sum_op(g, windows=windows)
)
