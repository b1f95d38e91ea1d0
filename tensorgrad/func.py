"""Functions of functions: derivatives, vectorisation, and modules called with parameters of one's choice.

The names and meanings are those of `torch.func`. They nest: `vmap(grad(f))` gives the gradient of each example.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd import walk
from tensorgrad.autograd.batching import Batched
from tensorgrad.autograd.graph import LEAF, Node, TensorBase, edge, wrap
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

_SIZES: ContextVar[tuple[int, ...]] = ContextVar("sizes", default=())  # of the batches of the vmaps we are inside of
_NESTING: ContextVar[int] = ContextVar("nesting", default=0)  # how many of the derivatives here we are inside of


def _flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves of nested tuples, lists and dicts, and the function that puts others in their places."""
    if isinstance(tree, dict):
        keys, values = list(tree), list(tree.values())
        make: Any = lambda parts: dict(zip(keys, parts))  # noqa: E731
    elif isinstance(tree, tuple | list):
        values = list(tree)
        make = type(tree) if not hasattr(tree, "_fields") else lambda parts: type(tree)(*parts)
    else:
        return [tree], lambda leaves: leaves[0]
    flats = [_flatten(value) for value in values]

    def build(leaves: list[Any]) -> Any:
        parts, start = [], 0
        for below, rebuild in flats:
            parts.append(rebuild(leaves[start : start + len(below)]))
            start += len(below)
        return make(parts)

    return [leaf for below, _ in flats for leaf in below], build


def _map(function: Callable[[Any], Any], tree: Any) -> Any:
    leaves, build = _flatten(tree)
    return build([function(leaf) for leaf in leaves])


