"""The errors of the library: those of computing are PyTorch's `RuntimeError`, and Python's own word for the fault."""

from __future__ import annotations


class ShapeError(RuntimeError, ValueError):
    """Shapes that do not fit an operation or a layer.

    >>> import tensorgrad as tg
    >>> tg.ones(2, 3) + tg.ones(4)
    Traceback (most recent call last):
        ...
    tensorgrad.errors.ShapeError: add: shapes (2, 3) and (4,) do not broadcast: from the right, sizes must be equal \
or 1, and 3 meets 4
    """


class DtypeError(RuntimeError, TypeError):
    """A dtype that an operation, a layer or a loss cannot take.

    >>> import tensorgrad as tg
    >>> tg.zeros(2, 2) @ tg.zeros(2, 2, dtype=tg.float64)
    Traceback (most recent call last):
        ...
    tensorgrad.errors.DtypeError: matmul: inputs must share one dtype, but input 0 is float32, input 1 is \
float64; convert with .to(dtype), .float() or tensor(data, dtype=...)
    """


class AutogradError(RuntimeError):
    """A graph that cannot be walked: nothing requires a gradient, it was released, or a kept value was overwritten.

    >>> import tensorgrad as tg
    >>> tg.ones(3).sum().backward()
    Traceback (most recent call last):
        ...
    tensorgrad.errors.AutogradError: backward: this tensor does not require a gradient; make one of the tensors that \
it was computed from with requires_grad=True, and compute it outside no_grad()
    """


class DeviceError(RuntimeError, ValueError):
    """A device that is not there: tensors live on "cpu".

    >>> import tensorgrad as tg
    >>> tg.ones(2).to("cuda")
    Traceback (most recent call last):
        ...
    tensorgrad.errors.DeviceError: to: device 'cuda' is not available; tensors live on 'cpu'. Choose with \
device('cuda' if cuda.is_available() else 'cpu')
    """


class LinAlgError(RuntimeError):
    """A matrix that has no such decomposition, inverse or solution: it is singular, or not positive definite.

    >>> import tensorgrad as tg
    >>> tg.linalg.inv(tg.zeros(2, 2))
    Traceback (most recent call last):
        ...
    tensorgrad.errors.LinAlgError: linalg.inv: the matrix is singular: its column 1 depends on those before it; \
linalg.pinv takes such matrices
    """


class FileFormatError(ValueError):
    """A file that `load` cannot read: it is damaged, or it is something other than safetensors.

    >>> import tempfile, tensorgrad as tg
    >>> from tensorgrad.io import load
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     load(file.name)
    Traceback (most recent call last):
        ...
    tensorgrad.errors.FileFormatError: load: '...' is empty
    """
