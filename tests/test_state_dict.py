"""The tree of a model and its state: names, parts by their names, and what is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import both, linear, torch_on_one_thread

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError

# Names


def nested(library):
    layers = library.nn

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
    ours, theirs = both(lambda library: names(nested(library)))
    assert ours == theirs


def test_parts_are_found_by_dotted_names():
    net = nested(tg)
    assert net.get_submodule("") is net
    assert net.get_submodule("5.heads.a") is net[5].heads["a"]
    assert net.get_parameter("5.scale") is net[5].scale
    assert net.get_buffer("5.seen") is net[5].seen
    assert {"scale", "seen", "layers", "forward"} <= set(dir(net[5]))


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


# State


def test_torchs_values_loaded_as_arrays_give_torchs_outputs_and_gradients():
    torch = torch_on_one_thread()
    theirs, ours = nested(torch).double().eval(), nested(tg).double().eval()
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
    theirs, ours = nested(torch), nested(tg)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in ours.state_dict().items()})
    assert all(
        np.array_equal(a, b.detach())
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
    )


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


# Hooks


def told_of_state(library):
    """What hooks of a model, of a part of it and of a layer are told, and what comes out and is loaded."""
    layers, told = library.nn, []
    net = layers.Sequential(layers.Linear(1, 1), layers.Sequential(layers.Linear(1, 1, bias=False)))

    def telling(name, act=lambda *args: None):
        def hook(module, *args):
            told.append((name, type(module).__name__, [list(a) if isinstance(a, dict) else a for a in args[:2]]))
            act(*args)

        return hook

    def renamed(state, prefix, *rest):
        state[prefix + "weight"] = state.pop(prefix + "old")

    for name, module in (("net", net), ("part", net[1]), ("layer", net[1][0])):
        module.register_state_dict_pre_hook(telling(f"{name} before"))
        module.register_state_dict_post_hook(telling(f"{name} after"))
        module.register_load_state_dict_pre_hook(telling(f"{name} before loading"))
        module.register_load_state_dict_post_hook(
            lambda module, keys, name=name: told.append((name, sorted(keys.missing_keys), sorted(keys.unexpected_keys)))
        )
    net[1][0].register_state_dict_post_hook(telling("", lambda state, prefix, _: state.update({prefix + "old": 1})))
    net[1][0].register_load_state_dict_pre_hook(telling("", renamed))
    told.append(list(net.state_dict(prefix="net.")))
    loaded = {"0.weight": library.ones(1, 1), "1.0.old": library.ones(1, 1) * 2, "extra": library.ones(1)}
    told.append([list(names) for names in net.load_state_dict(loaded, strict=False)])
    handle = net.register_load_state_dict_post_hook(lambda module, keys: [names.clear() for names in keys][2:] or None)
    told.append([list(names) for names in net.load_state_dict(loaded)])
    handle.remove()
    with pytest.raises(RuntimeError, match="extra"):
        net.load_state_dict(loaded)
    told.append((list(loaded), net[1][0].weight.tolist(), net[0].weight.tolist()))
    return told


def test_hooks_of_the_state_are_told_and_may_change_what_they_are_in_torch():
    ours, theirs = both(told_of_state)
    assert ours == theirs


def test_without_a_hook_that_could_forgive_it_nothing_is_loaded_and_with_one_what_fits_is():
    m = linear()
    before = m.weight.tolist()
    with pytest.raises(RuntimeError, match="and nothing was loaded:\n  missing: bias"):
        m.load_state_dict({"weight": tg.ones(2, 2)})
    assert m.weight.tolist() == before
    m.register_load_state_dict_post_hook(lambda module, keys: None)
    with pytest.raises(RuntimeError, match="and only what fits was loaded:\n  missing: bias"):
        m.load_state_dict({"weight": tg.ones(2, 2)})
    assert m.weight.tolist() == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("name", ["register_state_dict_post_hook", "register_load_state_dict_post_hook"])
def test_a_hook_of_the_state_that_returns_something_is_refused(name):
    m = linear()
    getattr(m, name)(lambda *args: {})
    with pytest.raises(TypeError, match=f"{name}: the hook must return None, not dict"):
        m.load_state_dict(m.state_dict())
