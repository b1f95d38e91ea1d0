"""Saving and loading: what goes in comes out, and nothing else ever does."""

from __future__ import annotations

import collections
import enum
import errno
import json
import math
import os
import pickle
import stat
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

import tensorgrad as tg
from tensorgrad import io
from tensorgrad.backends.dtypes import as_dtype
from tensorgrad.io import FileFormatError, load, save
from tensorgrad.nn.parameter import Parameter

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64"]
ARRAY_DTYPES = [*DTYPES, "uint16", "uint32", "uint64"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.safetensors"


def through_file(obj, path):
    save(obj, path)
    return load(path)


def assert_same(a, b):
    """The same types, values and bits, all the way down."""
    assert type(a) is type(b), (a, b)
    if isinstance(a, dict):
        assert len(a) == len(b)
        for key_a, key_b in zip(a, b, strict=True):
            assert_same(key_a, key_b)
        for x, y in zip(a.values(), b.values(), strict=True):
            assert_same(x, y)
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, tg.Tensor):
        assert a.requires_grad == b.requires_grad
        assert_same(a.detach().numpy(), b.detach().numpy())
    elif isinstance(a, np.ndarray | np.generic):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes()
    elif isinstance(a, float):
        assert struct.pack("<d", a) == struct.pack("<d", b)
    else:
        assert a == b


def foreign(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def crafted(node: object, body: bytes = b"", version: object = 1, **entries: object) -> bytes:
    return foreign({"__metadata__": {"tensorgrad": json.dumps({"version": version, "object": node})}, **entries}, body)


F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


# What comes back


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_of_every_dtype_come_back_bit_for_bit(path, dtype):
    array = np.random.default_rng(0).integers(0, 2, (3, 5)).astype(dtype)
    assert_same(through_file([tg.from_numpy(array)], path), [tg.from_numpy(array)])
    assert through_file(tg.from_numpy(array), path).dtype is as_dtype(dtype)


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


# What cannot be saved


class Color(enum.IntEnum):
    RED = 1


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({"optimizer": {"fn": [1, 2, print]}}, r'obj\["optimizer"\]\["fn"\]\[2\] is of type builtin_function'),
        (print, "obj is of type builtin_function"),
        ({1: {(2, None): object()}}, r"obj\[1\]\[\(2, None\)\] is of type object"),
        ([1j], r"obj\[0\] is of type complex; save its real and imaginary parts"),
        ({"s": {1}}, r'obj\["s"\] is of type set, which has no order; save a list'),
        ([Point(1, 2)], r"obj\[0\] is of type Point, which would come back as tuple"),
        ([Color.RED], "type Color, which would come back as int"),
        (collections.Counter("a"), "type Counter, which would come back as dict"),
        ([bytearray(b"x")], "type bytearray"),
        ([Path("x")], "type .*Path"),
        ({"a": np.array(["x"])}, r'obj\["a"\] is a NumPy ndarray of dtype <U1'),
        ([np.array([None])], "dtype object"),
        ([np.ones(2, complex)], "dtype complex128"),
        ([np.ones(2, np.longdouble)], "dtype (float128|longdouble|float96)"),
        ([np.datetime64("2020-01-01")], "NumPy datetime64"),
        ([np.ma.masked_array([1.0], [True])], "NumPy MaskedArray"),
        ({"d": {b"k": 1}}, r'obj\["d"\] has a key of type bytes; keys can be'),
        ({np.int64(1): 1}, "obj has a key of type int64"),
        ({(1, b"x"): 1}, "obj has a key of type tuple"),
    ],
)
def test_what_cannot_be_saved_is_named_with_its_place_and_nothing_is_written(path, obj, message):
    with pytest.raises(TypeError, match="save: .*" + message):
        save(obj, path)
    assert os.listdir(path.parent) == []


def test_a_container_inside_itself_is_named(path):
    inner: list[object] = []
    inner.append({"again": inner})
    with pytest.raises(ValueError, match=r'obj\["x"\]\[0\]\["again"\] is obj\["x"\] again: it contains itself'):
        save({"x": inner}, path)
    twice = [1]
    assert through_file([twice, twice], path) == [[1], [1]]


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: (x,), lambda x: {"k": x}], ids=["list", "tuple", "dict"])
def test_nesting_goes_to_the_limit_and_no_further(path, wrap):
    obj: object = 1
    for _ in range(101):
        obj = wrap(obj)
    assert through_file(obj, path) == obj
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        save(wrap(obj), path)
    key: tuple = ()
    for _ in range(101):
        key = (key,)
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        save({key: 1}, path)


def test_more_plain_data_than_a_header_takes_is_refused_and_the_old_file_stays(path, monkeypatch):
    save([1], path)
    monkeypatch.setattr(io, "_MAX_HEADER", 1000)
    with pytest.raises(
        ValueError, match=r"the plain data and names take 1,\d* bytes, and a safetensors header at most"
    ):
        save(["x" * 1000], path)
    assert load(path) == [1]
    assert os.listdir(path.parent) == [path.name]


