"""What a network ends in, logits or probabilities, and how one is had from the other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from tensorgrad import nn
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

_LAYERS = {nn.Softmax: "softmax", nn.Softmax2d: "softmax", nn.LogSoftmax: "log_softmax", nn.Sigmoid: "sigmoid"}
_EPSILON = 1e-7  # probabilities of a function are kept this far from 0 and 1 before their logarithm, as in Keras


class Ending:
    """What the output of a network comes out of: "softmax", "log_softmax", "sigmoid", or "" for values and logits.

    Where that is a layer, its input are the logits, which a loss is better computed from than from the probabilities:
    while `watching`, they are put aside as they pass. Where it is a function in a `forward`, which the graph behind the
    output tells, they are computed back from the probabilities.

    >>> import tensorgrad as tg
    >>> from tensorgrad.train.ending import Ending
    >>> network = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.Softmax(1))
    >>> ending = Ending(network, tg.zeros(1, 2))
    >>> ending.kind
    'softmax'
    >>> with ending.watching():
    ...     bool((ending.logits(network(tg.zeros(1, 2))) == network[0](tg.zeros(1, 2))).all())
    True
    """

    def __init__(self, module: Module, *inputs: Tensor) -> None:
        # With inputs that require a gradient there is a graph, even of a network that is frozen; a clone of a leaf may
        # be changed in place by a first layer.
        inputs = tuple(x.detach().requires_grad_().clone() if x.dtype.kind == "f" else x for x in inputs)
        seen: list[tuple[Module, Any, Any]] = []
        watched = [layer for layer in module.modules() if type(layer) in _LAYERS]
        handles = [layer.register_forward_hook(lambda own, x, y: seen.append((own, x[0], y))) for layer in watched]
        try:
            with enable_grad():
                output = module(*inputs)
        finally:
            for handle in handles:
                handle.remove()
        if not isinstance(output, Tensor):
            raise TypeError(
                f"{type(module).__name__} returns {type(output).__name__}, and training takes one Tensor for a batch; "
                f"a recurrent layer's output is the first of what it returns: pick it in a forward of your own"
            )
        self.shape = tuple(output.shape)
        self.layer = next((layer for layer, _, y in seen if y is output), None)
        if self.layer is not None:
            self.kind = _LAYERS[type(self.layer)]
            passed = next(x for _, x, y in seen if y is output)
            if any(y is passed for _, _, y in seen):
                warnings.warn(
                    f"the network ends in a {self.kind} of what is a {_LAYERS[type(seen[-2][0])]} already, which keeps "
                    f"it from ever being sure; leave one of them out",
                    stacklevel=2,
                )
        else:
            name = output.grad_fn.name if output.grad_fn is not None else ""
            self.kind = name if name in _LAYERS.values() else ""
        self._logits: dict[int, Any] = {}  # what has passed in each thread that watches

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While this lasts, `logits` has what passes into the last layer."""
        if self.layer is None:
            yield
            return

        def put_aside(layer: Module, args: tuple[Any, ...]) -> None:
            if get_ident() == thread:
                self._logits[thread] = args[0]

        thread = get_ident()
        handle = self.layer.register_forward_pre_hook(put_aside)
        try:
            yield
        finally:
            handle.remove()
            self._logits.pop(thread, None)

    def logits(self, output: Tensor) -> Tensor:
        """The logits behind an output that the network has just given."""
        logits = self._logits.get(get_ident())
        if logits is not None:
            return logits
        if self.kind and output.grad_fn is not None and output.grad_fn.name != self.kind:
            raise ValueError(
                f"the network ends in a {self.kind} when it evaluates, and in {output.grad_fn.name} when it trains; "
                f"let it give logits, or probabilities, in both"
            )
        if self.kind == "softmax":
            return output.clamp(_EPSILON, 1.0).log()
        if self.kind == "sigmoid":
            x = output.clamp(_EPSILON, 1.0 - _EPSILON)
            return x.log() - (1.0 - x).log()
        return output
