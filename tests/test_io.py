"""Saving and loading: what goes in comes out."""

from __future__ import annotations

import collections
import math
import struct
import subprocess
import sys
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from io_cases import DTYPES, assert_same, foreign, through_file

import tensorgrad as tg
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.io import FileFormatError, load, save
from tensorgrad.nn.parameter import Parameter

# What comes back


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_of_every_dtype_come_back_bit_for_bit(path, dtype):
    array = np.random.default_rng(0).integers(0, 2, (3, 5)).astype(dtype)
    assert_same(through_file([tg.from_numpy(array)], path), [tg.from_numpy(array)])
    assert through_file(tg.from_numpy(array), path).dtype is as_dtype(dtype)


ARRAY_DTYPES = [*DTYPES, "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("dtype", ARRAY_DTYPES)
def test_arrays_and_scalars_of_every_dtype_come_back_bit_for_bit(path, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    assert_same(through_file([array, array[1, 2]], path), [array, array[1, 2]])


LAYOUTS = {
    "transposed": lambda x: x.T,
    "permuted": lambda x: x.transpose(2, 0, 1),
    "strided": lambda x: x[::2, :, 1::2],
    "reversed": lambda x: x[::-1, :, ::-1],
    "expanded": lambda x: np.broadcast_to(x[:1], (5, *x.shape[1:])),
    "fortran": np.asfortranarray,
    "zero-size": lambda x: x[:, :0],
    "zero-size transposed": lambda x: x[:, :0].T,
    "0-d": lambda x: x[1, 1, 1, ...],
    "0-d of a view": lambda x: x.T[1, 1, 1:2].reshape(()),
    "sliced at an offset": lambda x: x[1:, 1:, 1:],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("flat", [True, False])
def test_memory_layout_never_changes_the_values(path, layout, flat):
    array = LAYOUTS[layout](np.arange(60, dtype=np.float32).reshape(3, 4, 5))
    obj = {"t": tg.from_numpy(array), "a": array}
    back = through_file(obj if flat else [obj], path)
    assert_same(back if flat else back[0], {"t": tg.from_numpy(array.copy()), "a": array.copy()})


@pytest.mark.parametrize("code", [">f4", ">i2", ">u8", ">f2"])
def test_byte_order_never_changes_the_values(path, code):
    array = np.arange(6).reshape(2, 3).astype(code)
    for given_ in (array, array.T):
        assert_same(through_file(given_, path), given_.astype(array.dtype.newbyteorder("=")).copy())


PLAIN = [
    *[None, True, False, 0, -1, 2**63 - 1, 2**63, -(2**63), -(2**64), 10**5000, -(10**5000)],
    *[0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, -math.nan],
    struct.unpack("<d", b"\x01\x02\x03\x04\x05\x06\xf8\x7f")[0],  # a nan with a payload
    *["", "ü\0\n\"'\\", "\U0001f600", "\ud800", "\ud83d\ude00", "\udc80.dot", "__metadata__"],
    *[b"", b"\0\xff", bytes(range(256)), np.float32(0.1), np.bool_(True), np.float64(-0.0), np.int8(-5)],
    *[[], (), {}, collections.OrderedDict(), [[]], ((),), {"": {}}],
]


@pytest.mark.parametrize("number", range(len(PLAIN)))
def test_plain_data_come_back_exactly(path, number):
    assert_same(through_file(PLAIN[number], path), PLAIN[number])
    assert_same(through_file([PLAIN[number]] * 2, path), [PLAIN[number]] * 2)


numbers = st.integers() | st.integers(-(2**200), 2**200) | st.floats() | st.booleans() | st.none()


texts = st.text(st.characters(), max_size=5)


keys = st.recursive(texts | numbers, lambda inner: st.tuples(inner, inner), max_leaves=3)


def test_keys_keep_their_types_and_order(path):
    keys = ["1", 1, 2.5, -0.0, None, math.nan, math.nan, ("a", (1, None)), "", 2**70, 10**5000, "\ud800", "a.b", False]
    obj = collections.OrderedDict((key, tg.tensor([i])) for i, key in enumerate(keys))
    assert_same(through_file(obj, path), obj)
    backwards = dict(reversed(obj.items()))
    assert_same(through_file({"x": backwards}, path), {"x": backwards})


def test_names_that_collide_are_kept_apart(path):
    one, two, three, four = (tg.tensor([float(i)]) for i in range(4))
    obj = {"a": {"b": one, 1: two}, "a.b": three, "a.1": four, "a.b_": [one, b"x"], "": b"y"}
    assert_same(through_file(obj, path), obj)
    for reserved in ({"__metadata__": one}, {"__metadata__": one, "__metadata___": two}, {"tensorgrad": one, "": two}):
        assert_same(through_file(reserved, path), reserved)


def test_a_parameter_comes_back_as_a_leaf_tensor(path):
    parameter = Parameter(tg.ones(2))
    result = tg.ones(2, requires_grad=True) * 2
    back = through_file({"p": parameter, "r": result, "d": parameter.detach()}, path)
    assert [type(x) for x in back.values()] == [tg.Tensor] * 3
    assert [x.requires_grad for x in back.values()] == [True, True, False]
    assert back["r"].is_leaf
    (back["p"] * 3).sum().backward()
    assert back["p"].grad.tolist() == [3.0, 3.0]


def test_loaded_memory_can_be_written_and_is_the_tensor_s_own(path):
    back = through_file({"a": tg.ones(3), "b": tg.ones(3), "c": np.ones(3), "m": tg.tensor([True])}, path)
    back["a"].zero_()
    back["c"][:] = 0
    back["m"].zero_()
    assert back["b"].tolist() == [1.0, 1.0, 1.0]
    assert load(path)["a"].tolist() == [1.0, 1.0, 1.0]


def test_what_is_shared_is_stored_once_and_stays_shared(path):
    weight = tg.ones(1000)
    array = np.ones(1000)
    back = through_file({"x": [weight, weight, weight.detach()], "y": (array, array)}, path)
    assert back["x"][0] is back["x"][1]
    assert back["y"][0] is back["y"][1]
    back["x"][0].zero_()
    assert back["x"][2].sum().item() == 0
    assert path.stat().st_size < 4000 + 8000 + 1000


def test_in_a_state_dict_every_key_has_its_own_entry_even_where_memory_is_shared(path):
    weight = tg.ones(3)
    back = through_file({"encoder": weight, "decoder": weight}, path)
    assert list(back) == ["encoder", "decoder"]
    assert set(safetensors.numpy.load_file(path)) == {"encoder", "decoder"}
    back["encoder"].zero_()
    assert back["decoder"].tolist() == [1.0, 1.0, 1.0]


# Other programs' files


def test_pytorch_reads_a_state_dict(path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    state = collections.OrderedDict(
        (f"layer.{dtype}", tg.from_numpy(np.arange(6).reshape(2, 3).astype(dtype).T)) for dtype in reversed(DTYPES)
    )
    save(state, path)
    back = load_file(path)
    assert set(back) == set(state)
    for name, x in state.items():
        assert torch.equal(back[name], torch.from_numpy(x.numpy())), name


def test_pytorch_s_files_load_as_a_dict_of_tensors(path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    half = torch.randn(50).to(torch.bfloat16)
    half[:3] = torch.tensor([float("nan"), float("inf"), -0.0])
    save_file({"w": torch.randn(2, 3), "h": half, "n": torch.tensor(5), "b": torch.tensor([True])}, path)
    back, theirs = load(path), safetensors.torch.load_file(path)
    assert type(back) is dict
    assert set(back) == set(theirs)
    assert back["h"].dtype is tg.float32
    for name, x in theirs.items():
        expected = x.float().numpy() if name == "h" else x.numpy()
        assert_same(back[name].numpy(), expected)
    back["h"].zero_()


def test_numpy_s_files_load_as_a_dict_of_tensors(path):
    safetensors.numpy.save_file({"a": np.eye(2), "b": np.zeros((0, 3), np.int8)}, path, metadata={"format": "np"})
    assert_same(dict(sorted(load(path).items())), {"a": tg.eye(2).double(), "b": tg.zeros(0, 3, dtype=tg.int8)})
    safetensors.numpy.save_file({}, path)
    assert load(path) == {}


@pytest.mark.parametrize(("dtype", "size"), [("F8_E4M3", 1), ("F8_E5M2", 1), ("U16", 2), ("U32", 4), ("U64", 8)])
def test_a_dtype_that_tensors_cannot_have_is_named_with_its_entry(path, dtype, size):
    path.write_bytes(foreign({"odd": {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}}, bytes(size)))
    with pytest.raises(FileFormatError, match=rf"'odd' of dtype ({dtype}|uint{8 * size})"):
        load(path)


# Anything at all


arrays = hnp.arrays(st.sampled_from(ARRAY_DTYPES), hnp.array_shapes(min_dims=0, min_side=0, max_side=3))


viewed = arrays.flatmap(
    lambda a: st.permutations(range(a.ndim)).map(lambda axes: a.transpose(axes)[..., ::-1] if axes else a)
)


tensors = viewed.filter(lambda a: a.dtype.name in DTYPES).map(tg.from_numpy)


objects = st.recursive(
    numbers | texts | st.binary(max_size=5) | tensors | viewed | arrays.map(lambda a: a.dtype.type(1)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3).map(collections.OrderedDict)
    ),
    max_leaves=8,
)


@given(obj=objects)
@settings(max_examples=100)
def test_any_structure_comes_back_exactly(tmp_path_factory, obj):
    assert_same(through_file(obj, tmp_path_factory.getbasetemp() / "any.safetensors"), obj)


@given(state=st.dictionaries(texts, tensors, min_size=1, max_size=4))
def test_any_state_dict_comes_back_exactly(tmp_path_factory, state):
    assert_same(through_file(state, tmp_path_factory.getbasetemp() / "any.safetensors"), state)


def test_safetensors_is_imported_only_when_a_file_is_read_or_written():
    script = "import sys, tensorgrad.io; sys.exit('safetensors' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[1])
