"""Initialisation: bounds, moments and structure of what the fills of `nn.init` draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
from side_by_side import torch_on_one_thread

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


# Bounds, moments and structure, and what is refused


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("linear", None), ("conv1d", None), ("conv2d", None), ("conv3d", None), ("sigmoid", None), ("tanh", None),
        ("conv_transpose1d", None), ("conv_transpose2d", None), ("conv_transpose3d", None),
        ("relu", None), ("leaky_relu", None), ("leaky_relu", 0.3), ("leaky_relu", 0), ("selu", None),
    ],
)  # fmt: skip
def test_gains_are_torchs(name, param):
    torch = torch_on_one_thread()
    assert nn.init.calculate_gain(name, param) == pytest.approx(torch.nn.init.calculate_gain(name, param), rel=1e-15)


def test_an_unknown_gain_is_refused():
    with pytest.raises(ValueError, match="unknown nonlinearity 'swoosh'"):
        nn.init.calculate_gain("swoosh")
    with pytest.raises(ValueError, match="slope of leaky_relu must be a number, not 'steep'"):
        nn.init.calculate_gain("leaky_relu", "steep")


FILLED = [  # the call, its bound (None where normal), its standard deviation; for a (300, 200) matrix
    (lambda x: nn.init.uniform_(x), None, 1 / math.sqrt(12)),
    (lambda x: nn.init.uniform_(x, -2.0, 2.0), 2.0, 4 / math.sqrt(12)),
    (lambda x: nn.init.normal_(x, 0.0, 3.0), None, 3.0),
    (lambda x: nn.init.xavier_uniform_(x), math.sqrt(6 / 500), math.sqrt(2 / 500)),
    (lambda x: nn.init.xavier_uniform_(x, gain=2.0), 2 * math.sqrt(6 / 500), 2 * math.sqrt(2 / 500)),
    (lambda x: nn.init.xavier_normal_(x, gain=0.5), None, 0.5 * math.sqrt(2 / 500)),
    (lambda x: nn.init.kaiming_uniform_(x), math.sqrt(6 / 200), math.sqrt(2 / 200)),
    (lambda x: nn.init.kaiming_uniform_(x, a=math.sqrt(5)), math.sqrt(1 / 200), math.sqrt(1 / 600)),
    (
        lambda x: nn.init.kaiming_uniform_(x, mode="fan_out", nonlinearity="relu"),
        math.sqrt(6 / 300),
        math.sqrt(2 / 300),
    ),
    (lambda x: nn.init.kaiming_normal_(x, nonlinearity="tanh"), None, 5 / 3 / math.sqrt(200)),
    (lambda x: nn.init.kaiming_normal_(x, mode="fan_out"), None, math.sqrt(2 / 300)),
]


@pytest.mark.parametrize(("fill", "bound", "deviation"), FILLED)
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_random_fills_have_their_bounds_and_deviation(fill, bound, deviation, dtype):
    x = nn.Parameter(tg.zeros(300, 200, dtype=dtype))
    memory = x.data_ptr()
    assert fill(x) is x
    assert x.data_ptr() == memory
    assert x.is_leaf
    assert x.requires_grad
    values = x.detach().numpy()
    assert values.dtype == dtype
    assert values.std() == pytest.approx(deviation, rel=0.02)
    if bound is not None:
        assert 0.99 * bound < np.abs(values).max() <= bound * (1 + 1e-6)
        assert abs(values.mean()) < 0.02 * bound
    tg.manual_seed(1)
    first = fill(x).tolist()
    tg.manual_seed(1)
    assert fill(x).tolist() == first


def test_normal_numbers_are_normal():
    values = np.sort(nn.init.normal_(tg.empty(20_000), 1.0, 2.0).numpy())
    distribution = np.array([0.5 * (1 + math.erf((v - 1) / 2 / math.sqrt(2))) for v in values[::20]])
    assert np.abs(distribution - np.arange(0, 20_000, 20) / 20_000).max() < 0.012  # Kolmogorov and Smirnov's bound


def test_fans_count_the_receptive_field_as_in_torch():
    torch = torch_on_one_thread()
    for shape in [(3, 4), (8, 4, 3), (8, 4, 3, 3)]:
        theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.zeros(shape))
        x = nn.init.kaiming_uniform_(tg.empty(*shape), a=math.sqrt(5)).numpy()
        assert np.abs(x).max() <= 1 / math.sqrt(theirs[0])
        y = nn.init.kaiming_uniform_(tg.empty(*shape), a=math.sqrt(5), mode="fan_out").numpy()
        assert np.abs(y).max() <= 1 / math.sqrt(theirs[1])


def test_constant_fills():
    assert nn.init.constant_(tg.empty(2), 0.5).tolist() == [0.5, 0.5]
    assert nn.init.zeros_(nn.Parameter(tg.ones(2))).tolist() == [0.0, 0.0]
    assert nn.init.ones_(tg.empty(2)).tolist() == [1.0, 1.0]
    assert nn.init.eye_(tg.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_shapes_and_tensors_that_cannot_be_filled_are_refused():
    for fill in (nn.init.xavier_uniform_, nn.init.xavier_normal_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_):
        with pytest.raises(ShapeError, match=rf"{fill.__name__}: it needs two dimensions or more.*\(3,\)"):
            fill(tg.empty(3))
    with pytest.raises(ValueError, match="mode must be 'fan_in' or 'fan_out', not 'fan'"):
        nn.init.kaiming_uniform_(tg.empty(2, 2), mode="fan")
    with pytest.raises(ValueError, match="b must not be below a"):
        nn.init.uniform_(tg.empty(2), 1.0, 0.0)
    with pytest.raises(ValueError, match="std must be 0 or more"):
        nn.init.normal_(tg.empty(2), 0.0, -1.0)
    with pytest.raises(ShapeError, match="it takes a matrix"):
        nn.init.eye_(tg.empty(2))
