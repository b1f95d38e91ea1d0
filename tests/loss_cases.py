"""Calls of the losses: what they are given, over their documented settings and the edges of their inputs."""

from __future__ import annotations

import itertools

import numpy as np

REDUCTIONS = ("none", "mean", "sum")
MODULES = {
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "kl_div": "KLDivLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "gaussian_nll_loss": "GaussianNLLLoss",
    "hinge_embedding_loss": "HingeEmbeddingLoss",
    "soft_margin_loss": "SoftMarginLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
    "multi_margin_loss": "MultiMarginLoss",
    "multilabel_margin_loss": "MultiLabelMarginLoss",
    "margin_ranking_loss": "MarginRankingLoss",
    "cosine_embedding_loss": "CosineEmbeddingLoss",
    "triplet_margin_loss": "TripletMarginLoss",
    "triplet_margin_with_distance_loss": "TripletMarginWithDistanceLoss",
}
ONCE = ("multi_margin_loss", "multilabel_margin_loss", "pdist")  # PyTorch has no second derivative of these


class Case:
    """A call of a loss: float arrays become tensors that want a gradient, but for those in `fixed`."""

    def __init__(self, loss, input=None, target=None, fixed=(), once=False, **settings):
        self.loss, self.fixed, self.once = loss, fixed, once or loss in ONCE
        given = {"input": input, "target": target}
        self.arrays = {k: np.asarray(v) for k, v in given.items() if v is not None}
        self.settings = {k: v for k, v in settings.items() if not isinstance(v, np.ndarray)}
        self.arrays |= {k: np.asarray(v) for k, v in settings.items() if isinstance(v, np.ndarray)}

    def __repr__(self):
        shown = [f"{k}={v}" for k, v in self.settings.items()]
        shown += [k for k in self.arrays if k not in ("input", "target")]
        kind = "hard" if self.arrays.get("target", np.zeros(0)).dtype.kind != "f" else "soft"
        shape = "x".join(map(str, next(iter(self.arrays.values())).shape)) or "scalar"
        return "-".join([self.loss, kind, shape, *shown])

    def leaves(self, make, dtype):
        """The tensors of a library, with PyTorch's or our names, and those that want gradients."""
        tensors = {k: make(np.asarray(a, dtype if a.dtype.kind == "f" else a.dtype)) for k, a in self.arrays.items()}
        wanted = [k for k, a in self.arrays.items() if a.dtype.kind == "f" and k not in ("weight", *self.fixed)]
        for k in wanted:
            tensors[k].requires_grad_()
        return tensors, wanted

    def function(self, functional):
        return lambda **tensors: getattr(functional, self.loss)(**tensors, **self.settings)


def regression_cases():
    source = np.random.default_rng(0)
    for shape in [(6,), (3, 4), (2, 3, 2), ()]:
        x, t = source.normal(0, 2, shape), source.normal(0, 2, shape)
        for reduction in REDUCTIONS:
            yield Case("mse_loss", x, t, reduction=reduction)
            yield Case("l1_loss", x, t, reduction=reduction)
            yield Case("smooth_l1_loss", x, t, reduction=reduction)
            yield Case("huber_loss", x, t, reduction=reduction)
            yield Case("kl_div", x, np.exp(t), reduction=reduction)
            yield Case("kl_div", x, t, reduction=reduction, log_target=True)
    x, t = source.normal(0, 2, (3, 4)), source.normal(0, 2, (3, 4))
    x[0, 0] = t[0, 0]
    for reduction in REDUCTIONS:
        yield Case("mse_loss", x, t, reduction=reduction, weight=source.uniform(0.5, 2, (3, 4)))
        yield Case("l1_loss", x, t, reduction=reduction, weight=source.uniform(0.5, 2, (3, 4)))
        yield Case("huber_loss", x, t, reduction=reduction, weight=source.uniform(0.5, 2, (3, 4)))
        yield Case("smooth_l1_loss", x, t, reduction=reduction, beta=0.0)
        yield Case("smooth_l1_loss", x, t, reduction=reduction, beta=2.5)
        yield Case("huber_loss", x, t, reduction=reduction, delta=0.3)
    x, t = np.array([0.0, 1.0, -1.0, 2.0, 3.0]), np.array([0.0, 0.0, 0.0, 2.0, 1.0])  # on the kinks
    for loss in ("l1_loss", "smooth_l1_loss", "huber_loss"):
        yield Case(loss, x, t, reduction="none")
    for log_target in (False, True):
        yield Case(
            "kl_div",
            np.log(softmax(source.normal(size=(3, 4)))),
            -np.ones((3, 4)) if log_target else softmax(source.normal(size=(3, 4))),
            reduction="batchmean",
            log_target=log_target,
        )
    sparse = np.array([[0.0, 1.0], [0.25, 0.75]])
    yield Case("kl_div", np.log(softmax(source.normal(size=(2, 2)))), sparse, fixed=("target",))


