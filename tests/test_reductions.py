"""Reductions, sorting, running sums, statistics and counting give PyTorch's values, gradients, dtypes and refusals."""

from __future__ import annotations

import itertools
import pickle
import warnings

import numpy as np
import pytest
from side_by_side import compare

import tensorgrad as tg
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.testing import gradcheck, gradgradcheck

nan, inf = float("nan"), float("inf")
REFUSALS = (RuntimeError, TypeError, ValueError, IndexError)
DTYPES = ["float64", "float32", "float16", "int64", "int8", "uint8", "bool"]
TOLERANCE = {"float16": 4e-3, "float32": 3e-6, "float64": 1e-11}

# `L` is the library, `x` the tensor.
REDUCTIONS = """
sum() | sum(0) | sum(-1,True) | sum((0,-1)) | sum(dim=()) | sum(dtype=L.float64) | sum(0,dtype=L.int32)
mean() | mean(1) | mean((0,1),keepdim=True) | mean(dtype=L.float64) | mean(5)
prod() | prod(0) | prod(-1,keepdim=True) | prod(dtype=L.float64)
amax() | amax(0) | amax((0,1)) | amax(-1,keepdim=True) | amin() | amin(1) | amin((0,1),True) | amax((0,0))
max() | max(0) | max(-1,True) | max(dim=1,keepdim=True) | min() | min(0) | min(1,keepdim=True) | max(7)
aminmax() | aminmax(dim=0) | aminmax(dim=-1,keepdim=True) | aminmax(keepdim=True)
argmax() | argmax(0) | argmax(-1,True) | argmax(keepdim=True) | argmin() | argmin(1) | argmin(dim=0,keepdim=True)
any() | any(0) | any((0,1)) | any(-1,keepdim=True) | any(dim=()) | all() | all(1) | all((0,1),True) | all(dim=())
logsumexp(0) | logsumexp((0,1)) | logsumexp(-1,keepdim=True)
softmax(0) | softmax(-1) | softmax(1,dtype=L.float64)
log_softmax(0) | log_softmax(-1) | log_softmax(1,dtype=L.float32)
var() | var(0) | var(1,False) | var(-1,keepdim=True) | var((0,1),correction=0) | var(False) | var(unbiased=False)
var(0,correction=0.5) | var(dim=1,correction=None) | var(correction=2) | var(dim=[0])
std() | std(0) | std(1,False) | std(-1,correction=0,keepdim=True) | std((0,1)) | std(True)
L.var_mean(x) | L.var_mean(x,0) | L.var_mean(x,1,keepdim=True,correction=0) | L.var_mean(x,False)
L.std_mean(x) | L.std_mean(x,(0,1)) | L.std_mean(x,dim=-1,unbiased=False)
norm() | norm(2,0) | norm(1) | norm(1,1) | norm(0,1) | norm(3,(0,1)) | norm(0.5,1) | norm(1.5) | norm(-2,0)
norm(float('inf')) | norm(float('inf'),1,True) | norm(-float('inf'),0) | norm(p='fro',dim=1) | norm(dtype=L.float64)
norm('nuc') | norm('nuc',(0,1),True) | norm('nuc',(1,0)) | norm('nuc',0) | norm('x') | norm(None)
nansum() | nansum(0) | nansum((0,1),True) | nansum(dtype=L.float64) | nanmean() | nanmean(1) | nanmean(0,keepdim=True)
nanmean(dtype=L.float64)
median() | median(0) | median(-1) | median(dim=1,keepdim=True) | nanmedian() | nanmedian(0) | nanmedian(-1,True)
mode() | mode(0) | mode(dim=-1,keepdim=True)
kthvalue(1) | kthvalue(2,0) | kthvalue(2,-1,True) | kthvalue(0) | kthvalue(9) | kthvalue(1,5)
quantile(0.3) | quantile(0.5,0) | quantile(0.25,1,True) | quantile(0.4,keepdim=True) | quantile(1,0)
quantile(L.tensor([0.1,0.6],dtype=x.dtype),1) | quantile(L.tensor([0.1,0.6],dtype=x.dtype),0,True)
quantile(L.tensor([0.5],dtype=x.dtype),1) | quantile(L.tensor(0.5,dtype=x.dtype)) | quantile(2.0) | quantile(-0.1,0)
quantile(0.3,1,interpolation='lower') | quantile(0.3,1,interpolation='higher') | quantile(0.5,0,interpolation='nearest')
quantile(0.3,1,interpolation='midpoint') | quantile(0.3,interpolation='cubic') | nanquantile(0.3) | nanquantile(0.6,1)
nanquantile(L.tensor([0.2,0.6],dtype=x.dtype),0,True) | nanquantile(0.5,1,interpolation='nearest')
count_nonzero() | count_nonzero(0) | count_nonzero((0,1)) | count_nonzero(dim=-1)
sort() | sort(0) | sort(1,True) | sort(dim=-1,descending=True,stable=True) | sort(stable=True) | msort()
argsort() | argsort(0) | argsort(-1,True) | argsort(dim=1,stable=True,descending=True)
topk(1) | topk(2) | topk(1,0) | topk(2,0,False) | topk(2,dim=-1,largest=False,sorted=True)
topk(0) | topk(9) | topk(-1) | topk(1.5)
cumsum(0) | cumsum(-1) | cumsum(1,dtype=L.float64) | cumsum(0,dtype=L.int32) | cumsum(4)
cumprod(0) | cumprod(-1) | cumprod(1,dtype=L.float64) | logcumsumexp(0) | logcumsumexp(-1)
cummax(0) | cummax(-1) | cummin(0) | cummin(dim=1)
diff() | diff(dim=0) | diff(2) | diff(n=0) | diff(n=9) | diff(n=-1) | diff(prepend=x) | diff(1,0,x,x)
diff(prepend=x,append=x,n=2) | diff(append=L.tensor(1))
L.trapezoid(x) | L.trapezoid(x,dim=0) | L.trapezoid(x,dx=0.5) | L.trapezoid(x,x) | L.trapezoid(x,x,dim=0)
L.trapz(x) | L.trapz(x,dx=2.0) | L.trapz(x,x) | L.cumulative_trapezoid(x) | L.cumulative_trapezoid(x,dim=0)
L.cumulative_trapezoid(x,dx=2.0) | L.cumulative_trapezoid(x,x) | L.trapezoid(x,L.tensor([1.0]))
renorm(2,0,1.0) | renorm(1,1,2) | renorm(float('inf'),-1,1.5) | renorm(0.5,0,3) | renorm(0,0,1) | renorm(2,0,-1)
cov() | cov(correction=0) | cov(correction=2) | corrcoef()
histc() | histc(4) | histc(4,-1,2) | histc(bins=3,min=0,max=1) | histc(0) | histc(2,3,1)
histogram(3) | histogram(4,range=(-1.0,2.0)) | histogram(bins=2,density=True) | histogram(3,weight=x.abs())
histogram(L.tensor([-2.0,0.0,0.5,3.0],dtype=x.dtype)) | histogram(0)
histogram(2,range=(1.0,1.0)) | histogram(2,range=(2.0,1.0))
unique() | unique(return_inverse=True) | unique(True,True,True) | unique(return_counts=True) | unique(dim=0)
unique(dim=-1,return_inverse=True,return_counts=True) | unique(dim=5)
unique_consecutive() | unique_consecutive(True,True) | unique_consecutive(dim=0,return_counts=True)
unique_consecutive(dim=1,return_inverse=True)
bincount() | reshape(-1).bincount() | reshape(-1).bincount(minlength=9) | reshape(-1).bincount(x.reshape(-1).double())
reshape(-1).bincount(x.reshape(-1).float()) | reshape(-1).bincount(x) | reshape(-1).bincount(minlength=-1)
L.bucketize(x,L.tensor([-1,0,2],dtype=x.dtype)) | L.bucketize(x,L.tensor([0,1],dtype=x.dtype),right=True,out_int32=True)
L.searchsorted(x.sort().values,x) | L.searchsorted(x.sort().values,x,right=True)
L.searchsorted(x,x,sorter=x.argsort()) | L.searchsorted(x.sort().values,x,side='right',out_int32=True)
L.searchsorted(x,x,side='left',right=True) | L.searchsorted(x.sort().values,1.5) | L.searchsorted(x,x,sorter=x)
"""
CALLS = [call.strip() for call in REDUCTIONS.replace("\n", "|").split("|") if call.strip()]
SHAPES = [(2, 3), (), (4,), (0,), (0, 3), (2, 0), (1, 1), (3, 2, 2)]
# Of no elements PyTorch takes here what it refuses of some, or gives another dtype.
NOT_OF_NONE = {
    *(call for call in CALLS if call.startswith(("softmax", "log_softmax", "L.trap"))),
    *("median() nanmedian() cummin(dim=1) reshape(-1).bincount(x)".split()),
    "reshape(-1).bincount(x.reshape(-1).float())",
}
# PyTorch raises in backward where a result has no gradient; here that result is none of the graph's.
NO_GRADIENT = ("int32", "histogram", "unique")


