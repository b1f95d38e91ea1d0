"""The cost of the graph itself: forward and backward over 1,000 tiny operations, beside PyTorch.

python benchmarks/engine.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from harness import compare, header

import tensorgrad as tg


def mixed(lib: Any) -> Callable[[], object]:
    """250 rounds of h = tanh(h * w + x) - w, on 4 x 4."""
    x = lib.ones(4, 4, requires_grad=True)
    w = lib.full((4, 4), 1.0001, requires_grad=True)

    def run() -> None:
        h = x
        for _ in range(250):
            h = h * w
            h = h + x
            h = h.tanh()
            h = h - w
        h.sum().backward()
        x.grad = w.grad = None

    return run


def chain(lib: Any) -> Callable[[], object]:
    """A chain of 1,000 products, on 4 x 4."""
    x = lib.ones(4, 4, requires_grad=True)
    w = lib.full((4, 4), 1.0001, requires_grad=True)

    def run() -> None:
        h = x
        for _ in range(1000):
            h = h * w
        h.sum().backward()
        x.grad = w.grad = None

    return run


def scalars(lib: Any) -> Callable[[], object]:
    """500 rounds of h = h * 1.01 + 0.1, with Python numbers, on 4 x 4."""
    x = lib.ones(4, 4, requires_grad=True)

    def run() -> None:
        h = x
        for _ in range(500):
            h = h * 1.01
            h = h + 0.1
        h.sum().backward()
        x.grad = None

    return run


def main() -> None:
    torch.set_num_threads(2)
    header("PyTorch")
    for name, make in (("mixed: mul, add, tanh, sub", mixed), ("chain: mul", chain), ("numbers: mul, add", scalars)):
        compare(f"1,000 tiny ops, {name}", make(tg), make(torch))


if __name__ == "__main__":
    main()
