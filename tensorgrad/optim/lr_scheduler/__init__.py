"""Schedules of the learning rate: each sets the "lr" of an optimizer's groups, epoch by epoch."""

from tensorgrad.optim.lr_scheduler.base import LRScheduler
from tensorgrad.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from tensorgrad.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from tensorgrad.optim.lr_scheduler.cycles import CyclicLR, OneCycleLR
from tensorgrad.optim.lr_scheduler.decay import (
    ConstantLR,
    ExponentialLR,
    InverseTimeLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from tensorgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau

_LRScheduler = LRScheduler  # its name before PyTorch 2