def drawn(shape, dtype):
    """A few distinct values many times, so that there are ties, in an order that no sort has made."""
    source = np.random.default_rng(len(shape) + 10 * sum(shape))
    values = source.permutation(np.resize([2, 0, 1, 3, -1, 1, 0], int(np.prod(shape))).astype(np.float64))
    return (values if dtype[0] == "f" or dtype in ("int64", "int8") else abs(values)).reshape(shape)


def outcome(L, call, values, dtype, grad):
    """What a call gives: the results, and the gradient; or the exception."""
    x = L.tensor(values, dtype=getattr(L, dtype))
    if grad and x.is_floating_point():
        x.requires_grad_()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch warns of too few degrees of freedom
            ys = eval(call if "L." in call.split("(")[0] else f"x.{call}", {"x": x, "L": L})
    except REFUSALS as error:
        return error
    ys = list(ys) if isinstance(ys, tuple) else [ys]
    wanted = [y for y in ys if y.requires_grad]
    if wanted:
        weights = [np.linspace(0.5, 1.5, y.numel()).reshape(tuple(y.shape)).tolist() for y in wanted]
        L.autograd.backward(wanted, [L.tensor(w, dtype=y.dtype).reshape(y.shape) for w, y in zip(weights, wanted)])
    return ys, x.grad


