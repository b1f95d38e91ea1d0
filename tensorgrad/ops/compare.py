"""Comparisons, logic and tests, elementwise: they give bools (the bitwise ones also integers) and have no gradient."""

from __future__ import annotations

from tensorgrad.autograd.op import binary, unary
from tensorgrad.backends import cpu

eq = binary(
    "eq",
    cpu.equal,
    doc="""Whether elements are equal, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.eq(tg.tensor([1, 2]), 2)
    tensor([False,  True])
    """,
)
ne = binary(
    "ne",
    cpu.not_equal,
    doc="""Whether elements differ, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.ne(tg.tensor([1, 2]), 2)
    tensor([ True, False])
    """,
)
lt = binary(
    "lt",
    cpu.less,
    doc="""`input < other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.lt(tg.tensor([1, 2]), 2)
    tensor([ True, False])
    """,
)
le = binary(
    "le",
    cpu.less_equal,
    doc="""`input <= other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.le(tg.tensor([1, 2]), 2)
    tensor([True, True])
    """,
)
gt = binary(
    "gt",
    cpu.greater,
    doc="""`input > other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.gt(tg.tensor([1, 2]), 1)
    tensor([False,  True])
    """,
)
ge = binary(
    "ge",
    cpu.greater_equal,
    doc="""`input >= other`, elementwise, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.ge(tg.tensor([1, 2]), 1)
    tensor([True, True])
    """,
)
logical_and = binary(
    "logical_and",
    cpu.logical_and,
    doc="""Whether both elements are nonzero, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.logical_and(tg.tensor([True, True]), tg.tensor([True, False]))
    tensor([ True, False])
    """,
)
logical_or = binary(
    "logical_or",
    cpu.logical_or,
    doc="""Whether either element is nonzero, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.logical_or(tg.tensor([True, False]), tg.tensor([False, False]))
    tensor([ True, False])
    """,
)
logical_xor = binary(
    "logical_xor",
    cpu.logical_xor,
    doc="""Whether just one of the two elements is nonzero, as bool, broadcasting.

    >>> import tensorgrad as tg
    >>> tg.logical_xor(tg.tensor([True, True]), tg.tensor([True, False]))
    tensor([False,  True])
    """,
)
logical_not = unary(
    "logical_not",
    cpu.logical_not,
    inputs="any",
    doc="""Whether each element is zero, as bool.

    >>> import tensorgrad as tg
    >>> tg.logical_not(tg.tensor([True, False]))
    tensor([False,  True])
    """,
)
bitwise_and = binary(
    "bitwise_and",
    cpu.bitwise_and,
    doc="""`input & other` of integers or bools, elementwise, broadcasting. Raises `DtypeError` for others.

    >>> import tensorgrad as tg
    >>> tg.bitwise_and(tg.tensor([6, 5]), 3)
    tensor([2, 1])
    """,
)
bitwise_or = binary(
    "bitwise_or",
    cpu.bitwise_or,
    doc="""`input | other` of integers or bools, elementwise, broadcasting. Raises `DtypeError` for others.

    >>> import tensorgrad as tg
    >>> tg.bitwise_or(tg.tensor([6, 5]), 1)
    tensor([7, 5])
    """,
)
bitwise_xor = binary(
    "bitwise_xor",
    cpu.bitwise_xor,
    doc="""`input ^ other` of integers or bools, elementwise, broadcasting. Raises `DtypeError` for others.

    >>> import tensorgrad as tg
    >>> tg.bitwise_xor(tg.tensor([6, 5]), 1)
    tensor([7, 4])
    """,
)
bitwise_not = unary(
    "bitwise_not",
    cpu.invert,
    inputs="any",
    doc="""`~input` of integers or bools, elementwise. Raises `DtypeError` for others.

    >>> import tensorgrad as tg
    >>> tg.bitwise_not(tg.tensor([True, False]))
    tensor([False,  True])
    """,
)
isnan = unary(
    "isnan",
    cpu.isnan,
    inputs="any",
    doc="""Whether each element is NaN, as bool.

    >>> import tensorgrad as tg
    >>> tg.isnan(tg.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """,
)
isinf = unary(
    "isinf",
    cpu.isinf,
    inputs="any",
    doc="""Whether each element is infinite, as bool.

    >>> import tensorgrad as tg
    >>> tg.isinf(tg.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """,
)
isfinite = unary(
    "isfinite",
    cpu.isfinite,
    inputs="any",
    doc="""Whether each element is neither NaN nor infinite, as bool.

    >>> import tensorgrad as tg
    >>> tg.isfinite(tg.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """,
)
