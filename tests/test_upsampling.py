"""Resizing and shuffling pixels: PyTorch's values, gradients and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from side_by_side import compare_by_expression, normal, torch_on_one_thread

import tensorgrad as tg
import tensorgrad.nn.functional as F
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.testing import gradgradcheck

SHAPES = {1: (2, 3, 5), 2: (2, 3, 4, 6), 3: (1, 2, 3, 4, 2)}
MODES = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}
SIZES = [
    {"scale_factor": 2},
    {"scale_factor": 1.7},
    {"scale_factor": 0.6},
    {"size": 3},
    {"size": 1},
    {"size": 8},
    {"scale_factor": 1.7, "recompute_scale_factor": True},
]


def agree(name, shape, *args, dtype=np.float64, tolerance=1e-11, **settings):
    torch = torch_on_one_thread()
    x = np.random.default_rng(0).uniform(0, 250, shape).astype(dtype)
    floating = x.dtype.kind == "f"
    a, b = tg.tensor(x, requires_grad=floating), torch.tensor(x, requires_grad=floating)
    ours, theirs = getattr(F, name)(a, *args, **settings), getattr(torch.nn.functional, name)(b, *args, **settings)
    assert ours.dtype == x.dtype
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance * 100)
    if floating:
        g = np.random.default_rng(1).standard_normal(ours.shape).astype(dtype)
        ours.backward(tg.tensor(g))
        theirs.backward(torch.tensor(g))
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=tolerance * 10, atol=tolerance * 100)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_mode_is_pytorchs(n, size, dtype):
    tolerance = 1e-11 if dtype == "float64" else 3e-5
    for mode in ("nearest", "nearest-exact", "area"):
        agree("interpolate", SHAPES[n], **size, mode=mode, dtype=dtype, tolerance=tolerance)
    for mode in MODES[n]:
        for align in (None, False, True):
            agree("interpolate", SHAPES[n], **size, mode=mode, align_corners=align, dtype=dtype, tolerance=tolerance)


def test_each_dimension_may_have_its_size():
    agree("interpolate", (2, 3, 4, 6), size=(7, 2), mode="bilinear")
    agree("interpolate", (2, 3, 4, 6), scale_factor=(0.5, 3.0), mode="bicubic")
    agree("interpolate", (0, 3, 4, 6), size=5, mode="bilinear")
    agree("interpolate", (2, 3, 4, 6), scale_factor=2, dtype="uint8")
    agree("interpolate", (2, 3, 4, 6), scale_factor=2, dtype="float16", tolerance=1e-3)
    agree("interpolate", (2, 3, 4, 6), scale_factor=2, mode="bilinear", dtype="float16", tolerance=1e-3)


def test_large_images_are_gathered_from():
    agree("interpolate", (1, 1, 1500), size=1100, mode="linear")
    agree("interpolate", (1, 1, 1500), size=1100, mode="nearest")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_stays_where_it_is(value):
    torch = pytest.importorskip("torch")
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    x[0, 0, 0, 1] = value
    for mode in ("nearest", "bilinear"):
        ours = F.interpolate(tg.tensor(x), size=7, mode=mode).numpy()
        theirs = torch.nn.functional.interpolate(torch.tensor(x), size=7, mode=mode).numpy()
        np.testing.assert_allclose(ours[..., 3:], theirs[..., 3:])
        assert np.isfinite(ours[..., 4:]).all()


def test_resizing_has_second_derivatives():
    x = tg.randn(1, 1, 3, 3, dtype=tg.float64, requires_grad=True)
    assert gradgradcheck(lambda x: F.interpolate(x, size=5, mode="bicubic") ** 3, [x])


@pytest.mark.parametrize(
    ("name", "shape", "factor"),
    [
        ("pixel_shuffle", (2, 8, 3, 4), 2),
        ("pixel_shuffle", (9, 1, 2), 3),
        ("pixel_shuffle", (2, 1, 4, 1, 1), 1),
        ("pixel_unshuffle", (2, 2, 4, 6), 2),
        ("pixel_unshuffle", (1, 3, 6), 3),
        ("channel_shuffle", (2, 6, 3, 4), 3),
        ("channel_shuffle", (2, 4, 5), 2),
    ],
)
def test_shuffling_is_pytorchs(name, shape, factor):
    agree(name, shape, factor)


X = tg.ones(1, 4, 3, 3)
MISTAKES = [
    (ValueError, "mode must be one of 'nearest'", lambda: F.interpolate(X, 2, mode="cubic")),
    (ValueError, "either size or scale_factor", lambda: F.interpolate(X)),
    (ValueError, "either size or scale_factor", lambda: F.interpolate(X, 2, 2)),
    (ValueError, "align_corners is for the modes", lambda: F.interpolate(X, 2, align_corners=True)),
    (NotImplementedError, "antialias is not supported", lambda: F.interpolate(X, 2, mode="bilinear", antialias=True)),
    (ShapeError, r"mode 'linear' takes 3 dimensions.*\(1, 4, 3, 3\)", lambda: F.interpolate(X, 2, mode="linear")),
    (ShapeError, "takes 3 to 5 dimensions", lambda: F.interpolate(tg.ones(2, 2), 2)),
    (ShapeError, r"size \(1, 2, 3\) must have one number", lambda: F.interpolate(X, (1, 2, 3))),
    (ShapeError, "sizes must be 1 or more", lambda: F.interpolate(X, scale_factor=0.1)),
    (DtypeError, "interpolate: it needs a floating dtype, not int64", lambda: F.interpolate(X.long(), 2)),
    (ShapeError, "pixel_shuffle: 4 channels.*not a multiple of 3", lambda: F.pixel_shuffle(X, 3)),
    (ShapeError, "pixel_unshuffle: height and width", lambda: F.pixel_unshuffle(X, 2)),
    (ValueError, "the factor must be 1 or more", lambda: F.pixel_shuffle(X, 0)),
    (ShapeError, "channel_shuffle: 4 channels", lambda: F.channel_shuffle(X, 3)),
    (ShapeError, r"pixel_shuffle: it takes \(\.\.\., C, H, W\)", lambda: F.pixel_shuffle(tg.ones(4, 4), 2)),
]


@pytest.mark.parametrize(("kind", "message", "mistake"), MISTAKES)
def test_mistakes_are_named(kind, message, mistake):
    with pytest.raises(kind, match=message):
        mistake()


@pytest.mark.parametrize(
    "layer",
    [
        "Upsample(scale_factor=2)",
        "Upsample((3, 5), mode='bilinear')",
        "Upsample(scale_factor=(2, 1.5), mode='bicubic')",
        "Upsample(scale_factor=2, mode='bilinear', align_corners=True)",
        "UpsamplingNearest2d(7)",
        "UpsamplingNearest2d(scale_factor=2)",
        "UpsamplingBilinear2d(scale_factor=2)",
        "UpsamplingBilinear2d((5, 2))",
        "PixelShuffle(2)",
        "PixelUnshuffle(2)",
        "ChannelShuffle(2)",
    ],
)
def test_layers_are_pytorchs(layer):
    compare_by_expression(layer, normal(2, 4, 4, 6))
