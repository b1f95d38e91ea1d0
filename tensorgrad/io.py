"""Saving and loading: tensors, arrays and plain data in one safetensors file, which never runs code when it is read.

The tensors are ordinary entries of the file. What holds them together, the dicts, lists, numbers and strings, is one
JSON text in the file's metadata: `{"version": 1, "object": node}`. A node is `null`, a bool, a number, a string, a list
of nodes, or an object with one tag that says what the rest is: `{"tuple": [node, ...]}`, `{"dict": [[key, value],
...]}`, `{"tensor": "name of the entry"}`.
"""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from tensorgrad.backends.dtypes import SUPPORTED
from tensorgrad.creation import from_numpy
from tensorgrad.tensor import Tensor

_METADATA_KEY = "tensorgrad"
_VERSION = 1
_MAX_DEPTH = 100  # levels of nesting: far below what the JSON and our own recursion can take
_MAX_HEADER = 100_000_000  # bytes: safetensors does not read a file with a longer header

# safetensors' names for dtypes, and how the bytes of each are read.
_CODES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "u1", "I8": "i1", "U8": "u1"} | {
    f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (16, 32, 64)
}
_STORABLE = {np.dtype(code).newbyteorder("=") for code in (*_CODES.values(), "?")}


class FileFormatError(ValueError):
    """A file that `load` cannot read: it is damaged, or it is something other than safetensors.

    >>> import tempfile, tensorgrad as tg
    >>> from tensorgrad.io import load
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     load(file.name)
    Traceback (most recent call last):
        ...
    tensorgrad.io.FileFormatError: load: '...' is empty
    """


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write nested containers of tensors, arrays and plain data to one safetensors file.

    `obj` may hold dicts and OrderedDicts (keys: str, int, float, bool, None and tuples of these; the order is kept),
    lists, tuples, Tensors, NumPy arrays and scalars of bools, integers and float16 to float64, and None, bool, int,
    float, str and bytes. Anything else, such as a function, a set, a namedtuple or a complex number, is a `TypeError`
    that names its place, before anything is written; a container inside itself is a `ValueError`.

    A dict of str to tensors, as `state_dict()` returns, is a file whose entries are named as its keys:
    `safetensors.torch.load_file` reads it. In other structures the names are the keys on the way, joined by dots, and
    an array or a tensor's memory that occurs more than once is stored once; in a state_dict every key has its own copy.

    Of a tensor, the values and `requires_grad` are kept; the graph, `.grad` and hooks are not, and a `Parameter` comes
    back as a Tensor. Memory layout and byte order are not kept, only the values.

    The write is atomic: until it has succeeded, the file at `path` is the old one, if there was one. Its permissions
    stay, a new file has those of `open()`, and a symbolic link stays a link, to new content. Raises `OSError` where the
    file cannot be written.

    >>> import os, tempfile, tensorgrad as tg
    >>> from tensorgrad.io import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "checkpoint.safetensors")
    ...     save({"step": 7, "model": {"weight": tg.ones(2)}}, path)
    ...     load(path)
    {'step': 7, 'model': {'weight': tensor([1., 1.])}}
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    target = os.path.realpath(_checked_path("save", path))
    encoder = _Encoder(share=not _is_state_dict(obj))
    layout = {"version": _VERSION, "object": encoder.encode(obj, ())}
    text = json.dumps(layout, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    with _replacement(target) as temporary:
        try:
            save_file(encoder.entries, temporary, metadata={_METADATA_KEY: text})
        except SafetensorError as error:
            raise OSError(f"save: {target!r} could not be written: {error}") from error
        with open(temporary, "rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if header > _MAX_HEADER:
            raise ValueError(
                f"save: the plain data and names take {header:,} bytes, and a safetensors header at most "
                f"{_MAX_HEADER:,}; store long lists of numbers as arrays and long texts as bytes"
            )


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote, or any other safetensors file, as a dict of its tensors.

    The tensors own writable memory. bfloat16 entries, which other libraries write, come back as float32, which holds
    them exactly. Loading never runs code from the file. Raises `FileFormatError` where the file is damaged or is
    something else (a pickle, `.npz`, HDF5, ...) or holds dtypes that tensors cannot have, and `OSError` where it cannot
    be read.

    >>> import os, tempfile, tensorgrad as tg
    >>> from tensorgrad.io import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "history.safetensors")
    ...     save({("train", "loss"): [0.5, float("inf")], "best": None}, path)
    ...     load(path)
    {('train', 'loss'): [0.5, inf], 'best': None}
    """
    from safetensors import SafetensorError, deserialize

    source = _checked_path("load", path)
    with open(source, "rb") as file:
        try:
            _check_head(file.read(512), os.fstat(file.fileno()).st_size, source)
            file.seek(0)
            content = file.read()
            entries = {name: _array(name, **entry) for name, entry in deserialize(content)}  # type: ignore[no-untyped-call]
            return _decoded(entries, _metadata(content))
        except FileFormatError as error:
            raise FileFormatError(f"load: {source!r} {error}") from None
        except (SafetensorError, ValueError, RecursionError) as error:
            raise FileFormatError(f"load: {source!r} is damaged or truncated: {error}") from error


def _checked_path(name: str, path: Any) -> str:
    if not isinstance(path, str | os.PathLike):
        call = "save(obj, path)" if name == "save" else "load(path)"
        raise TypeError(f"{name}: path must be a str or a PathLike, not {type(path).__name__}; the call is {call}")
    return os.fsdecode(path)


def _is_state_dict(obj: Any) -> bool:
    return type(obj) in (dict, OrderedDict) and all(
        type(key) is str and (isinstance(value, Tensor) or type(value) is np.ndarray) for key, value in obj.items()
    )


def _is_key(key: Any) -> bool:
    if type(key) is tuple:
        return all(map(_is_key, key))
    return key is None or type(key) in (str, int, float, bool)


class _Encoder:
    """Turns an object into nodes for JSON, and collects the arrays for the entries."""

    def __init__(self, share: bool) -> None:
        self.entries: dict[str, np.ndarray[Any, Any]] = {}
        self.share = share
        self.stored: dict[int, str] = {}  # by the id of an array, which the caller's object keeps alive
        self.parents: list[Any] = []

    def encode(self, obj: Any, keys: tuple[Any, ...]) -> Any:
        """The node of `obj`, which is found at `keys`."""
        kind = type(obj)
        if obj is None or kind is bool:
            return obj
        if kind is int:
            return obj if obj.bit_length() < 64 else {"int": hex(obj)}
        if kind is float:
            return obj if math.isfinite(obj) else {"float": _bits(np.float64(obj))}
        if kind is str:
            return obj if _is_unicode(obj) else {"str": obj.encode("utf-8", "surrogatepass").hex()}
        if kind is bytes:
            return {"bytes": self.entry(np.frombuffer(obj, np.uint8), keys)}
        if isinstance(obj, np.generic) and obj.dtype in _STORABLE:
            return {"scalar": [obj.dtype.name, _bits(obj)]}
        if isinstance(obj, Tensor):
            return {"leaf" if obj.requires_grad else "tensor": self.shared(obj.numpy(force=True), keys)}
        if kind is np.ndarray and obj.dtype.newbyteorder("=") in _STORABLE:
            return {"array": self.shared(obj, keys)}
        if kind in (list, tuple, dict, OrderedDict):
            return self.container(obj, keys)
        raise TypeError(f"save: {_place(keys)} is {_described(obj)}")

    def container(self, obj: Any, keys: tuple[Any, ...]) -> Any:
        for depth, parent in enumerate(self.parents):
            if parent is obj:
                raise ValueError(f"save: {_place(keys)} is {_place(keys[:depth])} again: it contains itself")
        if len(self.parents) > _MAX_DEPTH:
            raise ValueError(f"save: containers are nested more than {_MAX_DEPTH} deep at {_place(keys)}")
        self.parents.append(obj)
        node: Any
        if isinstance(obj, dict):
            for key in obj:
                if not _is_key(key):
                    raise TypeError(
                        f"save: {_place(keys)} has a key of type {type(key).__name__}; keys can be str, int, float, "
                        "bool, None and tuples of these"
                    )
            pairs = [[self.encode(key, keys), self.encode(x, (*keys, key))] for key, x in obj.items()]
            node = {type(obj).__name__: pairs}
        else:
            items = [self.encode(x, (*keys, i)) for i, x in enumerate(obj)]
            node = {"tuple": items} if isinstance(obj, tuple) else items
        self.parents.pop()
        return node

    def shared(self, array: np.ndarray[Any, Any], keys: tuple[Any, ...]) -> str:
        """The name of the entry of an array, one for all its occurrences."""
        if not self.share:
            return self.entry(array, keys)
        if id(array) not in self.stored:
            self.stored[id(array)] = self.entry(array, keys)
        return self.stored[id(array)]

    def entry(self, array: np.ndarray[Any, Any], keys: tuple[Any, ...]) -> str:
        """The name of a new entry with the values of an array."""
        name = ".".join(map(_label, keys)) if keys else "data"
        while name in self.entries or name == "__metadata__":
            name += "_"
        # The writer takes memory as it lies, so an array that is not in C order would come back in another order.
        self.entries[name] = np.asarray(array, array.dtype.newbyteorder("="), order="C")
        return name


def _label(key: Any) -> str:
    try:
        return str(key).encode("utf-8", "backslashreplace").decode()
    except ValueError:  # an int of more digits than Python writes out
        return "key"


def _place(keys: tuple[Any, ...]) -> str:
    return "obj" + "".join(f'["{key}"]' if type(key) is str else f"[{_label(key)}]" for key in keys)


def _described(obj: Any) -> str:
    """What an object is that cannot be saved, and what can be done about it."""
    if isinstance(obj, np.ndarray | np.generic):
        what = f"a NumPy {type(obj).__name__} of dtype {obj.dtype}"
        return f"{what}; files hold plain arrays of bools, integers and float16 to float64"
    what = f"of type {type(obj).__name__}"
    for base in (int, float, str, bytes, dict, list, tuple):
        if isinstance(obj, base):
            return f"{what}, which would come back as {base.__name__}; save {base.__name__}(...) of it if that will do"
    if isinstance(obj, complex):
        return f"{what}; save its real and imaginary parts"
    if isinstance(obj, set | frozenset):
        return f"{what}, which has no order; save a list of it"
    return (
        f"{what}; files hold Tensors, NumPy arrays, dict, OrderedDict, list, tuple, str, bytes, int, float, bool and "
        "None: save what it is made of"
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON does not reliably keep
        return False
    return True


def _bits(number: np.generic) -> str:
    return np.asarray(number, number.dtype.newbyteorder("<")).tobytes().hex()


@contextmanager
def _replacement(target: str) -> Iterator[str]:
    """The path of a temporary file beside `target`, which takes its place if the block succeeds."""
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "save: there is no such folder; create it first", folder)
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, "save: this is a folder; add the name of a file", target)
    exists = os.path.exists(target)
    if exists and not os.path.isfile(target):
        raise OSError(errno.EINVAL, "save: this is not a regular file, and cannot be replaced by one", target)
    if exists and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "save: the file is there and is write-protected", target)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            mode = os.stat(target).st_mode if exists else os.fstat(file.fileno()).st_mode
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _check_head(head: bytes, size: int, path: str) -> None:
    """Raise `FileFormatError` with what a file is, by its first bytes, if it is not safetensors."""
    if not head:
        raise FileFormatError("is empty")
    if head[8:9] == b"{":
        header = int.from_bytes(head[:8], "little")
        if header <= size - 8:
            return
        raise FileFormatError(f"is truncated or damaged: its header should have {header} bytes, and {size - 8} follow")
    if head.startswith(b"PK\x03\x04") and b"data.pkl" not in head:
        what = "NumPy .npz file; read it with numpy.load and tensorgrad.from_numpy" if b".npy" in head else "zip file"
        raise FileFormatError(f"is not a safetensors file, but a {what}")
    if head.startswith(b"PK\x03\x04") or (head[0] == 0x80 and head[1:2] in (b"\2", b"\3", b"\4", b"\5")):
        raise FileFormatError(
            "is a pickle, as torch.save writes, and reading one can run code that is hidden in it; convert it where "
            f'PyTorch is: safetensors.torch.save_file(torch.load("{path}", weights_only=True), "new.safetensors")'
        )
    if head.startswith(b"\x89HDF\r\n"):
        raise FileFormatError("is not a safetensors file, but an HDF5 file; read it with h5py")
    if head.startswith(b"\x93NUMPY"):
        raise FileFormatError("is not a safetensors file, but a NumPy .npy file; read it with numpy.load")
    if head.isascii() and min(head) > 8:
        raise FileFormatError("is not a safetensors file, but text")
    raise FileFormatError("is not a safetensors file, or its first bytes are damaged")


def _array(name: str, dtype: str, shape: list[int], data: bytearray) -> np.ndarray[Any, Any]:
    """The array of an entry, in memory of its own."""
    if dtype not in _CODES:
        raise FileFormatError(f"holds entry {name!r} of dtype {dtype}, which NumPy and tensorgrad do not have")
    array = np.frombuffer(data, _CODES[dtype])
    if dtype == "BF16":  # the upper half of a float32
        array = (array.astype(np.uint32) << 16).view(np.float32)
    elif dtype == "BOOL":
        if array.size and array.max() > 1:
            raise ValueError(f"entry {name!r} of dtype BOOL has a byte that is neither 0 nor 1")
        array = array.view(np.bool_)
    try:
        array = array.reshape(shape)
    except (ValueError, OverflowError) as error:
        raise FileFormatError(f"holds entry {name!r} of a shape that NumPy cannot have, {shape}: {error}") from None
    return array.astype(array.dtype.newbyteorder("="), copy=not array.flags.writeable)


def _metadata(content: bytes) -> Any:
    """The text that `save` put into the metadata of a safetensors file, None in another's."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return (header.get("__metadata__") or {}).get(_METADATA_KEY)


def _decoded(entries: dict[str, np.ndarray[Any, Any]], text: str | None) -> Any:
    decoder = _Decoder(entries)
    if text is None:
        return {name: decoder.entry("tensor", name) for name in entries}
    match json.loads(text):
        case {"version": version} if version != _VERSION:
            raise FileFormatError(f"has layout version {version!r}, and this tensorgrad reads {_VERSION}; update it")
        case {"object": node, "version": _}:
            obj = decoder.decode(node)
        case _:
            raise ValueError(f"its metadata are not a layout: {text[:60]}")
    for name in entries:
        if name not in decoder.used:
            raise ValueError(f"entry {name!r} has no place in the structure that its metadata describe")
    return obj


class _Decoder:
    """Turns nodes back into the object; what is wrong with them is a `ValueError`."""

    def __init__(self, entries: dict[str, np.ndarray[Any, Any]]) -> None:
        self.entries = entries
        self.used: set[str] = set()
        self.made: dict[tuple[str, str], Any] = {}

    def decode(self, node: Any) -> Any:
        """The object of a node."""
        if isinstance(node, list):
            return [self.decode(x) for x in node]
        if not isinstance(node, dict):
            return node
        match list(node.items()):
            case [("tuple", list(items))]:
                return tuple([self.decode(x) for x in items])
            case [("dict", list(items))]:
                return self.pairs(items)
            case [("OrderedDict", list(items))]:
                return OrderedDict(self.pairs(items))
            case [("int", str(digits))]:
                return int(digits, 16)
            case [("float", str(bits))]:
                return _number("float64", bits).item()
            case [("scalar", [str(dtype), str(bits)])]:
                return _number(dtype, bits)
            case [("str", str(code))]:
                return bytes.fromhex(code).decode("utf-8", "surrogatepass")
            case [("bytes" | "array" | "tensor" | "leaf" as kind, str(name))]:
                return self.entry(kind, name)
        raise ValueError(f"its metadata have a part that cannot be read: {str(node)[:60]}")

    def pairs(self, items: list[Any]) -> dict[Any, Any]:
        made = {}
        for item in items:
            if not isinstance(item, list) or len(item) != 2:
                raise ValueError(f"a dict in its metadata has a part that is no pair: {str(item)[:60]}")
            key = self.decode(item[0])
            if not _is_key(key) or key in made:
                raise ValueError(f"a dict in its metadata has a wrong or repeated key: {str(key)[:60]}")
            made[key] = self.decode(item[1])
        return made

    def entry(self, kind: str, name: str) -> Any:
        """What an entry is, one object for all its occurrences."""
        if name not in self.entries:
            raise ValueError(f"entry {name!r}, which its metadata refer to, is not there")
        self.used.add(name)
        if (kind, name) not in self.made:
            self.made[kind, name] = self.new(kind, name, self.entries[name])
        return self.made[kind, name]

    def new(self, kind: str, name: str, array: np.ndarray[Any, Any]) -> Any:
        if kind == "array":
            return array
        if kind == "bytes":
            if array.dtype != np.uint8 or array.ndim != 1:
                raise ValueError(f"entry {name!r} of dtype {array.dtype} and shape {array.shape} should be bytes")
            return array.tobytes()
        if array.dtype not in SUPPORTED:
            raise FileFormatError(
                f"holds entry {name!r} of dtype {array.dtype}, which tensors cannot have; read the file with "
                "safetensors.numpy.load_file"
            )
        if kind == "leaf" and array.dtype.kind != "f":
            raise ValueError(f"entry {name!r} of dtype {array.dtype} should require a gradient, and cannot")
        return from_numpy(array).requires_grad_(kind == "leaf")


def _number(dtype: str, bits: str) -> Any:
    if dtype not in {storable.name for storable in _STORABLE}:
        raise ValueError(f"its metadata have a number of dtype {dtype[:60]!r}")
    code = np.dtype(dtype).newbyteorder("<")
    if len(bits) != 2 * code.itemsize or (dtype == "bool" and bits not in ("00", "01")):
        raise ValueError(f"its metadata have a {dtype} of bits {bits[:60]!r}")
    return np.frombuffer(bytes.fromhex(bits), code).astype(np.dtype(dtype))[0]
