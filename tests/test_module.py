"""Modules: attributes and their misuse, sharing and copying, modes and conversions."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from side_by_side import both, linear

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import DeviceError, DtypeError, ShapeError

# Attributes


def test_attributes_of_every_kind_replace_each_other_as_in_torch():
    def claims(library):
        layers = library.nn
        m = layers.Module()
        m.a = 3
        m.a = layers.Parameter(library.zeros(1))
        yield list(dict(m.named_parameters())), "a" in m.__dict__
        m.a = None
        yield m.a, list(m.state_dict())
        m.b = linear(layers)
        m.b = layers.Parameter(library.zeros(1))
        yield list(m._modules), list(dict(m.named_parameters()))
        m.register_buffer("c", library.zeros(1), persistent=False)
        m.c = library.ones(2)
        yield m.c.sum().item(), list(m.state_dict())
        m.c = layers.Parameter(library.zeros(1))
        yield list(m.state_dict()), list(dict(m.named_buffers()))
        m.d = 3
        m.d = linear(layers)
        yield list(m.state_dict()), "d" in m.__dict__
        m.d = None
        yield m.d, list(m.named_children()), repr(m)
        m.register_buffer("e", None)
        m.e = library.ones(1)
        yield list(m.state_dict())
        m.register_buffer("f", library.zeros(1), persistent=False)
        del m.f
        m.register_buffer("f", library.zeros(1))
        yield list(m.state_dict())
        del m.b, m.e, m.f
        yield list(m.state_dict()), hasattr(m, "b"), hasattr(m, "c")

    ours, theirs = both(lambda library: [str(claim) for claim in claims(library)])
    assert len(ours) == 10
    assert ours == theirs


MISUSED = [
    (lambda m: setattr(m, "p", tg.zeros(1)), TypeError, "p is a parameter, and cannot become Tensor.*copy_"),
    (lambda m: setattr(m, "p", linear()), TypeError, "p is a parameter, and cannot become Linear"),
    (lambda m: setattr(m, "m", 3), TypeError, "m is a module, and cannot become int"),
    (lambda m: setattr(m, "b", 3), TypeError, "b is a buffer, and cannot become int"),
    (lambda m: m.register_parameter("x", tg.zeros(1)), TypeError, "Tensor is not a Parameter"),
    (lambda m: m.register_buffer("x", [1.0]), TypeError, "a buffer must be a Tensor, not list"),
    (lambda m: m.add_module("x", 3), TypeError, "int is not a Module"),
    (lambda m: m.register_buffer("plain", tg.zeros(1)), KeyError, "has an attribute 'plain' already"),
    (lambda m: m.register_buffer("m", tg.zeros(1)), KeyError, "has an attribute 'm' already"),
    (lambda m: m.register_parameter("b", nn.Parameter(tg.zeros(1))), KeyError, "has an attribute 'b' already"),
    (lambda m: m.add_module("train", linear()), KeyError, "has an attribute 'train' already"),
    (lambda m: m.add_module("a.b", linear()), KeyError, "without dots"),
    (lambda m: m.add_module("", linear()), KeyError, "without dots"),
    (lambda m: m.missing, AttributeError, "Module has no attribute 'missing'"),
    (lambda m: delattr(m, "missing"), AttributeError, "missing"),
    (lambda m: m(tg.ones(1)), NotImplementedError, r"Module does not define forward"),
    (lambda m: m.train(1), ValueError, "True or False, not 1"),
    (lambda m: m.to(tg.int32), DtypeError, "need a floating dtype, not int32"),
    (lambda m: m.to("cuda"), ValueError, "device 'cuda' is not available"),
    (lambda m: m.to(dtpye=tg.float64), TypeError, "dtpye"),
    (lambda m: m.get_submodule("m.x"), AttributeError, r"Linear has no module 'x' \(on the way to 'm.x'\)"),
    (lambda m: m.get_parameter("m.x"), AttributeError, "no parameter 'm.x'"),
    (lambda m: m.get_buffer("m.x"), AttributeError, "no buffer 'm.x'"),
    (lambda m: m.load_state_dict([1]), TypeError, "a dict of tensors, not list"),
    (lambda m: nn.Parameter(3.0), DtypeError, "data must be a Tensor, not float"),
    (lambda m: nn.Parameter(tg.tensor([1])), DtypeError, "only floating tensors have gradients"),
    (lambda m: nn.Sequential(nn.Tanh(), 3), TypeError, "Sequential.1: int is not a Module"),
    (lambda m: nn.Sequential(nn.Tanh())[1], IndexError, "index 1 is out of range for 1 modules"),
    (lambda m: nn.Sequential(nn.Tanh()) * 0, ValueError, "1 or more times, not 0"),
    (lambda m: nn.Sequential().insert(1, nn.Tanh()), IndexError, "index 1 is out of range"),
    (lambda m: nn.ModuleDict({"a": nn.Tanh()})["b"], KeyError, "has no module 'b'; it has a"),
    (lambda m: nn.ModuleDict({"keys": nn.Tanh()}), KeyError, "has an attribute 'keys' already"),
    (lambda m: nn.ModuleList([nn.Tanh()])(tg.ones(1)), NotImplementedError, "ModuleList does not define forward"),
    (lambda m: nn.Linear(-1, 2), ValueError, "in_features must be an int of 0 or more, not -1"),
    (lambda m: nn.Linear(2, 2.0), TypeError, "out_features must be an int of 0 or more, not 2.0"),
    (lambda m: nn.Linear(2, 2, device="cuda"), ValueError, "device 'cuda' is not available"),
    (lambda m: nn.Linear(3, 2)(tg.ones(4, 2)), ShapeError, r"input of shape \(4, 2\) does not fit"),
    (lambda m: nn.Linear(3, 2)(tg.ones(4, 3).double()), DtypeError, "share one dtype"),
    (lambda m: nn.Dropout(1.5), ValueError, "p must be between 0 and 1, not 1.5"),
    (lambda m: nn.Dropout()(tg.tensor([1])), DtypeError, "needs a floating dtype, not int64"),
]


@pytest.mark.parametrize(("misuse", "error", "text"), MISUSED, ids=[text for _, _, text in MISUSED])
def test_misuse_is_refused_with_the_reason_and_changes_nothing(misuse, error, text):
    m = nn.Module()
    m.p, m.m, m.plain = nn.Parameter(tg.zeros(1)), linear(), 3
    m.register_buffer("b", tg.zeros(1))
    before = {k: id(v) for k, v in m.state_dict(keep_vars=True).items()}
    with pytest.raises(error, match=text):
        misuse(m)
    assert {k: id(v) for k, v in m.state_dict(keep_vars=True).items()} == before
    assert m.plain == 3


def test_forgetting_super_init_says_so():
    class Assigns(nn.Module):
        def __init__(self):
            self.layer = linear()

    class Learns(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(tg.zeros(1))

    class Calls(nn.Module):
        def __init__(self):
            self.width = 3

        def forward(self, x):
            return x

    for make in (Assigns, Learns, lambda: Calls()(tg.ones(1)), lambda: list(Calls().parameters())):
        with pytest.raises(AttributeError, match=r"must call super\(\).__init__\(\) first"):
            make()


def test_plain_attributes_may_be_set_before_super_init():
    class Net(nn.Module):
        def __init__(self):
            self.width = 3
            super().__init__()

    assert Net().width == 3


# Sharing and copying


def tied(layers):
    m = layers.Module()
    m.a, m.b = layers.Linear(2, 2), layers.Linear(2, 2)
    m.b.weight = m.a.weight
    m.c = m.a
    return m


def test_tied_parameters_and_modules_are_counted_once_as_in_torch():
    ours, theirs = both(
        lambda library: (
            [k for k, _ in tied(library.nn).named_parameters()],
            [k for k, _ in tied(library.nn).named_parameters(remove_duplicate=False)],
            [k for k, _ in tied(library.nn).named_modules()],
            [k for k, _ in tied(library.nn).named_modules(remove_duplicate=False)],
            [k for k, _ in tied(library.nn).named_children()],
            list(tied(library.nn).state_dict()),
        )
    )
    assert ours == theirs
    assert len(list(tied(nn).parameters())) == 3


def test_a_deep_copy_is_independent_and_as_tied_as_the_original():
    m = tied(nn)
    m.register_buffer("count", tg.zeros(1))
    m.a(tg.ones(1, 2)).sum().backward()
    made = copy.deepcopy(m)
    assert made.a is made.c
    assert made.a.weight is made.b.weight
    assert isinstance(made.a.weight, nn.Parameter)
    assert made.a.weight.grad is None
    assert m.a.weight.grad is not None
    for mine, theirs in zip(made.state_dict().values(), m.state_dict().values(), strict=True):
        assert np.array_equal(mine, theirs)
        assert not np.shares_memory(mine.numpy(), theirs.numpy())


# Modes, dtypes and gradients


def test_train_and_eval_reach_every_module_through_its_own_train():
    class Frozen(nn.Dropout):
        def train(self, mode=True):
            return super().train(False)

    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout(), Frozen()))
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert [m.training for m in net.modules()] == [True, True, True, True, False]


def test_converting_keeps_the_parameters_and_leaves_integers():
    m = linear()
    m.register_buffer("count", tg.tensor([1]))
    m.register_buffer("mean", tg.ones(1))
    weight = m.weight
    m(tg.ones(1, 2)).sum().backward()
    for convert, dtype in [
        (lambda: m.double(), tg.float64),
        (lambda: m.half(), tg.float16),
        (lambda: m.float(), tg.float32),
        (lambda: m.to(tg.float64), tg.float64),
        (lambda: m.to("float32"), tg.float32),
        (lambda: m.to("cpu", tg.float64, non_blocking=True), tg.float64),
        (lambda: m.to("cpu"), tg.float64),
        (lambda: m.to(tg.zeros(1)), tg.float32),
        (lambda: m.to(dtype=tg.float64), tg.float64),
        (lambda: m.cpu().to(), tg.float64),
    ]:
        assert convert() is m
        assert m.weight is weight
        assert {t.dtype for t in (m.weight, m.bias, m.mean, m.weight.grad)} == {np.dtype(dtype)}
        assert m.count.dtype == tg.int64
    assert m.weight.requires_grad
    assert m(tg.ones(1, 2).double()).dtype == tg.float64


def test_frozen_parameters_get_no_gradient():
    net = nn.Sequential(linear(), linear())
    assert net[0].requires_grad_(False) is net[0]
    net(tg.ones(1, 2)).sum().backward()
    assert net[0].weight.grad is None
    assert net[1].weight.grad is not None
    assert not net.requires_grad_(False)(tg.ones(1, 2)).requires_grad


def test_zero_grad_clears_to_none_or_to_zeros():
    m = linear()
    m(tg.ones(1, 2)).sum().backward()
    kept = m.weight.grad
    m.zero_grad(set_to_none=False)
    assert m.weight.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert m.weight.grad is kept
    m.zero_grad()
    assert m.weight.grad is None
    assert m.bias.grad is None


def test_apply_visits_children_first():
    seen = []
    net = nn.Sequential(nn.Tanh(), nn.Sequential(nn.ReLU()))
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Tanh", "ReLU", "Sequential", "Sequential"]


def test_type_converts_integers_too_and_cuda_is_refused():
    net = nn.Linear(2, 1)
    net.register_buffer("count", tg.tensor(3))
    assert net.type(tg.float64) is net
    assert net.weight.dtype == net.count.dtype == tg.float64
    with pytest.raises(DeviceError, match="'cuda' is not available"):
        net.cuda()


def test_torchs_public_methods_of_a_module_are_there():
    torch = pytest.importorskip("torch")
    absent = {"bfloat16", "compile", "ipu", "mtia", "xpu", "share_memory", "to_empty", "dump_patches"}
    absent |= {"T_destination", "call_super_init", "register_backward_hook", "get_extra_state", "set_extra_state"}
    absent |= {f"register_{kind}_{when}_hook" for kind in ("state_dict", "load_state_dict") for when in ("pre", "post")}
    names = {name for name in dir(torch.nn.Module) if not name.startswith("_")}
    assert {name for name in names - absent if not hasattr(nn.Module, name)} == set()


# Errors on the way


def test_an_error_says_in_which_of_many_layers_it_arose():
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.Linear(5, 2)))
    with pytest.raises(ShapeError) as caught:
        model(tg.ones(1, 4))
    assert caught.value.__notes__ == [
        "in Linear(in_features=5, out_features=2, bias=True)",
        "in Sequential(...)",
        "in Sequential(...)",
    ]


def test_a_tuple_given_to_a_layer_is_told_from_where_it_comes():
    with pytest.raises(DtypeError, match="recurrent and attention layers return a tuple"):
        nn.Sequential(nn.LSTM(5, 4), nn.Linear(4, 1))(tg.ones(2, 3, 5))
