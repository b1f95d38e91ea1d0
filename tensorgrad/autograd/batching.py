"""Arrays with a hidden batch dimension: what `func.vmap` puts into a function in place of the arrays of one example.

A `Batched` array holds a tensor whose first dimension is the batch, and shows the shape of one example. An op that
meets one runs on the whole batch: an elementwise op as it is, others by a rule that rewrites the call for one more
dimension (`RULES`), and those without a rule example by example. What is inside is a tensor, so that it may be recorded
by a graph outside, or be batched itself by a `vmap` further out: `level` tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import Foreign, TensorBase, wrap
from tensorgrad.autograd.op import LETTERS, REGISTRY, Op, apply
from tensorgrad.backends.dtypes import get_default_dtype, result_dtype
from tensorgrad.errors import AutogradError, ShapeError

# By the name of an op: a function of the call (see `Call`) that gives the result for the whole batch.
RULES: dict[str, Callable[[Call], Any]] = {}
# Their results have a shape that depends on the values, so that those of the examples do not go together.
RAGGED = frozenset({"bag_spread", "nonzero", "repeats", "unique"})


class Batched(Foreign):
    """An array of one example, that is in truth a tensor of a whole batch of them.

    One that is not `mapped` is the same for all examples. It is there to be differentiated by inside: its gradient may
    differ from example to example.
    """

    __slots__ = ("inner", "level", "mapped", "size_of_batch")

    def __init__(self, inner: Any, level: int, size: int, mapped: bool = True) -> None:
        self.inner, self.level, self.size_of_batch, self.mapped = inner, level, size, mapped

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.inner._data.shape[self.mapped :])

    @property
    def dtype(self) -> Any:
        return self.inner._data.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def run(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
        """The op on the whole batch."""
        call = Call(op, inputs, attrs, self.level, self.size_of_batch)
        mapped = any(call.batched)
        y = _run(call) if mapped else call.apply(*call.xs)
        parts = [
            Batched(part, self.level, self.size_of_batch, mapped) for part in (y if isinstance(y, tuple) else (y,))
        ]
        return tuple(parts) if isinstance(y, tuple) else parts[0]

    def holding(self, tensor: Any) -> Batched:
        """A tensor from outside, which all examples share."""
        return Batched(tensor, self.level, self.size_of_batch, mapped=False)

    def __repr__(self) -> str:
        return f"vmap of {self.size_of_batch} at level {self.level}: {self.inner!r}"

    # What vjps and checks ask of an array

    def __getitem__(self, index: Any) -> Any:
        from tensorgrad.ops import getitem

        return getitem(self, index)

    def reshape(self, *shape: Any, copy: bool | None = None) -> Any:
        return REGISTRY["reshape"].function(self, shape=shape[0] if isinstance(shape[0], tuple) else shape)

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        from tensorgrad.ops import sum

        return sum(self, *args, **kwargs)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        return self if not copy and self.dtype == dtype else REGISTRY["cast"].function(self, dtype=np.dtype(dtype))

    @property
    def T(self) -> Any:
        return REGISTRY["permute"].function(self, dims=tuple(reversed(range(self.ndim))))

    def __len__(self) -> int:
        return self.shape[0]

    # Over all elements of all examples, as what a check of the values asks

    def min(self) -> Any:
        return self.values().min()

    def max(self) -> Any:
        return self.values().max()

    def any(self) -> Any:
        return self.values().any()

    def all(self) -> Any:
        return self.values().all()

    def values(self) -> Any:
        """The array of all examples."""
        data = self.inner._data
        return data.values() if isinstance(data, Batched) else data

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Zeros and ones of an example's shape need no values; all else that NumPy does would lose the batch."""
        if func in (np.zeros_like, np.ones_like, np.empty_like):
            make: Any = getattr(np, func.__name__.removesuffix("_like"))
            return make(self.shape, self.dtype)
        if func is np.shape:
            return self.shape
        raise self._unseen(f"numpy.{func.__name__}")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._unseen("numpy.asarray")

    def __bool__(self) -> bool:
        raise self._unseen("bool (an if, a comparison of sizes, a check)")

    def item(self) -> Any:
        """Raises `AutogradError`: there is one value per example."""
        raise self._unseen("item")

    def tolist(self) -> Any:
        """Raises `AutogradError`: there is one value per example."""
        raise self._unseen("tolist")

    @staticmethod
    def _unseen(what: str) -> AutogradError:
        return AutogradError(
            f"vmap: {what} asks for the values of one example, and all examples are computed at once. Choose between "
            f"values with where(), and look at them outside vmap"
        )


