"""`nn.utils`: limits on gradients, parameters as vectors, and parametrizations, beside PyTorch's."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import ShapeError

utils, parametrize, parametrizations = nn.utils, nn.utils.parametrize, nn.utils.parametrizations


def copied(layer, peer):
    """Two layers of the same values; those of the first."""
    torch = pytest.importorskip("torch")
    peer.load_state_dict({name: torch.tensor(value.numpy()) for name, value in layer.state_dict().items()})
    return peer


# Gradients


GRADS = {
    "small": [[0.1, -0.2], [[0.3], [0.0]], 0.1],
    "large": [[3.0, -4.0], [[12.0], [0.0]], 7.0],
    "infinite": [[3.0, math.inf], [[12.0], [0.0]], 7.0],
    "not a number": [[3.0, math.nan], [[12.0], [0.0]], 7.0],
}


def with_grads(library, grads, dtype):
    leaves = []
    for grad in [*grads, None]:
        p = library.tensor(1.0 if grad is None else grad, dtype=dtype, requires_grad=True)
        if grad is not None:
            p.grad = library.tensor(grad, dtype=dtype)
        leaves.append(p)
    return leaves


def grads_of(params):
    return [None if p.grad is None else np.asarray(p.grad) for p in params]


@pytest.mark.parametrize("name", GRADS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_is_torchs(name, dtype):
    torch = pytest.importorskip("torch")
    for norm_type in (2.0, 1, 3.0, math.inf, 0.5, 0.0):
        ours, theirs = (with_grads(lib, GRADS[name], getattr(lib, dtype)) for lib in (tg, torch))
        total = utils.clip_grad_norm_(iter(ours), 2.0, norm_type)
        peer = torch.nn.utils.clip_grad_norm_(theirs, 2.0, norm_type)
        np.testing.assert_allclose(total.numpy(), peer.numpy(), rtol=1e-6)
        assert total.dtype == getattr(tg, dtype)
        assert total.shape == ()
        for g, h in zip(grads_of(ours), grads_of(theirs)):
            assert (g is None) == (h is None)
            if g is not None:
                np.testing.assert_allclose(g, h, rtol=1e-6)
    ours, theirs = (with_grads(lib, GRADS[name], getattr(lib, dtype)) for lib in (tg, torch))
    assert utils.clip_grad_value_(ours, 0.15) is torch.nn.utils.clip_grad_value_(theirs, 0.15)
    for g, h in zip(grads_of(ours)[:-1], grads_of(theirs)):
        np.testing.assert_array_equal(g, h)


def test_a_norm_that_is_not_finite_may_be_an_error():
    params = with_grads(tg, GRADS["infinite"], tg.float32)
    with pytest.raises(RuntimeError, match=r"clip_grad_norm_: the norm of order 2\.0 of the gradients is inf"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    with pytest.raises(RuntimeError, match="get_total_norm: the norm"):
        utils.get_total_norm([params[0].grad], error_if_nonfinite=True)
    assert params[0].grad.tolist() == [3.0, math.inf]


def test_one_tensor_and_none_at_all_are_taken():
    (p, *_) = with_grads(tg, [[3.0, 4.0]], tg.float32)
    assert utils.clip_grad_norm_(p, 1.0).item() == 5
    utils.clip_grad_value_(p, 0.5)
    assert p.grad.tolist() == [0.5, 0.5]
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    assert utils.clip_grad_norm_(tg.zeros(1, requires_grad=True), 1.0).item() == 0
    utils.clip_grads_with_norm_(p, 0.5, 1.0)
    assert p.grad.tolist() == pytest.approx([0.25, 0.25], rel=1e-5)


# Vectors


def test_parameters_go_into_a_vector_and_back():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.shape == (13,)
    vector.sum().backward()
    assert net[0].weight.grad.tolist() == [[1.0, 1.0]] * 3
    fresh = tg.arange(13.0)
    utils.vector_to_parameters(fresh, net.parameters())
    assert net[0].weight.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert net[1].bias.tolist() == [12.0]
    assert isinstance(net[1].bias, nn.Parameter)
    assert net[1].bias.requires_grad
    assert utils.parameters_to_vector(net.parameters()).tolist() == fresh.tolist()
    with pytest.raises(ShapeError, match=r"the parameters have 13 elements, and the vector has shape \(12,\)"):
        utils.vector_to_parameters(tg.zeros(12), net.parameters())
    with pytest.raises(TypeError, match="vec must be a Tensor, not list"):
        utils.vector_to_parameters([1.0], net.parameters())
    with pytest.raises(ValueError, match="there are no parameters"):
        utils.parameters_to_vector([])


# Parametrizations


def claims_of(library):
    """Two parametrizations of a library's own classes."""

    class Symmetric(library.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).T

        def right_inverse(self, y):
            return y.triu()

    class Scaled(library.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = library.nn.Parameter(library.tensor(2.0))

        def forward(self, x):
            return x * self.scale

    class Product(library.nn.Module):
        def forward(self, a, b):
            return a @ b

        def right_inverse(self, y):
            return y, library.eye(y.shape[1])

    return Symmetric, Scaled, Product


def test_parametrized_modules_have_torchs_keys_repr_values_and_gradients():
    torch = pytest.importorskip("torch")
    results = []
    values = np.random.default_rng(0).standard_normal((3, 3)).astype(np.float32)
    for library in (tg, torch):
        symmetric, scaled, product = claims_of(library)
        p = library.nn.utils.parametrize
        layer = library.nn.Linear(3, 3)
        layer.eval()
        with library.no_grad():
            layer.weight.copy_(library.tensor(values))
            layer.bias.fill_(0.5)
        weight = layer.weight
        first = symmetric()
        assert p.register_parametrization(layer, "weight", first) is layer
        assert not first.training
        assert layer.parametrizations.weight.original is weight
        p.register_parametrization(layer, "weight", scaled())
        p.register_parametrization(layer, "bias", scaled())
        facts = [list(layer.state_dict()), [name for name, _ in layer.named_parameters()], repr(layer)]
        layer(library.ones(2, 3)).square().sum().backward()
        facts += [weight.grad.tolist(), layer.parametrizations.weight[1].scale.grad.tolist()]
        facts += [p.is_parametrized(layer), p.is_parametrized(layer, "weight"), p.is_parametrized(layer, "x")]
        facts += [type(layer).__name__, p.type_before_parametrizations(layer) is library.nn.Linear]
        p.remove_parametrizations(layer, "bias")
        facts += [layer.bias.tolist(), isinstance(layer.bias, library.nn.Parameter), list(layer.state_dict())]
        p.remove_parametrizations(layer, "weight", leave_parametrized=False)
        facts += [layer.weight is weight, layer.weight.tolist(), type(layer).__name__, list(layer.state_dict())]
        facts += [p.is_parametrized(layer), hasattr(layer, "parametrizations")]
        p.register_parametrization(layer, "weight", product())
        facts += [list(layer.state_dict()), layer.weight.tolist()]
        with pytest.raises(ValueError):  # noqa: PT011 (the texts differ)
            p.remove_parametrizations(layer, "weight", leave_parametrized=False)
        p.remove_parametrizations(layer, "weight")
        facts += [layer.weight.tolist(), layer.weight.requires_grad, layer.weight.is_leaf]
        results.append(facts)
    for ours, theirs in zip(*results, strict=True):
        if isinstance(ours, list) and ours and not isinstance(ours[0], str):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5)
        else:
            assert ours == theirs