def same(ours, theirs, message, rtol=None):
    rtol = TOLERANCE.get(str(ours.dtype), 0) if rtol is None else rtol
    assert tuple(ours.shape) == tuple(theirs.shape), message
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch."), message
    a, b = (np.asarray(y.detach().tolist(), float) for y in (ours, theirs))
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol, err_msg=str(message))


def check(call, values, dtype, grad=True):
    """Whether both libraries gave a result; it is asserted that they did the same."""
    torch = pytest.importorskip("torch")
    ours, theirs = (outcome(L, call, values, dtype, grad) for L in (tg, torch))
    message = (call, values, dtype, ours if isinstance(ours, Exception) else theirs)
    assert isinstance(ours, Exception) == isinstance(theirs, Exception), message
    if isinstance(theirs, Exception):
        assert not isinstance(ours, AttributeError), message
        return False
    assert len(ours[0]) == len(theirs[0]), message
    for y, z in zip(ours[0], theirs[0]):
        same(y, z, message)
    if theirs[1] is not None and ours[1] is not None:
        same(ours[1], theirs[1], message, 4 * TOLERANCE["float32" if "float32" in call else dtype])
    else:
        assert ours[1] is None or not ours[1].any(), message
        assert theirs[1] is None or not theirs[1].any(), message
    return True


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_pytorchs_for_every_dtype_and_shape(call):
    for shape in SHAPES:
        if 0 in shape and call in NOT_OF_NONE:
            continue
        for dtype in DTYPES if shape == (2, 3) else ["float64", "int64"]:
            if dtype == "float16" and "histogram" in call:
                continue  # PyTorch takes it there only where it need not find a range
            values = drawn(shape, dtype)
            if call.startswith("kthvalue"):  # which of equal elements PyTorch finds is not defined
                values = values.reshape(-1).argsort().reshape(shape)
            check(call, values, dtype, not any(name in call for name in NO_GRADIENT))


