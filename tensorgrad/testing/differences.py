"""Derivatives checked against central finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd.functional import grad
from tensorgrad.autograd.graph import LEAF, TensorBase, edge, wrap
from tensorgrad.autograd.modes import enable_grad, no_grad
from tensorgrad.errors import DtypeError

Array = np.ndarray[Any, Any]


class GradcheckError(AssertionError, RuntimeError):
    """A derivative that is not what finite differences say: it names the output, the input and the entry.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0], dtype=tg.float64, requires_grad=True)
    >>> tg.testing.gradcheck(lambda x: x.detach() * x, x)
    Traceback (most recent call last):
        ...
    tensorgrad.testing.differences.GradcheckError: gradcheck of <lambda>: the derivative of output 0[0] with respect \
to input 0[0] is 1 by autograd and 2 by finite differences (1 of 1 entries differ, this one the most)
    """


def _fresh(inputs: Any, caller: str) -> tuple[tuple[Any, ...], list[int]]:
    """Leaves of their own, in memory of their own that has the same strides; and which of them require a gradient."""
    fresh = []
    for x in (inputs,) if isinstance(inputs, TensorBase) else tuple(inputs):
        if isinstance(x, TensorBase):
            fresh.append(wrap(_copy(x._data), None if edge(x) is None else LEAF))
        else:
            fresh.append(x)
    wanted = [i for i, x in enumerate(fresh) if isinstance(x, TensorBase) and edge(x) is not None]
    if not wanted:
        raise ValueError(f"{caller}: none of the inputs requires a gradient; set requires_grad=True on one")
    return tuple(fresh), wanted


def _copy(x: Array) -> Array:
    """An array in memory of its own, whose elements lie as far apart."""
    if not x.size:
        return x.copy()
    low, high = np.lib.array_utils.byte_bounds(x)
    y: Array = np.ndarray(x.shape, x.dtype, bytearray(high - low), x.__array_interface__["data"][0] - low, x.strides)
    y[...] = x
    y.flags.writeable = x.flags.writeable
    return y


def _outputs(func: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    result = func(*inputs)
    outputs = result if isinstance(result, tuple | list) else (result,)
    for i, y in enumerate(outputs):
        if not isinstance(y, TensorBase):
            raise DtypeError(f"gradcheck: the function returned {type(y).__name__} as output {i}; it must be a Tensor")
    return tuple(y for y in outputs if y._data.dtype.kind == "f")


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the gradients of `func` with respect to the inputs that require one match central differences.

    `func` takes the inputs and returns a tensor or a tuple. The inputs must be float64: in single precision the
    differences say nothing. Entry by entry `|analytic - numeric| <= atol + rtol * |numeric|` must hold. Where it does
    not, `GradcheckError` names the output, the input, the entry and both values; with `raise_exception=False`, False is
    returned. Raises `DtypeError` for other dtypes, `ValueError` where no input requires a gradient.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    >>> tg.testing.gradcheck(lambda x: x.exp(), x)
    True
    """
    fresh, wanted = _fresh(inputs, "gradcheck")
    for i in wanted:
        if fresh[i]._data.dtype != np.float64:
            raise DtypeError(
                f"gradcheck: inputs[{i}] is {fresh[i]._data.dtype.name}; finite differences need float64: use .double()"
            )
    with enable_grad():
        outputs = _outputs(func, fresh)
    if not outputs:
        raise ValueError("gradcheck: the function has no floating output, and so nothing to differentiate")
    try:
        for i in wanted:
            numeric = _numeric(func, fresh, i, eps)
            for o, y in enumerate(outputs):
                analytic = _analytic(y, fresh[i])
                _compare(func, o, i, fresh[i]._data.shape, y._data.shape, analytic, numeric[o], atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _numeric(func: Callable[..., Any], inputs: tuple[Any, ...], position: int, eps: float) -> list[Array]:
    """The Jacobian of each output, of shape (outputs, inputs), by central differences."""
    x = inputs[position]._data
    columns: list[list[Array]] = []
    with no_grad():
        for index in np.ndindex(x.shape):
            sides = []
            for step in (eps, -eps):
                moved = np.array(x)
                moved[index] += step
                args = (*inputs[:position], wrap(moved), *inputs[position + 1 :])
                sides.append([np.array(y._data, np.float64) for y in _outputs(func, args)])
            columns.append([(above - below).reshape(-1) / (2 * eps) for above, below in zip(*sides)])
        counts = [y._data.size for y in _outputs(func, inputs)]
    return [
        np.stack([column[o] for column in columns], axis=1) if columns else np.zeros((count, 0))
        for o, count in enumerate(counts)
    ]


def _analytic(y: Any, x: Any) -> Array:
    """The Jacobian by backward walks, one per element of the output."""
    rows = np.zeros((y._data.size, x._data.size))
    if edge(y) is None:
        return rows
    for j in range(len(rows)):
        one = np.zeros(y._data.shape, y._data.dtype)
        one.reshape(-1)[j] = 1
        (g,) = grad(y, x, wrap(one), retain_graph=True, allow_unused=True)
        if g is not None:
            rows[j] = g._data.reshape(-1)
    return rows


def _compare(
    func: Any,
    output: int,
    position: int,
    input_shape: tuple[int, ...],
    output_shape: tuple[int, ...],
    analytic: Array,
    numeric: Array,
    atol: float,
    rtol: float,
) -> None:
    wrong = ~(np.abs(analytic - numeric) <= atol + rtol * np.abs(numeric))
    if not wrong.any():
        return
    error = np.where(wrong, np.abs(analytic - numeric), -1.0)
    row, column = (
        int(n) for n in np.unravel_index(np.nanargmax(np.where(np.isnan(error), np.inf, error)), error.shape)
    )
    at = tuple(int(n) for n in np.unravel_index(column, input_shape)) if input_shape else ()
    of = tuple(int(n) for n in np.unravel_index(row, output_shape)) if output_shape else ()
    raise GradcheckError(
        f"gradcheck of {getattr(func, '__name__', func)}: the derivative of output {output}{list(of)} with respect to "
        f"input {position}{list(at)} is {analytic[row, column]:.8g} by autograd and {numeric[row, column]:.8g} by "
        f"finite differences ({int(wrong.sum())} of {wrong.size} entries differ, this one the most)"
    )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """`gradcheck` of the gradients themselves: whether second derivatives are right.

    `grad_outputs`, one per output, are random (from a fixed seed) unless given. Errors are those of `gradcheck`.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0], dtype=tg.float64, requires_grad=True)
    >>> tg.testing.gradgradcheck(lambda x: x.exp(), x)
    True
    """
    fresh, wanted = _fresh(inputs, "gradgradcheck")
    with enable_grad():
        outputs = _outputs(func, fresh)
    if grad_outputs is None:
        source = np.random.default_rng(0)
        grad_outputs = tuple(wrap(source.standard_normal(y._data.shape), LEAF) for y in outputs)
    elif isinstance(grad_outputs, TensorBase):
        grad_outputs = (grad_outputs,)
    count = len(fresh)

    def gradients(*args: Any) -> tuple[Any, ...]:
        with enable_grad():
            xs = list(args[:count])
            for i in wanted:
                if edge(xs[i]) is None:
                    xs[i] = wrap(xs[i]._data, LEAF)
            ys = _outputs(func, tuple(xs))
            live = [(y, g) for y, g in zip(ys, args[count:]) if edge(y) is not None]
            if not live:
                return ()
            return grad(
                [y for y, _ in live],
                [xs[i] for i in wanted],
                [g for _, g in live],
                create_graph=True,
                materialize_grads=True,
            )

    gradients.__name__ = f"the gradients of {getattr(func, '__name__', func)}"
    return gradcheck(gradients, (*fresh, *grad_outputs), eps, atol, rtol, raise_exception)
