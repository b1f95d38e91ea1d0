"""Functions of functions: derivatives, vectorisation, and modules called with parameters of one's choice.

The names and meanings are those of `torch.func`. They nest: `vmap(grad(f))` gives the gradient of each example.
"""

from tensorgrad.func.derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp
from tensorgrad.func.modules import functional_call, stack_module_state
from tensorgrad.func.vectorisation import vmap
