"""Work in several threads: every part is done once, mistakes arrive where the work was asked for."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends.parallel import run
from tensorgrad.backends.threads import openblas
from tensorgrad.nn import functional as F

needs_openblas = pytest.mark.skipif(openblas() is None, reason="NumPy has no OpenBLAS of its own")


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_every_part_is_done_once(parts):
    done = []
    run(done.append, parts)
    assert sorted(done) == list(range(parts))


@needs_openblas
def test_parts_are_done_at_the_same_time_with_products_on_one_thread():
    before, together, done = tg.get_num_threads(), threading.Barrier(3), []

    def work(part):
        together.wait(10)
        done.append(part)

    run(work, 3)
    assert sorted(done) == [0, 1, 2]
    assert openblas()[1]() == 1
    assert tg.get_num_threads() == before


@needs_openblas
@pytest.mark.parametrize("shapes", [((600, 300), (300, 200)), ((200, 700), (700, 301)), ((1, 9000), (9000, 2001))])
def test_large_products_are_divided_and_are_the_same(shapes):
    before = tg.get_num_threads()
    run(lambda part: None, 2)
    tg.set_num_threads(3)
    a, b = (tg.randn(*shape, dtype=tg.float64) for shape in shapes)
    for x in (a, a.T.contiguous().T):
        np.testing.assert_allclose((x @ b).numpy(), a.numpy() @ b.numpy(), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(F.linear(x, b.T).numpy(), a.numpy() @ b.numpy(), rtol=1e-10, atol=1e-10)
    tg.set_num_threads(before)


@pytest.mark.parametrize("failing", [0, 2])
def test_an_error_in_a_part_is_raised_after_the_others_are_done(failing):
    before, done = tg.get_num_threads(), []

    def work(part):
        if part == failing:
            raise ValueError(f"part {part}")
        done.append(part)

    with pytest.raises(ValueError, match=f"part {failing}"):
        run(work, 3)
    assert tg.get_num_threads() == before
    run(done.append, 2)
    assert done[-2:] in ([0, 1], [1, 0])


def test_work_inside_work_is_done_in_order():
    done = []
    run(lambda part: run(lambda inner: done.append((part, inner)), 2), 2)
    assert sorted(done) == [(0, 0), (0, 1), (1, 0), (1, 1)]
