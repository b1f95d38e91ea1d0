"""Losses of margins and distances as layers: each is the function of its name in `nn.functional`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.nn import functional as F
from tensorgrad.nn.functional.reduction import must_be_1_or_2, must_be_positive
from tensorgrad.nn.loss import _Loss
from tensorgrad.nn.module import Module


class PairwiseDistance(Module):
    """The p-norm of `x1 - x2 + eps` along the last dimension.

    >>> import tensorgrad as tg
    >>> tg.nn.PairwiseDistance()(tg.zeros(1, 2), tg.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """The distances of (..., D) and (..., D)."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `dim`.

    >>> import tensorgrad as tg
    >>> tg.nn.CosineSimilarity()(tg.tensor([[1.0, 0.0]]), tg.tensor([[3.0, 4.0]]))
    tensor([0.6000])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """The similarities of two tensors that broadcast."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class HingeEmbeddingLoss(_Loss):
    """A distance where the target is 1, and `max(0, margin - distance)` where it is -1.

    >>> import tensorgrad as tg
    >>> tg.nn.HingeEmbeddingLoss()(tg.tensor([0.5]), tg.tensor([-1.0]))
    tensor(0.5000)
    """

    def __init__(
        self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of distances against targets of 1 and -1."""
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """`max(0, margin - target * (input1 - input2))`: a target of 1 ranks the first higher, -1 the second.

    >>> import tensorgrad as tg
    >>> x1, x2 = tg.tensor([1.0]), tg.tensor([3.0])
    >>> tg.nn.MarginRankingLoss()(x1, x2, tg.tensor([1.0]))
    tensor(2.)
    """

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss of two rankings against targets of 1 and -1."""
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """`log(1 + exp(-target * input))` for targets of 1 and -1.

    >>> import tensorgrad as tg
    >>> tg.nn.SoftMarginLoss()(tg.tensor([0.0]), tg.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores against targets of 1 and -1."""
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_Loss):
    """The mean over classes of the binary cross-entropy of logits.

    >>> import tensorgrad as tg
    >>> tg.nn.MultiLabelSoftMarginLoss()(tg.tensor([[0.0, 2.0]]), tg.tensor([[1.0, 1.0]]))
    tensor(0.4100)
    """

    def __init__(
        self, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of logits (..., C) against targets of 0 and 1."""
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class MultiMarginLoss(_Loss):
    """How far other classes come within `margin` of the right one, to the power `p`.

    >>> import tensorgrad as tg
    >>> tg.nn.MultiMarginLoss()(tg.tensor([[0.1, 0.2, 0.4, 0.8]]), tg.tensor([3]))
    tensor(0.3250)
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        must_be_1_or_2("MultiMarginLoss", p)
        self.register_buffer("weight", weight)
        self.p = p
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores (N, C) or (C) against class indices (N) or ()."""
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(_Loss):
    """How far other classes come within a margin of 1 of those listed in the target.

    >>> import tensorgrad as tg
    >>> scores, target = tg.tensor([[0.1, 0.2, 0.4, 0.8]]), tg.tensor([[3, 0, -1, 1]])
    >>> tg.nn.MultiLabelMarginLoss()(scores, target)
    tensor(0.8500)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores (N, C) or (C) against lists of classes, each ended by -1."""
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """`1 - cosine` of two vectors where the target is 1, and `max(0, cosine - margin)` where it is -1.

    >>> import tensorgrad as tg
    >>> x1, x2 = tg.tensor([[1.0, 0.0]]), tg.tensor([[3.0, 4.0]])
    >>> tg.nn.CosineEmbeddingLoss()(x1, x2, tg.tensor([1]))
    tensor(0.4000)
    """

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss of vectors (N, D) against targets (N) of 1 and -1."""
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """How far the negative comes within `margin` of being as near to the anchor as the positive is.

    >>> import tensorgrad as tg
    >>> anchor, positive, negative = tg.zeros(1, 2), tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 2.0]])
    >>> tg.nn.TripletMarginLoss()(anchor, positive, negative)
    tensor(4.0000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        must_be_positive("TripletMarginLoss", margin)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """The loss of vectors (..., D)."""
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of the caller's, a function of two tensors.

    >>> import tensorgrad as tg
    >>> anchor, positive, negative = tg.zeros(1, 2), tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 2.0]])
    >>> taxi = lambda a, b: (a - b).abs().sum(-1)
    >>> tg.nn.TripletMarginWithDistanceLoss(distance_function=taxi)(anchor, positive, negative)
    tensor(6.)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        must_be_positive("TripletMarginWithDistanceLoss", margin)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """The loss of what the distance takes."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
