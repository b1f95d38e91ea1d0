"""How a fit is going, to be read: a bar in a terminal or a notebook, lines in a log file, a table in a CSV file."""

from __future__ import annotations

import csv
import os
import sys
import time
from importlib.util import find_spec
from typing import Any

from tensorgrad.ops.checks import must_be_int
from tensorgrad.train.callbacks.base import Callback, Logs


class ProgressBar(Callback):
    """Shows the epoch, the loss, the metrics and the time that is left.

    In a terminal or a notebook it is a bar (of tqdm, where that is installed) below a line for every `print_every`
    epochs; where the output goes to a file, the lines alone, each with its time. By itself it chooses `print_every` so
    that some twenty lines come out. `fit` makes one by itself: `verbose=1` is this, 2 the lines alone, 0 nothing.

    >>> import tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse", learning_rate=0.0)
    >>> model.module.load_state_dict({"weight": tg.zeros(1, 1), "bias": tg.zeros(1)})
    <All keys matched successfully>
    >>> bar = train.ProgressBar(print_every=2, bar=False)
    >>> history = model.fit(tg.ones(4, 1), tg.ones(4), epochs=4, callbacks=[bar], verbose=0)
    epoch 2/4  loss 1.0000  ...
    epoch 4/4  loss 1.0000  ...
    """

    def __init__(self, print_every: int | None = None, bar: bool | None = None) -> None:
        if print_every is not None:
            must_be_int("ProgressBar", 1, print_every=print_every)
        self.print_every, self.wants_bar = print_every, bar
        self._bar: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Find out what can be shown."""
        epochs, steps = self.params["epochs"], self.params["steps"]
        self._every = self.print_every or _round_number(epochs / 20)
        self._start, self._batches, self._loss, self._numbers = time.perf_counter(), 0, 0.0, ""
        self._first: int | None = None
        self._bar = _bar(epochs * steps if steps else None) if self.wants_bar is not False else None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Show which epoch it is."""
        self._batches, self._loss = 0, 0.0
        if self._first is None:
            self._first = epoch
            if self._bar is not None and epoch:
                self._bar.initial = self._bar.n = epoch * (self.params["steps"] or 0)
        if self._bar is not None:
            self._bar.set_description(f"epoch {epoch + 1}/{self.params['epochs']}", refresh=False)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Move the bar on."""
        if self._bar is None:
            return
        self._batches += 1
        self._loss += logs["loss"]
        if self._bar.update() is not None or batch == 0:  # it was drawn, or is about to be
            self._bar.set_postfix_str(self._numbers or f"loss {self._loss / self._batches:.4f}", refresh=False)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Show the numbers of the epoch."""
        self._numbers = "  ".join(f"{name} {_number(value)}" for name, value in logs.items())
        last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if self._bar is not None:
            self._bar.set_postfix_str(self._numbers, refresh=False)
        if (epoch + 1) % self._every and not last:
            return
        taken = time.perf_counter() - self._start
        left = taken / (epoch + 1 - (self._first or 0)) * (self.params["epochs"] - epoch - 1)
        width = len(str(self.params["epochs"]))
        line = f"epoch {epoch + 1:>{width}}/{self.params['epochs']}  {self._numbers}  {_time(taken)}"
        line += "" if last else f", {_time(left)} left"
        if self._bar is not None:
            self._bar.write(line)
        else:
            print(line, flush=True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _bar(total: int | None) -> Any:
    """A bar of tqdm where there is a person to see it, else None."""
    notebook = "ipykernel" in sys.modules
    if not (notebook or sys.stderr.isatty()) or find_spec("tqdm") is None:
        return None
    if notebook and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm(total=total, unit="batch", leave=False, dynamic_ncols=True, mininterval=0.2)


def _round_number(x: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that is not below a number."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= x:
                return factor * power
        power *= 10


def _number(value: float) -> str:
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


class CSVLogger(Callback):
    """Writes a row per epoch to a CSV file: the epoch (from 0) and its numbers; each row is there at once.

    The columns are those of the first epoch. `append` goes on with a file that is there, whose columns must be the
    same: `ValueError` otherwise. Raises `OSError` where the file cannot be written.

    >>> import os, tempfile, tensorgrad as tg
    >>> from tensorgrad import nn, train
    >>> model = train.Model(nn.Linear(1, 1))
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "log.csv")
    ...     history = model.fit(tg.ones(4, 1), tg.ones(4), epochs=2, callbacks=[train.CSVLogger(path)], verbose=0)
    ...     with open(path) as file:
    ...         print(file.readline().strip())
    epoch,loss
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self._file: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        os.makedirs(os.path.dirname(os.path.abspath(self.filename)), exist_ok=True)
        self._columns: list[str] = []
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator), [])
        self._old = bool(self._columns)
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115 (closed at the end)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write a row."""
        writer = csv.writer(self._file, delimiter=self.separator)
        names = ["epoch", *logs]
        if not self._columns:
            self._columns = names
            writer.writerow(names)
        elif self._old and set(names) != set(self._columns):
            raise ValueError(
                f"CSVLogger: {self.filename!r} has the columns {', '.join(self._columns)}, and this fit "
                f"{', '.join(names)}; write to another file"
            )
        writer.writerow([epoch] + [logs.get(name, "") for name in self._columns[1:]])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
