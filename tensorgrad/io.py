"""Saving and loading: tensors, arrays and plain data in one safetensors file, which never runs code when it is read.

The tensors are ordinary entries of the file. What holds them together, the dicts, lists, numbers and strings, is one
JSON text in the file's metadata: `{"version": 1, "object": node}`, with nodes as layout.py has them.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from contextlib import nullcontext
from typing import Any, BinaryIO

import numpy as np

from tensorgrad.backends.device import require_cpu
from tensorgrad.errors import FileFormatError
from tensorgrad.files import replacing
from tensorgrad.layout import CODES, Decoder, Encoder
from tensorgrad.tensor import Tensor

__all__ = ["FileFormatError", "load", "save"]

_METADATA_KEY = "tensorgrad"
_VERSION = 1
_MAX_HEADER = 100_000_000  # bytes: safetensors does not read a file with a longer header


def save(
    obj: Any,
    f: str | os.PathLike[str] | BinaryIO,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write nested containers of tensors, arrays and plain data to one safetensors file, or to an open binary file.

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
    file cannot be written. The other arguments, which PyTorch has, change nothing: nothing is pickled.

    >>> import os, tempfile, tensorgrad as tg
    >>> from tensorgrad.io import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "checkpoint.safetensors")
    ...     save({"step": 7, "model": {"weight": tg.ones(2)}}, path)
    ...     load(path)
    {'step': 7, 'model': {'weight': tensor([1., 1.])}}
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save as to_bytes
    from safetensors.numpy import save_file

    target = None if hasattr(f, "write") else os.path.realpath(_checked_path("save", f))
    encoder = Encoder(share=not _is_state_dict(obj))
    layout = {"version": _VERSION, "object": encoder.encode(obj, ())}
    text = json.dumps(layout, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if target is None:
        f.write(to_bytes(encoder.entries, metadata={_METADATA_KEY: text}))  # type: ignore[union-attr]
        return
    with replacing("save", target) as temporary:
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


def load(
    f: str | os.PathLike[str] | BinaryIO,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Read what `save` wrote, or any other safetensors file, as a dict of its tensors; `f` is a path or an open file.

    `map_location` may name the CPU; `pickle_module`, `weights_only` and `mmap`, which PyTorch has, change nothing.
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

    if not callable(map_location):
        require_cpu("load: map_location", map_location)
    opened: Any = f if hasattr(f, "read") else None
    source = getattr(f, "name", "the open file") if opened is not None else _checked_path("load", f)
    with open(source, "rb") if opened is None else nullcontext(opened) as file:
        content = file.read()
        try:
            _check_head(content[:512], len(content), source)
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
    if dtype not in CODES:
        raise FileFormatError(f"holds entry {name!r} of dtype {dtype}, which NumPy and tensorgrad do not have")
    array = np.frombuffer(data, CODES[dtype])
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
    decoder = Decoder(entries)
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
