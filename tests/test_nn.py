"""Modules, containers, layers, initialisation and state: PyTorch's behaviour, and clear errors where it is misused."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError, DtypeError, ShapeError


def torch_on_one_thread():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def both(claim):
    """What a function of (library, nn) gives with PyTorch and with us."""
    torch = torch_on_one_thread()
    return claim(torch, torch.nn), claim(tg, nn)


def nested(library, layers):
    class Block(layers.Module):
        def __init__(self):
            super().__init__()
            self.scale = layers.Parameter(library.ones(3))
            self.register_buffer("seen", library.zeros(1))
            self.register_buffer("scratch", library.ones(2), persistent=False)
            self.layers = layers.ModuleList([layers.Linear(3, 3) for _ in range(3)] + [layers.ReLU()])
            self.heads = layers.ModuleDict({"a": layers.Linear(3, 2), "b": layers.Linear(3, 1, bias=False)})
            self.nothing = None
            self.register_parameter("absent", None)
            self.register_module("later", None)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.heads["a"](x * self.scale), self.heads["b"](x)

        def extra_repr(self):
            return "width=3\nheads=2"

    return layers.Sequential(
        layers.Flatten(), layers.Linear(4, 3), layers.Tanh(), layers.Dropout(0.1),
        layers.Sequential(layers.GELU(), layers.Softplus(), layers.LeakyReLU(0.2, inplace=True)), Block(),
    )  # fmt: skip


# The tree, against PyTorch


@pytest.mark.parametrize(
    "names",
    [
        lambda m: [k for k, _ in m.named_parameters()],
        lambda m: [k for k, _ in m.named_parameters(prefix="net")],
        lambda m: [k for k, _ in m.named_parameters(recurse=False)],
        lambda m: [k for k, _ in m.named_buffers(prefix="net")],
        lambda m: [k for k, _ in m.named_modules()],
        lambda m: [k for k, _ in m.named_modules(prefix="net")],
        lambda m: [k for k, _ in m.named_children()],
        lambda m: [type(x).__name__ for x in m.modules()],
        lambda m: list(m.state_dict()),
        lambda m: list(m.state_dict(prefix="net.")),
        lambda m: [tuple(v.shape) for v in m.state_dict().values()],
        lambda m: [tuple(p.shape) for p in m.parameters()],
        repr,
    ],
)
def test_a_nested_model_has_torchs_names_order_shapes_and_repr(names):
    theirs, ours = both(lambda library, layers: names(nested(library, layers)))
    assert ours == theirs


LAYERS = [
    lambda n: n.Linear(2, 3),
    lambda n: n.Linear(2, 3, bias=False),
    lambda n: n.Flatten(0, 1),
    lambda n: n.Unflatten(1, (2, 3)),
    lambda n: n.Identity(3, unused=True),
    lambda n: n.Dropout(),
    lambda n: n.Dropout(0.1, True),
    lambda n: n.ReLU(),
    lambda n: n.ReLU(True),
    lambda n: n.LeakyReLU(),
    lambda n: n.LeakyReLU(0.2, True),
    lambda n: n.Sigmoid(),
    lambda n: n.Tanh(),
    lambda n: n.Softmax(1),
    lambda n: n.LogSoftmax(-1),
    lambda n: n.GELU(),
    lambda n: n.GELU("tanh"),
    lambda n: n.SiLU(True),
    lambda n: n.ELU(2),
    lambda n: n.ELU(0.5, True),
    lambda n: n.Softplus(2, 10),
    lambda n: n.Sequential(),
    lambda n: n.ModuleList(),
    lambda n: n.ModuleDict({"x": n.Tanh()}),
    lambda n: n.ModuleList([n.Tanh(), n.ReLU(), n.ReLU(), n.Tanh()]),
    lambda n: n.Sequential(n.ModuleList([n.Sequential(n.Tanh()), n.Sequential(n.Tanh())])),
]


@pytest.mark.parametrize("make", LAYERS)
def test_a_layer_has_torchs_repr(make):
    theirs, ours = both(lambda library, layers: repr(make(layers)))
    assert ours == theirs


def test_torchs_values_loaded_as_arrays_give_torchs_outputs_and_gradients():
    torch = torch_on_one_thread()
    theirs, ours = nested(torch, torch.nn).double().eval(), nested(tg, nn).double().eval()
    message = ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    assert repr(message) == "<All keys matched successfully>"
    x = np.random.default_rng(0).standard_normal((5, 2, 2))
    results = ours(tg.from_numpy(x)), theirs(torch.from_numpy(x))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-10)
    for first, second in results:
        ((first * first).sum() + second.sum()).backward()
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-10, atol=1e-12, err_msg=name)


def test_our_state_loads_into_torch():
    torch = torch_on_one_thread()
    theirs, ours = nested(torch, torch.nn), nested(tg, nn)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in ours.state_dict().items()})
    assert all(
        np.array_equal(a, b.detach())
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    )


# Attributes


def linear(layers=nn):
    return layers.Linear(2, 2)


def test_attributes_of_every_kind_replace_each_other_as_in_torch():
    def claims(library, layers):
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

    theirs, ours = both(lambda library, layers: [str(claim) for claim in claims(library, layers)])
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
    (lambda m: nn.Linear(2, 2.0), ValueError, "out_features must be an int of 0 or more, not 2.0"),
    (lambda m: nn.Linear(2, 2, device="cuda"), ValueError, "device 'cuda' is not available"),
    (lambda m: nn.Linear(3, 2)(tg.ones(4, 2)), ShapeError, r"input of shape \(4, 2\) does not fit"),
    (lambda m: nn.Linear(3, 2)(tg.ones(4, 3).double()), DtypeError, "share one dtype"),
    (lambda m: nn.Dropout(1.5), ValueError, "p must be between 0 and 1, not 1.5"),
    (lambda m: nn.Dropout()(tg.tensor([1])), DtypeError, "needs a floating tensor, not int64"),
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
    theirs, ours = both(
        lambda library, layers: (
            [k for k, _ in tied(layers).named_parameters()],
            [k for k, _ in tied(layers).named_parameters(remove_duplicate=False)],
            [k for k, _ in tied(layers).named_modules()],
            [k for k, _ in tied(layers).named_modules(remove_duplicate=False)],
            [k for k, _ in tied(layers).named_children()],
            list(tied(layers).state_dict()),
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


def test_hooks_and_modes_survive_a_deep_copy_and_pickling():
    m = nn.Sequential(linear(), nn.Dropout()).eval()
    for made in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert not made[1].training
        assert all(p.requires_grad for p in made.parameters())
        assert np.array_equal(made[0].weight.detach(), m[0].weight.detach())
        assert repr(made) == repr(m)


# Containers


def test_containers_behave_like_torchs():
    def claims(library, layers):
        m = layers.Sequential(linear(layers), layers.ReLU(), linear(layers))
        yield m + layers.Sequential(layers.Tanh())
        yield m.insert(1, layers.Sigmoid()), m.pop(0), m[-1], m[0:2], len(m)
        m.insert(-1, layers.GELU()).append(layers.Tanh()).extend([layers.ReLU()])
        yield m, list(m.state_dict())
        m[0] = layers.SiLU()
        del m[1:3]
        yield m, [type(x).__name__ for x in m]
        m += layers.Sequential(layers.Tanh())
        m *= 2
        yield m, 2 * layers.Sequential(layers.Tanh()), layers.Sequential(layers.ReLU()) * 3
        items = layers.ModuleList([layers.Tanh(), layers.ReLU()])
        yield items + [layers.Sigmoid()], items.pop(-1), items[0:], items[-1], len(items)
        items += [layers.Tanh()]
        items.insert(0, layers.Sigmoid())
        items[1] = layers.GELU()
        yield items
        del items[0]
        yield items, len(items)
        named = layers.ModuleDict([("a", layers.Tanh()), ("b", linear(layers))])
        named["c"] = layers.ReLU()
        named.update({"d": layers.Sigmoid(), "a": layers.ELU()})
        yield named, list(named), list(named.keys()), "b" in named, len(named), list(named.state_dict())
        yield named.pop("b"), list(named.items()), list(named.values())
        named.clear()
        yield named, len(named)

    theirs, ours = both(lambda library, layers: [repr(claim) for claim in claims(library, layers)])
    assert len(ours) == 11
    assert ours == theirs


def test_a_sequential_keeps_its_names():
    net = nn.Sequential({"first": linear(), "act": nn.ReLU(), "last": linear()})
    assert list(net[:2].state_dict()) == ["first.weight", "first.bias"]
    assert net.first is net[0]
    assert net(tg.ones(1, 2)).shape == (1, 2)


# Modes, dtypes, gradients, hooks


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
    assert kept.tolist() == [[1.0, 1.0], [1.0, 1.0]]  # who held on to the old gradient still has it
    m.zero_grad()
    assert m.weight.grad is None
    assert m.bias.grad is None


def test_apply_visits_children_first():
    seen = []
    net = nn.Sequential(nn.Tanh(), nn.Sequential(nn.ReLU()))
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Tanh", "ReLU", "Sequential", "Sequential"]


def test_hooks_see_and_replace_arguments_and_outputs_until_removed():
    m, log = nn.Identity(), []

    def before(module, args):
        log.append("before")
        return args[0] * 2

    def after(module, args, output):
        log.append(("after", args[0].item()))
        return output + 1

    pre, post = m.register_forward_pre_hook(before), m.register_forward_hook(after)
    assert m(tg.tensor(3.0)).item() == 7.0
    assert log == ["before", ("after", 6.0)]
    pre.remove()
    assert m(tg.tensor(3.0)).item() == 4.0
    post.remove()
    post.remove()
    assert m(tg.tensor(3.0)).item() == 3.0
    with m.register_forward_hook(after):
        assert m(tg.tensor(3.0)).item() == 4.0
    assert m(tg.tensor(3.0)).item() == 3.0


def test_hooks_may_come_first_and_take_keywords_as_in_torch():
    def claim(library, layers):
        class Times(layers.Module):
            def forward(self, x, k=1):
                return x * k

        m, log = Times(), []
        m.register_forward_pre_hook(lambda module, args, kwargs: (args, {"k": 5}), with_kwargs=True)
        m.register_forward_hook(lambda module, args, kwargs, y: log.append(kwargs), with_kwargs=True)
        m.register_forward_hook(lambda *args: log.append("first"), prepend=True)
        return m(library.ones(1), k=2).item(), log

    theirs, ours = both(claim)
    assert ours == theirs == (5.0, ["first", {"k": 5}])


def test_a_hook_may_remove_itself_while_it_runs():
    m, log = nn.Identity(), []
    handle = m.register_forward_hook(lambda *args: (log.append(1), handle.remove())[0])
    m(tg.ones(1))
    m(tg.ones(1))
    assert log == [1]


def test_parts_are_found_by_dotted_names():
    net = nested(tg, nn)
    assert net.get_submodule("") is net
    assert net.get_submodule("5.heads.a") is net[5].heads["a"]
    assert net.get_parameter("5.scale") is net[5].scale
    assert net.get_buffer("5.seen") is net[5].seen
    assert {"scale", "seen", "layers", "forward"} <= set(dir(net[5]))


# State


def test_a_state_shares_memory_unless_kept_as_variables():
    m = linear()
    state = m.state_dict()
    assert not state["weight"].requires_grad
    with tg.no_grad():
        m.weight.fill_(7.0)
    assert state["weight"].tolist() == [[7.0, 7.0], [7.0, 7.0]]
    assert m.state_dict(keep_vars=True)["weight"] is m.weight


def test_loading_accepts_arrays_tensors_and_other_dtypes():
    m = linear()
    weight = m.weight
    m.load_state_dict({"weight": np.ones((2, 2)), "bias": tg.tensor([2, 3])})
    assert m.weight is weight
    assert m.weight.dtype == tg.float32
    assert m(tg.ones(1, 2)).tolist() == [[4.0, 5.0]]


def test_what_does_not_match_is_returned_where_it_is_not_strict():
    m = linear()
    result = m.load_state_dict({"weight": tg.ones(2, 2), "extra": tg.ones(1)}, strict=False)
    assert result == (["bias"], ["extra"])
    assert result.missing_keys == ["bias"]
    assert repr(result) == "IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['extra'])"
    assert m.weight.tolist() == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("state", "strict", "text"),
    [
        ({"0.weight": np.ones((2, 2))}, True, "missing: 0.bias, 1.weight, 1.bias"),
        ({"0.weight": np.ones((2, 2)), "z": 1}, True, "unexpected: z"),
        ({"0.weight": np.ones((2, 2)), "1.weight": np.ones((2, 3))}, False, r"1.weight has shape \(2, 3\)"),
        ({"0.weight": np.ones((2, 2)), "1.bias": np.ones(1)}, False, r"1.bias has shape \(1,\), and the model's has"),
        ({"0.weight": np.ones((2, 2)), "1.bias": [1.0, 1.0]}, False, "1.bias is list, not a Tensor"),
        ({"0.weight": np.ones((2, 2)), "1.bias": None}, False, "1.bias is NoneType, not a Tensor"),
        ({"0.weight": np.ones((2, 2)), "1.bias": np.array(["a", "b"])}, False, "which is not a number"),
        ({"0.weight": np.ones((2, 2)), "1.bias": np.array([1j, 1j])}, False, "which is not a number"),
    ],
)
def test_nothing_is_loaded_unless_everything_fits(state, strict, text):
    net = nn.Sequential(linear(), linear())
    before = {k: v.tolist() for k, v in net.state_dict().items()}
    with pytest.raises(RuntimeError, match=rf"nothing was loaded(.|\n)*{text}"):
        net.load_state_dict(state, strict=strict)
    assert {k: v.tolist() for k, v in net.state_dict().items()} == before


def test_nothing_is_loaded_where_a_parameter_cannot_be_written():
    net = nn.Sequential(linear(), linear())
    net[1].bias = nn.Parameter(tg.zeros(1).expand(2))
    before = net[0].weight.tolist()
    with pytest.raises(RuntimeError, match=r"1\.bias of the model cannot be written to"):
        net.load_state_dict({k: np.ones(v.shape) for k, v in net.state_dict().items()})
    assert net[0].weight.tolist() == before


def test_loading_between_forward_and_backward_is_noticed():
    net = nn.Sequential(linear(), nn.Tanh(), linear())
    loss = net(tg.ones(1, 2)).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(AutogradError, match="changed in place"):
        loss.backward()


# Layers


def test_linear_takes_any_leading_dimensions():
    m = nn.Linear(3, 2)
    for leading in [(), (5,), (0,), (2, 1, 4)]:
        x = tg.randn(*leading, 3)
        np.testing.assert_allclose(
            m(x).detach(), x.numpy() @ m.weight.detach().numpy().T + m.bias.detach().numpy(), rtol=1e-5, atol=1e-6
        )
    assert nn.Linear(0, 2)(tg.ones(4, 0)).shape == (4, 2)
    assert nn.Linear(3, 0)(tg.ones(4, 3)).shape == (4, 0)
    assert nn.Linear(3, 2, bias=False).bias is None
    assert nn.Linear(3, 2, True, "cpu", tg.float64).weight.dtype == tg.float64


def test_the_layers_that_only_reshape_give_torchs_shapes():
    theirs, ours = both(
        lambda library, layers: (
            [
                tuple(layer(library.zeros(2, 3, 4, 5)).shape)
                for layer in (
                    layers.Flatten(),
                    layers.Flatten(0),
                    layers.Flatten(1, 2),
                    layers.Flatten(-2),
                    layers.Identity(),
                )
            ]
            + [tuple(layers.Unflatten(1, (2, 3))(library.zeros(5, 6)).shape)]
        )
    )
    assert ours == theirs


# Initialisation


def test_linear_starts_within_torchs_bounds_and_fills_them():
    m = nn.Linear(400, 300)
    for values in (m.weight, m.bias):
        values = values.detach().numpy()
        assert np.abs(values).max() <= 0.05
        assert np.abs(values).max() > 0.049
        assert values.std() == pytest.approx(0.05 / math.sqrt(3), rel=0.1)
        assert abs(values.mean()) < 0.005


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("linear", None), ("conv1d", None), ("conv2d", None), ("conv3d", None), ("sigmoid", None), ("tanh", None),
        ("conv_transpose1d", None), ("conv_transpose2d", None), ("conv_transpose3d", None),
        ("relu", None), ("leaky_relu", None), ("leaky_relu", 0.3), ("leaky_relu", 0), ("selu", None),
    ],
)  # fmt: skip
def test_gains_are_torchs(name, param):
    torch = torch_on_one_thread()
    assert nn.init.calculate_gain(name, param) == pytest.approx(torch.nn.init.calculate_gain(name, param), rel=1e-15)


def test_an_unknown_gain_is_refused():
    with pytest.raises(ValueError, match="unknown nonlinearity 'swoosh'"):
        nn.init.calculate_gain("swoosh")
    with pytest.raises(ValueError, match="slope of leaky_relu must be a number, not 'steep'"):
        nn.init.calculate_gain("leaky_relu", "steep")


FILLED = [  # the call, its bound (None where normal), its standard deviation; for a (300, 200) matrix
    (lambda x: nn.init.uniform_(x), None, 1 / math.sqrt(12)),
    (lambda x: nn.init.uniform_(x, -2.0, 2.0), 2.0, 4 / math.sqrt(12)),
    (lambda x: nn.init.normal_(x, 0.0, 3.0), None, 3.0),
    (lambda x: nn.init.xavier_uniform_(x), math.sqrt(6 / 500), math.sqrt(2 / 500)),
    (lambda x: nn.init.xavier_uniform_(x, gain=2.0), 2 * math.sqrt(6 / 500), 2 * math.sqrt(2 / 500)),
    (lambda x: nn.init.xavier_normal_(x, gain=0.5), None, 0.5 * math.sqrt(2 / 500)),
    (lambda x: nn.init.kaiming_uniform_(x), math.sqrt(6 / 200), math.sqrt(2 / 200)),
    (lambda x: nn.init.kaiming_uniform_(x, a=math.sqrt(5)), math.sqrt(1 / 200), math.sqrt(1 / 600)),
    (
        lambda x: nn.init.kaiming_uniform_(x, mode="fan_out", nonlinearity="relu"),
        math.sqrt(6 / 300),
        math.sqrt(2 / 300),
    ),
    (lambda x: nn.init.kaiming_normal_(x, nonlinearity="tanh"), None, 5 / 3 / math.sqrt(200)),
    (lambda x: nn.init.kaiming_normal_(x, mode="fan_out"), None, math.sqrt(2 / 300)),
]


@pytest.mark.parametrize(("fill", "bound", "deviation"), FILLED)
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_random_fills_have_their_bounds_and_deviation(fill, bound, deviation, dtype):
    x = nn.Parameter(tg.zeros(300, 200, dtype=dtype))
    memory = x.data_ptr()
    assert fill(x) is x
    assert x.data_ptr() == memory
    assert x.is_leaf
    assert x.requires_grad
    values = x.detach().numpy()
    assert values.dtype == dtype
    assert values.std() == pytest.approx(deviation, rel=0.02)
    if bound is not None:
        assert 0.99 * bound < np.abs(values).max() <= bound * (1 + 1e-6)
        assert abs(values.mean()) < 0.02 * bound
    tg.manual_seed(1)
    first = fill(x).tolist()
    tg.manual_seed(1)
    assert fill(x).tolist() == first


def test_normal_numbers_are_normal():
    values = np.sort(nn.init.normal_(tg.empty(20_000), 1.0, 2.0).numpy())
    distribution = np.array([0.5 * (1 + math.erf((v - 1) / 2 / math.sqrt(2))) for v in values[::20]])
    assert np.abs(distribution - np.arange(0, 20_000, 20) / 20_000).max() < 0.012  # Kolmogorov and Smirnov's bound


def test_fans_count_the_receptive_field_as_in_torch():
    torch = torch_on_one_thread()
    for shape in [(3, 4), (8, 4, 3), (8, 4, 3, 3)]:
        theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.zeros(shape))
        x = nn.init.kaiming_uniform_(tg.empty(*shape), a=math.sqrt(5)).numpy()
        assert np.abs(x).max() <= 1 / math.sqrt(theirs[0])
        y = nn.init.kaiming_uniform_(tg.empty(*shape), a=math.sqrt(5), mode="fan_out").numpy()
        assert np.abs(y).max() <= 1 / math.sqrt(theirs[1])


def test_constant_fills():
    assert nn.init.constant_(tg.empty(2), 0.5).tolist() == [0.5, 0.5]
    assert nn.init.zeros_(nn.Parameter(tg.ones(2))).tolist() == [0.0, 0.0]
    assert nn.init.ones_(tg.empty(2)).tolist() == [1.0, 1.0]
    assert nn.init.eye_(tg.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_fills_refuse_what_they_cannot_do():
    for fill in (nn.init.xavier_uniform_, nn.init.xavier_normal_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_):
        with pytest.raises(ShapeError, match=rf"{fill.__name__}: it needs two dimensions or more.*\(3,\)"):
            fill(tg.empty(3))
    with pytest.raises(ValueError, match="mode must be 'fan_in' or 'fan_out', not 'fan'"):
        nn.init.kaiming_uniform_(tg.empty(2, 2), mode="fan")
    with pytest.raises(ValueError, match="b must not be below a"):
        nn.init.uniform_(tg.empty(2), 1.0, 0.0)
    with pytest.raises(ValueError, match="std must be 0 or more"):
        nn.init.normal_(tg.empty(2), 0.0, -1.0)
    with pytest.raises(ShapeError, match="it takes a matrix"):
        nn.init.eye_(tg.empty(2))


# Dropout


def test_dropout_zeroes_a_share_and_scales_the_rest():
    y = nn.Dropout(0.25)(tg.ones(200, 500)).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.006)
    assert y.mean() == pytest.approx(1.0, abs=0.01)


def test_dropout_of_all_or_nothing():
    x = tg.randn(3, 4, requires_grad=True)
    assert nn.Dropout(0.0)(x).tolist() == x.tolist()
    y = nn.Dropout(1.0)(x)
    y.sum().backward()
    assert y.tolist() == x.grad.tolist() == np.zeros((3, 4)).tolist()


def test_dropout_does_nothing_in_evaluation():
    x = tg.randn(3, 4)
    assert nn.Dropout(0.9).eval()(x).tolist() == x.tolist()


def test_dropout_repeats_with_its_seed_and_differs_from_call_to_call():
    x, layer = tg.ones(100), nn.Dropout()
    tg.manual_seed(3)
    first, second = layer(x).tolist(), layer(x).tolist()
    tg.manual_seed(3)
    assert layer(x).tolist() == first
    assert second != first


@pytest.mark.parametrize("inplace", [False, True])
def test_the_gradient_of_dropout_has_its_mask(inplace):
    x = tg.ones(10, 10, requires_grad=True)
    y = nn.Dropout(0.3, inplace=inplace)(x * 1.0)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert 0 < (y.detach().numpy() == 0).sum() < 100
