"""What is called in the course of a fit."""

from tensorgrad.train.callbacks.base import Callback, Callbacks, LambdaCallback
from tensorgrad.train.callbacks.monitor import EarlyStopping, ModelCheckpoint, Monitor, TerminateOnNaN
from tensorgrad.train.callbacks.progress import CSVLogger, ProgressBar
from tensorgrad.train.callbacks.schedule import LearningRateScheduler, LRScheduler, ReduceLROnPlateau

__all__ = [
    "CSVLogger", "Callback", "Callbacks", "EarlyStopping", "LRScheduler", "LambdaCallback", "LearningRateScheduler",
    "ModelCheckpoint", "Monitor", "ProgressBar", "ReduceLROnPlateau", "TerminateOnNaN",
]  # fmt: skip
