"""Recurrent layers: the plain network, LSTM and GRU, over whole sequences."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from tensorgrad.creation import empty, tensor, zeros
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.utils.rnn import PackedSequence
from tensorgrad.ops import cat, index_select, matmul, stack
from tensorgrad.ops.checks import must_be_int
from tensorgrad.ops.recurrent import gru_op, lstm_op, rnn_op
from tensorgrad.tensor import Tensor

Sizes = tuple[int, ...]


def initialise(module: Module, hidden_size: int) -> None:
    """Draw all parameters uniformly in +-1 / sqrt(hidden_size)."""
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size else 0.0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def require(name: str, what: str, x: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Raise unless a state has the shape and dtype that it must have."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: {what} must be a Tensor of shape {shape}, not {type(x).__name__}")
    if tuple(x.shape) != shape:
        raise ShapeError(f"{name}: {what} has shape {tuple(x.shape)}, and must have {shape} for this input")
    require_dtype(name, what, x, dtype)


def require_dtype(name: str, what: str, x: Any, dtype: Any) -> None:
    """Raise unless a tensor has the dtype of the weights."""
    if x.dtype != dtype:
        raise DtypeError(
            f"{name}: {what} is {x.dtype.name}, and the weights are {dtype.name}; convert with .to(...), or the layer "
            f"with .double() or .float()"
        )


# One direction of one layer: from rows (see `ops.recurrent`) and the first states, the states after each row. The first
# of them is the output.


def run_rnn(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, relu: bool, **rows: Any
) -> tuple[Any, ...]:
    """tanh or relu of `x @ w_ih.T + b_ih + h @ w_hh.T + b_hh`."""
    z = F.linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
    states: tuple[Any, ...] = rnn_op(z, h, w_hh, relu=relu, **rows)
    return states


def run_gru(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **rows: Any) -> tuple[Any, ...]:
    """Gated recurrent units."""
    y, _ = gru_op(F.linear(x, w_ih, b_ih), h, w_hh, b_hh, **rows)
    return (y,)


def run_lstm(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, **rows: Any
) -> tuple[Any, ...]:
    """Long short-term memory."""
    z = F.linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
    y, cells, _ = lstm_op(z, h, c, w_hh, **rows)
    return y, cells


def _run_projected_lstm(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, *others: Any, **rows: Any) -> tuple[Any, ...]:
    """Long short-term memory whose output is projected by the last weight, w_hr.

    A state h = m @ w_hr.T is only ever multiplied by w_hh: w_hh @ w_hr, once, takes m as it is. But for the first
    state, which no m gave: its share is added to that of the inputs.
    """
    *biases, w_hr = others
    z = F.linear(x, w_ih, biases[0] + biases[1] if biases else None)
    at = tensor(_ends(rows["sizes"], last=rows["reverse"]))
    z = z.scatter_add(0, at.unsqueeze(1).expand(-1, z.shape[1]), matmul(h, w_hh.T))
    m, cells, _ = lstm_op(z, zeros(c.shape, dtype=c.dtype), c, matmul(w_hh, w_hr), **rows)
    return F.linear(m, w_hr), cells


def _ends(sizes: Sizes, last: bool) -> list[int]:
    """The row of each sequence's last step, or of its first."""
    if not last:
        return list(range(sizes[0]))
    ending = zip(accumulate(sizes, initial=0), sizes, (*sizes[1:], 0))
    return [start + b for start, size, still in reversed(list(ending)) for b in range(still, size)]


def _final(states: Any, sizes: Sizes, reverse: bool) -> Any:
    """The state of each sequence after the step that was taken last."""
    if reverse:
        return states[: sizes[0]]
    if sizes[-1] == sizes[0]:
        return states[states.shape[0] - sizes[0] :]
    return index_select(states, 0, tensor(_ends(sizes, last=True)))