@pytest.mark.parametrize("call", CALLS)
def test_nan_and_infinities_go_where_pytorch_has_them_go(call):
    if any(name in call for name in UNDEFINED):
        return
    for values in ([[1.0, nan, 3.0], [nan, nan, nan]], [[inf, 1.0, -inf], [-inf, -inf, 2.0]], [[nan, inf], [2.0, 0.0]]):
        check(call, np.array(values), "float64", call.startswith(WITH_GRADIENT))


# What is found next to NaN, and what conversions to integers and rearranged formulas make of it and of infinities.
UNDEFINED = "int32 var_mean std_mean kthvalue mode unique histogram searchsorted trap cov corrcoef renorm diff".split()
WITH_GRADIENT = tuple("sum mean nansum max( min( sort topk cummax cummin aminmax median softmax".split())

CONVENTIONS = """
max() | max(0) | amax() | amax(0) | aminmax() | median() | median(0) | nanmedian() | nanmedian(0)
cummax(0) | cummin(0) | norm() | norm(1) | norm(3) | norm(1.5) | norm(0.5) | norm(float('inf'))
std() | var(correction=0) | sort(0) | prod()
cumprod(0) | quantile(0.4) | nanquantile(0.7) | logcumsumexp(0) | logsumexp(0) | max(L.zeros(4,dtype=x.dtype))
"""


@pytest.mark.parametrize("call", [c.strip() for c in CONVENTIONS.replace("\n", "|").split("|") if c.strip()])
def test_gradients_at_ties_zeros_and_nan_are_pytorchs(call):
    cases = [
        [3.0, 1.0, 3.0, 3.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 2.0, 0.0, -1.0],
        [2.0, 2.0, 2.0, 2.0],
        [0.0, 2.0, 3.0, 1.0],
    ]
    if call.startswith(("nan", "max", "amax", "median")):
        cases.append([3.0, nan, 1.0, 3.0])
    for values in cases:
        assert check(call, np.array(values), "float64")


@pytest.mark.parametrize("names", [(), ("fweights",), ("aweights",), ("fweights", "aweights")])
@pytest.mark.parametrize("correction", [0, 1])
def test_covariances_with_weights_are_pytorchs(names, correction):
    torch = pytest.importorskip("torch")
    values, outcomes = drawn((3, 4), "float64"), []
    for L in (tg, torch):
        x = L.tensor(values, requires_grad=True)
        counts, shares = L.tensor([1, 2, 3, 1]), L.tensor([0.5, 1.0, 2.0, 0.25], dtype=L.float64)
        given = {"fweights": counts, "aweights": shares}
        y = L.cov(x, correction=correction, **{name: given[name] for name in names})
        (y * y).sum().backward()
        outcomes.append((y, x.grad))
    for y, z in zip(*outcomes):
        same(y, z, names)


def test_sequences_of_rows_are_searched_row_by_row():
    torch = pytest.importorskip("torch")
    source = np.random.default_rng(0)
    rows, values = np.sort(source.integers(0, 9, (3, 2, 7)), -1), source.integers(-1, 11, (3, 2, 5))
    for right in (False, True):
        ours, theirs = (L.searchsorted(L.tensor(rows), L.tensor(values), right=right) for L in (tg, torch))
        assert ours.tolist() == theirs.tolist()
    order = source.permuted(np.tile(np.arange(7), (3, 2, 1)), axis=-1)
    shuffled = np.empty_like(rows)
    np.put_along_axis(shuffled, order, rows, -1)
    found = tg.searchsorted(tg.tensor(shuffled), tg.tensor(values), sorter=tg.tensor(order))
    assert found.tolist() == tg.searchsorted(tg.tensor(rows), tg.tensor(values)).tolist()


