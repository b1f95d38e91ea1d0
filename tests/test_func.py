"""tensorgrad.func: derivatives of functions that nest, vmap beside a loop, modules called with other parameters."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from catalogue import CATALOGUE
from side_by_side import normal, same, torch_on_one_thread
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


INDICES = [
    lambda x, i, j, k: x[i], lambda x, i, j, k: x[i, 1], lambda x, i, j, k: x[1, i], lambda x, i, j, k: x[-i],
    lambda x, i, j, k: x[:, i], lambda x, i, j, k: x[..., i], lambda x, i, j, k: x[None, i, :, None],
    lambda x, i, j, k: x[j], lambda x, i, j, k: x[:, j], lambda x, i, j, k: x[i, 1:, None], lambda x, i, j, k: x[j[0]],
    lambda x, i, j, k: x[j, k], lambda x, i, j, k: x[i, k], lambda x, i, j, k: x[[0, 1], j], lambda x, i, j, k: x[i, j],
]  # fmt: skip


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("indexed", INDICES)
def test_vmap_indexes_each_example_by_its_own(indexed, shared):
    x, k = tg.from_numpy(normal(4, 3, 3)), tg.tensor([2, 0])
    i, j = tg.tensor([2, 0, 1, 1]), tg.tensor([[0, 0], [1, 2], [2, 0], [1, 1]])
    x = (x[0] if shared else x).requires_grad_()
    dims = (None if shared else 0, 0, 0, None)
    got = func.vmap(indexed, dims)(x, i, j, k)
    expected = tg.stack([indexed(x if shared else x[b], i[b], j[b], k) for b in range(4)])
    close(got, expected)
    weights = tg.from_numpy(normal(*got.shape, seed=1))
    close(*(tg.autograd.grad(y, x, weights)[0] for y in (got, expected)))


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


def doubles(lib, *values):
    return lib.tensor([float(value) for value in values], dtype=lib.float64)


# Functions of a library L and its `func`, D, that differentiate what was differentiated.
NESTINGS = {
    "a cotangent from outside": lambda L, D: D.grad(
        lambda v: D.vjp(lambda x: x**2, doubles(L, 2, 3))[1](v)[0].sin().sum())(doubles(L, 1, 2)),
    "cotangents of several outputs": lambda L, D: D.grad(
        lambda v: D.vjp(lambda x: (x**2, x**3), doubles(L, 2, 3))[1]((v, v * v))[0].sum())(doubles(L, 1, 2)),
    "a tangent from outside": lambda L, D: D.grad(
        lambda v: D.jvp(lambda x: x**2, (doubles(L, 2, 3),), (v,))[1].sin().sum())(doubles(L, 1, 2)),
    "jvp of grad": lambda L, D: D.jvp(D.grad(lambda x: (x**3).sum()), (doubles(L, 2, 3),), (doubles(L, 1, 5),))[1],
    "grad of jvp": lambda L, D: D.grad(
        lambda x: D.jvp(lambda z: z**3, (x,), (doubles(L, 1, 5),))[1].sum())(doubles(L, 2, 3)),
    "jvp of jvp": lambda L, D: D.jvp(
        lambda x: D.jvp(lambda z: z**4, (x,), (x,))[1], (doubles(L, 2, 3),), (doubles(L, 1, 5),))[1],
    "jacrev of vjp": lambda L, D: D.jacrev(
        lambda v: D.vjp(lambda x: x.exp(), doubles(L, 2, 3))[1](v * v)[0])(doubles(L, 1, 2)),
    "hessian of vmap": lambda L, D: D.hessian(lambda x: D.vmap(lambda a: a.sin() * a)(x).sum())(doubles(L, 2, 3)),
    "vmap of hessian": lambda L, D: D.vmap(D.hessian(lambda x: (x**3).sum()))(doubles(L, 2, 3, 4, 5).reshape(2, 2)),
    "what is inside knows nothing of what is outside": lambda L, D: D.grad(
        lambda x: (D.grad(lambda y: (y**3).sum())(doubles(L, 3)) * x).sum())(doubles(L, 2)),
    "a value and something besides": lambda L, D: D.grad(
        lambda x: (sum(D.grad_and_value(lambda y: ((y * y).sum(), x * y), has_aux=True)(x)[1]) * x).sum())(
            doubles(L, 3)),
    "vmap of grad by a batch that depends on it": lambda L, D: D.grad(
        lambda w: D.vmap(D.grad(lambda z: z**3))(w * doubles(L, 2, 3)).sum())(doubles(L, 2, 3)),
    "vmap of grad of what it is multiplied with": lambda L, D: D.grad(
        lambda w: D.vmap(D.grad(lambda z: ((z * w) ** 3).sum()))(doubles(L, 2, 3)).sum())(doubles(L, 2)),
    "vmap of vjp with a cotangent of all": lambda L, D: D.grad(
        lambda w: D.vmap(lambda x: D.vjp(lambda z: z * z * w[0], x)[1](w[1])[0].sin())(doubles(L, 1, 4)).sum())(
            doubles(L, 2, 3)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of PyTorch's own jvp
@pytest.mark.parametrize("name", NESTINGS)
def test_derivatives_of_derivatives_are_pytorchs(name):
    torch = torch_on_one_thread()
    same(NESTINGS[name](tg, tg.func), NESTINGS[name](torch, torch.func))


def test_a_gradient_by_a_cotangent_that_requires_one_is_recorded():
    v = tg.ones(2, requires_grad=True)
    func.vjp(lambda x: x**2, tg.tensor([1.0, 3.0]))[1](v)[0].sum().backward()
    assert v.grad.tolist() == [2.0, 6.0]


def test_a_gradient_inside_vmap_reaches_a_parameter_outside():
    x, w = tg.randn(3, 2, dtype=tg.float64), tg.randn(2, dtype=tg.float64, requires_grad=True)
    func.vmap(func.grad(lambda z: (z * w).sin().sum()))(x).square().sum().backward()
    loop = w.detach().requires_grad_()
    ((x * loop).cos() * loop).square().sum().backward()
    close(w.grad, loop.grad)


def test_a_parameter_that_changes_before_a_gradient_inside_vmap_reads_it_is_noticed():
    w = tg.tensor(2.0, requires_grad=True)

    def late(x):
        _, vjp_fn = func.vjp(lambda z: z * w, x)
        with tg.no_grad():
            w.add_(1)
        return vjp_fn(tg.tensor(1.0))

    with pytest.raises(AutogradError, match="backward of mul needs its input 1"):
        func.vmap(late)(tg.ones(3))


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


def test_the_jacobian_of_nothing_has_no_rows():
    assert func.jacrev(lambda x: x.cumprod(0)[:0])(tg.ones(3)).shape == (0, 3)
    assert func.jacrev(lambda x: (x * x).sum(0))(tg.ones(2, 0)).shape == (0, 2, 0)


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


def test_random_numbers_stay_refused_inside_a_vmap_that_shares_them():
    inner = func.vmap(lambda a: F.dropout(a), randomness="same")
    with pytest.raises(RuntimeError, match="vmap: random numbers are drawn"):
        func.vmap(inner)(tg.ones(3, 4))


def test_random_numbers_are_refused_in_the_thread_of_the_vmap_only():
    def elsewhere(x):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(tg.rand, 2).result().shape == (2,)
        return x

    func.vmap(elsewhere)(tg.ones(3))


def test_functional_call_leaves_the_module_as_it_was_even_after_an_error():
    layer = nn.Linear(2, 2)
    before = layer.weight
    with pytest.raises(ShapeError):
        func.functional_call(layer, {"weight": tg.ones(2, 5)}, tg.ones(1, 2))
    assert layer.weight is before


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)
        self.second.weight = self.first.weight
        self.again = self.first

    def forward(self, x):
        return self.again(self.second(self.first(x)))


def test_what_is_tied_is_replaced_by_any_of_its_names():
    model, x, w = Tied(), tg.ones(1, 2), tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    biases = {"first.bias": tg.zeros(2), "second.bias": tg.zeros(2)}
    for name in ("first.weight", "second.weight", "again.weight"):
        for strict in (False, True):
            y = func.functional_call(model, {name: w, **biases}, x, strict=strict)
            assert y.tolist() == [[91.0, 199.0]]
    given = {"first.weight": w, "second.weight": 2 * w, **biases}
    assert func.functional_call(model, given, x, tie_weights=False).tolist() == [[182.0, 398.0]]
    with pytest.raises(ValueError, match=r"first.weight, second.weight, again.weight are one tensor"):
        func.functional_call(model, given, x)
    assert model.second.weight is model.first.weight is not w


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
    "cotangents": (lambda: func.vjp(tg.exp, tg.ones(2))[1](tg.ones(3)), ShapeError, "vjp_fn: the cotangents have"),
    "a number as tangent": (
        lambda: func.jvp(tg.exp, (tg.ones(()),), (1.0,)),
        DtypeError,
        "jvp: tangents must be tensors",
    ),
    "a number as primal": (lambda: func.jvp(tg.exp, (1.0,), (1.0,)), DtypeError, "jvp: it differentiates by floating"),
    "a number as cotangent": (
        lambda: func.vjp(tg.exp, tg.ones(2))[1](3.0),
        DtypeError,
        "vjp_fn: cotangents must be tensors, and one is float",
    ),
    **{
        f"{name}, {what}": (lambda name=name, make=make: make(getattr(func, name)), error, f"^{name}: {text}")
        for name in ("grad", "grad_and_value", "jacrev", "jacfwd", "hessian")
        for what, make, error, text in (
            ("by a number", lambda derivative: derivative(tg.sum)(1.0), DtypeError, "it differentiates by floating"),
            ("argnums", lambda derivative: derivative(tg.sum, 1)(tg.ones(2)), IndexError, "argnums names argument 1"),
            ("no tensor", lambda derivative: derivative(lambda x: 1)(tg.ones(2)), (DtypeError, ShapeError), "the func"),
        )
    },
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
