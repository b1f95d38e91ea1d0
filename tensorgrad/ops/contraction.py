"""Sums of products over named dimensions: `einsum` and `tensordot`, brought down to products of matrices.

A dimension of two tensors that are multiplied is one of four kinds: in both and in the result (a batch), in both and
not in the result (summed over), in the left one only, or in the right one only. Ordered and merged by kind, they are a
batch of matrices.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.dims import one_dim, rank
from tensorgrad.ops.linalg import matmul_op
from tensorgrad.ops.reduce import sum_op
from tensorgrad.ops.shape import diagonal_op, permute_op, reshape_op

Labels = tuple[Any, ...]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _arranged(x: Any, labels: Labels, *groups: Labels) -> Any:
    """A tensor with its dimensions in the order of the groups, each group merged into one."""
    order = tuple(labels.index(label) for group in groups for label in group)
    if order != tuple(range(len(labels))):
        x = permute_op(x, dims=order)
    sizes = iter(tuple(x.shape))
    shape = tuple(math.prod(itertools.islice(sizes, len(group))) for group in groups)
    return x if shape == tuple(x.shape) else reshape_op(x, shape=shape)


def _multiplied(a: Any, in_a: Labels, b: Any, in_b: Labels, kept: Any) -> tuple[Any, Labels]:
    """The product of two tensors, summed over the labels of both that are not kept; and its labels."""
    batch = tuple(label for label in in_a if label in in_b and label in kept)
    summed = tuple(label for label in in_a if label in in_b and label not in kept)
    left = tuple(label for label in in_a if label not in in_b)
    right = tuple(label for label in in_b if label not in in_a)
    sizes = dict(zip(in_a + in_b, tuple(a.shape) + tuple(b.shape)))
    labels = batch + left + right
    first = (batch,) if batch else ()
    x, z = _arranged(a, in_a, *first, left, summed), _arranged(b, in_b, *first, summed, right)
    y = matmul_op(x, z) if summed else x * z  # a column times a row
    shape = tuple(sizes[label] for label in labels)
    return (y if shape == tuple(y.shape) else reshape_op(y, shape=shape)), labels


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The sum of products over pairs of dimensions: of the last `dims` of `a` with the first of `b`, or two lists.

    Raises `ShapeError` where the sizes of a pair differ (a size of 1 is repeated).

    >>> import tensorgrad as tg
    >>> tg.tensordot(tg.ones(2, 3, 4), tg.ones(4, 3), dims=([1, 2], [1, 0]))
    tensor([12., 12.])
    """
    m, n = rank("tensordot", a), rank("tensordot", b)
    pairs = dims.tolist() if hasattr(dims, "tolist") else dims
    first: Sequence[int]
    second: Sequence[int]
    if isinstance(pairs, list | tuple):
        if len(pairs) != 2:
            raise ValueError(f"tensordot: dims must be a number or two lists, not {dims}")
        first, second = (x if isinstance(x, list | tuple) else (x,) for x in pairs)
    else:
        count = operator.index(pairs)
        if not 0 <= count <= min(m, n):
            raise ShapeError(f"tensordot: dims = {count} does not fit tensors of {m} and {n} dimensions")
        first, second = range(m - count, m), range(count)
    if len(first) != len(second):
        raise ShapeError(f"tensordot: it pairs dimensions, and dims {dims} has {len(first)} and {len(second)} of them")
    first, second = [one_dim("tensordot", d, m) for d in first], [one_dim("tensordot", d, n) for d in second]
    if len(set(first)) < len(first) or len(set(second)) < len(second):
        raise ShapeError(f"tensordot: dims {dims} name a dimension twice")
    for d, e in zip(first, second):
        sizes = a.shape[d], b.shape[e]
        if sizes[0] != sizes[1]:
            if 1 not in sizes:
                raise ShapeError(
                    f"tensordot: dimension {d} of shape {tuple(a.shape)} and dimension {e} of shape {tuple(b.shape)} "
                    f"are paired, and must be of one size"
                )
            a = sum_op(a, dim=(d,), keepdim=True)
            b = sum_op(b, dim=(e,), keepdim=True)
    in_a, in_b = list(range(m)), list(range(m, m + n))
    for d, e in zip(first, second):
        in_b[e] = d
    y, _ = _multiplied(a, tuple(in_a), b, tuple(in_b), {*in_a, *in_b} - set(first))
    return y


