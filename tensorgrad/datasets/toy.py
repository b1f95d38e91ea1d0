"""Toy data: labelled points in the plane, at random from a seedable generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.backends.dtypes import get_default_dtype
from tensorgrad.creation import from_numpy
from tensorgrad.random import Generator, numpy_of
from tensorgrad.tensor import Tensor


def spiral(
    points_per_class: int = 100,
    classes: int = 3,
    noise: float = 0.2,
    *,
    turn: float = 1.0,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Spiral arms around the origin, one per class: X of the default dtype (n, 2) and y int64 (n), class after class.

    The points of arm j go out from radius 0 to 1 while the angle, in radians, goes from `turn * 4 * j` to
    `turn * 4 * (j + 1)`, plus `turn * noise` times a normal number. These are the spirals of Stanford's CS231n;
    `turn=2.5` gives those of "Neural Networks from Scratch".

    >>> import tensorgrad as tg
    >>> from tensorgrad.datasets import spiral
    >>> X, y = spiral(100, classes=3, generator=tg.Generator().manual_seed(0))
    >>> X.shape, y[[0, 100, 200]].tolist()
    ((300, 2), [0, 1, 2])
    """
    _at_least("spiral: points_per_class", points_per_class, 0)
    _at_least("spiral: classes", classes, 1)
    _not_negative("spiral: noise", noise)
    y = np.repeat(np.arange(classes), points_per_class)
    outward = np.tile(np.linspace(0, 1, points_per_class), classes)
    angle = turn * (4 * (y + outward) + noise * numpy_of(generator).standard_normal(len(y)))
    return _finish(np.stack([outward * np.sin(angle), outward * np.cos(angle)], 1), y, False, None, generator)


