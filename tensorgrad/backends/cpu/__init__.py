"""NumPy kernels: what the operations run on arrays, a file per family.

A kernel takes arrays (and Python scalars) and returns an array, or a tuple of them; those of ops that have an in-place
form honour `out=`, which may be their first input. NumPy's ufuncs serve as they are. Dimensions arrive normalised,
attributes as keywords. Here are the kernels of the families that are always loaded; an op whose family is reached when
it is first used imports its kernels from their own file.
"""

from tensorgrad.backends.cpu import memory
from tensorgrad.backends.cpu.elementwise import *
from tensorgrad.backends.cpu.index import *
from tensorgrad.backends.cpu.reduce import *
from tensorgrad.backends.cpu.shape import *
