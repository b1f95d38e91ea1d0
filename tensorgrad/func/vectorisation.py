"""vmap: a function of one example, over a batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorgrad import ops
from tensorgrad.autograd.batching import Batched
from tensorgrad.autograd.graph import TensorBase, wrap
from tensorgrad.func.shared import SIZES, flatten, setting, tensors_of
from tensorgrad.random import REFUSED


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that maps `func`, written for one example, over a dimension of its arguments.

    `in_dims` is that dimension: one for all arguments, or a tuple with one for each, where None is an argument that all
    examples share, and an argument of nested tuples, lists or dicts may have a dimension for each part. `out_dims`
    likewise says where the batch goes in the results. All examples are computed at once, through the same operations;
    one that has no rule for that is run example by example, and one whose result depends in shape on the values raises
    `ShapeError`. Random numbers are refused ("error"), or the "same" for all examples. `chunk_size` examples are
    computed at a time. Raises `ValueError` where batches differ in size or there is none.

    >>> import tensorgrad as tg
    >>> x, y = tg.arange(6.0).reshape(3, 2), tg.ones(2)
    >>> tg.func.vmap(tg.dot, in_dims=(0, None))(x, y)
    tensor([1., 5., 9.])
    >>> tg.func.vmap(tg.func.grad(lambda w, x: (w * x).sum() ** 2), in_dims=(None, 0))(y, x)
    tensor([[ 0.,  2.],
            [20., 30.],
            [72., 90.]])
    """
    if randomness not in ("error", "same"):
        raise ValueError(f"vmap: randomness must be 'error' or 'same', not {randomness!r}")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        flat, build = flatten((args, kwargs))
        dims = _dims("in_dims", in_dims, args) + [0] * len(flatten(kwargs)[0])
        size = _size(flat, dims)
        if chunk_size is not None and chunk_size < size:
            return _in_chunks(mapped_once, flat, dims, build, size, chunk_size, out_dims)
        return mapped_once(flat, dims, build, size)

    def mapped_once(flat: list[Any], dims: list[Any], build: Any, size: int) -> Any:
        level = len(SIZES.get()) + 1
        refused = REFUSED.get() or randomness == "error"
        with setting(SIZES, (*SIZES.get(), size)), setting(REFUSED, refused):
            batched = [x if d is None else wrap(Batched(ops.movedim(x, d, 0), level, size)) for x, d in zip(flat, dims)]
            inner_args, inner_kwargs = build(batched)
            ys = func(*inner_args, **inner_kwargs)
            results, rebuild = flatten(ys)
            tensors_of("vmap", ys)
        places = _dims("out_dims", out_dims, ys if isinstance(ys, tuple) else (ys,))
        return rebuild([_unbatched(y, level, size, d) for y, d in zip(results, places)])

    return mapped


def _dims(what: str, dims: Any, args: tuple[Any, ...]) -> list[Any]:
    """A dimension for each leaf of the arguments (or results)."""
    if isinstance(dims, int | None):
        return [dims if isinstance(x, TensorBase) else None for x in flatten(args)[0]]
    if not isinstance(dims, tuple | list) or len(dims) != len(args):
        raise ValueError(f"vmap: {what} must be an int, or a tuple of {len(args)}, one for each value, not {dims!r}")
    found: list[Any] = []
    for d, arg in zip(dims, args):
        leaves = flatten(arg)[0]
        if isinstance(d, int | None):
            found += [d if isinstance(x, TensorBase) else None for x in leaves]
        else:
            inner = flatten(d)[0]
            if len(inner) != len(leaves):
                raise ValueError(f"vmap: {what} has {len(inner)} dimensions for an argument of {len(leaves)} parts")
            found += inner
    return found


def _size(flat: list[Any], dims: list[Any]) -> int:
    sizes = {}
    for x, d in zip(flat, dims):
        if d is not None:
            if not isinstance(x, TensorBase):
                raise ValueError(f"vmap: in_dims maps over a {type(x).__name__}; give None for what is no tensor")
            if not -len(x._data.shape) <= d < len(x._data.shape):
                raise ValueError(f"vmap: in_dims maps over dimension {d} of a tensor of shape {tuple(x._data.shape)}")
            sizes[x._data.shape[d]] = tuple(x._data.shape)
    if not sizes:
        raise ValueError("vmap: no argument is mapped over; one must be a tensor with a dimension in in_dims")
    if len(sizes) > 1:
        raise ValueError(f"vmap: the batches differ in size: {sorted(sizes)}, of shapes {list(sizes.values())}")
    return next(iter(sizes))


def _unbatched(y: Any, level: int, size: int, dim: int) -> Any:
    data = y._data
    if isinstance(data, Batched) and data.level == level:
        if data.mapped:
            return ops.movedim(data.inner, 0, dim)
        y = data.inner
    return ops.movedim(ops.expand(ops.unsqueeze(y, 0), (size, *y.shape)), 0, dim)


def _in_chunks(
    once: Any, flat: list[Any], dims: list[Any], build: Any, size: int, chunk_size: int, out_dims: Any
) -> Any:
    parts = []
    for start in range(0, size, chunk_size):
        length = min(chunk_size, size - start)
        some = [x if d is None else ops.narrow(x, d, start, length) for x, d in zip(flat, dims)]
        parts.append(once(some, dims, build, length))
    leaves = [flatten(part)[0] for part in parts]
    places = _dims("out_dims", out_dims, parts[0] if isinstance(parts[0], tuple) else (parts[0],))
    return flatten(parts[0])[1]([ops.cat(list(ys), d) for ys, d in zip(zip(*leaves), places)])
