"""What functions with several results return: tuples whose parts have names, printed as PyTorch prints them.

>>> import tensorgrad as tg
>>> tg.max(tg.tensor([1.0, 3.0]), 0)
tensorgrad.return_types.max(
values=tensor(3.),
indices=tensor(1))
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class Results(tuple[Any, ...]):
    """Several results, by name and by position."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, *parts: Any) -> Any:  # noqa: D102 (the class says it)
        return super().__new__(cls, parts)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        parts = ",\n".join(f"{name}={part!r}" for name, part in zip(self._fields, self))
        return f"tensorgrad.return_types.{type(self).__name__}(\n{parts})"


def _kind(name: str, fields: str = "values indices") -> Any:
    names = fields.split()
    members = {field: property(itemgetter(i)) for i, field in enumerate(names)}
    return type(name, (Results,), {"_fields": tuple(names), "__slots__": (), "__module__": __name__, **members})


aminmax = _kind("aminmax", "min max")
cummax, cummin = _kind("cummax"), _kind("cummin")
histogram = _kind("histogram", "hist bin_edges")
linalg_cholesky_ex, linalg_inv_ex = _kind("linalg_cholesky_ex", "L info"), _kind("linalg_inv_ex", "inverse info")
linalg_eigh = _kind("linalg_eigh", "eigenvalues eigenvectors")
linalg_lstsq = _kind("linalg_lstsq", "solution residuals rank singular_values")
linalg_qr, linalg_svd = _kind("linalg_qr", "Q R"), _kind("linalg_svd", "U S Vh")
linalg_slogdet, slogdet = _kind("linalg_slogdet", "sign logabsdet"), _kind("slogdet", "sign logabsdet")
kthvalue, median, mode, nanmedian = _kind("kthvalue"), _kind("median"), _kind("mode"), _kind("nanmedian")
max, min, sort, topk = _kind("max"), _kind("min"), _kind("sort"), _kind("topk")
