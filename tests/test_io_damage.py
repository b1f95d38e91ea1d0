"""Loading: a file that is not what it should be is one error that names it, and nothing in it is ever run."""

from __future__ import annotations

import collections
import math
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_cases import crafted, foreign

import tensorgrad as tg
from tensorgrad.io import FileFormatError, load, save

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


F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


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


# Damage of any kind


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
