"""How nested containers are laid out as JSON nodes and a flat dict of arrays, and made anew from them.

A node is `null`, a bool, a number, a string, a list of nodes, or an object with one tag that says what the rest is:
`{"tuple": [node, ...]}`, `{"dict": [[key, value], ...]}`, `{"tensor": "name of the entry"}`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import numpy as np

from tensorgrad.backends.dtypes import SUPPORTED
from tensorgrad.creation import from_numpy
from tensorgrad.errors import FileFormatError
from tensorgrad.tensor import Tensor

_MAX_DEPTH = 100  # levels of nesting: far below what the JSON and our own recursion can take

# safetensors' names for dtypes, and how the bytes of each are read.
CODES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "u1", "I8": "i1", "U8": "u1"} | {
    f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (16, 32, 64)
}
STORABLE = {np.dtype(code).newbyteorder("=") for code in (*CODES.values(), "?")}


def _is_key(key: Any) -> bool:
    if type(key) is tuple:
        return all(map(_is_key, key))
    return key is None or type(key) in (str, int, float, bool)


class Encoder:
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
        if isinstance(obj, np.generic) and obj.dtype in STORABLE:
            return {"scalar": [obj.dtype.name, _bits(obj)]}
        if isinstance(obj, Tensor):
            return {"leaf" if obj.requires_grad else "tensor": self.shared(obj.numpy(force=True), keys)}
        if kind is np.ndarray and obj.dtype.newbyteorder("=") in STORABLE:
            return {"array": self.shared(obj, keys)}
        if kind in (list, tuple, dict, OrderedDict):
            return self.container(obj, keys)
        raise TypeError(f"save: {_place(keys)} is {_described(obj)}")

    def container(self, obj: Any, keys: tuple[Any, ...]) -> Any:
        """The node of a list, tuple or dict."""
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
    if hasattr(obj, "state_dict"):
        return f"{what}, and files hold no code; save its state_dict(), and load that into a new one"
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


class Decoder:
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
        """The dict of a list of pairs of nodes."""
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
        """What the array of an entry is to be: an array, bytes, or a tensor."""
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
    if dtype not in {storable.name for storable in STORABLE}:
        raise ValueError(f"its metadata have a number of dtype {dtype[:60]!r}")
    code = np.dtype(dtype).newbyteorder("<")
    if len(bits) != 2 * code.itemsize or (dtype == "bool" and bits not in ("00", "01")):
        raise ValueError(f"its metadata have a {dtype} of bits {bits[:60]!r}")
    return np.frombuffer(bytes.fromhex(bits), code).astype(np.dtype(dtype))[0]
