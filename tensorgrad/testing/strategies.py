"""Hypothesis strategies that draw tensors: for property-based tests of operations and layers.

They need Hypothesis (`pip install hypothesis`), which is imported with this module.
"""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as arrays_of
except ImportError as error:
    raise ImportError("tensorgrad.testing.strategies needs Hypothesis: pip install hypothesis") from error

from tensorgrad.autograd.graph import LEAF, wrap
from tensorgrad.backends.dtypes import as_dtype, float64

__all__ = ["broadcastable", "tensors"]


def tensors(
    shape: Any = None,
    *,
    dtype: Any = float64,
    low: float = -2.0,
    high: float = 2.0,
    away_from: tuple[float, ...] = (),
    margin: float = 0.01,
    requires_grad: bool = True,
) -> st.SearchStrategy[Any]:
    """Tensors with elements in [`low`, `high`], at least `margin` away from each point of `away_from`.

    `shape` is a tuple, a strategy of tuples, or None for up to 3 dimensions of up to 4 elements, empty ones among them.
    The points to keep away from are the kinks and poles of what is tested: there finite differences say nothing.

    >>> from hypothesis import given
    >>> import tensorgrad as tg
    >>> from tensorgrad.testing import gradcheck, strategies
    >>> @given(strategies.tensors(away_from=(0.0,)))
    ... def relu_has_the_right_gradient(x):
    ...     assert gradcheck(tg.relu, x)
    >>> relu_has_the_right_gradient()
    """
    if shape is None:
        shape = arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    dtype = as_dtype(dtype)
    if dtype.kind == "f":
        width: Any = 8 * dtype.itemsize
        elements: Any = st.floats(low, high, width=width, allow_subnormal=False).filter(
            lambda x: all(abs(x - point) >= margin for point in away_from)
        )
    else:
        elements = None
    node = LEAF if requires_grad and dtype.kind == "f" else None
    return arrays_of.arrays(dtype, shape, elements=elements).map(lambda array: wrap(np.asarray(array), node))


@st.composite
def broadcastable(draw: Any, /, count: int = 2, **settings: Any) -> tuple[Any, ...]:
    """`count` tensors whose shapes broadcast together, of up to 3 dimensions; for the settings see `tensors`.

    >>> from hypothesis import given
    >>> from tensorgrad.testing import strategies
    >>> @given(strategies.broadcastable())
    ... def addition_commutes(pair):
    ...     a, b = pair
    ...     assert ((a + b) == (b + a)).all()
    >>> addition_commutes()
    """
    drawn = arrays_of.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3)
    return tuple(draw(tensors(shape, **settings)) for shape in draw(drawn).input_shapes)
