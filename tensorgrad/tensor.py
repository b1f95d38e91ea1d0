"""Tensor: an array that remembers how it was computed. Operators and methods; no mathematics."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad import ops
from tensorgrad.autograd import graph
from tensorgrad.autograd.graph import (
    LEAF,
    Node,
    Retain,
    TensorBase,
    View,
    edge,
    retains,
    spec,
    warn_of_no_gradient,
    wrap,
    writes,
)
from tensorgrad.autograd.inplace import apply_, detach_
from tensorgrad.backends.dtypes import CATEGORY
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.filling import Filling
from tensorgrad.ops.keywords import method

if TYPE_CHECKING:
    from tensorgrad.autograd.hooks import RemovableHandle


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


def _product(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return operation(self, other) if isinstance(other, TensorBase | np.ndarray) else NotImplemented

    return method


def _in_place(name: str) -> Callable[..., Any]:
    """The method that writes the result of an op into the tensor."""

    def method(self: Any, *others: Any) -> Any:
        return apply_(name, self, *others)

    return _documented(method, name)


def _written(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that computes a function of the tensor, composed of ops, and writes the result into it."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        # What is kept for another's gradient must not be what is written over either.
        wanted = any(isinstance(x, TensorBase) and edge(x) is not None for x in (self, *args, *kwargs.values()))
        y = function(ops.clone(self) if wanted else self, *args, **kwargs)
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
        own = getattr(import_module(f"tensorgrad.ops.{ops.METHODS[self.name]}"), self.name, None)
        function = own or getattr(ops, name)
        if own or name == self.name:
            found = method(function)
        elif hasattr(function, "op"):
            found = _in_place(function.op.name)
        else:
            found = _written(name, function)
        setattr(Tensor, self.name, found)
        return getattr(kind if tensor is None else tensor, self.name)


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

    def __getitem__(self, at: Any) -> Any:
        found = tuple.__getitem__(self, at)
        return Size(found) if isinstance(at, slice) else found

    def __add__(self, other: Any) -> Any:
        return Size((*self, *other))


class Tensor(Filling):
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

        if len(data) == 1 and not isinstance(data[0], int | Size):
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

    ndimension = dim

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
    def itemsize(self) -> int:
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
        """The gradient that backward accumulated, of this tensor's shape, or None.

        It warns where there is none because the tensor is not a leaf.
        """
        g = self._grad
        if g is None and self._node is not None and self._node is not LEAF:
            warn_of_no_gradient(self)
        return g

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
        from tensorgrad.autograd import hooks

        return hooks.register_hook(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], None]) -> RemovableHandle:
        """Call `hook(tensor)` whenever backward has added to the `.grad` of this leaf. It must return None.

        Raises `AutogradError` for a tensor that is not a leaf or requires no gradient.
        """
        from tensorgrad.autograd import hooks

        return hooks.register_after(self, hook)

    def retain_grad(self) -> None:
        """Let backward set `.grad` on this tensor although it is not a leaf."""
        at = edge(self)
        if at is None:
            raise AutogradError("retain_grad: this tensor does not require a gradient")
        if at.__class__ is Node:
            from tensorgrad.autograd import hooks

            if not retains(at, self):
                hooks.register_hook(self, Retain(self))

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

    def __delitem__(self, at: Any) -> None:
        raise TypeError("del: a tensor cannot lose elements; choose those to keep, as x[1:] or x[mask]")

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
    __matmul__ = _product(lambda a, b: ops.matmul(a, b))
    __rmatmul__ = _product(lambda a, b: ops.matmul(b, a))
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
    __pos__ = _Late("positive")
    __lshift__, __ilshift__ = _Late("bitwise_left_shift"), _Late("bitwise_left_shift_")
    __rshift__, __irshift__ = _Late("bitwise_right_shift"), _Late("bitwise_right_shift_")
    __rlshift__ = _reflected(lambda a, b: ops.bitwise_left_shift(a, b))
    __rrshift__ = _reflected(lambda a, b: ops.bitwise_right_shift(a, b))

    # Elementwise

    add, sub, mul, div = ops.add, ops.sub, ops.mul, ops.div
    true_divide, floor_divide, remainder = ops.true_divide, ops.floor_divide, ops.remainder
    neg, abs, sign = ops.neg, ops.abs, ops.sign
    maximum, minimum, clamp = ops.maximum, ops.minimum, ops.clamp
    floor, ceil, trunc, round = ops.floor, ops.ceil, ops.trunc, ops.round
    square, sqrt, rsqrt, reciprocal, pow = ops.square, ops.sqrt, ops.rsqrt, ops.reciprocal, ops.pow
    exp, expm1, log, log1p, log2, log10 = ops.exp, ops.expm1, ops.log, ops.log1p, ops.log2, ops.log10
    sin, cos, tanh = ops.sin, ops.cos, ops.tanh
    sigmoid, relu, softmax, log_softmax = ops.sigmoid, ops.relu, ops.softmax, ops.log_softmax
    eq, ne, lt, le, gt, ge = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    logical_and, logical_or, logical_xor = ops.logical_and, ops.logical_or, ops.logical_xor
    logical_not, bitwise_not = ops.logical_not, ops.bitwise_not
    bitwise_and, bitwise_or, bitwise_xor = ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor
    isnan, isinf, isfinite = ops.isnan, ops.isinf, ops.isfinite
    clone = ops.clone

    def where(self, condition: Any, other: Any) -> Tensor:
        """This tensor where the condition holds, else `other`."""
        return ops.where(condition, self, other)

    # Reductions

    sum, mean, amax, amin, max, min, argmax, argmin = (
        ops.sum,
        ops.mean,
        ops.amax,
        ops.amin,
        ops.max,
        ops.min,
        ops.argmax,
        ops.argmin,
    )
    any, all, logsumexp = ops.any, ops.all, ops.logsumexp

    # Shapes

    reshape, flatten, ravel = ops.reshape, ops.flatten, ops.ravel
    permute, transpose, t = ops.permute, ops.transpose, ops.t
    squeeze, unsqueeze, expand, broadcast_to = ops.squeeze, ops.unsqueeze, ops.expand, ops.broadcast_to
    narrow, select = ops.narrow, ops.select
    flip = ops.flip

    def view(self, *shape: Any, dtype: Any = None) -> Tensor:
        """A view of the elements in another shape; or, given a dtype, of their memory as that, outside the graph.

        Raises `ShapeError` where the strides do not allow it without a copy.
        """
        if dtype is not None or (len(shape) == 1 and isinstance(shape[0], np.dtype | type | str)):
            from tensorgrad.ops.layout import view_dtype

            return view_dtype(self, dtype or shape[0])
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
        if self.ndim == 1:
            raise ShapeError(f"mT: it takes matrices, and this is a vector of shape {self.shape}")
        return ops.transpose(self, -2, -1)

    @property
    def mH(self) -> Tensor:
        """As `mT`: real numbers are their own conjugates."""
        return self.mT

    @property
    def H(self) -> Tensor:
        """A view of a matrix with its dimensions swapped."""
        if self.ndim not in (0, 2):
            raise ShapeError(f"H: it takes a matrix, and this has shape {self.shape}; .mH takes batches of them")
        return self.mT

    # In place

    mul_, pow_ = _in_place("mul"), _in_place("pow")

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """`add` in place."""
        return apply_("add", self, other if alpha == 1 else ops.scaled("add_", self, other, alpha))

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """`sub` in place."""
        return apply_("sub", self, other if alpha == 1 else ops.scaled("sub_", self, other, alpha))

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """`div` in place."""
        if rounding_mode is None:
            return apply_("div", self, other)
        return _written("div", ops.div)(self, other, rounding_mode=rounding_mode)

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """`clamp` in place."""
        if min is max is None or isinstance(min, TensorBase) or isinstance(max, TensorBase):
            return _written("clamp", ops.clamp)(self, min, max)
        return apply_("clamp", self, min=min, max=max)

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """`masked_fill` in place."""
        self[ops.expand(mask, self.shape)] = value
        return self

    if TYPE_CHECKING:  # the methods of the families that are reached late

        def __getattr__(self, name: str) -> Any: ...


for _name, _member in list(vars(Tensor).items()):
    if _member.__class__ is FunctionType:
        setattr(Tensor, _name, method(_member))
for _name in ops.METHODS:
    setattr(Tensor, _name, _Late(_name))

graph.Tensor = Tensor
