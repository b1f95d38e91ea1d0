"""Dense networks from a list of sizes, and initialisations by name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tensorgrad import nn
from tensorgrad.autograd.modes import no_grad
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.normalization import RMSNorm, _Norm
from tensorgrad.nn.utils.parametrize import ParametrizationList
from tensorgrad.ops.checks import must_be_int

_ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "logistic": nn.Sigmoid,
    "softmax": partial(nn.Softmax, 1),
    "log_softmax": partial(nn.LogSoftmax, 1),
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "mish": nn.Mish,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "hardtanh": nn.Hardtanh,
    "linear": nn.Identity,
    "identity": nn.Identity,
}
_SCHEMES: dict[str, Callable[[Any], Any]] = {
    "he": partial(init.kaiming_normal_, nonlinearity="relu"),
    "he_uniform": partial(init.kaiming_uniform_, nonlinearity="relu"),
    "xavier": init.xavier_normal_,
    "xavier_uniform": init.xavier_uniform_,
    "normal": partial(init.normal_, std=0.01),
    "zeros": init.zeros_,
    "orthogonal": init.orthogonal_,
}
_SCHEMES |= {
    "he_normal": _SCHEMES["he"],
    "kaiming": _SCHEMES["he"],
    "kaiming_normal": _SCHEMES["he"],
    "kaiming_uniform": _SCHEMES["he_uniform"],
    "xavier_normal": init.xavier_normal_,
    "glorot": init.xavier_normal_,
    "glorot_normal": init.xavier_normal_,
    "glorot_uniform": init.xavier_uniform_,
    "random_normal": _SCHEMES["normal"],
    "random": _SCHEMES["normal"],
    "zero": init.zeros_,
}


def activation(given: Any) -> Module:
    """A layer by its name, as "relu", or a copy of the layer that is given.

    Raises `ValueError` for a name that is not known.

    >>> from tensorgrad.train import activation
    >>> activation("leaky_relu")
    LeakyReLU(negative_slope=0.01)
    """
    if isinstance(given, Module):
        return copy.deepcopy(given)
    if isinstance(given, type) and issubclass(given, Module):
        return given()
    if not isinstance(given, str) or given.lower() not in _ACTIVATIONS:
        raise ValueError(f"there is no activation {given!r}; the names are {', '.join(_ACTIVATIONS)}, or give a Module")
    return _ACTIVATIONS[given.lower()]()


def initialize(module: Module, scheme: str | Callable[[Any], Any]) -> Module:
    """Draw the weights of a network anew, by the name of a scheme or a function of `nn.init`; return the network.

    The weights of two dimensions or more are drawn, biases and the padding's row of an embedding become 0, and
    normalisation layers keep what they have. "he" is for ReLU (He et al., 2015, arXiv:1502.01852), "xavier" for tanh
    and sigmoid (Glorot and Bengio, 2010), both normal unless "_uniform" is added; "normal" has a standard deviation of
    0.01; with "zeros" all units of a layer stay alike, which is what it shows. Keras's and PyTorch's names do as well.
    Raises `ValueError` for others, and where a parametrization makes NaN of what is drawn, as weight_norm of zeros.

    >>> import tensorgrad as tg
    >>> from tensorgrad.train import initialize
    >>> initialize(tg.nn.Linear(2, 1), "zeros").weight
    Parameter containing:
    tensor([[0., 0.]], requires_grad=True)
    """
    if isinstance(scheme, str):
        if scheme.lower() not in _SCHEMES:
            raise ValueError(f"there is no initialisation {scheme!r}; the names are {', '.join(_SCHEMES)}")
        scheme = _SCHEMES[scheme.lower()]
    for layer in module.modules():
        if isinstance(layer, _Norm | RMSNorm):
            continue
        if isinstance(layer, ParametrizationList):
            _draw_parametrized(layer, scheme)
            continue
        for name, parameter in layer.named_parameters(recurse=False):
            if "bias" in name:
                init.zeros_(parameter)
            elif parameter.ndim > 1:
                scheme(parameter)
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag) and layer.padding_idx is not None:
            with no_grad():
                layer.weight[layer.padding_idx] = 0.0
    return module


def _draw_parametrized(weight: ParametrizationList, scheme: Callable[[Any], Any]) -> None:
    if weight().ndim < 2:
        return
    if weight.is_tensor:
        scheme(weight.original)
    else:  # several tensors, which are one weight together
        weight.right_inverse(scheme(weight().detach()))
    if not weight().isfinite().all():
        kinds = ", ".join(map(repr, weight))
        raise ValueError(f"initialize: {kinds} makes NaN of the weights that were drawn; choose another scheme")


def mlp(
    sizes: Sequence[int],
    activation: Any = "relu",
    output: Any = None,
    *,
    dropout: float | Sequence[float] = 0.0,
    batch_norm: bool = False,
    init: str | Callable[[Any], Any] | None = None,
) -> nn.Sequential:
    """A dense network: a `Linear` layer between each two of `sizes`, the first of which is the number of features.

    `activation` stands after each hidden layer, by name, or a list with one for each of them; `output` after the last,
    None for logits or values. After an activation comes dropout with the probability `dropout` (or one for each hidden
    layer), and before it, with `batch_norm`, batch normalisation. `init` is given to `initialize`; None leaves
    PyTorch's own.
    Raises `ValueError` for fewer than two sizes, for a size of 0 and for lists of the wrong length.

    >>> from tensorgrad.train import mlp
    >>> mlp([3072, 64, 32, 1], "tanh", dropout=[0.2, 0.0])
    Sequential(
      (0): Linear(in_features=3072, out_features=64, bias=True)
      (1): Tanh()
      (2): Dropout(p=0.2, inplace=False)
      (3): Linear(in_features=64, out_features=32, bias=True)
      (4): Tanh()
      (5): Linear(in_features=32, out_features=1, bias=True)
    )
    """
    if not isinstance(sizes, Iterable):
        raise TypeError(f"mlp: sizes are a list: mlp([{sizes}, ...])")
    sizes = list(sizes)
    if len(sizes) < 2:
        raise ValueError(f"mlp: sizes must have two numbers or more, from the features to the outputs, not {sizes}")
    for size in sizes:
        must_be_int("mlp", 1, size=size)
    hidden = len(sizes) - 2
    activations = _for_each("activation", activation, hidden)
    drops = _for_each("dropout", dropout, hidden)
    layers: list[Module] = []
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(inputs, outputs, bias=not (batch_norm and i < hidden)))
        if i < hidden:
            layers += [nn.BatchNorm1d(outputs)] if batch_norm else []
            layers.append(_activation(activations[i]))
            layers += [nn.Dropout(drops[i])] if drops[i] else []
    if output is not None:
        layers.append(_activation(output))
    network = nn.Sequential(*layers)
    if init is not None:
        initialize(network, init)
    return network


_activation = activation


def _for_each(what: str, given: Any, count: int) -> list[Any]:
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, list | tuple):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"mlp: {what} must be one, or one for each of the {count} hidden layers, not {len(given)}")
    return list(given)