def einsum(*args: Any) -> Any:
    """Einstein's sum: `einsum("ij,jk->ik", a, b)` multiplies the operands and sums over each letter not after `->`.

    Without `->` the result has the letters that occur once, in alphabetical order; `...` stands for dimensions that
    broadcast; a letter twice in one operand is its diagonal; sizes of 1 broadcast. Letters can also be given as lists
    of ints below 52: `einsum(a, [0, 1], b, [1, 2], [0, 2])`. Of more than two operands, those are multiplied first
    whose product costs least. Raises `ShapeError` where operands and letters do not fit, `ValueError` for a malformed
    equation.

    >>> import tensorgrad as tg
    >>> tg.einsum("ij,j->i", tg.ones(2, 3), tg.ones(3))
    tensor([3., 3.])
    >>> tg.einsum("...ii->...i", tg.eye(2))
    tensor([1., 1.])
    """
    terms, result, operands = _parsed(args)
    _check_dtypes(operands)
    inputs = [_labelled(i, x, term) for i, (x, term) in enumerate(zip(operands, terms))]
    sizes = _sizes(inputs)
    out = _expanded(result, 1 + max((label[1] for label in sizes if isinstance(label, tuple)), default=-1))
    while len(inputs) > 1:
        i, j = _next_pair(inputs, out, sizes)
        (b, in_b), (a, in_a) = inputs.pop(j), inputs.pop(i)
        kept = {*out}.union(*(labels for _, labels in inputs))
        a, in_a = _summed(a, in_a, kept | {*in_b})
        b, in_b = _summed(b, in_b, kept | {*in_a})
        inputs.append(_multiplied(a, in_a, b, in_b, kept))
    y, labels = _summed(*inputs[0], {*out})
    if labels == out and y is not operands[0]:
        return y
    return permute_op(y, dims=tuple(labels.index(label) for label in out))


def _next_pair(inputs: list[tuple[Any, Labels]], out: Labels, sizes: dict[Any, int]) -> tuple[int, int]:
    """The pair whose product takes the fewest multiplications, and of equal ones that with the smallest result."""

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        together = {label for k in pair for label in inputs[k][1]}
        elsewhere = {*out}.union(*(labels for k, (_, labels) in enumerate(inputs) if k not in pair))
        return math.prod(sizes[x] for x in together), math.prod(sizes[x] for x in together & elsewhere)

    return min(itertools.combinations(range(len(inputs)), 2), key=cost) if len(inputs) > 2 else (0, 1)


def _summed(x: Any, labels: Labels, kept: Any) -> tuple[Any, Labels]:
    """A tensor summed over the labels that are not kept."""
    dims = tuple(d for d, label in enumerate(labels) if label not in kept)
    if not dims:
        return x, labels
    return sum_op(x, dim=dims, keepdim=False), tuple(label for label in labels if label in kept)


# The equation


def _parsed(args: tuple[Any, ...]) -> tuple[tuple[Labels, ...], Labels, list[Any]]:
    """The labels of each operand and of the result, and the operands."""
    if args and isinstance(args[0], str):
        operands = list(args[1:])
        if len(operands) == 1 and isinstance(operands[0], list | tuple):
            operands = list(operands[0])
        terms, result = _equation(args[0])
    else:
        count = len(args) - len(args) % 2
        operands = list(args[:count:2])
        terms = tuple(_numbered(labels) for labels in args[1:count:2])
        result = _checked(terms, _numbered(args[-1]) if len(args) % 2 else None)
    if not operands:
        raise ValueError("einsum: it takes an equation and an operand or more, such as einsum('ij,jk->ik', a, b)")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: the equation names {len(terms)} operands, and {len(operands)} were given")
    return terms, result, operands


@functools.lru_cache(maxsize=256)
def _equation(equation: str) -> tuple[tuple[Labels, ...], Labels]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = tuple(_letters(equation, term) for term in left.split(","))
    return terms, _checked(terms, _letters(equation, right) if arrow else None)


