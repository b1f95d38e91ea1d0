"""Layers and losses as functions: `torch.nn.functional`'s names."""

from tensorgrad.nn.functional.activation import (
    dropout,
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsigmoid,
    relu,
    silu,
    softmax,
    softplus,
)
from tensorgrad.nn.functional.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from tensorgrad.nn.functional.padding import pad
from tensorgrad.ops import linear, one_hot, sigmoid, tanh