def softmax(a):
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def binary_cases():
    source = np.random.default_rng(1)
    for shape, reduction in itertools.product([(5,), (3, 4), ()], REDUCTIONS):
        p, z, t = source.uniform(0.05, 0.95, shape), source.normal(0, 3, shape), source.uniform(0.1, 0.9, shape)
        yield Case("binary_cross_entropy", p, t, reduction=reduction)
        yield Case("binary_cross_entropy", p, (t > 0.5) * 1.0, reduction=reduction)
        yield Case("binary_cross_entropy", p, t, reduction=reduction, weight=source.uniform(0.5, 2, shape))
        yield Case("binary_cross_entropy_with_logits", z, t, reduction=reduction)
        yield Case("binary_cross_entropy_with_logits", z, t, reduction=reduction, weight=source.uniform(1, 2, shape))
        yield Case(
            "binary_cross_entropy_with_logits", z, t, reduction=reduction, fixed=("pos_weight",),
            pos_weight=source.uniform(0.5, 2, shape), weight=source.uniform(0.5, 2, shape),
        )  # fmt: skip
    p, z, t = source.uniform(0.05, 0.95, (3, 4)), source.normal(0, 3, (3, 4)), source.uniform(0.1, 0.9, (3, 4))
    one_each = source.uniform(0.5, 2, (4,))
    yield Case("binary_cross_entropy", p, t, weight=one_each)
    yield Case("binary_cross_entropy_with_logits", z, t, weight=one_each)
    yield Case("binary_cross_entropy_with_logits", z, t, pos_weight=one_each, fixed=("pos_weight",))
    yield Case("binary_cross_entropy_with_logits", z, t, pos_weight=np.array(3.0), fixed=("pos_weight",))


def class_cases():
    source = np.random.default_rng(2)
    for shape in [(5,), (4, 5), (3, 5, 2), (2, 5, 3, 2)]:
        x = source.normal(0, 2, shape)
        log_p = np.log(softmax(x if x.ndim > 1 else x[None])).reshape(shape)
        labels = source.integers(0, 5, shape[:1] + shape[2:] if len(shape) > 1 else ())
        soft = softmax(source.normal(size=shape if len(shape) > 1 else (1, *shape))).reshape(shape)
        ignored = labels.copy()
        if labels.ndim:
            ignored.reshape(-1)[0] = -100
        weight = source.uniform(0.5, 2, 5)
        for reduction in REDUCTIONS:
            for name, scores in (("nll_loss", log_p), ("cross_entropy", x)):
                yield Case(name, scores, labels, reduction=reduction)
                yield Case(name, scores, labels, reduction=reduction, weight=weight)
                yield Case(name, scores, ignored, reduction=reduction, weight=weight, ignore_index=-100)
                ignore_index = int(labels.reshape(-1)[-1]) if labels.ndim else -1
                yield Case(name, scores, labels, reduction=reduction, ignore_index=ignore_index)
            for smoothing in (0.1, 1.0):
                yield Case("cross_entropy", x, labels, reduction=reduction, label_smoothing=smoothing)
                yield Case("cross_entropy", x, ignored, reduction=reduction, label_smoothing=smoothing, weight=weight)
                yield Case("cross_entropy", x, soft, reduction=reduction, label_smoothing=smoothing, weight=weight)
            yield Case("cross_entropy", x, soft, reduction=reduction)
            yield Case("cross_entropy", x, soft, reduction=reduction, weight=weight)
            yield Case("cross_entropy", x, soft, reduction=reduction, fixed=("target",))
    x = source.normal(size=(3, 4))
    for dtype in (np.uint8, np.int64):
        yield Case("cross_entropy", x, np.array([0, 3, 1], dtype))
        yield Case("nll_loss", x, np.array([0, 3, 1], dtype))
    zero = np.array([0.0, 1.0, 1.0, 2.0])
    yield Case("cross_entropy", x, np.array([0, 3, 1]), weight=zero)
    yield Case("nll_loss", x, np.array([0, 3, 1]), weight=zero)