def _operator(name: str, swap: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        from tensorgrad import ops

        function = getattr(ops, name)
        return function(other, self) if swap else function(self, other)

    return method


for _name, _op in {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "true_divide", "pow": "pow", "matmul": "matmul",
    "mod": "remainder", "floordiv": "floor_divide", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}.items():  # fmt: skip
    setattr(Batched, f"__{_name}__", _operator(_op))
    setattr(Batched, f"__r{_name}__", _operator(_op, swap=True))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Batched, f"__{_name}__", _operator(_name))
for _name, _op in {"neg": "neg", "abs": "abs", "invert": "bitwise_not"}.items():
    setattr(Batched, f"__{_name}__", lambda self, _op=_op: REGISTRY[_op].function(self))
Batched.__hash__ = object.__hash__  # type: ignore[method-assign]


class Call:
    """An op that is called on arrays some of which are batched at a level.

    `xs` are tensors (or what was no array), those that are batched with the batch as their first dimension; `batched`
    says which they are, `size` how many examples there are.
    """

    def __init__(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], level: int, size: int) -> None:
        self.op, self.attrs, self.size = op, attrs, size
        self.xs: list[Any] = []
        self.batched: list[bool] = []
        shown: list[Any] = []
        for x in inputs:
            array: Any = x._data if isinstance(x, TensorBase) else x
            here = isinstance(array, Batched) and array.level == level
            if here:
                x = array.inner
            elif isinstance(x, np.ndarray | np.generic | Foreign):
                x = wrap(x)
            self.xs.append(x)
            self.batched.append(here and array.mapped)
            foreign = isinstance(array, Foreign)
            shown.append(np.empty(array.shape, array.dtype) if foreign else array)
        if op.inputs in ("promote", "float"):
            self._promote(shown)

    def _promote(self, shown: list[Any]) -> None:
        """Convert the inputs to the dtype that the op chooses by what an example shows: no dimensions count less."""
        op = self.op
        together = [True] * len(shown) if op.promoted is None else [x in op.promoted for x in LETTERS[: len(shown)]]
        dtype = result_dtype([x for x, chooses in zip(shown, together) if chooses])
        if op.inputs == "float" and dtype.kind != "f":
            dtype = get_default_dtype()
        for i, x in enumerate(self.xs):
            if together[i] and isinstance(x, TensorBase) and x._data.dtype != dtype:
                self.xs[i] = REGISTRY["cast"].function(x, dtype=dtype)

    def expanded(self, i: int) -> Any:
        """Input `i` with the batch as its first dimension, whether it had one or not."""
        x = self.xs[i]
        if self.batched[i] or not isinstance(x, TensorBase):
            return x
        return REGISTRY["broadcast_to"].function(x, shape=(self.size, *x._data.shape))

    def apply(self, *xs: Any, **changed: Any) -> Any:
        """The op on inputs and with attributes as a rule has rewritten them."""
        return apply(self.op, xs, {**self.attrs, **changed})


def _run(call: Call) -> Any:
    rule = RULES.get(call.op.name)
    if rule is None:
        from tensorgrad.ops import batching  # noqa: F401 (the rules are entered when first needed)

        rule = RULES.get(call.op.name, elementwise if call.op.elementwise else one_by_one)
    return rule(call)


def elementwise(call: Call) -> Any:
    """The rule of ops whose inputs broadcast: those of fewer dimensions get them after the batch."""
    ndim = max(len(x._data.shape) - flag for x, flag in zip(call.xs, call.batched) if isinstance(x, TensorBase))
    xs = []
    for x, flag in zip(call.xs, call.batched):
        if flag and (lacking := ndim + 1 - len(x._data.shape)):
            shape = x._data.shape
            x = REGISTRY["reshape"].function(x, shape=(shape[0], *(1,) * lacking, *shape[1:]))
        xs.append(x)
    return call.apply(*xs)


def one_by_one(call: Call) -> Any:
    """The rule of ops that have none: each example by itself, and their results stacked."""
    if call.op.name in RAGGED:
        raise ShapeError(f"vmap: {call.op.name} cannot be batched: the shape of its result depends on the values")
    if not call.size:
        raise ShapeError(f"vmap: {call.op.name} has no rule for a batch of no examples")
    select = REGISTRY["slice"].function
    ys = []
    for i in range(call.size):
        xs = [select(x, index=(i,)) if flag else x for x, flag in zip(call.xs, call.batched)]
        ys.append(call.apply(*xs))
    if isinstance(ys[0], tuple):
        return tuple(_stacked(call.op, parts) for parts in zip(*ys))
    return _stacked(call.op, ys)


def _stacked(op: Op, ys: Any) -> Any:
    shapes = {y._data.shape for y in ys}
    if len(shapes) > 1:
        raise ShapeError(f"vmap: {op.name} cannot be batched: the results have shapes {sorted(shapes)}")
    from tensorgrad.ops.joining import stack_op

    return stack_op(*ys, dim=0)
