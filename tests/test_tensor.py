"""What a tensor is to Python and NumPy: text, protocols, copies, conversions, and methods' parity with PyTorch."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
from side_by_side import both

import tensorgrad as tg
from tensorgrad.errors import AutogradError, DtypeError, ShapeError

SHAPES = [(), (1,), (3,), (2, 3), (2, 0), (0,), (2, 2, 2), (40,), (7, 30), (1001,), (40, 40), (3, 10, 50), (1100, 2)]
NAN, INF = float("nan"), float("inf")
VALUES = [
    [0.0], [1.0], [1.5], [1e-5], [1e5, 1.0], [1e8], [1e9], [1e8, 1.0], [1001.0, 1.0], [1001.0, 1.5], [1e-4], [9e-5],
    [1e-4, 1e-1], [1e-5, 1.0], [NAN], [INF, 1.0], [-INF, 1.5, NAN], [NAN, INF], [0.0, 1e-5], [-0.0], [NAN, 0.0],
    [123456789.0], [16777216.0], [0.1, 1000.0], [0.1, 99.0], [1e10, 1e10], [NAN, 1e10], [-1e-10], [0.99999], [9.99999],
    [1e38], [1e-38], [0.0, 1e9],
]  # fmt: skip


def printed(lib, array, grad):
    """The repr, without the name before the dtypes, and with suffixes on the last line (PyTorch's are longer)."""
    made = lib.tensor(array, requires_grad=grad and array.dtype.kind == "f")
    return re.sub(r",\s+(dtype|requires_grad)=", r", \1=", repr(made).replace("torch.", ""))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("scale", [1, 90, 1e-3, 1e4])
def test_the_text_of_a_tensor_is_that_of_pytorch(dtype, scale):
    torch = pytest.importorskip("torch")
    source = np.random.default_rng(0)
    for shape in SHAPES:
        array = source.standard_normal(shape) * scale
        array = np.asarray(array if "float" in dtype or dtype == "int64" else np.abs(array) % 90).astype(dtype)
        for grad in (False, True):
            assert printed(tg, array, grad) == printed(torch, array, grad)


@pytest.mark.parametrize("values", VALUES)
def test_the_text_of_odd_numbers_is_that_of_pytorch(values):
    torch = pytest.importorskip("torch")
    for dtype in (np.float32, np.float64):
        for array in (np.array(values, dtype), np.array([values, values], dtype), np.array(values[0], dtype)):
            assert printed(tg, array, False) == printed(torch, array, False)


def test_the_text_of_a_result_names_its_node():
    assert repr(tg.ones(1, requires_grad=True) * 2) == "tensor([2.], grad_fn=<mul>)"


CALLS = [
    "sum()",
    "sum(0)",
    "sum(-1,keepdim=True)",
    "sum((0,1))",
    "sum(5)",
    "sum((0,0))",
    "prod(1)",
    "mean(1)",
    "mean((0,1),keepdim=True)",
    "var(0)",
    "var(1,False)",
    "var(unbiased=False)",
    "std(1,correction=0)",
    "std(False)",
    "std(dim=0,keepdim=True)",
    "cumsum(0)",
    "argmax(0,keepdim=True)",
    "argmin(1)",
    "max()",
    "max(1)",
    "max(dim=-1,keepdim=True)",
    "min(0,True)",
    "amax((0,1))",
    "max(lib.tensor(1.))",
    "sort(0,descending=True)",
    "topk(2)",
    "topk(2,0,False)",
    "topk(9)",
    "norm(3,1)",
    "norm(float('inf'))",
    "norm(p='fro',dim=0)",
    "logsumexp(0)",
    "softmax(1)",
    "log_softmax(0)",
    "round(decimals=1)",
    "flip(0)",
    "flip((0,1))",
    "flip(0,1)",
    "roll(1)",
    "roll((1,2),(0,1))",
    "tril()",
    "triu(1)",
    "diagonal(1)",
    "diagonal(9)",
    "t()",
    "T",
    "mT",
    "nonzero()",
    "nonzero(as_tuple=True)",
    "repeat(2,1)",
    "repeat(2)",
    "expand(2,2,3)",
    "expand(2,-1,3)",
    "expand(4,3)",
    "swapaxes(0,1)",
    "unbind()",
    "unbind(1)",
    "chunk(2)",
    "chunk(2,1)",
    "split(2,1)",
    "split([1,2],1)",
    "split([1,1],1)",
    "unflatten(1,(3,-1))",
    "flatten()",
    "ravel()",
    "movedim(0,1)",
    "permute(1,0)",
    "permute((1,0))",
    "permute(0,0)",
    "view(3,2)",
    "view((3,2))",
    "view(-1)",
    "view(4,-1)",
    "reshape(3,-1)",
    "squeeze()",
    "unsqueeze(0)",
    "unsqueeze(5)",
    "narrow(1,1,2)",
    "narrow(1,2,2)",
    "narrow(1,-2,2)",
    "select(1,2)",
    "select(1,3)",
    "index_select(1,lib.tensor([2,0]))",
    "gather(1,lib.tensor([[0],[2]]))",
    "gather(1,lib.tensor([[0],[3]]))",
    "masked_fill(lib.tensor([True,False,True]),1)",
    "masked_select(lib.tensor([True,False,True]))",
    "where(lib.tensor([True,False,True]),7)",
    "scatter_add(1,lib.tensor([[0],[2]]),lib.ones(2,1))",
    "matmul(lib.ones(3,2))",
    "matmul(lib.ones(2,3))",
    "mv(lib.ones(3))",
    "take_along_dim(lib.tensor([[0],[2]]),1)",
    "take_along_dim(lib.tensor([5,1]))",
    "outer(lib.ones(2))",
    "item()",
    "tolist()",
    "numel()",
    "dim()",
    "size()",
    "size(1)",
    "size(2)",
    "stride()",
    "is_contiguous()",
    "is_floating_point()",
    "t().is_contiguous()",
    "t().contiguous().stride()",
    "t().view(6)",
    "t().reshape(6)",
    "t().contiguous().view(6)",
    "clamp(lib.tensor(0.),lib.tensor([1.,2.,0.5]))",
    "clamp()",
    "__eq__(None)",
    "__ne__(None)",
    "__matmul__(lib.ones(3))",
    "add(lib.ones(3),alpha=2)",
    "sub(1,alpha=0.5)",
]


def plain(result):
    if isinstance(result, tuple | list) and not all(isinstance(n, int | float) for n in result):
        return [plain(x) for x in result]
    if hasattr(result, "tolist"):
        return [
            str(result.dtype).removeprefix("torch."),
            list(result.shape),
            np.round(np.asarray(result.tolist(), float), 5).tolist(),
        ]
    return list(result) if isinstance(result, tuple | list) else result


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("data", [[[1.0, -0.5, 3.25], [2.0, 2.0, 0.25]]])
def test_a_method_gives_what_pytorch_gives(call, data):
    torch = pytest.importorskip("torch")
    results = []
    for lib in (tg, torch):
        try:
            results.append(plain(eval(f"x.{call}", {"x": lib.tensor(data), "lib": lib})))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            results.append(error)
    ours, theirs = results
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), ours
        assert not isinstance(ours, AttributeError)
    else:
        assert ours == theirs


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 0)])
def test_reductions_of_scalars_and_empty_tensors_are_those_of_pytorch(shape):
    torch = pytest.importorskip("torch")
    calls = (
        "sum() sum(0) prod() mean() max() amax(0) argmax() any() all() sort() topk(0) norm() softmax(0) logsumexp(0)"
    )
    calls += " cumsum(0) flatten() unbind() chunk(2) nonzero() stride() squeeze() unsqueeze(-1) count_nonzero() flip(0)"
    for call in calls.split():
        results = []
        for lib in (tg, torch):
            try:
                results.append(plain(eval(f"x.{call}", {"x": lib.zeros(*shape) if shape else lib.tensor(3.0)})))
            except (RuntimeError, IndexError) as error:
                results.append(type(error).__name__ and "refused")
        assert str(results[0]) == str(results[1]), call