def moons(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Two interleaving half circles: X of the default dtype (n, 2) and y int64 (n), 0 for the upper moon, 1 the lower.

    `n_samples` is the total, or a number for each moon; `noise` is the standard deviation of what is added to the
    points. Equal in distribution to scikit-learn's `make_moons`, and without noise and shuffling equal.

    >>> from tensorgrad.datasets import moons
    >>> X, y = moons(4, shuffle=False)
    >>> X.round(decimals=1).tolist(), y.tolist()
    ([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]], [0, 0, 1, 1])
    """
    upper, lower = (np.linspace(0, np.pi, n) for n in _two("moons", n_samples))
    points = [np.stack([np.cos(upper), np.sin(upper)], 1), np.stack([1 - np.cos(lower), 0.5 - np.sin(lower)], 1)]
    _not_negative("moons: noise", noise)
    return _finish(np.concatenate(points), np.repeat([0, 1], [len(upper), len(lower)]), shuffle, noise, generator)


def circles(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    factor: float = 0.8,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """A circle in a circle: X of the default dtype (n, 2) and y int64 (n), 0 for the outer one and 1 for the inner.

    `n_samples` is the total, or a number for each circle; the outer radius is 1 and the inner `factor`, in [0, 1);
    `noise` is the standard deviation of what is added to the points. Equal in distribution to scikit-learn's
    `make_circles`, and without noise and shuffling equal.

    >>> from tensorgrad.datasets import circles
    >>> X, y = circles(4, shuffle=False, factor=0.5)
    >>> X.square().sum(1).sqrt().tolist(), y.tolist()
    ([1.0, 1.0, 0.5, 0.5], [0, 0, 1, 1])
    """
    if not 0 <= factor < 1:
        raise ValueError(f"circles: factor, the inner radius, must be in [0, 1), not {factor}")
    _not_negative("circles: noise", noise)
    outer, inner = (np.linspace(0, 2 * np.pi, n, endpoint=False) for n in _two("circles", n_samples))
    angle = np.concatenate([outer, inner])
    y = np.repeat([0, 1], [len(outer), len(inner)])
    radius = np.where(y == 0, 1.0, factor)
    return _finish(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), y, shuffle, noise, generator)


def blobs(
    n_samples: int | Sequence[int] = 100,
    n_features: int = 2,
    *,
    centers: Any = None,
    cluster_std: float | Sequence[float] = 1.0,
    center_box: tuple[float, float] = (-10.0, 10.0),
    shuffle: bool = True,
    generator: Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Normal clouds, one per class: X of the default dtype (n, n_features) and y int64 (n).

    `n_samples` is the total, divided as evenly as it goes, or a number for each cloud. `centers` is the number of
    clouds (by default 3, or the length of `n_samples`), whose centres are then uniform in the box, or the centres
    themselves (clouds, n_features). `cluster_std` is their standard deviation, one or one per cloud. Equal in
    distribution to scikit-learn's `make_blobs`. Raises `ValueError` for numbers that do not go together.

    >>> from tensorgrad.datasets import blobs
    >>> X, y = blobs([2, 1], centers=[[0.0, 0.0], [5.0, 1.0]], cluster_std=0.0, shuffle=False)
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 0.0], [5.0, 1.0]], [0, 0, 1])
    """
    source = numpy_of(generator)
    if centers is None:
        centers = 3 if isinstance(n_samples, int | np.integer) else len(n_samples)
    if isinstance(centers, int | np.integer):
        _at_least("blobs: centers", centers, 1)
        _at_least("blobs: n_features", n_features, 1)
        low, high = center_box
        if not low <= high:
            raise ValueError(f"blobs: center_box must be (low, high), not {center_box}")
        middle = source.uniform(low, high, (int(centers), n_features))
    else:
        middle = np.asarray(centers, np.float64)
        if middle.ndim != 2 or not len(middle):
            raise ValueError(f"blobs: centers must be an int or of shape (clouds, n_features), not {middle.shape}")
    k = len(middle)
    if isinstance(n_samples, int | np.integer):
        _at_least("blobs: n_samples", n_samples, 0)
        sizes = [int(n_samples) // k + (i < n_samples % k) for i in range(k)]
    else:
        sizes = [int(n) for n in n_samples]
    spread = np.asarray(cluster_std, np.float64)
    if len(sizes) != k or min(sizes) < 0 or spread.shape not in ((), (k,)) or not (spread >= 0).all():
        raise ValueError(
            f"blobs: {k} centers need as many n_samples, and one cluster_std or as many, all 0 or more; got "
            f"{sizes} and {cluster_std}"
        )
    y = np.repeat(np.arange(k), sizes)
    X = middle[y] + np.broadcast_to(spread, k)[y, None] * source.standard_normal((len(y), middle.shape[1]))
    return _finish(X, y, shuffle, None, generator)


def _finish(
    X: np.ndarray[Any, Any], y: np.ndarray[Any, Any], shuffle: bool, noise: float | None, generator: Generator | None
) -> tuple[Tensor, Tensor]:
    source = numpy_of(generator)
    if shuffle:
        order = source.permutation(len(y))
        X, y = X[order], y[order]
    if noise:
        X = X + noise * source.standard_normal(X.shape)
    return from_numpy(X.astype(get_default_dtype())), from_numpy(y.astype(np.int64))


def _two(name: str, n_samples: int | tuple[int, int]) -> tuple[int, int]:
    """How many points each of two classes has."""
    if isinstance(n_samples, int | np.integer):
        _at_least(f"{name}: n_samples", n_samples, 0)
        return int(n_samples // 2), int(n_samples - n_samples // 2)
    if not isinstance(n_samples, tuple | list) or len(n_samples) != 2 or min(n_samples) < 0:
        raise ValueError(f"{name}: n_samples must be an int or a number for each of the two classes, not {n_samples}")
    return n_samples[0], n_samples[1]


def _at_least(what: str, value: Any, least: int) -> None:
    if value < least:
        raise ValueError(f"{what} must be {least} or more, not {value}")


def _not_negative(what: str, value: float | None) -> None:
    if value is not None and not value >= 0:
        raise ValueError(f"{what} must be 0 or more, not {value}")
