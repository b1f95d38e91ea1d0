"""Initialisation: bounds, moments and structure of what the fills of `nn.init` draw."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import ShapeError

FILLS = {
    "trunc_normal_": lambda x, **g: nn.init.trunc_normal_(x, **g),
    "trunc_normal_ in a tail": lambda x, **g: nn.init.trunc_normal_(x, 0.0, 1.0, 1.5, 3.0, **g),
    "orthogonal_": lambda x, **g: nn.init.orthogonal_(x, **g),
    "sparse_": lambda x, **g: nn.init.sparse_(x, 0.3, **g),
    "uniform_": lambda x, **g: nn.init.uniform_(x, **g),
    "normal_": lambda x, **g: nn.init.normal_(x, **g),
    "xavier_uniform_": lambda x, **g: nn.init.xavier_uniform_(x, **g),
    "xavier_normal_": lambda x, **g: nn.init.xavier_normal_(x, **g),
    "kaiming_uniform_": lambda x, **g: nn.init.kaiming_uniform_(x, **g),
    "kaiming_normal_": lambda x, **g: nn.init.kaiming_normal_(x, **g),
}


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_a_fill_writes_in_place_and_repeats_with_its_generator(name, dtype):
    x = nn.Parameter(tg.zeros(30, 20, dtype=dtype))
    generator, memory = tg.Generator().manual_seed(3), x.data_ptr()
    assert FILLS[name](x, generator=generator) is x
    assert x.data_ptr() == memory
    assert x.is_leaf
    assert x.requires_grad
    assert x.dtype == dtype
    first = x.tolist()
    FILLS[name](x, generator=generator)
    assert x.tolist() != first
    FILLS[name](x, generator=generator.manual_seed(3))
    assert x.tolist() == first


def truncated(mean, std, a, b):
    """The distribution function and the mean of the truncated normal distribution."""
    low, high = (a - mean) / std, (b - mean) / std

    def below(z):
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))

    def density(z):
        return math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)

    share = below(high) - below(low)
    return lambda x: (below((x - mean) / std) - below(low)) / share, mean + std * (density(low) - density(high)) / share


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0, 1, -2, 2),
        (1, 2, 0, 10),
        (0, 1, 1, 1.5),
        (0, 1, 2, 8),
        (5, 0.5, 3.0, 4.5),
        (0, 100, -1, 1),
        (-1, 0.02, -2, 2),
    ],
)
def test_truncated_normal_numbers_are_distributed_as_they_should_be(mean, std, a, b):
    values = np.sort(nn.init.trunc_normal_(tg.empty(20_000, dtype=tg.float64), mean, std, a, b).numpy())
    assert a <= values[0]
    assert values[-1] <= b
    distribution, expected = truncated(mean, std, a, b)
    theirs = np.array([distribution(x) for x in values[::20]])
    assert np.abs(theirs - np.arange(0, 20_000, 20) / 20_000).max() < 0.012  # Kolmogorov and Smirnov's bound
    assert values.mean() == pytest.approx(expected, abs=0.03 * (b - a))


def test_a_mean_far_outside_the_bounds_warns():
    with pytest.warns(UserWarning, match="more than two standard deviations from"):
        x = nn.init.trunc_normal_(tg.empty(100), 0.0, 1.0, 3.0, 4.0)
    assert ((x >= 3) & (x <= 4)).all().item()


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (4, 2, 3), (12, 2, 3), (5, 1), (1, 5), (0, 3), (3, 0)])
@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_orthogonal_rows_or_columns_are_so_whichever_are_fewer(shape, gain):
    x = nn.init.orthogonal_(tg.empty(*shape, dtype=tg.float64), gain).numpy()
    if not x.size:
        return
    matrix = x.reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-12)


def test_orthogonal_matrices_are_drawn_evenly():
    draws = np.array([nn.init.orthogonal_(tg.empty(3, 3)).numpy() for _ in range(2000)])
    assert np.abs(draws.mean(0)).max() < 0.06
    np.testing.assert_allclose((draws**2).mean(0), np.full((3, 3), 1 / 3), atol=0.03)
    assert abs(np.sign(np.linalg.det(draws)).mean()) < 0.1


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.0, 0), (0.1, 1), (0.25, 3), (0.95, 10), (1.0, 10)])
def test_sparse_columns_have_their_share_of_zeros(sparsity, zeros):
    x = nn.init.sparse_(tg.empty(10, 400), sparsity, std=0.5).numpy()
    assert ((x == 0).sum(0) == zeros).all()
    if 0 < zeros < 10:
        assert np.ptp((x == 0).sum(1)) < 120  # the rows are chosen evenly
    if zeros < 10:
        assert x[x != 0].std() == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("shape", [(4, 3, 3), (3, 4, 5), (6, 2, 3, 4), (2, 2, 1, 1), (4, 6, 3, 3, 2), (0, 2, 3)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_is_torchs(shape, groups):
    torch = pytest.importorskip("torch")
    if shape[0] % groups:
        return
    theirs = torch.nn.init.dirac_(torch.ones(shape), groups)
    assert nn.init.dirac_(tg.ones(*shape), groups).tolist() == theirs.tolist()


def test_torchs_fills_are_all_there():
    torch = pytest.importorskip("torch")
    fills = {name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")}
    assert {name for name in fills if not hasattr(nn.init, name)} == set()


@pytest.mark.parametrize(
    ("mistake", "error", "match"),
    [
        (lambda: nn.init.dirac_(tg.empty(2, 2)), ShapeError, r"dirac_: it takes the weight .* not \(2, 2\)"),
        (lambda: nn.init.dirac_(tg.empty(3, 2, 1), 2), ShapeError, "2 groups do not divide"),
        (lambda: nn.init.orthogonal_(tg.empty(3)), ShapeError, "orthogonal_: it needs two dimensions or more"),
        (lambda: nn.init.sparse_(tg.empty(3), 0.5), ShapeError, "sparse_: it takes a matrix"),
        (lambda: nn.init.sparse_(tg.empty(3, 3), 1.5), ValueError, "sparsity must be from 0 to 1, not 1.5"),
        (lambda: nn.init.trunc_normal_(tg.empty(3), a=1.0, b=1.0), ValueError, "a must be below b"),
        (lambda: nn.init.trunc_normal_(tg.empty(3), std=0.0), ValueError, "std above 0"),
    ],
)
def test_fills_refuse_what_they_cannot_do(mistake, error, match):
    with pytest.raises(error, match=match):
        mistake()