class RNNBase(Module):
    """What the recurrent layers share: parameters by PyTorch's names, layers and directions, the forms of the input.

    `mode` is "RNN_TANH", "RNN_RELU", "LSTM" or "GRU". Raises `TypeError` and `ValueError` for arguments that are not
    what they must be.

    >>> import tensorgrad as tg
    >>> [name for name, _ in tg.nn.RNNBase("GRU", 3, 2).named_parameters()]
    ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        name = type(self).__name__
        if mode not in MODES:
            raise ValueError(f"{name}: mode must be one of {', '.join(MODES)}, not {mode!r}")
        for what, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name}: {what} must be True or False, not {flag!r}")
        must_be_int(name, 1, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout must be a probability, from 0 to 1, not {dropout!r}")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(f"{name}: proj_size must be 0, for none, or less than hidden_size, not {proj_size}")
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} drops nothing, because it is between layers, and num_layers is 1",
                stacklevel=3,
            )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._names: list[list[str]] = []
        gates, width = MODES[mode] * hidden_size, proj_size or hidden_size
        directions = ("", "_reverse") if bidirectional else ("",)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, input_size), "weight_hh": (gates, width)}
        if bias:
            shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
        if proj_size:
            shapes["weight_hr"] = (proj_size, hidden_size)
        for layer in range(num_layers):
            for direction in directions:
                self._names.append([f"{kind}_l{layer}{direction}" for kind in shapes])
                for full_name, shape in zip(self._names[-1], shapes.values()):
                    setattr(self, full_name, Parameter(empty(shape, **factory)))
            shapes["weight_ih"] = (gates, width * len(directions))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew, uniformly in +-1 / sqrt(hidden_size)."""
        initialise(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Does nothing: parameters need not lie together in memory here."""

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def _rows(self, input: Any) -> tuple[Any, Sizes]:
        """The input in rows, one step after another, and how many rows each step has."""
        name = type(self).__name__
        sizes: Sizes = ()
        if isinstance(input, PackedSequence):
            x, sizes, forms = input.data, tuple(input.batch_sizes.tolist()), {2: "(N, H_in)"}
        elif isinstance(input, Tensor):
            x = input
            forms = {3: "(B, T, H_in)" if self.batch_first else "(T, B, H_in)", 2: "(T, H_in)"}
        else:
            raise TypeError(f"{name}: the input must be a Tensor or a PackedSequence, not {type(input).__name__}")
        if x.ndim not in forms or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: the input has shape {tuple(x.shape)}, and must be {' or '.join(forms.values())} with H_in "
                f"{self.input_size}"
            )
        require_dtype(name, "the input", x, self.weight_ih_l0.dtype)
        if not sizes:
            if x.ndim == 2:
                x = x.unsqueeze(1)
            elif self.batch_first:
                x = x.transpose(0, 1)
            steps, batch, width = x.shape
            if not steps:
                raise ShapeError(f"{name}: the input has shape {tuple(input.shape)}: there must be a step or more")
            x, sizes = x.reshape(steps * batch, width), (batch,) * steps
        return x, sizes

    def _first(self, input: Any, hx: Any, batch: int) -> tuple[Any, ...]:
        """The first states, each of shape (layers and directions, batch, width)."""
        name, lead, dtype = type(self).__name__, len(self._names), self.weight_ih_l0.dtype
        widths = {"hx": self.hidden_size}
        if self.mode == "LSTM":
            widths = {"h_0": self.proj_size or self.hidden_size, "c_0": self.hidden_size}
        if hx is None:
            return tuple(zeros(lead, batch, width, dtype=dtype) for width in widths.values())
        if self.mode != "LSTM":
            hx = (hx,)
        elif not isinstance(hx, list | tuple) or len(hx) != 2:
            raise TypeError(f"{name}: hx must be a pair (h_0, c_0), not {type(hx).__name__}")
        packed = isinstance(input, PackedSequence)
        alone = not packed and input.ndim == 2
        for (what, width), state in zip(widths.items(), hx):
            require(name, what, state, (lead, width) if alone else (lead, batch, width), dtype)
        if alone:
            return tuple(state.unsqueeze(1) for state in hx)
        return tuple(_ordered(state, input.sorted_indices) for state in hx) if packed else tuple(hx)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """The output of every step, and the last state."""
        x, sizes = self._rows(input)
        first = self._first(input, hx, sizes[0])
        run, directions = _RUN[self.mode], 2 if self.bidirectional else 1
        if self.proj_size:
            run = _run_projected_lstm
        last: list[list[Any]] = [[] for _ in first]
        for k, weights in enumerate(self.all_weights):
            reverse = k % directions == 1
            if not reverse:
                if k and self.dropout:
                    x = F.dropout(x, self.dropout, self.training)
                outputs: list[Any] = []
            states = run(x, *(state[k] for state in first), *weights, sizes=sizes, reverse=reverse)
            outputs.append(states[0])
            for of_state, state in zip(last, states):
                of_state.append(_final(state, sizes, reverse))
            if len(outputs) == directions:
                x = outputs[0] if directions == 1 else cat(outputs, 1)
        hidden = tuple(stack(of_state) for of_state in last)
        if isinstance(input, PackedSequence):
            y: Any = PackedSequence(x, *input[1:])
            hidden = tuple(_ordered(state, input.unsorted_indices) for state in hidden)
        elif input.ndim == 2:
            y, hidden = x, tuple(state.squeeze(1) for state in hidden)
        else:
            y = x.reshape(len(sizes), sizes[0], x.shape[1])
            y = y.transpose(0, 1) if self.batch_first else y
        return y, hidden if self.mode == "LSTM" else hidden[0]

    def extra_repr(self) -> str:
        """The settings."""
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        told = [f"{key}={getattr(self, key)}" for key, value in defaults.items() if getattr(self, key) != value]
        return ", ".join([str(self.input_size), str(self.hidden_size), *told])


# How many times hidden_size rows the weights have, and what runs one direction of a layer.
MODES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
_RUN: dict[str, Callable[..., tuple[Any, ...]]] = {
    "RNN_TANH": functools.partial(run_rnn, relu=False),
    "RNN_RELU": functools.partial(run_rnn, relu=True),
    "LSTM": run_lstm,
    "GRU": run_gru,
}


def _ordered(state: Any, indices: Any) -> Any:
    """A state with the batch in another order."""
    return state if indices is None else index_select(state, 1, indices)


class RNN(RNNBase):
    """The plain recurrent network: `h = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)` at each step.

    Input (T, B, input_size), with `batch_first` (B, T, ...), without a batch (T, ...), or a `PackedSequence`, gives the
    output of the last layer, with hidden_size in place of input_size, twice that with `bidirectional`, and the last
    state (layers and directions, B, hidden_size), which is also the shape of `hx`, the first state, by default 0.
    `nonlinearity` is "tanh" or "relu"; `dropout` drops between layers in training. Parameters start uniform in
    +-1 / sqrt(hidden_size). Raises `ShapeError` and `DtypeError` for an input or state that does not fit.

    >>> import tensorgrad as tg
    >>> y, h = tg.nn.RNN(3, 2, num_layers=2)(tg.ones(5, 4, 3))
    >>> y.shape, h.shape
    ((5, 4, 2), (2, 4, 2))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (S. Hochreiter and J. Schmidhuber, Neural Computation 9, 1997), with forget gates.

    At each step the gates i, f, g, o, which is the order of the weights' rows, are sigmoids, for g tanh, of
    `x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh`; then `c = f * c + i * g` and `h = o * tanh(c)`, with
    `proj_size` further multiplied by weight_hr (H. Sak et al., 2014, arXiv:1402.1128). Input and output are those of
    `RNN`; `hx` and the last state are pairs of h (layers and directions, B, proj_size or hidden_size) and c (...,
    hidden_size).

    >>> import tensorgrad as tg
    >>> y, (h, c) = tg.nn.LSTM(3, 2, batch_first=True, bidirectional=True)(tg.ones(4, 5, 3))
    >>> y.shape, h.shape, c.shape
    ((4, 5, 4), (2, 4, 2), (2, 4, 2))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )


class GRU(RNNBase):
    """Gated recurrent units (K. Cho et al., 2014, arXiv:1406.1078).

    At each step r and z are sigmoids, as in `LSTM`, and n is
    `tanh(x @ weight_ih.T + bias_ih + r * (h @ weight_hh.T + bias_hh))`: the rows of the weights are in that order; then
    `h = (1 - z) * n + z * h`. Input, output and state are those of `RNN`.

    >>> import tensorgrad as tg
    >>> y, h = tg.nn.GRU(3, 2)(tg.ones(5, 4, 3))
    >>> y.shape, h.shape
    ((5, 4, 2), (1, 4, 2))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
