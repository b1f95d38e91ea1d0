"""Optimizers, and in `lr_scheduler` the schedules of their learning rates."""

from tensorgrad.optim import lr_scheduler
from tensorgrad.optim.adagrad import Adagrad
from tensorgrad.optim.adam import Adam, AdamW
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.rmsprop import RMSprop
from tensorgrad.optim.sgd import SGD
