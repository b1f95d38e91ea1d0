"""Writing by index: `scatter` and its kin, `index_add` and its kin, masks.

Each in-place method runs the same op on the same inputs as its function: a plan says which.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.inplace import apply_
from tensorgrad.autograd.op import REGISTRY, apply, primitive
from tensorgrad.backends import cpu
from tensorgrad.backends.cpu import Slot, gathering, scattering
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.choose import cast, where
from tensorgrad.ops.gathering import check_index, check_vector, gather_op
from tensorgrad.ops.index import (
    ALL_INDEX_ARRAYS,
    fitting,
    index_op,
    parse,
    slice_op,
)
from tensorgrad.ops.layout import broadcast_shapes
from tensorgrad.ops.shape import broadcast_op, ravel, reshape

Plan = tuple[str, tuple[Any, ...], dict[str, Any]]  # the op, its inputs and its attributes

# The primitives


scattered_last_op = primitive("scattered_last", scattering.scattered_last)
scatter_op: Callable[..., Any] = primitive(
    "scatter",
    scattering.scatter,
    lambda g, y, a, index, src, dim: scatter_op(g, index, 0.0, dim=dim),
    None,
    lambda g, y, a, index, src, dim: where(  # an element written twice has its last value
        scattered_last_op(index, dim=dim, shape=tuple(g.shape)), gather_op(g, index, dim=dim), 0.0
    ),
    keep="b",
)
scatter_count_op = primitive("scatter_count", scattering.scatter_count)

scatter_add_op: Callable[..., Any] = primitive(
    "scatter_add",
    gathering.scatter_add,
    lambda g, y, a, index, src, dim: g,
    None,
    lambda g, y, a, index, src, dim: gather_op(g, index, dim=dim),
    keep=("", "", "b"),
)


def _extreme_vjp(g: Any, y: Any, a: Any, index: Any, src: Any, dim: int) -> tuple[Any, Any]:
    """Those that equal the largest (or smallest) share its gradient."""
    at, to = a == y, src == gather_op(y, index, dim=dim)
    count = scatter_add_op(cast(at, g.dtype), index, cast(to, g.dtype), dim=dim)
    share = g / count
    return where(at, share, 0.0), where(to, gather_op(share, index, dim=dim), 0.0)


def _product_vjp(g: Any, y: Any, a: Any, index: Any, src: Any, dim: int) -> tuple[Any, Any]:
    """The product of the others: of a factor that is zero, found by putting 1 in its place."""
    a_or_1 = where(a == 0, 1.0, a)
    ga = g * scatter_reduce_op(a_or_1, index, src, dim=dim, reduce="prod") / a_or_1
    zero = src == 0
    zeros = scatter_add_op(where(False, a, 0.0), index, cast(zero, g.dtype), dim=dim)
    alone = zero & (gather_op(zeros, index, dim=dim) == 1)
    others = scatter_reduce_op(a, index, where(alone, 1.0, src), dim=dim, reduce="prod")
    rest = gather_op(g * y, index, dim=dim) / where(zero, 1.0, src)
    return ga, where(alone, gather_op(g * others, index, dim=dim), rest)


def _reduce_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, a: Any, index: Any, src: Any, dim: int, reduce: str
) -> tuple[Any, ...]:
    ga, gs = (_product_vjp if reduce == "prod" else _extreme_vjp)(g, y, a, index, src, dim)
    return ga, None, gs


scatter_reduce_op: Callable[..., Any] = primitive(
    "scatter_reduce", scattering.scatter_reduce, joint=_reduce_vjp, keep="yabc"
)

add_at_op = primitive(
    "add_at",
    cpu.add_at,
    joint=lambda g, wants, y, a, v, *arrays, template: (
        g,
        index_op(g, *arrays, template=template) if wants[1] else None,
        *(None for _ in arrays),
    ),
    keep=ALL_INDEX_ARRAYS[1:],
)

# Scattering along a dimension


def run(plan: Plan) -> Any:
    """Carry out a plan, out of place."""
    name, inputs, attrs = plan
    return apply(REGISTRY[name], inputs, attrs)


def _in_place(name: str, plan: Callable[..., Plan]) -> Callable[..., Any]:
    """The method that carries out a plan in place."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        op, inputs, attrs = plan(f"{name}_", self, *args, **kwargs)
        return apply_(op, *inputs, **attrs)

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"`{name}` in place: the result is written into this tensor, which is returned."
    return method


def _same_dtype(name: str, input: Any, src: Any, called: str = "src") -> None:
    if src.dtype != input.dtype:
        raise DtypeError(
            f"{name}: {called} must have the input's dtype, {input.dtype.name}, and has {src.dtype.name}; convert it "
            f"with .to(dtype)"
        )