def test_assigning_goes_through_the_right_inverse():
    symmetric, scaled, _ = claims_of(tg)
    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "weight", symmetric())
    layer.weight = tg.tensor([[1.0, 2.0], [2.0, 3.0]])
    assert layer.parametrizations.weight.original.tolist() == [[1.0, 2.0], [0.0, 3.0]]
    assert layer.weight.tolist() == [[1.0, 2.0], [2.0, 3.0]]
    parametrize.register_parametrization(layer, "weight", scaled())
    with pytest.raises(RuntimeError, match="Scaled has no right_inverse"):
        layer.weight = tg.ones(2, 2)


def test_within_cached_a_tensor_is_computed_once():
    calls = []

    class Counted(nn.Module):
        def forward(self, x):
            calls.append(1)
            return x * 1

    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Counted())
    calls.clear()
    with parametrize.cached():
        layer.weight, layer.weight  # noqa: B018
        with parametrize.cached():
            layer(tg.ones(1, 2))
    assert len(calls) == 1
    layer.weight  # noqa: B018
    assert len(calls) == 2


def test_a_copy_of_a_parametrized_module_is_its_own():
    layer = parametrizations.weight_norm(nn.Linear(2, 2))
    other = copy.deepcopy(layer)
    assert other.weight.tolist() == layer.weight.tolist()
    parametrize.remove_parametrizations(other, "weight")
    assert type(other) is nn.Linear
    assert parametrize.is_parametrized(layer, "weight")
    layer(tg.ones(1, 2)).sum().backward()
    assert layer.parametrizations.weight.original0.grad is not None
    with pytest.raises(RuntimeError, match="a parametrized Linear cannot be pickled; save its state_dict"):
        pickle.dumps(layer)


