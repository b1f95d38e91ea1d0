"""Random tensors, from a seedable `Generator`; NumPy's PCG64 makes the numbers (they are not PyTorch's)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any

import numpy as np

from tensorgrad.backends.device import require_cpu
from tensorgrad.backends.dtypes import as_dtype, float16, float32, get_default_dtype, int64
from tensorgrad.creation import finish, maker, shape_of
from tensorgrad.errors import DtypeError
from tensorgrad.ops.checks import must_be_int, must_be_tensors
from tensorgrad.ops.keywords import takes_out
from tensorgrad.tensor import Tensor


class Generator:
    """A source of random numbers with a state of its own.

    >>> import tensorgrad as tg
    >>> g = tg.Generator().manual_seed(0)
    >>> a = tg.rand(2, generator=g)
    >>> bool((a == tg.rand(2, generator=g.manual_seed(0))).all())
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        require_cpu("Generator", device)
        self.seed()

    def manual_seed(self, seed: int) -> Generator:
        """Start anew from a seed of 64 bits, a negative one counted from 2**64 down; return self."""
        if not isinstance(seed, int | np.integer):
            raise TypeError(f"manual_seed: the seed must be an int, not {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: the seed must be from -2**63 to 2**64 - 1, not {seed}")
        self._seed = int(seed) % 2**64
        self.__dict__.pop("numpy", None)
        return self

    @cached_property
    def numpy(self) -> np.random.Generator:
        """The NumPy generator that draws the numbers; made when first used, for importing `numpy.random` takes time."""
        return np.random.Generator(np.random.PCG64(self._seed))

    def seed(self) -> int:
        """Start anew from a seed that the operating system gives; return it."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "big") >> 1).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the numbers started from."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """All that the next numbers depend on, as plain data that `tensorgrad.save` can write."""
        return {"seed": self._seed, "bits": dict(self.numpy.bit_generator.state)}

    def set_state(self, state: dict[str, Any]) -> Generator:
        """Go on from a state that `get_state` gave; return self."""
        self._seed = state["seed"]
        self.numpy.bit_generator.state = state["bits"]
        return self


default_generator = Generator()
# Whether random numbers are refused for the time of a call: vmap does, unless they are to be the same for all.
REFUSED: ContextVar[bool] = ContextVar("refused", default=False)


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, from which everything random comes that is given no other; return it.

    >>> import tensorgrad as tg
    >>> generator = tg.manual_seed(0)
    >>> x = tg.rand(3)
    >>> generator = tg.manual_seed(0)
    >>> bool((tg.rand(3) == x).all())
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system; return the seed.

    >>> import tensorgrad as tg
    >>> tg.seed() == tg.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator.

    >>> import tensorgrad as tg
    >>> generator = tg.manual_seed(7)
    >>> tg.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state() -> dict[str, Any]:
    """The state of the default generator, as plain data.

    >>> import tensorgrad as tg
    >>> state = tg.get_rng_state()
    >>> x = tg.rand(2)
    >>> tg.set_rng_state(state)
    >>> bool((tg.rand(2) == x).all())
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Set the state of the default generator.

    >>> import tensorgrad as tg
    >>> tg.set_rng_state(tg.get_rng_state())
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """Leave the default generator as it was before the block; `devices` is there for PyTorch's sake.

    >>> import tensorgrad as tg
    >>> generator = tg.manual_seed(0)
    >>> with tg.random.fork_rng():
    ...     x = tg.rand(1)
    >>> tg.rand(1) == x
    tensor([True])
    """
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


def numpy_of(generator: Generator | None) -> np.random.Generator:
    """The NumPy generator behind one of ours, or behind the default one."""
    if REFUSED.get():
        raise RuntimeError(
            "vmap: random numbers are drawn inside it; say randomness='same' for all examples to share them"
        )
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(f"generator must be a tensorgrad.Generator, not {type(generator).__name__}")
    return (default_generator if generator is None else generator).numpy


