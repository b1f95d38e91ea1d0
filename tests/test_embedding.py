"""Embeddings, bags of them, and the bilinear form: PyTorch's values and gradients, and clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import compare, compare_layers, normal, pair_of, same, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.testing import gradcheck, gradgradcheck

WEIGHT = normal(7, 3)
INDICES = [
    np.array([[1, 2, 2], [6, 0, 2]]),
    np.array(3),
    np.array([4, 4, 4], np.int32),
    np.zeros((0, 2), np.int64),
    np.arange(7),
]


@pytest.mark.parametrize("index", INDICES, ids=lambda i: str(i.shape))
@pytest.mark.parametrize("padding_idx", [None, 2, -5])
@pytest.mark.parametrize("scale_grad_by_freq", [False, True])
def test_an_embedding_and_its_gradient_are_those_of_torch(index, padding_idx, scale_grad_by_freq):
    compare(
        lambda library, weight, index: library.nn.functional.embedding(
            index, weight, padding_idx, scale_grad_by_freq=scale_grad_by_freq
        ),
        [WEIGHT, index],
    )


@pytest.mark.parametrize("norm_type", [1.0, 2.0, float("inf")])
@pytest.mark.parametrize("bag", [False, True])
def test_rows_that_are_looked_up_are_shortened_in_place(norm_type, bag):
    torch = torch_on_one_thread()
    results = []
    for library in (tg, torch):
        weight = library.from_numpy(WEIGHT.copy()).requires_grad_()
        index = library.from_numpy(INDICES[0])
        function = library.nn.functional.embedding_bag if bag else library.nn.functional.embedding
        y = function(index, weight, max_norm=0.8, norm_type=norm_type)
        y.sum().backward()
        results.append([y.detach(), weight.detach(), weight.grad])
    for ours, theirs in zip(*results, strict=True):
        same(ours, theirs)
    assert (np.asarray(results[0][1])[[3, 4, 5]] == WEIGHT[[3, 4, 5]]).all()


@pytest.mark.parametrize("count", [40, 5000])
def test_the_gradient_adds_up_over_many_lookups_of_few_and_of_many_rows(count):
    source = np.random.default_rng(0)
    for rows in (3, 1000):
        compare(
            lambda library, weight, index: library.nn.functional.embedding(index, weight),
            [normal(rows, 4), source.integers(0, rows, count)],
        )


OFFSETS = np.array([0, 2, 2, 5])
FLAT = np.array([1, 2, 2, 6, 0, 2, 2])
BAGS = [
    (INDICES[0], None, False),
    (np.array([[3], [2]]), None, False),
    (FLAT, OFFSETS, False),
    (FLAT, np.append(OFFSETS, 7), True),
    (np.zeros(0, np.int64), np.array([0, 0]), False),
    (np.array([2, 2], np.int32), np.array([0], np.int32), False),
]


@pytest.mark.parametrize(("index", "offsets", "include_last"), BAGS, ids=lambda x: getattr(x, "shape", x))
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 2, -1])
def test_bags_and_their_gradients_are_those_of_torch(index, offsets, include_last, mode, padding_idx):
    compare(
        lambda library, weight, *indices: library.nn.functional.embedding_bag(
            indices[0], weight, *indices[1:], mode=mode, padding_idx=padding_idx, include_last_offset=include_last
        ),
        [WEIGHT, index, *([] if offsets is None else [offsets])],
    )


@pytest.mark.parametrize(("index", "offsets", "include_last"), BAGS[:4], ids=lambda x: getattr(x, "shape", x))
def test_weights_of_samples_scale_the_rows_of_a_sum(index, offsets, include_last):
    compare(
        lambda library, weight, samples, index, *offsets: library.nn.functional.embedding_bag(
            index, weight, *offsets, mode="sum", per_sample_weights=samples, padding_idx=2,
            include_last_offset=include_last,
        ),
        [WEIGHT, normal(*index.shape), index, *([] if offsets is None else [offsets])],
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_the_gradients_of_bags_may_be_divided_by_frequency(mode):
    compare(
        lambda library, weight, index: library.nn.functional.embedding_bag(
            index, weight, mode=mode, scale_grad_by_freq=True
        ),
        # PyTorch counts another index than the one it scales, unless the smallest come once each.
        [WEIGHT, np.array([[0, 1, 2], [2, 2, 2]])],
    )


def test_bags_of_nothing_are_zeros():
    for mode in ("sum", "mean", "max"):
        assert F.embedding_bag(tg.zeros(2, 0, dtype=tg.int64), tg.ones(7, 3), mode=mode).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_lookups_have_second_derivatives(mode):
    weight = tg.from_numpy(WEIGHT.copy()).requires_grad_()
    index, offsets = tg.from_numpy(FLAT), tg.from_numpy(OFFSETS)
    for function in (
        lambda w: F.embedding(index, w),
        lambda w: F.embedding_bag(index, w, offsets, mode=mode),
    ):
        assert gradcheck(function, weight)
        assert gradgradcheck(function, weight)


def test_other_precisions_stay_what_they_are():
    for dtype in (np.float32, np.float16):
        compare(
            lambda library, weight, index: library.nn.functional.embedding(index, weight),
            [WEIGHT.astype(dtype), INDICES[0]],
            tolerance=1e-3,
        )


LAYERS = [
    ("Embedding", (7, 3), {}),
    ("Embedding", (7, 3), {"padding_idx": -5, "scale_grad_by_freq": True}),
    ("Embedding", (7, 3), {"max_norm": 0.5, "norm_type": 1.0}),
    ("EmbeddingBag", (7, 3), {}),
    ("EmbeddingBag", (7, 3), {"mode": "sum", "padding_idx": 2}),
    ("EmbeddingBag", (7, 3), {"mode": "max", "max_norm": 1.0, "norm_type": 3.0}),
]


@pytest.mark.parametrize(("name", "sizes", "settings"), LAYERS)
def test_layers_are_torchs(name, sizes, settings):
    ours, theirs = pair_of(name, *sizes, **settings)
    assert repr(ours) == repr(theirs)
    assert ours.padding_idx == theirs.padding_idx
    compare_layers((ours, theirs), [INDICES[0]])


def test_weights_begin_normal_and_the_padding_at_zero():
    for layer in (nn.Embedding(500, 20, padding_idx=3), nn.EmbeddingBag(500, 20, padding_idx=-497)):
        assert layer.weight.std().item() == pytest.approx(1.0, abs=0.05)
        assert layer.weight[3].abs().max() == 0
    assert nn.Embedding(2, 3, dtype=tg.float64).weight.dtype == tg.float64


def test_pretrained_weights_are_shared_and_frozen_unless_they_are_to_learn():
    torch = torch_on_one_thread()
    weight = tg.from_numpy(WEIGHT.copy())
    for ours, theirs in ((nn.Embedding, torch.nn.Embedding), (nn.EmbeddingBag, torch.nn.EmbeddingBag)):
        frozen = ours.from_pretrained(weight, padding_idx=1)
        assert not frozen.weight.requires_grad
        assert frozen.weight.data_ptr() == weight.data_ptr()
        assert frozen.weight.tolist() == WEIGHT.tolist()
        assert repr(frozen) == repr(theirs.from_pretrained(torch.from_numpy(WEIGHT), padding_idx=1))
        assert ours.from_pretrained(weight, freeze=False).weight.requires_grad
        with pytest.raises(ShapeError, match=r"from_pretrained: embeddings must be a matrix, not of shape \(7,\)"):
            ours.from_pretrained(weight[:, 0])


PAIR, W = tg.tensor([[1, 2]]), tg.ones(7, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.embedding(tg.tensor([7]), W),
            IndexError,
            r"span 7 to 7, and the weight of shape \(7, 3\) has rows 0 to 6",
        ),
        (lambda: F.embedding(tg.tensor([-1]), W), IndexError, "span -1 to -1"),
        (lambda: F.embedding(W, PAIR), DtypeError, "not float32; the indices come first, and the weight second"),
        (lambda: F.embedding(tg.tensor([1.0]), W), DtypeError, r"must hold indices, integers, not float32; .*\.long"),
        (lambda: F.embedding([1], W), DtypeError, "input must be a Tensor, not list"),
        (
            lambda: F.embedding(PAIR, W[0]),
            ShapeError,
            r"weight must be a matrix, a row per index, and has shape \(3,\)",
        ),
        (lambda: F.embedding(PAIR, W, sparse=True), ValueError, "sparse=True is not supported"),
        (lambda: F.embedding(PAIR, W, 7), ValueError, "padding_idx 7 is out of range for 7 embeddings"),
        (lambda: nn.Embedding(7, 3, padding_idx=-8), ValueError, "Embedding: padding_idx -8 is out of range"),
        (lambda: nn.Embedding(7, 3, sparse=True), ValueError, "Embedding: sparse=True is not supported"),
        (
            lambda: nn.Embedding(7, 3, _weight=W[1:]),
            ShapeError,
            r"the weight has shape \(6, 3\), and must have \(7, 3\)",
        ),
        (lambda: F.embedding_bag(PAIR, W, mode="min"), ValueError, "mode must be 'sum', 'mean' or 'max', not 'min'"),
        (lambda: F.embedding_bag(PAIR, W, tg.tensor([0])), ValueError, "is divided already; leave offsets out"),
        (
            lambda: F.embedding_bag(PAIR[0], W),
            ShapeError,
            "needs offsets, a vector of integers: where each bag begins, not None",
        ),
        (lambda: F.embedding_bag(PAIR[0], W, tg.tensor([0.0])), ShapeError, r"not float32 of shape \(1,\)"),
        (lambda: F.embedding_bag(PAIR[0], W, tg.tensor([1])), ValueError, "must rise from 0 to at most 2"),
        (lambda: F.embedding_bag(PAIR[0], W, tg.tensor([0, 3])), ValueError, "must rise from 0 to at most 2"),
        (lambda: F.embedding_bag(PAIR[0], W, tg.tensor([0, 2, 1])), ValueError, "must rise from 0 to at most 2"),
        (lambda: F.embedding_bag(PAIR[0], W, tg.tensor([0])[:0]), ValueError, "offsets are empty"),
        (lambda: F.embedding_bag(PAIR[None], W), ShapeError, r"must have shape \(B, N\), or \(N\) beside offsets"),
        (lambda: F.embedding_bag(PAIR, W, per_sample_weights=W), ValueError, "go with mode='sum', not 'mean'"),
        (lambda: F.embedding_bag(PAIR, W, mode="sum", per_sample_weights=W), ShapeError, r"the input's shape \(1, 2\)"),
        (
            lambda: F.embedding_bag(PAIR, W, mode="sum", per_sample_weights=W[:1, :2].double()),
            DtypeError,
            "are float64",
        ),
        (
            lambda: F.embedding_bag(PAIR, W, mode="max", scale_grad_by_freq=True),
            ValueError,
            "does not go with mode='max'",
        ),
        (lambda: F.bilinear(W, W, tg.ones(2, 3, 4)), ShapeError, r"they must be \(\*, I\), \(\*, J\) and \(O, I, J\)"),
        (lambda: F.bilinear(W, W[0], tg.ones(2, 3, 3)), ShapeError, r"inputs of shapes \(7, 3\) and \(3,\) do not fit"),
        (lambda: F.bilinear(1.0, W, tg.ones(2, 3, 3)), DtypeError, "input1 must be a Tensor, not float"),
        (lambda: nn.Bilinear(0, 1, 1), ValueError, "in1_features must be an int of 1 or more, not 0"),
    ],
)
def test_mistakes_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


# The bilinear form


@pytest.mark.parametrize("lead", [(), (5,), (2, 5), (0,)])
@pytest.mark.parametrize("bias", [True, False])
def test_the_bilinear_form_is_torchs(lead, bias):
    layers = pair_of("Bilinear", 3, 4, 2, bias=bias)
    compare_layers(layers, [normal(*lead, 3), normal(*lead, 4, seed=1)])
    assert repr(layers[0]) == repr(layers[1])


def test_bilinear_parameters_begin_uniform():
    layer = nn.Bilinear(25, 40, 30)
    for parameter in layer.parameters():
        assert 0.19 < parameter.abs().max().item() <= 0.2 or parameter.numel() < 100
    assert layer.weight.std().item() == pytest.approx(0.2 / 3**0.5, rel=0.05)