class Widens(nn.Module):
    def forward(self, x):
        return tg.cat([x, x])


class Doubles(nn.Module):
    def forward(self, x):
        return x.double()


@pytest.mark.parametrize("form", [Widens, Doubles])
def test_a_changed_shape_or_dtype_is_refused_unless_it_is_meant(form):
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"made .* of float32\[2, 2\]|made .* of .*2, 2.*unsafe=True"):
        parametrize.register_parametrization(layer, "weight", form())
    assert type(layer) is nn.Linear
    parametrize.register_parametrization(layer, "weight", form(), unsafe=True)
    assert (layer.weight.shape, layer.weight.dtype) != ((2, 2), tg.float32)


@pytest.mark.parametrize(
    ("mistake", "error", "match"),
    [
        (lambda m: parametrize.register_parametrization(m, "w", nn.Tanh()), ValueError, "Linear has no tensor 'w'"),
        (lambda m: parametrize.remove_parametrizations(m, "weight"), ValueError, "has no parametrization of 'weight'"),
        (lambda m: parametrizations.weight_norm(m, "w"), ValueError, "weight_norm: Linear has no parameter or buffer"),
        (lambda m: parametrizations.spectral_norm(m, dim=2), IndexError, "dim 2 is out of range"),
        (lambda m: parametrizations.spectral_norm(m, n_power_iterations=0), ValueError, "must be 1 or more"),
        (lambda m: parametrizations.orthogonal(m, "bias"), ShapeError, r"'bias' has shape \(3,\)"),
        (lambda m: parametrizations.orthogonal(m, orthogonal_map="qr"), ValueError, "one of matrix_exp, cayley, house"),
        (lambda m: utils.weight_norm(m), AttributeError, "use nn.utils.parametrizations.weight_norm"),
        (lambda m: utils.remove_weight_norm(m), AttributeError, "use nn.utils.parametrize.remove_parametrizations"),
    ],
)
def test_mistakes_are_refused_with_the_reason(mistake, error, match):
    with pytest.raises(error, match=match):
        mistake(nn.Linear(2, 3))


def compared(layer, peer):
    """The same state, outputs and gradients as PyTorch's, in double precision."""
    torch = pytest.importorskip("torch")
    copied(layer.double(), peer.double())
    x = np.random.default_rng(2).standard_normal((4, layer.in_features))
    for inner in (x, x * 2):
        y, z = layer(tg.tensor(inner)), peer(torch.tensor(inner))
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9, atol=1e-12)
        layer.zero_grad()
        peer.zero_grad()
        (y * y).sum().backward()
        (z * z).sum().backward()
        theirs = dict(peer.named_parameters())
        for name, p in layer.named_parameters():
            np.testing.assert_allclose(p.grad.numpy(), theirs[name].grad.numpy(), rtol=1e-7, atol=1e-10)
    mine, reference = layer.state_dict(), peer.state_dict()
    assert list(mine) == list(reference)
    for name, value in mine.items():
        np.testing.assert_allclose(value.numpy(), reference[name].numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dim", [0, 1, -2, None])
def test_weight_norm_is_torchs(dim):
    torch = pytest.importorskip("torch")
    layer = parametrizations.weight_norm(nn.Linear(3, 5), dim=dim)
    peer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 5), dim=dim)
    compared(layer, peer)
    before = layer.weight.detach().numpy()
    parametrize.remove_parametrizations(layer, "weight")
    np.testing.assert_array_equal(layer.weight.detach().numpy(), before)


