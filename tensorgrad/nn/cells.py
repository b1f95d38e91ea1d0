"""Recurrent cells: a single step of the recurrent layers."""

from __future__ import annotations

from typing import Any

from tensorgrad.creation import empty, zeros
from tensorgrad.errors import ShapeError
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.recurrent import initialise, require, require_dtype, run_gru, run_lstm, run_rnn
from tensorgrad.ops.checks import must_be_int, no_tensor
from tensorgrad.tensor import Tensor


class RNNCellBase(Module):
    """What the cells share: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`, of `num_chunks` times hidden_size rows.

    >>> import tensorgrad as tg
    >>> tg.nn.RNNCellBase(3, 2, bias=True, num_chunks=4).weight_ih.shape
    (8, 3)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        must_be_int(type(self).__name__, 0, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(rows, input_size, **factory))
        self.weight_hh = Parameter(empty(rows, hidden_size, **factory))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(rows, **factory)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniformly in +-1 / sqrt(hidden_size)."""
        initialise(self, self.hidden_size)

    def _step(self, run: Any, input: Any, states: dict[str, Any], **attrs: Any) -> tuple[Any, ...]:
        """The states, by name and None for 0, after a step on (B, input_size), or (input_size) without a batch."""
        name, weight = type(self).__name__, self.weight_ih
        if not isinstance(input, Tensor):
            raise no_tensor(name, "the input", input)
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: the input has shape {tuple(input.shape)}, and must be (B, {self.input_size}) or, without a "
                f"batch, ({self.input_size},)"
            )
        require_dtype(name, "the input", input, weight.dtype)
        shape = (*input.shape[:-1], self.hidden_size)
        for what, state in states.items():
            if state is None:
                states[what] = zeros(shape, dtype=weight.dtype)
            else:
                require(name, what, state, shape, weight.dtype)
        xs = (input, *states.values())
        if input.ndim == 1:
            xs = tuple(x.unsqueeze(0) for x in xs)
        sizes = (xs[0].shape[0],)
        after: tuple[Any, ...] = run(
            *xs, weight, self.weight_hh, self.bias_ih, self.bias_hh, sizes=sizes, reverse=False, **attrs
        )
        return tuple(x.squeeze(0) for x in after) if input.ndim == 1 else after

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.input_size}, {self.hidden_size}{'' if self.bias else ', bias=False'}"


class RNNCell(RNNCellBase):
    """A step of `RNN`: input (B, input_size) and state (B, hidden_size), by default 0, to the next state.

    Both may be without the batch. Raises `ShapeError` and `DtypeError` where they do not fit.

    >>> import tensorgrad as tg
    >>> tg.nn.RNNCell(3, 2)(tg.ones(4, 3)).shape
    (4, 2)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        return self._step(run_rnn, input, {"hx": hx}, relu=self.nonlinearity == "relu")[0]

    def extra_repr(self) -> str:
        """The settings."""
        return super().extra_repr() + (", nonlinearity=relu" if self.nonlinearity == "relu" else "")


class LSTMCell(RNNCellBase):
    """A step of `LSTM`: input (B, input_size) and the pair (h, c) of (B, hidden_size), by default 0, to the next pair.

    All may be without the batch. Raises `ShapeError` and `DtypeError` where they do not fit.

    >>> import tensorgrad as tg
    >>> h, c = tg.nn.LSTMCell(3, 2)(tg.ones(4, 3))
    >>> h.shape, c.shape
    ((4, 2), (4, 2))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The next (h, c)."""
        if hx is not None and (not isinstance(hx, list | tuple) or len(hx) != 2):
            raise TypeError(f"LSTMCell: hx must be a pair (h_0, c_0), not {type(hx).__name__}")
        h, c = hx or (None, None)
        h, c = self._step(run_lstm, input, {"h_0": h, "c_0": c})
        return h, c


class GRUCell(RNNCellBase):
    """A step of `GRU`: input (B, input_size) and state (B, hidden_size), by default 0, to the next state.

    Both may be without the batch. Raises `ShapeError` and `DtypeError` where they do not fit.

    >>> import tensorgrad as tg
    >>> tg.nn.GRUCell(3, 2)(tg.ones(4, 3)).shape
    (4, 2)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        return self._step(run_gru, input, {"hx": hx})[0]
