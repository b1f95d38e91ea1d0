"""Tensor: an array that remembers how it was computed. Operators and methods; no mathematics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd import graph
from tensorgrad.autograd.graph import (
    LEAF,
    Node,
    Retain,
    TensorBase,
    View,
    broadcasts,
    edge,
    retains,
    spec,
    wrap,
    writes,
)
from tensorgrad.autograd.inplace import apply_, detach_
from tensorgrad.backends.dtypes import (
    CATEGORY,
)
from tensorgrad.conversions import Conversions
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.ops.keywords import method


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return operation(other, self)

    return method


def _comparison(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if isinstance(other, TensorBase | int | float | np.ndarray | np.generic):
            return operation(self, other)
        return NotImplemented

    return method


def _in_place(name: str) -> Callable[..., Any]:
    """The method that writes the result of an op into the tensor."""

    def method(self: Any, *others: Any) -> Any:
        return apply_(name, self, *others)

    return _documented(method, name)


def _written(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that computes a function of the tensor, composed of ops, and writes the result into it."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        y = function(self if edge(self) is None else ops.clone(self), *args, **kwargs)
        if y.shape != self.shape or CATEGORY[y.dtype.kind] > CATEGORY[self.dtype.kind]:
            kind = ShapeError if y.shape != self.shape else DtypeError
            raise kind(
                f"{name}_: the result is {spec(y.shape, y.dtype)}, which cannot be written into "
                f"{spec(self.shape, self.dtype)}; use the out-of-place form"
            )
        return apply_("copy", self, y)

    return _documented(method, name)


def _documented(method: Any, name: str) -> Callable[..., Any]:
    method.__name__ = f"{name}_"
    method.__doc__ = f"`{name}` in place: the result is written into this tensor, which is returned."
    return method


class _Late:
    """A method whose family of operations is loaded when it is first used; it then takes this one's place."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Any, kind: type) -> Any:
        name = self.name.removesuffix("_")
        function = getattr(ops, name)
        if name == self.name:
            found = method(function)
        elif hasattr(function, "op"):
            found = _in_place(function.op.name)
        else:
            found = _written(name, function)
        setattr(Tensor, self.name, found)
        return getattr(kind if tensor is None else tensor, self.name)


class RemovableHandle:
    """What registering a hook returns: `remove()` takes it away; as a context manager, at the end of the block."""

    def __init__(self, hooks: Any, key: Any) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Take the hook away; a second time it does nothing."""
        hooks, self._hooks = self._hooks, ()
        if isinstance(hooks, dict):
            hooks.pop(self._key, None)
        elif self._key in hooks:
            hooks.remove(self._key)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints that can multiply itself out.

    >>> import tensorgrad as tg
    >>> tg.zeros(2, 3).shape.numel()
    6
    """

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)