def _letters(equation: str, term: str) -> Labels:
    before, dots, after = term.partition("...")
    labels = (*before, *(("...",) if dots else ()), *after)
    if wrong := [label for label in before + after if label not in LETTERS]:
        raise ValueError(f"einsum: {wrong[0]!r} in {equation!r} is neither a letter nor an ellipsis of three dots")
    return labels


def _numbered(labels: Any) -> Labels:
    if not isinstance(labels, Sequence):
        raise TypeError(f"einsum: after each operand comes a list of its labels, not {type(labels).__name__}")
    named: list[Any] = ["..." if label is Ellipsis else label for label in labels]
    if wrong := [x for x in named if x != "..." and not (hasattr(x, "__index__") and 0 <= x < len(LETTERS))]:
        raise ValueError(f"einsum: label {wrong[0]!r} must be an int from 0 to {len(LETTERS) - 1}, or an Ellipsis")
    if named.count("...") > 1:
        raise ValueError("einsum: a list of labels has one Ellipsis at most")
    return tuple(x if x == "..." else LETTERS[x] for x in named)


def _checked(terms: tuple[Labels, ...], result: Labels | None) -> Labels:
    """The labels of the result, or those that are implied where it has none."""
    counts = Counter(label for term in terms for label in term)
    if result is None:
        return ("...", *sorted(label for label, count in counts.items() if count == 1 and label != "..."))
    for label, count in Counter(result).items():
        if count > 1:
            raise ValueError(f"einsum: the result has {label!r} more than once")
        if label not in counts and label != "...":
            raise ValueError(f"einsum: {label!r} of the result is not among the labels of the operands")
    return result


def _expanded(term: Labels, hidden: int) -> Labels:
    """Labels with an ellipsis written out: its dimensions count from the right."""
    if "..." not in term:
        return term
    dots = tuple(("...", i) for i in range(hidden - 1, -1, -1))
    return tuple(label for part in term for label in (dots if part == "..." else (part,)))


def _check_dtypes(operands: list[Any]) -> None:
    for x in operands:
        rank("einsum", x)
    if len({x.dtype for x in operands}) > 1:
        names = " and ".join(x.dtype.name for x in operands)
        raise DtypeError(f"einsum: operands must share one dtype, got {names}; convert one with .to(dtype)")


def _labelled(position: int, x: Any, term: Labels) -> tuple[Any, Labels]:
    """An operand, of repeated labels only the diagonal, and its labels."""
    ndim = rank("einsum", x)
    hidden = ndim - len(term) + ("..." in term)
    if hidden < 0 or (hidden and "..." not in term):
        raise ShapeError(
            f"einsum: operand {position} has shape {tuple(x.shape)}, and the equation names "
            f"{len(term) - ('...' in term)} of its dimensions"
        )
    labels = _expanded(term, hidden)
    while len(set(labels)) < len(labels):
        label = next(label for label in labels if labels.count(label) > 1)
        d = labels.index(label)
        e = labels.index(label, d + 1)
        if x.shape[d] != x.shape[e]:
            raise ShapeError(
                f"einsum: {label!r} stands twice in operand {position}, for sizes {x.shape[d]} and {x.shape[e]}"
            )
        x = diagonal_op(x, offset=0, dim1=d, dim2=e)
        labels = (*labels[:d], *labels[d + 1 : e], *labels[e + 1 :], label)
    return x, labels


def _sizes(inputs: list[tuple[Any, Labels]]) -> dict[Any, int]:
    """The size of each label. An operand of which it is 1 where another has more loses it, which broadcasts it."""
    sizes: dict[Any, int] = {}
    for x, labels in inputs:
        for label, size in zip(labels, x.shape):
            held = sizes.get(label, 1)
            if 1 not in (held, size) and held != size:
                name = "..." if isinstance(label, tuple) else label
                raise ShapeError(f"einsum: operands have sizes {held} and {size} for {name!r}; they must be equal or 1")
            sizes[label] = size if held == 1 else held
    for i, (x, labels) in enumerate(inputs):
        wide = tuple(n == sizes[label] for label, n in zip(labels, x.shape))
        if not all(wide):
            kept = tuple(label for label, fits in zip(labels, wide) if fits)
            inputs[i] = reshape_op(x, shape=tuple(sizes[label] for label in kept)), kept
    return sizes
