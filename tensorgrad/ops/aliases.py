"""PyTorch's other names for operations."""

from tensorgrad.ops import arithmetic, compare, trigonometry

absolute, negative, sgn = arithmetic.abs, arithmetic.neg, arithmetic.sign
subtract, multiply, divide = arithmetic.sub, arithmetic.mul, arithmetic.div
clip, fix = arithmetic.clamp, arithmetic.trunc
greater, greater_equal, less = compare.gt, compare.ge, compare.lt
less_equal, not_equal = compare.le, compare.ne
arccos, arcsin, arctan, arctan2 = trigonometry.acos, trigonometry.asin, trigonometry.atan, trigonometry.atan2
arccosh, arcsinh, arctanh = trigonometry.acosh, trigonometry.asinh, trigonometry.atanh
