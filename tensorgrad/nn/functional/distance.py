"""Distances and similarities of vectors, and the losses made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad import ops
from tensorgrad.errors import ShapeError
from tensorgrad.nn.functional.reduction import chosen, floating, must_be_positive, reduced, tensors, together
from tensorgrad.tensor import Tensor


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of `x1 - x2 + eps` along the last dimension, where the two broadcast: (..., D) to (...).

    Raises `ShapeError` where they do not broadcast.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.pairwise_distance(tg.zeros(2, 2), tg.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000])
    """
    tensors("pairwise_distance", x1=x1, x2=x2)
    difference = x1 - x2 + eps
    return ops.norm(difference, p, -1 if difference.ndim else None, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`, where the two broadcast; lengths count as at least `eps`.

    Raises `ShapeError` where they do not broadcast, `DtypeError` where neither is floating.

    >>> import tensorgrad as tg
    >>> x1, x2 = tg.tensor([[1.0, 0.0]]), tg.tensor([[3.0, 4.0]])
    >>> tg.nn.functional.cosine_similarity(x1, x2)
    tensor([0.6000])
    """
    tensors("cosine_similarity", x1=x1, x2=x2)
    floating("cosine_similarity", x1=x1, x2=x2)
    if x1.ndim != x2.ndim:  # dim counts in the shape that they broadcast to
        ndim = max(x1.ndim, x2.ndim)
        x1, x2 = (x.reshape((1,) * (ndim - x.ndim) + x.shape) for x in (x1, x2))
    lengths = [ops.norm(x, 2, dim, keepdim=True).clone() for x in (x1, x2)]
    lengths = [length + (eps - length.detach()).clamp(min=0.0) for length in lengths]  # the gradient passes by
    return ((x1 / lengths[0]) * (x2 / lengths[1])).sum(dim)


def pdist(input: Tensor, p: float = 2.0) -> Any:
    """The p-norm distances of every two rows of (N, M), those of row 0 first: N (N - 1) / 2 of them.

    Raises `ShapeError` for anything but two dimensions, `ValueError` for a negative `p`.

    >>> import tensorgrad as tg
    >>> tg.nn.functional.pdist(tg.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    tensors("pdist", input=input)
    if input.ndim != 2:
        raise ShapeError(f"pdist: input must be (N, M), and has shape {input.shape}")
    if p < 0:
        raise ValueError(f"pdist: p must be 0 or more, not {p}")
    rows = len(input)
    if not input.shape[1]:
        return input.new_zeros(rows * (rows - 1) // 2)
    distances = ops.norm(input.unsqueeze(1) - input.unsqueeze(0), p, -1)
    return distances[input.new_ones((rows, rows)).bool().triu(1)]


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`1 - cosine` of two vectors where the target is 1, and `max(0, cosine - margin)` where it is -1.

    Vectors are (N, D) with targets (N), or (D) with a target (). Raises `ShapeError` for other shapes.

    >>> import tensorgrad as tg
    >>> x1, x2 = tg.tensor([[1.0, 0.0], [1.0, 0.0]]), tg.tensor([[3.0, 4.0], [3.0, 4.0]])
    >>> tg.nn.functional.cosine_embedding_loss(x1, x2, tg.tensor([1, -1]), reduction="none")
    tensor([0.4000, 0.6000])
    """
    name = "cosine_embedding_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    tensors(name, input1=input1, input2=input2, target=target)
    fits = input1.ndim == input2.ndim == target.ndim + 1 and target.ndim < 2 and together(input1, input2)
    if not fits or not together(input1[..., 0], input2[..., 0], target):
        raise ShapeError(
            f"{name}: it takes vectors (N, D) and targets (N), or vectors (D) and a target (), got {input1.shape}, "
            f"{input2.shape} and {target.shape}"
        )
    tiny = 1e-12
    lengths = (ops.square(input1).sum(-1) + tiny) * (ops.square(input2).sum(-1) + tiny)
    cosine = (input1 * input2).sum(-1) / ops.sqrt(lengths)
    loss = ops.where(target == 1, 1.0 - cosine, 0.0)
    loss = loss + ops.where(target == -1, ops.clamp(cosine - margin, min=0.0), 0.0)
    return reduced(name, loss, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`max(0, margin + d(anchor, positive) - d(anchor, negative))`, where d is `pairwise_distance`.

    `swap` takes d(positive, negative) for the last where that is smaller (Balntas et al., BMVC 2016). Raises
    `ShapeError` where the three differ in the number of dimensions, `ValueError` for a margin that is not positive.

    >>> import tensorgrad as tg
    >>> anchor, positive, negative = tg.zeros(1, 2), tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 2.0]])
    >>> tg.nn.functional.triplet_margin_loss(anchor, positive, negative)
    tensor(4.0000)
    """
    name = "triplet_margin_loss"
    reduction = chosen(name, reduction, size_average, reduce)
    return _triplet(
        name, anchor, positive, negative, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap, reduction
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with a distance of the caller's, a function of two tensors.

    >>> import tensorgrad as tg
    >>> anchor, positive, negative = tg.zeros(1, 2), tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 2.0]])
    >>> taxi = lambda a, b: (a - b).abs().sum(-1)
    >>> tg.nn.functional.triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=taxi)
    tensor(6.)
    """
    name = "triplet_margin_with_distance_loss"
    return _triplet(name, anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction)


def _triplet(
    name: str, anchor: Any, positive: Any, negative: Any, distance: Any, margin: float, swap: bool, reduction: str
) -> Any:
    must_be_positive(name, margin)
    tensors(name, anchor=anchor, positive=positive, negative=negative)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(
            f"{name}: anchor, positive and negative must have one shape, got {anchor.shape}, {positive.shape} and "
            f"{negative.shape}"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return reduced(name, ops.clamp(margin + near - far, min=0.0), reduction)
