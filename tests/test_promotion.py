"""Type promotion: every pair of dtypes, with tensors, 0-d tensors and Python numbers, gives PyTorch's result."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import DtypeError

torch = pytest.importorskip("torch")

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
OPERANDS = [(kind, dtype) for kind in ("tensor", "0-d") for dtype in DTYPES] + [("python", n) for n in (True, 2, 1.5)]
OPERATORS = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "and_",
    "or_",
    "xor",
]
IN_PLACE = ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand", "ior", "ixor"]
REFUSALS = (RuntimeError, TypeError, ValueError)


def operand(lib, kind, dtype, value):
    if kind == "python":
        return dtype
    value = bool(value) if dtype == "bool" else value
    return lib.tensor([value, 1] if kind == "tensor" else value, dtype=getattr(lib, dtype))


def outcome(lib, function, a, b):
    """The result's dtype, shape and values; or None where the library refuses."""
    try:
        y = function(operand(lib, *a, 3), operand(lib, *b, 2))
    except REFUSALS:
        return None
    return str(y.dtype).removeprefix("torch."), tuple(y.shape), np.asarray(y.tolist(), float)


def check(name, function, lefts):
    compared = 0
    for a in lefts:
        for b in OPERANDS:
            if a[0] == b[0] == "python":
                continue
            ours, theirs = outcome(tg, function, a, b), outcome(torch, function, a, b)
            assert (ours is None) == (theirs is None), (name, a, b, ours, theirs)
            if theirs is not None:
                assert ours[:2] == theirs[:2], (name, a, b, ours, theirs)
                np.testing.assert_allclose(ours[2], theirs[2], rtol=2e-3, err_msg=f"{name} {a} {b}")
                compared += 1
    assert compared


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_gives_the_dtype_and_values_of_pytorch(name):
    check(name, getattr(operator, name), OPERANDS)


@pytest.mark.parametrize("name", IN_PLACE)
def test_an_in_place_operator_keeps_the_dtype_or_refuses_as_pytorch_does(name):
    check(name, getattr(operator, name), [o for o in OPERANDS if o[0] != "python"])


UNARY = [
    "sum()",
    "sum(0)",
    "prod()",
    "prod(1)",
    "mean()",
    "mean(0)",
    "cumsum(1)",
    "any()",
    "any(1)",
    "all()",
    "all(0)",
    "max()",
    "amax(1)",
    "min()",
    "argsort(1)",
    "count_nonzero()",
    "var()",
    "std(1)",
    "norm()",
    "norm(1)",
    "norm(0)",
    "logsumexp(0)",
    "sum(dtype=lib.int32)",
    "mean(dtype=lib.float32)",
    "prod(dtype=lib.int16)",
    "cumsum(0,dtype=lib.float64)",
    "neg()",
    "sign()",
    "square()",
    "sqrt()",
    "rsqrt()",
    "reciprocal()",
    "exp()",
    "expm1()",
    "log()",
    "log1p()",
    "log2()",
    "log10()",
    "sin()",
    "cos()",
    "tan()",
    "atan()",
    "tanh()",
    "erf()",
    "sigmoid()",
    "isnan()",
    "isinf()",
    "isfinite()",
    "logical_not()",
    "bitwise_not()",
    "clamp(0,1)",
    "clamp(min=0.5)",
    "pow(2)",
    "pow(0.5)",
    "__rpow__(2)",
    "__rpow__(2.5)",
    "nonzero()",
    "float()",
    "double()",
    "half()",
    "long()",
    "int()",
    "short()",
    "char()",
    "byte()",
    "bool()",
    "masked_fill(lib.tensor([True,False]),1)",
    "where(lib.tensor([True,False]),7)",
    "where(lib.tensor([True,False]),0.5)",
    "add(1,alpha=2)",
    "tril()",
    "flip(0)",
    "repeat(2,1)",
    "new_zeros(2)",
    "new_full((2,),3)",
    "new_tensor([1,2])",
    "div(2,rounding_mode='trunc')",
    "div(2,rounding_mode='floor')",
]


@pytest.mark.parametrize("call", UNARY)
def test_a_method_gives_the_dtype_and_values_of_pytorch_for_every_dtype(call):
    gave = 0
    for dtype in DTYPES:
        results = []
        for lib in (tg, torch):
            x = lib.tensor([[1, 0], [2, 2]], dtype=getattr(lib, dtype))
            try:
                y = eval(f"x.{call}", {"x": x, "lib": lib})
            except REFUSALS as error:
                results.append(error)
            else:
                results.append((str(y.dtype).removeprefix("torch."), tuple(y.shape), y.tolist()))
        ours, theirs = results
        if isinstance(theirs, Exception):
            assert isinstance(ours, DtypeError), (dtype, ours, theirs)
            continue
        assert not isinstance(ours, Exception), (dtype, ours)
        assert ours[:2] == theirs[:2], dtype
        np.testing.assert_allclose(ours[2], theirs[2], rtol=3e-3 if dtype == "float16" else 1e-5)
        gave += 1
    assert gave


def test_argmax_and_sort_give_int64_indices():
    x = tg.tensor([3.0, 1.0])
    assert x.argmax().dtype == x.argmin(0).dtype == x.sort().indices.dtype == x.topk(1).indices.dtype == tg.int64


def test_integers_divided_by_zero_raise_and_floats_do_not():
    for write in (lambda x: x // 0, lambda x: x % tg.tensor([1, 0]), lambda x: x.div(0, rounding_mode="trunc")):
        with pytest.raises(ZeroDivisionError, match="integer divided by 0"):
            write(tg.tensor([7, -7]))
    assert (tg.tensor([7.0, -7.0]) // 0).tolist() == [float("inf"), float("-inf")]


def test_division_rounded_towards_zero_is_exact_for_large_integers():
    x = tg.tensor([2**53 + 1, -(2**53) - 1, -7])
    assert x.div(1, rounding_mode="trunc").tolist() == x.tolist()
    assert x.div(2, rounding_mode="trunc").tolist() == [2**52, -(2**52), -3]
