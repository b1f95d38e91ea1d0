"""Scaled dot-product attention and its heads: PyTorch's values and gradients under every mask, and clear refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from side_by_side import compare, compare_layers, normal, pair_of, same, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck


def attention(library, *inputs, **settings):
    return library.nn.functional.scaled_dot_product_attention(*inputs, **settings)


# Queries, keys and values


@pytest.mark.parametrize(
    ("shapes", "settings"),
    [
        ([(2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 7)], {}),
        ([(2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 7)], {"is_causal": True}),
        ([(2, 3, 6, 4), (2, 3, 5, 4), (2, 3, 5, 4)], {"is_causal": True}),
        ([(5, 4), (6, 4), (6, 7)], {}),
        ([(3, 5, 4), (3, 6, 4), (3, 6, 7)], {"scale": 0.3}),
        ([(3, 5, 4), (3, 6, 4), (3, 6, 7)], {"scale": 0}),
        ([(3, 5, 4), (1, 6, 4), (1, 6, 7)], {}),
        ([(2, 1, 5, 4), (3, 6, 4), (3, 6, 2)], {}),
        ([(2, 6, 5, 4), (2, 3, 6, 4), (2, 3, 6, 4)], {"enable_gqa": True}),
        ([(2, 6, 5, 4), (2, 1, 5, 4), (2, 1, 5, 4)], {"enable_gqa": True, "is_causal": True}),
        ([(0, 5, 4), (0, 6, 4), (0, 6, 7)], {}),
        ([(2, 1, 1), (2, 1, 1), (2, 1, 1)], {"is_causal": True}),
    ],
)
def test_attention_and_its_gradients_are_those_of_torch(shapes, settings):
    arrays = [normal(*s, seed=i) for i, s in enumerate(shapes)]
    compare(lambda library, *xs: attention(library, *xs, **settings), arrays, tolerance=1e-9)


INPUTS = [normal(2, 3, n, 4, seed=i) for i, n in enumerate((5, 6, 6))]
BLIND = np.ones((5, 6), bool)
BLIND[2] = False
MASKS = {
    "bools": normal(5, 6) > 0,
    "bools of a batch": normal(2, 1, 5, 6) > 0,
    "bools of keys": normal(1, 6) > -1,
    "a row that sees nothing": BLIND,
    "nothing to be seen": np.zeros((5, 6), bool),
    "floats": normal(5, 6),
    "floats of heads": normal(3, 5, 6),
    "infinite floats": np.where(normal(5, 6) > 0, 0.0, -np.inf),
    "an infinite row": np.where(BLIND, normal(5, 6), -np.inf),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("far", [1.0, 300.0], ids=["scores near each other", "scores far apart"])
def test_masks_are_those_of_torch(mask, far):
    query, key, value = INPUTS
    compare(attention, [query * far, key, value, mask], tolerance=1e-8)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float16, 2e-3)])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_in_other_precisions(dtype, tolerance, causal):
    inputs = [x.astype(dtype) for x in INPUTS]
    compare(lambda library, *xs: attention(library, *xs, is_causal=causal), inputs, tolerance)


@pytest.mark.parametrize("far", [1.0, 1e3])
@pytest.mark.parametrize("settings", [{"is_causal": True}, {"attn_mask": tg.from_numpy(BLIND)}, {}])
def test_the_fused_weights_equal_their_composition(far, settings):
    query, key, value = (tg.from_numpy(x) for x in INPUTS)
    query = (query * far).requires_grad_()
    y = F.scaled_dot_product_attention(query, key, value, **settings)
    scores = query @ key.transpose(-1, -2) / 2.0
    allowed = settings.get("attn_mask", tg.ones(5, 6, dtype=tg.bool))
    if "is_causal" in settings:
        allowed = allowed.tril()
    scores = tg.where(allowed, scores, -float("inf"))
    expected = tg.where(allowed.any(-1, keepdim=True), scores, 0.0).softmax(-1) * allowed @ value
    same(y.detach(), expected.detach(), 1e-10)
    same(*(tg.autograd.grad((z * z).sum(), query)[0] for z in (y, expected)), 1e-8)


@pytest.mark.parametrize("settings", [{}, {"is_causal": True}, {"attn_mask": tg.from_numpy(BLIND)}])
def test_attention_has_second_derivatives(settings):
    inputs = [tg.from_numpy(normal(n, 2, seed=n)).requires_grad_() for n in (5, 6, 6)]
    assert gradcheck(lambda *xs: F.scaled_dot_product_attention(*xs, **settings), inputs)
    assert gradgradcheck(lambda *xs: F.scaled_dot_product_attention(*xs, **settings), inputs)


def test_nan_stays_where_it_was_and_scores_may_be_as_large_as_numbers_are():
    query = tg.tensor([[1e20, 0.0], [float("nan"), 0.0], [0.0, 1.0]])
    y = F.scaled_dot_product_attention(query, tg.eye(2) * 1e18, tg.eye(2))
    assert y[0].tolist() == [1.0, 0.0]
    assert y[1].isnan().all()
    assert y[2].tolist() == [0.0, 1.0]


def test_dropout_is_applied_to_the_weights_whenever_it_is_asked_for():
    x = tg.zeros(1, 50, 4)
    y = F.scaled_dot_product_attention(x, x, tg.ones(1, 50, 1), dropout_p=0.5)
    assert 0.5 < y.mean().item() < 1.5
    assert y.std().item() > 0.01
    assert F.scaled_dot_product_attention(x, x, tg.ones(1, 50, 4), dropout_p=1.0).abs().max() == 0


def test_calls_do_not_disturb_each_other_or_their_inputs():
    arrays = [x.copy() for x in INPUTS]
    inputs = [tg.from_numpy(x) for x in arrays]
    first = F.scaled_dot_product_attention(*inputs, is_causal=True)
    kept = first.tolist()
    F.scaled_dot_product_attention(*(x * 2 for x in inputs), is_causal=True)
    assert first.tolist() == kept
    assert all((a == b).all() for a, b in zip(arrays, INPUTS, strict=True))


X = tg.ones(2, 3, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: (X, X, [1.0]), DtypeError, "value must be a Tensor, not list"),
        (lambda: (X, X.double(), X), DtypeError, "query is float32, key float64; convert"),
        (lambda: (X.long(), X.long(), X.long()), DtypeError, "share one floating dtype, and query is int64"),
        (lambda: (X[0, 0], X, X), ShapeError, r"query \(4,\), .* must have two dimensions or more"),
        (lambda: (X, tg.ones(2, 3, 5), X), ShapeError, "query and key must have as many features"),
        (lambda: (X, X, tg.ones(2, 5, 4)), ShapeError, "a value for each key"),
        (lambda: (X, tg.ones(3, 3, 4), tg.ones(3, 3, 4)), ShapeError, "dimensions before the last two must broadcast"),
        (lambda: (X, X, tg.ones(3, 3, 4)), ShapeError, "dimensions before the last two must broadcast"),
        (lambda: (X, X, X, tg.ones(3, 4)), ShapeError, r"attn_mask of shape \(3, 4\) .* the scores' \(2, 3, 3\)"),
        (lambda: (X, X, X, tg.ones(3, 3).long()), DtypeError, "attn_mask must be a Tensor of bools or .*, not int64"),
        (lambda: (X, X, X, tg.ones(3, 3).double()), DtypeError, "the query's float32, not float64"),
        (lambda: (X, X, X, tg.ones(3, 3), 0.0, True), ValueError, "attn_mask or is_causal=True, not both"),
        (lambda: (X, X, X, None, 1.5), ValueError, "p must be between 0 and 1"),
        (lambda: (X, X, X, None, 0.0, False, None, True), None, ""),
        (lambda: (tg.ones(3, 3, 4), X, X, None, 0.0, False, None, True), ShapeError, "a multiple of those of the key"),
    ],
)
def test_inputs_that_do_not_fit_attention_are_refused(call, error, message):
    if error is None:
        assert F.scaled_dot_product_attention(*call()).shape == (2, 3, 4)
        return
    with pytest.raises(error, match=message):
        F.scaled_dot_product_attention(*call())


# Several heads

EMBED, HEADS, LENGTH, KEYS, BATCH = 8, 2, 5, 6, 3


def sequences(batch_first, kdim=EMBED, vdim=EMBED):
    arrays = [normal(BATCH, n, d, seed=i) for i, (n, d) in enumerate([(LENGTH, EMBED), (KEYS, kdim), (KEYS, vdim)])]
    return arrays if batch_first else [a.swapaxes(0, 1).copy() for a in arrays]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"bias": False},
        {"add_bias_kv": True},
        {"add_zero_attn": True},
        {"add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
        {"kdim": 3, "vdim": 7},
        {"kdim": 3, "bias": False, "batch_first": True},
        {"batch_first": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("need_weights", [True, False])
def test_heads_are_those_of_torch_for_every_setting(settings, need_weights):
    layers = pair_of("MultiheadAttention", EMBED, HEADS, **settings)
    arrays = sequences(settings.get("batch_first"), settings.get("kdim", EMBED), settings.get("vdim", EMBED))
    compare_layers(layers, arrays, lambda layer, *xs: layer(*xs, need_weights=need_weights))
    padding = np.arange(KEYS) >= np.array([6, 4, 1])[:, None]
    compare_layers(layers, [*arrays, padding], lambda layer, *xs: layer(*xs, need_weights=need_weights))


ATTENTION_MASKS = {
    "none": None,
    "bools": normal(LENGTH, KEYS) > 0.8,
    "bools of each head": normal(BATCH * HEADS, LENGTH, KEYS) > 0.8,
    "floats": normal(LENGTH, KEYS),
    "floats of each head": normal(BATCH * HEADS, LENGTH, KEYS),
}
PADDINGS = {"none": None, "bools": normal(BATCH, KEYS) > 0.8, "floats": normal(BATCH, KEYS)}


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("mask", ATTENTION_MASKS.values(), ids=ATTENTION_MASKS)
@pytest.mark.parametrize("padding", PADDINGS.values(), ids=PADDINGS)
@pytest.mark.parametrize(("need_weights", "average"), [(True, True), (True, False), (False, True)])
def test_heads_under_every_pair_of_masks_are_those_of_torch(mask, padding, need_weights, average):
    layers = pair_of("MultiheadAttention", EMBED, HEADS, add_bias_kv=mask is not None, batch_first=True)
    given = {name: m for name, m in (("attn_mask", mask), ("key_padding_mask", padding)) if m is not None}

    def call(layer, query, key, value, *masks):
        return layer(
            query, key, value, need_weights=need_weights, average_attn_weights=average, **dict(zip(given, masks))
        )

    compare_layers(layers, [*sequences(True), *given.values()], call)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_self_attention_causal_or_not_batched_or_not(need_weights, batch_first):
    layers = pair_of("MultiheadAttention", EMBED, HEADS, batch_first=batch_first)
    causal = np.triu(np.ones((LENGTH, LENGTH), bool), 1)
    for x, masks in itertools.product((normal(LENGTH, LENGTH, EMBED), normal(LENGTH, EMBED)), ([], [causal])):
        compare_layers(
            layers,
            [x, *masks],
            lambda layer, x, *mask: layer(
                x, x, x, need_weights=need_weights, is_causal=bool(mask), **dict(zip(["attn_mask"], mask))
            ),
        )


def test_one_key_and_value_for_other_queries():
    layers = pair_of("MultiheadAttention", EMBED, HEADS)
    compare_layers(layers, sequences(False)[:2], lambda layer, query, memory: layer(query, memory, memory))
    unbatched = [a[:, 0].copy() for a in sequences(False)]
    heads = normal(HEADS, LENGTH, KEYS)
    padding = normal(KEYS) > 0.5
    compare_layers(layers, [*unbatched, heads], lambda layer, q, k, v, mask: layer(q, k, v, attn_mask=mask))
    compare_layers(layers, [*unbatched, padding], lambda layer, *xs: layer(*xs))


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_that_sees_nothing_gets_what_torch_gives_it(need_weights):
    layers = pair_of("MultiheadAttention", EMBED, HEADS, batch_first=True)
    padding = np.zeros((BATCH, KEYS), bool)
    padding[1] = True
    compare_layers(layers, [*sequences(True), padding], lambda layer, *xs: layer(*xs, need_weights=need_weights))


def test_the_function_takes_keys_and_values_that_were_projected_before():
    static = [normal(BATCH * HEADS, 4, EMBED // HEADS, seed=i) for i in range(2)]
    weight, out = normal(3 * EMBED, EMBED), normal(EMBED, EMBED, seed=4)

    def call(library, query, key, value, weight, out, k, v):
        return library.nn.functional.multi_head_attention_forward(
            query, key, value, EMBED, HEADS, weight, None, None, None, True, 0.5, out, None, training=False,
            static_k=k, static_v=v,
        )  # fmt: skip

    torch = torch_on_one_thread()
    arrays = [*sequences(False), weight, out, *static]
    ours, theirs = (
        [y.numpy() for y in call(library, *(library.from_numpy(a) for a in arrays))] for library in (tg, torch)
    )
    for a, b in zip(ours, theirs, strict=True):
        same(a, b)


def test_weights_are_dropped_in_training_only():
    layer = nn.MultiheadAttention(EMBED, HEADS, dropout=0.5)
    x = tg.ones(20, 1, EMBED)
    weights = layer(x, x, x, average_attn_weights=False)[1].detach().numpy()
    assert np.unique(weights.round(6)).tolist() == [0.0, pytest.approx(0.1)]
    layer.eval()
    assert np.unique(layer(x, x, x)[1].detach().numpy().round(6)).tolist() == [pytest.approx(0.05)]


def test_parameters_begin_as_torchs_do():
    torch = torch_on_one_thread()
    for settings in ({}, {"kdim": 40, "vdim": 90, "add_bias_kv": True}):
        ours, theirs = (n.MultiheadAttention(64, 4, **settings) for n in (nn, torch.nn))
        assert [(k, tuple(v.shape)) for k, v in ours.state_dict().items()] == [
            (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
        ]
        for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            assert p.std().item() == pytest.approx(q.std().item(), rel=0.35, abs=1e-9), name
            assert p.abs().max().item() == pytest.approx(q.abs().max().item(), rel=0.5, abs=1e-9), name


S = tg.ones(5, 3, 8)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m(S, S, S[:, 0]), ShapeError, r"value \(5, 8\) must all be \(L, N, E\), or all without a batch"),
        (lambda m: m(S, S[:, :2], S[:, :2]), ShapeError, "one batch size N for all"),
        (lambda m: m(S, S, S[:4]), ShapeError, "one length for key and value"),
        (lambda m: m(S, S, tg.ones(5, 3, 7)), ShapeError, "must have 8, 8 and 8 features"),
        (lambda m: m(S, [1], S), DtypeError, "key must be a Tensor, not list"),
        (
            lambda m: m(S, S, S, attn_mask=tg.ones(4, 5)),
            ShapeError,
            r"attn_mask must have shape \(5, 5\) or \(6, 5, 5\)",
        ),
        (lambda m: m(S, S, S, attn_mask=tg.ones(5, 5).long()), DtypeError, "attn_mask must be a Tensor of bools or"),
        (
            lambda m: m(S, S, S, tg.ones(5, 3)),
            ShapeError,
            r"key_padding_mask must have shape \(3, 5\), and has \(5, 3\)",
        ),
        (lambda m: m(S, S, S, is_causal=True), ValueError, "is_causal=True says that attn_mask is the causal mask"),
        (lambda m: nn.MultiheadAttention(8, 3), ValueError, "embed_dim 8 must be a positive multiple of num_heads 3"),
        (lambda m: nn.MultiheadAttention(0, 1), ValueError, "embed_dim 0 must be a positive multiple"),
    ],
)
def test_sequences_that_do_not_fit_the_heads_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(nn.MultiheadAttention(8, 2))