# NumPy


def test_arrays_and_tensors_mix_on_both_sides_and_carry_gradients():
    a, x = np.array([1.0, 2.0], np.float32), tg.tensor([3.0, 4.0], requires_grad=True)
    for y in (a * x, x * a, np.multiply(a, x), np.exp(x), np.float32(2) * x, np.float64(2) - x, a @ x, a**x, a / x):
        assert isinstance(y, tg.Tensor)
        assert y.requires_grad
        assert y.dtype == tg.float32
    (a * x).sum().backward()
    assert x.grad.tolist() == [1, 2]
    for y in (a < x, a == x, np.float32(3) >= x):
        assert isinstance(y, tg.Tensor)
        assert y.dtype == tg.bool


def test_numpy_functions_take_tensors_that_need_no_gradient_and_refuse_the_others():
    x = tg.tensor([3.0, 4.0])
    assert np.asarray(x) is x.numpy()
    assert np.asarray(x, np.float64).dtype == np.float64
    assert float(np.add.reduce(x)) == 7.0
    assert np.cbrt(x).shape == (2,)
    np.testing.assert_array_equal(x, [3, 4])
    np.testing.assert_allclose(np.stack([x, x]).mean(), 3.5)
    with pytest.raises(AutogradError, match=r"\.detach\(\)"):
        np.asarray(x.requires_grad_())
    with pytest.raises(AutogradError, match="cbrt"):
        np.cbrt(x)