def empty_cases():
    labels = np.zeros(0, np.int64)
    for reduction in REDUCTIONS:
        for loss in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div"):
            yield Case(loss, np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        yield Case("binary_cross_entropy", np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        yield Case("binary_cross_entropy_with_logits", np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        yield Case("cross_entropy", np.zeros((0, 3)), np.zeros((0, 3)), reduction=reduction)
        for settings in ({}, {"weight": np.array([1.0, 2.0, 3.0])}):
            yield Case("cross_entropy", np.zeros((0, 3)), labels, reduction=reduction, **settings)
            yield Case("nll_loss", np.zeros((0, 3)), labels, reduction=reduction, **settings)
        yield Case("cross_entropy", np.zeros((0, 3)), labels, reduction=reduction, label_smoothing=0.1)
        yield Case("cross_entropy", np.ones((2, 3)), np.full(2, -100), reduction=reduction)
        yield Case("nll_loss", np.ones((2, 3)), np.full(2, -100), reduction=reduction)


def extreme_cases():
    z = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4]])
    t = np.array([[0.0, 1.0, 0.5], [0.0, 1.0, 0.0], [1.0, 0.0, 0.25], [1.0, 0.0, 0.25]])
    for reduction in REDUCTIONS:
        yield Case("cross_entropy", z, np.array([1, 0, 2, 0]), reduction=reduction)
        yield Case("cross_entropy", z, np.array([0, 1, 2, 0]), reduction=reduction, label_smoothing=0.1)
        yield Case("cross_entropy", z, t, reduction=reduction)
        yield Case("binary_cross_entropy_with_logits", z, t, reduction=reduction)
        yield Case(
            "binary_cross_entropy_with_logits",
            z,
            t,
            reduction=reduction,
            pos_weight=np.array(2.0),
            fixed=("pos_weight",),
        )
        yield Case("smooth_l1_loss", z, t, reduction=reduction)
        yield Case("huber_loss", z, t, reduction=reduction)
        yield Case("mse_loss", z, t, reduction=reduction)


def likelihood_cases():
    source = np.random.default_rng(5)
    for shape, reduction in itertools.product([(5,), (3, 4), ()], REDUCTIONS):
        x, t = source.normal(0, 1, shape), source.uniform(0.0, 4.0, shape)
        rate, var = source.uniform(0.5, 3, shape), source.uniform(0.2, 3, shape)
        for full in (False, True):
            yield Case("poisson_nll_loss", x, t, reduction=reduction, full=full)
            yield Case("poisson_nll_loss", rate, t, reduction=reduction, full=full, log_input=False, eps=1e-3)
            yield Case("gaussian_nll_loss", x, t, reduction=reduction, full=full, var=var)
        yield Case("gaussian_nll_loss", x, t, reduction=reduction, var=0.5)
        yield Case("gaussian_nll_loss", x, t, reduction=reduction, var=var, eps=1.0)  # half of the variances are below
    x, t = source.normal(0, 1, (3, 4)), source.integers(0, 5, (3, 4))
    yield Case("poisson_nll_loss", x, t, full=True)
    yield Case("poisson_nll_loss", x, source.normal(size=4))
    for shape in [(3,), (3, 1), (1, 4)]:
        yield Case("gaussian_nll_loss", x, source.normal(size=(3, 4)), var=source.uniform(0.2, 3, shape))


def signs(source, shape):
    return np.where(source.random(shape) < 0.5, 1.0, -1.0)


