"""Blocks of rows: what goes over its input several times does so while a block is in the cache, in several threads."""

from __future__ import annotations

from collections.abc import Callable

from tensorgrad.backends.parallel import run
from tensorgrad.backends.threads import get_num_threads

_BLOCK = 1 << 17  # elements
_ALONE = 1 << 20  # elements below which a second thread costs more than it saves


def each_block(block: Callable[[slice], object], rows: int, width: int) -> None:
    """Call a function for the blocks that rows of a width fall into."""
    step = max(1, _BLOCK // max(1, width))
    parts = min(get_num_threads(), -(-rows // step)) if rows * width >= _ALONE else 1

    def work(part: int) -> None:
        for start in range(part * step, rows, parts * step):
            block(slice(start, min(start + step, rows)))

    run(work, parts)