def test_the_header_limit_is_the_one_that_safetensors_has():
    for length, complaint in ((io._MAX_HEADER, "invalid"), (io._MAX_HEADER + 1, "too ?large")):
        with pytest.raises(safetensors.SafetensorError, match=f"(?i){complaint}"):
            safetensors.deserialize(struct.pack("<Q", length) + b"{}")


# How it is written


def failing_save_file(error):
    def save_file(entries, filename, metadata):
        Path(filename).write_bytes(b"half of it")
        raise error

    return save_file


@pytest.mark.parametrize("error", [safetensors.SafetensorError("disk full"), OSError(errno.ENOSPC, "full")])
def test_a_write_that_fails_leaves_the_old_file_and_no_litter(path, monkeypatch, error):
    save({"old": tg.ones(1)}, path)
    before = path.read_bytes()
    monkeypatch.setattr(safetensors.numpy, "save_file", failing_save_file(error))
    with pytest.raises(OSError, match="full"):
        save({"new": tg.ones(1)}, path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_an_interruption_before_the_end_leaves_the_old_file_and_no_litter(path, monkeypatch, step):
    save([1], path)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        save([2], path)
    assert load(path) == [1]
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX's")
def test_a_full_disk_is_an_error_and_leaves_the_old_file(path):
    save([1], path)
    script = (
        "import resource, sys, numpy as np; from tensorgrad.io import save\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try:\n    save(np.ones(10**6), sys.argv[1])\n"
        "except OSError as error:\n    sys.exit(0 if 'could not be written' in str(error) else 2)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, cwd=Path(__file__).parents[1])
    assert load(path) == [1]
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077, 0o000])
def test_permissions_are_those_that_open_gives(path, umask):
    old = os.umask(umask)
    try:
        save([1], path)
        (path.parent / "usual").touch()
    finally:
        os.umask(old)
    assert path.stat().st_mode == (path.parent / "usual").stat().st_mode
    path.chmod(0o640)
    save([2], path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_a_symbolic_link_stays_one_and_its_target_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    link, target = tmp_path / "link", tmp_path / "real" / "file"
    link.symlink_to(target)
    for value in ([1], [2]):  # at first the link dangles
        save(value, link)
        assert link.is_symlink()
        assert load(target) == load(link) == value
    assert os.listdir(target.parent) == ["file"]


def test_paths_can_be_str_or_pathlike_and_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save([1], "plain ü.st")
    assert load(tmp_path / "plain ü.st") == load("plain ü.st") == [1]
    with pytest.raises(
        TypeError, match=r"save: path must be a str or a PathLike, not dict; the call is save\(obj, path"
    ):
        save("file", {"x": 1})
    with pytest.raises(TypeError, match="load: path must be a str or a PathLike, not int"):
        load(3)


def test_places_that_cannot_be_written_are_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no such folder; create it first: .*missing'"):
        save([1], tmp_path / "missing" / "file")
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        save([1], tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match=r"not a regular file.*pipe"):
            save([1], tmp_path / "pipe")
    save([1], tmp_path / "file")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, for whom nothing is protected
    with pytest.raises(PermissionError, match=r"write-protected: .*file'"):
        save([2], tmp_path / "file")
    assert load(tmp_path / "file") == [1]


# Files that are not what they should be


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.st"):
        load(tmp_path / "missing.st")
    with pytest.raises((IsADirectoryError, PermissionError), match=str(tmp_path.name)):
        load(tmp_path)


def write_torch(path, zipped):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=zipped)


def write_h5(path):
    with pytest.importorskip("h5py").File(path, "w") as file:
        file["a"] = 1


def write_npz(path):
    with open(path, "wb") as file:
        np.savez(file, weight=np.ones(3))


def write_npy(path):
    with open(path, "wb") as file:
        np.save(file, np.ones(3))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: write_torch(path, True), r"is a pickle, .*safetensors\.torch\.save_file\(torch\.load"),
        (lambda path: write_torch(path, False), r"is a pickle, .*safetensors\.torch\.save_file\(torch\.load"),
        (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "is a pickle"),
        (write_h5, "HDF5 file; read it with h5py"),
        (write_npz, "npz file; read it with numpy.load"),
        (write_npy, r"\.npy file"),
        (lambda path: path.write_text("epoch,loss\n1,2\n"), "but text"),
        (lambda path: path.write_text('{"a": 1}'), "but text"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(bytes(100)), "first bytes are damaged"),
        (lambda path: path.write_bytes(b"\xff\xfe\0\1"), "first bytes are damaged"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(30)), "a zip file"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(path, write, message):
    write(path)
    with pytest.raises(FileFormatError, match=rf"load: '.*file\.safetensors' .*{message}"):
        load(path)


