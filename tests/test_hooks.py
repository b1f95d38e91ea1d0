"""Hooks: on gradients, and around what a module computes forward and backward."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
from side_by_side import both, leaf, linear

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.errors import AutogradError, DtypeError, ShapeError

# On a gradient


def test_a_hook_sees_the_whole_gradient_and_may_replace_it():
    x = leaf(2.0)
    h = x * 3
    seen = []
    h.register_hook(lambda g: seen.append(g.item()))
    handle = h.register_hook(lambda g: g * 10)
    (h * 1.0 + h).backward(retain_graph=True)
    assert seen == [2.0]
    assert x.grad.tolist() == [60.0]
    handle.remove()
    x.grad = None
    (h + h).backward()
    assert x.grad.tolist() == [6.0]


def test_a_hook_on_a_leaf_runs_before_grad_is_set():
    x = leaf(2.0)
    x.register_hook(lambda g: g * 2)
    (x * 1.0 + x * 3.0).backward()
    assert x.grad.tolist() == [8.0]


def test_a_hook_must_return_a_tensor_of_the_same_shape():
    x = leaf(1.0, 2.0)
    (h := x * 2).register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match=r"gradient's shape \(2,\)"):
        h.sum().backward()


def test_retain_grad_keeps_an_intermediate_gradient():
    x = leaf(3.0)
    h = x * x
    h.retain_grad()
    (h * 2).backward()
    assert h.grad.tolist() == [2.0]
    assert h.grad_fn is not None


def test_removing_a_hook_twice_removes_it_once():
    x, seen = leaf(1.0), []
    hook = lambda g: seen.append(1)  # noqa: E731
    first = x.register_hook(hook)
    x.register_hook(hook)
    first.remove()
    first.remove()
    (x * 1).backward()
    assert seen == [1]


def test_a_hook_may_not_change_the_dtype_and_does_not_record():
    x, modes = leaf(1.0), []
    x.register_hook(lambda g: modes.append(tg.is_grad_enabled()))
    (x * 2).backward()
    assert modes == [False]
    x.register_hook(lambda g: g.float())
    with pytest.raises(DtypeError, match="float64, and it returned float32"):
        (x * 2).backward()


def test_retain_grad_keeps_what_the_hooks_left_and_only_once():
    x = leaf(1.0)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    (y * 1).backward()
    assert y.grad.tolist() == [10.0]


def test_a_retained_gradient_that_is_also_asked_for_counts_once():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward(inputs=[y])
    assert y.grad.tolist() == [4.0, 8.0]


# When a leaf's gradient is set


def test_a_hook_for_when_grad_is_set_sees_the_leaf_with_all_of_its_gradient_as_in_torch():
    def claim(library):
        x, seen = library.tensor([1.0, 2.0], requires_grad=True), []
        x.register_hook(lambda g: g * 2)
        x.register_post_accumulate_grad_hook(
            lambda p: seen.append((p is x, p.grad.tolist(), library.is_grad_enabled()))
        )
        handle = x.register_post_accumulate_grad_hook(lambda p: seen.append("second"))
        (x * 1.0 + x * 3.0).sum().backward()
        library.autograd.grad((x * 3).sum(), x)  # sets no .grad
        handle.remove()
        (x * 3).sum().backward(inputs=[x])
        x.grad = None
        (x * x).sum().backward(create_graph=True)
        x.grad = None
        return seen

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of create_graph
        ours, theirs = both(claim)
    assert ours == theirs
    assert len(ours) == 4


def test_such_a_hook_may_make_the_step_and_let_go_of_the_gradient():
    model = nn.Linear(3, 2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}

    def step(p):
        p.sub_(p.grad)
        p.grad = None

    for p in model.parameters():
        p.register_post_accumulate_grad_hook(step)
    model(tg.ones(4, 3)).sum().backward()
    for name, p in model.named_parameters():
        assert p.grad is None
        assert p.tolist() == (before[name] - 4).tolist()


def test_such_a_hook_is_for_leaves_and_returns_nothing():
    x = leaf(1.0)
    with pytest.raises(AutogradError, match=r"it takes a leaf .* was computed from others; use register_hook"):
        (x * 2).register_post_accumulate_grad_hook(print)
    with pytest.raises(AutogradError, match=r"it takes a leaf .* does not require one"):
        tg.ones(1).register_post_accumulate_grad_hook(print)
    x.register_post_accumulate_grad_hook(lambda p: p.grad)
    with pytest.raises(DtypeError, match="must return None, not Tensor"):
        x.backward()


# Around forward


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
    def claim(library):
        layers = library.nn

        class Times(layers.Module):
            def forward(self, x, k=1):
                return x * k

        m, log = Times(), []
        m.register_forward_pre_hook(lambda module, args, kwargs: (args, {"k": 5}), with_kwargs=True)
        m.register_forward_hook(lambda module, args, kwargs, y: log.append(kwargs), with_kwargs=True)
        m.register_forward_hook(lambda *args: log.append("first"), prepend=True)
        return m(library.ones(1), k=2).item(), log

    ours, theirs = both(claim)
    assert ours == theirs == (5.0, ["first", {"k": 5}])


def test_a_hook_may_remove_itself_while_it_runs():
    m, log = nn.Identity(), []
    handle = m.register_forward_hook(lambda *args: (log.append(1), handle.remove())[0])
    m(tg.ones(1))
    m(tg.ones(1))
    assert log == [1]


def test_hooks_and_modes_survive_a_deep_copy_and_pickling():
    m = nn.Sequential(linear(), nn.Dropout()).eval()
    for made in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert not made[1].training
        assert all(p.requires_grad for p in made.parameters())
        assert np.array_equal(made[0].weight.detach(), m[0].weight.detach())
        assert repr(made) == repr(m)


# Around backward


def plain(grads):
    return [None if g is None else g.tolist() for g in grads]


def module_of(library, function):
    class Own(library.nn.Module):
        def forward(self, *args):
            return function(*args)

    return Own()


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


def test_a_hook_that_is_always_called_is_called_once_where_a_later_one_fails():
    def claim(library):
        log = []

        def fails(module, args, y):
            raise ValueError("no")

        module = module_of(library, lambda x: x)
        module.register_forward_hook(lambda m, args, y: log.append(("before", y)), always_call=True)
        module.register_forward_hook(fails, always_call=True)
        module.register_forward_hook(lambda m, args, y: log.append(("after", y)), always_call=True)
        with pytest.raises(ValueError, match="no"):
            module(1)
        return log

    ours, theirs = both(claim)
    assert ours == theirs == [("before", 1), ("after", 1)]
