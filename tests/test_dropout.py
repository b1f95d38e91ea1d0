"""Dropout of elements and of channels: its shares, its gradient, PyTorch's arguments and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare_arguments, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F

DROPOUTS = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"]


@pytest.mark.parametrize("layer", DROPOUTS)
def test_layers_take_torchs_arguments(layer):
    compare_arguments(layer)


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9, 0.003])
@pytest.mark.parametrize("dtype", [tg.float64, tg.float32, tg.float16])
def test_dropout_drops_the_share_that_was_asked_for(p, dtype):
    y = F.dropout(tg.ones(1000, 1000, dtype=dtype), p).numpy()
    assert y.dtype == dtype
    assert set(np.unique(y)) == {0, dtype.type(1 / (1 - p))}
    assert (y == 0).mean() == pytest.approx(p, abs=0.0025)


CHANNELS = [
    (F.dropout1d, (50, 40, 7), 2),
    (F.dropout1d, (400, 7), 1),
    (F.dropout2d, (50, 40, 3, 2), 2),
    (F.dropout3d, (50, 40, 2, 2, 2), 2),
    (F.dropout3d, (400, 2, 2, 2), 1),
    (F.feature_alpha_dropout, (50, 40, 3), 2),
]


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize(("function", "shape", "lead"), CHANNELS)
def test_channels_are_dropped_as_a_whole(function, shape, lead, inplace):
    leaf = tg.ones(shape, requires_grad=True)
    x = leaf * 1.0
    y = function(x, 0.3, True, inplace)
    assert (y is x) is inplace
    y.sum().backward()
    channels = y.detach().numpy().reshape(*shape[:lead], -1)
    assert (channels == channels[..., :1]).all()
    dropped = leaf.grad.numpy() == 0
    assert dropped.mean() == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("name", DROPOUTS)
def test_in_evaluation_a_dropout_layer_gives_its_input(name):
    x = tg.randn((2, 3, 2) if name == "Dropout1d" else (2, 3, 2, 2))
    layer = getattr(nn, name)(0.9)
    assert layer.eval()(x) is x
    assert getattr(nn, name)(0.0)(x) is x
    torch = torch_on_one_thread()
    assert repr(layer) == repr(getattr(torch.nn, name)(0.9))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_alpha_dropout_keeps_mean_and_variance(p):
    y = F.alpha_dropout(tg.randn(1000, 1000), p, training=True).numpy()
    assert y.mean() == pytest.approx(0.0, abs=0.02)
    assert y.std() == pytest.approx(1.0, abs=0.02)


def test_alpha_dropout_has_torchs_two_values():
    torch = torch_on_one_thread()
    for p in (0.2, 0.7):
        ours = np.unique(F.alpha_dropout(tg.ones(1000, dtype=tg.float64), p, training=True))
        theirs = np.unique(torch.nn.functional.alpha_dropout(torch.ones(1000).double(), p, training=True))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert (F.alpha_dropout(tg.ones(5), 1.0, training=True) == 0).all()


def test_images_without_a_batch_are_taken_as_sequences_with_a_warning_as_in_torch():
    with pytest.warns(UserWarning, match=r"dropout2d: input of shape \(20, 30, 2\) is taken as \(N, C, ...\)"):
        y = F.dropout2d(tg.ones(20, 30, 2), 0.5)
    assert (y[..., 0] == y[..., 1]).all()
    with pytest.warns(UserWarning, match=r"dropout3d: input of shape \(20, 30\) is taken as \(C, ...\)"):
        F.dropout3d(tg.ones(20, 30))


def test_dropout_of_all_leaves_nothing():
    x = tg.randn(3, 4, requires_grad=True)
    y = nn.Dropout(1.0)(x)
    y.sum().backward()
    assert y.tolist() == x.grad.tolist() == np.zeros((3, 4)).tolist()


def test_dropout_repeats_with_its_seed_and_differs_from_call_to_call():
    x, layer = tg.ones(100), nn.Dropout()
    tg.manual_seed(3)
    first, second = layer(x).tolist(), layer(x).tolist()
    tg.manual_seed(3)
    assert layer(x).tolist() == first
    assert second != first
    assert x.tolist() == [1.0] * 100


@pytest.mark.parametrize("inplace", [False, True])
def test_the_gradient_of_dropout_has_its_mask(inplace):
    leaf = tg.ones(10, 10, requires_grad=True)
    x = leaf * 1.0
    y = nn.Dropout(0.3, inplace=inplace)(x)
    assert (y is x) is inplace
    y.sum().backward()
    assert leaf.grad.tolist() == y.tolist()
    assert 0 < (y.detach().numpy() == 0).sum() < 100


X = tg.zeros(2, 3)
REFUSED = [
    (lambda: F.dropout(X, 1.5), ValueError, "dropout: p must be between 0 and 1, not 1.5"),
    (lambda: F.alpha_dropout(X, -0.5), ValueError, "alpha_dropout: p must be between 0 and 1"),
    (lambda: F.dropout(X.long()), DtypeError, "dropout: it needs a floating dtype, not int64"),
    (lambda: F.dropout1d(X[0]), ShapeError, r"dropout1d: input must be \(N, C, L\) or \(C, L\), not \(3,\)"),
    (lambda: F.dropout2d(X[0]), ShapeError, r"dropout2d: input must be \(N, C, H, W\), not \(3,\)"),
    (lambda: F.dropout3d(tg.tensor(1.0)), ShapeError, "dropout3d: input must be"),
    (lambda: F.feature_alpha_dropout(X[0], training=True), ShapeError, r"must be \(N, C, ...\)"),
    *(
        (lambda name=name: getattr(nn, name)(1.5), ValueError, f"{name}: p must be between 0 and 1")
        for name in DROPOUTS
    ),
    (lambda: F.dropout(X, float("nan")), ValueError, "dropout: p must be between 0 and 1, not nan"),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSED, ids=[text for _, _, text in REFUSED])
def test_what_does_not_fit_is_refused_with_the_reason(call, error, text):
    with pytest.raises(error, match=text):
        call()