def test_a_pickle_is_never_run(path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(path) + ".exploded",)

    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(FileFormatError, match="can run code"):
        load(path)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (foreign({"a": F32}, b"\0\0\0"), "damaged or truncated"),
        (foreign({"a": F32}, bytes(5)), "damaged or truncated"),
        (foreign({"a": F32}, bytes(4))[:30], r"truncated or damaged: its header should have \d+ bytes, and 22 follow"),
        (struct.pack("<Q", 2**64 - 1) + b"{}", "its header should have"),
        (foreign(b"{nonsense"), "damaged or truncated"),
        (foreign({"a": {**F32, "dtype": "Q9"}}, bytes(4)), "damaged or truncated"),
        (foreign({"a": {**F32, "shape": [0, 2**64 - 1], "data_offsets": [0, 0]}}), "shape that NumPy cannot have"),
        (foreign({"a": {**F32, "shape": [1] * 70}}, bytes(4)), "shape that NumPy cannot have"),
        (foreign({"a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\1\2"), "neither 0 nor 1"),
        (foreign({"__metadata__": {"tensorgrad": "{"}}), "damaged"),
        (foreign({"__metadata__": {"tensorgrad": "[]"}}), "not a layout"),
        (foreign({"__metadata__": {"tensorgrad": '{"version": 1}'}}), "not a layout"),
        (foreign({"__metadata__": {"tensorgrad": "[" * 10**5}}), "damaged"),
        (crafted(1, version=2), "has layout version 2, and this tensorgrad reads 1"),
        (crafted({"tensor": "b"}, bytes(4), a=F32), "entry 'b', which its metadata refer to, is not there"),
        (crafted([], bytes(4), a=F32), "entry 'a' has no place in the structure"),
        (crafted({"leaf": "a"}, bytes(4), a={**F32, "dtype": "I32"}), "should require a gradient, and cannot"),
        (crafted({"bytes": "a"}, bytes(4), a=F32), "entry 'a' .*should be bytes"),
        (crafted({"tensor": ["a"]}, bytes(4), a=F32), "a part that cannot be read"),
        (crafted({"exec": "print()"}), "a part that cannot be read"),
        (crafted({}), "a part that cannot be read"),
        (crafted({"tuple": [], "dict": []}), "a part that cannot be read"),
        (crafted({"dict": [[1]]}), "no pair"),
        (crafted({"dict": [[[1], 2]]}), "wrong or repeated key"),
        (crafted({"dict": [["a", 2], ["a", 3]]}), "wrong or repeated key"),
        (crafted({"dict": [[1, 2], [True, 3]]}), "wrong or repeated key"),
        (crafted({"int": "zz"}), "damaged"),
        (crafted({"float": "00"}), "a float64 of bits '00'"),
        (crafted({"float": "é" * 16}), "damaged"),
        (crafted({"scalar": ["object", "00" * 8]}), "a number of dtype 'object'"),
        (crafted({"scalar": ["bool", "02"]}), "damaged"),
        (crafted({"str": "ff"}), "damaged"),
    ],
)
def test_damage_is_one_error_that_names_the_file(path, content, message):
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"(?s)load: '.*file\.safetensors' .*{message}"):
        load(path)


# Anything at all


numbers = st.integers() | st.integers(-(2**200), 2**200) | st.floats() | st.booleans() | st.none()
texts = st.text(st.characters(), max_size=5)
keys = st.recursive(texts | numbers, lambda inner: st.tuples(inner, inner), max_leaves=3)
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


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> tuple[Path, bytes]:
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.safetensors"
    save(
        {
            "model": collections.OrderedDict(w=tg.ones(2, 3, requires_grad=True), m=tg.tensor([True, False])),
            ("k", 1): [np.arange(3), np.float16(2), math.nan, 2**80, "\ud800", b"bytes", None, (1, 2.5)],
        },
        path,
    )
    return path, path.read_bytes()


@given(data=st.data())
@settings(max_examples=300)
def test_damage_of_any_kind_loads_or_is_a_file_format_error(healthy, data):
    path, content = healthy
    damaged = bytearray(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
    places = st.tuples(st.integers(0, max(0, len(damaged) - 1)), st.integers(0, 255))
    for at, byte in data.draw(st.lists(places, max_size=4)):
        damaged[at : at + 1] = bytes([byte])
    path.write_bytes(damaged)
    try:
        load(path)
    except FileFormatError:
        return


@pytest.mark.slow
def test_damage_of_every_single_byte_loads_or_is_a_file_format_error(healthy):
    path, content = healthy
    errors = 0
    for at in range(len(content)):
        for byte in (0, content[at] ^ 1, ord("9"), ord("["), 255):
            path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
            try:
                load(path)
            except FileFormatError:
                errors += 1
    assert errors > len(content)


def test_safetensors_is_imported_only_when_a_file_is_read_or_written():
    script = "import sys, tensorgrad.io; sys.exit('safetensors' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[1])