def test_an_array_is_written_in_place_with_a_tensor():
    a = np.array([1.0, 2.0])
    kept = a
    a *= tg.tensor([3.0, 4.0])
    assert a is kept
    assert a.tolist() == [3, 8]


def test_a_tensor_is_plotted():
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib.figure import Figure

    (line,) = Figure().subplots().plot(tg.arange(3), tg.tensor([1.0, 4.0, 9.0]))
    assert line.get_ydata().tolist() == [1, 4, 9]


def test_dlpack_shares_memory_with_numpy_and_pytorch():
    x = tg.tensor([1.0, 2.0])
    np.from_dlpack(x)[0] = 5
    assert x.tolist() == [5, 2]
    torch = pytest.importorskip("torch")
    torch.from_dlpack(x)[1] = 7
    assert x.tolist() == [5, 7]
    assert tg.from_dlpack(torch.arange(3)).tolist() == [0, 1, 2]


# Python


def test_numbers_lengths_iteration_membership_and_text():
    x = tg.tensor([[1, 2], [3, 4]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x
    assert 7 not in x
    assert (float(tg.tensor([2.5])), int(tg.tensor(2.5)), bool(tg.tensor([0.0]))) == (2.5, 2, False)
    assert [10, 20, 30][tg.tensor(1)] == 20
    assert f"{tg.tensor(1.25):.1f} {tg.tensor([1])} {tg.tensor(1.25, requires_grad=True)}" == "1.2 tensor([1]) 1.25"
    for call in (len, iter):
        with pytest.raises(TypeError, match="no dimensions"):
            call(tg.tensor(1.0))
    with pytest.raises(ShapeError, match="ambiguous"):
        bool(tg.ones(2))
    with pytest.raises(ShapeError, match=r"shape \(2,\)"):
        tg.ones(2).item()
    with pytest.raises(TypeError):
        [1, 2][tg.tensor(1.0)]


def test_a_view_knows_where_in_the_memory_it_begins():
    def offsets(lib):
        x = lib.arange(24).reshape(4, 6)
        views = (x, x[1], x[1:, 2:][2], x[:, ::2].T[1], x[3:][:, 1].reshape(1), x[1].clone())
        return [view.storage_offset() for view in views]

    ours, theirs = both(offsets)
    assert ours == theirs


def test_what_is_made_in_inference_mode_may_have_a_part_in_a_graph():
    with tg.inference_mode():
        x = tg.ones(2)
    assert not x.is_inference()
    assert (tg.ones(2, requires_grad=True) * x).requires_grad


def test_a_tensor_is_a_key_by_identity_and_equals_no_other_kind():
    x, y = tg.ones(2), tg.ones(2)
    assert {x: "x", y: "y"}[y] == "y"
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True


def test_copies_have_their_own_memory_gradient_and_ties():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    x.grad = tg.tensor([5.0, 6.0])
    twin = copy.deepcopy({"a": x, "b": x})
    assert twin["a"] is twin["b"]
    assert twin["a"].requires_grad
    assert twin["a"].grad.tolist() == [5, 6]
    with tg.no_grad():
        twin["a"].zero_()
        twin["a"].grad.zero_()
    assert x.tolist() == [1, 2]
    assert x.grad.tolist() == [5, 6]
    back = pickle.loads(pickle.dumps(x))
    assert back.tolist() == [1, 2]
    assert back.requires_grad
    for refused in (copy.deepcopy, pickle.dumps):
        with pytest.raises(AutogradError, match="detach"):
            refused(x * 2)


def test_conversions_keep_the_tensor_where_nothing_changes_and_carry_gradients_where_it_does():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert x.float() is x
    assert x.to("cpu") is x
    assert x.to(tg.float32, copy=True) is not x
    x.double().sum().backward()
    assert x.grad.dtype == tg.float32
    with pytest.raises(ValueError, match="cuda"):
        x.to("cuda")
    with pytest.raises(DtypeError):
        x.to("text")
    with pytest.raises(AutogradError, match="detach"):
        x.numpy()
    assert np.shares_memory(x.detach().numpy(), x.numpy(force=True))
