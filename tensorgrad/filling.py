"""Values written over a tensor's own, and new tensors of a tensor's dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import TensorBase, broadcasts, spec
from tensorgrad.autograd.inplace import apply_
from tensorgrad.conversions import Conversions
from tensorgrad.errors import DtypeError, ShapeError


def _of_same_dtype(name: str, doc: str) -> Callable[..., Any]:
    """The method that calls a function of `creation` with this tensor's dtype."""

    def method(self: Any, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        from tensorgrad import creation

        return getattr(creation, name)(*args, dtype=dtype or self.dtype, **kwargs)

    method.__name__, method.__doc__ = f"new_{name}", doc
    return method


class Filling(Conversions):
    """The base of `Tensor` with what fills it, and what makes others of its kind."""

    __slots__ = ()

    # Written over

    def copy_(self: Any, src: Any) -> Any:
        """Write the elements of `src`, which broadcasts and is converted, into this tensor."""
        return self._write("copy_", src)

    def fill_(self: Any, value: Any) -> Any:
        """Write one value everywhere."""
        if isinstance(value, TensorBase) and value._data.ndim:
            raise ShapeError(f"fill_: the value must have no dimensions, and has shape {value._data.shape}")
        return self._write("fill_", value)

    def zero_(self: Any) -> Any:
        """Write zeros everywhere."""
        return self._write("zero_", 0)

    def _write(self: Any, method: str, value: Any) -> Any:
        shape = value._data.shape if isinstance(value, TensorBase) else np.shape(value)
        if not broadcasts(shape, self.shape):
            raise ShapeError(f"{method}: values of shape {shape} do not fit a tensor of shape {self.shape}")
        return apply_("copy", self, value)

    def uniform_(self: Any, a: Any = 0.0, b: Any = 1.0, *, generator: Any = None) -> Any:
        """Write uniform random numbers in [`a`, `b`)."""
        from tensorgrad import random

        self._must_be_floating("uniform_")
        if a > b:
            raise ValueError(f"uniform_: a, {a}, must not be above b, {b}")
        return self._write("uniform_", random.uniform(self.shape, self.dtype, generator) * (b - a) + a)

    def normal_(self: Any, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
        """Write normal random numbers of a mean and standard deviation."""
        from tensorgrad import random

        self._must_be_floating("normal_")
        if std < 0:
            raise ValueError(f"normal_: std must be 0 or more, not {std}")
        return self._write("normal_", random.normal_array(self.shape, self.dtype, generator) * std + mean)

    def bernoulli(self: Any, p: Any = None, *, generator: Any = None) -> Any:
        """1 with the probability that each element gives (or `p` instead), else 0."""
        from tensorgrad import random

        return random.bernoulli(self, p, generator=generator)

    def multinomial(self: Any, num_samples: Any, replacement: Any = False, *, generator: Any = None) -> Any:
        """Indices drawn in proportion to the weights of each row."""
        from tensorgrad import random

        return random.multinomial(self, num_samples, replacement, generator=generator)

    def bernoulli_(self: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
        """Write 1 with probability `p`, a number or a tensor, else 0."""
        from tensorgrad import random

        return self._write("bernoulli_", random.bernoulli_array("bernoulli_", self.shape, p, generator))

    def _must_be_floating(self: Any, method: str) -> None:
        if self._data.dtype.kind != "f":
            raise DtypeError(f"{method}: it needs a floating tensor, and this is {spec(self.shape, self.dtype)}")

    def random_(self: Any, from_: Any = 0, to: Any = None, *, generator: Any = None) -> Any:
        """Write random integers in [`from_`, `to`), or given one number in [0, that); by default all of the dtype's."""
        from tensorgrad import random

        low, high = (0, from_) if to is None and from_ else (from_, to)
        if high is None:
            kind = self.dtype.kind
            high = 2 if kind == "b" else 2 ** (np.finfo(self.dtype).nmant + 1) + 1 if kind == "f" else None
            high = int(np.iinfo(self.dtype).max) + 1 if high is None else high
        if high <= low:
            raise ValueError(f"random_: to, {high}, must be above from, {low}")
        return self._write("random_", random.numpy_of(generator).integers(low, high, self.shape))

    def exponential_(self: Any, lambd: Any = 1, *, generator: Any = None) -> Any:
        """Write random numbers of the exponential distribution of rate `lambd`."""
        from tensorgrad import random

        self._must_be_floating("exponential_")
        if lambd <= 0:
            raise ValueError(f"exponential_: lambd must be positive, not {lambd}")
        return self._write("exponential_", random.numpy_of(generator).standard_exponential(self.shape) / lambd)

    # More of the same dtype

    def new(self: Any, *data: Any, size: Any = None) -> Any:
        """A tensor of data, or given sizes an unset one, in this tensor's dtype: what older scripts write."""
        from tensorgrad.types import TensorType

        return TensorType("new", self.dtype)(*data) if size is None else self.new_empty(size)

    new_tensor = _of_same_dtype("tensor", "A tensor of data in this tensor's dtype.")
    new_zeros = _of_same_dtype("zeros", "Zeros of a shape in this tensor's dtype.")
    new_ones = _of_same_dtype("ones", "Ones of a shape in this tensor's dtype.")
    new_empty = _of_same_dtype("empty", "An unset tensor of a shape in this tensor's dtype.")
    new_full = _of_same_dtype("full", "One value of a shape in this tensor's dtype.")