def test_what_is_searched_for_may_be_of_another_dtype():
    torch = pytest.importorskip("torch")
    dtypes = "float16 float32 float64 int8 int32 int64 uint8 bool".split()
    for own, other in itertools.permutations(dtypes, 2):
        ours, theirs = (
            L.searchsorted(L.tensor([0, 1]).to(getattr(L, own)), L.tensor([1, 0, 1]).to(getattr(L, other)))
            for L in (tg, torch)
        )
        assert ours.tolist() == theirs.tolist(), (own, other)
    assert tg.bucketize(tg.tensor([0.5, 1.5]), tg.tensor([0, 1])).tolist() == [1, 2]


def test_the_fused_variance_is_its_composition():
    x = tg.randn(4, 5, dtype=tg.float64, requires_grad=True)
    for fused, root in ((tg.var, lambda y: y), (tg.std, tg.sqrt)):
        y = fused(x, 1, correction=0)
        z = root(tg.square(x - x.mean(1, keepdim=True)).mean(1))
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-12)
        (g,), (h,) = tg.autograd.grad(y.sum(), x), tg.autograd.grad(z.sum(), x)
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    "call", [lambda x: x.prod(), lambda x: x.prod(1), lambda x: x.cumprod(0), lambda x: x.cumprod(1)]
)
@pytest.mark.parametrize("zeros", [[], [1], [1, 3], [0, 1, 2, 3, 4, 5]])
def test_products_have_exact_derivatives_of_two_orders_at_zeros(call, zeros):
    a = np.array([0.5, -1.2, 2.0, 0.7, 1.5, -0.3])
    a[zeros] = 0.0
    x = tg.tensor(a.reshape(2, 3), requires_grad=True)
    assert gradcheck(call, (x,))
    assert gradgradcheck(call, (x,))


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("call", ["cumprod", "cummax", "cummin", "prod"])
@pytest.mark.parametrize("shape", [(3, 40, 30), (40, 2, 3)], ids=["wide", "long"])
def test_what_runs_along_a_dimension_of_any_width_is_as_in_torch(call, dim, shape):
    torch = pytest.importorskip("torch")
    a = np.random.default_rng(0).uniform(0.5, 1.5, shape).round(1)
    a[1, 1, 1] = 0.0
    results = []
    for lib in (tg, torch):
        x = lib.tensor(a, requires_grad=True)
        y = getattr(x, call)(dim)
        y, *index = y if call in ("cummax", "cummin") else (y,)
        (y * lib.arange(y.numel()).reshape(y.shape)).sum().backward()
        results.append([y.detach().numpy(), x.grad.numpy(), *(i.numpy() for i in index)])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.quantile(0.4, 1), lambda x: x.cov(), lambda x: x.corrcoef(), lambda x: x.renorm(2, 0, 1.0),
        lambda x: x.nanmean(0), lambda x: x.median(1).values, lambda x: x.kthvalue(2, 1).values, lambda x: x.norm(3),
        lambda x: x.norm(1.5, 1), lambda x: x.logcumsumexp(1), lambda x: x.cummax(1).values, lambda x: x.std(0),
        lambda x: tg.trapezoid(x, x), lambda x: x.diff(2), lambda x: x.aminmax(dim=1).max,
    ],
)  # fmt: skip
def test_a_composition_has_derivatives_of_two_orders(call):
    x = tg.tensor([[0.4, -1.3, 2.2], [1.7, 0.3, -0.6]], dtype=tg.float64, requires_grad=True)
    assert gradcheck(call, (x,))
    assert gradgradcheck(call, (x,))


# Results with names


