"""Fit a curve to noisy points with L-BFGS, beside Adam.

python examples/regression.py [--points 200] [--noise 0.02] [--steps 20] [--seed 0] [--out runs/regression]

A small dense network learns a wave that grows faster and faster from points of it. On problems of this size, where
all data make one batch, L-BFGS (Liu and Nocedal, 1989) needs few evaluations; Adam is given as many. It reports both
errors on points not seen, and saves the better model, the curves of the loss, and the fits.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import matplotlib.pyplot as plt
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F


def wave(x: tg.Tensor) -> tg.Tensor:
    """The curve that the points are taken from."""
    return tg.sin(math.pi * (x + 2) ** 2 / 4) * (x + 3) / 4


def network() -> nn.Sequential:
    """Numbers (n, 1) to numbers (n, 1)."""
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)).double()


def fit(model: nn.Module, optimizer: tg.optim.Optimizer, x: tg.Tensor, y: tg.Tensor, evaluations: int) -> list[float]:
    """Train for a number of evaluations of the loss; return the loss at each."""
    losses: list[float] = []
    name = type(optimizer).__name__
    with tqdm(total=evaluations, desc=f"{name:>5}", unit="evaluation", mininterval=0.5) as bar:

        def closure() -> tg.Tensor:
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            losses.append(loss.item())
            bar.update()
            return loss

        while len(losses) < evaluations:
            before = len(losses)
            optimizer.step(closure)
            bar.set_postfix_str(f"loss {losses[-1]:.2e}")
            if len(losses) - before <= 1 and isinstance(optimizer, tg.optim.LBFGS):
                break  # it has converged: a step evaluates once and goes nowhere
    return losses


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Fit a curve to noisy points with L-BFGS, beside Adam.")
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.02)
    parser.add_argument("--steps", type=int, default=20, help="steps of L-BFGS, of about 20 evaluations each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/regression"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    x = tg.rand(options.points, 1, dtype=tg.float64) * 4 - 2
    y = wave(x) + options.noise * tg.randn(options.points, 1, dtype=tg.float64)
    unseen = tg.linspace(-2, 2, 500, dtype=tg.float64).unsqueeze(1)
    first = network().state_dict()
    fits: dict[str, tuple[nn.Module, list[float], float]] = {}
    for name in ("L-BFGS", "Adam"):
        model = network()
        model.load_state_dict(first)
        optimizer: tg.optim.Optimizer = tg.optim.Adam(model.parameters(), lr=0.01)
        if name == "L-BFGS":
            optimizer = tg.optim.LBFGS(model.parameters(), max_iter=20, line_search_fn="strong_wolfe")
        evaluations = 25 * options.steps if name == "L-BFGS" else len(fits["L-BFGS"][1])
        losses = fit(model, optimizer, x, y, evaluations)
        with tg.no_grad():
            error = F.mse_loss(model(unseen), wave(unseen)).sqrt().item()
        fits[name] = model, losses, error
        print(f"{name:<6} {len(losses)} evaluations: loss {losses[-1]:.2e}, error on the curve {error:.4f}")

    options.out.mkdir(parents=True, exist_ok=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    for name, (model, losses, _) in fits.items():
        left.semilogy(range(1, len(losses) + 1), losses, label=name)
        right.plot(unseen[:, 0], model(unseen).detach()[:, 0], label=name)
    left.set(title="Mean squared error at each evaluation", xlabel="evaluation")
    right.plot(unseen[:, 0], wave(unseen)[:, 0], "k--", lw=1, label="the curve")
    right.scatter(x[:, 0], y[:, 0], s=8, c="0.6", label="points")
    right.set(title="The fits")
    for axes in (left, right):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(options.out / "fits.png", dpi=120)
    plt.close(figure)
    best = min(fits, key=lambda name: fits[name][2])
    tg.save(fits[best][0].state_dict(), options.out / "model.safetensors")
    print(f"saved: {options.out / 'model.safetensors'} (of {best}), {options.out / 'fits.png'}")
    return fits["L-BFGS"][2]


if __name__ == "__main__":
    main()
