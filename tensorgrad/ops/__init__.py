"""The operations. Every primitive is an `op` with its kernel and vjps; the public functions check and compose them.

A function takes tensors, and then records; or arrays, and then returns arrays: that is how the vjps run in an eager
backward walk.
"""

# mypy: disable-error-code="no-redef"
# (each family calls its own kernels `cpu`)

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
from tensorgrad.ops.index import getitem, setitem
from tensorgrad.ops.powers import (
    cos,
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
)
from tensorgrad.ops.reduce import all, amax, amin, any, argmax, argmin, logsumexp, max, mean, min, sum
from tensorgrad.ops.shape import (
    broadcast_to,
    expand,
    flatten,
    flip,
    narrow,
    permute,
    permute_op,
    ravel,
    reshape,
    reshape_op,
    resolve_shape,
    select,
    squeeze,
    t,
    transpose,
    unsqueeze,
)
from tensorgrad.ops.softmax import log_softmax, softmax

if TYPE_CHECKING:
    from tensorgrad.ops.aliases import *
    from tensorgrad.ops.arranging import *
    from tensorgrad.ops.closeness import *
    from tensorgrad.ops.combining import *
    from tensorgrad.ops.contraction import *
    from tensorgrad.ops.convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
    from tensorgrad.ops.counting import *
    from tensorgrad.ops.cumulative import *
    from tensorgrad.ops.determinants import *
    from tensorgrad.ops.diagonals import *
    from tensorgrad.ops.distances import *
    from tensorgrad.ops.factors import *
    from tensorgrad.ops.gathering import *
    from tensorgrad.ops.joining import *
    from tensorgrad.ops.layout import *
    from tensorgrad.ops.linalg import matmul
    from tensorgrad.ops.norms import *
    from tensorgrad.ops.picking import *
    from tensorgrad.ops.products import *
    from tensorgrad.ops.regions import *
    from tensorgrad.ops.rounding import *
    from tensorgrad.ops.scattering import *
    from tensorgrad.ops.solving import *
    from tensorgrad.ops.sorting import *
    from tensorgrad.ops.special import *
    from tensorgrad.ops.stacking import *
    from tensorgrad.ops.statistics import *
    from tensorgrad.ops.trigonometry import *

# The public functions of the families above: what `tensorgrad.X` is.
EAGER = """
abs add all amax amin any argmax argmin bitwise_and bitwise_not bitwise_or bitwise_xor broadcast_to ceil
clamp clone cos div eq exp expm1 flatten flip floor floor_divide ge gt isfinite isinf isnan le log
log10 log1p log2 log_softmax logical_and logical_not logical_or logical_xor logsumexp lt max
maximum mean min minimum mul narrow ne neg permute pow ravel reciprocal relu remainder reshape round rsqrt
select sigmoid sign sin softmax sqrt square squeeze sub sum t tanh transpose true_divide trunc
unsqueeze where
""".split()

