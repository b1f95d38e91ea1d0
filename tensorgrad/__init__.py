"""tensorgrad: a micro-framework for deep learning on NumPy, with PyTorch's names and numbers.

>>> import tensorgrad as tg
>>> x = tg.tensor([1.0, 2.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorgrad import autograd
from tensorgrad.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tensorgrad.backends.dtypes import bool_ as bool
from tensorgrad.backends.dtypes import (
    double,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from tensorgrad.backends.dtypes import float32 as float
from tensorgrad.backends.dtypes import int32 as int
from tensorgrad.ops import (
    abs,
    add,
    addmm,
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    atan,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    bmm,
    broadcast_to,
    cat,
    ceil,
    chunk,
    clamp,
    clone,
    cos,
    count_nonzero,
    cumsum,
    diagonal,
    div,
    dot,
    eq,
    erf,
    exp,
    expm1,
    flatten,
    flip,
    floor,
    floor_divide,
    gather,
    ge,
    gt,
    index_select,
    isfinite,
    isinf,
    isnan,
    le,
    log,
    log1p,
    log2,
    log10,
    log_softmax,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    logsumexp,
    lt,
    masked_fill,
    masked_select,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    mm,
    movedim,
    mul,
    mv,
    narrow,
    ne,
    neg,
    nonzero,
    norm,
    outer,
    permute,
    pow,
    prod,
    ravel,
    reciprocal,
    relu,
    remainder,
    reshape,
    roll,
    round,
    rsqrt,
    scatter_add,
    select,
    sigmoid,
    sign,
    sin,
    softmax,
    sort,
    split,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    sub,
    sum,
    t,
    take_along_dim,
    tan,
    tanh,
    topk,
    trace,
    transpose,
    tril,
    triu,
    true_divide,
    trunc,
    unbind,
    unflatten,
    unsqueeze,
    var,
    where,
)
from tensorgrad.tensor import Tensor

del globals()["tensor"]  # importing the module of this name set it; the function is what users want, see __getattr__

if TYPE_CHECKING:
    from tensorgrad import datasets, nn, optim, testing, utils, viz
    from tensorgrad.creation import (
        arange,
        as_tensor,
        empty,
        empty_like,
        eye,
        from_dlpack,
        from_numpy,
        full,
        full_like,
        linspace,
        meshgrid,
        ones,
        ones_like,
        tensor,
        zeros,
        zeros_like,
    )
    from tensorgrad.io import load, save
    from tensorgrad.random import (
        Generator,
        bernoulli,
        default_generator,
        get_rng_state,
        initial_seed,
        manual_seed,
        multinomial,
        normal,
        rand,
        rand_like,
        randint,
        randint_like,
        randn,
        randn_like,
        randperm,
        seed,
        set_rng_state,
    )

__version__ = "0.1.0"

# log(0) is -inf and 0 / 0 is NaN, without a word, as in PyTorch; the user's own NumPy warns as before.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tensorgrad\.")

# Reached when first used, so that importing the library costs little.
_ROOMS = {"datasets", "io", "nn", "optim", "testing", "utils", "viz"}
_FOUND_IN = {
    "creation": """
    arange as_tensor empty empty_like eye from_dlpack from_numpy full full_like linspace meshgrid ones
    ones_like tensor zeros zeros_like
    """,
    "io": "load save",
    "random": """
    Generator bernoulli default_generator get_rng_state initial_seed manual_seed multinomial normal rand
    rand_like randint randint_like randn randn_like randperm seed set_rng_state
    """,
}
_LATE = {name: room for room, names in _FOUND_IN.items() for name in names.split()}

# fmt: off
__all__ = [
    "Generator", "Tensor", "abs", "add", "addmm", "all", "amax", "amin", "any", "arange", "argmax", "argmin",
    "argsort", "as_tensor", "atan", "autograd", "bernoulli", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor",
    "bmm", "bool", "broadcast_to", "cat", "ceil", "chunk", "clamp", "clone", "cos", "count_nonzero", "cumsum",
    "datasets", "default_generator", "diagonal", "div", "dot", "double", "empty", "empty_like", "enable_grad", "eq",
    "erf", "errors", "exp", "expm1", "eye", "flatten", "flip", "float", "float16", "float32", "float64", "floor",
    "floor_divide", "from_dlpack", "from_numpy", "full", "full_like", "gather", "ge", "get_default_dtype",
    "get_rng_state", "gt", "half", "index_select", "inference_mode", "initial_seed", "int", "int8", "int16", "int32",
    "int64", "is_grad_enabled", "is_inference_mode_enabled", "is_tensor", "isfinite", "isinf", "isnan", "le",
    "linspace", "load", "log", "log1p", "log2", "log10", "log_softmax", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logsumexp", "long", "lt", "manual_seed", "masked_fill", "masked_select", "matmul", "max",
    "maximum", "mean", "meshgrid", "min", "minimum", "mm", "movedim", "mul", "multinomial", "mv", "narrow", "ne",
    "neg", "nn", "no_grad", "nonzero", "norm", "normal", "ones", "ones_like", "optim", "outer", "permute", "pow",
    "prod", "promote_types", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "ravel", "reciprocal", "relu", "remainder", "reshape", "roll", "round", "rsqrt", "save", "scatter_add", "seed",
    "select", "set_default_dtype", "set_grad_enabled", "set_rng_state", "short", "sigmoid", "sign", "sin", "softmax",
    "sort", "split", "sqrt", "square", "squeeze", "stack", "std", "sub", "sum", "t", "take_along_dim", "tan", "tanh",
    "tensor", "testing", "topk", "trace", "transpose", "tril", "triu", "true_divide", "trunc", "uint8", "unbind",
    "unflatten", "unsqueeze", "utils", "var", "viz", "where", "zeros", "zeros_like",
]
# fmt: on


def is_tensor(obj: Any) -> Any:
    """Whether an object is a Tensor.

    >>> import tensorgrad as tg
    >>> tg.is_tensor(tg.ones(1)), tg.is_tensor([1])
    (True, False)
    """
    return isinstance(obj, Tensor)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"tensorgrad.{name}")
    if name in _LATE:
        found = globals()[name] = getattr(import_module(f"tensorgrad.{_LATE[name]}"), name)
        return found
    raise AttributeError(f"module 'tensorgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
