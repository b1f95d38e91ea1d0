"""Data sets, samplers, collation and the DataLoader, against PyTorch's rules."""

from __future__ import annotations

import copy
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import ShapeError
from tensorgrad.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    random_split,
)

Pair = namedtuple("Pair", "x y")


class Items(Dataset):
    """The same items as a TensorDataset's, computed one by one."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if not 0 <= index < self.n:
            raise IndexError(index)
        return tg.tensor([float(index), -float(index)]), index


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


def in_memory(n):
    column = tg.arange(n).float()
    return TensorDataset(tg.stack([column, -column], dim=1), tg.arange(n))


def labels(loader):
    return [y.tolist() for _, y in loader]


# Data sets


def test_a_tensor_dataset_shares_memory_with_arrays():
    array = np.zeros((3, 2), np.float32)
    data = TensorDataset(array, np.arange(3))
    array[1] = 7
    x, y = data[1]
    assert (x.tolist(), y.item(), len(data)) == ([7.0, 7.0], 1, 3)


def test_a_tensor_dataset_of_unequal_lengths_names_them():
    with pytest.raises(ShapeError, match=r"must have one length, and have 3, 4"):
        TensorDataset(tg.zeros(3, 2), np.zeros(4))


@pytest.mark.parametrize(("tensors", "match"), [((), "at least one"), ((tg.tensor(1.0),), "no dimensions")])
def test_a_tensor_dataset_needs_tensors_with_rows(tensors, match):
    with pytest.raises(ValueError, match=match):
        TensorDataset(*tensors)


def test_a_dataset_without_getitem_says_what_to_define():
    with pytest.raises(NotImplementedError, match="must define __getitem__"):
        Dataset()[0]


def test_concatenation_finds_each_item_and_takes_negative_indices():
    data = ConcatDataset([range(3), range(10, 10), range(20, 22)])
    assert [data[i] for i in range(-5, 5)] == [0, 1, 2, 20, 21] * 2
    with pytest.raises(IndexError, match="index 5 is out of range for 5 items"):
        data[5]


def test_concatenation_refuses_nothing_and_streams():
    with pytest.raises(ValueError, match="at least one"):
        ConcatDataset([])
    with pytest.raises(TypeError, match="Stream has no items by index"):
        ConcatDataset([Stream(2)])


@pytest.mark.parametrize("lengths", [[7, 3], [0.7, 0.3]])
def test_random_split_divides_all_items_among_the_parts(lengths):
    parts = random_split(range(10), lengths, generator=tg.Generator().manual_seed(1))
    assert [len(p) for p in parts] == [7, 3]
    assert sorted(i for p in parts for i in p) == list(range(10))


def test_random_split_is_reproducible_and_random():
    def drawn(seed):
        return random_split(range(50), [25, 25], generator=tg.Generator().manual_seed(seed))[0].indices

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


def test_random_split_gives_what_rounding_leaves_over_to_the_first_parts_as_pytorch_does():
    torch = pytest.importorskip("torch")
    for n in (10, 11, 12):
        fractions = [0.33, 0.33, 0.34]
        sizes = [len(p) for p in torch.utils.data.random_split(range(n), fractions)]
        assert [len(p) for p in random_split(range(n), fractions)] == sizes


def test_random_split_warns_where_a_fraction_gives_an_empty_part():
    with pytest.warns(UserWarning, match=r"part 1, 0.1 of 5 items, is empty"):
        random_split(range(5), [0.9, 0.1])


@pytest.mark.parametrize("lengths", [[5, 4], [0.5, 0.4], [5.5, 4.5], [-1, 11], []])
def test_random_split_refuses_lengths_that_do_not_add_up(lengths):
    with pytest.raises(ValueError, match="random_split"):
        random_split(range(10), lengths)


# Samplers


def test_a_random_sampler_draws_each_index_once_in_a_new_order_each_time():
    sampler = RandomSampler(range(30))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(30))
    assert first != second


def test_a_random_sampler_with_replacement_draws_num_samples():
    drawn = list(RandomSampler(range(3), replacement=True, num_samples=300))
    assert len(drawn) == 300
    assert np.bincount(drawn).min() > 60


def test_more_samples_than_items_without_replacement_come_in_rounds():
    sampler = RandomSampler(range(4), num_samples=10)
    drawn = list(sampler)
    assert len(sampler) == len(drawn) == 10
    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3]


def test_a_weighted_sampler_draws_in_proportion():
    drawn = np.bincount(list(WeightedRandomSampler([1.0, 0.0, 3.0], 4000)), minlength=3) / 4000
    assert drawn[1] == 0
    assert abs(drawn[2] - 0.75) < 0.03
    assert sorted(WeightedRandomSampler([1.0, 0.0, 3.0], 2, replacement=False)) == [0, 2]


def test_a_subset_sampler_draws_its_indices():
    sampler = SubsetRandomSampler(list(range(10, 40)))
    first = list(sampler)
    assert sorted(first) == list(range(10, 40)) != first
    assert len(sampler) == 30


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: RandomSampler([]), ValueError, "empty"),
        (lambda: RandomSampler([1], num_samples=0), ValueError, "num_samples must be 1 or more"),
        (lambda: RandomSampler([1], generator=np.random.default_rng()), TypeError, "tensorgrad.Generator"),
        (lambda: BatchSampler([1], 0), ValueError, "batch_size must be 1 or more, not 0"),
        (lambda: BatchSampler([1], 1.5), TypeError, "batch_size must be an int, not float"),
        (lambda: WeightedRandomSampler([1.0, -1.0], 1), ValueError, "finite and 0 or more"),
        (lambda: WeightedRandomSampler([0.0], 1), ValueError, "one of them positive"),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, "must be a vector"),
        (lambda: WeightedRandomSampler([1.0, 0.0], 2, replacement=False), ValueError, "there are 1"),
        (lambda: iter(Sampler()), NotImplementedError, "must define __iter__"),
    ],
)
def test_samplers_refuse_what_cannot_be_drawn(make, error, match):
    with pytest.raises(error, match=match):
        make()


# Collation

COLLATED = {
    "floats": [1.0, 2.5],
    "ints": [1, 2],
    "bools": [True, False],
    "an int, then a float": [1, 2.5],
    "tuples": [(1, 2.0), (3, 4.0)],
    "lists": [[1, 2], [3, 4]],
    "strings": ["a", "b"],
    "bytes": [b"a", b"b"],
    "dicts": [{"x": 1, "y": (1.0, True)}, {"x": 2, "y": (2.0, False)}],
    "ordered dicts": [OrderedDict(x=1), OrderedDict(x=2)],
    "named tuples": [Pair(1, 2.0), Pair(3, 4.0)],
    "arrays": [np.zeros((2, 3)), np.ones((2, 3))],
    "float32 numbers": [np.float32(1), np.float32(2)],
    "float64 numbers": [np.float64(1), np.float64(2)],
    "integer numbers": [np.int16(1), np.int16(2)],
}


def same_structure(ours, theirs):
    if isinstance(ours, tg.Tensor):
        expected = theirs.numpy()
        return ours.dtype == expected.dtype and np.array_equal(ours.numpy(), expected)
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same_structure(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(same_structure(a, b) for a, b in zip(ours, theirs, strict=True))
    return ours == theirs


@pytest.mark.parametrize("batch", COLLATED.values(), ids=COLLATED.keys())
def test_collation_gives_what_pytorch_gives(batch):
    torch = pytest.importorskip("torch")
    assert same_structure(default_collate(batch), torch.utils.data.default_collate(batch))


@pytest.mark.parametrize(
    "sample", [(np.ones(1), "a", 3), {"x": np.float32(2)}, [1, [np.arange(2)]], Pair(1, np.ones(1))]
)
def test_conversion_of_one_sample_gives_what_pytorch_gives(sample):
    torch = pytest.importorskip("torch")
    assert same_structure(default_convert(sample), torch.utils.data.default_convert(sample))


def test_collated_tensors_keep_their_graph():
    x = tg.ones(2, requires_grad=True)
    default_collate([x, x * 3]).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


@pytest.mark.parametrize(
    ("batch", "error", "match"),
    [
        ([], ValueError, "the batch is empty"),
        ([tg.ones(2), tg.ones(2), tg.ones(3)], ShapeError, r"sample 0 has \(2,\), sample 2 has \(3,\)"),
        ([{"a": (1, tg.ones(2))}, {"a": (1, tg.ones(1))}], ShapeError, r"at \['a'\]\[1\] .* sample 1 has \(1,\)"),
        ([(1, 2), (1,)], ShapeError, "sample 0 has 2 elements, sample 1 has 1"),
        ([{"a": 1}, {"b": 1}], KeyError, "sample 1 has"),
        ([None, None], TypeError, "sample 0 is a NoneType"),
        ([1, "a"], TypeError, "sample 1 is a str"),
        ([tg.ones(1), 2.0], TypeError, "sample 1 is a float.*sample 0 is a Tensor"),
    ],
)
def test_collation_says_which_sample_does_not_fit(batch, error, match):
    with pytest.raises(error, match=match):
        default_collate(batch)


# The DataLoader


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 20])
@pytest.mark.parametrize("subset", [None, range(2, 9), [7, 0, 3, 3, 9], []])
def test_tensors_in_memory_give_the_same_batches_as_items_one_by_one(subset, batch_size, shuffle, drop_last):
    fast, slow = in_memory(10), Items(10)
    if subset is not None:
        fast, slow = Subset(fast, subset), Subset(slow, subset)
    if shuffle and not len(fast):
        return
    epochs = []
    for data in (fast, slow):
        generator = tg.Generator().manual_seed(3)
        loader = DataLoader(data, batch_size, shuffle, drop_last=drop_last, generator=generator)
        batches = [*loader, *loader]
        assert len(batches) == 2 * len(loader)
        assert all(type(batch) is list for batch in batches)
        epochs.append([(x.tolist(), y.tolist()) for x, y in batches])
    assert epochs[0] == epochs[1]


@pytest.mark.parametrize(
    "indices", [[[2, -1], [0]], [np.array([2, 1]), np.array([0])], [tg.tensor([2, 1]), [0, 0]]], ids=str
)
def test_a_batch_sampler_of_lists_arrays_or_tensors_picks_rows(indices):
    x = tg.arange(3) * 10
    batches = [b.tolist() for (b,) in DataLoader(TensorDataset(x), batch_sampler=indices)]
    assert batches == [[int(x[int(i)].item()) for i in rows] for rows in indices]


def test_subsets_of_subsets_pick_the_right_rows():
    nested = Subset(Subset(Subset(in_memory(20), range(5, 15)), [9, 0, 4, 2]), range(1, 4))
    assert labels(DataLoader(nested, batch_size=2)) == [[5, 9], [7]]
    assert sorted(y for ys in labels(DataLoader(nested, batch_size=2, shuffle=True)) for y in ys) == [5, 7, 9]


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_can_be_written_to_without_changing_the_data(shuffle):
    data = in_memory(6)
    before = data.tensors[0].tolist()
    for source in (data, Subset(data, range(2, 6)), TensorDataset(tg.ones(4, 2, requires_grad=True))):
        for x, *_ in DataLoader(source, batch_size=4, shuffle=shuffle):
            x.mul_(100.0)
    assert data.tensors[0].tolist() == before


@pytest.mark.parametrize("shuffle", [False, True])
def test_gradients_flow_through_batches_to_tensors_that_require_them(shuffle):
    x = tg.ones(5, 2, requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(x), batch_size=2, shuffle=shuffle):
        (batch * 2).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0]] * 5


def test_a_subclass_that_computes_its_items_is_asked_for_them():
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            return tuple(t * 2 for t in super().__getitem__(index))

    assert labels(DataLoader(Doubled(tg.zeros(3), tg.arange(3)), batch_size=3)) == [[0, 2, 4]]


def test_a_subset_of_a_subclass_that_computes_its_items_is_asked_for_them():
    class Backwards(Subset):
        def __getitem__(self, index):
            return super().__getitem__(len(self) - 1 - index)

        __getitems__ = None

    data = Backwards(in_memory(5), range(3))
    assert labels(DataLoader(data, batch_size=3)) == [[2, 1, 0]]


def test_a_dataset_that_fetches_items_together_is_asked_once_a_batch():
    asked = []

    class Together(Items):
        def __getitems__(self, indices):
            asked.append(indices)
            return [self[i] for i in indices]

    assert labels(DataLoader(Subset(Together(9), [8, 7, 6]), batch_size=2)) == [[8, 7], [6]]
    assert asked == [[8, 7], [6]]


def test_items_fetched_together_must_be_as_many_as_asked():
    class Short(Items):
        def __getitems__(self, indices):
            return [self[0]]

    with pytest.raises(ValueError, match="asked for 2 items and returned 1"):
        next(iter(DataLoader(Short(4), batch_size=2)))


@pytest.mark.parametrize("data", [in_memory(30), Items(30)], ids=["in memory", "items"])
def test_manual_seed_makes_shuffling_reproducible_and_each_epoch_differs(data):
    loader = DataLoader(data, batch_size=7, shuffle=True)
    tg.manual_seed(5)
    first, second = labels(loader), labels(loader)
    tg.manual_seed(5)
    assert labels(loader) == first != second
    assert sorted(y for ys in first for y in ys) == list(range(30))


def test_a_generator_of_its_own_leaves_the_default_one_alone():
    state = tg.get_rng_state()
    list(DataLoader(in_memory(5), shuffle=True, generator=tg.Generator().manual_seed(0)))
    assert tg.get_rng_state() == state


@pytest.mark.parametrize("data", [in_memory(6), Items(6)], ids=["in memory", "items"])
def test_two_iterations_at_once_are_independent(data):
    loader = DataLoader(data, batch_size=2, shuffle=True)
    a, b = iter(loader), iter(loader)
    seen = [], []
    for _ in range(3):
        seen[0].extend(next(a)[1].tolist())
        seen[1].extend(next(b)[1].tolist())
    assert sorted(seen[0]) == sorted(seen[1]) == list(range(6))


def test_batch_size_none_gives_items_without_a_batch_dimension():
    loader = DataLoader(in_memory(3), batch_size=None)
    assert [(x.shape, y.item()) for x, y in loader] == [((2,), 0), ((2,), 1), ((2,), 2)]
    assert len(loader) == 3
    assert [x.item() for x in DataLoader(np.arange(3.0), batch_size=None)] == [0.0, 1.0, 2.0]


def test_batch_size_none_with_a_sampler_of_lists_takes_slices_of_the_dataset():
    loader = DataLoader(in_memory(5), batch_size=None, sampler=BatchSampler(SequentialSampler(range(5)), 2, False))
    assert labels(loader) == [[0, 1], [2, 3], [4]]


def test_a_collate_fn_gets_the_list_of_items():
    got = list(DataLoader(in_memory(3), batch_size=2, collate_fn=lambda items: [int(y.item()) for _, y in items]))
    assert got == [[0, 1], [2]]


def test_any_object_with_a_length_and_items_is_a_dataset():
    assert [b.tolist() for b in DataLoader([1, 2, 3], batch_size=2)] == [[1, 2], [3]]
    assert list(DataLoader("abc", batch_size=2)) == [["a", "b"], ["c"]]


def test_a_stream_is_batched_and_starts_anew_each_epoch():
    loader = DataLoader(Stream(5), batch_size=2)
    for _ in range(2):
        assert [b.tolist() for b in loader] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in DataLoader(Stream(5), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(3), batch_size=None)) == [0, 1, 2]
    with pytest.raises(TypeError, match="Stream has no __len__"):
        len(loader)


def test_a_stream_with_a_length_counts_its_batches():
    class Counted(Stream):
        def __len__(self):
            return self.n

    assert [len(DataLoader(Counted(5), 2, drop_last=drop)) for drop in (False, True)] == [3, 2]
    assert len(DataLoader(Counted(5), batch_size=None)) == 5


def test_an_empty_dataset_has_no_batches():
    for data in (in_memory(0), Items(0), []):
        assert (len(DataLoader(data, batch_size=3)), list(DataLoader(data, batch_size=3))) == (0, [])


def test_a_sampler_beyond_the_dataset_is_an_error_not_a_short_batch():
    for sampler in (SequentialSampler(range(5)), [0, 1, 7]):
        with pytest.raises(IndexError):
            list(DataLoader(in_memory(3), batch_size=5, sampler=sampler))


def test_a_dataset_without_a_length_works_with_a_sampler():
    class Unbounded:
        def __getitem__(self, index):
            return index

    assert [b.tolist() for b in DataLoader(Unbounded(), batch_size=2, sampler=[5, 6, 7])] == [[5, 6], [7]]
    with pytest.raises(TypeError, match="Unbounded has no __len__"):
        DataLoader(Unbounded())


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be 1 or more, not 0"),
        ({"batch_size": -2}, ValueError, "batch_size must be 1 or more, not -2"),
        ({"batch_size": 2.0}, TypeError, "batch_size must be an int, not float"),
        ({"batch_size": True}, TypeError, "batch_size must be an int, not bool"),
        ({"batch_size": None, "drop_last": True}, ValueError, "drop_last has no meaning"),
        ({"sampler": [0], "shuffle": True}, ValueError, "sampler and shuffle exclude"),
        ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "sampler": [0]}, ValueError, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "drop_last": True}, ValueError, "batch_sampler excludes"),
        ({"num_workers": -1}, ValueError, "num_workers must be an int"),
        ({"prefetch_factor": 2}, ValueError, "need num_workers above 0"),
        ({"generator": 3}, TypeError, "tensorgrad.Generator, not int"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        DataLoader(Items(3), **options)


def test_what_a_loader_was_made_of_stays():
    loader = DataLoader(Items(3))
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"):
        with pytest.raises(ValueError, match=f"DataLoader: {name} cannot be changed afterwards"):
            setattr(loader, name, getattr(loader, name))
    loader.collate_fn = tuple
    assert copy.copy(loader).collate_fn is tuple


def test_an_empty_dataset_cannot_be_shuffled():
    with pytest.raises(ValueError, match="the data set is empty"):
        DataLoader(Items(0), shuffle=True)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_a_stream_has_its_own_order(options):
    with pytest.raises(ValueError, match="Stream is an IterableDataset and has its own order"):
        DataLoader(Stream(3), **options)


def test_a_plain_iterator_must_be_an_iterable_dataset():
    with pytest.raises(TypeError, match="generator has no __getitem__; a stream must be an IterableDataset"):
        DataLoader(i for i in range(3))


def test_a_sampler_with_replacement_draws_as_it_goes():
    sampler = RandomSampler(range(5), replacement=True, num_samples=10**10)
    loader = DataLoader(TensorDataset(tg.arange(5)), batch_size=4, sampler=sampler)
    (first,) = next(iter(loader))
    assert (len(sampler), len(loader), first.shape) == (10**10, 25 * 10**8, (4,))
