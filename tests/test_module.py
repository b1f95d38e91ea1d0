"""Modules: hooks around forward and backward, states that are assigned, conversions, and lists of parameters."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError, DeviceError, DtypeError, ShapeError


def both(claim):
    """What a claim, made of a library, gives with ours and with PyTorch's."""
    torch = pytest.importorskip("torch")
    return claim(tg), claim(torch)


def plain(grads):
    return [None if g is None else g.tolist() for g in grads]


def module_of(library, function):
    class Own(library.nn.Module):
        def forward(self, *args):
            return function(*args)

    return Own()


# Hooks


CALLS = {
    "one input": (lambda x: x * x, lambda lib: [lib.tensor([1.0, 2.0], requires_grad=True)]),
    "two inputs": (
        lambda x, y: x * y,
        lambda lib: [lib.tensor([1.0, 2.0], requires_grad=True), lib.tensor(3.0, requires_grad=True)],
    ),
    "two outputs": (lambda x: (x * 2, x * 3), lambda lib: [lib.tensor([1.0, 2.0], requires_grad=True)]),
    "one that needs none": (
        lambda x, y, k: x * y * k,
        lambda lib: [lib.tensor([1.0]), lib.tensor([2.0], requires_grad=True), 3],
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("changing", [False, True])
def test_backward_hooks_see_and_replace_torchs_gradients(name, changing):
    function, arguments = CALLS[name]

    def claim(library):
        log = []
        module, args = module_of(library, function), arguments(library)

        def before(module, grad_output):
            log.append(("before", plain(grad_output)))
            return tuple(g * 10 for g in grad_output) if changing else None

        def after(module, grad_input, grad_output):
            log.append(("after", plain(grad_input), plain(grad_output)))
            return tuple(None if g is None else g + 1 for g in grad_input) if changing else None

        module.register_full_backward_pre_hook(before)
        module.register_full_backward_hook(after)
        y = module(*args)
        total = sum(part.sum() for part in y) if isinstance(y, tuple) else y.sum()
        total.backward()
        return log, plain([x.grad for x in args if hasattr(x, "grad")])

    ours, theirs = both(claim)
    assert ours == theirs


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_a_backward_hook_of_a_module_without_such_inputs_sees_its_outputs():
    def claim(library):
        log = []
        layer = library.nn.Linear(2, 1)
        layer.register_full_backward_hook(lambda m, gi, go: log.append((plain(gi), plain(go))))
        layer(library.ones(1, 2)).sum().backward()
        return log, layer.bias.grad.tolist()

    ours, theirs = both(claim)
    assert ours == theirs == ([([None], [[[1.0]]])], [1.0])


def test_backward_hooks_come_in_order_and_go():
    layer, log, x = nn.Linear(2, 2), [], tg.ones(1, 2, requires_grad=True)
    layer.register_full_backward_hook(lambda *args: log.append("second"))
    handle = layer.register_full_backward_hook(lambda *args: log.append("first"), prepend=True)
    layer(x).sum().backward()
    assert log == ["first", "second"]
    handle.remove()
    layer(x).sum().backward()
    assert log == ["first", "second", "second"]
    with tg.no_grad():
        layer(x)
    assert len(log) == 3


def test_a_hook_that_returns_too_few_gradients_is_refused():
    layer = nn.Linear(2, 2)
    layer.register_full_backward_hook(lambda m, gi, go: ())
    with pytest.raises(AutogradError, match="returned 0 gradients in the place of 1"):
        layer(tg.ones(1, 2, requires_grad=True)).sum().backward()


def test_a_hook_that_is_always_called_is_so_where_forward_fails():
    def claim(library):
        log = []

        def fails(x):
            raise ValueError("no")

        module = module_of(library, fails)
        module.register_forward_hook(lambda m, args, y: log.append(("plain", y)))
        module.register_forward_hook(lambda m, args, y: log.append(("always", y)), always_call=True)
        module.register_forward_hook(
            lambda m, args, kwargs, y: log.append(("with kwargs", y)), always_call=True, with_kwargs=True
        )
        with pytest.raises(ValueError, match="no"):
            module(1)
        return log

    ours, theirs = both(claim)
    assert ours == theirs == [("always", None), ("with kwargs", None)]


# Parts and state


def test_a_module_is_put_in_by_its_dotted_name():
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU()))
    net.set_submodule("1.0", nn.Tanh())
    assert isinstance(net[1][0], nn.Tanh)
    net.set_submodule("1.extra", nn.ReLU())
    assert isinstance(net[1].extra, nn.ReLU)
    with pytest.raises(AttributeError, match="Sequential has no module 'more' to replace"):
        net.set_submodule("1.more", nn.ReLU(), strict=True)
    with pytest.raises(AttributeError, match="no module '7'"):
        net.set_submodule("7.0", nn.ReLU())


