"""Shapes, joining, splitting, arranging: over their keywords and edge shapes, against PyTorch.

A case is a call on a library and tensors of given shapes, for floating, integer and bool tensors.
"""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import DTYPES, compare, compare_in_place, drawn, equal, ints, mistakes

import tensorgrad as tg
from tensorgrad.errors import AutogradError, DtypeError, ShapeError

VIEWS = {
    "broadcast_tensors": (lambda L, a, b: L.broadcast_tensors(a, b), (3, 1), (2,)),
    "broadcast_to": (lambda L, a: L.broadcast_to(a, (2, 3, 4)), (3, 1)),
    "expand": (lambda L, a: a.expand(2, -1, 4), (3, 1)),
    "expand of nothing": (lambda L, a: a.expand(0, 3), (1, 3)),
    "expand_as": (lambda L, a, b: a.expand_as(b), (1, 3), (2, 3)),
    "flatten": (lambda L, a: a.flatten(1, -2), (2, 3, 4, 1)),
    "flatten 0-d": (lambda L, a: L.flatten(a), ()),
    "ravel": (lambda L, a: L.ravel(a.t()), (2, 3)),
    "unflatten": (lambda L, a: L.unflatten(a, -1, (2, -1)), (3, 4)),
    "reshape": (lambda L, a: L.reshape(a, (-1, 3)), (2, 6)),
    "by keyword": (lambda L, a: (
        L.reshape(a, shape=(3, 2)), L.permute(a, dims=(1, 0)), L.flip(a, dims=(0,)), L.tile(a, dims=(2,)),
        L.squeeze(input=a, dim=0), L.transpose(a, dim0=0, dim1=1), L.roll(a, shifts=1, dims=0),
        L.select(a, dim=1, index=0), L.narrow(a, dim=1, start=1, length=2), L.diagonal(a, offset=1, dim1=1, dim2=0),
        L.flatten(a, start_dim=0, end_dim=1), L.movedim(a, source=0, destination=1), L.rot90(a, k=1, dims=[0, 1]),
        a.unfold(dimension=1, size=2, step=1), *L.split(a, split_size_or_sections=2, dim=1),
        *L.chunk(input=a, chunks=2, dim=1), L.cat(tensors=[a, a], dim=1), L.stack(tensors=[a, a], dim=1),
        L.swapaxes(a, axis0=0, axis1=1), L.unflatten(a, dim=1, sizes=(3, 1)), L.repeat_interleave(a, repeats=2, dim=1),
    ), (2, 3)),
    "reshape 0-d": (lambda L, a: L.reshape(a, ()), (1, 1)),
    "reshape_as": (lambda L, a, b: a.reshape_as(b), (6,), (2, 3)),
    "view_as": (lambda L, a, b: a.view_as(b), (6,), (2, 3)),
    "permute": (lambda L, a: L.permute(a, (-1, 0, 1)), (2, 3, 4)),
    "transpose": (lambda L, a: L.transpose(a, -1, 0), (2, 3, 4)),
    "swapaxes": (lambda L, a: L.swapaxes(a, 0, 1), (2, 3)),
    "swapdims": (lambda L, a: a.swapdims(0, -1), (2, 3, 1)),
    "t": (lambda L, a: (a.t(), L.t(a[0])), (2, 3)),
    "T and mT": (lambda L, a: (a.T, a.mT, a.H, a.mH), (2, 3)),
    "movedim": (lambda L, a: L.movedim(a, (0, -1), (1, 0)), (2, 3, 4)),
    "moveaxis": (lambda L, a: L.moveaxis(a, 0, -1), (2, 3, 4)),
    "squeeze": (lambda L, a: (a.squeeze(), L.squeeze(a, 0), a.squeeze(1), a.squeeze((0, -1)), a.squeeze(())),
        (1, 2, 1)),
    "squeeze 0-d": (lambda L, a: (a.squeeze(), a.squeeze(0)), ()),
    "unsqueeze": (lambda L, a: (a.unsqueeze(0), L.unsqueeze(a, -1), a.unsqueeze(-2)), (2, 3)),
    "diagonal": (lambda L, a: (a.diagonal(), L.diagonal(a, 1), L.diagonal(a, -1, 2, 0), a.diagonal(9)), (2, 3, 4)),
    "narrow": (lambda L, a: (a.narrow(1, 1, 2), L.narrow(a, -1, -2, 1), L.narrow(a, 0, 2, 0)), (2, 3)),
    "select": (lambda L, a: (a.select(1, -1), L.select(a, 0, 0)), (2, 3)),
    "unfold": (lambda L, a: (a.unfold(0, 3, 2), a.unfold(-1, 2, 1), a.unfold(0, 2, 5), a.unfold(0, 0, 2)), (7, 3)),
    "unfold, windows longer than many": (lambda L, a: a.unfold(1, 6, 1), (2, 7)),
    "unfold 0-d": (lambda L, a: (a.unfold(0, 1, 1), a.unfold(0, 0, 1)), ()),
    "atleast": (lambda L, a: (L.atleast_1d(a), L.atleast_2d(a), L.atleast_3d(a)), (3,)),
    "atleast 0-d": (lambda L, a: (L.atleast_1d(a), L.atleast_2d(a), L.atleast_3d(a)), ()),
    "atleast of several": (lambda L, a, b: (*L.atleast_2d(a, b), *L.atleast_3d((a, b))), (), (2, 3)),
    "meshgrid": (lambda L, a, b: (*L.meshgrid(a, b, indexing="ij"), *L.meshgrid([a, b], indexing="xy")), (2,), (3,)),
    "meshgrid of numbers": (lambda L, a, b: L.meshgrid(a, b, indexing="xy"), (), (3,)),
}  # fmt: skip

