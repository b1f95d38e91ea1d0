"""The operations. Every primitive is an `op` with its kernel and vjps; the public functions check and compose them.

A function takes tensors, and then records; or arrays, and then returns arrays: that is how the vjps run in an eager
backward walk.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorgrad.ops.activation import relu, sigmoid, tanh
from tensorgrad.ops.arithmetic import (
    abs,
    add,
    add_op,
    ceil,
    clamp,
    div,
    floor,
    floor_divide,
    maximum,
    minimum,
    mul,
    neg,
    remainder,
    round,
    scaled,
    sign,
    sub,
    sub_op,
    true_divide,
    trunc,
)
from tensorgrad.ops.choose import cast, clone, clone_op, where
from tensorgrad.ops.compare import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
)
from tensorgrad.ops.dims import flat, one_dim
from tensorgrad.ops.index import (
    check_index,
    gather,
    getitem,
    index_select,
    masked_fill,
    masked_select,
    nonzero,
    one_hot,
    scatter_add,
    setitem,
    take_along_dim,
)
from tensorgrad.ops.linalg import addmm, bmm, dot, linear, matmul, mm, mv, outer
from tensorgrad.ops.powers import (
    atan,
    cos,
    erf,
    exp,
    expm1,
    log,
    log1p,
    log2,
    log10,
    pow,
    reciprocal,
    rsqrt,
    sin,
    sqrt,
    square,
    tan,
)
from tensorgrad.ops.reduce import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    argsort,
    count_nonzero,
    cumsum,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    sort,
    std,
    sum,
    topk,
    var,
)
from tensorgrad.ops.shape import (
    broadcast_to,
    cat,
    chunk,
    diagonal,
    expand,
    flatten,
    flip,
    movedim,
    narrow,
    permute,
    permute_op,
    ravel,
    repeat,
    reshape,
    reshape_op,
    resolve_shape,
    roll,
    select,
    split,
    squeeze,
    stack,
    t,
    trace,
    transpose,
    tril,
    triu,
    unbind,
    unflatten,
    unsqueeze,
)
from tensorgrad.ops.softmax import log_softmax, softmax

# The public functions of the families above: what `tensorgrad.X` is.
EAGER = """
abs add addmm all amax amin any argmax argmin argsort atan bitwise_and bitwise_not bitwise_or bitwise_xor bmm
broadcast_to cat ceil chunk clamp clone cos count_nonzero cumsum diagonal div dot eq erf exp expm1 flatten flip
floor floor_divide gather ge gt index_select isfinite isinf isnan le log log10 log1p log2 log_softmax
logical_and logical_not logical_or logical_xor logsumexp lt masked_fill masked_select matmul max maximum mean
min minimum mm movedim mul mv narrow ne neg nonzero norm outer permute pow prod ravel reciprocal relu remainder
reshape roll round rsqrt scatter_add select sigmoid sign sin softmax sort split sqrt square squeeze stack std
sub sum t take_along_dim tan tanh topk trace transpose tril triu true_divide trunc unbind unflatten unsqueeze
var where
""".split()

# The families that are reached when one of their names is first used, so that importing the library costs little:
# the file, and its public functions. Those before the bar are methods of Tensor as well, a trailing underscore is the
# method that works in place; those after the bar are functions only.
LATE: dict[str, str] = {}


def _parse() -> None:
    """Read `LATE` into the tables that are used."""
    for family, text in LATE.items():
        methods, _, functions = text.partition("|")
        for name in methods.split():
            METHODS.append(name)
        for name in (methods + functions).split():
            if not name.endswith("_"):
                FAMILY[name] = family


METHODS: list[str] = []
FAMILY: dict[str, str] = {}
_parse()
NAMES = frozenset([*EAGER, *FAMILY])


def load_all() -> None:
    """Load every family: what looks at all operations at once needs it."""
    for family in LATE:
        import_module(f"tensorgrad.ops.{family}")


def __getattr__(name: str) -> Any:
    if name in FAMILY:
        found = globals()[name] = getattr(import_module(f"tensorgrad.ops.{FAMILY[name]}"), name)
        return found
    raise AttributeError(f"module 'tensorgrad.ops' has no attribute {name!r}")
