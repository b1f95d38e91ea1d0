"""Layers, losses and containers: `torch.nn`'s names, state_dict keys and initialisation."""

from tensorgrad.nn import functional, init
from tensorgrad.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from tensorgrad.nn.container import ModuleDict, ModuleList, Sequential
from tensorgrad.nn.dropout import Dropout
from tensorgrad.nn.linear import Flatten, Identity, Linear, Unflatten
from tensorgrad.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