def _part(src: Any, index: Any) -> Any:
    """The part of `src` that an index takes: as much, from the beginning of each dimension."""
    if tuple(src.shape) == tuple(index.shape):
        return src
    if src.ndim == index.ndim:
        return slice_op(src, index=tuple(slice(n) for n in index.shape))
    return reshape(ravel(src)[: math.prod(index.shape)], tuple(index.shape))


def _scatter(
    name: str, input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Plan:
    if (src is None) == (value is None):
        raise TypeError(f"{name}: give either src or value")
    src = value if src is None else src
    if hasattr(src, "ndim"):
        d = check_index(name, input, dim, index, src)
        _same_dtype(name, input, src)
        src = _part(src, index)
    else:
        d = check_index(name, input, dim, index)
    if reduce is None:
        return "scatter", (input, index, src), {"dim": d}
    if reduce not in ("add", "multiply"):
        raise ValueError(f"{name}: reduce must be 'add' or 'multiply', not {reduce!r}; see scatter_reduce")
    if not hasattr(src, "ndim"):
        src = wrap(scattering.full(index.shape, src, input.dtype))
    if reduce == "add":
        return "scatter_add", (input, index, src), {"dim": d}
    return "scatter_reduce", (input, index, src), {"dim": d, "reduce": "prod"}


def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """`input` with `out[index[i][j]][j] = src[i][j]` for dim 0, and so on: elements written along one dimension.

    `src` is a tensor of the input's dtype, as large as the index or larger, or a number. Where an index repeats, the
    last element stays, and it alone has a gradient. `reduce` may be "add" or "multiply". Raises `IndexError` where the
    index is out of range, `ShapeError` where its shape does not fit, `DtypeError` for another dtype.

    >>> import tensorgrad as tg
    >>> tg.scatter(tg.zeros(2, 3), 1, tg.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    return run(_scatter("scatter", input, dim, index, src, value=value, reduce=reduce))


def _scatter_add(name: str, input: Any, dim: int, index: Any, src: Any) -> Plan:
    d = check_index(name, input, dim, index, src)
    _same_dtype(name, input, src)
    return "scatter_add", (input, index, _part(src, index)), {"dim": d}


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with `src` added at `index` along `dim`: the transpose of `gather`.

    Raises `IndexError` where the index is out of range, `ShapeError` where its shape does not fit, `DtypeError` for
    another dtype.

    >>> import tensorgrad as tg
    >>> tg.scatter_add(tg.zeros(3), 0, tg.tensor([0, 2, 0]), tg.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """
    return run(_scatter_add("scatter_add", input, dim, index, src))


def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """`input` with each element combined with those of `src` that `index` sends to it along `dim`.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; without `include_self`, the input's own value does not count
    where others come. Of equal extremes, each gets its share of the gradient. Raises as `scatter_add`, and `ValueError`
    for another reduction.

    >>> import tensorgrad as tg
    >>> tg.scatter_reduce(tg.zeros(2), 0, tg.tensor([0, 0, 1]), tg.tensor([1.0, 3.0, -1.0]), "amax")
    tensor([3., 0.])
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ValueError(f"scatter_reduce: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', not {reduce!r}")
    d = check_index("scatter_reduce", input, dim, index, src)
    _same_dtype("scatter_reduce", input, src)
    src = _part(src, index)
    if not include_self:
        input = scatter_op(input, index, scattering.identity(reduce, input.dtype), dim=d)
    if reduce not in ("sum", "mean"):
        return scatter_reduce_op(input, index, src, dim=d, reduce=reduce)
    total = scatter_add_op(input, index, src, dim=d)
    if reduce == "sum":
        return total
    count = scatter_count_op(index, dim=d, shape=tuple(input.shape)) + int(include_self)
    count = cast(count + (count == 0), input.dtype)
    return total / count if input.dtype.kind == "f" else total // count


# Along a dimension, whole entries


def _index_add(name: str, input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Plan:
    template, array, source = _entries(name, input, dim, index, source)
    return "add_at", (input, source if alpha == 1 else source * alpha, array), {"template": template}


def _index_copy(name: str, input: Any, dim: int, index: Any, source: Any) -> Plan:
    template, array, source = _entries(name, input, dim, index, source)
    return "put", (input, source, array), {"template": template}


def _vector(input: Any, index: Any) -> Any:
    """The array to index with: the vector; for a tensor of no dimensions a flag, whether it is named at all."""
    return ravel(index) if input.ndim else (index == index).any()


def _entries(name: str, input: Any, dim: int, index: Any, source: Any) -> tuple[Any, Any, Any]:
    """The index of the entries of a dimension that a vector names, and what comes there, checked to fit."""
    template = check_vector(name, input, dim, index)
    _same_dtype(name, input, source, "source")
    count = math.prod(index.shape)
    wanted = (*input.shape[: len(template) - 1], count, *input.shape[len(template) :]) if input.ndim else ()
    if tuple(source.shape) != wanted and not (math.prod(source.shape) == count == 1 and input.ndim < 2):
        raise ShapeError(
            f"{name}: a source of shape {tuple(source.shape)} does not fit: for {count} entries of dimension "
            f"{len(template) - 1} of input of shape {tuple(input.shape)} it must be {wanted}"
        )
    return template, _vector(input, index), reshape(source, wanted)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """`input` with `alpha * source` added to the entries of a dimension that a vector of integers names.

    Raises `IndexError` where one is not there, `ShapeError` where `source` does not have as many, `DtypeError` for
    another dtype.

    >>> import tensorgrad as tg
    >>> tg.index_add(tg.zeros(3), 0, tg.tensor([2, 2]), tg.tensor([1.0, 5.0]))
    tensor([0., 0., 6.])
    """
    return run(_index_add("index_add", input, dim, index, source, alpha=alpha))


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """`input` with the entries of a dimension that a vector of integers names replaced by those of `source`.

    Raises as `index_add`.

    >>> import tensorgrad as tg
    >>> tg.index_copy(tg.zeros(3), 0, tg.tensor([2, 0]), tg.tensor([1.0, 5.0]))
    tensor([5., 0., 1.])
    """
    return run(_index_copy("index_copy", input, dim, index, source))


def _index_fill(name: str, input: Any, dim: int, index: Any, value: Any) -> Plan:
    if getattr(value, "ndim", 0):
        raise ShapeError(f"{name}: the value must be a number or have no dimensions, got shape {tuple(value.shape)}")
    template = check_vector(name, input, dim, index, negative=True)
    return "put", (input, value, _vector(input, index)), {"template": template}


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """`input` with one value in the entries of a dimension that a vector of integers names; negative ones too.

    Raises `IndexError` where one is not there, `ShapeError` for a value with dimensions.

    >>> import tensorgrad as tg
    >>> tg.index_fill(tg.zeros(3), 0, tg.tensor([0, -1]), 7)
    tensor([7., 0., 7.])
    """
    return run(_index_fill("index_fill", input, dim, index, value))


# By index, by mask


def _index_put(name: str, input: Any, indices: Any, values: Any, accumulate: bool = False) -> Plan:
    if not isinstance(indices, tuple | list) or not all(hasattr(i, "dtype") for i in indices):
        raise TypeError(f"{name}: indices must be a tuple of tensors, one for each of the first dimensions")
    _same_dtype(name, input, values, "values")
    template, arrays = parse(input, tuple(i.reshape(1) if not i.ndim else i for i in indices))
    values = fitting(name, input, template, arrays, values)
    return "add_at" if accumulate else "put", (input, values, *arrays), {"template": template}


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """`input` with `values`, which broadcast, at `input[indices]`; with `accumulate` added there, however often.

    Raises `IndexError` for indices and `ShapeError` for values that do not fit, `DtypeError` for another dtype.

    >>> import tensorgrad as tg
    >>> tg.index_put(tg.zeros(3), (tg.tensor([0, 0]),), tg.tensor(1.0), accumulate=True)
    tensor([2., 0., 0.])
    """
    return run(_index_put("index_put", input, indices, values, accumulate))


def _masked_scatter(name: str, input: Any, mask: Any, source: Any) -> Plan:
    if mask.dtype.kind != "b":
        raise DtypeError(f"{name}: the mask must hold bools, not {mask.dtype.name}")
    _same_dtype(name, input, source, "source")
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    if name.endswith("_") and shape != tuple(input.shape):
        raise ShapeError(f"{name}: a mask of shape {tuple(mask.shape)} does not fit {tuple(input.shape)}")
    mask = broadcast_op(mask, shape=shape)
    count = int(mask.sum())
    if count > math.prod(source.shape):
        raise ShapeError(f"{name}: the mask holds in {count} places, and source has {math.prod(source.shape)} elements")
    inside = input if shape == tuple(input.shape) else broadcast_op(input, shape=shape)
    return "put", (inside, ravel(source)[:count], mask), {"template": (Slot(0),)}


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """`input` with the elements of `source`, in their order, where the mask (bool, broadcasting) holds.

    Raises `ShapeError` where `source` has too few, `DtypeError` for another dtype and for a mask of numbers.

    >>> import tensorgrad as tg
    >>> tg.masked_scatter(tg.zeros(3), tg.tensor([True, False, True]), tg.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    return run(_masked_scatter("masked_scatter", input, mask, source))


# The rest of the in-place methods are made from their functions.
scatter_ = _in_place("scatter", _scatter)
scatter_add_ = _in_place("scatter_add", _scatter_add)
index_add_ = _in_place("index_add", _index_add)
index_copy_ = _in_place("index_copy", _index_copy)
index_fill_ = _in_place("index_fill", _index_fill)
index_put_ = _in_place("index_put", _index_put)
masked_scatter_ = _in_place("masked_scatter", _masked_scatter)