class Tensor(Conversions):
    """A multi-dimensional array of one dtype that records what is computed from it.

    `Tensor(data)` makes a tensor of the default dtype from nested lists or an array, and `Tensor(2, 3)` an unset one of
    a shape, as in PyTorch; `tensorgrad.tensor(data)` keeps the dtype of the data and is what to use otherwise.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ()

    def __new__(cls, *data: Any, requires_grad: bool = False) -> Tensor:  # noqa: D102 (the class says it)
        from tensorgrad.backends.dtypes import get_default_dtype
        from tensorgrad.creation import empty, tensor

        if len(data) == 1 and not isinstance(data[0], int):
            return tensor(data[0], dtype=get_default_dtype(), requires_grad=requires_grad)
        return empty(*(data or (0,)), requires_grad=requires_grad)

    # What it is

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self._data.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return Size(self._data.shape) if dim is None else self._data.shape[ops.one_dim("size", dim, self.ndim)]

    def numel(self) -> int:
        """The number of elements."""
        return self._data.size

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element."""
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self._data.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """How many elements apart neighbours along each dimension (or one) are in memory."""
        shape = self._data.shape
        if self._data.size:
            strides = tuple(s // self._data.itemsize for s in self._data.strides)
        else:  # NumPy has zeros here
            strides = tuple(math.prod(max(n, 1) for n in shape[i + 1 :]) for i in range(len(shape)))
        return strides if dim is None else strides[ops.one_dim("stride", dim, self.ndim)]

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in the order of their indices."""
        return self._data.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return self._data.dtype.kind == "f"

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._data.ctypes.data

    # Autograd

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient for this tensor would be computed. Settable on leaves."""
        return edge(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set whether operations on this leaf are recorded; return it.

        Raises `DtypeError` for integers and bools, `AutogradError` for switching it off on a result.
        """
        at = edge(self)
        if requires_grad:
            if self._data.dtype.kind != "f":
                raise DtypeError(
                    f"requires_grad: only floating tensors have gradients, and this is "
                    f"{spec(self.shape, self.dtype)}; convert it with .float()"
                )
            if at is None and isinstance(self._node, View):
                self._node.node = LEAF  # a leaf until its base is written to
            elif at is None:
                self._node = LEAF
        elif at.__class__ is Node:
            raise AutogradError(
                "requires_grad = False: this tensor was computed from others; use .detach() for one that is cut off"
            )
        elif isinstance(self._node, View):
            self._node.node = None
        else:
            self._node = None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user, not computed from one that requires a gradient."""
        return edge(self).__class__ is not Node

    @property
    def grad_fn(self) -> Any:
        """The node of the graph that made this tensor, None for a leaf."""
        at = edge(self)
        return at if at.__class__ is Node else None

    @property
    def grad(self) -> Any:
        """The gradient that backward accumulated, of this tensor's shape, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise DtypeError(f"grad: it must be a Tensor or None, not {type(value).__name__}")
            if value._data.shape != self._data.shape or value._data.dtype != self._data.dtype:
                raise ShapeError(
                    f"grad: it must match the tensor, {spec(self.shape, self.dtype)}, and is "
                    f"{spec(value._data.shape, value._data.dtype)}"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph. Setting it exchanges the memory, without a record."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, TensorBase):
            raise DtypeError(f"data: it must be a Tensor, not {type(value).__name__}")
        if value._data.dtype.kind != "f" and self._node is not None:
            raise DtypeError(f"data: a tensor that requires a gradient cannot hold {value._data.dtype.name}")
        writes.stamp(self._data)
        self._data = value._data

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor to the `.grad` of the leaves that it was computed from.

        `gradient`, of this tensor's shape, may be left out for a tensor of one element, and is then 1. `retain_graph`
        keeps what a second backward would need; `create_graph` records the gradients themselves, for derivatives of a
        higher order; `inputs` limits which tensors accumulate. Raises `AutogradError` where there is no graph, or where
        it was released or changed.

        >>> import tensorgrad as tg
        >>> x = tg.tensor([3.0], requires_grad=True)
        >>> (x**2).backward()
        >>> x.grad
        tensor([6.])
        """
        if inputs is not None and isinstance(inputs, TensorBase):
            inputs = (inputs,)
        from tensorgrad.autograd import walk

        walk.backward([self], [gradient], retain_graph, create_graph, inputs)

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call `hook(gradient)` when this tensor's gradient is complete; a tensor that it returns takes its place."""
        from tensorgrad.autograd import walk

        return RemovableHandle(walk.register_hook(self, hook), hook)

    def retain_grad(self) -> None:
        """Let backward set `.grad` on this tensor although it is not a leaf."""
        at = edge(self)
        if at is None:
            raise AutogradError("retain_grad: this tensor does not require a gradient")
        if at.__class__ is Node:
            from tensorgrad.autograd import walk

            if not retains(at, self):
                walk.register_hook(self, Retain(self))

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        return wrap(self._data)

    def detach_(self) -> Tensor:
        """Cut this tensor off from the graph, in place."""
        return detach_(self)

    # Converting

    def item(self) -> Any:
        """The one element as a Python number. Raises `ShapeError` for more or fewer."""
        if self._data.size != 1:
            raise ShapeError(f"item: it takes a tensor of one element, and this has shape {self.shape}; use tolist()")
        return self._data.item()

    def tolist(self) -> Any:
        """The elements as Python numbers in nested lists."""
        return self._data.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """The elements as an array that shares this tensor's memory.

        Raises `AutogradError` for a tensor that requires a gradient, which would be lost, unless `force` says so.
        """
        if not force and edge(self) is not None:
            raise AutogradError(
                "numpy: this tensor requires a gradient, which an array cannot carry; use tensor.detach().numpy()"
            )
        return self._data

    # Indexing

    __getitem__ = ops.getitem
    __setitem__ = ops.setitem
    __hash__ = object.__hash__  # by identity, although == compares elements

    # Operators

    __add__ = ops.add_op
    __radd__ = ops.add_op
    __sub__ = ops.sub_op
    __rsub__ = _reflected(ops.sub_op)
    __mul__ = ops.mul
    __rmul__ = ops.mul
    __truediv__ = ops.true_divide
    __rtruediv__ = _reflected(ops.true_divide)
    __floordiv__ = ops.floor_divide
    __rfloordiv__ = _reflected(ops.floor_divide)
    __mod__ = ops.remainder
    __rmod__ = _reflected(ops.remainder)
    __pow__ = ops.pow
    __rpow__ = _reflected(ops.pow)
    __matmul__ = ops.matmul
    __rmatmul__ = _reflected(ops.matmul)
    __neg__ = ops.neg
    __abs__ = ops.abs
    __and__ = __rand__ = ops.bitwise_and
    __or__ = __ror__ = ops.bitwise_or
    __xor__ = __rxor__ = ops.bitwise_xor
    __invert__ = ops.bitwise_not
    __eq__ = _comparison(ops.eq)
    __ne__ = _comparison(ops.ne)
    __lt__ = _comparison(ops.lt)
    __le__ = _comparison(ops.le)
    __gt__ = _comparison(ops.gt)
    __ge__ = _comparison(ops.ge)
    __iadd__ = _in_place("add")
    __isub__ = _in_place("sub")
    __imul__ = _in_place("mul")
    __itruediv__ = _in_place("div")
    __ifloordiv__ = _in_place("floor_divide")
    __imod__ = _in_place("remainder")
    __ipow__ = _in_place("pow")
    __iand__ = _in_place("bitwise_and")
    __ior__ = _in_place("bitwise_or")
    __ixor__ = _in_place("bitwise_xor")

    # Elementwise

    add, sub, mul, div = ops.add, ops.sub, ops.mul, ops.div
    subtract, multiply, divide, true_divide = ops.sub, ops.mul, ops.div, ops.true_divide
    floor_divide, remainder = ops.floor_divide, ops.remainder
    neg = negative = ops.neg
    abs = absolute = ops.abs
    sign, maximum, minimum = ops.sign, ops.maximum, ops.minimum
    clamp = clip = ops.clamp
    floor, ceil, trunc, round = ops.floor, ops.ceil, ops.trunc, ops.round
    square, sqrt, rsqrt, reciprocal, pow = ops.square, ops.sqrt, ops.rsqrt, ops.reciprocal, ops.pow
    exp, expm1, log, log1p, log2, log10 = ops.exp, ops.expm1, ops.log, ops.log1p, ops.log2, ops.log10
    sin, cos, tan, atan, arctan, tanh, erf = ops.sin, ops.cos, ops.tan, ops.atan, ops.atan, ops.tanh, ops.erf
    sigmoid, relu, softmax, log_softmax = ops.sigmoid, ops.relu, ops.softmax, ops.log_softmax
    eq, ne, lt, le, gt, ge = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    logical_and, logical_or, logical_xor = ops.logical_and, ops.logical_or, ops.logical_xor
    logical_not, bitwise_not = ops.logical_not, ops.bitwise_not
    bitwise_and, bitwise_or, bitwise_xor = ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor
    isnan, isinf, isfinite = ops.isnan, ops.isinf, ops.isfinite
    clone, masked_fill, masked_select = ops.clone, ops.masked_fill, ops.masked_select

    def where(self, condition: Any, other: Any) -> Tensor:
        """This tensor where the condition holds, else `other`."""
        return ops.where(condition, self, other)

    # Reductions

    sum, mean, prod, var, std, norm = ops.sum, ops.mean, ops.prod, ops.var, ops.std, ops.norm
    amax, amin, max, min, argmax, argmin = ops.amax, ops.amin, ops.max, ops.min, ops.argmax, ops.argmin
    any, all, count_nonzero = ops.any, ops.all, ops.count_nonzero
    cumsum, logsumexp, sort, argsort, topk = ops.cumsum, ops.logsumexp, ops.sort, ops.argsort, ops.topk

    # Shapes

    reshape, flatten, unflatten, ravel = ops.reshape, ops.flatten, ops.unflatten, ops.ravel
    permute, transpose, t, movedim = ops.permute, ops.transpose, ops.t, ops.movedim
    swapaxes = swapdims = ops.transpose
    squeeze, unsqueeze, expand, broadcast_to = ops.squeeze, ops.unsqueeze, ops.expand, ops.broadcast_to
    tril, triu, diagonal, trace = ops.tril, ops.triu, ops.diagonal, ops.trace
    narrow, select, split, chunk, unbind = ops.narrow, ops.select, ops.split, ops.chunk, ops.unbind
    flip, roll, repeat = ops.flip, ops.roll, ops.repeat
    gather, scatter_add, take_along_dim = ops.gather, ops.scatter_add, ops.take_along_dim
    index_select, nonzero = ops.index_select, ops.nonzero

    def view(self, *shape: Any) -> Tensor:
        """A view of the elements in another shape.

        Raises `ShapeError` where the strides do not allow it without a copy.
        """
        wanted = ops.resolve_shape("view", ops.flat(shape), self.shape)
        try:
            self._data.reshape(wanted, copy=False)
        except ValueError:
            raise ShapeError(
                f"view: shape {self.shape} with strides {self.stride()} cannot be seen as {wanted} without a copy; "
                f"use .reshape(...)"
            ) from None
        return ops.reshape_op(self, shape=wanted)

    def view_as(self, other: Tensor) -> Tensor:
        """`view` in the shape of another tensor."""
        return self.view(other.shape)

    def reshape_as(self, other: Tensor) -> Tensor:
        """`reshape` to the shape of another tensor."""
        return ops.reshape(self, other.shape)

    def expand_as(self, other: Tensor) -> Tensor:
        """`expand` to the shape of another tensor."""
        return ops.expand(self, other.shape)

    @property
    def T(self) -> Tensor:
        """A view with the dimensions in reverse order."""
        return ops.permute_op(self, dims=tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """A view with the last two dimensions swapped."""
        return ops.transpose(self, -2, -1)

    # Matrix products

    matmul, mm, bmm, mv, dot, outer, addmm = ops.matmul, ops.mm, ops.bmm, ops.mv, ops.dot, ops.outer, ops.addmm

    # In place

    mul_, neg_, abs_, square_ = _in_place("mul"), _in_place("neg"), _in_place("abs"), _in_place("square")
    exp_, log_, sqrt_, rsqrt_ = _in_place("exp"), _in_place("log"), _in_place("sqrt"), _in_place("rsqrt")
    reciprocal_, sin_, cos_ = _in_place("reciprocal"), _in_place("sin"), _in_place("cos")
    tanh_, sigmoid_, relu_ = _in_place("tanh"), _in_place("sigmoid"), _in_place("relu")
    floor_, ceil_, trunc_, round_ = _in_place("floor"), _in_place("ceil"), _in_place("trunc"), _in_place("round")
    floor_divide_, remainder_ = _in_place("floor_divide"), _in_place("remainder")
    pow_, div_ = _in_place("pow"), _in_place("div")

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """`add` in place."""
        return apply_("add", self, other if alpha == 1 else ops.scaled("add_", self, other, alpha))

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """`sub` in place."""
        return apply_("sub", self, other if alpha == 1 else ops.scaled("sub_", self, other, alpha))

    def addcmul_(self, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
        """`self + value * tensor1 * tensor2`, in place."""
        return apply_("add", self, tensor1 * tensor2 * value)

    def addcdiv_(self, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
        """`self + value * tensor1 / tensor2`, in place."""
        return apply_("add", self, tensor1 / tensor2 * value)

    def lerp_(self, end: Any, weight: Any) -> Tensor:
        """`self + weight * (end - self)`, in place."""
        return apply_("add", self, (end - self) * weight)

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """`clamp` in place, to number bounds."""
        if min is None and max is None:
            raise ValueError("clamp_: give min, max or both")
        return apply_("clamp", self, min=min, max=max)

    def copy_(self, src: Any) -> Tensor:
        """Write the elements of `src`, which broadcasts and is converted, into this tensor."""
        return self._write("copy_", src)

    def fill_(self, value: Any) -> Tensor:
        """Write one value everywhere."""
        if isinstance(value, TensorBase) and value._data.ndim:
            raise ShapeError(f"fill_: the value must have no dimensions, and has shape {value._data.shape}")
        return self._write("fill_", value)

    def zero_(self) -> Tensor:
        """Write zeros everywhere."""
        return self._write("zero_", 0)

    def _write(self, method: str, value: Any) -> Tensor:
        shape = value._data.shape if isinstance(value, TensorBase) else np.shape(value)
        if not broadcasts(shape, self.shape):
            raise ShapeError(f"{method}: values of shape {shape} do not fit a tensor of shape {self.shape}")
        return apply_("copy", self, value)

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """`masked_fill` in place."""
        self[ops.expand(mask, self.shape)] = value
        return self

    def scatter_add_(self, dim: Any, index: Any, src: Any) -> Tensor:
        """`scatter_add` in place."""
        return apply_("scatter_add", self, index, src, dim=ops.check_index("scatter_add_", self, dim, index, src))

    def uniform_(self, a: Any = 0.0, b: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Write uniform random numbers in [`a`, `b`)."""
        from tensorgrad import random

        self._must_be_floating("uniform_")
        return self._write("uniform_", random.uniform(self.shape, self.dtype, generator) * (b - a) + a)

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Write normal random numbers of a mean and standard deviation."""
        from tensorgrad import random

        self._must_be_floating("normal_")
        if std < 0:
            raise ValueError(f"normal_: std must be 0 or more, not {std}")
        return self._write("normal_", random.normal_array(self.shape, self.dtype, generator) * std + mean)

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """Write 1 with probability `p`, else 0."""
        from tensorgrad import random

        return self._write("bernoulli_", random.numpy_of(generator).random(self.shape) < p)

    def _must_be_floating(self, method: str) -> None:
        if self._data.dtype.kind != "f":
            raise DtypeError(f"{method}: it needs a floating tensor, and this is {spec(self.shape, self.dtype)}")

    # More of the same dtype

    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """A tensor of `data` in this tensor's dtype."""
        from tensorgrad import creation

        return creation.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """Zeros of a shape in this tensor's dtype."""
        from tensorgrad import creation

        return creation.zeros(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """Ones of a shape in this tensor's dtype."""
        from tensorgrad import creation

        return creation.ones(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """An unset tensor of a shape in this tensor's dtype."""
        from tensorgrad import creation

        return creation.empty(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_full(
        self, size: Sequence[Any], fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """One value of a shape in this tensor's dtype."""
        from tensorgrad import creation

        return creation.full(size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


for _name, _member in list(vars(Tensor).items()):
    if _member.__class__ is FunctionType:
        setattr(Tensor, _name, method(_member))
for _name in ops.METHODS:
    setattr(Tensor, _name, _Late(_name))

graph.Tensor = Tensor