JOINING = {
    "cat": (lambda L, a, b: (L.cat([a, b]), L.concat((a, b), dim=0), L.concatenate([a, b], axis=0)), (2, 3), (1, 3)),
    "cat, negative dim": (lambda L, a, b: L.cat([a, b, a], -1), (2, 3), (2, 0)),
    "cat with nothing": (lambda L, a, b: L.cat([a, b], 1), (0,), (2, 3)),
    "cat of nothing": (lambda L, a: L.cat([a, a]), (0,)),
    "cat of nothing along any dim": (lambda L, a: (L.cat([a, a], 1), L.cat([a], -2), L.cat([a], 5)), (0,)),
    "stack": (lambda L, a, b: (L.stack([a, b]), L.stack([a, b], -1), L.stack((a, b), 1)), (2, 3), (2, 3)),
    "stack 0-d": (lambda L, a, b: L.stack([a, b]), (), ()),
    "hstack": (lambda L, a, b: (L.hstack([a, b]), L.hstack([a[0], b[0, 0]])), (2, 3), (2, 1)),
    "vstack": (lambda L, a, b: (L.vstack([a, b]), L.row_stack([a[0], b])), (2, 3), (1, 3)),
    "dstack": (lambda L, a, b: (L.dstack([a, b]), L.dstack([a[0], b[0]])), (2, 3), (2, 3)),
    "column_stack": (lambda L, a, b: (L.column_stack([a, b]), L.column_stack([a[0, 0], b[0]])), (2, 3), (2,)),
    "block_diag": (lambda L, a, b, c: L.block_diag(a, b, c, a), (2, 1), (), (3,)),
    "block_diag of empty": (lambda L, a, b: L.block_diag(a, b), (0, 2), (1, 2)),
    "cartesian_prod": (lambda L, a, b: (L.cartesian_prod(a, b, a), L.cartesian_prod(a)), (2,), (3,)),
    "combinations": (lambda L, a: (L.combinations(a), L.combinations(a, 3), L.combinations(a, 1)), (4,)),
    "combinations, again": (lambda L, a: (L.combinations(a, 2, True), L.combinations(a, 3, with_replacement=True)),
        (3,)),
    "combinations of few": (lambda L, a: (L.combinations(a, 0), L.combinations(a, 3)), (2,)),
    "split": (lambda L, a: (*L.split(a, 2), *a.split([1, 0, 4]), *a.split(3, dim=-1)), (5, 3)),
    "split of nothing": (lambda L, a: L.split(a, 2), (0, 3)),
    "split_with_sizes": (lambda L, a: L.split_with_sizes(a, [2, 1], 1), (2, 3)),
    "chunk": (lambda L, a: (*L.chunk(a, 3), *a.chunk(7), *a.chunk(2, -1)), (5, 3)),
    "chunk of nothing": (lambda L, a: L.chunk(a, 3), (0, 2)),
    "unbind": (lambda L, a: (*L.unbind(a), *a.unbind(-1)), (2, 3)),
    "unbind of nothing": (lambda L, a: L.unbind(a, 1), (2, 0)),
    "tensor_split": (lambda L, a: (*L.tensor_split(a, 3), *a.tensor_split((2, 9, 5)), *a.tensor_split((-2,))), (7, 2)),
    "tensor_split by tensors": (lambda L, a: (*a.tensor_split(ints(L, 1, 3)), *a.tensor_split(L.tensor(2), -1)),
        (4, 3)),
    "hsplit": (lambda L, a: (*L.hsplit(a, 2), *a[0].hsplit([1])), (2, 4)),
    "vsplit": (lambda L, a: (*L.vsplit(a, 2), *a.vsplit((1, 3))), (4, 2)),
    "dsplit": (lambda L, a: (*L.dsplit(a, 2), *a.dsplit((1, 3))), (1, 2, 4)),
}  # fmt: skip

