"""A training step of four networks beside PyTorch: its time, and the memory that it takes.

python benchmarks/networks.py [lenet] [resnet] [lstm] [gpt]

Each network is written once, in names that both libraries have. Each library trains in processes of its own, in turns,
with the threads that it takes by itself: in one process their idle threads would wait for work on each other's cores.
Times are the best step of any process. Memory is what the resident set reaches at its peak, and how much of that came
with the training steps.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def lenet(lib: Any) -> tuple[Any, Any, Any]:
    """LeNet with 16 and 32 channels of 5x5 on 28x28, batch 64."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    return model, lib.randn(64, 1, 28, 28), lib.randint(0, 10, (64,))


def resnet(lib: Any) -> tuple[Any, Any, Any]:
    """ResNet-8 of 16, 32 and 64 channels on 3x32x32, batch 32."""
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self, m: int, n: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(m, n, 3, stride, 1, bias=False), nn.BatchNorm2d(n)
            self.conv2, self.bn2 = nn.Conv2d(n, n, 3, 1, 1, bias=False), nn.BatchNorm2d(n)
            self.short = nn.Identity()
            if stride != 1 or m != n:
                self.short = nn.Sequential(nn.Conv2d(m, n, 1, stride, bias=False), nn.BatchNorm2d(n))

        def forward(self, x: Any) -> Any:
            y = nn.functional.relu(self.bn1(self.conv1(x)))
            return nn.functional.relu(self.bn2(self.conv2(y)) + self.short(x))

    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    return model, lib.randn(32, 3, 32, 32), lib.randint(0, 10, (32,))


def lstm(lib: Any) -> tuple[Any, Any, Any]:
    """A character model: an embedding of 65 characters, an LSTM of 128, batch 32 of 64 steps."""
    nn = lib.nn

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(65, 128)
            self.lstm = nn.LSTM(128, 128, batch_first=True)
            self.head = nn.Linear(128, 65)

        def forward(self, x: Any) -> Any:
            y, _ = self.lstm(self.embedding(x))
            return self.head(y).flatten(0, 1)

    return Model(), lib.randint(0, 65, (32, 64)), lib.randint(0, 65, (32 * 64,))


def gpt(lib: Any) -> tuple[Any, Any, Any]:
    """A GPT of 4 layers, 4 heads and 128 channels on 65 characters, batch 12 of 64 tokens."""
    nn = lib.nn
    F = nn.functional
    channels, heads, tokens, batch = 128, 4, 64, 12

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
            self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
            self.up, self.down = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)

        def forward(self, x: Any) -> Any:
            b, t, c = x.shape
            q, k, v = self.qkv(self.norm1(x)).split(c, dim=2)
            q, k, v = (z.view(b, t, heads, c // heads).transpose(1, 2) for z in (q, k, v))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).contiguous().view(b, t, c))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(65, channels), nn.Embedding(tokens, channels)
            self.blocks = nn.Sequential(*(Block() for _ in range(4)))
            self.norm, self.head = nn.LayerNorm(channels), nn.Linear(channels, 65, bias=False)

        def forward(self, x: Any) -> Any:
            y = self.tokens(x) + self.places(lib.arange(x.shape[1]))
            return self.head(self.norm(self.blocks(y))).flatten(0, 1)

    return Model(), lib.randint(0, 65, (batch, tokens)), lib.randint(0, 65, (batch * tokens,))


NETWORKS = {"lenet": lenet, "resnet": resnet, "lstm": lstm, "gpt": gpt}


def step(lib: Any, network: str) -> Callable[[], object]:
    """A training step with AdamW."""
    lib.manual_seed(0)
    model, x, y = NETWORKS[network](lib)
    optimizer = lib.optim.AdamW(model.parameters(), lr=1e-3)
    cross_entropy = lib.nn.CrossEntropyLoss()

    def run() -> None:
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()

    return run


def resident(field: str) -> float:
    """The megabytes of this process in memory: VmRSS now, VmHWM at the peak since it began."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0]) / 1024


def measure(library: str, network: str, seconds: float = 2.0) -> None:
    """Print, in this process, the time of the best step, and the peak of memory and what it was before the steps."""
    run = step(import_module(library), network)
    before = resident("VmRSS")
    for _ in range(5):
        run()
    peak = resident("VmHWM")
    times = []
    while sum(times) < seconds:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    print(min(times), peak, before)


def measured(library: str, network: str) -> list[float]:
    """Microseconds of a step, the peak of memory in megabytes and how much of it came with the steps."""
    command = [sys.executable, __file__, "--measure", library, network]
    best, peak, before = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    return [best * 1e6, peak, peak - before]


def main(names: list[str]) -> None:
    if names[:1] == ["--measure"]:
        measure(*names[1:])
        return
    names = names or list(NETWORKS)
    unknown = set(names) - set(NETWORKS)
    if unknown:
        raise SystemExit(f"there is no network {', '.join(sorted(unknown))}; there are {', '.join(NETWORKS)}")
    print(f"{'':<34} {'tensorgrad':>13} {'PyTorch':>13} {'ratio':>8}")
    for name in names:
        ours, theirs = [], []
        for _ in range(3):
            ours.append(measured("tensorgrad", name))
            theirs.append(measured("torch", name))
        rows = zip(
            (f"{name}: a training step, us", "peak of memory, MB", "of it the steps, MB"), zip(*ours), zip(*theirs)
        )
        for title, a, b in rows:
            print(f"{title:<34} {min(a):>13.0f} {min(b):>13.0f} {min(a) / min(b):>8.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
