"""A call in tensorgrad and in PyTorch, side by side: values, shapes, dtypes and gradients must agree."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg

DTYPES = ["float64", "float32", "float16", "int64", "bool"]


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


def listed(results):
    return list(results) if isinstance(results, tuple | list) else [results]


def equal(ours, theirs):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    rtol, atol = (2e-3, 2e-3) if ours.dtype == tg.float16 else (1e-6, 1e-7)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=atol)


def compare(call, arrays):
    """The results and the gradients of a call in both libraries."""
    torch = pytest.importorskip("torch")
    grad = arrays[0].dtype.kind == "f"
    ours = [tg.tensor(a, requires_grad=grad) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=grad) for a in arrays]
    ys, zs = listed(call(tg, *ours)), listed(call(torch, *theirs))
    assert len(ys) == len(zs)
    for y, z in zip(ys, zs):
        equal(y, z)
        assert y.requires_grad == z.requires_grad
    pairs = [(y, z) for y, z in zip(ys, zs) if z.requires_grad]
    if not pairs:
        return
    weights = [drawn(tuple(z.shape), str(arrays[0].dtype), 7 + i) for i, (_, z) in enumerate(pairs)]
    tg.autograd.backward([y for y, _ in pairs], [tg.tensor(w) for w in weights])
    torch.autograd.backward([z for _, z in pairs], [torch.tensor(w) for w in weights])
    for x, z in zip(ours, theirs):
        assert (x.grad is None) == (z.grad is None)
        if x.grad is not None:
            equal(x.grad, z.grad)


def compare_in_place(call):
    """A method that changes a tensor of shape (2, 3): the tensor, its gradient, and the base of a view."""
    torch = pytest.importorskip("torch")
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