def test_assigned_states_are_taken_themselves():
    net = nn.Sequential(nn.Linear(2, 1), nn.Linear(2, 1))
    net.register_buffer("count", tg.zeros(1))
    net[1].requires_grad_(False)
    state = {name: tg.full(value.shape, 2.0, dtype=tg.float64) for name, value in net.state_dict().items()}
    given = nn.Parameter(tg.ones(1, 2))
    state["0.weight"] = given
    state["1.bias"] = np.array([7.0])
    assert not any(net.load_state_dict(state, assign=True))
    assert net[0].weight is given
    assert net[0].bias.dtype == tg.float64
    assert net[0].bias.requires_grad
    assert isinstance(net[0].bias, nn.Parameter)
    assert net[0].bias.data_ptr() == state["0.bias"].data_ptr()
    assert not net[1].weight.requires_grad
    assert net[1].bias.tolist() == [7.0]
    assert net.count is state["count"]
    assert list(net.state_dict()) == list(state)


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


# Lists and dicts of parameters


def values_of(library):
    return library.nn.Parameter(library.ones(2)), library.zeros(1, 3), "text"


def test_a_list_of_parameters_behaves_like_torchs():
    def claim(library):
        p, x, text = values_of(library)
        held = library.nn.ParameterList([p])
        held.append(x)
        held += [text]
        held.extend(library.nn.ParameterList([library.ones(1)]))
        held[3] = library.zeros(2)
        with pytest.raises(IndexError):
            held[4]
        with pytest.raises(TypeError):
            held.extend(library.ones(2))
        with pytest.raises((TypeError, RuntimeError)):
            held(1)
        return (
            len(held),
            held[0] is p,
            held[-1].tolist(),
            [type(value).__name__ for value in held],
            [type(value).__name__ for value in held[1:3]],
            [(name, tuple(value.shape)) for name, value in held.named_parameters()],
            list(held.state_dict()),
            repr(held).replace("torch.", ""),
            repr(library.nn.ParameterList()),
            repr(library.nn.ParameterList([p])).replace("torch.", ""),
            [value.tolist() for value in copy.deepcopy(held).parameters()],
        )

    ours, theirs = both(claim)
    assert ours == theirs


def test_a_dict_of_parameters_behaves_like_torchs():
    def claim(library):
        p, x, text = values_of(library)
        held = library.nn.ParameterDict({"b": p, "a": x})
        held["text"] = text
        seen = [list(held), list(reversed(held)), [type(value).__name__ for value in held.values()]]
        seen += [held.setdefault("c", library.ones(1)).tolist(), held.get("zz"), "zz" in held, len(held)]
        seen += [list(held | {"d": x}), list({"d": x} | held) if library is tg else ["d", *held]]
        held |= {"e": library.zeros(1)}
        held.update([("f", x)])
        seen += [held.pop("text"), held.popitem()[0], [key for key, _ in held.items()], list(held.keys())]
        seen += [list(held.state_dict()), list(held.copy()), list(held.fromkeys(["x", "y"], 1))]
        with pytest.raises((KeyError, AttributeError)):
            held["zz"]
        held.clear()
        return [*seen, len(held), list(held.parameters()), repr(held)]

    ours, theirs = both(claim)
    assert ours == theirs


def test_parameters_in_lists_are_found_and_shown_in_a_module():
    net = nn.Module()
    net.weights = nn.ParameterList([tg.ones(2, 3)])
    net.named = nn.ParameterDict({"a": tg.ones(2)})
    assert [name for name, _ in net.named_parameters()] == ["weights.0", "named.a"]
    assert "Parameter containing: [float32 of size 2x3]" in repr(net)
    with pytest.raises(KeyError, match="no parameter 'b'; it has a"):
        net.named["b"]
    with pytest.raises(IndexError, match="index 3 is out of range for 1 parameters"):
        net.weights[3]
    with pytest.raises(TypeError, match="a key must be a string, not int"):
        net.named[1] = tg.ones(1)


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
