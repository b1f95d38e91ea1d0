"""Transformers: PyTorch's values, gradients, names and representation for every layer and stack."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare_layers, normal, pair_of, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")
SMALL = {"dim_feedforward": 6, "dropout": 0.0}
SETTINGS = [
    {},
    {"norm_first": True},
    {"activation": "gelu", "batch_first": True},
    {"bias": False, "layer_norm_eps": 1e-2},
    {"batch_first": True, "norm_first": True, "bias": False},
]
every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def causal(length):
    return np.triu(np.full((length, length), -np.inf), 1)


def sequence(length, batch_first, seed=0, batch=2):
    return normal(*((batch, length) if batch_first else (length, batch)), 4, seed=seed)


@every_setting
def test_an_encoder_layer_is_torchs(settings):
    layers = pair_of("TransformerEncoderLayer", 4, 2, **SMALL, **settings)
    x = sequence(5, settings.get("batch_first"))
    padding = np.array([[False] * 5, [False, True, False, True, True]])
    compare_layers(layers, [x])
    compare_layers(layers, [x, causal(5)])
    compare_layers(layers, [x, causal(5), padding.astype(float) * -2.0])
    compare_layers(layers, [x, padding], lambda layer, x, padding: layer(x, src_key_padding_mask=padding))
    compare_layers(layers, [x, causal(5)], lambda layer, x, mask: layer(x, mask, is_causal=True))
    compare_layers(layers, [normal(5, 4)])


@every_setting
def test_a_decoder_layer_is_torchs(settings):
    layers = pair_of("TransformerDecoderLayer", 4, 2, **SMALL, **settings)
    first = settings.get("batch_first")
    tgt, memory = sequence(3, first), sequence(5, first, seed=1)
    padding = np.array([[False] * 5, [False, True, False, True, True]])
    compare_layers(layers, [tgt, memory])
    compare_layers(layers, [tgt, memory, causal(3), normal(3, 5)])
    compare_layers(layers, [tgt, memory, padding], lambda layer, t, m, p: layer(t, m, memory_key_padding_mask=p))
    compare_layers(layers, [normal(3, 4), normal(5, 4)])


@every_setting
def test_a_transformer_is_torchs(settings):
    layers = pair_of("Transformer", 4, 2, 2, 2, **SMALL, **settings)
    first = settings.get("batch_first")
    src, tgt = sequence(5, first), sequence(3, first, seed=1)
    compare_layers(layers, [src, tgt], tolerance=1e-8)
    compare_layers(layers, [src, tgt, causal(5), causal(3)], tolerance=1e-8)
    compare_layers(layers, [normal(5, 4), normal(3, 4)], tolerance=1e-8)
    ours, theirs = layers
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")


@pytest.mark.parametrize("norm", [True, False])
def test_stacks_are_torchs(norm):
    torch = torch_on_one_thread()
    x, memory = normal(5, 2, 4), normal(3, 2, 4, seed=1)
    for name in ("Encoder", "Decoder"):
        layers = []
        for library in (tg, torch):
            n = library.nn
            layer = getattr(n, f"Transformer{name}Layer")(4, 2, **SMALL)
            stack = getattr(n, f"Transformer{name}")(layer, 2, n.LayerNorm(4) if norm else None).double()
            layers.append(stack)
        layers[0].load_state_dict({k: v.numpy() for k, v in layers[1].state_dict().items()})
        inputs = [x, causal(5)] if name == "Encoder" else [x, memory, causal(5)]
        compare_layers(layers, inputs)
        assert len(layers[0].layers) == 2


def test_a_stack_copies_its_layer():
    layer = nn.TransformerEncoderLayer(4, 2, 8)
    stack = nn.TransformerEncoder(layer, 2)
    first, second = stack.layers
    assert first is not layer
    assert first.linear1.weight.tolist() == second.linear1.weight.tolist() == layer.linear1.weight.tolist()
    with tg.no_grad():
        first.linear1.weight.zero_()
    assert layer.linear1.weight.abs().max() > 0
    assert second.linear1.weight.abs().max() > 0


@pytest.mark.parametrize("kind", ["float", "bool"])
def test_a_causal_mask_is_known_by_its_looks(kind):
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    assert mask[1].tolist() == [0.0, 0.0, -np.inf, -np.inf]
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), 1)
    seen = []
    stack.layers[0].register_forward_pre_hook(lambda m, args, kw: seen.append(kw["is_causal"]), with_kwargs=True)
    given = mask if kind == "float" else mask < 0
    x = tg.randn(4, 1, 4)
    y = stack(x, given)
    stack(x, given.t())
    stack(x)
    assert seen == [True, False, False]
    np.testing.assert_allclose(y[:2].detach(), stack(x[:2], given[:2, :2]).detach(), atol=1e-6)


def test_an_activation_may_be_a_function_or_a_layer():
    x = tg.randn(3, 1, 4)
    for activation in (tg.tanh, nn.Tanh()):
        layer = nn.TransformerEncoderLayer(4, 2, 8, activation=activation)
        assert layer(x).shape == (3, 1, 4)
    with pytest.raises(ValueError, match="TransformerDecoderLayer: activation must be 'relu', 'gelu' or a function"):
        nn.TransformerDecoderLayer(4, 2, 8, activation="swish")


def test_dropout_acts_in_training_only():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.5)
    x = tg.randn(3, 1, 4)
    assert (layer(x) != layer(x)).any()
    layer.eval()
    assert (layer(x) == layer(x)).all()


@pytest.mark.parametrize(
    ("shapes", "batch_first"),
    [
        ([(5, 2, 4), (3, 1, 4)], False),
        ([(2, 5, 4), (1, 5, 4)], True),
        ([(5, 2, 4), (3, 2, 5)], False),
        ([(5, 4), (3, 2, 4)], False),
    ],
)
def test_sequences_that_do_not_fit_a_transformer_are_refused(shapes, batch_first):
    model = nn.Transformer(4, 2, 1, 1, 8, batch_first=batch_first)
    with pytest.raises(ShapeError, match=r"Transformer: src of shape .* and d_model is 4"):
        model(*(tg.ones(*s) for s in shapes))
