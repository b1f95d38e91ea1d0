"""Derivatives of functions: `grad` of recorded tensors, and vjp, jvp, Jacobians and Hessians of any order."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import walk
from tensorgrad.autograd.graph import LEAF, TensorBase, edge, wrap
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.autograd.op import REGISTRY
from tensorgrad.errors import AutogradError, DtypeError, ShapeError


def _tuple(values: Any) -> tuple[Any, ...]:
    return (values,) if isinstance(values, TensorBase) else tuple(values)


def _gradients(outputs: tuple[Any, ...], given: Any, caller: str) -> tuple[Any, ...]:
    if given is None:
        return (None,) * len(outputs)
    gradients = _tuple(given)
    if len(gradients) != len(outputs):
        raise ShapeError(f"{caller}: {len(gradients)} gradients for {len(outputs)} outputs; give one for each")
    return gradients


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """`Tensor.backward` of several tensors in one walk. `grad_variables` is the older name of `grad_tensors`.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([3.0], requires_grad=True)
    >>> tg.autograd.backward([x * 2, x * 3])
    >>> x.grad
    tensor([5.])
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise ValueError("backward: grad_variables is the older name of grad_tensors; give one of them")
        warnings.warn("backward: grad_variables is deprecated; use grad_tensors", FutureWarning, stacklevel=2)
        grad_tensors = grad_variables
    outputs = _tuple(tensors)
    walk.backward(
        outputs,
        _gradients(outputs, grad_tensors, "backward"),
        retain_graph,
        create_graph,
        None if inputs is None else _tuple(inputs),
    )


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; nothing is accumulated in `.grad`.

    `grad_outputs`, one per output, may be None for outputs of one element. `create_graph` records the gradients, so
    that they can be differentiated. An input that the outputs do not depend on raises `AutogradError`, or gives None
    with `allow_unused`, or zeros with `materialize_grads`. With `is_grads_batched`, the first dimension of each of
    `grad_outputs` is that of a batch, for which all gradients are computed at once.

    >>> import tensorgrad as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> (first,) = tg.autograd.grad(x**3, x, create_graph=True)
    >>> (second,) = tg.autograd.grad(first, x)
    >>> first.item(), second.item()
    (27.0, 18.0)
    """
    ys, xs = _tuple(outputs), _tuple(inputs)
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads gives zeros for what allow_unused=False makes an error; give one")
    given = _gradients(ys, grad_outputs, "grad")
    if is_grads_batched:
        results = _batched(ys, xs, given, retain_graph, create_graph)
    else:
        results = walk.grad(ys, xs, given, retain_graph, create_graph)
    if materialize_grads:
        return tuple(wrap(np.zeros_like(x._data)) if g is None else g for g, x in zip(results, xs))
    if not allow_unused:
        for i, g in enumerate(results):
            if g is None:
                raise AutogradError(
                    f"grad: the outputs do not depend on inputs[{i}], of shape {xs[i]._data.shape}; pass "
                    f"allow_unused=True to get None for it"
                )
    return results


def _batched(
    ys: tuple[Any, ...], xs: tuple[Any, ...], given: tuple[Any, ...], retain_graph: bool | None, create_graph: bool
) -> tuple[Any, ...]:
    """The gradients for a batch of gradients of the outputs. None of them may be left out."""
    from tensorgrad.func import vmap

    if not all(getattr(g, "ndim", 0) for g in given):
        raise ShapeError("grad: with is_grads_batched all of grad_outputs must be given, a batch of each")
    unused: list[bool] = []

    def found(*gradients: Any) -> tuple[Any, ...]:
        results = walk.grad(ys, xs, gradients, retain_graph, create_graph)
        unused[:] = [g is None for g in results]
        return tuple(g for g in results if g is not None)

    results = iter(vmap(found)(*given))
    return tuple(None if absent else next(results) for absent in unused)


def _prepare(inputs: Any, create_graph: bool, caller: str) -> tuple[Any, ...]:
    """The inputs as tensors to differentiate by: themselves where derivatives of derivatives are wanted."""
    prepared: list[Any] = []
    for i, x in enumerate(_tuple(inputs)):
        if not isinstance(x, TensorBase) or x._data.dtype.kind != "f":
            got = x._data.dtype.name if isinstance(x, TensorBase) else type(x).__name__
            raise DtypeError(f"{caller}: inputs[{i}] must be a floating Tensor, not {got}")
        if create_graph and edge(x) is not None:
            prepared.append(REGISTRY["reshape"].function(x, shape=x._data.shape))
        else:
            prepared.append(wrap(x._data, LEAF))
    return tuple(prepared)


def _call(func: Callable[..., Any], xs: tuple[Any, ...], caller: str) -> tuple[Any, bool]:
    with enable_grad():
        ys = func(*xs)
    single = isinstance(ys, TensorBase)
    outputs = _tuple(ys)
    for i, y in enumerate(outputs):
        if not isinstance(y, TensorBase):
            raise DtypeError(f"{caller}: the function returned {type(y).__name__} as output {i}; it must be a Tensor")
    return outputs, single


def _vector(v: Any, like: tuple[Any, ...], caller: str) -> tuple[Any, ...]:
    if v is None:
        if len(like) != 1 or like[0]._data.size != 1:
            shapes = [x._data.shape for x in like]
            raise ShapeError(f"{caller}: v can be left out only for one value; give tensors of shapes {shapes}")
        return (wrap(np.ones_like(like[0]._data)),)
    vs = _tuple(v)
    shapes, wanted = [x._data.shape for x in vs], [x._data.shape for x in like]
    if shapes != wanted:
        raise ShapeError(f"{caller}: v has shapes {shapes}, and must have {wanted}")
    return vs


def _dense_grad(ys: tuple[Any, ...], xs: tuple[Any, ...], vs: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    """`grad` with zeros for what does not depend, and for outputs outside the graph."""
    live = [(y, v) for y, v in zip(ys, vs) if edge(y) is not None]
    if not live:
        return tuple(wrap(np.zeros_like(x._data)) for x in xs)
    outputs, gradients = zip(*live)
    return grad(outputs, xs, gradients, retain_graph=True, create_graph=create_graph, materialize_grads=True)


def _like(values: tuple[Any, ...], single: bool) -> Any:
    return values[0] if single else values


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """`(func(inputs), v @ J)`: the vector-Jacobian product, one backward walk. `v` has the outputs' shapes.

    >>> import tensorgrad as tg
    >>> tg.autograd.vjp(lambda x: x**2, tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))[1]
    tensor([2., 4.])
    """
    xs = _prepare(inputs, create_graph, "vjp")
    ys, single = _call(func, xs, "vjp")
    gradients = _dense_grad(ys, xs, _vector(v, ys, "vjp"), create_graph)
    values = ys if create_graph else tuple(y.detach() for y in ys)
    return _like(values, single), _like(gradients, isinstance(inputs, TensorBase))


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """`(func(inputs), J @ v)`: the Jacobian-vector product. `v` has the inputs' shapes.

    It is two backward walks: the gradient of `u @ J` with respect to u (J. Townsend's double-backward trick, 2017).

    >>> import tensorgrad as tg
    >>> tg.autograd.jvp(lambda x: x**2, tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))[1]
    tensor([2., 4.])
    """
    xs = _prepare(inputs, create_graph, "jvp")
    vs = _vector(v, xs, "jvp")
    ys, single = _call(func, xs, "jvp")
    us = tuple(wrap(np.zeros_like(y._data), LEAF) for y in ys)
    gradients = _dense_grad(ys, xs, us, create_graph=True)
    products = _dense_grad(gradients, us, vs, create_graph)
    values = ys if create_graph else tuple(y.detach() for y in ys)
    return _like(values, single), _like(products, single)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for each output and input a tensor of shape output.shape + input.shape.

    A single tensor where both are single, else (nested) tuples. With `strict`, an output that depends on none of the
    inputs raises `AutogradError` instead of giving zeros. `vectorize` and `strategy`, which PyTorch has, do not change
    the numbers, nor how they are computed: `func.jacrev` and `func.jacfwd` compute all rows, or columns, at once.

    >>> import tensorgrad as tg
    >>> tg.autograd.jacobian(lambda x: x**2, tg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_strategy("jacobian", "strategy", strategy)
    xs = _prepare(inputs, create_graph, "jacobian")
    ys, single = _call(func, xs, "jacobian")
    rows_of_outputs = []
    for i, y in enumerate(ys):
        if strict and edge(y) is None:
            raise AutogradError(f"jacobian: output {i} does not depend on the inputs")
        rows = []
        for j in range(y._data.size):
            one = np.zeros(y._data.size, y._data.dtype)
            one[j] = 1
            rows.append(_dense_grad((y,), xs, (wrap(one.reshape(y._data.shape)),), create_graph))
        blocks = []
        for k, x in enumerate(xs):
            shape = y._data.shape + x._data.shape
            blocks.append(_stack([row[k] for row in rows], shape, x._data.dtype))
        rows_of_outputs.append(_like(tuple(blocks), isinstance(inputs, TensorBase)))
    return _like(tuple(rows_of_outputs), single)


def _check_strategy(caller: str, what: str, strategy: str) -> None:
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"{caller}: {what} must be 'reverse-mode' or 'forward-mode', not {strategy!r}")


def _stack(rows: list[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    if not rows:
        return wrap(np.zeros(shape, dtype))
    from tensorgrad.ops.joining import stack_op

    joined = stack_op(*rows, dim=0)
    return REGISTRY["reshape"].function(joined, shape=shape)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The matrix of second derivatives of a function to one element: of shape input.shape + input.shape, or, for
    several inputs, a tuple of tuples. Raises `ShapeError` where the function returns more than one element. The
    options are those of `jacobian`.

    >>> import tensorgrad as tg
    >>> tg.autograd.hessian(lambda x: (x**3).sum(), tg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _check_strategy("hessian", "outer_jacobian_strategy", outer_jacobian_strategy)
    single = isinstance(inputs, TensorBase)

    def gradient(*xs: Any) -> tuple[Any, ...]:
        y = _scalar(func(*xs), "hessian")
        return _dense_grad((y,), xs, (wrap(np.ones_like(y._data)),), create_graph=True)

    result = jacobian(gradient, inputs, create_graph, strict)
    return result[0] if single else result


def _scalar(y: Any, caller: str) -> Any:
    if not isinstance(y, TensorBase) or y._data.size != 1:
        got = f"shape {y._data.shape}" if isinstance(y, TensorBase) else type(y).__name__
        raise ShapeError(f"{caller}: the function must return a Tensor of one element, not {got}")
    return y


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """`(func(inputs), H @ v)`: the Hessian-vector product of a function to one element, without the Hessian
    (B. A. Pearlmutter, Neural Computation 6, 1994). `v` has the inputs' shapes.

    >>> import tensorgrad as tg
    >>> tg.autograd.hvp(lambda x: (x**3).sum(), tg.tensor([1.0, 2.0]), tg.tensor([1.0, 1.0]))[1]
    tensor([ 6., 12.])
    """
    xs = _prepare(inputs, create_graph, "hvp")
    vs = _vector(v, xs, "hvp")
    ys, single = _call(func, xs, "hvp")
    y = _scalar(ys[0] if single else ys, "hvp")
    gradients = _dense_grad((y,), xs, (wrap(np.ones_like(y._data)),), create_graph=True)
    products = _dense_grad(gradients, xs, vs, create_graph)
    return y if create_graph else y.detach(), _like(products, isinstance(inputs, TensorBase))
