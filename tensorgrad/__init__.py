"""tensorgrad: a micro-framework for deep learning on NumPy, with PyTorch's names and numbers.

>>> import tensorgrad as tg
>>> x = tg.tensor([1.0, 2.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import warnings
from importlib import import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from tensorgrad import autograd, ops
from tensorgrad.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tensorgrad.backends.device import device
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
from tensorgrad.ops.keywords import public
from tensorgrad.tensor import Size, Tensor

del globals()["tensor"]  # importing the module of this name set it; the function is what users want, see __getattr__

if TYPE_CHECKING:
    from tensorgrad import (
        datasets,
        estimators,
        linalg,
        metrics,
        nn,
        optim,
        testing,
        tracking,
        train,
        tuning,
        utils,
        viz,
    )
    from tensorgrad.backends.threads import get_num_threads, set_num_threads
    from tensorgrad.creation import *
    from tensorgrad.formats import *
    from tensorgrad.func import vmap
    from tensorgrad.io import load, save
    from tensorgrad.ops import *
    from tensorgrad.random import *
    from tensorgrad.settings import *
    from tensorgrad.types import *

__version__ = "0.1.0"

newaxis = None

# log(0) is -inf and 0 / 0 is NaN, without a word, as in PyTorch; the user's own NumPy warns as before.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tensorgrad\.")

# Reached when first used, so that importing the library costs little.
_ROOMS = set(
    "accelerator amp backends cuda datasets distributed estimators func io linalg metrics nn optim return_types "
    "testing tracking train tuning utils vision viz".split()
)
_FOUND_IN = {
    "amp": "autocast",
    "creation": """
    arange as_tensor empty empty_like eye from_dlpack from_numpy full full_like linspace logspace ones
    ones_like tensor zeros zeros_like
    """,
    "autograd.anomaly": "is_anomaly_enabled",
    "backends.threads": "get_num_threads set_num_threads",
    "formats": "channels_last channels_last_3d contiguous_format memory_format preserve_format strided",
    "func": "vmap",
    "io": "load save",
    "random": """
    Generator bernoulli default_generator get_rng_state initial_seed manual_seed multinomial normal rand
    rand_like randint randint_like randn randn_like randperm seed set_rng_state
    """,
    "settings": """
    are_deterministic_algorithms_enabled compile get_default_device get_float32_matmul_precision set_default_device
    set_float32_matmul_precision set_printoptions use_deterministic_algorithms
    """,
    "types": """
    BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor ShortTensor bfloat16
    can_cast complex64 complex128 finfo iinfo is_complex is_floating_point numel result_type
    set_default_tensor_type
    """,
}
_LATE = {name: room for room, names in _FOUND_IN.items() for name in names.split()}

# What is above, the rooms, the operations by `ops`' own table, and what is reached late.
__all__ = sorted(
    """
    Size Tensor autograd bool device double e enable_grad errors float float16 float32 float64 get_default_dtype half
    inf inference_mode int int8 int16 int32 int64 is_grad_enabled is_inference_mode_enabled is_tensor long nan newaxis
    no_grad pi promote_types set_default_dtype set_grad_enabled short uint8
    """.split()
    + [*(_ROOMS - {"io", "estimators"}), *ops.NAMES, *_LATE]
)


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
    if name in ops.NAMES:
        found = globals()[name] = public(getattr(ops, name))
        return found
    if name in _LATE:
        found = globals()[name] = getattr(import_module(f"tensorgrad.{_LATE[name]}"), name)
        return found
    raise AttributeError(f"module 'tensorgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
