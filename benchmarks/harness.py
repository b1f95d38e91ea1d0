"""Timing side by side: the peers take turns in one run, and the ratio of their best rounds is what counts."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The mean time of one call over some repeats."""
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - start) / repeats


def compare(name: str, ours: Callable[[], object], peer: Callable[[], object], rounds: int = 30) -> float:
    """Time two pieces of work in turns, print a row, and return ours over the peer's."""
    gc.collect()
    repeats = []
    for work in (ours, peer):
        for _ in range(3):
            work()
        repeats.append(max(1, round(0.02 / seconds(work, 3))))
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for i, work in enumerate((ours, peer)):
            best[i] = min(best[i], seconds(work, repeats[i]))
    ratio = best[0] / best[1]
    print(f"{name:<44} {best[0] * 1e6:>10.1f} us {best[1] * 1e6:>10.1f} us {ratio:>8.2f}", flush=True)
    return ratio


def header(peer: str) -> None:
    """Print the titles of the rows."""
    print(f"{'':<44} {'tensorgrad':>13} {peer:>13} {'ratio':>8}")
