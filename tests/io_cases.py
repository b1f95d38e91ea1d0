"""Files that are written, crafted and read back, for the tests of saving and loading."""

from __future__ import annotations

import json
import struct

import numpy as np

import tensorgrad as tg
from tensorgrad.io import load, save

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64"]


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
