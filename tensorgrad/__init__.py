"""tensorgrad: a micro-framework for deep learning on NumPy, with PyTorch's names."""

from tensorgrad import autograd, ops
from tensorgrad.creation import *
from tensorgrad.random import *
from tensorgrad.ops import *
from tensorgrad.tensor import Tensor
from tensorgrad.autograd import no_grad
from tensorgrad.backends.dtypes import *