def margin_cases():
    source = np.random.default_rng(6)
    for shape, reduction in itertools.product([(6,), (3, 4), ()], REDUCTIONS):
        x, y, t = source.normal(0, 1, shape), source.normal(0, 1, shape), signs(source, shape)
        settings = {"fixed": ("target",), "reduction": reduction}
        for margin in (1.0, 0.3):
            yield Case("hinge_embedding_loss", np.abs(x), t, margin=margin, **settings)
            yield Case("margin_ranking_loss", input1=x, input2=y, target=t, margin=margin, **settings)
        yield Case("soft_margin_loss", x, t, **settings)
    for shape, reduction in itertools.product([(5,), (3, 5)], REDUCTIONS):
        x, weight = source.normal(0, 1, shape), source.uniform(0.5, 2, 5)
        labels = source.integers(0, 5, shape[:-1])
        t = (source.random(shape) < 0.5) * 1.0
        yield Case("multilabel_soft_margin_loss", x, t, reduction=reduction)
        yield Case("multilabel_soft_margin_loss", x, t, weight=weight, reduction=reduction)
        for p in (1, 2):
            yield Case("multi_margin_loss", x, labels, p=p, margin=0.7, reduction=reduction)
            yield Case("multi_margin_loss", x, labels, p=p, weight=weight, reduction=reduction)
        lists = np.array([[3, 0, -1, 1, 2], [1, -1, 2, -1, 0], [-1, 0, 0, 0, 0]])[: len(x) if x.ndim == 2 else 1]
        yield Case("multilabel_margin_loss", x, lists.reshape(shape), reduction=reduction)
    yield Case("multi_margin_loss", source.normal(size=5), np.array([2]), reduction="none")
    yield Case(
        "multilabel_margin_loss", source.normal(size=(2, 3)), np.array([[0, 1, 2], [2, 2, -1]]), reduction="none"
    )


def embedding_cases():
    source = np.random.default_rng(7)
    for shape, reduction in itertools.product([(4,), (3, 4)], REDUCTIONS):
        a, b, c = source.normal(0, 1, (3, *shape))
        for margin in (0.0, 0.25):
            t = signs(source, shape[:-1])
            settings = {"margin": margin, "reduction": reduction, "fixed": ("target",)}
            yield Case("cosine_embedding_loss", input1=a, input2=b, target=t, **settings)
        for swap in (False, True):
            triplet = {"anchor": a, "positive": b, "negative": c, "swap": swap, "reduction": reduction}
            yield Case("triplet_margin_loss", **triplet)
            yield Case("triplet_margin_loss", **triplet, margin=3.0, p=1.0, eps=1e-3)
            yield Case("triplet_margin_with_distance_loss", **triplet, margin=2.0)
    a, b = source.normal(0, 1, (2, 3, 4))
    a[0], b[0] = 0.0, 0.0
    yield Case("cosine_embedding_loss", input1=a, input2=b, target=np.array([1, -1, 0]), reduction="none", once=True)
    a, b = source.normal(0, 1, (2, 3, 4, 2))
    for dim in (1, -1, 0):
        yield Case("cosine_similarity", x1=a, x2=b, dim=dim)
    yield Case("cosine_similarity", x1=a[0], x2=b, dim=2)
    yield Case("cosine_similarity", x1=a * np.array([0.0, 1.0]), x2=b, eps=0.5, once=True)
    yield Case("cosine_similarity", x1=a[0, 0], x2=b[0, 0], dim=0)
    for p in (0.5, 1.0, 2.0, 3.0, float("inf")):
        yield Case("pairwise_distance", x1=a, x2=b, p=p)
        yield Case("pdist", a[:, :, 0], p=p)
    yield Case("pairwise_distance", x1=a, x2=b[0], keepdim=True, eps=0.0)
    yield Case("pairwise_distance", x1=a[0, 0], x2=b[0, 0])
    yield Case("pairwise_distance", x1=np.array(1.0), x2=np.array(3.0))
    yield Case("pdist", np.repeat(a[:, :, 0], 2, 0))  # some distances are 0


MEASURED = [*likelihood_cases(), *margin_cases(), *embedding_cases()]
ALL = [*regression_cases(), *binary_cases(), *class_cases(), *extreme_cases(), *empty_cases(), *MEASURED]