ARRANGING = {
    "flip": (lambda L, a: (L.flip(a, (0,)), a.flip(0, -1), a.flip((1,)), L.flip(a, [])), (2, 3)),
    "fliplr": (lambda L, a: (L.fliplr(a), L.flipud(a), a.flipud()), (2, 3)),
    "roll": (lambda L, a: (L.roll(a, 1), L.roll(a, -2, 1), a.roll((1, 1), (0, 1)), a.roll((1, 2), (1, 1))), (2, 3)),
    "roll 0-d": (lambda L, a: L.roll(a, 1), ()),
    "roll of nothing": (lambda L, a: L.roll(a, 1, 0), (0, 2)),
    "rot90": (lambda L, a: tuple(L.rot90(a, k, d) for k in range(-1, 5) for d in ((0, 1), [-1, 0])), (2, 3, 2)),
    "repeat": (lambda L, a: (a.repeat(2, 1), a.repeat((2, 1, 3)), a.repeat(0, 1)), (2, 3)),
    "repeat 0-d": (lambda L, a: (a.repeat(3), a.repeat(())), ()),
    "tile": (lambda L, a: (L.tile(a, (2,)), a.tile(1, 2, 2), L.tile(a, ())), (2, 3)),
    "repeat_interleave": (lambda L, a: (a.repeat_interleave(2), L.repeat_interleave(a, 2, dim=0)), (2, 3)),
    "repeat_interleave, zero": (lambda L, a: a.repeat_interleave(0, dim=1), (2, 3)),
    "repeat_interleave by each": (lambda L, a: (
        L.repeat_interleave(a, ints(L, 1, 0, 3), dim=1), a.repeat_interleave(ints(L, 2, 1), 0, output_size=3),
        a.repeat_interleave(ints(L, 2), dim=-1), a.repeat_interleave(L.tensor(2), dim=0)), (2, 3)),
    "repeat_interleave 0-d": (lambda L, a: L.repeat_interleave(a, 3), ()),
    "diag": (lambda L, a: (L.diag(a), L.diag(a, 1), a[0].diag(), L.diag(a[0], -2)), (2, 3)),
    "diag_embed": (lambda L, a: (L.diag_embed(a), a.diag_embed(1), L.diag_embed(a, -1, 0, 2),
        L.diag_embed(a, 1, 2, 0)), (2, 3)),
    "diagflat": (lambda L, a: (L.diagflat(a), L.diagflat(a, -1), L.diagflat(a[0, 0])), (2, 2)),
    "tril": (lambda L, a: (L.tril(a), a.tril(1), a.tril(-1), L.triu(a), a.triu(2), a.triu(diagonal=-1)), (2, 3, 4)),
}  # fmt: skip

CASES = {**VIEWS, **JOINING, **ARRANGING}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_shapes_dtypes_and_gradients_are_those_of_pytorch(name, dtype):
    call, *shapes = CASES[name]
    compare(call, [drawn(shape, dtype, i) for i, shape in enumerate(shapes)])


def test_only_inputs_that_require_a_gradient_get_one():
    a, b, c = tg.ones(1, 2), tg.ones(2, 2, requires_grad=True), tg.ones(1, 2)
    for y in (tg.cat([a, b, c]), tg.block_diag(a, b, c), tg.stack([a, b[:1], c])):
        y.sum().backward()
    assert b.grad.tolist() == [[3, 3], [2, 2]]
    assert a.grad is None


# Indices, shapes


def test_triangle_indices_are_pytorch_s():
    torch = pytest.importorskip("torch")
    for name in ("tril_indices", "triu_indices"):
        for args in ((2, 3), (3, 2, 1), (3, 3, -4), (3, 3, 9), (0, 2), (4, 0)):
            equal(getattr(tg, name)(*args), getattr(torch, name)(*args))
    equal(tg.tril_indices(2, 3, offset=1, dtype=tg.int32), torch.tril_indices(2, 3, offset=1, dtype=torch.int32))


