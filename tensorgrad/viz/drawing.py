"""A drawing in Graphviz's language: saved, rendered, and shown in a notebook."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorgrad.files import replacing

TEXT_SUFFIXES = (".dot", ".gv")
PICTURE_SUFFIXES = (".svg", ".png", ".pdf")
FONT = "Helvetica,Arial,sans-serif"


class DotNotFound(RuntimeError, OSError):
    """The program `dot` of Graphviz, which turns a graph into a picture, is not installed.

    A graph's `.source`, and saving it as .dot, need no program; a script can report this error and go on.

    >>> import os, tensorgrad as tg
    >>> from tensorgrad import viz
    >>> x = tg.ones(2, requires_grad=True)
    >>> path, os.environ["PATH"] = os.environ["PATH"], ""
    >>> try:
    ...     viz.graph(x * 2).save("graph.svg")
    ... except viz.DotNotFound as error:
    ...     print(str(error).split(":")[0])
    ... finally:
    ...     os.environ["PATH"] = path
    the program 'dot' of Graphviz, which draws the picture, was not found
    """

    def __init__(self) -> None:
        super().__init__(
            "the program 'dot' of Graphviz, which draws the picture, was not found: install it (apt install graphviz, "
            "brew install graphviz, winget install graphviz, or conda install -c conda-forge graphviz) and put it on "
            "the PATH; saving as .dot works without it"
        )


@dataclass(frozen=True)
class Drawing:
    """A drawing, whose `source` is a text in Graphviz's DOT language. In a notebook it shows itself."""

    source: str

    def render(self, format: str) -> bytes:
        """The picture as "svg", "png" or "pdf". Raises `DotNotFound` where Graphviz is not installed."""
        import graphviz

        if f".{format}" not in PICTURE_SUFFIXES:
            raise ValueError(f"render: format must be 'svg', 'png' or 'pdf', not {format!r}")
        try:
            picture: bytes = graphviz.Source(self.source).pipe(format=format, quiet=True)
        except graphviz.ExecutableNotFound:
            raise DotNotFound from None
        return picture

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the graph to a file by its suffix, .dot, .gv, .svg, .png or .pdf, whole or not at all; return the path.

        Raises `ValueError` for another suffix, `FileNotFoundError` for a folder that is not there, and `DotNotFound`
        for a picture where Graphviz is not installed.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in TEXT_SUFFIXES + PICTURE_SUFFIXES:
            known = ", ".join(TEXT_SUFFIXES + PICTURE_SUFFIXES)
            raise ValueError(f"save: the name must end in one of {known}, and is {str(target)!r}")
        content = self.source.encode() if suffix in TEXT_SUFFIXES else self.render(suffix[1:])
        with replacing("save", os.path.realpath(target)) as temporary:
            Path(temporary).write_bytes(content)
        return target

    def _repr_svg_(self) -> str | None:
        try:
            return self.render("svg").decode()
        except DotNotFound:
            return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.render("svg").decode(), "text/plain": repr(self)}
        except DotNotFound as error:
            return {"text/plain": f"{self!r}\nNo picture: {error}"}
