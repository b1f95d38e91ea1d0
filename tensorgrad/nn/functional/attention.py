"""Attention as functions: scaled dot products, and several heads of them between projections."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import ops
from tensorgrad.autograd.graph import broadcasts
from tensorgrad.backends import cpu
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn.functional.dropout import dropout
from tensorgrad.ops.attention import attention_weights_op
from tensorgrad.ops.checks import must_be_tensors
from tensorgrad.ops.linalg import linear, matmul_op
from tensorgrad.tensor import Tensor


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """`softmax(query @ key.T * scale + mask) @ value` (Vaswani et al., 2017, arXiv:1706.03762), the scale 1 / sqrt(E).

    Queries (..., L, E), keys (..., S, E) and values (..., S, V) give (..., L, V); leading dimensions broadcast.
    `attn_mask` broadcasts to (..., L, S): bools say which keys a query sees, floats are added to the scores; a query
    that sees none gets zeros. `is_causal` shows query i the keys up to i. Dropout of the weights is applied whenever
    `dropout_p` is not 0. `enable_gqa` lets groups of heads (dimension -3) of the query share a head of key and value.
    Raises `ShapeError` and `DtypeError` for inputs that do not fit, `ValueError` for a mask beside `is_causal`.

    >>> import tensorgrad as tg
    >>> x = tg.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> tg.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[1.0000, 0.0000],
            [0.3302, 0.6698]])
    """
    name = "scaled_dot_product_attention"
    if enable_gqa:
        key, value = (_shared_heads(name, query, x, what) for x, what in ((key, "key"), (value, "value")))
    _check(name, query, key, value, attn_mask)
    if attn_mask is not None and is_causal:
        raise ValueError(f"{name}: give attn_mask or is_causal=True, not both")
    weights = _weights(query, key, attn_mask, is_causal, scale, 0.0)
    return matmul_op(dropout(weights, dropout_p), value)


def _weights(query: Any, key: Any, mask: Any, causal: bool, scale: float | None, blank: float) -> Any:
    """The weights with which queries attend to keys; `blank` where a query sees none."""
    scale = 1.0 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    masks = () if mask is None else (mask,)
    return attention_weights_op(query, key, *masks, scale=float(scale), causal=causal, blank=blank)


def _check(name: str, query: Any, key: Any, value: Any, mask: Any) -> None:
    inputs = {"query": query, "key": key, "value": value}
    must_be_tensors(name, **inputs)
    for what, x in inputs.items():
        if x.dtype.kind != "f" or x.dtype != query.dtype:
            raise DtypeError(
                f"{name}: query, key and value must share one floating dtype, and query is {query.dtype.name}, {what} "
                f"{x.dtype.name}; convert with .to(dtype)"
            )
    shapes = f"query {query.shape}, key {key.shape} and value {value.shape}"
    if min(x.ndim for x in inputs.values()) < 2:
        raise ShapeError(f"{name}: {shapes} must have two dimensions or more: (..., length, features)")
    if query.shape[-1] != key.shape[-1]:
        raise ShapeError(f"{name}: {shapes} do not fit: query and key must have as many features (last dimension)")
    if key.shape[-2] != value.shape[-2]:
        raise ShapeError(f"{name}: {shapes} do not fit: there must be a value for each key (dimension -2)")
    try:
        lead = cpu.broadcast_shapes(query.shape[:-2], key.shape[:-2])
        cpu.broadcast_shapes(lead, value.shape[:-2])
    except ValueError:
        raise ShapeError(f"{name}: {shapes} do not fit: dimensions before the last two must broadcast") from None
    if mask is None:
        return
    _check_dtype(name, "attn_mask", mask, query.dtype)
    scores = (*lead, query.shape[-2], key.shape[-2])
    if not broadcasts(mask.shape, scores):
        raise ShapeError(
            f"{name}: attn_mask of shape {mask.shape} does not broadcast to the scores' {scores}: (..., queries, keys)"
        )


def _shared_heads(name: str, query: Any, x: Any, what: str) -> Any:
    """The heads of a key or a value, each repeated for the group of query heads that shares it."""
    if min(query.ndim, x.ndim) < 3 or query.shape[-3] % max(x.shape[-3], 1):
        raise ShapeError(
            f"{name}: enable_gqa needs heads in dimension -3, those of the query a multiple of those of the {what}; "
            f"their shapes are {query.shape} and {x.shape}"
        )
    group = query.shape[-3] // max(x.shape[-3], 1)
    lead, heads, rest = x.shape[:-3], x.shape[-3], x.shape[-2:]
    return x if group == 1 else x.unsqueeze(-3).expand(*lead, heads, group, *rest).reshape(*lead, heads * group, *rest)


# Several heads


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """What `nn.MultiheadAttention` computes, with its parameters as arguments: sequences come first, (L, N, E).

    Returns the output and, with `need_weights`, the weights; see there for shapes and masks. `static_k` and `static_v`
    (N * num_heads, S, E / num_heads) stand in for the projected key and value.

    >>> import tensorgrad as tg
    >>> x, weight = tg.ones(3, 1, 2), tg.ones(6, 2)
    >>> y, weights = tg.nn.functional.multi_head_attention_forward(
    ...     x, x, x, 2, 1, weight, None, None, None, False, 0.0, tg.eye(2), None
    ... )
    >>> y.shape, weights.shape
    ((3, 1, 2), (1, 3, 3))
    """
    if query.shape[-1:] != (embed_dim_to_check,):
        raise ShapeError(
            f"multi_head_attention_forward: query has shape {query.shape}, and must have {embed_dim_to_check} features"
        )
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else in_proj_weight
    return attend(
        (query, key, value), num_heads, weights, in_proj_bias, (out_proj_weight, out_proj_bias),
        extra=(bias_k, bias_v), zero=add_zero_attn, static=(static_k, static_v),
        masks=(attn_mask, key_padding_mask), is_causal=is_causal, dropout_p=dropout_p if training else 0.0,
        need_weights=need_weights, average=average_attn_weights, batch_first=False,
    )  # fmt: skip


def attend(
    inputs: tuple[Any, Any, Any],
    heads: int,
    weights: Any,
    bias: Any,
    out: tuple[Any, Any],
    *,
    extra: tuple[Any, Any],
    zero: bool,
    static: tuple[Any, Any] = (None, None),
    masks: tuple[Any, Any],
    is_causal: bool,
    dropout_p: float,
    need_weights: bool,
    average: bool,
    batch_first: bool,
) -> tuple[Any, Any]:
    """Project query, key and value, let each head attend, and project what they give together.

    `weights` is one matrix for all three projections, or one each; `extra` a key and a value to add to every sequence,
    `zero` adds one of zeros. `masks` are the attention's and the padding's. The heads work on (N, heads, L, features).
    """
    name = "MultiheadAttention"
    batched = _check_sequences(name, inputs, weights, heads, batch_first)
    q, k, v = _project(inputs, weights, bias)
    if not batched:
        q, k, v = (x.unsqueeze(0 if batch_first else 1) for x in (q, k, v))
    apart = (0, 2, 1, 3) if batch_first else (1, 2, 0, 3)
    together = (0, 2, 1, 3) if batch_first else (2, 0, 1, 3)
    q, k, v = (x.unflatten(-1, (heads, x.shape[-1] // heads)).permute(apart) for x in (q, k, v))
    k, v = (x if given is None else given.reshape(-1, heads, *given.shape[1:]) for x, given in zip((k, v), static))
    n, _, length, features = q.shape
    mask = _merge(name, masks, (n, heads, length, k.shape[2]), batched, q.dtype)
    if is_causal and masks[0] is None:
        raise ValueError(f"{name}: is_causal=True says that attn_mask is the causal mask: give that too")
    causal = is_causal and masks[1] is None and not need_weights
    added = [x.reshape(1, heads, 1, features).expand(n, -1, -1, -1) for x in extra if x is not None]
    if added:
        k, v = (ops.cat([x, one], 2) for x, one in zip((k, v), added))
    if zero:
        k, v = (ops.cat([x, x.new_zeros((n, heads, 1, features))], 2) for x in (k, v))
    if mask is not None and mask.shape[-1] < k.shape[2]:  # what was added is seen by all
        mask = ops.cat([mask, mask.new_zeros((*mask.shape[:-1], k.shape[2] - mask.shape[-1]))], 3)
    if mask is not None and mask.dtype.kind == "b":
        mask = ops.logical_not(mask)
    # A query that sees nothing has NaN for weights, and zeros where they are not asked for: as in PyTorch.
    shares = _weights(q, k, None if causal else mask, causal, None, math.nan if need_weights else 0.0)
    shares = dropout(shares, dropout_p)
    y = linear(matmul_op(shares, v).permute(together).flatten(2), *out)
    shares = (shares.mean(1) if average else shares) if need_weights else None
    if batched:
        return y, shares
    return y.squeeze(0 if batch_first else 1), None if shares is None else shares.squeeze(0)


def _project(inputs: tuple[Any, Any, Any], weights: Any, bias: Any) -> tuple[Any, ...]:
    """The projections of query, key and value; those of one input with one matrix in one product."""
    query, key, value = inputs
    if isinstance(weights, tuple):
        biases = (None,) * 3 if bias is None else bias.chunk(3)
        return tuple(linear(x, w, b) for x, w, b in zip(inputs, weights, biases))
    if query is key is value:
        return linear(query, weights, bias).chunk(3, -1)
    features = query.shape[-1]
    sizes = (features, 2 * features) if key is value else (features,) * 3
    biases = (None,) * len(sizes) if bias is None else bias.split(sizes)
    q, *kv = (linear(x, w, b) for x, w, b in zip(inputs, weights.split(sizes), biases))
    return (q, *(kv[0].chunk(2, -1) if key is value else kv))


def _check_sequences(name: str, inputs: tuple[Any, Any, Any], weights: Any, heads: int, batch_first: bool) -> bool:
    """Check query, key and value; return whether they come in batches."""
    query, key, value = inputs
    must_be_tensors(name, query=query, key=key, value=value)
    shapes = f"query {query.shape}, key {key.shape} and value {value.shape}"
    layout = "(N, L, E)" if batch_first else "(L, N, E)"
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise ShapeError(f"{name}: {shapes} must all be {layout}, or all without a batch, (L, E)")
    sizes = tuple(w.shape[1] for w in weights) if isinstance(weights, tuple) else (weights.shape[1],) * 3
    if tuple(x.shape[-1] for x in inputs) != sizes:
        raise ShapeError(
            f"{name}: {shapes} must have {sizes[0]}, {sizes[1]} and {sizes[2]} features, the last dimension"
        )
    if query.shape[-1] % heads:
        raise ShapeError(f"{name}: {query.shape[-1]} features cannot be divided among {heads} heads")
    batch = 0 if batch_first else 1
    if key.shape[:-1] != value.shape[:-1] or (query.ndim == 3 and query.shape[batch] != key.shape[batch]):
        raise ShapeError(
            f"{name}: {shapes} do not fit: they are {layout}, with one batch size N for all, and one length for key "
            f"and value"
        )
    return query.ndim == 3


def _merge(name: str, masks: tuple[Any, Any], scores: tuple[int, int, int, int], batched: bool, dtype: Any) -> Any:
    """The mask of the attention and that of the padding as one, of four dimensions; None where there is neither.

    Both say what is not seen: by True, or by what they add to the scores.
    """
    n, heads, length, keys = scores
    mask, padding = masks
    _check_mask(name, "attn_mask", mask, dtype, (length, keys), (n * heads, length, keys))
    _check_mask(name, "key_padding_mask", padding, dtype, (n, keys) if batched else (keys,))
    if mask is not None:
        mask = mask.reshape((n, heads, length, keys) if mask.ndim == 3 else (1, 1, length, keys))
    if padding is not None:
        padding = padding.reshape(n, 1, 1, keys)
    if mask is None or padding is None:
        return padding if mask is None else mask
    if mask.dtype.kind == padding.dtype.kind == "b":
        return ops.logical_or(mask, padding)
    mask, padding = (x if x.dtype.kind == "f" else ops.where(x, -math.inf, 0.0).to(dtype) for x in (mask, padding))
    return mask + padding


def _check_dtype(name: str, what: str, mask: Any, dtype: Any) -> None:
    if not isinstance(mask, Tensor) or (mask.dtype.kind != "b" and mask.dtype != dtype):
        got = mask.dtype.name if isinstance(mask, Tensor) else type(mask).__name__
        raise DtypeError(f"{name}: {what} must be a Tensor of bools or of the query's {dtype.name}, not {got}")


def _check_mask(name: str, what: str, mask: Any, dtype: Any, *shapes: tuple[int, ...]) -> None:
    if mask is None:
        return
    _check_dtype(name, what, mask, dtype)
    if mask.shape not in shapes:
        raise ShapeError(f"{name}: {what} must have shape {' or '.join(map(str, shapes))}, and has {mask.shape}")
