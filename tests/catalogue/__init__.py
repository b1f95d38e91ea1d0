"""The catalogue: one row per primitive, a file per family. Every row earns the same tests (see test_catalogue.py)."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from catalogue.rows import Row
from tensorgrad import ops

for family in ops.LATE:
    import_module(f"tensorgrad.ops.{family}")

CATALOGUE: list[Row] = [
    row
    for _, name, _ in pkgutil.iter_modules(__path__)
    if name != "rows"
    for row in import_module(f"catalogue.{name}").ROWS
]
