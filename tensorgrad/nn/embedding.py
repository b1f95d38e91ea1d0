"""Embeddings: learned vectors looked up by index."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import no_grad
from tensorgrad.creation import empty
from tensorgrad.errors import ShapeError
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.functional.embedding import refuse_sparse, row_of
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter


class _Lookup(Module):
    """What both embeddings share: the weight, and where it comes from."""

    weight: Any
    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    sparse: bool

    def _set(self, weight: Any, frozen: bool, factory: dict[str, Any]) -> None:
        """Set the weight: one that is given, or standard normal numbers."""
        name = type(self).__name__
        shape = (self.num_embeddings, self.embedding_dim)
        self.padding_idx = row_of(name, self.padding_idx, self.num_embeddings)
        refuse_sparse(name, self.sparse)
        if weight is None:
            self.weight = Parameter(empty(shape, **factory), requires_grad=not frozen)
            self.reset_parameters()
        elif tuple(weight.shape) != shape:
            raise ShapeError(f"{name}: the weight has shape {tuple(weight.shape)}, and must have {shape}")
        else:
            self.weight = Parameter(weight, requires_grad=not frozen)

    def reset_parameters(self) -> None:
        """Draw the weight anew; the padding's row is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0


def _matrix(name: str, embeddings: Any) -> tuple[int, int]:
    """The sizes of pretrained embeddings."""
    if embeddings.ndim != 2:
        raise ShapeError(f"{name}.from_pretrained: embeddings must be a matrix, not of shape {tuple(embeddings.shape)}")
    rows, columns = embeddings.shape
    return rows, columns


class Embedding(_Lookup):
    """A vector of `embedding_dim` numbers for each of `num_embeddings` indices: integers (*) to (*, embedding_dim).

    `weight` starts standard normal. The row `padding_idx` starts 0 and gets no gradient. `max_norm` scales the rows
    that are looked up down to that `norm_type` norm, in the weight itself; `scale_grad_by_freq` divides a row's
    gradient by how often it was looked up. Raises `IndexError` for an index out of range, `ValueError` for
    `sparse=True`, which there is not.

    >>> import tensorgrad as tg
    >>> tg.nn.Embedding(10, 3)(tg.tensor([[1, 2], [4, 3]])).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._set(_weight, _freeze, {"device": device, "dtype": dtype})

    def forward(self, input: Any) -> Any:
        """Look up indices of any shape."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.num_embeddings}, {self.embedding_dim}" + _settings(
            self, padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An embedding whose weight is a given matrix, sharing its memory; `freeze` says that it is not learned."""
        sizes = _matrix("Embedding", embeddings)
        return cls(*sizes, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, freeze)


class EmbeddingBag(_Lookup):
    """The "sum", "mean" or "max" of the embeddings of each bag of indices: (B, N), or (N) and offsets, to (B, D).

    With `include_last_offset` the offsets also say where the last bag ends. The row `padding_idx` starts 0 and does not
    count at all; see `Embedding` for the other arguments and `functional.embedding_bag` for the bags.

    >>> import tensorgrad as tg
    >>> tg.nn.EmbeddingBag(10, 3, mode="sum")(tg.tensor([1, 2, 4]), tg.tensor([0, 2])).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        self._set(_weight, False, {"device": device, "dtype": dtype})

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """Look up bags of indices."""
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode,
            self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The settings."""
        shown = _settings(self, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="", padding_idx=None)
        return f"{self.num_embeddings}, {self.embedding_dim}{shown}"

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """Bags whose weight is a given matrix, sharing its memory; `freeze` says that it is not learned."""
        sizes = _matrix("EmbeddingBag", embeddings)
        bag = cls(
            *sizes, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings, include_last_offset, padding_idx
        )
        bag.weight.requires_grad = not freeze
        return bag


def _settings(module: Any, **defaults: Any) -> str:
    """The settings that are not at their defaults."""
    given = {name: getattr(module, name) for name, default in defaults.items() if getattr(module, name) != default}
    return "".join(f", {name}={value!r}" for name, value in given.items())
