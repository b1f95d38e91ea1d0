"""PruningCallback: a trial that is not promising ends early."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tensorgrad.train.callbacks import Monitor
from tensorgrad.train.callbacks.base import Logs


def optuna(name: str) -> ModuleType:
    """Optuna, for what has a name. Raises `ImportError` where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise ImportError(f"{name} needs Optuna: pip install optuna") from error
    return optuna


class PruningCallback(Monitor):
    """Tells a trial of Optuna the number `monitor` of each epoch, and ends the fit of one that is not promising.

    The fit then raises `optuna.TrialPruned`, which Optuna takes for what it is: it works in any objective of Optuna's.
    Raises `ValueError` where the study has several objectives, or looks for small numbers and larger ones are better,
    or the other way round; `mode` says which is the case where the name does not.

    >>> import optuna, tensorgrad as tg
    >>> from tensorgrad import nn, train, tuning
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> def objective(trial):
    ...     model = train.Model(nn.Linear(1, 1))
    ...     model.compile("sgd", "mse", learning_rate=trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True))
    ...     pruning = tuning.PruningCallback(trial, "loss")
    ...     return model.fit(tg.ones(4, 1), tg.ones(4), epochs=3, callbacks=[pruning], verbose=0)["loss"][-1]
    >>> study = optuna.create_study()
    >>> study.optimize(objective, n_trials=3)
    >>> len(study.trials)
    3
    """

    def __init__(self, trial: Any, monitor: str = "val_loss", mode: str = "auto") -> None:
        super().__init__(monitor, mode)
        self._pruned = optuna("PruningCallback").TrialPruned
        self.trial = trial
        study = getattr(trial, "study", None)
        wanted = {"min": "MINIMIZE", "max": "MAXIMIZE"}[self.mode]
        if study is not None and len(study.directions) > 1:
            raise ValueError(
                f"PruningCallback: the study has {len(study.directions)} objectives, and Optuna prunes by one alone; "
                f"leave the callback out"
            )
        if study is not None and study.direction.name != wanted:
            raise ValueError(
                f"PruningCallback: the study is to {study.direction.name.lower()}, and of {monitor!r} "
                f"{'smaller' if self.mode == 'min' else 'larger'} numbers are better; give create_study "
                f"direction={wanted.lower()!r}, or the callback mode={'max' if self.mode == 'min' else 'min'!r}"
            )

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Report the number, and end the fit if the study says so."""
        value = self.watched(logs)
        self.trial.report(value, epoch)
        if self.trial.should_prune():
            raise self._pruned(f"after epoch {epoch + 1}, {self.monitor} is {value:.4g}")
