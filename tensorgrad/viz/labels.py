"""The texts in a drawing: shapes, attributes and names, short, escaped and the same in every run."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import Node, TensorBase, spec
from tensorgrad.autograd.op import Op
from tensorgrad.backends.cpu import Slot

SMALL, QUIET, ALARM = "9", "#555555", "#c0261f"  # a font size and colours
OWN_ESCAPE = re.compile(r"\\(?=[EGHLNT])")


def of_attributes(node: Node) -> list[str]:
    """What an operation was called with, as far as its output's shape does not tell it already."""
    texts = []
    for key, value in node.attrs.items():
        told = key in ("shape", "sizes") or (key == "dim" and node.shape == ())
        if key == "steps":
            texts.append("at " + " ".join(_of_step(op, attrs) for op, attrs in value))
        elif key in ("index", "template") and isinstance(value, tuple):
            texts.append(of_index(value))
        elif value is True:
            texts.append(key)
        elif not told and value is not None and value is not False:
            texts.append(f"{key}={of_value(value)}")
    return texts


def _of_step(op: Op, attrs: Mapping[str, Any]) -> str:
    if set(attrs) == {"index"}:
        return of_index(attrs["index"])
    return f"{op.name}({', '.join(f'{key}={of_value(value)}' for key, value in attrs.items())})"


def of_index(index: tuple[Any, ...]) -> str:
    """An index as it is written behind a tensor."""
    return f"[{', '.join(of_value(part) for part in index)}]"


def of_value(value: Any) -> str:
    """An attribute; of an array the shape, of an object that is unknown here the type."""
    if isinstance(value, Slot):
        return "tensor"  # an array that stands in an index
    if isinstance(value, slice):
        bounds = [value.start, value.stop] if value.step is None else [value.start, value.stop, value.step]
        return ":".join("" if bound is None else str(bound) for bound in bounds)
    if isinstance(value, tuple | list):
        return of_value(value[0]) if len(value) == 1 else f"({', '.join(of_value(v) for v in value)})"
    if isinstance(value, np.ndarray):
        return spec(value.shape, value.dtype)
    if isinstance(value, TensorBase):
        return spec(value._data.shape, value._data.dtype)
    if isinstance(value, np.dtype | Op):
        return str(value.name)
    if value is Ellipsis:
        return "..."
    if isinstance(value, float):
        return f"{value:.4g}"
    return repr(value) if isinstance(value, str | int | None) else type(value).__name__


def of_shape(thing: Any, always: bool = False) -> str:
    """The shape of a node, leaf or array, and its dtype where that is not float32 or where asked."""
    shape = str(list(thing.shape)) if thing.shape else "scalar"
    return f"{shape} {thing.dtype.name}" if always or thing.dtype != np.float32 else shape


def plain(text: str) -> str:
    """A text with what cannot be printed written as escapes."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if shown.strip() else repr(shown)


def short(text: str, limit: int = 48) -> str:
    """A text of at most `limit` characters: the middle of a longer one is left out."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[len(text) + 1 - limit // 2 :]}"


def escape(text: str) -> str:
    """A text for use in Graphviz's HTML-like labels."""
    # In a tag of its own the backslash is just that; Graphviz would read \N as the name of a node.
    return OWN_ESCAPE.sub(r"<B>\\</B>", html.escape(plain(text)))


def bold(text: str) -> str:
    """A title, shortened and escaped."""
    return f"<B>{escape(short(text))}</B>"


def small(text: str, color: str = QUIET) -> str:
    """A line below a title, shortened and escaped; nothing for no text."""
    return f"<FONT POINT-SIZE='{SMALL}' COLOR='{color}'>{escape(short(text, 80))}</FONT>" if text else ""


def quoted(lines: list[str]) -> str:
    """Lines as a plain DOT string, whatever they hold."""
    import graphviz

    # A word joiner, which does not show, keeps Graphviz from reading \N, even escaped, as the name of a node.
    lines = [OWN_ESCAPE.sub("\\\\\u2060", plain(line)) for line in lines]
    text = "\\n".join(line.replace("&", "&amp;").replace("\\", "&#92;" * 2) for line in lines)
    plain_string: str = graphviz.nohtml(text)
    return plain_string


def counted(n: int, what: str) -> str:
    """A number and what there is of it."""
    plural = "leaves" if what == "leaf" else f"{what}s"
    return f"{n:,} {what if n == 1 else plural}"


def listed(names: Sequence[str], limit: int = 6) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(short(plain(name)) for name in names[:limit]) + more
