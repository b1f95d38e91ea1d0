"""NumPy's ufuncs and the operations that they are: what `np.exp(tensor)` and `ndarray * tensor` become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.backends import cpu
from tensorgrad.ops import elementwise as e
from tensorgrad.ops.linalg import matmul

by_ufunc: dict[Any, Callable[..., Any]] = {
    cpu.absolute: e.abs,
    cpu.add: e.add,
    cpu.arctan: e.atan,
    cpu.bitwise_and: e.bitwise_and,
    cpu.bitwise_or: e.bitwise_or,
    cpu.bitwise_xor: e.bitwise_xor,
    cpu.ceil: e.ceil,
    cpu.cos: e.cos,
    cpu.equal: e.eq,
    cpu.exp: e.exp,
    cpu.expm1: e.expm1,
    cpu.floor: e.floor,
    cpu.floor_divide: e.floor_divide,
    cpu.greater: e.gt,
    cpu.greater_equal: e.ge,
    cpu.invert: e.bitwise_not,
    cpu.isfinite: e.isfinite,
    cpu.isinf: e.isinf,
    cpu.isnan: e.isnan,
    cpu.less: e.lt,
    cpu.less_equal: e.le,
    cpu.log: e.log,
    cpu.log1p: e.log1p,
    cpu.log2: e.log2,
    cpu.log10: e.log10,
    cpu.logical_and: e.logical_and,
    cpu.logical_not: e.logical_not,
    cpu.logical_or: e.logical_or,
    cpu.logical_xor: e.logical_xor,
    cpu.matrix_product: matmul,
    cpu.maximum: e.maximum,
    cpu.minimum: e.minimum,
    cpu.multiply: e.mul,
    cpu.negative: e.neg,
    cpu.not_equal: e.ne,
    cpu.power: e.pow,
    cpu.reciprocal: e.reciprocal,
    cpu.remainder: e.remainder,
    cpu.rint: e.round,
    cpu.sign: e.sign,
    cpu.sin: e.sin,
    cpu.sqrt: e.sqrt,
    cpu.square: e.square,
    cpu.subtract: e.sub,
    cpu.tan: e.tan,
    cpu.tanh: e.tanh,
    cpu.true_divide: e.div,
    cpu.trunc: e.trunc,
}
