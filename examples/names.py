"""A character model that invents first names, after 32,033 real ones.

python examples/names.py [--model mlp|rnn|gru|lstm] [--text FILE] [--steps 6000] [--count 20] [--out runs/names]

The MLP is that of Bengio et al. (2003): it sees the last few letters. The recurrent networks have seen them all. It
reports the loss on names held out, prints names that are not in the list, and saves the model, its curves and a map of
the letters as the model has placed them. The names are looked for in the folder that TENSORGRAD_DATA names.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
from characters import Alphabet, draw_curves, read_text
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

END = "."  # begins and ends a name


class MLP(nn.Module):
    """The last `context` letters (batch, letters before the next) to logits of the next at each place."""

    def __init__(self, letters: int, channels: int = 16, hidden: int = 256, context: int = 4) -> None:
        super().__init__()
        self.context = context
        self.embedding = nn.Embedding(letters, channels)
        self.net = nn.Sequential(nn.Linear(context * channels, hidden), nn.Tanh(), nn.Linear(hidden, letters))

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        seen = F.pad(x, (self.context - 1, 0), value=0)  # letter 0 is the end, and so the beginning
        windows = seen.unfold(1, self.context, 1)
        return self.net(self.embedding(windows).flatten(2))


class Recurrent(nn.Module):
    """Letters (batch, places) to logits of the next at each place, through a recurrent network."""

    def __init__(self, kind: str, letters: int, channels: int = 16, hidden: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, channels)
        self.rnn = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[kind](channels, hidden, batch_first=True)
        self.head = nn.Linear(hidden, letters)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        y, _ = self.rnn(self.embedding(x))
        return self.head(y)


def examples(names: list[str], alphabet: Alphabet) -> tuple[tg.Tensor, tg.Tensor]:
    """The letters (names, places) of names after a beginning, and what follows at each place: -100 after the end."""
    coded = [alphabet.encode(END + name + END) for name in names]
    x = nn.utils.rnn.pad_sequence([letters[:-1] for letters in coded], batch_first=True)
    y = nn.utils.rnn.pad_sequence([letters[1:] for letters in coded], batch_first=True, padding_value=-100)
    return x, y


def loss_of(model: nn.Module, x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    """The mean cross-entropy of the next letter, in nats; places after the end do not count."""
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


@tg.no_grad()
def validate(model: nn.Module, x: tg.Tensor, y: tg.Tensor) -> float:
    """The loss on names held out."""
    counts = [int((b >= 0).sum()) for b in y.split(512)]
    losses = [loss_of(model, a, b).item() * n for a, b, n in zip(x.split(512), y.split(512), counts)]
    return sum(losses) / sum(counts)


@tg.no_grad()
def invent(model: nn.Module, alphabet: Alphabet, longest: int = 20) -> str:
    """A name, letter by letter, each drawn from what the model expects."""
    letters = alphabet.encode(END)
    while len(letters) <= longest:
        probabilities = model(letters.unsqueeze(0))[0, -1].softmax(0)
        letters = tg.cat([letters, tg.multinomial(probabilities, 1)])
        if letters[-1] == 0:
            break
    return alphabet.decode(letters).strip(END)


def draw_letters(embedding: tg.Tensor, alphabet: Alphabet, path: Path) -> None:
    """Draw the letters where the two main directions of their vectors put them."""
    vectors = embedding.detach() - embedding.detach().mean(0)
    places = vectors @ tg.linalg.svd(vectors, full_matrices=False).Vh[:2].T
    figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
    colours = ["tab:orange" if letter in "aeiouy" else "0.85" for letter in alphabet.letters]
    axes.scatter(places[:, 0], places[:, 1], s=250, c=colours)
    for letter, (x, y) in zip(alphabet.letters, places.tolist()):
        axes.text(x, y, letter, ha="center", va="center")
    axes.set(title="Letters as the model has placed them (vowels in orange)", xticks=[], yticks=[])
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Train a model that invents first names.")
    parser.add_argument("--model", choices=["mlp", "rnn", "gru", "lstm"], default="gru")
    parser.add_argument("--text", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--count", type=int, default=20, help="names to invent")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/names"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    names = read_text("names.txt", options.text).split()
    alphabet = Alphabet(END + "".join(names))
    order = tg.randperm(len(names)).tolist()
    held = max(1, len(names) // 10)
    training = examples([names[i] for i in order[held:]], alphabet)
    validation = examples([names[i] for i in order[:held]], alphabet)
    model = MLP(len(alphabet)) if options.model == "mlp" else Recurrent(options.model, len(alphabet))
    print(f"{len(names)} names of {len(alphabet) - 1} letters, {held} of them held out")
    print(model)
    optimizer = tg.optim.AdamW(model.parameters(), lr=options.lr)
    scheduler = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=options.steps)
    history: dict[str, list[tuple[int, float]]] = {"training": [], "held out": []}
    with tqdm(total=options.steps, desc="training", unit="step", mininterval=0.5) as bar:
        for step in range(1, options.steps + 1):
            chosen = tg.randint(0, len(training[0]), (options.batch,))
            loss = loss_of(model, training[0][chosen], training[1][chosen])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            bar.update()
            if step % 50 == 0:
                history["training"].append((step, loss.item()))
            if step % 1000 == 0 or step == options.steps:
                history["held out"].append((step, validate(model, *validation)))
                bar.set_postfix_str(f"loss on names held out {history['held out'][-1][1]:.3f}")
    result = history["held out"][-1][1]
    options.out.mkdir(parents=True, exist_ok=True)
    tg.save(model.state_dict(), options.out / "model.safetensors")
    draw_curves(history, "cross-entropy per letter (nats)", options.out / "curves.png")
    draw_letters(model.embedding.weight, alphabet, options.out / "letters.png")
    known = set(names)
    invented = [name for name in (invent(model, alphabet) for _ in range(options.count * 3)) if name not in known]
    print("names that are not in the list:", ", ".join(dict.fromkeys(invented[: options.count])))
    print(f"loss on names held out: {result:.4f}")
    print(f"saved: {', '.join(str(options.out / n) for n in ('model.safetensors', 'curves.png', 'letters.png'))}")
    return result


if __name__ == "__main__":
    main()
