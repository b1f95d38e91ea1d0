"""The rules by which operations run on a whole batch at once, for `func.vmap`: calls rewritten for one more dimension.

An elementwise op needs none, and an op that has none is run example by example (see `autograd.batching`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.batching import RULES, Call, elementwise, one_by_one
from tensorgrad.autograd.graph import wrap
from tensorgrad.backends import cpu
from tensorgrad.backends.cpu import Slot
from tensorgrad.ops.linalg import matmul_op
from tensorgrad.ops.shape import broadcast_to, permute_op, reshape_op

Rule = Callable[[Call], Any]


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def enter(rule: Rule) -> Rule:
        for name in names:
            RULES[name] = rule
        return rule

    return enter


# Elementwise, but made by `primitive` for their attributes.
_rule("where", "clamp", "cast", "clone", "leaky_relu", "elu", "softplus", "pow_number")(elementwise)
# Of matrices; what comes before those broadcasts as in an elementwise op.
_rule("solve", "solve_triangular")(elementwise)


@_rule(*"all amax amin any logsumexp max mean min p_norm prod std sum var vector_norm".split())
def _reduced(call: Call) -> Any:
    return call.apply(*call.xs, dim=tuple(d + 1 for d in call.attrs["dim"]))


@_rule(
    *"""
argsort cumprod cumsum cumulative_index log_softmax logcumsumexp median_index mode_index nth_index softmax topk
""".split()
)
def _along(call: Call) -> Any:
    if not call.xs[0].ndim - 1:
        return one_by_one(call)
    return call.apply(*call.xs, dim=call.attrs["dim"] + 1)


@_rule("argmax", "argmin")
def _arg(call: Call) -> Any:
    return one_by_one(call) if call.attrs["dim"] is None else _along(call)


@_rule("reshape", "broadcast_to")
def _shaped(call: Call) -> Any:
    (x,), shape = call.xs, call.attrs["shape"]
    if call.op.name == "broadcast_to":
        x = reshape_op(x, shape=(call.size, *(1,) * (len(shape) - x.ndim + 1), *x.shape[1:]))
    return call.apply(x, shape=(call.size, *shape))


@_rule("permute")
def _permuted(call: Call) -> Any:
    return call.apply(*call.xs, dims=(0, *(d + 1 for d in call.attrs["dims"])))


@_rule("flip", "roll")
def _moved(call: Call) -> Any:
    return call.apply(*call.xs, dims=tuple(d + 1 for d in call.attrs["dims"]))


@_rule(*"tril triu cholesky cofactor det eigh eigvalsh inverse matrix_exp pinv qr slogdet svd svdvals".split())
def _last_two(call: Call) -> Any:
    return call.apply(*call.xs)


@_rule("diagonal", "undiagonal")
def _diagonal(call: Call) -> Any:
    changed = {"dim1": call.attrs["dim1"] + 1, "dim2": call.attrs["dim2"] + 1}
    if "shape" in call.attrs:
        changed["shape"] = (call.size, *call.attrs["shape"])
    return call.apply(*call.xs, **changed)


@_rule("cat")
def _joined(call: Call) -> Any:
    return call.apply(*(call.expanded(i) for i in range(len(call.xs))), dim=call.attrs["dim"] + 1)


@_rule("slice")
def _sliced(call: Call) -> Any:
    return call.apply(*call.xs, index=(slice(None), *call.attrs["index"]))


@_rule("index", "unindex")
def _indexed(call: Call) -> Any:
    template, (x, *arrays) = call.attrs["template"], call.xs
    changed = {"shape": (call.size, *call.attrs["shape"])} if "shape" in call.attrs else {}
    if not any(call.batched[1:]):
        return call.apply(x, *arrays, template=(slice(None), *template), **changed)
    count = len(arrays)
    if any(part.__class__ is not Slot for part in template[:count]) or any(a.dtype.kind == "b" for a in arrays):
        return one_by_one(call)
    ndim = max(a.ndim - flag for a, flag in zip(arrays, call.batched[1:]))
    aligned = [_aligned(a, ndim) if flag else a for a, flag in zip(arrays, call.batched[1:])]
    examples = wrap(cpu.index_array(range(call.size)).reshape(call.size, *(1,) * ndim))
    slots = tuple(Slot(i) for i in range(count + 1))
    return call.apply(call.expanded(0), examples, *aligned, template=(*slots, *template[count:]), **changed)


def _aligned(x: Any, ndim: int) -> Any:
    """A batch of tensors whose examples have got dimensions of size 1 in front, so that they have `ndim`."""
    return reshape_op(x, shape=(x.shape[0], *(1,) * (ndim + 1 - x.ndim), *x.shape[1:]))


@_rule("gather", "ungather", "scatter_add")
def _gathered(call: Call) -> Any:
    changed = {"dim": call.attrs["dim"] + 1}
    if "shape" in call.attrs:
        changed["shape"] = (call.size, *call.attrs["shape"])
    return call.apply(*(call.expanded(i) for i in range(len(call.xs))), **changed)


@_rule("matmul")
def _multiplied(call: Call) -> Any:
    a, b = call.xs
    (m, n), (batched_a, batched_b) = (x.ndim - flag for x, flag in zip(call.xs, call.batched)), call.batched
    if batched_a and not batched_b and n == 2:  # one matrix for all: a single, larger product
        lead = tuple(a.shape[:-1])
        y = matmul_op(reshape_op(a, shape=(math.prod(lead), a.shape[-1])), b)
        return reshape_op(y, shape=(*lead, b.shape[-1]))
    lacking = max(m, n)
    a, b = (_aligned(x, lacking) if flag else x for x, flag in zip(call.xs, call.batched))
    return matmul_op(a, b)


@_rule("linear")
def _dense(call: Call) -> Any:
    x, weight, bias = call.xs
    if not any(call.batched[1:]):
        size, rows = x.shape[:2]
        y = call.apply(reshape_op(x, shape=(size * rows, x.shape[2])), weight, bias)
        return reshape_op(y, shape=(size, rows, weight.shape[0]))
    weight, bias = call.expanded(1), call.expanded(2)
    y = matmul_op(call.expanded(0), permute_op(weight, dims=(0, 2, 1)))
    return y + reshape_op(bias, shape=(call.size, 1, bias.shape[1]))


@_rule("softmax_cross_entropy")
def _losses(call: Call) -> Any:
    return call.apply(call.expanded(0), call.expanded(1))


@_rule("one_hot")
def _hot(call: Call) -> Any:
    return call.apply(*call.xs)


@_rule("copy")
def _copied(call: Call) -> Any:
    a, b = call.expanded(0), call.xs[1]
    if call.batched[1]:
        b = _aligned(b, a.ndim - 1)
    return call.apply(a, b if not hasattr(b, "shape") else broadcast_to(b, tuple(a.shape)))
