"""Worker processes of the DataLoader: the same batches in the same order, errors handed over, nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.utils.data import (
    ChainDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    TensorDataset,
    WorkerError,
    get_worker_info,
)


class Squares(Dataset):
    def __init__(self, n=10, slow=(), bad=(), deadly=()):
        self.n, self.slow, self.bad, self.deadly = n, slow, bad, deadly

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i in self.slow:
            time.sleep(0.1)
        if i in self.bad:
            raise KeyError(f"no item {i}")
        if i in self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return i * i


class Stream(IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        start, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(start, 10, step))


class Seeds(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return tg.rand(1).item() + get_worker_info().id, np.random.randint(10**6)  # noqa: NPY002


@pytest.fixture(autouse=True)
def no_process_is_left():
    yield
    assert multiprocessing.active_children() == []


def batches(loader):
    return [batch.tolist() for batch in loader]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_come_in_the_same_order_as_without_workers(workers):
    expected = batches(DataLoader(Squares(), batch_size=3))
    assert batches(DataLoader(Squares(slow=(0, 4)), batch_size=3, num_workers=workers)) == expected


def test_shuffling_is_that_of_the_seed_and_another_each_epoch():
    def epochs(workers):
        loader = DataLoader(Squares(), 4, shuffle=True, generator=tg.Generator().manual_seed(3), num_workers=workers)
        return [[x for batch in batches(loader) for x in batch] for _ in range(2)]

    first, second = epochs(0)
    assert sorted(first) == sorted(second) == [i * i for i in range(10)]
    assert first != second
    assert epochs(2) == [first, second]


def test_items_one_by_one_and_whole_batches_of_indices():
    assert list(DataLoader(Squares(3), batch_size=None, num_workers=2)) == [0, 1, 4]
    assert batches(DataLoader(Squares(), batch_sampler=[[1, 2], [3]], num_workers=2)) == [[1, 4], [9]]


def test_tensors_come_across():
    x = tg.arange(6.0).reshape(3, 2)
    got = list(DataLoader(TensorDataset(x, tg.arange(3)), batch_size=2, num_workers=1))
    assert got[0][0].tolist() == x[:2].tolist()
    assert got[1][1].dtype == tg.int64


def test_a_stream_is_shared_out_by_worker_info():
    assert sorted(x for batch in batches(DataLoader(Stream(), 2, num_workers=2)) for x in batch) == list(range(10))
    assert get_worker_info() is None


def test_a_stream_without_worker_info_comes_whole_from_each_worker():
    class Whole(IterableDataset):
        def __iter__(self):
            return iter(range(3))

    assert batches(DataLoader(Whole(), 2, num_workers=2)) == [[0, 1], [0, 1], [2], [2]]


def test_an_error_is_raised_here_as_what_it_was_with_the_workers_traceback():
    with pytest.raises(KeyError, match=r"(?s)in worker process 1 of the DataLoader.*no item 5"):
        batches(DataLoader(Squares(bad=(5,)), 4, num_workers=2))


def test_a_worker_that_is_killed_is_noticed():
    with pytest.raises(WorkerError, match=r"worker process 0 .* exit code -9"):
        batches(DataLoader(Squares(deadly=(1,)), 4, num_workers=2))


def test_a_worker_that_has_ended_before_its_next_task_is_noticed_in_its_turn():
    def patient():
        yield [1]
        (worker,) = multiprocessing.active_children()
        worker.join(5)
        yield [2]

    with pytest.raises(WorkerError, match=r"worker process 0 .* exit code -9"):
        batches(DataLoader(Squares(deadly=(1,)), batch_sampler=patient(), num_workers=1))


def test_a_batch_that_does_not_come_is_a_timeout():
    with pytest.raises(WorkerError, match=r"timeout of 0.05 seconds"):
        batches(DataLoader(Squares(slow=range(10)), 4, num_workers=1, timeout=0.05))


def test_breaking_off_ends_the_workers():
    for _ in DataLoader(Squares(), 1, num_workers=2):
        break


def test_workers_that_persist_serve_the_next_epoch():
    loader = DataLoader(Squares(), 5, num_workers=2, persistent_workers=True)
    first = batches(loader)
    pids = [process.pid for process in loader._workers.processes]
    assert batches(loader) == first
    assert [process.pid for process in loader._workers.processes] == pids
    loader._workers.close()


def test_workers_have_random_numbers_of_their_own_that_the_seed_decides():
    def drawn():
        tg.manual_seed(5)
        return [batch[0].tolist() + batch[1].tolist() for batch in DataLoader(Seeds(), 2, num_workers=2)]

    first = drawn()
    assert drawn() == first
    assert abs(first[0][0] - (first[1][0] - 1)) > 1e-9


def test_worker_init_fn_is_called_with_the_number():
    def init(number):
        np.random.seed(number)  # noqa: NPY002

    got = [batch[1].tolist() for batch in DataLoader(Seeds(), 1, num_workers=2, worker_init_fn=init)]
    np.random.seed(0)  # noqa: NPY002
    assert got[0] == [np.random.randint(10**6)]  # noqa: NPY002


def test_large_batches_in_both_directions_do_not_block_one_another():
    data = TensorDataset(tg.zeros(40_000, 8))
    loader = DataLoader(data, batch_size=20_000, num_workers=1, prefetch_factor=2)
    assert sum(len(x) for (x,) in loader) == 40_000


def test_chained_streams_and_stacked_data_sets():
    assert list(ChainDataset([Stream(), Stream()])) == [*range(10)] * 2
    batch = next(iter(DataLoader(StackDataset(x=Squares(4), y=[1, 2, 3, 4]), 2)))
    assert {key: value.tolist() for key, value in batch.items()} == {"x": [0, 1], "y": [1, 2]}
    with pytest.raises(tg.errors.ShapeError, match="must have one length"):
        StackDataset(Squares(3), Squares(4))


def test_an_error_is_not_lost_where_training_is_slower_than_the_workers():
    loader = iter(DataLoader(Squares(40, bad=(5,)), 2, num_workers=2))
    first = next(loader)
    time.sleep(0.3)
    assert first.tolist() == [0, 1]
    with pytest.raises(KeyError, match="no item 5"):
        list(loader)
