"""Transformers: layers of attention and feed-forward networks, stacked (Vaswani et al., 2017, arXiv:1706.03762)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from tensorgrad.creation import full
from tensorgrad.errors import ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.attention import MultiheadAttention
from tensorgrad.nn.container import ModuleList
from tensorgrad.nn.dropout import Dropout
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.nn.normalization import LayerNorm

Activation = str | Callable[[Any], Any]


def _activation(name: str, activation: Activation) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise ValueError(f"{name}: activation must be 'relu', 'gelu' or a function, not {activation!r}")
    return F.relu if activation == "relu" else F.gelu


class _Layer(Module):
    """What encoder and decoder layers share: sub-layers, each with dropout, a residual connection and a norm."""

    attentions: tuple[str, ...]

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        for name in self.attentions:
            made = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **factory)
            self.add_module(name, made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **factory)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **factory)
        self.norm_first = norm_first
        count = len(self.attentions) + 1
        for i in range(1, count + 1):
            self.add_module(f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, **factory))
        for i in range(1, count + 1):
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.activation = _activation(type(self).__name__, activation)

    def _add(self, x: Any, number: int, sublayer: Callable[[Any], Any]) -> Any:
        """x with what a sub-layer makes of it added; the norm before that, or after."""
        norm, dropout = getattr(self, f"norm{number}"), getattr(self, f"dropout{number}")
        return x + dropout(sublayer(norm(x))) if self.norm_first else norm(x + dropout(sublayer(x)))

    def _feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and a feed-forward network, each with dropout, a residual connection and a layer norm.

    Input and output are (S, N, d_model), with `batch_first` (N, S, d_model), or without the batch (S, d_model).
    `norm_first` puts the norms before the sub-layers (Xiong et al., 2020, arXiv:2002.04745). `activation` is "relu",
    "gelu" or a function.

    >>> import tensorgrad as tg
    >>> tg.nn.TransformerEncoderLayer(4, 2, 8)(tg.ones(5, 3, 4)).shape
    (5, 3, 4)
    """

    attentions = ("self_attn",)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Encode a sequence; for the masks see `MultiheadAttention`."""

        def attention(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        return self._add(self._add(src, 1, attention), 2, self._feed_forward)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to what an encoder gave, and a feed-forward network, each added to its input.

    Input and output are (T, N, d_model), the memory (S, N, d_model), with `batch_first` the batch first, or without the
    batch. See `TransformerEncoderLayer` for the arguments.

    >>> import tensorgrad as tg
    >>> tg.nn.TransformerDecoderLayer(4, 2, 8)(tg.ones(6, 3, 4), tg.ones(5, 3, 4)).shape
    (6, 3, 4)
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """Decode a sequence with a memory; for the masks see `MultiheadAttention`."""

        def attention(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def look_up(x: Any) -> Any:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )[0]

        return self._add(self._add(self._add(tgt, 1, attention), 2, look_up), 3, self._feed_forward)


def _is_causal(mask: Any, is_causal: bool | None, sequence: Any, layer: Any) -> bool:
    """Whether a mask is the causal one: as is said, or else as it looks."""
    if is_causal is not None or mask is None:
        return bool(is_causal)
    batch_first = sequence.ndim == 3 and layer.self_attn.batch_first
    size = sequence.shape[1 if batch_first else 0]
    if mask.shape != (size, size):
        return False
    expected = Transformer.generate_square_subsequent_mask(size)
    return bool((mask == (expected < 0 if mask.dtype.kind == "b" else expected)).all())


class _Stack(Module):
    """Copies of a layer, one after the other, and a norm at the end."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def _run(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *args, **kwargs)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`num_layers` copies of an encoder layer, with the same parameters to begin with, and a norm at the end.

    `enable_nested_tensor` and `mask_check` are taken for PyTorch's sake, and do nothing.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.TransformerEncoderLayer(4, 2, 8)
    >>> tg.nn.TransformerEncoder(layer, 2)(tg.ones(5, 3, 4)).shape
    (5, 3, 4)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        """Encode a sequence; whether the mask is causal is seen from it unless `is_causal` says so."""
        causal = _is_causal(mask, is_causal, src, self.layers[0])
        return self._run(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=causal)


class TransformerDecoder(_Stack):
    """`num_layers` copies of a decoder layer, with the same parameters to begin with, and a norm at the end.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.TransformerDecoderLayer(4, 2, 8)
    >>> tg.nn.TransformerDecoder(layer, 2)(tg.ones(6, 3, 4), tg.ones(5, 3, 4)).shape
    (6, 3, 4)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Decode a sequence; whether its mask is causal is seen from it unless `tgt_is_causal` says so."""
        causal = _is_causal(tgt_mask, tgt_is_causal, tgt, self.layers[0])
        return self._run(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, causal, memory_is_causal
        )


class Transformer(Module):
    """An encoder and a decoder that looks at what it gave: sequences (S, N, d_model) and (T, N, d_model) to the latter.

    With `batch_first` the batch comes first; it can be left out. Matrices start Xavier-uniform. `custom_encoder` and
    `custom_decoder` take the place of the stacks. See `TransformerEncoderLayer` for the other arguments.

    >>> import tensorgrad as tg
    >>> model = tg.nn.Transformer(4, 2, 1, 1, 8)
    >>> model(tg.ones(5, 3, 4), tg.ones(6, 3, 4), tgt_mask=model.generate_square_subsequent_mask(6)).shape
    (6, 3, 4)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        factory = {"device": device, "dtype": dtype}

        def norm() -> Module:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, **factory)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*layer, **factory), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*layer, **factory), num_decoder_layers, norm()
        )
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """Decode `tgt` with what `src` is encoded to; for the masks see `MultiheadAttention`."""
        batch = 0 if self.batch_first else 1
        if src.ndim != tgt.ndim or {src.shape[-1], tgt.shape[-1]} != {self.d_model} or (
            src.ndim == 3 and src.shape[batch] != tgt.shape[batch]
        ):  # fmt: skip
            layout = "(N, L, d_model)" if self.batch_first else "(L, N, d_model)"
            raise ShapeError(
                f"Transformer: src of shape {src.shape} and tgt of shape {tgt.shape} must be {layout} with one batch "
                f"size N, or (L, d_model), and d_model is {self.d_model}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal,
            memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """The causal mask of a length: 0 for what a query sees, -inf for what comes after it."""
        return full((sz, sz), -math.inf, device=device, dtype=dtype).triu(1)
