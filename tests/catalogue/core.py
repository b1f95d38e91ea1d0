"""The families that are always loaded: arithmetic, powers, comparisons, reductions, shapes, indexing, products."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg
from catalogue.rows import Draw, Row, between, binary, bools, integers, positive, primitive, real, unary
from tensorgrad import ops
from tensorgrad.autograd.op import REGISTRY
from tensorgrad.backends.cpu import Slot
from tensorgrad.nn import functional as F


def _softmax(a: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(a - a.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _put(a: np.ndarray, v: np.ndarray, index: Any) -> np.ndarray:
    y = a.copy()
    y[index] = v
    return y


def _put_view(a: np.ndarray, v: np.ndarray) -> np.ndarray:
    y = a.copy()
    y.T[1:, 0] = v
    return y


def _scatter_add(a: np.ndarray, index: np.ndarray, src: np.ndarray, axis: int) -> np.ndarray:
    y = a.copy()
    for at in np.ndindex(index.shape):
        to = list(at)
        to[axis] = index[at]
        y[tuple(to)] += src[at]
    return y


VIEW_STEPS = ((REGISTRY["permute"], {"dims": (1, 0)}), (REGISTRY["slice"], {"index": (slice(1, None), 0)}))
ROWS_AND_ALL = (Slot(0), slice(None))
MATRIX = real(3, 4)

ROWS = [
    # Arithmetic
    binary("add", ops.add, np.add),
    binary("sub", ops.sub, np.subtract),
    binary("mul", ops.mul, np.multiply),
    binary("div", ops.div, np.true_divide, b=positive(4)),
    binary("floor_divide", ops.floor_divide, np.floor_divide, b=positive(4)),
    # Quotients between -3 and -2, away from the jumps: there floor and trunc differ, and neither is 0.
    binary("remainder", ops.remainder, np.remainder, a=between(-2.8, -2.2, 3, 1), b=between(1.05, 1.09, 4)),
    unary("neg", ops.neg, np.negative),
    unary("abs", ops.abs, np.abs, real(3, 4, kinks=(0.0,))),
    unary("sign", ops.sign, np.sign),
    binary("maximum", ops.maximum, np.maximum, between(-1.0, 1.0, 3, 1), Draw((4,), -2.0, 2.0)),
    binary("minimum", ops.minimum, np.minimum, between(-1.0, 1.0, 3, 1), Draw((4,), -2.0, 2.0)),
    unary("clamp", lambda a: ops.clamp(a, -1, 1), lambda a: np.clip(a, -1, 1), real(3, 4, kinks=(-1.0, 1.0))),
    unary("floor", ops.floor, np.floor),
    unary("ceil", ops.ceil, np.ceil),
    unary("trunc", ops.trunc, np.trunc),
    unary("round", ops.round, np.round),
    # Powers, exponentials, logarithms
    unary("square", ops.square, np.square),
    unary("sqrt", ops.sqrt, np.sqrt, positive(3, 4)),
    unary("rsqrt", ops.rsqrt, lambda a: 1 / np.sqrt(a), positive(3, 4)),
    unary("reciprocal", ops.reciprocal, lambda a: 1 / a, positive(3, 4)),
    binary("pow", ops.pow, np.power, positive(3, 1), real(4)),
    unary("pow_number", lambda a: ops.pow(a, 3), lambda a: a**3),
    unary("exp", ops.exp, np.exp),
    unary("expm1", ops.expm1, np.expm1),
    unary("log", ops.log, np.log, positive(3, 4)),
    unary("log1p", ops.log1p, np.log1p, positive(3, 4)),
    unary("log2", ops.log2, np.log2, positive(3, 4)),
    unary("log10", ops.log10, np.log10, positive(3, 4)),
    unary("sin", ops.sin, np.sin),
    unary("cos", ops.cos, np.cos),
    # Activations
    unary("tanh", ops.tanh, np.tanh),
    unary("sigmoid", ops.sigmoid, lambda a: 1 / (1 + np.exp(-a))),
    unary("relu", ops.relu, lambda a: np.maximum(a, 0), real(3, 4, kinks=(0.0,))),
    unary("leaky_relu", lambda a: F.leaky_relu(a, 0.1), lambda a: np.where(a > 0, a, 0.1 * a), real(3, 4, kinks=(0.0,))),
    unary("elu", lambda a: F.elu(a, 1.5), lambda a: np.where(a > 0, a, 1.5 * np.expm1(a)), real(3, 4, kinks=(0.0,))),
    unary("softplus", lambda a: F.softplus(a, 2.0), lambda a: np.log1p(np.exp(2 * a)) / 2),
    # Comparisons, logic, tests
    binary("eq", ops.eq, np.equal),
    binary("ne", ops.ne, np.not_equal),
    binary("lt", ops.lt, np.less),
    binary("le", ops.le, np.less_equal),
    binary("gt", ops.gt, np.greater),
    binary("ge", ops.ge, np.greater_equal),
    binary("logical_and", ops.logical_and, np.logical_and, bools(3, 1), bools(4)),
    binary("logical_or", ops.logical_or, np.logical_or, bools(3, 1), bools(4)),
    binary("logical_xor", ops.logical_xor, np.logical_xor, bools(3, 1), bools(4)),
    unary("logical_not", ops.logical_not, np.logical_not, bools(3, 4)),
    binary("bitwise_and", ops.bitwise_and, np.bitwise_and, integers(0, 9, 3, 1), integers(0, 9, 4)),
    binary("bitwise_or", ops.bitwise_or, np.bitwise_or, integers(0, 9, 3, 1), integers(0, 9, 4)),
    binary("bitwise_xor", ops.bitwise_xor, np.bitwise_xor, integers(0, 9, 3, 1), integers(0, 9, 4)),
    unary("bitwise_not", ops.bitwise_not, np.invert, integers(0, 9, 3, 4)),
    unary("isnan", ops.isnan, np.isnan),
    unary("isinf", ops.isinf, np.isinf),
    unary("isfinite", ops.isfinite, np.isfinite),
    # Choosing, copying, converting
    Row("where", ops.where, np.where, (bools(3, 1), real(4), real(3, 4)), elementwise=True),
    unary("cast", lambda a: ops.cast(a, tg.float64), lambda a: a.astype(np.float64)),
    unary("clone", ops.clone, np.copy),
    Row("copy", primitive("copy"), lambda a, b: np.broadcast_to(b, a.shape), (real(3, 4), real(4)), empty=((0, 4), (4,))),
    # Reductions
    Row("sum", lambda a: ops.sum(a, 1), lambda a: a.sum(1), (real(3, 4, 2),)),
    Row("sum", ops.sum, np.sum, (real(3, 4),), note="all"),
    Row("mean", lambda a: ops.mean(a, (0, -1), keepdim=True), lambda a: a.mean((0, 2), keepdims=True), (real(3, 4, 2),),
        empty=((3, 0, 2),)),
    Row("prod", lambda a: ops.prod(a, 1), lambda a: a.prod(1), (real(2, 3, 2, kinks=(0.0,)),)),
    Row("amax", lambda a: ops.amax(a, 1), lambda a: a.max(1), (MATRIX,), empty=((0, 4),)),
    Row("amin", lambda a: ops.amin(a, (0, 1)), lambda a: a.min((0, 1)), (MATRIX,), empty=tg.errors.ShapeError),
    Row("argmax", lambda a: ops.argmax(a, 1), lambda a: a.argmax(1), (MATRIX,), empty=((0, 4),)),
    Row("argmin", lambda a: ops.argmin(a, 1), lambda a: a.argmin(1), (MATRIX,), empty=((0, 4),)),
    Row("argsort", lambda a: ops.argsort(a, 1), lambda a: a.argsort(1), (MATRIX,)),
    Row("any", lambda a: ops.any(a, 1), lambda a: a.any(1), (bools(3, 4),)),
    Row("all", lambda a: ops.all(a, 1), lambda a: a.all(1), (bools(3, 4),)),
    Row("cumsum", lambda a: ops.cumsum(a, 1), lambda a: a.cumsum(1), (MATRIX,)),
    Row("logsumexp", lambda a: ops.logsumexp(a, 1), lambda a: np.log(np.exp(a).sum(1)), (MATRIX,)),
    Row("vector_norm", lambda a: ops.norm(a, 2, 1), lambda a: np.sqrt((a * a).sum(1)), (MATRIX,)),
    # Shapes
    Row("reshape", lambda a: ops.reshape(a, (2, -1)), lambda a: a.reshape(2, -1), (MATRIX,), empty=((0, 4),)),
    Row("permute", lambda a: ops.permute(a, (2, 0, 1)), lambda a: a.transpose(2, 0, 1), (real(2, 3, 4),)),
    Row("broadcast_to", lambda a: ops.broadcast_to(a, (2, 3, 4)), lambda a: np.broadcast_to(a, (2, 3, 4)), (real(3, 1),),
        empty=tg.errors.ShapeError),
    Row("tril", ops.tril, np.tril, (MATRIX,)),
    Row("triu", ops.triu, np.triu, (MATRIX,)),
    Row("diagonal", lambda a: ops.diagonal(a, 1), lambda a: np.diagonal(a, 1), (MATRIX,)),
    Row("undiagonal", primitive("undiagonal", shape=(3, 4), offset=1, dim1=0, dim2=1), lambda a: _put(np.zeros((3, 4)), a,
        (np.arange(3), np.arange(1, 4))), (real(3),), empty=tg.errors.ShapeError),
    Row("cat", lambda a, b: ops.cat([a, b], 1), lambda a, b: np.concatenate([a, b], 1), (MATRIX, real(3, 2))),
    Row("flip", lambda a: ops.flip(a, 0, 1), lambda a: np.flip(a, (0, 1)), (MATRIX,)),
    Row("roll", lambda a: ops.roll(a, 1, 1), lambda a: np.roll(a, 1, 1), (MATRIX,)),
    # Indexing
    Row("slice", lambda a: ops.getitem(a, (slice(None), 1)), lambda a: a[:, 1], (MATRIX,)),
    Row("index", lambda a, i: ops.getitem(a, i), lambda a, i: a[i], (MATRIX, integers(0, 3, 5)), empty=((3, 4), (0,)),
        tensors_only=True),
    Row("unindex", primitive("unindex", template=ROWS_AND_ALL, shape=(3, 4)), lambda g, i: _scatter_add(np.zeros((3, 4)),
        np.repeat(i[:, None], 4, 1), g, 0), (real(5, 4), integers(0, 3, 5))),
    Row("put", primitive("put", template=ROWS_AND_ALL), lambda a, v, i: _put(a, v, i), (MATRIX, real(5, 4), integers(0, 3, 5)),
        empty=((3, 4), (0, 4), (0,))),
    Row("winners", primitive("winners", template=ROWS_AND_ALL, shape=(3, 2)), lambda i: np.repeat(np.array(
        [j not in i[k + 1:] for k, j in enumerate(i)], bool)[:, None], 2, 1), (integers(0, 3, 5),)),
    Row("put_view", primitive("put_view", steps=VIEW_STEPS), _put_view, (MATRIX, real(3)), empty=((1, 1), (0,))),
    Row("gather", lambda a, i: ops.gather(a, 1, i), lambda a, i: np.take_along_axis(a, i, 1), (MATRIX, integers(0, 4, 3, 2))),
    Row("ungather", primitive("ungather", dim=1, shape=(3, 4)), lambda g, i: _scatter_add(np.zeros((3, 4)), i, g, 1),
        (real(3, 2), integers(0, 4, 3, 2))),
    Row("scatter_add", lambda a, i, s: ops.scatter_add(a, 1, i, s), lambda a, i, s: _scatter_add(a, i, s, 1),
        (MATRIX, integers(0, 4, 2, 3), real(3, 3))),
    Row("nonzero", ops.nonzero, np.argwhere, (integers(0, 2, 3, 4),)),
    Row("one_hot", lambda i: F.one_hot(i, 4), lambda i: np.eye(4, dtype=int)[i], (integers(0, 4, 3, 2),), tensors_only=True),
    # Matrices
    Row("matmul", ops.matmul, np.matmul, (real(2, 3, 4), real(1, 4, 2))),
    Row("linear", F.linear, lambda x, w, b: x @ w.T + b, (MATRIX, real(2, 4), real(2)), empty=((0, 4), (2, 4), (2,))),
    # Softmax and losses
    Row("softmax", lambda a: ops.softmax(a, 1), lambda a: _softmax(a, 1), (real(3, 4, 2),)),
    Row("softmax_slope", primitive("softmax_slope", dim=1), lambda g, y: y * (g - (g * y).sum(1, keepdims=True)),
        (real(3, 4, 2), real(3, 4, 2))),
    Row("softmax_slope", primitive("softmax_slope", dim=1), lambda g, y: y * (g - (g * y).sum(1, keepdims=True)),
        (MATRIX, MATRIX), note="last"),
    Row("log_softmax", lambda a: ops.log_softmax(a, 1), lambda a: np.log(_softmax(a, 1)), (real(3, 4, 2),)),
    Row("softmax_cross_entropy", primitive("softmax_cross_entropy"), lambda a, t: (-np.log(
        np.take_along_axis(_softmax(a, 1), t[:, None], 1))[:, 0], _softmax(a, 1)), (MATRIX, integers(0, 4, 3))),
    binary("binary_cross_entropy", primitive("binary_cross_entropy"), lambda p, t: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
        between(0.1, 0.9, 3, 1), between(0.1, 0.9, 4)),
]  # fmt: skip