# The families that are reached when one of their names is first used, so that importing the library costs little:
# the file, and its public functions. Those before the bar are methods of Tensor as well, a trailing underscore is the
# method that works in place; those after the bar are functions only. Of a family above, only methods in place are here.
LATE: dict[str, str] = {
    "activation": "relu_ sigmoid_ tanh_",
    "aliases": """
    absolute absolute_ arccos arccos_ arccosh arccosh_ arcsin arcsin_ arcsinh arcsinh_ arctan arctan2 arctan2_ arctan_
    arctanh arctanh_ clip clip_ divide divide_ fix fix_ greater greater_ greater_equal greater_equal_ less less_
    less_equal less_equal_ multiply multiply_ negative negative_ not_equal not_equal_ sgn sgn_ subtract subtract_
    """,
    "arithmetic": "abs_ ceil_ floor_ floor_divide_ neg_ remainder_ round_ sign_ true_divide_ trunc_",
    "arranging": "fliplr flipud repeat repeat_interleave roll rot90 tile",
    "closeness": "allclose equal is_nonzero isclose isneginf isposinf isreal signbit",
    "combining": """
    addcdiv addcdiv_ addcmul addcmul_ bitwise_left_shift bitwise_left_shift_ bitwise_right_shift bitwise_right_shift_
    copysign copysign_ float_power float_power_ fmax fmin fmod fmod_ heaviside heaviside_ ldexp ldexp_ lerp lerp_
    nextafter nextafter_ | rsub
    """,
    "compare": """
    bitwise_and_ bitwise_not_ bitwise_or_ bitwise_xor_ eq_ ge_ gt_ le_ logical_and_ logical_not_ logical_or_
    logical_xor_ lt_ ne_
    """,
    "contraction": "| einsum tensordot",
    "convolution": "| conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "counting": "bincount count_nonzero histc histogram unique unique_consecutive | bucketize searchsorted",
    "ctc": "",
    "cumulative": "cummax cummin cumsum cumsum_ diff logcumsumexp | cumulative_trapezoid trapezoid trapz",
    "decompositions": "",
    "determinants": "det logdet slogdet",
    "diagonals": """
    diag diag_embed diagflat diagonal fill_diagonal_ trace tril tril_ triu triu_ | tril_indices triu_indices
    """,
    "distances": "dist | cdist",
    "factors": "cumprod cumprod_ prod",
    "gathering": "gather index_select masked_fill nonzero",
    "joining": "chunk split unbind | cat stack",
    "linalg": "matmul",
    "layout": """
    movedim moveaxis squeeze_ swapaxes swapaxes_ swapdims swapdims_ t_ transpose_ unflatten unfold unsqueeze_
    | atleast_1d atleast_2d atleast_3d broadcast_shapes broadcast_tensors
    """,
    "losses": "",
    "normalization": "",
    "norms": "norm renorm renorm_",
    "picking": "argwhere masked_select take take_along_dim",
    "pooling": "",
    "powers": "cos_ exp_ expm1_ log_ log10_ log1p_ log2_ reciprocal_ rsqrt_ sin_ sqrt_ square_",
    "products": """
    addbmm addbmm_ addmm addmm_ addmv addmv_ addr addr_ baddbmm baddbmm_ bmm cross dot ger inner kron mm mv outer vdot
    | chain_matmul
    """,
    "rectifiers": "",
    "recurrent": "",
    "regions": "diagonal_scatter select_scatter slice_scatter",
    "resampling": "",
    "rounding": "clamp_max clamp_max_ clamp_min clamp_min_ frac frac_ nan_to_num nan_to_num_ positive",
    "scattering": """
    index_add index_add_ index_copy index_copy_ index_fill index_fill_ index_put index_put_ masked_scatter
    masked_scatter_ scatter scatter_ scatter_add scatter_add_ scatter_reduce scatter_reduce_
    """,
    "solving": "cholesky_inverse cholesky_solve inverse matrix_exp matrix_power pinverse",
    "sorting": "argsort kthvalue median mode msort nanmedian sort topk",
    "special": """
    digamma digamma_ erf erf_ erfc erfc_ erfinv erfinv_ exp2 exp2_ lgamma lgamma_ logaddexp logaddexp2 logit logit_
    xlogy xlogy_
    """,
    "stacking": """
    dsplit hsplit split_with_sizes tensor_split vsplit | block_diag cartesian_prod column_stack combinations concat
    concatenate dstack hstack meshgrid row_stack vstack
    """,
    "statistics": "aminmax corrcoef cov nanmean nanquantile nansum quantile std var | std_mean var_mean",
    "trigonometry": """
    acos acos_ acosh acosh_ asin asin_ asinh asinh_ atan atan2 atan2_ atan_ atanh atanh_ cosh cosh_ deg2rad deg2rad_
    hypot hypot_ rad2deg rad2deg_ sinc sinc_ sinh sinh_ tan tan_
    """,
}


def _parse() -> None:
    """Read `LATE` into the tables that are used."""
    for family, text in LATE.items():
        methods, _, functions = text.partition("|")
        for name in methods.split():
            METHODS[name] = family
        for name in (methods + functions).split():
            if not name.endswith("_"):
                FAMILY[name] = family


METHODS: dict[str, str] = {}
FAMILY: dict[str, str] = {}
_parse()
NAMES = frozenset([*EAGER, *FAMILY])


def __getattr__(name: str) -> Any:
    if name in FAMILY:
        found = globals()[name] = getattr(import_module(f"tensorgrad.ops.{FAMILY[name]}"), name)
        return found
    raise AttributeError(f"module 'tensorgrad.ops' has no attribute {name!r}")
