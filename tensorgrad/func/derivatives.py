"""Derivatives of functions, as functions: they nest, and go through `vmap` as it goes through them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd import walk
from tensorgrad.autograd.batching import Batched
from tensorgrad.autograd.graph import LEAF, Node, TensorBase, edge, wrap
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.func.shared import SIZES, flatten, tensors_of, tree_map
from tensorgrad.func.vectorisation import vmap
from tensorgrad.tensor import Tensor


class _Opened:
    """Arguments as tensors to differentiate by, and the derivatives by them of what a function made of them.

    A gradient is itself recorded where something outside may want to differentiate it: where the function has read a
    tensor from outside that requires a gradient, or it begins with one that does.
    """

    def __init__(self, caller: str, trees: tuple[Any, ...]) -> None:
        self.leaves: list[Any] = []
        self.builds = []
        opened = []
        for tree in trees:
            flat, build = flatten(tree)
            fresh = [_opened(caller, x) for x in flat]
            self.leaves += fresh
            self.builds.append((len(fresh), build))
            opened.append(build(fresh))
        self.trees = tuple(opened)
        self.recorded = False

    def closed(self, ys: Any) -> Any:
        """What the function returned, cut off from the arguments unless it is still needed."""
        tensors = [y for y in flatten(ys)[0] if isinstance(y, TensorBase)]
        self.recorded = _reaches_outside(tensors, self.leaves)
        return ys if self.recorded else tree_map(_detached, ys)

    def gradients(self, ys: list[Any], vs: list[Any]) -> tuple[Any, ...]:
        """The gradients by the arguments, in their structure; zeros for what the outputs do not depend on."""
        live = [(y, v) for y, v in zip(ys, vs) if edge(y) is not None]
        found: Any = (None,) * len(self.leaves)
        if live:
            outputs, starts = zip(*live)
            recorded = self.recorded or any(v is not None and edge(v) is not None for v in starts)
            found = walk.grad(outputs, self.leaves, starts, True, recorded)
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
    sizes = SIZES.get()
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


def _fitting(caller: str, what: str, trees: Any, tensors: list[Any]) -> list[Any]:
    """Tangents or cotangents of tensors. Raises `DtypeError` for what is no tensor, `ShapeError` for other shapes."""
    vs = tensors_of(caller, trees, f"{what} must be tensors, and one is")
    shapes, wanted = ([tuple(x.shape) for x in xs] for xs in (vs, tensors))
    if shapes != wanted:
        raise ShapeError(f"{caller}: the {what} have shapes {shapes}, and must have {wanted}")
    return vs


def grad_and_value(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """The function that returns `(gradient, value)` of `func` with respect to the arguments that `argnums` names.

    `func` returns a tensor of one element, or with `has_aux` that and something besides: then the value is the two. An
    argument may be a nested tuple, list or dict of floating tensors, and its gradient has the same structure. Raises
    `ShapeError` where the value has more than one element, `DtypeError` for what is no floating tensor.

    >>> import tensorgrad as tg
    >>> tg.func.grad_and_value(lambda x: (x**2).sum())(tg.tensor([1.0, 3.0]))
    (tensor([2., 6.]), tensor(10.))
    """

    return _grad_and_value("grad_and_value", func, argnums, has_aux)


def _grad_and_value(caller: str, func: Callable[..., Any], argnums: int | tuple[int, ...], has_aux: bool) -> Any:
    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums, len(args), caller)
        with enable_grad():
            opened = _Opened(caller, tuple(args[n] for n in numbers))
            result = func(*_with(args, numbers, opened.trees), **kwargs)
            y = result[0] if has_aux else result
            if not isinstance(y, TensorBase) or y._data.size != 1:
                got = f"shape {tuple(y._data.shape)}" if isinstance(y, TensorBase) else type(y).__name__
                raise ShapeError(f"{caller}: the function must return a Tensor of one element, not {got}")
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
    both = _grad_and_value("grad", func, argnums, has_aux)

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
    return _vjp("vjp", func, primals, has_aux)


def _vjp(caller: str, func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool) -> Any:
    with enable_grad():
        opened = _Opened(caller, primals)
        result = func(*opened.trees)
        ys = result[0] if has_aux else result
        closed = opened.closed(result)
    flat = tensors_of(caller, ys)

    def vjp_fn(*cotangents: Any) -> tuple[Any, ...]:
        vs = _fitting("vjp_fn", "cotangents", cotangents, flat)
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
    with enable_grad():
        opened = _Opened("jvp", primals)
        vs = _fitting("jvp", "tangents", tangents, opened.leaves)
        ys = func(*opened.trees)
        flat = tensors_of("jvp", ys)
        value = opened.closed(ys)
        outer, opened.recorded = opened.recorded, True
        us = _Opened("jvp", tuple(_zeros(y) for y in flat))
        us.recorded = outer
        products = us.gradients(flatten(opened.gradients(flat, us.leaves))[0], vs)
    return value, flatten(ys)[1](list(products))


def jacrev(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Any:
    """The function that returns the Jacobian of `func`, output.shape + input.shape, by one batched backward walk.

    Structures of outputs, and of arguments, nest in the result, those of outputs outside.

    >>> import tensorgrad as tg
    >>> tg.func.jacrev(lambda x: x**2)(tg.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """

    return _jacobian("jacrev", func, argnums, has_aux)


def _jacobian(caller: str, func: Callable[..., Any], argnums: int | tuple[int, ...], has_aux: bool = False) -> Any:
    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums, len(args), caller)

        def of(*chosen: Any) -> Any:
            return func(*_with(args, numbers, chosen), **kwargs)

        found = _vjp(caller, of, tuple(args[n] for n in numbers), has_aux)
        ys, vjp_fn = found[:2]
        flat, build = flatten(ys)
        blocks = []
        for i, y in enumerate(flat):
            count = y._data.size
            basis = wrap(np.eye(count, dtype=y._data.dtype).reshape(count, *y._data.shape))

            def row(one: Any, i: int = i) -> Any:
                return vjp_fn(*(one if j == i else _zeros(other) for j, other in enumerate(flat)))

            rows = vmap(row)(basis) if count else tree_map(lambda x: ops.unsqueeze(x, 0)[:0], row(_zeros(y)))
            shaped = tree_map(functools.partial(_unflattened, y.shape), rows)
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
    return _jacobian("jacfwd", func, argnums, has_aux)


def hessian(func: Callable[..., Any], argnums: int = 0) -> Any:
    """The function that returns the matrix of second derivatives of `func`, output.shape + input.shape twice.

    >>> import tensorgrad as tg
    >>> tg.func.hessian(lambda x: (x**3).sum())(tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return _jacobian("hessian", _jacobian("hessian", func, argnums), argnums)
