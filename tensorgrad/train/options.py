"""What is said of single layers: their penalties, their learning rate, and whether they are learned at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor


def must_be_number(what: str, value: Any) -> None:
    """Raise `ValueError` unless a value is a finite number of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < float("inf"):
        raise ValueError(f"{what} must be a number of 0 or more, not {value!r}")


@dataclass(frozen=True)
class LayerOptions:
    """Penalties `l1 * sum(|p|) + l2 * sum(p**2)` on a layer's weights and biases, its learning rate, and whether it
    is learned. Raises `ValueError` for a penalty or a learning rate that is not 0 or more.

    >>> from tensorgrad.train.options import LayerOptions
    >>> LayerOptions(weight_l2=5e-4).weight_l2
    0.0005
    """

    weight_l1: float = 0.0
    weight_l2: float = 0.0
    bias_l1: float = 0.0
    bias_l2: float = 0.0
    learning_rate: float | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        for name in ("weight_l1", "weight_l2", "bias_l1", "bias_l2", "learning_rate"):
            value: Any = getattr(self, name)
            if name != "learning_rate" or value is not None:
                must_be_number(name, value)

    def penalties(self, name: str) -> tuple[float, float]:
        """The factors of L1 and L2 for a parameter of a name."""
        bias = "bias" in name.rpartition(".")[2]
        return (self.bias_l1, self.bias_l2) if bias else (self.weight_l1, self.weight_l2)


def by_parameter(module: Module, options: Mapping[str, LayerOptions]) -> list[tuple[str, Parameter, LayerOptions]]:
    """The parameters of a network with what is said of them: what is said of the innermost layer counts."""
    found = []
    for name, parameter in module.named_parameters():
        found.append((name, parameter, of_layer(name.rpartition(".")[0], options)))
    return found


def of_layer(name: str, options: Mapping[str, LayerOptions]) -> LayerOptions:
    """What is said of a layer, or else of the innermost one around it."""
    while name and name not in options:
        name = name.rpartition(".")[0]
    return options.get(name, _PLAIN)


_PLAIN = LayerOptions()


def groups(module: Module, options: Mapping[str, LayerOptions]) -> list[dict[str, Any]]:
    """The parameters to be learned, in a group for each learning rate, those without one of their own first."""
    by_rate: dict[float | None, list[Parameter]] = {None: []}
    for _, parameter, said in by_parameter(module, options):
        if parameter.requires_grad:
            by_rate.setdefault(said.learning_rate, []).append(parameter)
    return [{"params": params} | ({} if rate is None else {"lr": rate}) for rate, params in by_rate.items() if params]


class Penalties:
    """The sum of the penalties of a network's layers, as a function of its parameters as they are.

    >>> import tensorgrad as tg
    >>> from tensorgrad.train.options import LayerOptions, Penalties
    >>> layer = tg.nn.Linear(2, 1)
    >>> layer.weight.data = tg.tensor([[1.0, -2.0]])
    >>> Penalties(tg.nn.Sequential(layer), {"0": LayerOptions(weight_l1=0.1, weight_l2=1.0)})()
    tensor(5.3000, grad_fn=<add>)
    """

    def __init__(self, module: Module, options: Mapping[str, LayerOptions]) -> None:
        self.terms = [
            (parameter, *said.penalties(name))
            for name, parameter, said in by_parameter(module, options)
            if any(said.penalties(name))
        ]

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __call__(self) -> Tensor:
        """The sum, to be added to the loss."""
        total: Any = None
        for p, l1, l2 in self.terms:
            for term in ([l1 * p.abs().sum()] if l1 else []) + ([l2 * (p * p).sum()] if l2 else []):
                total = term if total is None else total + term
        return total