def test_broadcast_shapes_takes_sizes_too():
    assert tg.broadcast_shapes((2, 1), 3, (1,)) == (2, 3)
    assert tg.broadcast_shapes() == ()


def test_repeats_alone_give_the_indices():
    assert tg.repeat_interleave(tg.tensor([1, 0, 2])).tolist() == [0, 2, 2]
    assert tg.repeat_interleave(tg.tensor([1, 0, 2]), output_size=3).tolist() == [0, 2, 2]


def test_a_view_as_another_dtype_is_pytorch_s():
    torch = pytest.importorskip("torch")
    a = np.arange(8.0, dtype=np.float32).reshape(2, 4)
    for dtype in ("int32", "float64", "uint8", "int64"):
        equal(tg.tensor(a).view(getattr(tg, dtype)), torch.tensor(a).view(getattr(torch, dtype)))
    x = tg.tensor(a)
    x.view(tg.int32).zero_()
    assert float(x.sum()) == 0
    assert not tg.tensor(a, requires_grad=True).view(dtype=tg.int32).requires_grad


# Views and in place

VIEWS_OF_A = {
    "unfold": lambda x: x.unfold(0, 1, 1),
    "diagonal": lambda x: x.diagonal(),
    "split": lambda x: x.split(1)[1],
    "chunk": lambda x: x.chunk(2)[0],
    "unbind": lambda x: x.unbind(1)[1],
    "tensor_split": lambda x: x.tensor_split(2)[1],
    "movedim": lambda x: x.movedim(0, 1),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "squeeze": lambda x: x.squeeze(0),
    "unflatten": lambda x: x.unflatten(0, (1, -1)),
    "atleast_3d": lambda x: tg.atleast_3d(x) if isinstance(x, tg.Tensor) else x.unsqueeze(-1),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
}


@pytest.mark.parametrize("name", VIEWS_OF_A)
def test_writes_through_a_view_reach_the_base_with_their_gradients(name):
    torch = pytest.importorskip("torch")
    grads = []
    for L in (tg, torch):
        leaf = L.arange(4.0).reshape(2, 2).requires_grad_()
        x = leaf * 1.0
        if name in ("split", "chunk", "unbind", "tensor_split") and L is torch:
            v = {"split": x[1:2], "chunk": x[0:1], "unbind": x[:, 1], "tensor_split": x[1:2]}[name]
        else:
            v = VIEWS_OF_A[name](x)
        v.mul_(3.0)
        (x * x + 2 * x).sum().backward()
        grads.append((x.detach().numpy().tolist(), leaf.grad.numpy().tolist(), (v * 2).detach().numpy().tolist()))
    assert grads[0] == grads[1]


def test_parts_follow_a_write_to_their_base():
    leaf = tg.arange(4.0).requires_grad_()
    x = leaf * 1.0
    a, _ = x.split(2)
    x.mul_(5.0)
    (a * a).sum().backward()
    assert leaf.grad.tolist() == [0, 50, 0, 0]


def test_of_parts_that_are_not_used_the_gradient_is_zero():
    x = tg.arange(6.0).reshape(2, 3).requires_grad_()
    x.unbind(1)[1].sum().backward()
    x.split(1)[0].sum().backward()
    assert x.grad.tolist() == [[1, 2, 1], [0, 1, 0]]