def uniform(shape: tuple[int, ...], dtype: Any, generator: Generator | None) -> np.ndarray[Any, Any]:
    """An array of uniform numbers in [0, 1)."""
    source = numpy_of(generator)
    if dtype == float16:  # rounding to half precision would reach 1.0
        return (source.integers(0, 2048, shape) / 2048).astype(float16)
    return source.random(shape, dtype)


def normal_array(shape: tuple[int, ...], dtype: Any, generator: Generator | None) -> np.ndarray[Any, Any]:
    """An array of standard normal numbers."""
    drawn = numpy_of(generator).standard_normal(shape, float32 if dtype == float16 else dtype)
    return np.asarray(drawn, dtype)


def _floating(name: str, dtype: Any) -> np.dtype[Any]:
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if dtype.kind != "f":
        raise DtypeError(f"{name}: it makes floating numbers, not {dtype.name}; use randint")
    return dtype


@maker
def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform random numbers in [0, 1) of a shape.

    >>> import tensorgrad as tg
    >>> tg.rand(2, 3).shape
    (2, 3)
    """
    return finish(
        np.asarray(uniform(shape_of("rand", size), _floating("rand", dtype), generator)), requires_grad, device
    )


@maker
def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal random numbers of a shape.

    >>> import tensorgrad as tg
    >>> tg.randn(2, 3).shape
    (2, 3)
    """
    return finish(normal_array(shape_of("randn", size), _floating("randn", dtype), generator), requires_grad, device)


def _must_fit(name: str, low: int, high: int, dtype: Any) -> None:
    dtype = as_dtype(dtype)
    if dtype.kind in "iu" and not (np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max):
        raise ValueError(f"{name}: numbers from {low} to {high} do not fit {dtype.name}")


@maker
def randint(
    low: int = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers in [`low`, `high`) of a shape; `randint(high, size)` starts at 0.

    Raises `ValueError` where `high` is not above `low`, or the numbers do not fit the dtype.

    >>> import tensorgrad as tg
    >>> tg.randint(3, 4, (2,))
    tensor([3, 3])
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint: size must be a tuple, not {type(size).__name__}: randint(0, 10, (3,))")
    if high <= low:
        raise ValueError(f"randint: high {high} must be above low {low}")
    _must_fit("randint", low, high - 1, dtype)
    return finish(
        np.asarray(numpy_of(generator).integers(low, high, shape_of("randint", (size,)))).astype(as_dtype(dtype)),
        requires_grad,
        device,
    )


@maker
def randperm(n: int, *, generator: Generator | None = None, dtype: Any = int64, device: Any = None) -> Tensor:
    """The numbers from 0 to n - 1 in a random order.

    >>> import tensorgrad as tg
    >>> sorted(tg.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    must_be_int("randperm", 0, n=n)
    _must_fit("randperm", 0, max(n - 1, 0), dtype)
    return finish(numpy_of(generator).permutation(int(n)).astype(as_dtype(dtype)), device=device)


@maker
def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1) of the shape and dtype of another tensor.

    >>> import tensorgrad as tg
    >>> tg.rand_like(tg.zeros(2, 3)).shape
    (2, 3)
    """
    must_be_tensors("rand_like", input=input)
    return rand(
        tuple(input.shape), generator=generator, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad
    )


@maker
def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal random numbers of the shape and dtype of another tensor.

    >>> import tensorgrad as tg
    >>> tg.randn_like(tg.zeros(2, 3)).shape
    (2, 3)
    """
    must_be_tensors("randn_like", input=input)
    return randn(
        tuple(input.shape), generator=generator, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad
    )


@maker
def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Random integers in [`low`, `high`), or [0, `low`), of the shape and dtype of another tensor.

    >>> import tensorgrad as tg
    >>> tg.randint_like(tg.zeros(2), 1, 2)
    tensor([1., 1.])
    """
    must_be_tensors("randint_like", input=input)
    bounds = (0, low) if high is None else (low, high)
    return randint(*bounds, tuple(input.shape), generator=generator, dtype=dtype or input.dtype, device=device)


@takes_out
def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None) -> Tensor:
    """Normal random numbers: of the mean and standard deviation tensors' shape, or of `size` where both are numbers.

    Raises `ValueError` for a negative standard deviation.

    >>> import tensorgrad as tg
    >>> tg.normal(0.0, 1.0, (2, 3)).shape
    (2, 3)
    """
    if not (std >= 0 if not isinstance(std, Tensor) else bool((std >= 0).all())):
        raise ValueError(f"normal: std must be 0 or more, and is {std}")
    if size is None:
        like = mean + std * 0 if isinstance(mean, Tensor) else std
        size, dtype = tuple(like.shape), like.dtype
    else:
        dtype = get_default_dtype()
    return (randn(size, generator=generator, dtype=dtype) * std + mean).detach()