def test_results_have_names_places_and_a_text_as_in_pytorch():
    torch = pytest.importorskip("torch")
    calls = "max(0) min(0) sort() topk(1) kthvalue(1) mode() median(0) nanmedian(0) aminmax() cummax(0) cummin(0)"
    for call in (*calls.split(), "histogram(2)"):
        ours, theirs = (eval(f"L.tensor([1.0, 3.0]).{call}", {"L": L}) for L in (tg, torch))
        assert repr(ours) == repr(theirs).replace("torch.", "tensorgrad.").replace("tensorgrad.int64", "int64")
        first, second = ours
        assert first is ours[0] is getattr(ours, ours._fields[0])
        assert second is getattr(ours, ours._fields[1])
        assert type(ours) is getattr(tg.return_types, call.partition("(")[0])


def test_named_results_are_written_into_out_and_pickled():
    values, indices = tg.empty(0), tg.empty(0, dtype=tg.int64)
    result = tg.max(tg.tensor([[1.0, 3.0]]), 1, out=(values, indices))
    assert result.values is values
    assert (values.tolist(), indices.tolist()) == ([3.0], [1])
    plain = tg.return_types.max(1, 2)
    assert pickle.loads(pickle.dumps(plain)) == plain == (1, 2)


def test_in_place_forms_write_into_the_tensor():
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.cumsum_(0) is x
    assert x.tolist() == [[1.0, 2.0], [4.0, 6.0]]
    assert x.cumprod_(1).tolist() == [[1.0, 2.0], [4.0, 24.0]]
    assert x.renorm_(1, 0, 3.0).sum(1).tolist() == pytest.approx([3.0, 3.0])
    leaf = tg.tensor([1.0, 2.0], requires_grad=True)
    (leaf * 2.0).cumsum_(0).sum().backward()
    assert leaf.grad.tolist() == [4.0, 2.0]
    with pytest.raises(DtypeError, match="cumsum_"):
        tg.tensor([True]).cumsum_(0)


