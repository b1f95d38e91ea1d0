"""Saving: what cannot be saved is named, and a write that fails leaves the old file."""

from __future__ import annotations

import collections
import enum
import errno
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from io_cases import through_file

import tensorgrad as tg
from tensorgrad import io
from tensorgrad.io import load, save

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
