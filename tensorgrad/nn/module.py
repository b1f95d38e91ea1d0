"""Module: a layer, or a tree of layers, with its parameters, buffers, modes, hooks and state."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from tensorgrad.autograd.graph import TensorBase, wrap
from tensorgrad.autograd.walk import clear
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.hooks import Hooks
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.state import State

M = TypeVar("M", bound="Module")
KINDS = ("_parameters", "_buffers", "_modules")


class Module(Hooks, State):
    """Base class of all layers and models.

    Assign parameters, modules (and, with `register_buffer`, tensors that are state but are not learned) as attributes
    in `__init__`, after `super().__init__()`, and define `forward`; calling the module runs it. Names, order and
    `state_dict` keys are PyTorch's.

    >>> import tensorgrad as tg
    >>> class Net(tg.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = tg.nn.Linear(2, 3)
    ...     def forward(self, x):
    ...         return self.hidden(x).relu()
    >>> net = Net()
    >>> net(tg.ones(4, 2)).shape
    (4, 3)
    >>> list(net.state_dict())
    ['hidden.weight', 'hidden.bias']
    """

    training: bool

    def __init__(self) -> None:
        # Straight into the dictionary: __setattr__ looks these up.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _transient=set(),
            _modules={},
            _forward_hooks={},
            _forward_pre_hooks={},
            _backward_hooks={},
            _backward_pre_hooks={},
            _state_hooks={},
        )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        init = cls.__init__
        if init.__qualname__.startswith("_") and "__init__" not in cls.__dict__:  # what several layers share
            # Python names this function where arguments are lacking: it must say which layer was meant.
            own = FunctionType(init.__code__, init.__globals__, init.__name__, init.__defaults__, init.__closure__)
            functools.update_wrapper(own, init)
            own.__kwdefaults__ = init.__kwdefaults__
            own.__qualname__ = f"{cls.__qualname__}.__init__"
            cls.__init__ = own  # type: ignore[method-assign]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output. Every module defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward(...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, with the hooks around it."""
        own = self.__dict__
        if "_modules" not in own:
            raise _not_initialised(self)
        if own["_forward_hooks"] or own["_forward_pre_hooks"] or own["_backward_hooks"] or own["_backward_pre_hooks"]:
            return self._call_with_hooks(args, kwargs)
        try:
            return self.forward(*args, **kwargs)
        except (ShapeError, DtypeError) as error:  # which of many layers it was, the innermost first
            error.add_note(f"in {type(self).__name__}({'...' if own['_modules'] else self.extra_repr()})")
            raise

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_modules" not in own:
            if isinstance(value, Parameter | Module):
                raise _not_initialised(self)
            own[name] = value
        elif isinstance(value, Parameter):
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif name in self._parameters:
            if value is not None:
                raise TypeError(
                    f"{type(self).__name__}.{name} is a parameter, and cannot become {type(value).__name__}; assign a "
                    f"Parameter or None, or change its values inside no_grad() with .copy_(...)"
                )
            self._parameters[name] = None
        elif isinstance(value, Module):
            self._forget(name, "_modules")
            self.add_module(name, value)
        elif name in self._modules:
            if value is not None:
                raise TypeError(
                    f"{type(self).__name__}.{name} is a module, and cannot become {type(value).__name__}; assign a "
                    f"Module or None, or delete it first"
                )
            self._modules[name] = None
        elif name in self._buffers:
            if value is not None and not isinstance(value, TensorBase):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a buffer, and cannot become {type(value).__name__}; assign a "
                    f"Tensor or None"
                )
            self._buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, unless: str) -> None:
        """Take away what has a name, so that something of another kind can have it."""
        self.__dict__.pop(name, None)
        for kind in KINDS:
            if kind != unless and self.__dict__[kind].pop(name, None) is not None:
                self._transient.discard(name)

    def __getattr__(self, name: str) -> Any:
        # Called only where there is no ordinary attribute.
        own = self.__dict__
        for kind in KINDS:
            if kind in own and name in own[kind]:
                return own[kind][name]
        if "_modules" not in own and not name.startswith("__"):
            raise _not_initialised(self)
        hint = ""
        if not name.startswith("_"):
            from difflib import get_close_matches

            near = get_close_matches(name, [known for known in dir(self) if not known.startswith("_")], 1, 0.75)
            hint = f"; did you mean {near[0]!r}?" if near else ""
        # Python would add a guess of its own where it is not told the name.
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}", name=name)

    def __delattr__(self, name: str) -> None:
        for kind in (self._parameters, self._buffers, self._modules):
            if name in kind:
                del kind[name]
                self._transient.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._parameters, *self._buffers, *self._modules})

    def _register(self, kind: str, name: str, value: Any) -> None:
        own = self.__dict__
        if "_modules" not in own:
            raise _not_initialised(self)
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{type(self).__name__}: a name must be a string without dots, not {name!r}")
        if name not in own[kind] and (name in own or hasattr(type(self), name) or any(name in own[k] for k in KINDS)):
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} already")
        own[kind][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name. Raises `KeyError` for a bad name, `TypeError` for anything but a Parameter."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"{type(self).__name__}.{name}: {type(param).__name__} is not a Parameter")
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a tensor that is state but is not learned; `persistent` says whether `state_dict` holds it."""
        if tensor is not None and not isinstance(tensor, TensorBase):
            raise TypeError(f"{type(self).__name__}.{name}: a buffer must be a Tensor, not {type(tensor).__name__}")
        self._register("_buffers", name, tensor)
        (self._transient.discard if persistent else self._transient.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name. Raises `KeyError` for a bad name, `TypeError` for anything but a Module."""
        if module is not None and not isinstance(module, Module):
            hint = ""
            if isinstance(module, type):
                hint = f"; {module.__name__} is a class: write {module.__name__}(...)"
            elif isinstance(module, list | tuple):
                hint = "; unpack it: Sequential(*layers)"
            raise TypeError(f"{type(self).__name__}.{name}: {type(module).__name__} is not a Module{hint}")
        self._register("_modules", name, module)

    register_module = add_module

    # Walking the tree

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with dotted names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        for _, module in self.named_children():
            yield module

    def _named(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for at, module in modules:
            for name, value in getattr(module, kind).items():
                if value is None or (remove_duplicate and id(value) in seen):
                    continue
                seen.add(id(value))
                yield (f"{at}.{name}" if at else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters, each once, with dotted names."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All buffers, each once, with dotted names."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """All buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module of a dotted name. Raises `AttributeError` where there is none."""
        module: Module = self
        for name in target.split(".") if target else ():
            child = module._modules.get(name)
            if child is None:
                raise AttributeError(f"{type(module).__name__} has no module {name!r} (on the way to {target!r})")
            module = child
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module in under a dotted name, whose last part need not be there yet unless `strict`."""
        at, _, name = target.rpartition(".")
        parent = self.get_submodule(at)
        if strict and name not in parent._modules:
            raise AttributeError(f"set_submodule: {type(parent).__name__} has no module {name!r} to replace")
        parent.add_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name. Raises `AttributeError` where there is none."""
        at, _, name = target.rpartition(".")
        parameter = self.get_submodule(at)._parameters.get(name)
        if parameter is None:
            raise AttributeError(f"there is no parameter {target!r}")
        return parameter

    def get_buffer(self, target: str) -> Any:
        """The buffer of a dotted name. Raises `AttributeError` where there is none."""
        at, _, name = target.rpartition(".")
        buffer = self.get_submodule(at)._buffers.get(name)
        if buffer is None:
            raise AttributeError(f"there is no buffer {target!r}")
        return buffer

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call `fn` on every module below this one, children first, and on this one; return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # Modes

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below it into training mode (dropout drops); return it."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, not {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)  # which a class may override, to keep its layers frozen
        return self

    def eval(self: M) -> M:
        """Put this module and all below it into evaluation mode; return it."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set whether the parameters are learned (False freezes them); return this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parameters: to None, or to zeros."""
        for parameter in self.parameters():
            clear(parameter, set_to_none)

    def to(
        self: M,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> M:
        """Convert the floating parameters and buffers to a dtype, or that of a tensor, in place; return this module.

        A device may be given, and must be "cpu"; a `memory_format` changes nothing. Raises `DtypeError` for a dtype
        that is not floating.
        """
        # Tensor.to reads the arguments: they name a dtype where tensors of two dtypes come out the same.
        probes = (wrap(np.zeros(0, probe)).to(*args, dtype=dtype, device=device) for probe in (np.float32, np.float64))
        single, double = (probe.dtype for probe in probes)
        return self._convert(single) if single == double else self

    def _convert(self: M, dtype: Any, kinds: str = "f") -> M:
        dtype = as_dtype(dtype)
        if dtype.kind != "f":
            raise DtypeError(f"{type(self).__name__}.to: parameters need a floating dtype, not {dtype.name}")
        for tensor in itertools.chain(self.parameters(), self.buffers()):
            if tensor._data.dtype.kind in kinds and tensor._data.dtype != dtype:
                tensor._data = tensor._data.astype(dtype)
                if tensor._grad is not None:
                    tensor._grad = wrap(tensor._grad._data.astype(dtype))
        return self

    def double(self: M) -> M:
        """Convert the floating parameters and buffers to float64; return this module."""
        return self._convert(np.float64)

    def float(self: M) -> M:
        """Convert the floating parameters and buffers to float32; return this module."""
        return self._convert(np.float32)

    def half(self: M) -> M:
        """Convert the floating parameters and buffers to float16; return this module."""
        return self._convert(np.float16)

    def type(self: M, dst_type: Any) -> M:
        """Convert all parameters and buffers, of integers too, to a dtype; return this module."""
        return self._convert(dst_type, "fiub")

    def cpu(self: M) -> M:
        """This module: it is there already."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """Refused with a `DeviceError`: modules live on the CPU."""
        return self.to(device="cuda" if device is None else device)

    # Looks

    def extra_repr(self) -> str:
        """What the repr says of this module beside its name: a layer's settings."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n")
        lines = [f"({name}): {_indent(repr(module))}" for name, module in self._modules.items()]
        if not lines and len(extra) == 1:
            return f"{type(self).__name__}({extra[0]})"
        body = "\n  ".join((extra if extra != [""] else []) + lines)
        return f"{type(self).__name__}(\n  {body}\n)"


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")


def _not_initialised(module: Module) -> AttributeError:
    return AttributeError(f"{type(module).__name__}.__init__ must call super().__init__() first")
