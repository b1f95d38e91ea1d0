"""Optimizers, in `lr_scheduler` the schedules of their learning rates, in `swa_utils` averages of models."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorgrad.optim import lr_scheduler
from tensorgrad.optim.adadelta import Adadelta
from tensorgrad.optim.adafactor import Adafactor
from tensorgrad.optim.adagrad import Adagrad
from tensorgrad.optim.adam import Adam, AdamW
from tensorgrad.optim.adamax import Adamax
from tensorgrad.optim.asgd import ASGD
from tensorgrad.optim.lbfgs import LBFGS
from tensorgrad.optim.muon import Muon
from tensorgrad.optim.nadam import NAdam
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.radam import RAdam
from tensorgrad.optim.rmsprop import RMSprop
from tensorgrad.optim.rprop import Rprop
from tensorgrad.optim.sgd import SGD

if TYPE_CHECKING:
    from tensorgrad.optim import swa_utils


def __getattr__(name: str) -> Any:
    if name == "swa_utils":  # reached when first used
        return import_module("tensorgrad.optim.swa_utils")
    raise AttributeError(f"module 'tensorgrad.optim' has no attribute {name!r}")
