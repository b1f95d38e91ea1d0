"""Multi-head attention as a layer."""

from __future__ import annotations

from typing import Any

from tensorgrad.creation import empty
from tensorgrad.nn import init
from tensorgrad.nn.functional.attention import attend
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter


class MultiheadAttention(Module):
    """Attention of `num_heads` heads between projections (Vaswani et al., 2017, arXiv:1706.03762).

    Query (L, N, embed_dim), key (S, N, kdim) and value (S, N, vdim), with `batch_first` (N, L, ...), or without the
    batch, give an output like the query, and the weights (N, L, S) averaged over the heads, or one each (N, heads, L,
    S) without `average_attn_weights`, or None without `need_weights`, which is faster. `key_padding_mask` (N, S) and
    `attn_mask` (L, S) or (N * heads, L, S) say by True what is not seen, or are floats added to the scores;
    `is_causal` says that `attn_mask` is the causal mask. `add_bias_kv` adds a learned key and value to each sequence,
    `add_zero_attn` one of zeros. Raises `ValueError` unless the heads divide `embed_dim`.

    >>> import tensorgrad as tg
    >>> y, weights = tg.nn.MultiheadAttention(4, 2)(tg.ones(5, 3, 4), tg.ones(6, 3, 4), tg.ones(6, 3, 4))
    >>> y.shape, weights.shape
    ((5, 3, 4), (3, 5, 6))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim {embed_dim} must be a positive multiple of num_heads {num_heads}"
            )
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        together = self.kdim == self.vdim == embed_dim
        for name, size in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            weight = None if together else Parameter(empty(embed_dim, size, **factory))
            self.register_parameter(f"{name}_proj_weight", weight)
        self.register_parameter(
            "in_proj_weight", Parameter(empty(3 * embed_dim, embed_dim, **factory)) if together else None
        )
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, **factory)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, **factory)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty(1, 1, embed_dim, **factory)) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name, parameter in self.named_parameters(recurse=False):
            if name.endswith("weight"):
                init.xavier_uniform_(parameter)
            elif name == "in_proj_bias":
                init.zeros_(parameter)
                init.zeros_(self.out_proj.bias)
            else:
                init.xavier_normal_(parameter)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """The output, and the weights or None."""
        weights = self.in_proj_weight
        if weights is None:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        return attend(
            (query, key, value), self.num_heads, weights, self.in_proj_bias, (self.out_proj.weight, self.out_proj.bias),
            extra=(self.bias_k, self.bias_v), zero=self.add_zero_attn, masks=(attn_mask, key_padding_mask),
            is_causal=is_causal, dropout_p=self.dropout if self.training else 0.0, need_weights=need_weights,
            average=average_attn_weights, batch_first=self.batch_first,
        )  # fmt: skip
