"""Linear algebra under PyTorch's names: decompositions, solvers, norms and products of batches of matrices.

Matrices are the last two dimensions; all before them are a batch. They are float32 or float64, and real: what gives
complex numbers (eig, eigvals) is not here.
"""

from tensorgrad.errors import LinAlgError
from tensorgrad.linalg.decompositions import cholesky, cholesky_ex, eigh, eigvalsh, qr, svd, svdvals
from tensorgrad.linalg.norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from tensorgrad.linalg.products import cross, diagonal, matmul, matrix_power, multi_dot, vander, vecdot
from tensorgrad.linalg.solvers import (
    det,
    inv,
    inv_ex,
    lstsq,
    pinv,
    slogdet,
    solve,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from tensorgrad.ops.keywords import method, takes_out
from tensorgrad.ops.solving import matrix_exp

FUNCTIONS = """
cholesky cholesky_ex cond cross det diagonal eigh eigvalsh inv inv_ex lstsq matmul matrix_exp matrix_norm matrix_power
matrix_rank multi_dot norm pinv qr slogdet solve solve_triangular svd svdvals tensorinv tensorsolve vander
vecdot vector_norm
""".split()

__all__ = ["LinAlgError", *FUNCTIONS]

for _name in FUNCTIONS:
    globals()[_name] = takes_out(method(globals()[_name]))