IN_PLACE = {
    "tril_": lambda L, x: x.tril_(),
    "triu_": lambda L, x: x.triu_(1),
    "fill_diagonal_": lambda L, x: x.fill_diagonal_(4.0),
    "squeeze_": lambda L, x: x.squeeze_(0),
    "unsqueeze_": lambda L, x: x.unsqueeze_(1),
    "t_": lambda L, x: x.t_(),
    "transpose_": lambda L, x: x.transpose_(0, 1),
    "swapaxes_": lambda L, x: x.swapaxes_(0, 1),
    "swapdims_": lambda L, x: x.swapdims_(-1, 0),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_methods_are_pytorch_s_and_gradients_follow(name):
    compare_in_place(IN_PLACE[name])


@pytest.mark.parametrize("shape", [(3, 3), (7, 3), (3, 5), (2, 2, 2), (4, 1)])
@pytest.mark.parametrize("wrap", [False, True])
def test_fill_diagonal_is_pytorch_s(shape, wrap):
    torch = pytest.importorskip("torch")
    equal(tg.zeros(shape).fill_diagonal_(2.0, wrap=wrap), torch.zeros(shape).fill_diagonal_(2.0, wrap=wrap))


def test_a_tensor_reshaped_in_place_can_be_written_to_through_its_later_views():
    leaf = tg.arange(6.0).reshape(2, 3).requires_grad_()
    x = leaf * 1.0
    x.t_()
    x[0].mul_(10.0)
    assert x.shape == (3, 2)
    (x * x).sum().backward()
    assert leaf.grad.tolist() == [[0, 2, 4], [600, 8, 10]]


def test_a_view_from_before_its_base_was_reshaped_in_place_is_refused_rather_than_wrong():
    x = tg.arange(6.0).reshape(2, 3).requires_grad_() * 1.0
    before = x[0]
    x.t_()
    x.mul_(2.0)
    with pytest.raises(AutogradError, match="make the view anew"):
        before.sum()


def test_a_leaf_that_requires_a_gradient_is_not_reshaped_in_place():
    w = tg.zeros(2, 3, requires_grad=True)
    with pytest.raises(AutogradError, match=r"t_: a leaf"):
        w.t_()
    with tg.no_grad():
        assert w.t_().shape == (3, 2)
    assert w.requires_grad


def test_windows_that_overlap_cannot_be_written_to():
    x = tg.arange(5.0)
    with pytest.raises(AutogradError, match="shares its memory"):
        x.unfold(0, 2, 1).zero_()
    x.unfold(0, 2, 2).zero_()
    assert x.tolist() == [0, 0, 0, 0, 4]


def test_one_node_takes_a_tensor_apart():
    """The gradient is put together once, not once for each part."""
    x = tg.ones(50, 3, requires_grad=True)
    parts = (x * 1.0).unbind()
    assert len({id(part.grad_fn.next_functions[0][0]) for part in parts}) == 1
    sum(part.sum() for part in parts).backward()
    assert x.grad.tolist() == [[1, 1, 1]] * 50


# Mistakes

X = tg.zeros(2, 3)
I = tg.tensor([0, 1])  # noqa: E741
MISTAKES = [
    (lambda: tg.tensor(1.0).narrow(0, 0, 0), ShapeError, "narrow: it needs a tensor of one dimension or more"),
    (lambda: tg.cat([]), ShapeError, "cat: there are no tensors"),
    (lambda: tg.cat([X, tg.zeros(2, 2)]), ShapeError, r"cat: tensors must agree .* \(2, 3\), \(2, 2\)"),
    (lambda: tg.cat([tg.tensor(1.0), tg.tensor(2.0)]), ShapeError, "cat: .*have one at least"),
    (lambda: tg.cat([X, 1.0]), DtypeError, "cat: .* number 1 is of type float"),
    (lambda: tg.cat([X, X], 2), IndexError, "cat: dim 2"),
    (lambda: tg.stack([]), ShapeError, "stack: there are no tensors"),
    (lambda: tg.stack([X, tg.zeros(3)]), ShapeError, r"stack: tensors must have one shape; they have \(2, 3\), \(3,\)"),
    (lambda: tg.split(tg.tensor(1.0), 1), ShapeError, "split: it needs a tensor of one dimension"),
    (lambda: X.split([1, 3], 1), ShapeError, r"split: sizes \[1, 3\] must add up to 3"),
    (lambda: X.split(-1), ShapeError, "split: the size of a chunk"),
    (lambda: X.chunk(0), ShapeError, "chunk: chunks must be 1"),
    (lambda: tg.tensor(1.0).unbind(), ShapeError, "unbind: it needs"),
    (lambda: X.tensor_split(0), ShapeError, "tensor_split: the number of parts"),
    (lambda: X.hsplit(2), ShapeError, "hsplit: dimension 1 of size 3"),
    (lambda: tg.zeros(3).vsplit(1), ShapeError, "vsplit: it needs 2"),
    (lambda: X.dsplit(1), ShapeError, "dsplit: it needs 3"),
    (lambda: tg.broadcast_shapes((2,), (3,)), ShapeError, "broadcast_shapes"),
    (lambda: tg.broadcast_tensors(tg.zeros(2), X), ShapeError, "broadcast_tensors: .* do not"),
    (lambda: tg.broadcast_tensors(X, 1), DtypeError, "broadcast_tensors: tensor 1 must be a Tensor, not int"),
    (lambda: tg.t([1.0]), DtypeError, "t: input must be a Tensor, not list"),
    (lambda: tg.ravel([1.0]), DtypeError, "ravel: input must be a Tensor, not list"),
    (lambda: tg.block_diag(tg.zeros(1, 1, 1)), ShapeError, "block_diag: tensor 0"),
    (lambda: tg.cartesian_prod(X), ShapeError, "cartesian_prod: it takes vectors"),
    (lambda: tg.cartesian_prod(), ShapeError, "cartesian_prod: there are no"),
    (lambda: tg.cartesian_prod(1, 2), DtypeError, "cartesian_prod: .* number 0 is of type int"),
    (lambda: tg.cartesian_prod(tg.zeros(2), I), DtypeError, "cartesian_prod: tensors must share"),
    (lambda: tg.combinations(X), ShapeError, "combinations: it takes a vector"),
    (lambda: tg.combinations(tg.zeros(2), -1), ValueError, "combinations: r must"),
    (lambda: tg.meshgrid(X), ShapeError, "meshgrid: it takes vectors"),
    (lambda: tg.meshgrid(), ShapeError, "meshgrid: there are no"),
    (lambda: tg.meshgrid(tg.zeros(2), I), DtypeError, "meshgrid: tensors must share"),
    (lambda: tg.meshgrid(I, indexing="yx"), ValueError, "meshgrid: indexing"),
    (lambda: tg.diag(tg.zeros(1, 1, 1)), ShapeError, r"diag: .*\(1, 1, 1\)"),
    (lambda: tg.diag_embed(tg.tensor(1.0)), ShapeError, "diag_embed"),
    (lambda: tg.diag_embed(X, 0, 1, -2), ShapeError, "diag_embed: dim1 and dim2"),
    (lambda: X.diagonal(0, 1, -1), ShapeError, "diagonal: dim1 and dim2"),
    (lambda: tg.zeros(3).tril(), ShapeError, "tril: it takes two"),
    (lambda: tg.tril_indices(-1, 2), ShapeError, "tril_indices"),
    (lambda: tg.triu_indices(2, 2, dtype=tg.float32), DtypeError, "triu_indices"),
    (lambda: tg.zeros(3).fill_diagonal_(1), ShapeError, r"fill_diagonal_: .*\(3,\)"),
    (lambda: tg.zeros(2, 2, 3).fill_diagonal_(1), ShapeError, "fill_diagonal_: .*all of one size"),
    (lambda: X.unfold(1, 4, 1), ShapeError, "unfold: a window of 4 does not fit dimension 1 of size 3"),
    (lambda: X.unfold(1, 1, 0), ShapeError, "unfold: the step"),
    (lambda: tg.zeros(3).view(tg.float64), ShapeError, "view: 3 elements"),
    (lambda: tg.zeros(2, 4).t().view(tg.float64), ShapeError, "view: elements of the last"),
    (lambda: tg.tensor(1.0).view(tg.float64), ShapeError, "view: a tensor of no dimensions"),
    (lambda: tg.zeros(2, 2, 2).H, ShapeError, "H: it takes a matrix"),
    (lambda: tg.zeros(2).mT, ShapeError, "mT: it takes matrices"),
    (lambda: tg.fliplr(tg.zeros(2)), ShapeError, "fliplr"),
    (lambda: tg.flipud(tg.tensor(1.0)), ShapeError, "flipud"),
    (lambda: X.roll((1, 2), 0), ShapeError, "roll: 2 shifts for 1 dims"),
    (lambda: X.roll((1, 2)), ShapeError, "roll: 2 shifts without dims"),
    (lambda: tg.rot90(X, 1, (0, -2)), ShapeError, "rot90: dims"),
    (lambda: tg.rot90(tg.zeros(2)), ShapeError, "rot90: it turns"),
    (lambda: X.repeat(2), ShapeError, r"repeat: \(2,\)"),
    (lambda: X.repeat(-1, 2), ShapeError, "repeat: "),
    (lambda: X.repeat_interleave(-1), ShapeError, "repeat_interleave: repeats must be 0"),
    (lambda: X.repeat_interleave(tg.tensor([1, -1]), 0), ShapeError, "repeat_interleave: .* least is -1"),
    (lambda: X.repeat_interleave(I, 1), ShapeError, "repeat_interleave: .*each of the 3"),
    (lambda: X.repeat_interleave(I.float(), 0), DtypeError, "repeat_interleave: repeats must be integers"),
    (lambda: X.repeat_interleave(2, 0, output_size=3), ShapeError, "repeat_interleave: output_size is 3"),
]  # fmt: skip


test_a_mistake_is_named = mistakes(MISTAKES, X)
