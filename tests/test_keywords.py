"""`out=`, and NumPy's `axis=` and `keepdims=`: taken by every public function that has a place for them."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import AutogradError, DtypeError, ShapeError

X = tg.arange(6.0).reshape(2, 3)


def test_axis_and_keepdims_are_dim_and_keepdim():
    assert tg.sum(X, axis=1).tolist() == X.sum(axis=1).tolist() == X.sum(1).tolist()
    assert X.mean(axis=0, keepdims=True).shape == (1, 3)
    assert X.max(axis=1).indices.tolist() == [2, 2]
    assert tg.cat([X, X], axis=1).shape == (2, 6)


def test_numpy_functions_that_call_the_method_of_the_name_work():
    assert float(np.sum(X)) == 15.0


def test_both_names_at_once_are_an_error():
    with pytest.raises(TypeError, match="axis"):
        X.sum(dim=0, axis=0)


def test_out_is_written_and_returned():
    out = tg.zeros(2, 3)
    view = out[0]
    assert tg.add(X, 1, out=out) is out
    assert view.tolist() == [1.0, 2.0, 3.0]


def test_an_empty_out_takes_on_the_shape():
    out = tg.empty(0)
    assert tg.exp(X, out=out).shape == (2, 3)


def test_several_results_go_into_several_outs():
    values, indices = tg.empty(2), tg.empty(2, dtype=tg.int64)
    result = tg.max(X, 1, out=(values, indices))
    assert result.values is values
    assert indices.tolist() == [2, 2]


def test_out_is_converted_within_its_category_only():
    assert tg.add(X, X, out=tg.empty(2, 3, dtype=tg.float64)).dtype == tg.float64
    with pytest.raises(DtypeError, match="add: the result is float32, which cannot be written into out= of int64"):
        tg.add(X, X, out=tg.empty(2, 3, dtype=tg.int64))


def test_out_of_another_shape_is_an_error():
    with pytest.raises(ShapeError, match=r"add: the result has shape \(2, 3\), and out= has \(3,\)"):
        tg.add(X, X, out=tg.empty(3))


def test_out_does_not_lose_a_gradient_silently():
    w = tg.ones(3, requires_grad=True)
    with pytest.raises(AutogradError, match="out= does not record"):
        tg.mul(X, w, out=tg.empty(2, 3))
    with tg.no_grad():
        assert tg.mul(X, w, out=tg.empty(2, 3)).tolist() == X.tolist()


def test_functions_of_several_tensors_take_out_too():
    assert tg.cat([X, X], out=tg.empty(0)).shape == (4, 3)
    assert tg.where(X > 1, X, 0.0, out=tg.empty(2, 3)).sum().item() == 14.0
