"""The functions of scikit-learn that are used as they are, imported when they are wanted."""

from __future__ import annotations

from typing import Any


def of_scikit_learn(name: str, needed_by: str = "") -> Any:
    """A function of scikit-learn's metrics. Raises `ImportError`, which says what needs it, where it is not there."""
    try:
        from sklearn import metrics
    except ImportError as error:
        raise ImportError(f"{needed_by or name} needs scikit-learn: pip install scikit-learn") from error
    return getattr(metrics, name)
