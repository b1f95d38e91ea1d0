"""What `import tensorgrad` costs beyond `import numpy`: the best of several fresh processes each.

python benchmarks/imports.py
"""

from __future__ import annotations

import subprocess
import sys

CODE = """
import time
start = time.perf_counter()
import numpy
between = time.perf_counter()
import {module}
print(between - start, time.perf_counter() - between)
"""


def cost(module: str, rounds: int = 15) -> tuple[float, float]:
    """Milliseconds to import NumPy, and then the module."""
    runs = []
    for _ in range(rounds):
        code = CODE.format(module=module)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        runs.append([float(part) * 1000 for part in done.stdout.split()])
    return min(run[0] for run in runs), min(run[1] for run in runs)


def main() -> None:
    for module in ("tensorgrad", "torch"):
        try:
            numpy, rest = cost(module)
        except subprocess.CalledProcessError:
            print(f"{module} is not installed")
            continue
        print(f"import numpy {numpy:6.1f} ms, then import {module:<10} {rest:6.1f} ms")


if __name__ == "__main__":
    main()
