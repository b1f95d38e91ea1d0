"""The page of mistakes: each gives an error that names the place and the fix."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError, DtypeError, ShapeError
from tensorgrad.nn import functional as F

X = tg.ones(2, 2)


def damaged(path):
    tg.save({"a": tg.ones(3)}, path)
    path.write_bytes(path.read_bytes()[:-5])
    return path


def foreign(path):
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    return path


def changed_kept_value():
    x = tg.ones(3, requires_grad=True)
    y = x.exp()
    y += 1
    y.sum().backward()


def backward_twice():
    x = tg.ones(3, requires_grad=True)
    y = x.exp().sum()
    y.backward()
    y.backward()


def used_up():
    parameters = nn.Linear(2, 2).parameters()
    list(parameters)
    tg.optim.SGD(parameters, lr=0.1)


MISTAKES = {
    "adding shapes that do not broadcast": (
        lambda: tg.ones(2, 3) + tg.ones(4),
        ShapeError,
        r"add: shapes \(2, 3\) and \(4,\) do not broadcast.*3 meets 4",
    ),
    "multiplying matrices that do not fit": (
        lambda: tg.ones(2, 3) @ tg.ones(2, 3),
        ShapeError,
        r"matmul: shapes \(2, 3\) and \(2, 3\) do not fit.*3 columns.*2 rows",
    ),
    "reshaping to another number of elements": (
        lambda: tg.ones(2, 3).reshape(4, 2),
        ShapeError,
        r"reshape: a tensor of shape \(2, 3\) has 6 elements, which do not fit \(4, 2\)",
    ),
    "a layer fed the wrong width": (
        lambda: nn.Linear(4, 2)(tg.ones(8, 3)),
        ShapeError,
        r"linear: input of shape \(8, 3\) does not fit weight of shape \(2, 4\).*must be 4",
    ),
    "a layer fed another dtype": (
        lambda: nn.Linear(3, 2)(tg.ones(8, 3, dtype=tg.float64)),
        DtypeError,
        r"linear: inputs must share one dtype, but input 0 is float64, input 1 is float32, .*\.to\(dtype\)",
    ),
    "integers through a layer": (
        lambda: nn.Linear(3, 2)(tg.ones(8, 3, dtype=tg.int64)),
        DtypeError,
        r"linear: inputs must share one dtype, but input 0 is int64",
    ),
    "a dimension that is not there": (
        lambda: tg.ones(2, 3).sum(2),
        IndexError,
        r"sum: dim 2 is out of range for a tensor of 2 dimensions \(-2 to 1\)",
    ),
    "the mean of integers": (lambda: tg.arange(3).mean(), DtypeError, r"mean: it needs a floating dtype.*\.float\(\)"),
    "a gradient for integers": (
        lambda: tg.tensor([1, 2], requires_grad=True),
        DtypeError,
        r"only floating tensors have gradients, and this is int64\[2\]; convert it with \.float\(\)",
    ),
    "backward on a vector": (
        lambda: (tg.ones(3, requires_grad=True) * 2).backward(),
        AutogradError,
        r"this one has shape \(3,\); reduce it first.*or pass backward\(gradient\)",
    ),
    "backward without a graph": (
        lambda: tg.ones(3).sum().backward(),
        AutogradError,
        r"does not require a gradient; make one of the tensors.*requires_grad=True",
    ),
    "backward twice": (backward_twice, AutogradError, r"backward of exp a second time.*retain_graph=True"),
    "a changed kept value": (
        changed_kept_value,
        AutogradError,
        r"backward of exp needs its output, float32\[3\], but that was changed in place.*out-of-place",
    ),
    "changing a leaf in place": (
        lambda: tg.ones(3, requires_grad=True).mul_(2),
        AutogradError,
        r"mul_: a leaf tensor that requires a gradient.*no_grad\(\)",
    ),
    "an array of a tensor that requires a gradient": (
        lambda: tg.ones(3, requires_grad=True).numpy(),
        AutogradError,
        r"numpy: .*\.detach\(\)\.numpy\(\)",
    ),
    "the truth of many elements": (
        lambda: bool(tg.ones(3)),
        ShapeError,
        r"truth of a tensor of shape \(3,\).*\.any\(\)",
    ),
    "the number of many elements": (lambda: tg.ones(3).item(), ShapeError, r"item: .*shape \(3,\); use tolist\(\)"),
    "an index out of range": (lambda: tg.ones(2, 3)[5], IndexError, r"does not fit a tensor of shape \(2, 3\)"),
    "a mask of the wrong shape": (
        lambda: tg.ones(2, 3)[tg.tensor([True, False, True])],
        IndexError,
        r"mask of shape \(3,\) does not fit the dimensions \(2,\)",
    ),
    "a float as index": (
        lambda: tg.ones(3)[tg.tensor([0.0])],
        IndexError,
        r"integers or bools, not float32.*\.long\(\)",
    ),
    "ragged lists": (lambda: tg.tensor([[1, 2], [3]]), ShapeError, r"tensor: the rows of the data differ in length"),
    "words as data": (lambda: tg.tensor(["a", "b"]), DtypeError, r"tensor: data of dtype <U1 cannot be a tensor"),
    "adding a word": (lambda: tg.ones(3) + "a", DtypeError, r"add: input 1 must be a Tensor, .*not str"),
    "a class out of range": (
        lambda: F.cross_entropy(tg.randn(4, 3), tg.tensor([0, 1, 3, 2])),
        IndexError,
        r"cross_entropy: target\[2\] is class 3, and there are 3 classes, 0 to 2",
    ),
    "classes as floats": (
        lambda: F.cross_entropy(tg.randn(4, 3), tg.ones(4)),
        DtypeError,
        r"cross_entropy: class indices must be integers, not float32; convert with \.long\(\)",
    ),
    "targets of another length": (
        lambda: F.cross_entropy(tg.randn(4, 3), tg.tensor([0, 1])),
        ShapeError,
        r"cross_entropy: scores of shape \(4, 3\).*need a target of shape \(4,\), and it has \(2,\)",
    ),
    "logits where probabilities belong": (
        lambda: F.binary_cross_entropy(tg.tensor([2.0]), tg.tensor([1.0])),
        ValueError,
        r"binary_cross_entropy: input must be probabilities.*use binary_cross_entropy_with_logits",
    ),
    "a reduction that is not there": (
        lambda: F.mse_loss(tg.ones(2), tg.ones(2), reduction="avg"),
        ValueError,
        r"mse_loss: reduction must be 'mean', 'sum' or 'none', not 'avg'",
    ),
    "an optimizer with no parameters": (lambda: tg.optim.SGD([], lr=0.1), ValueError, r"SGD.*no parameters"),
    "an optimizer whose parameters are used up": (used_up, ValueError, r"SGD.*no parameters"),
    "an optimizer given a model": (lambda: tg.optim.Adam(nn.Linear(2, 2)), TypeError, r"Adam.*parameters\(\)"),
    "a negative learning rate": (
        lambda: tg.optim.SGD(nn.Linear(2, 2).parameters(), lr=-1.0),
        ValueError,
        r"SGD.*lr.*-1",
    ),
    "a state_dict of another model": (
        lambda: nn.Linear(2, 3).load_state_dict({"weight": tg.ones(3, 3), "extra": tg.ones(1)}),
        RuntimeError,
        r"(?s)does not fit Linear, and nothing was loaded.*missing: bias.*unexpected: extra.*"
        r"weight has shape \(3, 3\), and the model's has \(3, 2\)",
    ),
    "forgetting super().__init__()": (
        lambda: type("Net", (nn.Module,), {"__init__": lambda self: setattr(self, "layer", nn.Linear(2, 2))})(),
        AttributeError,
        r"Net\.__init__ must call super\(\)\.__init__\(\) first",
    ),
    "dropout of more than everything": (lambda: nn.Dropout(1.5), ValueError, r"Dropout: p must be between 0 and 1"),
    "softmax without a dimension": (lambda: nn.Softmax()(tg.ones(2, 3)), TypeError, r"softmax: give dim"),
    "a data set given as one tuple": (
        lambda: tg.utils.data.TensorDataset((tg.ones(5, 2), tg.ones(5, 2))),
        TypeError,
        r"TensorDataset: it takes tensors or arrays as separate arguments, not a tuple",
    ),
    "a class where a layer belongs": (
        lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU),
        TypeError,
        r"ReLU is a class: write ReLU\(\.\.\.\)",
    ),
    "a list of layers": (
        lambda: nn.Sequential([nn.Linear(2, 2)]),
        TypeError,
        r"list is not a Module; unpack it: Sequential\(\*layers\)",
    ),
    "a forward that returns nothing": (
        lambda: F.cross_entropy(None, tg.tensor([0])),
        DtypeError,
        r"cross_entropy: input must be a Tensor, not NoneType.*forward returns",
    ),
    "a list where a tensor belongs": (lambda: tg.sum([1, 2]), DtypeError, r"sum: input must be a Tensor, not list"),
    "a number where a tensor belongs, in allclose": (
        lambda: tg.allclose(X, 1),
        DtypeError,
        r"allclose: other must .* int",
    ),
    "in isclose": (
        lambda: tg.isclose(X, 1),
        DtypeError,
        r"isclose: other must be a Tensor, not int; .*tensor\(\.\.\.\)",
    ),
    "in equal": (lambda: tg.equal(X, 1), DtypeError, "equal: other must be a Tensor, not int"),
    "in heaviside": (lambda: tg.heaviside(X, 1), DtypeError, "heaviside: values must be a Tensor, not int"),
    "in ldexp": (lambda: tg.ldexp(X, 2), DtypeError, "ldexp: other must be a Tensor, not int"),
    "in dot": (lambda: tg.dot(tg.ones(2), 2), DtypeError, "dot: the second input must be a Tensor, not int"),
    "in matmul": (lambda: tg.matmul(X, 2), DtypeError, "matmul: other must be a Tensor, not int"),
    "an array where a tensor belongs, in a layer": (
        lambda: nn.Linear(3, 2)(np.ones((2, 3), np.float32)),
        TypeError,
        r"linear: input must be a Tensor, not ndarray; make one with tensorgrad\.from_numpy\(\.\.\.\)",
    ),
    "in a convolution": (
        lambda: nn.Conv1d(3, 2, 1)(np.ones((3, 4), np.float32)),
        TypeError,
        r"conv1d: input must be a Tensor, not ndarray; .*from_numpy",
    ),
    "in a normalisation": (
        lambda: nn.LayerNorm(4)(np.ones((2, 4), np.float32)),
        TypeError,
        "layer_norm: input must be a Tensor, not ndarray; .*from_numpy",
    ),
    "in a pool": (
        lambda: nn.MaxPool1d(2)(np.ones((1, 4), np.float32)),
        TypeError,
        "max_pool1d: input must be a Tensor, not ndarray; .*from_numpy",
    ),
    "behind layers that take arrays too": (
        lambda: nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(4, 2))(np.ones((3, 2, 2), np.float32)),
        TypeError,
        "linear: input must be a Tensor, not ndarray; .*from_numpy",
    ),
    "in a loss": (
        lambda: F.mse_loss(tg.ones(2), np.ones(2)),
        TypeError,
        r"mse_loss: target must be a Tensor, not ndarray; .*from_numpy",
    ),
    "in a cell": (
        lambda: nn.GRUCell(3, 2)(np.ones((4, 3))),
        TypeError,
        "GRUCell: the input must be a Tensor, not ndarray; .*from_numpy",
    ),
    "the tuple of a recurrent layer where a tensor belongs": (
        lambda: nn.Linear(3, 2)(nn.GRU(3, 3)(tg.ones(4, 1, 3))),
        DtypeError,
        "linear: input must be a Tensor, not tuple; recurrent .* take its first element",
    ),
    "inverting floats": (lambda: ~X, DtypeError, r"bitwise_not: it does not take float32; convert with .*\.bool\(\)"),
    "masking floats": (lambda: X & X, DtypeError, "bitwise_and: it does not take float32"),
    "the negative of bools": (lambda: -(X > 0), DtypeError, r"neg: it does not take bool; ~ inverts a mask, .long\(\)"),
    "a negative power of integers": (
        lambda: tg.tensor([2]) ** -1,
        DtypeError,
        r"pow: integers have no negative powers; convert the base with \.float\(\)",
    ),
    "negative powers of integers": (lambda: 2 ** tg.tensor([1, -1]), DtypeError, "pow: integers have no negative"),
    "a fraction of integers": (
        lambda: tg.addcmul(tg.tensor([1]), tg.tensor([1]), tg.tensor([1]), value=0.5),
        DtypeError,
        "addcmul: value must be an integer where both inputs are, not 0.5",
    ),
    "bounds that a dtype does not have": (
        lambda: F.hardtanh(tg.tensor([3], dtype=tg.uint8)),
        DtypeError,
        r"hardtanh: uint8 has no numbers down to -1; convert with \.long\(\)",
    ),
    "deleting an element": (lambda: X.__delitem__(0), TypeError, r"a tensor cannot lose elements; .* x\[1:\]"),
    "tensors to join one by one": (
        lambda: tg.cat(X, X),
        TypeError,
        r"cat: the tensors .* one argument: cat\(\(a, b\)\)",
    ),
    "tensors to stack one by one": (lambda: tg.stack(X, X), TypeError, r"stack: .* stack\(\(a, b\)\)"),
    "one choice where two belong": (lambda: tg.where(X > 0, X), TypeError, "where: give input and other"),
    "a list as condition": (
        lambda: tg.where([True], X, X),
        DtypeError,
        "where: the condition must be a Tensor, not list",
    ),
    "a condition of numbers": (lambda: tg.where(X, X, X), DtypeError, r"where: .* bools, not float32; .*\.bool\(\)"),
    "a place for indices of another dtype": (
        lambda: tg.sort(tg.ones(2), out=(tg.empty(2), tg.empty(2))),
        DtypeError,
        "sort: out= for a result of int64 must be that, not float32",
    ),
    "the least singular value of nothing": (
        lambda: tg.linalg.matrix_norm(tg.ones(0, 3), -2),
        ShapeError,
        r"linalg\.matrix_norm: ord=-2 takes the smallest, and matrices of shape \(0, 3\) have none",
    ),
    "a layer without its sizes": (
        lambda: nn.Conv2d(3),
        TypeError,
        r"^Conv2d\.__init__\(\) missing 2 required positional arguments: 'out_channels' and 'kernel_size'",
    ),
    "another without": (lambda: nn.BatchNorm2d(), TypeError, r"^BatchNorm2d\.__init__\(\) missing 1 .*'num_features'"),
    "half a feature": (
        lambda: nn.Linear(2.5, 2),
        TypeError,
        "Linear: in_features must be an int of 0 or more, not 2.5",
    ),
    "a negative size": (
        lambda: nn.LSTMCell(2, -1),
        ValueError,
        "LSTMCell: hidden_size must be an int of 0 or more, .*-1",
    ),
    "no channels": (lambda: nn.Conv1d(0, 2, 1), ValueError, "Conv1d: in_channels must be an int of 1 or more, not 0"),
    "a truth as size": (lambda: nn.GRU(3, True), TypeError, "GRU: hidden_size must be an int of 1 or more, not True"),
    "images without their channel": (
        lambda: nn.Conv2d(1, 4, 3)(tg.ones(8, 28, 28)),
        ShapeError,
        r"conv2d: input of shape \(8, 28, 28\) has 8 channels, .* takes 1; .*\.unsqueeze\(1\)",
    ),
    "images with their channels last": (
        lambda: nn.Conv2d(3, 4, 3)(tg.ones(8, 28, 28, 3)),
        ShapeError,
        r"conv2d: input of shape \(8, 28, 28, 3\) has 28 channels, .* takes 3; .*\.movedim\(-1, -3\)",
    ),
    "scores and classes swapped": (
        lambda: F.cross_entropy(tg.tensor([0, 1]), tg.ones(2, 2)),
        DtypeError,
        "cross_entropy: .*not int64; the scores come first, and the target second",
    ),
    "and in nll_loss": (lambda: F.nll_loss(tg.tensor(1), tg.ones(2)), DtypeError, "nll_loss: .*the scores come first"),
    "a reduction that kl_div lacks": (
        lambda: F.kl_div(tg.ones(2), tg.ones(2), reduction="avg"),
        ValueError,
        "kl_div: reduction must be 'mean', 'sum', 'none' or 'batchmean', not 'avg'",
    ),
    "a name misspelt": (
        lambda: nn.Linear(2, 2).wieght,
        AttributeError,
        "^Linear has no attribute 'wieght'; did you mean 'weight'\\?$",
    ),
    "a method misspelt": (lambda: nn.ReLU().paramters(), AttributeError, "did you mean 'parameters'"),
    "a name unlike all others": (lambda: nn.ReLU().quux, AttributeError, "^ReLU has no attribute 'quux'$"),
    "unknown keyword": (lambda: tg.ones(2, 2).max(order=0), TypeError, r"max: it takes \(\), \(dim, keepdim=False\)"),
    "a batch of nothing": (
        lambda: tg.utils.data.DataLoader(tg.utils.data.TensorDataset(tg.ones(3)), batch_size=0),
        ValueError,
        r"batch_size",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_names_the_place_and_the_fix(mistake):
    act, error, text = MISTAKES[mistake]
    with pytest.raises(error, match=text):
        act()


@pytest.mark.parametrize("spoil", [damaged, foreign])
def test_a_file_that_is_damaged_or_foreign_is_named(spoil, tmp_path):
    path = spoil(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        tg.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors"):
        tg.load(tmp_path / "nowhere.safetensors")


LABELS = [tg.int8, tg.int16, tg.int32, tg.uint8]


@pytest.mark.parametrize("dtype", LABELS, ids=str)
def test_classes_may_be_of_any_integer_dtype(dtype):
    scores, classes = tg.randn(3, 4), tg.tensor([0, 3, 1])
    assert F.cross_entropy(scores, classes.to(dtype)).equal(F.cross_entropy(scores, classes))


def test_a_mask_of_uint8_is_one_of_bools_with_a_warning():
    mask = tg.tensor([1, 0, 2], dtype=tg.uint8)
    with pytest.warns(UserWarning, match=r"where: the condition must hold bools, not uint8; .*\.bool\(\)"):
        assert tg.where(mask, 1, 0).tolist() == [1, 0, 1]


def test_whether_a_module_has_an_attribute_can_be_asked():
    assert hasattr(nn.Linear(2, 2), "weight")
    assert not hasattr(nn.Linear(2, 2), "wieght")


def test_a_layer_that_inherits_its_arguments_keeps_their_defaults():
    class Base(nn.Module):
        def __init__(self, size=3, *, bias=True):
            super().__init__()
            self.size, self.bias = size, bias

    Base.__init__.__qualname__ = "_Base.__init__"
    layer = type("Layer", (Base,), {})()
    assert (layer.size, layer.bias) == (3, True)
    with pytest.raises(TypeError, match=r"^Layer\.__init__\(\) got an unexpected keyword"):
        type(layer)(wide=True)