@takes_out
def bernoulli(input: Tensor, p: Any = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element gives (or `p` instead of it), else 0, in the dtype of `input`.

    Raises `ValueError` for probabilities outside [0, 1].

    >>> import tensorgrad as tg
    >>> tg.bernoulli(tg.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    drawn = bernoulli_array("bernoulli", input.shape, input if p is None else p, generator)
    return finish(drawn.astype(input.dtype))


def bernoulli_array(name: str, shape: tuple[int, ...], p: Any, generator: Generator | None) -> np.ndarray[Any, Any]:
    """An array that is true with probability `p`, a number or a floating tensor."""
    if isinstance(p, Tensor) and p.dtype.kind != "f":
        raise DtypeError(f"{name}: probabilities must be floating, not {p.dtype.name}")
    p = np.asarray(p.detach() if isinstance(p, Tensor) else p)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"{name}: probabilities must be between 0 and 1")
    return np.asarray(numpy_of(generator).random(shape) < p)


@takes_out
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn in proportion to the weights of each row (n) or (m, n): int64 (num_samples) or (m, num_samples).

    Raises `ValueError` for negative weights, rows that add up to 0, or more samples than there are weights to draw.

    >>> import tensorgrad as tg
    >>> tg.multinomial(tg.tensor([0.0, 1.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    weights = np.atleast_2d(input._data.astype(np.float64))
    if (weights < 0).any() or not np.isfinite(weights).all() or (weights.sum(1) <= 0).any():
        raise ValueError("multinomial: weights must be finite and 0 or more, with a positive one in each row")
    if not replacement and num_samples > (weights > 0).sum(1).min():
        raise ValueError(
            f"multinomial: {num_samples} samples without replacement need as many positive weights in each row"
        )
    source = numpy_of(generator)
    rows = [source.choice(len(w), num_samples, replacement, w / w.sum()) for w in weights]
    return finish(np.asarray(rows, np.int64).reshape((*input.shape[:-1], num_samples)))


def keep_mask(shape: tuple[int, ...], dtype: Any, p: float, generator: Generator | None = None) -> np.ndarray[Any, Any]:
    """Dropout's mask: 0 with probability `p`, else 1 / (1 - p)."""
    if p == 1.0:
        return np.zeros(shape, dtype)
    source = numpy_of(generator)
    count = math.prod(shape)
    # A random byte for each decides, but where it is the very one that p falls in: there a random number does.
    drawn = source.bit_generator.random_raw((count + 7) // 8).view(np.uint8)[:count]
    whole, rest = divmod(p * 256.0, 1.0)
    kept = drawn >= whole
    if rest:
        between = np.flatnonzero(drawn == whole)
        kept[between] = source.random(len(between)) >= rest
    return np.multiply(kept.reshape(shape), np.dtype(dtype).type(1.0 / (1.0 - p)), dtype=dtype)
