"""A call in tensorgrad and in PyTorch, side by side: values, shapes, dtypes and derivatives must agree."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

DTYPES = ["float64", "float32", "float16", "int64", "bool"]


def torch_on_one_thread():
    """PyTorch, where it is installed; small as the work is here, its threads only get into each other's way."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def both(claim):
    """What a function of a library gives with ours and with PyTorch."""
    return claim(tg), claim(torch_on_one_thread())


def leaf(*values, dtype=tg.float64):
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


def linear(layers=nn):
    return layers.Linear(2, 2)


def ints(lib, *values):
    return lib.tensor(values[0] if len(values) == 1 else list(values))


def mask(lib, *values):
    return lib.tensor([bool(v) for v in values])


def drawn(shape, dtype, seed):
    source = np.random.default_rng(seed)
    if dtype == "bool":
        return np.asarray(source.random(shape) < 0.5)
    return np.asarray(source.integers(-4, 5, shape) if dtype == "int64" else source.standard_normal(shape)).astype(
        dtype
    )


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def listed(results):
    return list(results) if isinstance(results, tuple | list) else [results]


def equal(ours, theirs):
    tolerance, atol = {"float16": (2e-3, 2e-3), "float64": (1e-9, 1e-9)}.get(ours.dtype.name, (1e-6, 1e-7))
    same(ours, theirs, tolerance, atol)


def same(ours, theirs, tolerance=1e-9, atol=None, name=""):
    """Two results have the same dtype, shape and elements. Where all of these are 0, one may be None."""
    if ours is None or theirs is None:
        assert not any(x is not None and x.any() for x in (ours, theirs)), name
        return
    ours, theirs = (np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (ours, theirs))
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), name
    atol = tolerance if atol is None else atol
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=atol, err_msg=name)


def compare(call, arrays, tolerance=None, absent=False):
    """The results of a call of (library, tensors), and the gradients of its floating inputs, are PyTorch's.

    With `absent`, a gradient that is 0 everywhere may be none at all in one of the two.
    """
    torch = torch_on_one_thread()
    sides = []
    for library in (tg, torch):
        xs = [library.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        ys = [y for y in listed(call(library, *xs)) if y is not None]
        live = [y for y in ys if y.requires_grad]
        weights = [drawn(tuple(y.shape), y.detach().numpy().dtype.name, 7 + i) for i, y in enumerate(live)]
        if live:
            library.autograd.backward(live, [library.tensor(w) for w in weights])
        sides.append([*ys, *(x.grad for x in xs)])
        sides.append([y.requires_grad for y in ys] + [x.grad is not None for x in xs])
    ours, which, theirs, expected = sides
    assert absent or which == expected
    for x, z in zip(ours, theirs, strict=True):
        if tolerance is not None or x is None or z is None:
            same(x, z, tolerance)
        else:
            equal(x, z)


def pair_of(name, *args, **settings):
    """A layer of ours and one of PyTorch's with the same parameters, in double precision."""
    torch = torch_on_one_thread()
    theirs = getattr(torch.nn, name)(*args, **settings).double()
    ours = getattr(nn, name)(*args, **settings).double()
    with torch.no_grad():
        for i, parameter in enumerate(theirs.parameters()):
            parameter.copy_(torch.from_numpy(normal(*parameter.shape, seed=i) * 0.5))
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def compare_layers(layers, arrays, call=lambda layer, *xs: layer(*xs), tolerance=1e-9):
    """Two layers give the same results, gradients of their floating inputs and of their parameters."""
    ours, theirs = layers
    compare(lambda library, *xs: call(ours if library is tg else theirs, *xs), arrays, tolerance)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None), name
        same(p.grad, q.grad, tolerance, name=name)


def compare_arguments(layer):
    """A layer takes the arguments of PyTorch's, in its order and with its defaults, but for those that are obsolete."""
    ours, theirs = (inspect.signature(getattr(lib.nn, layer)).parameters for lib in (tg, torch_on_one_thread()))
    assert list(ours) == [name for name in theirs if name not in ("args", "kwargs", "min_value", "max_value")]
    for name, parameter in ours.items():
        assert parameter.default == theirs[name].default


def compare_by_expression(layer, x):
    """A layer without parameters, `layer` of `nn`: it prints as PyTorch's, and gives the same."""
    results = []
    for library in (tg, torch_on_one_thread()):
        made = eval(f"nn.{layer}", {"nn": library.nn})
        results.append((repr(made), listed(made(library.tensor(x)))))
    (text, ours), (expected, theirs) = results
    assert text == expected
    for y, z in zip(ours, theirs, strict=True):
        same(y, z, 1e-12)


def mistakes(table, x):
    """The test of a table of (call, error, text): each call is refused so, and `x`, of zeros, stays as it was."""

    @pytest.mark.parametrize(("call", "kind", "message"), table, ids=[message[:40] for _, _, message in table])
    def test(call, kind, message):
        with pytest.raises(kind, match=message):
            call()
        assert not x.any()

    return test


def derivatives(function, xs, library, once=False):
    """A value, its gradients, and unless `once` the gradients of their product with fixed numbers, as arrays."""
    source, dtype = np.random.default_rng(3), xs[0].detach().numpy().dtype

    def fixed(x):
        return library.tensor(source.standard_normal(tuple(x.shape)).astype(dtype))

    y = function(*xs)
    first = library.autograd.grad(y, xs, fixed(y), create_graph=not once, allow_unused=True)
    product = sum((g * fixed(g)).sum() for g in first)
    second = library.autograd.grad(product, xs, allow_unused=True) if product.requires_grad else [None] * len(xs)
    return [None if v is None else v.detach().numpy(force=True) for v in (y, *first, *second)]


def compare_derivatives(ours, theirs, arrays, tolerance):
    """A function of ours and one of PyTorch's give the same value and derivatives of two orders."""
    results = [
        derivatives(function, [library.from_numpy(a.copy()).requires_grad_() for a in arrays], library)
        for function, library in ((ours, tg), (theirs, torch_on_one_thread()))
    ]
    for got, expected in zip(*results, strict=True):
        same(got, expected, tolerance)


def compare_in_place(call):
    """A method that changes a tensor of shape (2, 3): the tensor, its gradient, and the base of a view."""
    torch = torch_on_one_thread()
    results = []
    for L in (tg, torch):
        leaf = (L.arange(6.0).reshape(2, 3) - 1).requires_grad_()
        x = leaf * 2.0
        kept = x * 1.0
        assert call(L, x) is x
        x = x * x
        x.sum().backward()
        results.append((tuple(x.shape), x.tolist(), leaf.grad.tolist(), kept.tolist()))
        with L.no_grad():
            plain = L.arange(6.0).reshape(2, 3)
            call(L, plain[:])
            results[-1] += (plain.tolist(),)
    assert results[0] == results[1]