@contextmanager
def _set(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def _nested() -> Any:
    return _set(_NESTING, _NESTING.get() + 1)


# Derivatives


class _Opened:
    """Arguments as tensors to differentiate by, and the derivatives by them of what a function made of them.

    A gradient is itself recorded where something outside may want to differentiate it: inside another derivative, or
    where the function has read a tensor from outside that requires a gradient.
    """

    def __init__(self, caller: str, trees: tuple[Any, ...]) -> None:
        self.leaves: list[Any] = []
        self.builds = []
        opened = []
        for tree in trees:
            flat, build = _flatten(tree)
            fresh = [_opened(caller, x) for x in flat]
            self.leaves += fresh
            self.builds.append((len(fresh), build))
            opened.append(build(fresh))
        self.trees = tuple(opened)
        self.recorded = False

    def closed(self, ys: Any) -> Any:
        """What the function returned, cut off from the arguments unless it is still needed."""
        tensors = [y for y in _flatten(ys)[0] if isinstance(y, TensorBase)]
        self.recorded = _NESTING.get() > 1 or _reaches_outside(tensors, self.leaves)
        return ys if self.recorded else _map(_detached, ys)

    def gradients(self, ys: list[Any], vs: list[Any]) -> tuple[Any, ...]:
        """The gradients by the arguments, in their structure; zeros for what the outputs do not depend on."""
        live = [(y, v) for y, v in zip(ys, vs) if edge(y) is not None]
        found: Any = (None,) * len(self.leaves)
        if live:
            found = walk.grad([y for y, _ in live], self.leaves, [v for _, v in live], True, self.recorded)
        zeros = [_zeros(x) if g is None else g for g, x in zip(found, self.leaves)]
        trees, start = [], 0
        for count, build in self.builds:
            trees.append(build(zeros[start : start + count]))
            start += count
        return tuple(trees)


def _opened(caller: str, x: Any) -> Any:
    if not isinstance(x, TensorBase) or x._data.dtype.kind != "f":
        got = x._data.dtype.name if isinstance(x, TensorBase) else type(x).__name__
        raise DtypeError(f"{caller}: it differentiates by floating tensors, and was given {got}")
    sizes = _SIZES.get()
    if sizes and getattr(x._data, "level", 0) < len(sizes):  # from outside the vmap that we are in
        return wrap(Batched(x, len(sizes), sizes[-1], mapped=False), LEAF)
    return wrap(x._data, LEAF) if edge(x) is None else ops.reshape_op(x, shape=tuple(x._data.shape))


def _detached(y: Any) -> Any:
    return y.detach() if isinstance(y, Tensor) else y


def _zeros(x: Any) -> Any:
    return wrap(np.zeros(x._data.shape, x._data.dtype))


def _reaches_outside(ys: list[Any], leaves: list[Any]) -> bool:
    """Whether the graph behind tensors has a leaf that is none of these."""
    ours = {id(edge(x)) for x in leaves}
    stack, seen = [edge(y) for y in ys], set()
    while stack:
        e = stack.pop()
        if e is None or id(e) in seen or (id(e) in ours and not isinstance(e, Node)):
            continue
        seen.add(id(e))
        if not isinstance(e, Node):
            return True
        stack += e.inputs
    return False


def _tensors(caller: str, ys: Any) -> list[Any]:
    flat = _flatten(ys)[0]
    for y in flat:
        if not isinstance(y, TensorBase):
            raise DtypeError(f"{caller}: the function must return tensors, and returned {type(y).__name__}")
    return flat


def _numbers(argnums: int | tuple[int, ...], count: int, caller: str) -> list[int]:
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    for n in numbers:
        if not -count <= n < count:
            raise IndexError(f"{caller}: argnums names argument {n}, and the function was given {count}")
    return numbers


def _with(args: tuple[Any, ...], numbers: list[int], trees: tuple[Any, ...]) -> list[Any]:
    opened = list(args)
    for n, tree in zip(numbers, trees):
        opened[n] = tree
    return opened


def grad_and_value(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """The function that returns `(gradient, value)` of `func` with respect to the arguments that `argnums` names.

    `func` returns a tensor of one element, or with `has_aux` that and something besides: then the value is the two. An
    argument may be a nested tuple, list or dict of floating tensors, and its gradient has the same structure. Raises
    `ShapeError` where the value has more than one element, `DtypeError` for what is no floating tensor.

    >>> import tensorgrad as tg
    >>> tg.func.grad_and_value(lambda x: (x**2).sum())(tg.tensor([1.0, 3.0]))
    (tensor([2., 6.]), tensor(10.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums, len(args), "grad")
        with enable_grad(), _nested():
            opened = _Opened("grad", tuple(args[n] for n in numbers))
            result = func(*_with(args, numbers, opened.trees), **kwargs)
            y = result[0] if has_aux else result
            if not isinstance(y, TensorBase) or y._data.size != 1:
                got = f"shape {tuple(y._data.shape)}" if isinstance(y, TensorBase) else type(y).__name__
                raise ShapeError(f"grad: the function must return a Tensor of one element, not {got}")
            value = opened.closed(result)
            gradients = opened.gradients([y], [None])
        return (gradients[0] if isinstance(argnums, int) else gradients), value

    return both


def grad(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """The function that returns the gradient of `func`; with `has_aux`, `(gradient, aux)`. See `grad_and_value`.

    >>> import tensorgrad as tg
    >>> tg.func.grad(tg.func.grad(lambda x: x**3))(tg.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """`(func(*primals), vjp_fn)`: `vjp_fn(cotangents)` gives the vector-Jacobian products by each of the primals.

    With `has_aux`, `func` returns a pair, and the result is `(output, vjp_fn, aux)`.

    >>> import tensorgrad as tg
    >>> y, vjp_fn = tg.func.vjp(lambda x: x**2, tg.tensor([1.0, 3.0]))
    >>> vjp_fn(tg.tensor([1.0, 10.0]))
    (tensor([ 2., 60.]),)
    """
    with enable_grad(), _nested():
        opened = _Opened("vjp", primals)
        result = func(*opened.trees)
        ys = result[0] if has_aux else result
        closed = opened.closed(result)
    flat = _tensors("vjp", ys)

    def vjp_fn(*cotangents: Any) -> tuple[Any, ...]:
        vs = _tensors("vjp_fn", cotangents)
        if len(vs) != len(flat):
            raise ShapeError(f"vjp_fn: {len(vs)} cotangents for {len(flat)} outputs; give one for each")
        with enable_grad():
            return opened.gradients(flat, vs)

    return (closed[0], vjp_fn, closed[1]) if has_aux else (closed, vjp_fn)


def jvp(func: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """`(func(*primals), J @ tangents)`: the Jacobian-vector product, `tangents` having the primals' shapes.

    It is two backward walks: the gradient of `u @ J` with respect to u (J. Townsend's double-backward trick, 2017).

    >>> import tensorgrad as tg
    >>> tg.func.jvp(lambda x: x**2, (tg.tensor([1.0, 3.0]),), (tg.tensor([1.0, 10.0]),))[1]
    tensor([ 2., 60.])
    """
    shapes, wanted = ([tuple(x.shape) for x in _flatten(tree)[0]] for tree in (tangents, primals))
    if shapes != wanted:
        raise ShapeError(f"jvp: the tangents have shapes {shapes}, and must have {wanted}")
    with enable_grad(), _nested():
        opened = _Opened("jvp", primals)
        ys = func(*opened.trees)
        flat = _tensors("jvp", ys)
        value = opened.closed(ys)
        outer, opened.recorded = opened.recorded, True
        us = _Opened("jvp", tuple(_zeros(y) for y in flat))
        us.recorded = outer
        products = us.gradients(_flatten(opened.gradients(flat, us.leaves))[0], _flatten(tangents)[0])
    return value, _flatten(ys)[1](list(products))


def jacrev(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """The function that returns the Jacobian of `func`, output.shape + input.shape, by one batched backward walk.

    Structures of outputs, and of arguments, nest in the result, those of outputs outside.

    >>> import tensorgrad as tg
    >>> tg.func.jacrev(lambda x: x**2)(tg.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums, len(args), "jacrev")

        def of(*chosen: Any) -> Any:
            return func(*_with(args, numbers, chosen), **kwargs)

        found = vjp(of, *(args[n] for n in numbers), has_aux=has_aux)
        ys, vjp_fn = found[:2]
        flat, build = _flatten(ys)
        blocks = []
        for i, y in enumerate(flat):
            count = y._data.size
            basis = wrap(np.eye(count, dtype=y._data.dtype).reshape(count, *y._data.shape))

            def row(one: Any, i: int = i) -> Any:
                return vjp_fn(*(one if j == i else _zeros(other) for j, other in enumerate(flat)))

            rows = vmap(row)(basis) if count else _map(lambda x: ops.reshape(x, (0, *x.shape)), row(_zeros(y)))
            shaped = _map(functools.partial(_unflattened, y.shape), rows)
            blocks.append(shaped[0] if isinstance(argnums, int) else shaped)
        return (build(blocks), found[2]) if has_aux else build(blocks)

    return jacobian


def _unflattened(shape: tuple[int, ...], x: Any) -> Any:
    return ops.reshape(x, (*shape, *x.shape[1:]))


def jacfwd(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """The Jacobian, as `jacrev` gives it: forward mode, which differs in what it costs, there is none.

    >>> import tensorgrad as tg
    >>> tg.func.jacfwd(lambda x: x.sin())(tg.tensor(0.0))
    tensor(1.)
    """
    return jacrev(func, argnums, has_aux)


def hessian(func: Callable[..., Any], argnums: int = 0) -> Any:
    """The function that returns the matrix of second derivatives of `func`, output.shape + input.shape twice.

    >>> import tensorgrad as tg
    >>> tg.func.hessian(lambda x: (x**3).sum())(tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


# Vectorisation


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
        flat, build = _flatten((args, kwargs))
        dims = _dims("in_dims", in_dims, args) + [0] * len(_flatten(kwargs)[0])
        size = _size(flat, dims)
        if chunk_size is not None and chunk_size < size:
            return _in_chunks(mapped_once, flat, dims, build, size, chunk_size, out_dims)
        return mapped_once(flat, dims, build, size)

    def mapped_once(flat: list[Any], dims: list[Any], build: Any, size: int) -> Any:
        level = len(_SIZES.get()) + 1
        with _set(_SIZES, (*_SIZES.get(), size)), _random(randomness):
            batched = [x if d is None else wrap(Batched(ops.movedim(x, d, 0), level, size)) for x, d in zip(flat, dims)]
            inner_args, inner_kwargs = build(batched)
            ys = func(*inner_args, **inner_kwargs)
            results, rebuild = _flatten(ys)
            _tensors("vmap", ys)
        places = _dims("out_dims", out_dims, ys if isinstance(ys, tuple) else (ys,))
        return rebuild([_unbatched(y, level, size, d) for y, d in zip(results, places)])

    return mapped


def _dims(what: str, dims: Any, args: tuple[Any, ...]) -> list[Any]:
    """A dimension for each leaf of the arguments (or results)."""
    if isinstance(dims, int | None):
        return [dims if isinstance(x, TensorBase) else None for x in _flatten(args)[0]]
    if not isinstance(dims, tuple | list) or len(dims) != len(args):
        raise ValueError(f"vmap: {what} must be an int, or a tuple of {len(args)}, one for each value, not {dims!r}")
    found: list[Any] = []
    for d, arg in zip(dims, args):
        leaves = _flatten(arg)[0]
        if isinstance(d, int | None):
            found += [d if isinstance(x, TensorBase) else None for x in leaves]
        else:
            inner = _flatten(d)[0]
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
    leaves = [_flatten(part)[0] for part in parts]
    places = _dims("out_dims", out_dims, parts[0] if isinstance(parts[0], tuple) else (parts[0],))
    return _flatten(parts[0])[1]([ops.cat(list(ys), d) for ys, d in zip(zip(*leaves), places)])


@contextmanager
def _random(randomness: str) -> Iterator[None]:
    """Refuse random numbers for the time of a call, unless they are to be the same for all examples."""
    from tensorgrad import random

    before, random.REFUSED = random.REFUSED, "vmap" if randomness == "error" else ""
    try:
        yield
    finally:
        random.REFUSED = before


# Modules


def functional_call(
    module: Module, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: Any = None, *, strict: bool = False
) -> Any:
    """`module(*args, **kwargs)` with other tensors in place of the parameters and buffers that a dict names.

    Several dicts may be given as a tuple. What they do not name keeps its value, unless `strict`. `args` is a tuple, or
    the one argument. Afterwards the module is as before. Raises `KeyError` for names that the module does not have.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.Linear(2, 1)
    >>> tg.func.functional_call(layer, {"weight": tg.ones(1, 2), "bias": tg.zeros(1)}, tg.ones(3, 2)).tolist()
    [[2.0], [2.0], [2.0]]
    """
    dicts = parameter_and_buffer_dicts
    given: dict[str, Any] = {}
    for some in (dicts,) if isinstance(dicts, dict) else tuple(dicts):
        given |= some
    places = _places(module)
    if unknown := [name for name in given if name not in places]:
        raise KeyError(f"functional_call: {type(module).__name__} has no parameter or buffer {', '.join(unknown)}")
    if strict and (absent := [name for name in places if name not in given]):
        raise KeyError(f"functional_call: strict, and {', '.join(absent)} of {type(module).__name__} is not given")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    before = [(places[name][0], places[name][1]) for name in given]
    held = [table[key] for table, key in before]
    try:
        for (table, key), value in zip(before, given.values()):
            table[key] = value
        return module(*args, **(kwargs or {}))
    finally:
        for (table, key), value in zip(before, held):
            table[key] = value


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Where each parameter and buffer of a module and those below it is kept, by its name."""
    found = {}
    for path, below in module.named_modules(remove_duplicate=False):
        for table in (below._parameters, below._buffers):
            for key, value in table.items():
                if value is not None:
                    found[f"{path}.{key}" if path else key] = (table, key)
    return found


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of modules of one architecture, each stacked along a new first dimension.

    With `functional_call` and `vmap` they are run as one. Raises `ValueError` for no modules, or of several classes.

    >>> import tensorgrad as tg
    >>> params, buffers = tg.func.stack_module_state([tg.nn.Linear(2, 3) for _ in range(4)])
    >>> params["weight"].shape
    (4, 3, 2)
    """
    models = list(models)
    if not models or len({type(model) for model in models}) > 1:
        raise ValueError("stack_module_state: it takes modules of one class, one or more")

    def stacked(states: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            name: ops.stack([s[name].detach() for s in states]).requires_grad_(states[0][name].requires_grad)
            for name in states[0]
        }

    return (
        stacked([dict(model.named_parameters()) for model in models]),
        stacked([dict(model.named_buffers()) for model in models]),
    )
