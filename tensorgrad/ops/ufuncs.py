"""NumPy's ufuncs and the operations that they are: what `np.exp(tensor)` and `ndarray * tensor` become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.backends import cpu
from tensorgrad.ops import arithmetic, compare, powers
from tensorgrad.ops.activation import tanh
from tensorgrad.ops.linalg import matmul

by_ufunc: dict[Any, Callable[..., Any]] = {
    cpu.absolute: arithmetic.abs,
    cpu.add: arithmetic.add,
    cpu.arctan: powers.atan,
    cpu.bitwise_and: compare.bitwise_and,
    cpu.bitwise_or: compare.bitwise_or,
    cpu.bitwise_xor: compare.bitwise_xor,
    cpu.ceil: arithmetic.ceil,
    cpu.cos: powers.cos,
    cpu.equal: compare.eq,
    cpu.exp: powers.exp,
    cpu.expm1: powers.expm1,
    cpu.floor: arithmetic.floor,
    cpu.floor_divide: arithmetic.floor_divide,
    cpu.greater: compare.gt,
    cpu.greater_equal: compare.ge,
    cpu.invert: compare.bitwise_not,
    cpu.isfinite: compare.isfinite,
    cpu.isinf: compare.isinf,
    cpu.isnan: compare.isnan,
    cpu.less: compare.lt,
    cpu.less_equal: compare.le,
    cpu.log: powers.log,
    cpu.log1p: powers.log1p,
    cpu.log2: powers.log2,
    cpu.log10: powers.log10,
    cpu.logical_and: compare.logical_and,
    cpu.logical_not: compare.logical_not,
    cpu.logical_or: compare.logical_or,
    cpu.logical_xor: compare.logical_xor,
    cpu.matrix_product: matmul,
    cpu.maximum: arithmetic.maximum,
    cpu.minimum: arithmetic.minimum,
    cpu.multiply: arithmetic.mul,
    cpu.negative: arithmetic.neg,
    cpu.not_equal: compare.ne,
    cpu.power: powers.pow,
    cpu.reciprocal: powers.reciprocal,
    cpu.remainder: arithmetic.remainder,
    cpu.rint: arithmetic.round,
    cpu.sign: arithmetic.sign,
    cpu.sin: powers.sin,
    cpu.sqrt: powers.sqrt,
    cpu.square: powers.square,
    cpu.subtract: arithmetic.sub,
    cpu.tan: powers.tan,
    cpu.tanh: tanh,
    cpu.true_divide: arithmetic.div,
    cpu.trunc: arithmetic.trunc,
}
