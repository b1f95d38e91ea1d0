"""Indexing of every kind, read, written and differentiated: against PyTorch, and single claims without it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.errors import DtypeError, ShapeError

# An index is drawn as a list of parts, each a pair (kind, value); `built` makes the index of a library from it.


@st.composite
def indexed(draw):
    """A shape and the parts of an index into it, with several integer arrays of shapes that broadcast."""
    shape = draw(st.lists(st.integers(1, 4), min_size=0, max_size=4).map(tuple))
    common = draw(st.sampled_from([(), (1,), (2,), (3,), (2, 3)]))
    parts, used, ellipsis_at = [], 0, draw(st.integers(-1, len(shape)))
    masked = False
    while used < len(shape):
        if used == ellipsis_at:
            parts.append(("ellipsis", None))
            used += draw(st.integers(0, len(shape) - used))
            ellipsis_at = -1
            continue
        n = shape[used]
        kinds = ["int", "slice", "slice", "none", "array", "list", "scalar", "numpy", "numpy scalar", "stop", "flag"]
        kind = draw(st.sampled_from([*kinds, "mask", "mask", "bytes"] if not masked else kinds))
        if kind == "stop":
            break
        if kind == "none":
            parts.append((kind, None))
            continue
        if kind == "flag":
            if masked:
                continue
            masked = True
            parts.append((kind, draw(st.booleans())))
            continue
        if kind in ("int", "scalar", "numpy scalar"):
            parts.append((kind, draw(st.integers(-n, n - 1))))
        elif kind == "slice":
            bound = st.one_of(st.none(), st.integers(-n - 1, n + 1))
            parts.append((kind, slice(draw(bound), draw(bound), draw(st.one_of(st.none(), st.integers(1, 3))))))
        elif kind in ("array", "list", "numpy"):
            dims = draw(st.sampled_from([common, common[-1:], tuple(1 for _ in common)]))
            if kind == "list":
                dims = dims[-1:] or (1,)
            count = int(np.prod(dims, dtype=int))
            values = draw(st.lists(st.integers(-n, n - 1), min_size=count, max_size=count))
            parts.append((kind, np.array(values, np.int64).reshape(dims)))
        else:  # a mask of one dimension or more
            dims = shape[used : used + draw(st.integers(1, len(shape) - used))]
            if ellipsis_at > used and used + len(dims) > ellipsis_at:
                dims = dims[:1]
            count = int(np.prod(dims))
            values = draw(st.lists(st.booleans(), min_size=count, max_size=count))
            parts.append((kind, np.array(values).reshape(dims)))
            masked = True
            used += len(dims) - 1
        used += 1
    if draw(st.booleans()) and not parts:
        parts.append(("ellipsis", None))
    return shape, parts


def built(lib, parts):
    index = []
    for kind, value in parts:
        if kind == "ellipsis":
            value = ...
        elif kind in ("array", "mask"):
            value = lib.tensor(value)
        elif kind == "bytes":
            value = lib.tensor(value.astype(np.bool_))
        elif kind == "list":
            value = value.tolist()
        elif kind == "scalar":
            value = lib.tensor(value)
        elif kind == "numpy scalar":
            value = np.int64(value)
        index.append(value)
    return index[0] if len(index) == 1 else tuple(index)


def outcome(call):
    try:
        return call()
    except (IndexError, RuntimeError, ValueError, TypeError) as error:
        return error


@settings(max_examples=400)
@given(indexed())
def test_reading_gives_the_values_shape_and_gradient_of_pytorch(drawn):
    torch = pytest.importorskip("torch")
    shape, parts = drawn
    data = np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape)
    ours, theirs = tg.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y = outcome(lambda: theirs[built(torch, parts)])
    x = outcome(lambda: ours[built(tg, parts)])
    if isinstance(y, Exception):
        assert isinstance(x, IndexError), (parts, y, x)
        return
    assert not isinstance(x, Exception), (parts, x)
    assert x.shape == tuple(y.shape)
    np.testing.assert_array_equal(x.detach().numpy(), y.detach().numpy())
    weights = np.cos(np.arange(x.numel())).reshape(x.shape)
    (x * tg.tensor(weights)).sum().backward()
    (y * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-12, atol=1e-15)


@settings(max_examples=400)
@given(indexed(), st.sampled_from(["number", "whole", "row", "column", "scalar", "wrong"]))
def test_writing_gives_the_values_and_gradients_of_pytorch(drawn, kind):
    torch = pytest.importorskip("torch")
    shape, parts = drawn
    data = np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape)
    numbers = np.arange(data.size).reshape(shape)
    region = outcome(lambda: torch.tensor(numbers)[built(torch, parts)])
    if isinstance(region, Exception):
        with pytest.raises(IndexError):
            tg.tensor(data)[built(tg, parts)] = 1.0
        return
    wanted = tuple(region.shape)
    value = {
        "whole": wanted,
        "row": wanted[1:],
        "column": (*wanted[:-1], 1) if wanted else (),
        "scalar": (),
        "wrong": (*wanted, 7),
    }.get(kind)
    repeated = region.unique().numel() != region.numel()
    results = []
    for lib in (tg, torch):
        leaf = lib.tensor(data, requires_grad=True)
        x = leaf * 2.0
        v = -1.5 if value is None else lib.tensor(np.full(value, -7.0) - 0.0, requires_grad=True)
        if value is not None and not repeated:
            v = lib.tensor(-np.arange(1.0, 1 + np.prod(value, dtype=int)).reshape(value), requires_grad=True)
        error = outcome(lambda x=x, v=v, lib=lib: x.__setitem__(built(lib, parts), v))
        if not isinstance(error, Exception):
            (x * lib.tensor(np.cos(numbers))).sum().backward()
        results.append((error, x, leaf, v))
    (error, x, leaf, v), (their_error, y, their_leaf, w) = results
    if isinstance(their_error, Exception):
        assert isinstance(error, ShapeError), (parts, their_error, error)
        return
    assert not isinstance(error, Exception), (parts, error)
    np.testing.assert_array_equal(x.detach().numpy(), y.detach().numpy())
    np.testing.assert_allclose(leaf.grad.numpy(), their_leaf.grad.numpy(), rtol=1e-12)
    if (
        value is not None and not repeated
    ):  # where an element is written twice PyTorch's gradient is not that of a write
        theirs = torch.zeros_like(w) if w.grad is None else w.grad  # None after x[False] = v
        np.testing.assert_allclose(v.grad.numpy(), theirs.numpy(), rtol=1e-12)


# Single claims, without PyTorch


def test_the_last_of_duplicate_writes_wins_and_only_it_gets_a_gradient():
    x = tg.zeros(3) * 1.0
    v = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    x[[0, 2, 0, 1]] = v
    (x * tg.tensor([10.0, 20.0, 30.0])).sum().backward()
    assert x.tolist() == [3, 4, 2]
    assert v.grad.tolist() == [0, 30, 10, 20]


def test_an_element_read_several_times_adds_up_its_gradients():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    (x[[0, 0, 1, 0]] * tg.tensor([1.0, 2.0, 4.0, 8.0])).sum().backward()
    assert x.grad.tolist() == [11, 4]


@pytest.mark.parametrize("index", [3, (0, 0, 0), tg.tensor([5]), (slice(None), [-9]), (..., 0, ...), np.ones(5, bool)])
def test_an_index_that_does_not_fit_raises_an_index_error_for_reading_and_writing(index):
    x = tg.zeros(2, 2)
    with pytest.raises(IndexError):
        x[index]
    with pytest.raises(IndexError):
        x[index] = 1.0
    assert x.tolist() == [[0, 0], [0, 0]]


def test_an_index_error_names_the_shape():
    for index in (5, [7], np.ones(5, bool)):
        with pytest.raises(IndexError, match=re.escape("(2, 3)")):
            tg.zeros(2, 3)[index]


def test_indices_of_other_kinds_are_refused_with_their_name():
    for index, name in ((1.5, "float"), ("a", "str"), (tg.tensor([1.0]), "float32")):
        with pytest.raises(IndexError, match=name):
            tg.zeros(2)[index]
    with pytest.raises(ValueError, match="negative step"):
        tg.zeros(2)[::-1]
    with pytest.raises(DtypeError, match="not list"):
        tg.zeros(2)[0] = [1]
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        tg.zeros(2, 2)[0] = tg.ones(3)


def test_ints_and_slices_give_views_and_arrays_copies():
    x = tg.zeros(2, 3)
    x[1, ::2].fill_(1)
    x[0][1] = 2
    assert x.tolist() == [[0, 2, 0], [1, 0, 1]]
    x[[0, 1]].fill_(9)
    assert float(x.max()) == 2


def test_an_array_after_a_slice_after_an_int_stays_in_its_place():
    x = tg.arange(24).reshape(2, 3, 4)
    assert x[0, :, [1, 2]].shape == (3, 2)  # NumPy: (2, 3)
    assert x[0, :, [1, 2]].tolist() == x[0][:, [1, 2]].tolist()


def test_a_short_list_of_more_than_numbers_is_an_index_for_each_dimension():
    x = tg.arange(6).reshape(2, 3)
    assert x[[[0, 1], [1, 1]]].tolist() == [1, 4]
    assert x[[slice(0, 1), 1]].tolist() == [1]
    assert x[[tg.tensor(0), tg.tensor(1)]].item() == 1
    assert x[[0, 1]].tolist() == x.tolist()


def test_an_integer_that_a_small_dtype_lacks_wraps_around_as_in_pytorch():
    x = tg.zeros(3, dtype=tg.uint8)
    x[0] = -1
    x[1:2].fill_(-2)
    assert x.tolist() == [255, 254, 0]
    assert (tg.tensor([5], dtype=tg.uint8) * -3).item() == 241
    assert (tg.tensor([5], dtype=tg.int8) + 200).item() == -51
