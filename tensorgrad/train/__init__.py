"""Training in a few lines: a Model to add to, compile, fit and ask, callbacks, and dense networks from a list."""

from tensorgrad.train.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    LRScheduler,
    ModelCheckpoint,
    ProgressBar,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from tensorgrad.train.history import History
from tensorgrad.train.model import Model
from tensorgrad.train.networks import activation, initialize, mlp

__all__ = [
    "CSVLogger", "Callback", "EarlyStopping", "History", "LRScheduler", "LambdaCallback", "LearningRateScheduler",
    "Model", "ModelCheckpoint", "ProgressBar", "ReduceLROnPlateau", "TerminateOnNaN", "activation", "initialize", "mlp",
]  # fmt: skip