X = "tg.tensor([[1.0, 2.0], [3.0, 4.0]])"
MISTAKES = [
    ("tg.zeros(0, 3).amax(0)", ShapeError, r"amax: dimension 0 of shape \(0, 3\) is empty"),
    ("tg.zeros(0).max()", ShapeError, r"max: dimension 0 of shape \(0,\) is empty"),
    ("tg.zeros(2, 0).mode()", ShapeError, r"mode: dimension 1 .* is empty"),
    (f"{X}.max(2)", IndexError, "max: dim 2 is out of range"),
    (f"{X}.max(0, 1, 2)", TypeError, r"max: it takes \(\), \(dim, keepdim=False\) or \(other\)"),
    ("tg.tensor([1]).mean()", DtypeError, r"mean: .* not int64; convert with .float\(\)"),
    ("tg.tensor([1]).var()", DtypeError, "var: .* not int64"),
    ("tg.tensor([1]).softmax(0)", DtypeError, "softmax: .* not int64"),
    ("tg.tensor([True]).argmax()", DtypeError, "argmax: it does not take bools"),
    ("tg.tensor([True]).median()", DtypeError, "median: it does not take bools"),
    (f"{X}.topk(3)", ShapeError, "topk: k = 3 is out of range for dimension 1 of size 2"),
    (f"{X}.topk(1.5)", TypeError, "topk: k must be an int, not float"),
    (f"{X}.kthvalue(0)", ShapeError, "kthvalue: k = 0 .* counts from 1"),
    ("tg.quantile([1.0], 0.5)", DtypeError, "quantile: input must be a Tensor, not list"),
    (f"{X}.quantile(1.5)", ValueError, "quantile: q must lie between 0 and 1"),
    (f"{X}.quantile(tg.ones(1, 1))", ShapeError, r"quantile: q must be .* \(1, 1\)"),
    (f"{X}.quantile(tg.ones(1).double())", DtypeError, "quantile: q must have the input's dtype, float32, and has"),
    (f"{X}.quantile(0.5, interpolation='x')", ValueError, "quantile: interpolation must be one of linear, lower"),
    ("tg.zeros(0).quantile(0.5)", ShapeError, "quantile: .* no elements"),
    (f"{X}.norm('x')", ValueError, "norm: p must be a number, inf, 'fro' or 'nuc', not 'x'"),
    ("tg.zeros(0).norm(float('inf'))", ShapeError, "norm: dimension 0"),
    ("tg.ones(2).renorm(2, 0, 1)", ShapeError, r"renorm: .* shape \(2,\)"),
    (f"{X}.renorm(0, 0, 1)", ValueError, "renorm: p must be above 0"),
    ("tg.tensor(1.0).diff()", ShapeError, "diff: input must have a dimension or more"),
    (f"{X}.diff(-1)", ValueError, "diff: n must be 0 or more, not -1"),
    (f"{X}.diff(prepend=tg.ones(1))", ShapeError, r"diff: prepend and append .* 2, .* \(1,\)"),
    (f"tg.trapezoid({X}, tg.ones(3))", ShapeError, r"trapezoid: x must have one value for each of the 2 .* \(3,\)"),
    (f"tg.trapezoid({X}, 1)", DtypeError, "trapezoid: x must be a Tensor, not int"),
    (f"tg.cumulative_trapezoid({X}, 1.0)", DtypeError, "cumulative_trapezoid: x must be a Tensor, not float"),
    (f"tg.trapezoid({X}, {X}, dx=1.0)", TypeError, "trapezoid: .* x, or .* dx, not both"),
    ("tg.zeros(2, 2, 2).cov()", ShapeError, r"cov: .* \(2, 2, 2\)"),
    ("tg.zeros(2, 2, 2).corrcoef()", ShapeError, r"corrcoef: .* \(2, 2, 2\)"),
    (f"{X}.cov(fweights=tg.ones(2))", DtypeError, "cov: fweights must be of integers, and is float32"),
    (f"{X}.cov(aweights=tg.ones(3))", ShapeError, r"cov: aweights must hold .* 2 observations, not \(3,\)"),
    (f"{X}.cov(fweights=tg.tensor([1, -1]))", ValueError, "cov: fweights must not be negative"),
    (f"{X}.cov(aweights=tg.zeros(2))", ValueError, "cov: the weights sum to 0"),
    ("tg.tensor([1.0]).bincount()", DtypeError, "bincount: input must hold integers, not float32"),
    ("tg.tensor([-1]).bincount()", ValueError, "bincount: .* may be negative"),
    ("tg.tensor([[1]]).bincount()", ShapeError, r"bincount: input must be a vector, and has shape \(1, 1\)"),
    (f"{X}.histc(0)", ValueError, "histc: bins must be 1 or more, not 0"),
    (f"{X}.histc(3, 2, 1)", ValueError, "histc: the range must .* is 2 to 1"),
    (f"({X} / 0).histc(3)", ValueError, "histc: the range must be finite"),
    (f"{X}.histogram(tg.ones(2, 2))", ShapeError, r"histogram: the edges must be a vector .* \(2, 2\)"),
    (f"{X}.histogram(2, weight=tg.ones(3))", ShapeError, r"histogram: weight of shape \(3,\) does not fit"),
    ("tg.searchsorted(tg.ones(3) > 0, tg.ones(2) > 0)", DtypeError, "searchsorted: it does not take bools"),
    ("tg.searchsorted(tg.ones(2, 3), tg.ones(3, 3))", ShapeError, r"searchsorted: .* \(2, 3\) .* \(3, 3\) do not fit"),
    ("tg.searchsorted(tg.ones(3), 1.0, side='x')", ValueError, "searchsorted: side must be 'left' or 'right'"),
    ("tg.searchsorted(tg.ones(3), tg.ones(2), sorter=tg.tensor([0, 1, 3]))", IndexError, "sorter: .* 0 to 3"),
    ("tg.searchsorted(tg.ones(3), tg.ones(2), sorter=tg.tensor([0, 1]))", ShapeError, "the sorter must have"),
    ("tg.bucketize(tg.ones(3), tg.ones(2, 2))", ShapeError, r"bucketize: the boundaries must be a vector.* \(2, 2\)"),
    ("tg.tensor(1).unique(dim=0)", IndexError, "unique: dim = 0 is out of range"),
    ("tg.logcumsumexp(tg.tensor([1]), 0)", DtypeError, "logcumsumexp: .* not int64"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), MISTAKES, ids=[call for call, *_ in MISTAKES])
