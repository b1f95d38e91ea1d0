"""Containers: sequences, lists and dicts of modules and of parameters."""

from __future__ import annotations

import copy

import pytest
from side_by_side import both, linear

import tensorgrad as tg
from tensorgrad import nn

# Of modules


def test_containers_behave_like_torchs():
    def claims(library):
        layers = library.nn
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

    ours, theirs = both(lambda library: [repr(claim) for claim in claims(library)])
    assert len(ours) == 11
    assert ours == theirs


def test_a_sequential_keeps_its_names():
    net = nn.Sequential({"first": linear(), "act": nn.ReLU(), "last": linear()})
    assert list(net[:2].state_dict()) == ["first.weight", "first.bias"]
    assert net.first is net[0]
    assert net(tg.ones(1, 2)).shape == (1, 2)


# Of parameters


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