@pytest.mark.parametrize("options", [{}, {"n_power_iterations": 3, "dim": 1}, {"eps": 1e-3, "dim": -1}])
@pytest.mark.parametrize("training", [True, False])
def test_spectral_norm_is_torchs(options, training):
    torch = pytest.importorskip("torch")
    layer = parametrizations.spectral_norm(nn.Linear(3, 5), **options).train(training)
    peer = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 5), **options).train(training)
    compared(layer, peer)


def test_spectral_norm_lets_two_forwards_have_one_backward():
    layer = parametrizations.spectral_norm(nn.Linear(3, 2))
    x = tg.randn(4, 3)
    (layer(x) - layer(2 * x)).square().sum().backward()
    assert layer.parametrizations.weight.original.grad.isfinite().all().item()
    layer = parametrizations.spectral_norm(nn.Linear(3, 2), n_power_iterations=30)
    largest = np.linalg.svd(layer.weight.detach().numpy())[1][0]
    assert largest == pytest.approx(1.0, rel=1e-4)


MAPS = [
    (orthogonal_map, shape)
    for orthogonal_map in ("householder", "matrix_exp", "cayley")
    for shape in ((3, 3), (3, 5), (3, 2))
]


@pytest.mark.parametrize(("orthogonal_map", "shape"), MAPS)
def test_orthogonal_is_torchs_and_stays_so_in_training(orthogonal_map, shape):
    torch = pytest.importorskip("torch")
    layer, peer = nn.Linear(*shape), torch.nn.Linear(*shape)
    copied(layer, peer)
    parametrizations.orthogonal(layer, orthogonal_map=orthogonal_map)
    torch.nn.utils.parametrizations.orthogonal(peer, orthogonal_map=orthogonal_map)
    optimizer = tg.optim.SGD(layer.parameters(), lr=0.02)
    for _ in range(3):
        compared(layer, peer)
        optimizer.step()
    weight = layer.weight.detach().numpy()
    product = weight.T @ weight if weight.shape[0] >= weight.shape[1] else weight @ weight.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (5, 3)])
def test_orthogonal_without_a_base_is_torchs(shape):
    torch = pytest.importorskip("torch")
    layer, peer = nn.Linear(*shape), torch.nn.Linear(*shape)
    copied(layer, peer)
    options = {"orthogonal_map": "householder", "use_trivialization": False}
    parametrizations.orthogonal(layer, **options)
    torch.nn.utils.parametrizations.orthogonal(peer, **options)
    reference = peer.parametrizations.weight.original.detach().numpy()
    np.testing.assert_allclose(layer.parametrizations.weight.original.detach().numpy(), reference, atol=1e-5)
    compared(layer, peer)


def test_an_orthogonal_weight_is_kept_and_one_may_be_assigned():
    layer = nn.Linear(4, 4)
    nn.init.orthogonal_(layer.weight)
    before = layer.weight.detach().numpy().copy()
    parametrizations.orthogonal(layer, orthogonal_map="householder")
    np.testing.assert_allclose(layer.weight.detach().numpy(), before, atol=1e-6)
    other = nn.init.orthogonal_(tg.empty(4, 4))
    layer.weight = other
    np.testing.assert_allclose(layer.weight.detach().numpy(), other.numpy(), atol=1e-6)
    with pytest.raises(ShapeError, match="the weight has shape"):
        layer.weight = tg.ones(4, 5)
