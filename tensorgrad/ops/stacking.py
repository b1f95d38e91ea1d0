"""More of joining and splitting: by direction, into numbers of parts, and all combinations of vectors' elements."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from tensorgrad.autograd.graph import wrap
from tensorgrad.autograd.op import primitive
from tensorgrad.backends.cpu import indices, layout
from tensorgrad.errors import DtypeError, ShapeError
from tensorgrad.ops.dims import flat, one_dim, rank
from tensorgrad.ops.index import slice_op
from tensorgrad.ops.joining import cat, sequence, some_dims, split, split_at, stack
from tensorgrad.ops.layout import atleast_1d, atleast_2d, atleast_3d
from tensorgrad.ops.shape import broadcast_op, narrow, ravel, reshape, transpose


def concat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """`cat` by another name.

    >>> import tensorgrad as tg
    >>> tg.concat([tg.zeros(1), tg.ones(1)])
    tensor([0., 1.])
    """
    return cat(tensors, dim)


def concatenate(tensors: Sequence[Any], dim: int = 0) -> Any:
    """`cat` by NumPy's name.

    >>> import tensorgrad as tg
    >>> tg.concatenate([tg.zeros(1), tg.ones(1)])
    tensor([0., 1.])
    """
    return cat(tensors, dim)


def hstack(tensors: Sequence[Any]) -> Any:
    """Tensors joined side by side: along dimension 1, and vectors along their own.

    >>> import tensorgrad as tg
    >>> tg.hstack([tg.zeros(2, 1), tg.ones(2, 1)])
    tensor([[0., 1.],
            [0., 1.]])
    """
    tensors = atleast_1d(sequence("hstack", tensors))
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """Tensors joined one below the other: along dimension 0, vectors as rows.

    >>> import tensorgrad as tg
    >>> tg.vstack([tg.zeros(2), tg.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    return cat(atleast_2d(sequence("vstack", tensors)))


def row_stack(tensors: Sequence[Any]) -> Any:
    """`vstack` by another name.

    >>> import tensorgrad as tg
    >>> tg.row_stack([tg.zeros(2), tg.ones(2)]).shape
    (2, 2)
    """
    return vstack(tensors)


def dstack(tensors: Sequence[Any]) -> Any:
    """Tensors joined in depth: along dimension 2, which matrices and vectors are given.

    >>> import tensorgrad as tg
    >>> tg.dstack([tg.zeros(2), tg.ones(2)]).shape
    (1, 2, 2)
    """
    return cat(atleast_3d(sequence("dstack", tensors)), 2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Tensors joined side by side, vectors as columns.

    >>> import tensorgrad as tg
    >>> tg.column_stack([tg.zeros(2), tg.ones(2)])
    tensor([[0., 1.],
            [0., 1.]])
    """
    return hstack([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in sequence("column_stack", tensors)])


def _block_diag_vjp(
    g: Any, wants: tuple[bool, ...], y: Any, *blocks: Any, shapes: tuple[tuple[int, int], ...]
) -> tuple[Any, ...]:
    bottoms, rights = (accumulate(sizes) for sizes in zip(*shapes))
    places = [
        (slice(bottom - rows, bottom), slice(right - columns, right))
        for (rows, columns), bottom, right in zip(shapes, bottoms, rights)
    ]
    return tuple(slice_op(g, index=place) if wanted else None for wanted, place in zip(wants, places))


# Of `cat`, each block would take two more matrices of zeros.
block_diag_op = primitive("block_diag", layout.block_diag, joint=_block_diag_vjp, inputs="promote")


def block_diag(*tensors: Any) -> Any:
    """The matrix with matrices (vectors as rows, numbers) along its diagonal, and zero elsewhere; dtypes promote.

    Raises `ShapeError` for more than two dimensions.

    >>> import tensorgrad as tg
    >>> tg.block_diag(tg.tensor([[1, 2]]), tg.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    blocks = sequence("block_diag", tensors)
    for i, x in enumerate(blocks):
        if x.ndim > 2:
            raise ShapeError(f"block_diag: tensor {i} has shape {tuple(x.shape)}, and must have two dimensions at most")
    blocks = atleast_2d(blocks)
    return block_diag_op(*blocks, shapes=tuple(tuple(x.shape) for x in blocks))


# Splitting


def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """`split` with the size of each part. Raises `ShapeError` where they do not add up.

    >>> import tensorgrad as tg
    >>> tg.split_with_sizes(tg.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return split(input, list(split_sizes), dim)


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of a number of parts, as equal as can be, the larger first; or of the parts between indices.

    Raises `ShapeError` for fewer than one part, or a tensor of no dimensions.

    >>> import tensorgrad as tg
    >>> tg.tensor_split(tg.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    >>> tg.tensor_split(tg.arange(5), (1, 4))
    (tensor([0]), tensor([1, 2, 3]), tensor([4]))
    """
    d = one_dim("tensor_split", dim, some_dims("tensor_split", input))
    size = input.shape[d]
    given = indices_or_sections.tolist() if hasattr(indices_or_sections, "tolist") else indices_or_sections
    if isinstance(given, list | tuple):
        bounds = [slice(operator.index(i)).indices(size)[1] for i in given]
        pairs = zip([0, *bounds], [*bounds, size])
        return tuple(narrow(input, d, start, max(stop - start, 0)) for start, stop in pairs)
    sections = operator.index(given)
    if sections < 1:
        raise ShapeError(f"tensor_split: the number of parts must be 1 or more, not {sections}")
    small, larger = divmod(size, sections)
    return split_at(input, d, [small + 1] * larger + [small] * (sections - larger))


def _directed(name: str, input: Any, indices_or_sections: Any, dim: int, least: int) -> tuple[Any, ...]:
    if rank(name, input) < least:
        raise ShapeError(f"{name}: it needs {least} dimensions or more, got shape {tuple(input.shape)}")
    sections = indices_or_sections
    if isinstance(sections, int) and (sections < 1 or input.shape[dim] % sections):
        raise ShapeError(
            f"{name}: dimension {dim} of size {input.shape[dim]} cannot be split into {sections} equal parts; "
            f"tensor_split makes unequal ones"
        )
    return tensor_split(input, indices_or_sections, dim)


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along dimension 1, of a vector along its own; a number of parts must divide the size.

    >>> import tensorgrad as tg
    >>> tg.hsplit(tg.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    return _directed("hsplit", input, indices_or_sections, int(rank("hsplit", input) > 1), 1)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along dimension 0 of two dimensions or more; a number of parts must divide the size.

    >>> import tensorgrad as tg
    >>> [part.shape for part in tg.vsplit(tg.zeros(4, 3), 2)]
    [(2, 3), (2, 3)]
    """
    return _directed("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """`tensor_split` along dimension 2 of three dimensions or more; a number of parts must divide the size.

    >>> import tensorgrad as tg
    >>> [part.shape for part in tg.dsplit(tg.zeros(1, 2, 4), [1, 3])]
    [(1, 2, 1), (1, 2, 2), (1, 2, 1)]
    """
    return _directed("dsplit", input, indices_or_sections, 2, 3)


# Grids and combinations


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """Grids of coordinates from vectors or numbers, with one dimension per vector; "xy" swaps the first two.

    They are views, as large as their vectors. Raises `ShapeError` for more dimensions, `DtypeError` for dtypes that
    differ, `ValueError` for another `indexing`.

    >>> import tensorgrad as tg
    >>> [g.shape for g in tg.meshgrid(tg.arange(2), tg.arange(3), indexing="xy")]
    [(3, 2), (3, 2)]
    """
    if indexing not in (None, "ij", "xy"):
        raise ValueError(f"meshgrid: indexing must be 'ij' or 'xy', not {indexing!r}")
    vectors = sequence("meshgrid", flat(tensors))
    for i, v in enumerate(vectors):
        if v.ndim > 1:
            raise ShapeError(f"meshgrid: it takes vectors and numbers; tensor {i} has shape {tuple(v.shape)}")
    grids = _grids("meshgrid", vectors)
    if indexing == "xy" and len(grids) > 1:
        return tuple(transpose(g, 0, 1) for g in grids)
    return grids


def _grids(name: str, vectors: tuple[Any, ...]) -> tuple[Any, ...]:
    """Vectors and numbers, each stretched along the dimensions of the others."""
    for v in vectors:
        if v.dtype != vectors[0].dtype:
            raise DtypeError(f"{name}: tensors must share one dtype, got {vectors[0].dtype.name} and {v.dtype.name}")
    shape = tuple(v.shape[0] if v.ndim else 1 for v in vectors)
    grids = []
    for i, v in enumerate(vectors):
        alone = tuple(n if j == i else 1 for j, n in enumerate(shape))
        grids.append(broadcast_op(reshape(v, alone), shape=shape))
    return tuple(grids)


def cartesian_prod(*tensors: Any) -> Any:
    """All ways to take an element of each vector, a row each, the last vector's varying first; one vector as it is.

    >>> import tensorgrad as tg
    >>> tg.cartesian_prod(tg.arange(2), tg.tensor([5, 6]))
    tensor([[0, 5],
            [0, 6],
            [1, 5],
            [1, 6]])
    """
    vectors = sequence("cartesian_prod", flat(tensors))
    for i, v in enumerate(vectors):
        if v.ndim != 1:
            raise ShapeError(f"cartesian_prod: it takes vectors; tensor {i} has shape {tuple(v.shape)}")
    if len(vectors) == 1:
        return vectors[0]
    return stack([ravel(grid) for grid in _grids("cartesian_prod", vectors)], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All ways to take `r` elements of a vector in their order, a row each, none twice unless `with_replacement`.

    Raises `ShapeError` unless it is a vector, `ValueError` for a negative `r`.

    >>> import tensorgrad as tg
    >>> tg.combinations(tg.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if rank("combinations", input) != 1:
        raise ShapeError(f"combinations: it takes a vector, got shape {tuple(input.shape)}")
    if r < 0:
        raise ValueError(f"combinations: r must be 0 or more, not {r}")
    if not r:
        return narrow(input.detach(), 0, 0, 0)
    rows = wrap(indices.combinations(input.shape[0], r, with_replacement))
    return input[rows]
