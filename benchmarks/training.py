"""Whole training steps (forward, backward, optimizer) beside PyTorch.

python benchmarks/training.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from harness import compare, header

import tensorgrad as tg


def step(lib: Any, sizes: list[int], batch: int) -> Callable[[], object]:
    """A training step of a dense classifier with ReLU and Adam, in PyTorch's own words."""
    lib.manual_seed(0)
    layers: list[Any] = []
    for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
        layers += [lib.nn.Linear(m, n)] + ([lib.nn.ReLU()] if i < len(sizes) - 2 else [])
    model = lib.nn.Sequential(*layers)
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = lib.nn.CrossEntropyLoss()
    x, y = lib.randn(batch, sizes[0]), lib.randint(0, sizes[-1], (batch,))

    def run() -> None:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()

    return run


CASES = (
    ("spiral: 2-64-3, 300 points", [2, 64, 3], 300),
    ("digits: 64-128-10, batch 64", [64, 128, 10], 64),
    ("MNIST: 784-128-64-10, batch 64", [784, 128, 64, 10], 64),
    ("MNIST: 784-512-512-10, batch 256", [784, 512, 512, 10], 256),
)


def main() -> None:
    torch.set_num_threads(2)
    header("PyTorch")
    for name, sizes, batch in CASES:
        compare(f"{name}, Adam", step(tg, sizes, batch), step(torch, sizes, batch))


if __name__ == "__main__":
    main()
