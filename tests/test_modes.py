"""Grad mode and anomaly mode, nested, as decorators, each thread with its own; evaluation mode, shared by threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from side_by_side import leaf

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.errors import AutogradError
from tensorgrad.nn.modes import evaluating


def test_modes_nest_and_end_with_their_block():
    x = leaf(1.0)
    with tg.no_grad():
        assert not (x * 2).requires_grad
        with tg.enable_grad():
            assert (x * 2).requires_grad
        with tg.set_grad_enabled(True):
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert tg.is_grad_enabled()


def test_set_grad_enabled_works_as_a_call():
    tg.set_grad_enabled(False)
    try:
        assert not tg.is_grad_enabled()
    finally:
        tg.set_grad_enabled(True)


@pytest.mark.parametrize(
    "decorator",
    [
        lambda: tg.no_grad(),
        lambda: tg.no_grad,
        lambda: tg.inference_mode(),
        lambda: tg.inference_mode,
        lambda: tg.set_grad_enabled(False),
    ],
)
def test_modes_decorate_functions(decorator):
    @decorator()
    def run(x):
        return (x * 2).requires_grad

    assert run(leaf(1.0)) is False
    assert tg.is_grad_enabled()


def test_a_decorated_generator_holds_the_mode_only_inside():
    @tg.no_grad()
    def run():
        received = yield tg.is_grad_enabled()
        yield (received, tg.is_grad_enabled())

    generator = run()
    assert next(generator) is False
    assert tg.is_grad_enabled()
    assert generator.send("sent") == ("sent", False)
    assert tg.is_grad_enabled()


def test_modes_are_per_thread():
    seen = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_threads_can_walk_their_own_graphs_at_once():
    w = leaf(*np.linspace(-1, 1, 50))
    results = [None] * 4

    def work(i):
        for _ in range(30):
            (results[i],) = tg.autograd.grad(((w * (i + 1)).tanh() ** 2).sum(), w)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, g in enumerate(results):
        (expected,) = tg.autograd.grad(((w * (i + 1)).tanh() ** 2).sum(), w)
        assert g.tolist() == expected.tolist()


def test_anomaly_mode_names_the_line_of_the_user():
    x = leaf(0.0)
    message = r"div gave NaN for its input 0.*test_modes.py:\d+ in test_anomaly.*x / x"
    with pytest.raises(AutogradError, match=message), tg.autograd.detect_anomaly():
        (x / x).sum().backward()
    with tg.autograd.detect_anomaly():
        y = x.exp()
        y.add_(1)
        with pytest.raises(AutogradError, match=r"called at .*y = x.exp\(\)"):
            y.backward()


def test_a_decorated_generator_can_be_thrown_into():
    @tg.no_grad()
    def run():
        try:
            yield 1
        except KeyError:
            yield tg.is_grad_enabled()

    generator = run()
    next(generator)
    assert generator.throw(KeyError()) is False
    assert tg.is_grad_enabled()


def test_evaluation_ends_with_its_last_user_and_puts_each_layer_back_into_its_mode():
    network = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.BatchNorm1d(2))
    network[2].eval()
    whole, again, part = evaluating(network), evaluating(network), evaluating(network[1])
    for user in (whole, part, again):
        user.__enter__()
    for user in (whole, again):
        user.__exit__(None, None, None)
    assert [layer.training for layer in network] == [True, False, False]
    assert network.training
    part.__exit__(None, None, None)
    assert [layer.training for layer in network] == [True, True, False]
    with pytest.raises(KeyError), evaluating(network):
        raise KeyError
    assert [layer.training for layer in network] == [True, True, False]


class Slow(nn.Module):
    def forward(self, x):
        time.sleep(0.001)  # lets the other threads go on
        return x


def test_threads_that_ask_one_model_in_training_get_the_predictions_of_one():
    generator = tg.manual_seed(0)
    X = tg.randn(64, 8, generator=generator).numpy()
    model = train.Model([Slow(), nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 3)])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, np.arange(64) % 3, verbose=0)
    model.module.train()
    mean, expected = model.module[2].running_mean.numpy().copy(), model.predict(X)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: model.predict(X, batch_size=16), range(40)):
            np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_array_equal(model.module[2].running_mean.numpy(), mean)
    assert all(layer.training for layer in model.module.modules())
