"""Elementwise operations give PyTorch's values, gradients, dtypes and shapes; what it refuses they refuse."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import AutogradError, DtypeError, ShapeError

try:
    import torch
except ImportError:
    torch = None
beside_pytorch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed")

DTYPES = ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"]
REFUSALS = (RuntimeError, TypeError, ValueError, IndexError)
SPECIAL = [-math.inf, -2.5, -1.0, -0.5, -0.0, 0.0, 0.3, 1.0, 2.0, math.inf, math.nan]
TOLERANCE = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-11}

UNARY = """
abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh bitwise_not ceil cos cosh
deg2rad digamma erf erfc erfinv exp exp2 expm1 fix floor frac isfinite isinf isnan isneginf isposinf isreal lgamma log
log10 log1p log2 logical_not logit nan_to_num neg negative positive rad2deg reciprocal relu round rsqrt sgn sigmoid sign
signbit sin sinc sinh sqrt square tan tanh trunc
""".split()

BINARY = """
add arctan2 atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor clamp_max clamp_min copysign
div divide eq float_power floor_divide fmax fmin fmod ge greater greater_equal gt heaviside hypot ldexp le less
less_equal logaddexp logaddexp2 logical_and logical_or logical_xor lt maximum minimum mul multiply ne nextafter
not_equal pow remainder rsub sub subtract true_divide xlogy
""".split()
NO_GRADIENT = {"floor_divide", "nextafter", "heaviside"}  # PyTorch refuses to differentiate these


def ours_and_theirs(call, arrays, dtypes=None, grad=False):
    """The outcome of `call(lib, *tensors)` in both libraries: a result, or the exception; and the gradients."""
    outcomes = []
    for lib in (tg, torch):
        dtypes_ = dtypes or [None] * len(arrays)
        xs = [lib.tensor(a, dtype=getattr(lib, d)) if d else lib.tensor(a) for a, d in zip(arrays, dtypes_)]
        floating = [x for x in xs if grad and x.is_floating_point()]
        for x in floating:
            x.requires_grad_()
        try:
            y = call(lib, *xs)
        except REFUSALS as error:
            outcomes.append(error)
            continue
        if grad and hasattr(y, "requires_grad") and y.requires_grad:
            weights = np.linspace(0.5, 1.5, max(math.prod(y.shape), 1))[: math.prod(y.shape)].reshape(tuple(y.shape))
            y.backward(lib.tensor(weights.tolist(), dtype=y.dtype).reshape(tuple(y.shape)))
        outcomes.append((y, [None if x.grad is None else x.grad for x in floating]))
    return outcomes


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


def same(ours, theirs, rtol, message):
    assert (name_of(ours.dtype), tuple(ours.shape)) == (name_of(theirs.dtype), tuple(theirs.shape)), message
    # PyTorch has zeros without memory, which only a clone of them has.
    a, b = (np.asarray(x.detach().clone().tolist(), float) for x in (ours, theirs))
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * 0.1, err_msg=str(message))


def compare(call, arrays, dtypes=None, grad=False, message="", rtol=None):
    """Whether both gave a result; it is asserted that both did the same."""
    ours, theirs = ours_and_theirs(call, arrays, dtypes, grad)
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), (message, ours, theirs)
        return False
    assert not isinstance(ours, Exception), (message, ours)
    (y, gradients), (z, expected) = ours, theirs
    rtol = rtol or max([TOLERANCE.get(d, 2e-5) for d in dtypes or []] or [2e-5])
    same(y, z, rtol, message)
    for g, h in zip(gradients, expected, strict=True):
        if g is None and h is not None:  # no gradient is recorded where it is zero
            assert not h.any(), message
        elif g is not None:
            same(g, h, rtol, message)
    return True


@beside_pytorch
@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_tensor_is_pytorchs_for_every_dtype_and_shape(name):
    gave = 0
    for dtype in DTYPES:
        for values in ([[1, 0, 1], [0, 1, 1]], 1, [], [[], []], [[3]]):
            gave += compare(lambda lib, x: getattr(lib, name)(x), [values], [dtype], message=(name, dtype, values))
    assert gave


@beside_pytorch
@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_values_and_gradients_are_pytorchs_at_special_numbers(name, dtype):
    if name == "bitwise_not":
        return
    values = [-0.75, -0.25, 0.25, 0.6, 0.9, 1.5, 2.5, 4.5, -3.3, *SPECIAL]
    if name in ("digamma", "lgamma"):
        values = [v for v in values if v > 0 or v % 1]  # PyTorch's gradient at a pole is large, not infinite
    if name == "logit":
        values = [v for v in values if str(v) != "-0.0"]  # PyTorch's gradient there depends on the dtype
    rtol = 1e-8 if name == "digamma" and dtype == "float64" else None  # PyTorch's trigamma is no better
    assert compare(lambda lib, x: getattr(lib, name)(x), [values], [dtype], grad=True, message=name, rtol=rtol)


@beside_pytorch
@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")  # PyTorch, of its own ldexp
@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_tensors_promotes_and_refuses_as_pytorch_does(name):
    gave = 0
    for a in DTYPES:
        for b in DTYPES if name != "ldexp" else DTYPES[:-1]:  # an exponent of bools PyTorch takes at times only
            for shapes in (((2, 1), (3,)), ((), (2,)), ((2,), ()), ((0, 2), (1, 2)), ((), ())):
                x, y = (np.full(shape, 1 + i).tolist() for i, shape in enumerate(shapes))
                message = (name, a, b, shapes)
                gave += compare(lambda lib, x, y: getattr(lib, name)(x, y), [x, y], [a, b], message=message)
    assert gave


@beside_pytorch
@pytest.mark.parametrize("name", sorted(set(BINARY) - {n for n in BINARY if "bitwise" in n}))
def test_its_values_and_gradients_are_pytorchs_at_special_numbers_too(name):
    values = SPECIAL[:-1] if name.startswith("clamp") else SPECIAL  # where it clamps NaN, PyTorch's gradient is 0
    x, y = (np.array(grid).ravel() for grid in np.meshgrid(values, values))
    call = lambda lib, a, b: getattr(lib, name)(a, b)  # noqa: E731
    assert compare(call, [x.tolist(), y.tolist()], ["float64"] * 2, grad=name not in NO_GRADIENT, message=name)


@beside_pytorch
@pytest.mark.parametrize(
    "name", [n for n in BINARY if n not in NO_GRADIENT and "bitwise" not in n and "logical" not in n]
)
def test_its_gradients_are_summed_over_what_was_broadcast(name):
    x, y = [[0.5], [1.25], [-1.75]], [0.7, 1.25, 2.3, -0.4]
    call = lambda lib, a, b: getattr(lib, name)(a, b)  # noqa: E731
    assert compare(call, [x, y], ["float64"] * 2, grad=True, message=name)


X = [[-2.7, -0.5, 0.0], [0.4, 1.0, 3.25]]
KEYWORDS = [
    "lib.add(x, y, alpha=2)",
    "lib.add(2, x, alpha=3)",
    "lib.sub(x, y, alpha=0.5)",
    "lib.subtract(5, x, alpha=2)",
    "lib.rsub(x, y, alpha=3)",
    "lib.rsub(x, 2)",
    "lib.mul(3, x)",
    "lib.div(1, x + 5)",
    "lib.div(x, y + 4, rounding_mode=None)",
    "lib.divide(x, y + 4, rounding_mode='trunc')",
    "x.div(0.7, rounding_mode='floor')",
    "lib.round(x, decimals=1)",
    "lib.round(x * 100, decimals=-2)",
    "lib.remainder(5, y + 4)",
    "lib.floor_divide(5, y + 4)",
    "lib.pow(2, x)",
    "lib.pow(x + 3, 2.5)",
    "lib.pow(x, y.abs() + 1)",
    "x ** 3",
    "lib.float_power(x, 2)",
    "lib.float_power(2, x)",
    "lib.float_power(x + 3, y)",
    "lib.clamp(x, -0.5, 1)",
    "lib.clamp(x, max=1)",
    "lib.clip(x, min=0.4)",
    "lib.clamp(x, y)",
    "lib.clamp(x, max=y)",
    "lib.clamp(x, y - 1, y)",
    "lib.clamp(x, y, y - 1)",
    "lib.clamp(x, lib.tensor(-0.5), lib.tensor(1.0))",
    "lib.clamp(x, min=float('nan'))",
    "lib.clamp_min(x, 0.4)",
    "lib.clamp_max(x, y)",
    "lib.addcmul(x, y, x, value=0.5)",
    "lib.addcmul(x, y, y[0])",
    "x.addcdiv(y, x + 5, value=2)",
    "lib.lerp(x, y, 0.25)",
    "lib.lerp(x, y, 0.75)",
    "lib.lerp(x, y, 1.5)",
    "lib.lerp(x, y, x)",
    "lib.lerp(x, y, lib.tensor(0.75))",
    "lib.lerp(x, y[0], 1)",
    "lib.nan_to_num(x / x)",
    "lib.nan_to_num((x - 1) / (y * 0), nan=2.0, posinf=7, neginf=-7)",
    "x.nan_to_num(nan=None, posinf=3)",
    "lib.logit(x, eps=0.2)",
    "lib.logit(x / 10 + 0.4, 0.45)",
    "lib.logit(x, 0.0)",
    "lib.logit(x, 0.7)",
    "lib.logit(x, -1)",
    "lib.digamma(x * 0)",
    "lib.addcmul(x, y, y, value=2.0)",
    "lib.add(x, 2.5, alpha=1.5)",
    "lib.xlogy(x, 2)",
    "lib.xlogy(2, x + 3)",
    "lib.copysign(x, -1)",
    "lib.copysign(x, -0.0)",
    "lib.fmod(x, 0.7)",
    "lib.ldexp(x, lib.tensor([1, 2, 3]))",
    "lib.where(x > 0, x, y)",
    "lib.where(x > 0, x, 0.0)",
    "lib.where(x > 0, 1, x)",
    "lib.where(x > 0, 1, 2)",
    "lib.where(x > 0, 1.5, 2)",
    "lib.where((x > 0)[:, :1], x, y[0])",
    "x.where(x > y, 2)",
    "lib.isclose(x, y, rtol=0.5, atol=0.1)",
    "lib.isclose(x / x, x / x, equal_nan=True)",
    "lib.isclose(x / 0, y / 0)",
    "lib.eq(x, 1)",
    "x.greater_equal(0.4)",
    "+x",
    "x.sigmoid().logit()",
    "x.multiply(2).absolute().negative().subtract(1)",
]
Y = [[-2.7, 0.5, 1.0], [0.5, 2.0, -3.25]]


@beside_pytorch
@pytest.mark.parametrize("expression", KEYWORDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keywords_and_numbers_mean_what_they_mean_in_pytorch(expression, dtype):
    if dtype == "float64" and "lib.tensor(" in expression and "lerp" not in expression:
        return  # they would make float32 tensors
    call = lambda lib, x, y: eval(expression, {"lib": lib, "x": x, "y": y})  # noqa: E731
    grad = not any(w in expression for w in ("floor_divide", "rounding_mode='floor'", "remainder(5", "digamma"))
    assert compare(call, [X, Y], [dtype] * 2, grad=grad, message=expression)


@beside_pytorch
@pytest.mark.parametrize("expression", [e for e in KEYWORDS if not any(w in e for w in ("logit", "lerp", "value=0.5"))])
def test_the_same_of_integers_gives_pytorchs_dtype(expression):
    call = lambda lib, x, y: eval(expression, {"lib": lib, "x": x, "y": y})  # noqa: E731
    compare(call, [[[1, 2, 3], [4, 5, 6]], [[3, 2, 1], [1, 2, 3]]], message=expression)


@beside_pytorch
@pytest.mark.parametrize("function", [operator.lshift, operator.rshift])
@pytest.mark.parametrize("b", [1, 9, 64, -1, True, 1.5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_shifts_are_pytorchs(function, b, dtype):
    if (dtype, b) != ("uint8", -1):
        compare(lambda lib, x: function(x, b), [[1, 0, 1]], [dtype])
    if not isinstance(b, float) and dtype == "int64":
        assert compare(lambda lib, x: function(40, x), [[1, 2, 3]])
        assert compare(lambda lib, x: function(x, lib.tensor(b)), [[-5, 5]])
    if dtype.startswith("int"):
        x = tg.tensor([5, -8], dtype=getattr(tg, dtype))
        before = x
        x <<= 1
        x >>= 1
        assert x is before
        assert x.tolist() == [5, -8]


IN_PLACE = [
    "abs_() absolute_() acos_() arccos_() asin_() arcsin_() asinh_() arcsinh_() atan_() arctan_() atanh_() arctanh_()",
    "ceil_() clamp_(0,0.4) clamp_(max=0.4) clamp_(y,y+1) clamp_max_(0.3) clamp_min_(y) clip_(0.2) copysign_(y) cos_()",
    "cosh_() deg2rad_() digamma_() div_(2) div_(y,rounding_mode='trunc') divide_(y) eq_(y) erf_() erfc_() erfinv_()",
    "exp_() exp2_() expm1_() fix_() float_power_(2) floor_() floor_divide_(y) fmod_(y) frac_() ge_(y) greater_(y)",
    "greater_equal_(y) gt_(0.5) heaviside_(y) hypot_(y) ldexp_(y) le_(y) lerp_(y,0.3) lerp_(y,y) less_(y)",
    "less_equal_(y) lgamma_() log_() log10_() log1p_() log2_() logical_and_(y) logical_not_() logical_or_(y)",
    "logical_xor_(y) logit_() logit_(0.3) lt_(y) mul_(y) multiply_(2) nan_to_num_() ne_(y) neg_() negative_()",
    "nextafter_(y) not_equal_(y) pow_(2) pow_(y) rad2deg_() reciprocal_() relu_() remainder_(y) round_()",
    "round_(decimals=1) rsqrt_() sgn_() sigmoid_() sign_() sin_() sinc_() sinh_() sqrt_() square_() sub_(y,alpha=2)",
    "subtract_(y,alpha=2) tan_() tanh_() true_divide_(y) trunc_() xlogy_(y) add_(y,alpha=3) addcmul_(y,y,value=2)",
    "addcdiv_(y,y+1) bitwise_and_(y) bitwise_or_(1) bitwise_xor_(y) bitwise_not_() bitwise_left_shift_(y)",
    "bitwise_right_shift_(1) acosh_() arccosh_() atan2_(y) arctan2_(y)",
]
IN_PLACE_CALLS = " ".join(IN_PLACE).split()
NO_GRADIENT_IN_PLACE = {*NO_GRADIENT, "asinh", "arcsinh", "acosh", "arccosh", "atanh", "arctanh"}  # again PyTorch


@beside_pytorch
@pytest.mark.parametrize("call", IN_PLACE_CALLS)
def test_a_method_in_place_writes_what_pytorch_writes(call):
    def written(lib, x, y):
        z = x + 0
        returned = eval(f"z.{call}", {"z": z, "y": y})
        assert returned is z
        return z

    gave = 0
    for dtype in ("float32", "float64", "int64") if "float_power" not in call else ("float64",):
        arrays = [[0.25, 0.5, 0.75], [0.5, 1.0, 0.4]] if dtype[0] == "f" else [[5, 2, 3], [1, 2, 3]]
        differentiable = dtype[0] == "f" and "logical" not in call and call.split("_(")[0] not in NO_GRADIENT_IN_PLACE
        gave += compare(written, arrays, [dtype] * 2, grad=differentiable, message=(call, dtype), rtol=1e-6)
    assert gave


@beside_pytorch
def test_every_method_of_pytorch_in_place_is_there():
    names = {f"{name}_" for name in UNARY + BINARY} | {call.split("(")[0] for call in IN_PLACE_CALLS}
    assert {n for n in names if hasattr(torch.Tensor, n)} == {n for n in names if hasattr(tg.Tensor, n)}
    methods = {*UNARY, *BINARY, *"allclose isclose equal is_nonzero lerp addcmul addcdiv clamp clip where".split()}
    assert {n for n in methods if hasattr(torch.Tensor, n)} == {n for n in methods if hasattr(tg.Tensor, n)}


PREDICATES = [
    ("allclose", [1.0, 2.0], [1.0, 2.0000001]),
    ("allclose", [1.0, 2.0], [1.0, 2.1]),
    ("allclose", [math.nan], [math.nan]),
    ("allclose", [math.inf, -math.inf], [math.inf, -math.inf]),
    ("allclose", [[1.0], [1.0]], [1.0, 1.0]),
    ("allclose", [], []),
    ("equal", [1, 2], [1, 2]),
    ("equal", [1, 2], [1.0, 2.0]),
    ("equal", [1, 2], [[1, 2]]),
    ("equal", [math.nan], [math.nan]),
    ("equal", [], []),
    ("equal", [True], [1]),
]


@beside_pytorch
@pytest.mark.parametrize(("name", "a", "b"), PREDICATES)
def test_whether_tensors_agree_is_a_python_bool(name, a, b):
    ours, theirs = (getattr(lib, name)(lib.tensor(a), lib.tensor(b)) for lib in (tg, torch))
    assert ours is theirs
    assert getattr(tg.tensor(a), name)(tg.tensor(b)) is theirs


def test_is_nonzero_is_the_truth_of_one_element():
    assert tg.is_nonzero(tg.tensor([2.0])) is True
    assert tg.tensor(0).is_nonzero() is False


def test_where_of_a_condition_alone_is_the_indices_where_it_holds():
    rows, columns = tg.where(tg.tensor([[True, False], [False, True]]))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 1])


ALIASES = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "clamp": "clip", "div": "divide", "ge": "greater_equal", "gt": "greater",
    "le": "less_equal", "lt": "less", "mul": "multiply", "ne": "not_equal", "neg": "negative", "sign": "sgn",
    "sub": "subtract", "trunc": "fix",
}  # fmt: skip


@pytest.mark.parametrize(("name", "alias"), ALIASES.items())
def test_an_alias_is_the_same_operation(name, alias):
    assert getattr(tg.ops, alias) is getattr(tg.ops, name)
    assert getattr(tg.Tensor, alias) is getattr(tg.Tensor, name)


UFUNCS = "arccos arccosh arcsin arcsinh arctan arctanh cosh deg2rad exp2 rad2deg signbit sinh tan positive"
UFUNCS_OF_TWO = "arctan2 copysign fmax fmin fmod heaviside hypot logaddexp logaddexp2 nextafter float_power"


@pytest.mark.parametrize("name", (UFUNCS + " " + UFUNCS_OF_TWO).split())
def test_the_ufunc_of_a_tensor_is_the_operation(name):
    x = tg.tensor([0.5, 1.5], dtype=tg.float64, requires_grad=True)
    others = [tg.tensor([1.5, 0.5], dtype=tg.float64)] if name in UFUNCS_OF_TWO.split() else []
    ours = getattr(np, name)(x, *others)
    assert isinstance(ours, tg.Tensor)
    with np.errstate(invalid="ignore"):
        theirs = getattr(np, name)(x.detach().numpy(), *(other.numpy() for other in others))
    np.testing.assert_allclose(ours.detach().numpy(), theirs)


MISTAKES = [
    (lambda x: tg.hypot(x.long(), x.long()), DtypeError, r"hypot: it needs a floating dtype, not int64 and int64"),
    (lambda x: tg.logaddexp(x.long(), x.long()), DtypeError, "logaddexp: it needs a floating dtype"),
    (lambda x: tg.frac(x.long()), DtypeError, r"frac: .* convert with \.float\(\)"),
    (lambda x: tg.nextafter(x.long(), x.long()), DtypeError, "nextafter: it needs a floating dtype"),
    (lambda x: tg.round(x.long(), decimals=1), DtypeError, "round: it needs a floating dtype, not int64"),
    (lambda x: tg.floor(x > 0), DtypeError, r"floor: it does not take bools; convert with \.long\(\)"),
    (lambda x: tg.positive(x > 0), DtypeError, "positive: it does not take bools"),
    (lambda x: tg.fmod(x > 0, x > 0), DtypeError, "fmod: it does not take bools"),
    (lambda x: tg.fmod(x.long(), 0), ZeroDivisionError, "fmod: an integer divided by 0"),
    (lambda x: x << 1, DtypeError, "bitwise_left_shift: input 0 is float32, which it does not take"),
    (lambda x: (x > 0) >> (x > 0), DtypeError, "bitwise_right_shift: it does not take bools"),
    (lambda x: tg.lerp(x, x.double(), 0.5), DtypeError, r"lerp: .* share one dtype, and input is float32, .* float64"),
    (lambda x: tg.lerp(x.long(), x.long(), 0.5), DtypeError, "lerp: it needs a floating dtype, not int64"),
    (lambda x: tg.addcdiv(x, x.long(), x.long()), DtypeError, "addcdiv: it needs a floating dtype"),
    (lambda x: tg.addcmul(x.long(), x.long(), x.long(), value=0.5), DtypeError, "addcmul: value must be an integer"),
    (lambda x: tg.heaviside(x, x.double()), DtypeError, "heaviside: .* input is float32, values is float64"),
    (lambda x: tg.isclose(x, x.double()), DtypeError, "isclose: .* input is float32, other is float64"),
    (lambda x: tg.isclose(x, x, rtol=-1), ValueError, "isclose: rtol and atol must be 0 or more, not -1 and 1e-08"),
    (lambda x: tg.clamp(x), ValueError, "clamp: give min, max or both"),
    (lambda x: x.clamp_(), ValueError, "clamp: give min, max or both"),
    (lambda x: tg.div(x, x, rounding_mode="up"), ValueError, "div: rounding_mode must be None, 'trunc' or 'floor'"),
    (lambda x: tg.is_nonzero(x), ShapeError, r"the truth of a tensor of shape \(3,\) is ambiguous"),
    (lambda x: tg.atan2(x, tg.ones(2)), ShapeError, r"atan2: shapes \(3,\) and \(2,\) do not broadcast"),
    (lambda x: tg.where(x, x, x), DtypeError, "where: the condition must hold bools, not float32"),
    (lambda x: tg.where(x > 0, x, tg.ones(2)), ShapeError, r"where: shapes .*\(2,\) do not broadcast"),
    (lambda x: x.long().copysign_(1), DtypeError, "copysign_: the result is float.*out-of-place"),
    (lambda x: x.clamp_max_(tg.ones(2, 3)), ShapeError, r"clamp_max_: the result is float32\[2, 3\]"),
    (lambda x: x.long().float_power_(2), DtypeError, r"float_power_: the result is float64.* written into int64\[3\]"),
    (lambda x: tg.abs(x > 0), DtypeError, "abs: it does not take bools"),
    (lambda x: tg.relu(x > 0), DtypeError, "relu: it does not take bools"),
    (lambda x: x.requires_grad_().hypot_(x), AutogradError, "a leaf tensor that requires a gradient"),
    (lambda x: tg.atan2(x, "1"), DtypeError, "atan2: input 1 must be a Tensor, an ndarray or a number, not str"),
]


@pytest.mark.parametrize(("mistake", "error", "message"), MISTAKES)
def test_a_mistake_is_named(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake(tg.tensor([1.0, -2.0, 3.0]))


def test_the_error_function_in_single_precision_is_within_two_units_of_the_last_place():
    x = np.concatenate([np.linspace(-6, 6, 20_001), np.logspace(-37, 0, 2_001)]).astype(np.float32)
    exact = np.vectorize(math.erf)(x.astype(float))
    error = np.abs(tg.erf(tg.from_numpy(x)).numpy() - exact)
    assert (error <= 2.5e-7 * np.abs(exact)).all()


def test_the_inverse_error_function_is_exact_to_a_unit_in_the_last_place_in_single_precision():
    y = np.concatenate([np.linspace(-1, 1, 20_001), 1 - np.logspace(-7.2, -1, 2_001), np.logspace(-37, 0, 2_001)])
    y = y.astype(np.float32)
    exact = tg.erfinv(tg.from_numpy(y.astype(np.float64))).numpy()
    np.testing.assert_allclose(tg.erfinv(tg.from_numpy(y)).numpy(), exact, rtol=1.2e-7)


def test_lerp_is_its_composition():
    source = np.random.default_rng(0)
    a, b, w = (tg.tensor(source.standard_normal(s), requires_grad=True) for s in ((3, 4), (4,), (2, 3, 1)))
    for weight, leaves in ((w, [a, b, w]), (0.3, [a, b]), (-2, [a, b])):
        fused, plain = tg.lerp(a, b, weight), a + (b - a) * weight
        np.testing.assert_allclose(fused.detach().numpy(), plain.detach().numpy(), rtol=1e-12, atol=1e-14)
        g = tg.tensor(source.standard_normal(fused.shape))
        for x, z in zip(tg.autograd.grad(fused, leaves, g), tg.autograd.grad(plain, leaves, g)):
            np.testing.assert_allclose(x.numpy(), z.numpy(), rtol=1e-12, atol=1e-14)
    a, b = tg.tensor(source.standard_normal((2, 9))), tg.tensor(source.standard_normal(9))
    assert tg.lerp(a, b, tg.zeros(9).double()).tolist() == a.tolist()
    assert tg.lerp(a, b, tg.ones(9).double()).tolist() == b.expand(2, 9).tolist()


def test_special_functions_are_exact_in_double_precision():
    x = np.linspace(-5.9, 26.1, 3_001)
    for ours, reference in ((tg.erf, math.erf), (tg.erfc, math.erfc), (tg.lgamma, math.lgamma)):
        expected = np.vectorize(reference)(x)
        np.testing.assert_allclose(ours(tg.from_numpy(x)).numpy(), expected, rtol=1e-13, atol=3e-14)
    y = np.linspace(-0.999, 0.999, 501)
    np.testing.assert_allclose(tg.erf(tg.erfinv(tg.from_numpy(y))).numpy(), y, rtol=1e-15)


@beside_pytorch
def test_lgamma_can_be_differentiated_again_and_again():
    ours, theirs = (lib.tensor([0.3, 1.7, -1.4, 12.5], dtype=lib.float64, requires_grad=True) for lib in (tg, torch))
    y, z = tg.lgamma(ours), torch.lgamma(theirs)
    for _ in range(4):
        (y,), (z,) = tg.autograd.grad(y.sum(), ours, create_graph=True), torch.autograd.grad(
            z.sum(), theirs, create_graph=True
        )  # fmt: skip
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9)


COMPOSITIONS = [
    ("hypot", lambda a, b: tg.sqrt(a * a + b * b)),
    ("xlogy", lambda a, b: a * tg.log(b)),
    ("logaddexp", lambda a, b: tg.log(tg.exp(a) + tg.exp(b))),
    ("logaddexp2", lambda a, b: tg.log2(tg.exp2(a) + tg.exp2(b))),
    ("nan_to_num", lambda a, b: tg.where(a != a, 0.0, a)),
    ("sigmoid", lambda a, b: 1 / (1 + tg.exp(-a))),
]


@pytest.mark.parametrize(("name", "composed"), COMPOSITIONS)
def test_a_fused_operation_is_its_composition(name, composed):
    results = []
    for function in (getattr(tg, name), composed):
        a, b = (tg.tensor(v, dtype=tg.float64, requires_grad=True) for v in ([0.5, -1.5, 2.0], [1.5, 0.5, 3.0]))
        y = function(a, b) if name not in ("nan_to_num", "sigmoid") or function is composed else function(a)
        y.sum().backward()
        results.append([y.tolist(), a.grad.tolist(), b.grad.tolist() if b.grad is not None else None])
    for ours, expected in zip(*results):
        assert ours == pytest.approx(expected) if expected else ours == expected


MANY = 5_000  # enough for the kernels that work on words, or in blocks


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int64, np.bool_])
def test_where_of_many_elements_is_where_of_few(dtype):
    source = np.random.default_rng(0)
    a, b = (source.integers(-3, 3, (2, MANY)).astype(dtype) for _ in range(2))
    mask = source.random((2, MANY)) < 0.5
    number, zero = dtype(2).item(), dtype(0).item()
    strided = np.repeat(a, 2, axis=1)[:, ::2]
    cases = [
        (mask, a, b), (mask, a, b[0]), (mask[0], a, b), (mask, a, number), (mask, number, b), (mask, a, zero),
        (mask, zero, b), (mask, strided, b), (mask[:, ::-1], a, b[:, :1]), (mask, number, number),
    ]  # fmt: skip
    for case in cases:
        y = tg.where(*(tg.tensor(x) if isinstance(x, np.ndarray) else x for x in case))
        np.testing.assert_array_equal(y.numpy(), np.where(*case))
        if case[1] is not number or case[2] is not number:
            assert y.dtype == dtype


@beside_pytorch
@pytest.mark.parametrize("name", ["relu", "sigmoid", "erf", "clamp", "sign", "maximum", "where"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_many_elements_are_pytorchs_too(name, dtype):
    arguments = {
        "clamp": lambda lib, x: (x, -0.5, 1.0),
        "maximum": lambda lib, x: (x, x.flip(0)),
        "where": lambda lib, x: (x > 0, x, x * 2),
    }.get(name, lambda lib, x: (x,))
    values = [*SPECIAL, *np.linspace(-6, 6, MANY).tolist()]
    compare(lambda lib, x: getattr(lib, name)(*arguments(lib, x)), [values], [dtype], grad=True, message=name)
