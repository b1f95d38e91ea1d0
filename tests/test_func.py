"""tensorgrad.func: derivatives of functions that nest, vmap beside a loop, modules called with other parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from catalogue import CATALOGUE
from test_catalogue import arrays_of, each, tensors_of

import tensorgrad as tg
from tensorgrad import func, nn
from tensorgrad.autograd.batching import RAGGED, RULES
from tensorgrad.autograd.op import REGISTRY
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.nn import functional as F

SIZE = 3


def test_the_tables_name_primitives():
    assert RAGGED | RULES.keys() <= REGISTRY.keys()


def close(a, b, tolerance=1e-10):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance)


def stacked(ys):
    return tuple(np.stack([y.detach().numpy() for y in parts]) for parts in zip(*map(each, ys), strict=True))


BATCHABLE = [row for row in CATALOGUE if row.op not in RAGGED and not row.op.startswith("random")]


@pytest.mark.parametrize("row", BATCHABLE, ids=lambda row: row.id)
def test_vmap_of_every_primitive_is_a_loop_over_the_examples(row):
    batches = [np.stack([arrays_of(row, seed=seed)[i] for seed in range(SIZE)]) for i in range(len(row.inputs))]
    examples = [row.call(*(tg.from_numpy(np.array(b[n])) for b in batches)) for n in range(SIZE)]
    for y, expected in zip(each(func.vmap(row.call)(*map(tg.from_numpy, batches))), stacked(examples), strict=True):
        assert y.shape == expected.shape
        assert y.dtype == expected.dtype
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("row", [r for r in BATCHABLE if len(r.inputs) > 1], ids=lambda row: row.id)
def test_vmap_over_one_argument_shares_the_others(row):
    arrays = arrays_of(row)
    for i in range(len(arrays)):
        batch = np.stack([arrays_of(row, seed=seed)[i] for seed in range(SIZE)])
        dims = tuple(0 if j == i else None for j in range(len(arrays)))
        inputs = [tg.from_numpy(batch if j == i else a) for j, a in enumerate(arrays)]
        examples = [
            row.call(*(tg.from_numpy(np.array(batch[n])) if j == i else tg.from_numpy(a) for j, a in enumerate(arrays)))
            for n in range(SIZE)
        ]
        for y, expected in zip(each(func.vmap(row.call, dims)(*inputs)), stacked(examples), strict=True):
            np.testing.assert_allclose(y.numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("row", [r for r in BATCHABLE if r.differentiable], ids=lambda row: row.id)
def test_vmap_of_the_gradient_is_the_gradient_of_each_example(row):
    wanted = tuple(i for i, draw in enumerate(row.inputs) if draw.kind == "f")

    def loss(*xs):
        return sum((y * y).sum() for y in each(row.call(*xs)) if y.dtype == tg.float64)

    batches = [np.stack([arrays_of(row, seed=seed)[i] for seed in range(SIZE)]) for i in range(len(row.inputs))]
    got = func.vmap(func.grad(loss, wanted))(*map(tg.from_numpy, batches))
    for n in range(SIZE):
        leaves = tensors_of([np.array(b[n]) for b in batches])
        expected = tg.autograd.grad(loss(*leaves), [leaves[i] for i in wanted], materialize_grads=True)
        for g, e in zip(got, expected, strict=True):
            np.testing.assert_allclose(g[n].numpy(), e.numpy(), rtol=1e-9, atol=1e-10)


def test_in_dims_and_out_dims_say_where_the_batch_is():
    x, y = tg.randn(4, 2, 3), tg.randn(3)
    got = func.vmap(lambda a, b: a * b, in_dims=(1, None), out_dims=-1)(x, y)
    assert got.shape == (4, 3, 2)
    close(got, (x * y).movedim(1, -1))


def test_structures_go_in_and_come_out():
    tree = {"a": tg.randn(3, 2), "b": [tg.randn(3), tg.randn(3, 4)]}
    got = func.vmap(lambda t: (t["a"].sum() + t["b"][0], {"c": t["b"][1] * 2}))(tree)
    close(got[0], tree["a"].sum(1) + tree["b"][0])
    close(got[1]["c"], tree["b"][1] * 2)


def test_vmap_nests():
    x, y = tg.randn(3, 4), tg.randn(5, 4)
    close(func.vmap(lambda a: func.vmap(lambda b: (a * b).sum())(y))(x), x @ y.T, 1e-5)


def test_gradients_flow_through_vmap():
    w = tg.randn(4, requires_grad=True)
    x = tg.randn(3, 4)
    func.vmap(lambda a: (a * w).sum() ** 2)(x).sum().backward()
    expected = (2 * (x @ w.detach())[:, None] * x).sum(0)
    close(w.grad, expected, 1e-5)


def test_per_example_gradients_of_a_network():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    x, target = tg.randn(5, 4, dtype=tg.float64), tg.tensor([0, 2, 1, 1, 0])
    params = {name: p.detach() for name, p in model.named_parameters()}

    def loss(params, x, target):
        logits = func.functional_call(model, params, (x.unsqueeze(0),))
        return F.cross_entropy(logits, target.unsqueeze(0))

    got = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, x, target)
    for n in range(5):
        model.zero_grad()
        F.cross_entropy(model(x[n : n + 1]), target[n : n + 1]).backward()
        for name, p in model.named_parameters():
            close(got[name][n], p.grad)


def test_an_ensemble_runs_as_one():
    models = [nn.Linear(2, 3) for _ in range(4)]
    params, buffers = func.stack_module_state(models)
    x = tg.randn(5, 2)
    got = func.vmap(lambda p, b: func.functional_call(models[0], (p, b), (x,)))(params, buffers)
    close(got, tg.stack([model(x) for model in models]), 1e-6)


def test_derivatives_nest_to_any_order():
    f = func.grad(func.grad(func.grad(lambda x: x.sin())))
    close(f(tg.tensor(0.3, dtype=tg.float64)), tg.tensor(-math.cos(0.3), dtype=tg.float64))


def test_an_inner_derivative_sees_what_the_outer_one_differentiates_by():
    outer = func.grad(lambda x: func.grad(lambda y: x * x * y * y)(tg.tensor(3.0)) * x)
    assert outer(tg.tensor(2.0)).item() == pytest.approx(72.0)  # d(6 x^3)/dx


def test_what_comes_out_is_cut_off_unless_something_outside_is_behind_it():
    x = tg.tensor(2.0)
    gradient, value = func.grad_and_value(lambda x: x**2)(x)
    assert not gradient.requires_grad
    assert not value.requires_grad
    w = tg.tensor(3.0, requires_grad=True)
    gradient = func.grad(lambda x: w * x**2)(x)
    gradient.backward()
    assert w.grad.item() == 4.0


def test_argnums_aux_and_structures():
    (gx, gy), (value, aux) = func.grad_and_value(lambda x, y: ((x * y["a"]).sum(), x + 1), (0, 1), has_aux=True)(
        tg.tensor([1.0, 2.0]), {"a": tg.tensor([3.0, 4.0])}
    )
    assert gx.tolist() == [3.0, 4.0]
    assert gy["a"].tolist() == [1.0, 2.0]
    assert value.item() == 11.0
    assert aux.tolist() == [2.0, 3.0]


def test_jacobians_hessians_vjp_and_jvp():
    x = tg.randn(3, dtype=tg.float64)
    a = tg.randn(2, 3, dtype=tg.float64)
    f = lambda x: (a @ x).exp()  # noqa: E731
    expected = (a @ x).exp()[:, None] * a
    close(func.jacrev(f)(x), expected)
    close(func.jacfwd(f)(x), expected)
    close(func.jvp(f, (x,), (x,))[1], expected @ x)
    close(func.vjp(f, x)[1](a[:, 0])[0], a[:, 0] @ expected)
    close(func.hessian(lambda x: (x**3).sum())(x), (6 * x).diag() if hasattr(x, "diag") else tg.eye(3).double() * 6 * x)
    close(func.vmap(func.jacrev(f))(tg.stack([x, 2 * x]))[0], expected)
    close(func.jacrev(func.vmap(f))(tg.stack([x, 2 * x]))[1, :, 1], (2 * (a @ x)).exp()[:, None] * a)


def test_chunks_give_the_same():
    x = tg.randn(7, 2)
    close(func.vmap(lambda a: a.exp().sum(), chunk_size=3)(x), x.exp().sum(1), 1e-6)


def test_random_numbers_are_refused_or_shared():
    x = tg.ones(3, 100)
    with pytest.raises(RuntimeError, match="vmap: random numbers are drawn"):
        func.vmap(lambda a: F.dropout(a))(x)
    got = func.vmap(lambda a: F.dropout(a), randomness="same")(x)
    assert bool((got[0] == got[2]).all())
    tg.rand(1)


def test_functional_call_leaves_the_module_as_it_was_even_after_an_error():
    layer = nn.Linear(2, 2)
    before = layer.weight
    with pytest.raises(ShapeError):
        func.functional_call(layer, {"weight": tg.ones(2, 5)}, tg.ones(1, 2))
    assert layer.weight is before


MISTAKES = {
    "no batch": (lambda: func.vmap(lambda x: x, in_dims=None)(tg.ones(2)), ValueError, "no argument is mapped"),
    "sizes": (lambda: func.vmap(tg.add)(tg.ones(2), tg.ones(3)), ValueError, r"differ in size: \[2, 3\]"),
    "dimension": (lambda: func.vmap(tg.exp, in_dims=1)(tg.ones(2)), ValueError, "dimension 1 of a tensor"),
    "in_dims": (lambda: func.vmap(tg.add, in_dims=(0,))(tg.ones(2), tg.ones(2)), ValueError, "a tuple of 2"),
    "ragged": (lambda: func.vmap(tg.nonzero)(tg.ones(2, 2)), ShapeError, "nonzero cannot be batched"),
    "branch": (lambda: func.vmap(lambda x: x if x.sum() > 0 else -x)(tg.ones(2, 2)), AutogradError, "where"),
    "item": (lambda: func.vmap(lambda x: x.sum().item())(tg.ones(2, 2)), AutogradError, "item"),
    "in place": (lambda: func.vmap(lambda x: x.add_(1))(tg.ones(2, 2)), DtypeError, "add_: inside vmap"),
    "not a tensor": (lambda: func.vmap(lambda x: 1)(tg.ones(2)), DtypeError, "must return tensors"),
    "grad of a vector": (lambda: func.grad(lambda x: x)(tg.ones(2)), ShapeError, "one element"),
    "grad by ints": (lambda: func.grad(lambda x: x.sum())(tg.arange(2)), DtypeError, "floating"),
    "argnums": (lambda: func.grad(lambda x: x.sum(), 1)(tg.ones(2)), IndexError, "argument 1"),
    "tangents": (lambda: func.jvp(tg.exp, (tg.ones(2),), (tg.ones(3),)), ShapeError, "tangents have shapes"),
    "randomness": (lambda: func.vmap(tg.exp, randomness="different"), ValueError, "'error' or 'same'"),
    "unknown name": (
        lambda: func.functional_call(nn.Linear(1, 1), {"w": tg.ones(1)}, tg.ones(1)),
        KeyError,
        "no param",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_explained(call, error, text):
    with pytest.raises(error, match=text):
        call()


THROUGH_VMAP = {
    "max pooling": (lambda z: F.max_pool2d(z, 2), (3, 1, 4, 4)),
    "cosine similarity": (lambda z: F.cosine_similarity(z, z.sin(), 0), (3, 5)),
    "many inputs": (lambda z: tg.stack([z] * 10), (3, 4)),
}


@pytest.mark.parametrize(("function", "shape"), THROUGH_VMAP.values(), ids=THROUGH_VMAP)
def test_gradients_flow_through_layers_inside_vmap(function, shape):
    x = tg.randn(*shape, dtype=tg.float64, requires_grad=True)
    loop = x.detach().requires_grad_()
    func.vmap(function)(x).square().sum().backward()
    sum(function(z).square().sum() for z in loop).backward()
    close(x.grad, loop.grad)
