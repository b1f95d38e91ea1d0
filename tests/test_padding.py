"""Padding: PyTorch's values, gradients and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare_by_expression, normal, torch_on_one_thread

import tensorgrad as tg
import tensorgrad.nn.functional as F
from tensorgrad import nn
from tensorgrad.errors import ShapeError

MODES = ("constant", "reflect", "replicate", "circular")
SIZES = [
    ((2, 3, 4), (1, 2)),
    ((2, 3, 4), (0, 0)),
    ((2, 3, 4), (3, 3)),
    ((2, 3, 4), (-1, 2)),
    ((2, 3, 4), (-2, -1)),
    ((3, 4), (2, 0)),
    ((2, 3, 4, 5), (1, 2, 3, 0)),
    ((3, 4, 5), (1, -1, -1, 1)),
    ((1, 2, 3, 4, 5), (1, 1, 2, 2, 1, 0)),
    ((2, 3, 4, 3), (2, 1, 1, 2, 1, 2)),
]


def leaves(shape, dtype=np.float64):
    torch = torch_on_one_thread()
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    return tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", SIZES, ids=str)
def test_values_and_gradients_are_pytorchs(case, mode):
    shape, sizes = case
    a, b = leaves(shape)
    y, expected = F.pad(a, sizes, mode), pytest.importorskip("torch").nn.functional.pad(b, sizes, mode)
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
    g = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(tg.tensor(g))
    expected.backward(pytest.importorskip("torch").tensor(g))
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("value", [None, 0, 1, 2.5])
def test_a_constant_keeps_the_dtype(dtype, value):
    torch = pytest.importorskip("torch")
    if dtype in ("int64", "uint8", "bool") and value == 2.5:
        return
    x = np.arange(4).reshape(2, 2).astype(dtype)
    y, expected = F.pad(tg.tensor(x), (1, 0, 2, 1), value=value), None
    expected = torch.nn.functional.pad(torch.tensor(x), (1, 0, 2, 1), value=value)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y.numpy(), expected.numpy())


def test_a_padding_of_nothing_is_a_copy():
    x = tg.ones(2, 2)
    F.pad(x, (0, 0)).zero_()
    assert x.sum().item() == 4
    assert F.pad(tg.zeros(0, 2), (1, 1)).shape == (0, 4)
    assert F.pad(tg.zeros(0, 2), (0, 0, 1, 1)).shape == (2, 2)


MISTAKES = [
    (ValueError, "mode must be one of 'constant', 'reflect'", (2, 3), (1, 1), {"mode": "mirror"}),
    (ShapeError, r"pad: \(1,\) must be pairs.*\(2, 3\)", (2, 3), (1,), {}),
    (ShapeError, "pairs", (3,), (1, 1, 1, 1), {}),
    (ShapeError, "takes 4 elements from dimension 1", (2, 3), (-2, -2), {}),
    (ShapeError, "'reflect' can put at most 2 elements.*dimension 1.*not 3 and 0", (2, 3), (3, 0), {"mode": "reflect"}),
    (ShapeError, "'circular' can put at most 3", (2, 3), (4, 0), {"mode": "circular"}),
    (ShapeError, "'replicate' can put at most 0", (2, 0), (1, 0), {"mode": "replicate"}),
    (ShapeError, "'reflect' pads all dimensions but a channel", (3,), (1, 0), {"mode": "reflect"}),
    (ValueError, "value is for mode 'constant' only", (2, 3), (1, 0), {"mode": "reflect", "value": 1.0}),
    (TypeError, "a sequence of ints", (2, 3), (0.5, 1), {}),
]


@pytest.mark.parametrize(("kind", "message", "shape", "sizes", "settings"), MISTAKES)
def test_mistakes_are_named(kind, message, shape, sizes, settings):
    with pytest.raises(kind, match=message):
        F.pad(tg.zeros(*shape), sizes, **settings)


LAYERS = [
    f"{kind}Pad{n}d({sizes})"
    for n in (1, 2, 3)
    for kind in ("Zero", "Reflection", "Replication", "Circular")
    for sizes in ("1", str(tuple(range(2 * n))[::-1] if n == 1 else (1, 2) * n))
] + ["ConstantPad1d(2, 1.5)", "ConstantPad2d((1, 0, 2, 1), -1)", "ConstantPad3d(1, 0.5)"]


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_pytorchs(layer):
    n = int(layer[layer.index("d(") - 1])
    compare_by_expression(layer, normal(*(2, 3, 4, 5, 6)[: n + 2]))


def test_a_layer_names_itself_in_an_error():
    with pytest.raises(ValueError, match="ZeroPad2d: padding must be an int, or 4"):
        nn.ZeroPad2d((1, 2))
