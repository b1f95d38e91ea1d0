"""Parametrizations: a parameter that is computed, by modules, from others whenever it is read."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tensorgrad.autograd import no_grad
from tensorgrad.autograd.graph import TensorBase, spec
from tensorgrad.nn.container import ModuleDict, ModuleList
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]

_cache: dict[tuple[int, str], Any] = {}
_depth = 0


@contextmanager
def cached() -> Iterator[None]:
    """Within the block, compute each parametrized tensor once only, when it is first read.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 2))
    >>> with tg.nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied one after the other, and what they start from.

    That is the parameter or buffer `original`, or `original0`, `original1`, ... where the `right_inverse` of the first
    gives several tensors. Made by `register_parametrization`. Raises `ValueError` where the dtype or shape would
    change, unless `unsafe`.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 2))
    >>> list(layer.parametrizations.weight.state_dict())
    ['original0', 'original1']
    """

    def __init__(self, modules: Iterable[Module], original: Any, unsafe: bool = False) -> None:
        modules = list(modules)
        if not modules:
            raise ValueError("ParametrizationList: it needs one parametrization or more")
        super().__init__(modules)
        self.unsafe = unsafe
        before = (original.shape, original.dtype)
        new = self._inverse(original, registering=True)
        self.is_tensor = isinstance(new, TensorBase)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            self._check_dtype(new, original, "original")
            original.data = new.detach()  # the same parameter, which optimizers know
            _register(self, "original", original)
        else:
            for i, part in enumerate(new):
                part = part.detach()
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                _register(self, f"original{i}", part)
        if not unsafe:
            _check_same("register_parametrization: the parametrization", self(), *before)

    def _inverse(self, value: Any, registering: bool) -> Any:
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        value = module.right_inverse(value)
                    except NotImplementedError:
                        if not registering:
                            raise
                elif not registering:
                    raise RuntimeError(
                        f"{type(module).__name__} has no right_inverse, which assigning to a parametrized tensor needs"
                    )
        several = isinstance(value, list | tuple) and all(isinstance(part, TensorBase) for part in value)
        if not isinstance(value, TensorBase) and not several:
            raise ValueError(f"right_inverse must return a Tensor or several, not {type(value).__name__}")
        return value

    def _check_dtype(self, value: Any, original: Any, name: str) -> None:
        if value.dtype != original.dtype:
            raise ValueError(f"right_inverse returned {value.dtype.name}, and {name} is {original.dtype.name}")

    def right_inverse(self, value: Any) -> None:
        """Set the originals so that the parametrized tensor becomes a value, as far as the parametrizations can."""
        value = self._inverse(value, registering=False)
        values = [value] if self.is_tensor else value
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        if len(values) != len(names):
            raise ValueError(f"right_inverse returned {len(values)} tensors, and there are {len(names)} originals")
        for name, part in zip(names, values):
            self._check_dtype(part, getattr(self, name), name)
            getattr(self, name).data = part.detach()

    def forward(self) -> Any:
        """The parametrized tensor."""
        first, *others = self
        if self.is_tensor:
            x = first(self.original)
        else:
            x = first(*(getattr(self, f"original{i}") for i in range(self.ntensors)))
        for module in others:
            x = module(x)
        return x


def _register(module: Module, name: str, tensor: Any) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _check_same(which: str, value: Any, shape: tuple[int, ...], dtype: Any) -> None:
    if not isinstance(value, TensorBase):
        raise ValueError(f"{which} must return a Tensor, not {type(value).__name__}")
    if value._data.shape != shape or value._data.dtype != dtype:
        raise ValueError(
            f"{which} made {spec(value._data.shape, value._data.dtype)} of {spec(shape, dtype)}; if that is meant, "
            f"pass unsafe=True"
        )


def _computed(name: str) -> property:
    def read(self: Any) -> Any:
        parametrization = self.parametrizations[name]
        if not _depth:
            return parametrization()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def write(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(read, write)


def _set_class(module: Module, kind: type) -> None:
    """Give a module the class that computes its parametrized tensors: one of its own, for copies may lose theirs."""

    def deepcopy(self: Any, memo: dict[int, Any]) -> Any:
        made: Any = object.__new__(kind)
        memo[id(self)] = made
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        _set_class(made, kind)
        return made

    def getstate(self: Any) -> Any:
        raise RuntimeError(f"a parametrized {kind.__name__} cannot be pickled; save its state_dict()")

    members: dict[str, Any] = {"__deepcopy__": deepcopy, "__getstate__": getstate, "__module__": kind.__module__}
    members.update((name, _computed(name)) for name in module.parametrizations)
    parametrized = type(f"Parametrized{kind.__name__}", (kind,), members)
    module.__class__ = parametrized if module.parametrizations else kind


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrizations, or has them for one tensor.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 2))
    >>> tg.nn.utils.parametrize.is_parametrized(layer, "weight")
    True
    """
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def type_before_parametrizations(module: Module) -> type:
    """The class that a module had before it was parametrized.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 2))
    >>> type(layer).__name__, tg.nn.utils.parametrize.type_before_parametrizations(layer).__name__
    ('ParametrizedLinear', 'Linear')
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a parameter or buffer of a module be what `parametrization` computes from it; return the module.

    The original moves to `module.parametrizations.<name>.original`. Further parametrizations are applied to what the
    last gives. Assigning to the tensor, and registering, sets the original by the parametrization's `right_inverse`,
    which may return several tensors. Raises `ValueError` for a name that is not there, and where dtype or shape would
    change, unless `unsafe`.

    >>> import tensorgrad as tg
    >>> class Symmetric(tg.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = tg.nn.Linear(3, 3)
    >>> layer = tg.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        held: Any = module.parametrizations[tensor_name]
        if not unsafe:
            present = getattr(module, tensor_name)
            with no_grad():
                y = parametrization(present)
                _check_same("register_parametrization: the parametrization", y, present.shape, present.dtype)
                if hasattr(parametrization, "right_inverse"):
                    inverse = parametrization.right_inverse(y)
                    _check_same("register_parametrization: right_inverse", inverse, present.shape, present.dtype)
        held.append(parametrization)
        held.unsafe |= unsafe
        return module
    if module._parameters.get(tensor_name) is None and module._buffers.get(tensor_name) is None:
        raise ValueError(f"register_parametrization: {type(module).__name__} has no tensor {tensor_name!r}")
    held = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
    kind = type_before_parametrizations(module)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = held
    _set_class(module, kind)
    return module


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parametrized tensor a parameter or buffer again, of its present value or the original; return the module.

    Raises `ValueError` where it is not parametrized, and for the original where that is several tensors.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 2))
    >>> layer = tg.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    >>> list(layer.state_dict())
    ['bias', 'weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {type(module).__name__} has no parametrization of {tensor_name!r}")
    held: Any = module.parametrizations[tensor_name]
    if not held.is_tensor and not leave_parametrized:
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} was made of {held.ntensors} tensors, and only its present value "
            f"can be left; pass leave_parametrized=True"
        )
    if held.is_tensor:
        tensor = held.original
        if leave_parametrized:
            with no_grad():
                tensor.data = getattr(module, tensor_name).detach()
    else:
        value = getattr(module, tensor_name)
        tensor = Parameter(value.detach()) if value.requires_grad else value
    kind = type_before_parametrizations(module)
    del module.parametrizations[tensor_name]
    _set_class(module, kind)
    if not module.parametrizations:
        del module.parametrizations
    _register(module, tensor_name, tensor)
    return module
