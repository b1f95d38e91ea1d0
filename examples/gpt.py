"""A character-level GPT that learns to write like Shakespeare.

python examples/gpt.py [--text FILE] [--steps 2000] [--resume] [--sample 500] [--out runs/gpt]

It trains a decoder-only transformer (Radford et al., 2019) on nine tenths of a text, reports the validation loss,
writes a passage of its own, and saves the model, the curves and a checkpoint. Stopped at any time, it goes on from the
last checkpoint with --resume, and gives the numbers that it would have given unstopped. The text is tiny Shakespeare,
looked for in the folder that TENSORGRAD_DATA names, or any file.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from characters import Alphabet, draw_curves, read_text
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F


class Block(nn.Module):
    """Attention to what came before, then a dense network on each position; both add to what passes through."""

    def __init__(self, channels: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.up, self.down = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        batch, tokens, channels = x.shape
        parts = self.qkv(self.norm1(x)).split(channels, dim=2)
        q, k, v = (part.view(batch, tokens, self.heads, -1).transpose(1, 2) for part in parts)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        y = self.out(y.transpose(1, 2).reshape(batch, tokens, channels))
        x = x + F.dropout(y, self.dropout, self.training)
        y = self.down(F.gelu(self.up(self.norm2(x))))
        return x + F.dropout(y, self.dropout, self.training)


class GPT(nn.Module):
    """Numbers of characters (batch, tokens) to logits of the next one (batch, tokens, letters)."""

    def __init__(self, letters: int, layers: int, heads: int, channels: int, tokens: int, dropout: float) -> None:
        super().__init__()
        self.tokens = tokens
        self.letter, self.place = nn.Embedding(letters, channels), nn.Embedding(tokens, channels)
        self.blocks = nn.Sequential(*(Block(channels, heads, dropout) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(channels), nn.Linear(channels, letters, bias=False)
        self.head.weight = self.letter.weight  # the same table reads and writes letters
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:  # what adds to the stream is smaller, as there are two such to a layer
                adds = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, 0.0, 0.02 / math.sqrt(2 * layers) if adds else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        y = self.letter(x) + self.place(tg.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(y)))

    @tg.no_grad()
    def write(self, start: tg.Tensor, count: int, temperature: float = 0.8) -> tg.Tensor:
        """The numbers in `start` with `count` more, each drawn from what the model expects next."""
        self.eval()
        text = start
        for _ in tqdm(range(count), desc="writing", unit="letter", mininterval=0.5):
            logits = self(text[-self.tokens :].unsqueeze(0))[0, -1] / temperature
            text = tg.cat([text, tg.multinomial(logits.softmax(0), 1)])
        return text


def batch(data: tg.Tensor, size: int, tokens: int) -> tuple[tg.Tensor, tg.Tensor]:
    """Passages at random places, and the same moved on by one character."""
    starts = tg.randint(0, len(data) - tokens, (size, 1))
    places = starts + tg.arange(tokens)
    return data[places], data[places + 1]


def loss_of(model: GPT, x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    """The mean cross-entropy of the next character, in nats."""
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


@tg.no_grad()
def validate(model: GPT, data: tg.Tensor, size: int, most: int = 200) -> float:
    """The loss on passages that follow one another, at most so many of them."""
    model.eval()
    tokens = model.tokens
    count = min((len(data) - 1) // tokens, most)
    x = data[: count * tokens].reshape(count, tokens)
    y = data[1 : count * tokens + 1].reshape(count, tokens)
    losses = [loss_of(model, a, b).item() * len(a) for a, b in zip(x.split(size), y.split(size))]
    model.train()
    return sum(losses) / count


def train(model: GPT, training: tg.Tensor, validation: tg.Tensor, options: Any, checkpoint: Path) -> dict[str, Any]:
    """Train, from the checkpoint on if it is to be resumed; return the curves."""
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = tg.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.99))
    scheduler = tg.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, options.steps))
    history: dict[str, Any] = {"training": [], "validation": []}
    first = 0
    if options.resume:
        if not checkpoint.exists():
            raise SystemExit(f"there is no checkpoint at {checkpoint} to resume from")
        state = tg.load(checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        tg.set_rng_state(state["random"])
        first, history = state["step"], state["history"]
        print(f"resumed at step {first}")
    model.train()
    with tqdm(total=options.steps, initial=first, desc="training", unit="step", mininterval=0.5) as bar:
        for step in range(first + 1, options.steps + 1):
            loss = loss_of(model, *batch(training, options.batch, model.tokens))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            bar.update()
            if step % 20 == 0:
                history["training"].append((step, loss.item()))
            if step % options.every == 0 or step == options.steps:
                history["validation"].append((step, validate(model, validation, options.batch)))
                bar.set_postfix_str(f"validation loss {history['validation'][-1][1]:.3f}")
                states = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
                plain = {"step": step, "history": history, "random": tg.get_rng_state()}
                tg.save({**{name: part.state_dict() for name, part in states.items()}, **plain}, checkpoint)
    return history


def rate(step: int, steps: int, warm: int = 100) -> float:
    """The learning rate over its peak: a linear rise, then a cosine down to a tenth."""
    if step < warm:
        return (step + 1) / warm
    return 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description="Train a character-level GPT.")
    parser.add_argument("--text", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=250, help="steps between validations and checkpoints")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--sample", type=int, default=500, help="characters to write at the end")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/gpt"))
    options = parser.parse_args(arguments)

    tg.manual_seed(options.seed)
    text = read_text("tinyshakespeare.txt", options.text)
    alphabet = Alphabet(text)
    data = alphabet.encode(text)
    training, validation = data[: len(data) * 9 // 10], data[len(data) * 9 // 10 :]
    if len(validation) <= options.tokens:
        raise SystemExit(f"a text of {len(text)} characters is too short for passages of {options.tokens}")
    model = GPT(len(alphabet), options.layers, options.heads, options.channels, options.tokens, options.dropout)
    count = sum(p.numel() for p in model.parameters())
    print(f"{len(text)} characters of {len(alphabet)} kinds; a model of {count} parameters")
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(model, training, validation, options, options.out / "checkpoint.safetensors")
    result = history["validation"][-1][1]
    tg.save(model.state_dict(), options.out / "model.safetensors")
    draw_curves(history, "cross-entropy per character (nats)", options.out / "curves.png")
    passage = alphabet.decode(model.write(alphabet.encode("\n") if "\n" in text else data[:1], options.sample))
    (options.out / "sample.txt").write_text(passage)
    print(passage)
    print(f"validation loss: {result:.4f}")
    print(f"saved: {', '.join(str(options.out / n) for n in ('model.safetensors', 'curves.png', 'sample.txt'))}")
    return result


if __name__ == "__main__":
    main()
