"""Work in several threads: every part is done once, mistakes arrive where the work was asked for."""

from __future__ import annotations

import threading

import pytest

import tensorgrad as tg
from tensorgrad.backends.parallel import run
from tensorgrad.backends.threads import openblas

needs_openblas = pytest.mark.skipif(openblas() is None, reason="NumPy has no OpenBLAS of its own")


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_every_part_is_done_once(parts):
    done = []
    run(done.append, parts)
    assert sorted(done) == list(range(parts))


@needs_openblas
def test_parts_are_done_at_the_same_time_with_products_on_one_thread():
    before, together, counts = tg.get_num_threads(), threading.Barrier(3), []

    def work(part):
        together.wait(10)
        counts.append(tg.get_num_threads())

    run(work, 3)
    assert counts == [1, 1, 1]
    assert tg.get_num_threads() == before


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
