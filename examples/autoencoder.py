"""A variational autoencoder of MNIST: digits drawn from a plane.

python examples/autoencoder.py [--root FOLDER] [--download] [--epochs 15] [--latent 2] [--out runs/autoencoder]

It learns to squeeze a digit into a few numbers and to draw it again from them (Kingma and Welling, "Auto-Encoding
Variational Bayes", 2014), reports the loss on test images, and saves the model, digits beside what became of them, and
with two numbers the plane that all digits lie in.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.datasets import MNIST
from tensorgrad.nn import functional as F
from tensorgrad.utils.data import DataLoader


class VAE(nn.Module):
    """Flat images (n, 784) to logits of their pixels, through `latent` numbers that are drawn at random."""

    def __init__(self, latent: int, hidden: int = 400) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 784))

    def encode(self, x: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        """The mean and the logarithm of the variance of the numbers behind images."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance

    def forward(self, x: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor, tg.Tensor]:
        mean, log_variance = self.encode(x)
        z = mean + tg.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(z), mean, log_variance


def loss_of(model: VAE, x: tg.Tensor) -> tg.Tensor:
    """The negative evidence lower bound, in nats per image: of the pixels, and the divergence from the prior."""
    logits, mean, log_variance = model(x)
    pixels = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return (pixels + divergence) / len(x)


@tg.no_grad()
def draw_pairs(model: VAE, images: tg.Tensor, path: Path) -> None:
    """Draw images, and below each what the model makes of it."""
    drawn = model.decoder(model.encode(images)[0]).sigmoid()
    figure, grid = plt.subplots(2, len(images), figsize=(len(images), 2.2), layout="constrained")
    for row, name, pictures in zip(grid, ("digits", "drawn again"), (images, drawn)):
        row[0].set_title(name, loc="left", fontsize=10)
        for axes, picture in zip(row, pictures):
            axes.imshow(picture.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
            axes.axis("off")
    figure.savefig(path, dpi=120)
    plt.close(figure)


@tg.no_grad()
def draw_plane(model: VAE, data: MNIST, path: Path, side: int = 18) -> None:
    """Draw the digits that lie at the points of a grid in the plane, and where the test images lie in it."""
    steps = tg.linspace(-2.5, 2.5, side)
    y, x = tg.meshgrid(steps.flip(0), steps)
    drawn = model.decoder(tg.stack([x.flatten(), y.flatten()], dim=1)).sigmoid()
    sheet = drawn.reshape(side, side, 28, 28).transpose(1, 2).reshape(side * 28, side * 28)
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 6.2), layout="constrained")
    left.imshow(sheet, cmap="gray_r", extent=(-2.5, 2.5, -2.5, 2.5))
    left.set(title="What lies at each point of the plane")
    means = model.encode(data.images)[0]
    points = right.scatter(means[:, 0], means[:, 1], c=data.labels, cmap="tab10", s=3, vmin=-0.5, vmax=9.5)
    right.set(title="Where the test images lie", aspect="equal")
    figure.colorbar(points, ax=right, ticks=range(10), label="digit")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Train a variational autoencoder on MNIST.")
    parser.add_argument("--root", type=Path, default=None)
    parser.add_argument("--download", action="store_true")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--latent", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/autoencoder"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    training = MNIST(options.root, train=True, download=options.download, flat=True)
    test = MNIST(options.root, train=False, flat=True)
    model = VAE(options.latent)
    print(f"{len(training)} images to learn from, {len(test)} to test on")
    print(model)
    optimizer = tg.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(training, batch_size=options.batch, shuffle=True)
    result = float("nan")
    with tqdm(total=options.epochs * len(loader), desc="training", unit="batch", mininterval=0.5) as bar:
        for epoch in range(options.epochs):
            model.train()
            for images, _ in loader:
                loss = loss_of(model, images)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                bar.update()
            model.eval()
            with tg.no_grad():
                result = sum(loss_of(model, x).item() * len(x) for x in test.images.split(1000)) / len(test)
            bar.set_postfix_str(f"epoch {epoch + 1}/{options.epochs}, test loss {result:.1f}")
    options.out.mkdir(parents=True, exist_ok=True)
    tg.save(model.state_dict(), options.out / "model.safetensors")
    draw_pairs(model, test.images[:16], options.out / "pairs.png")
    pictures = ["pairs.png"]
    if options.latent == 2:
        draw_plane(model, test, options.out / "plane.png")
        pictures.append("plane.png")
    print(f"test loss: {result:.2f} nats per image")
    print(f"saved: {', '.join(str(options.out / name) for name in ['model.safetensors', *pictures])}")
    return result


if __name__ == "__main__":
    main()