def test_a_mistake_is_named(call, kind, message):
    with pytest.raises(kind, match=message):
        eval(call)


# Exactness


def test_half_precision_is_summed_in_single():
    ones = tg.ones(5000, 3, dtype=tg.float16)
    assert ones.sum(0).tolist() == [5000.0] * 3
    assert (ones * 100).mean().item() == 100.0
    assert ones[:, 0].cumsum(0)[-1].item() == 5000.0
    assert tg.tensor([300.0, 400.0], dtype=tg.float16).norm().item() == 500.0
    wide = tg.tensor([100.0, 300.0, -250.0], dtype=tg.float16)
    assert wide.std().item() == pytest.approx(278.4, rel=1e-3)
    assert wide.norm(3).item() == pytest.approx(352.0, rel=1e-2)
    bias = tg.zeros(3, dtype=tg.float16, requires_grad=True)
    (ones + bias).sum().backward()
    assert bias.grad.tolist() == [5000.0] * 3


def test_long_columns_are_summed_as_exactly_as_rows():
    x = tg.rand(200_003, 3)
    exact = x.double().sum(0).numpy()
    np.testing.assert_allclose(x.sum(0).numpy(), exact, rtol=1e-6)
    np.testing.assert_allclose(x.reshape(200_003, 1, 3).mean((0, 1)).numpy(), exact / 200_003, rtol=1e-6)
    assert x.sum(0, keepdim=True).shape == (1, 3)
    np.testing.assert_allclose(tg.stack([x, x]).sum(1).numpy()[1], exact, rtol=1e-6)


@pytest.mark.parametrize("shape", [(600, 0), (3, 0, 600), (0, 600, 2), (2, 513, 3), (511, 2), (512, 1, 2), (1024, 2)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_sums_by_blocks_have_the_shapes_and_values_of_plain_ones(shape, keepdim):
    x = tg.rand(*shape)
    for dim in (0, 1, (0, 1)):
        got = x.sum(dim, keepdim)
        expected = x.double().numpy().sum(dim, keepdims=keepdim)
        assert got.shape == expected.shape
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5)


INFINITE = [
    [-np.inf, 1, 2], [1, -np.inf, 2], [1, 2, -np.inf], [1, np.inf, 2], [np.inf, 1, 2], [1, 2, np.inf],
    [np.inf, np.inf, 1], [-np.inf, np.inf, 1], [-np.inf, -np.inf, 1], [np.nan, 1, 2], [1, np.nan, 2],
]  # fmt: skip


@pytest.mark.parametrize("numbers", INFINITE)
def test_the_gradient_of_logcumsumexp_is_undefined_only_at_infinities(numbers):
    compare(lambda L, a: L.logcumsumexp(a, 0), [np.array(numbers)])


@pytest.mark.parametrize("p", [0.5, 1, 2, np.inf])
@pytest.mark.parametrize("dim", [0, 1])
def test_a_nan_keeps_renorm_from_scaling_its_row_and_no_gradient_from_the_others(dim, p):
    compare(lambda L, a: a.renorm(p, dim, 1.0), [np.array([[np.nan, 1], [3, 4], [np.inf, 1], [0.1, 0.2]])])


def test_a_number_of_elements_has_a_gradient_of_zeros():
    x = tg.tensor([[0.0, 2.0, np.nan], [0.0, np.inf, 1.0]], requires_grad=True)
    y = x.norm(0, 0)
    assert y.tolist() == [0.0, 2.0, 2.0]
    (y.sum() + tg.linalg.vector_norm(x, 0)).backward()
    assert not x.grad.any()


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_equal_elements_have_no_spread(dtype):
    x = tg.full((3, 1000), 0.1, dtype=dtype)
    for y in (x.var(), x.std(), x.var(1, correction=0), x.std(0)):
        assert not y.any()
