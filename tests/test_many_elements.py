"""Reductions and sorts of many elements, which are done in other ways than those of few, give the same."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg

nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool"])
@pytest.mark.parametrize("descending", [False, True])
def test_many_elements_sort_stably_with_nan_last(dtype, descending):
    source = np.random.default_rng(3)
    for a in (source.integers(-50, 50, (6, 700)), source.standard_normal((6, 700)) * 30):
        a = a.astype(dtype)
        if a.dtype.kind == "f":
            a[1, ::5], a[2, ::7], a[3, ::3], a[4, ::2], a[5, ::9] = nan, -inf, inf, -0.0, np.copysign(nan, -1)
        for dim in (0, 1):
            x = a if dim else np.ascontiguousarray(a.T)
            order = tg.argsort(tg.tensor(x), dim, descending=descending)
            key = np.where(np.isnan(x.astype(float)), inf, np.clip(x.astype(float), -1e9, 1e9))
            expected = np.argsort(-key if descending else key, axis=dim, kind="stable")
            assert np.array_equal(order.numpy(), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64"])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize(("n", "k"), [(900, 5), (901, 1), (300, 20), (300, 100), (64, 3)])
def test_the_first_of_many_are_those_that_sorting_finds(dtype, largest, n, k):
    source = np.random.default_rng(n)
    a = (source.standard_normal((5, 4, n)) * 100).astype(dtype)
    if a.dtype.kind == "f":
        a[0, 1, 7], a[1, 2, : n // 2], a[2] = nan, nan, np.round(a[2] / 50)
    x = tg.tensor(a)
    ordered = x.sort(-1, descending=largest).values[..., :k]
    values, indices = x.topk(k, largest=largest)
    np.testing.assert_array_equal(values.numpy(), ordered.numpy())
    np.testing.assert_array_equal(np.take_along_axis(a, indices.numpy(), -1), values.numpy())
    assert all(len(set(row)) == k for row in indices.numpy().reshape(-1, k).tolist())


@pytest.mark.parametrize("shape", [(3, 1000), (1000, 3), (700, 2, 5), (5000,), (2, 1500), (40, 65), (1, 4, 300)])
def test_sums_of_many_elements_are_exact_over_all_their_dimensions(shape):
    a = np.random.default_rng(1).random(shape).astype(np.float32)
    for dim in {None, *range(len(shape)), tuple(range(len(shape))[:-1]) or None, tuple(range(len(shape))[1:]) or None}:
        for view in (lambda x: x, lambda x: x.T, lambda x: x[..., ::2]):
            x, exact = view(tg.tensor(a)), view(a).astype(np.float64)
            np.testing.assert_allclose(x.sum(dim, keepdim=True).numpy(), exact.sum(dim, keepdims=True), rtol=3e-6)
            np.testing.assert_allclose(x.mean(dim).numpy(), exact.mean(dim), rtol=3e-6)


@pytest.mark.parametrize("shape", [(8, 300), (300, 8), (3, 100, 4), (4096,), (5, 64, 20)])
def test_running_sums_of_many_elements_are_exact_along_all_dimensions(shape):
    a = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    for dim in range(len(shape)):
        for x, exact in ((tg.tensor(a), a), (tg.tensor(a).T, a.T)):
            x = x.clone().requires_grad_() if x.is_contiguous() else x.detach().requires_grad_()
            d = dim if x.shape == a.shape else len(shape) - 1 - dim
            y = x.cumsum(d)
            np.testing.assert_allclose(y.detach().numpy(), exact.astype(float).cumsum(d), rtol=1e-5, atol=1e-5)
            y.backward(tg.tensor(np.ascontiguousarray(exact)))
            back = np.flip(np.flip(exact.astype(float), d).cumsum(d), d)
            np.testing.assert_allclose(x.grad.numpy(), back, rtol=1e-5, atol=1e-5)


def test_infinities_and_nan_stay_in_their_rows_of_many():
    a = np.random.default_rng(2).standard_normal((50, 40)).astype(np.float32)
    a[3, 4], a[5, 6], a[7, 8], a[7, 9] = inf, nan, inf, -inf
    x = tg.tensor(a)
    for name in ("sum", "mean", "amax", "logsumexp", "cumsum"):
        y = getattr(x, name)(1).numpy().reshape(50, -1)[:, -1]
        assert np.isfinite(np.delete(y, [3, 5, 7])).all()
        assert not np.isfinite(y[[3, 5]]).any()
    assert np.isfinite(np.delete(x.softmax(1).numpy(), [3, 5, 7], 0)).all()
    assert np.isfinite(np.delete(x.log_softmax(1).numpy(), [3, 5, 7], 0)).all()


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_softmax_of_many_rows_is_that_of_each(scale):
    a = np.random.default_rng(4).standard_normal((60, 30)) * scale
    for dim in (0, 1):
        e = np.exp(a - a.max(dim, keepdims=True))
        for dtype, rtol in ((np.float64, 1e-12), (np.float32, 3e-6)):
            x = tg.tensor(a.astype(dtype))
            e = np.exp(x.numpy().astype(float) - x.numpy().max(dim, keepdims=True))
            total = e.sum(dim, keepdims=True)
            np.testing.assert_allclose(x.softmax(dim).numpy(), e / total, rtol=rtol, atol=1e-30)
            logs = x.numpy().astype(float) - x.numpy().max(dim, keepdims=True) - np.log(total)
            np.testing.assert_allclose(x.log_softmax(dim).numpy(), logs, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("n", [16, 17, 100, 1001])
def test_products_of_many_elements_are_exact(n):
    a = np.random.default_rng(5).uniform(0.9, 1.1, (40, n)).astype(np.float32)
    np.testing.assert_allclose(tg.tensor(a).prod(1).numpy(), a.astype(float).prod(1), rtol=1e-5)
