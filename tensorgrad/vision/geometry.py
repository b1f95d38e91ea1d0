"""Transforms that change where an image's pixels are: resizing, cropping, mirroring.

An image is a tensor (..., height, width), an array (height, width) or (height, width, channels), or one of Pillow's;
the result is of the same kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.creation import from_numpy
from tensorgrad.errors import ShapeError
from tensorgrad.nn.functional import pad
from tensorgrad.ops import stack
from tensorgrad.random import numpy_of
from tensorgrad.tensor import Tensor
from tensorgrad.vision.resampling import InterpolationMode, resized, resized_bytes

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def channels_first(name: str, image: Any) -> np.ndarray[Any, Any]:
    """An image of bytes as an array (channels, height, width). Raises `ShapeError` for other numbers of dimensions."""
    array = np.asarray(image)
    if array.ndim not in (2, 3):
        raise ShapeError(
            f"{name}: an image is (height, width) or (height, width, channels), and this has shape {array.shape}"
        )
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _changed(name: str, image: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """An image of any kind after a change of tensors (..., height, width)."""
    if isinstance(image, Tensor):
        if image.ndim < 2:
            raise ShapeError(f"{name}: an image is a tensor (..., height, width), and this has shape {image.shape}")
        return change(image)
    planes = change(from_numpy(np.ascontiguousarray(channels_first(name, image)))).numpy()
    array = np.ascontiguousarray(planes[0] if np.ndim(image) == 2 else planes.transpose(1, 2, 0))
    if isinstance(image, np.ndarray):
        return array
    from PIL import Image

    made = Image.fromarray(array)
    if image.mode == "P":
        made.putpalette(image.getpalette())
    return made


def _pair(name: str, size: int | Sequence[int]) -> tuple[int, int]:
    sizes = (size,) if isinstance(size, int) else tuple(size)
    if len(sizes) not in (1, 2) or min(sizes) < 1:
        raise ValueError(f"{name}: size must be an int of 1 or more, or a height and a width, not {size!r}")
    return sizes[0], sizes[-1]


def _four(name: str, padding: int | Sequence[int], mode: str) -> tuple[int, ...]:
    """How many pixels go on the left, the top, the right and the bottom."""
    sides = (padding,) if isinstance(padding, int) else tuple(padding)
    if len(sides) not in (1, 2, 4):
        raise ValueError(f"{name}: padding must be an int, or 2 or 4 of them, not {padding!r}")
    if mode not in PADDING_MODES:
        raise ValueError(f"{name}: padding_mode must be one of {', '.join(PADDING_MODES)}, not {mode!r}")
    return sides * (4 // len(sides))


def _padded(image: Tensor, sides: Sequence[int], fill: Any, mode: str) -> Tensor:
    """A tensor with pixels put on its sides: left, top, right, bottom."""
    left, top, right, bottom = sides
    if mode == "constant":
        if not isinstance(fill, Sequence):
            return pad(image, (left, right, top, bottom), value=fill)
        return stack([pad(x, (left, right, top, bottom), value=f) for x, f in zip(image, fill, strict=True)])
    for axis, before, after in ((-2, top, bottom), (-1, left, right)):
        taken: Any = np.pad(np.arange(image.shape[axis]), (before, after), mode)  # type: ignore[call-overload]
        image = image.index_select(axis, from_numpy(taken))
    return image


class Resize:
    """The image in another size: a height and a width, or an int for the shorter side.

    The longer side is then at most `max_size`. Arrays of bytes come out as Pillow makes them, tensors as PyTorch does;
    `antialias=False` lets tensors that are made smaller skip pixels. Raises `ValueError` for a `max_size` that is not
    above the size of the shorter side.

    >>> import tensorgrad as tg
    >>> from tensorgrad.vision import transforms
    >>> transforms.Resize(4)(tg.zeros(3, 8, 10)).shape
    (3, 4, 5)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        pair = _pair("Resize", size)
        self.size = pair if not isinstance(size, int) and len(size) == 2 else pair[0]
        if max_size is not None and (isinstance(self.size, tuple) or max_size <= self.size):
            raise ValueError(f"Resize: max_size, {max_size}, is for a size of one int, and above it; size is {size!r}")
        self.interpolation, self.max_size, self.antialias = InterpolationMode(interpolation), max_size, antialias

    def __call__(self, image: Any) -> Any:
        if not isinstance(image, Tensor | np.ndarray):  # Pillow's own
            height, width = self._target(image.height, image.width)
            if (height, width) == (image.height, image.width):
                return image
            from PIL import Image

            return image.resize((width, height), Image.Resampling[self.interpolation.name.removesuffix("_EXACT")])
        return _changed("Resize", image, lambda x: self._resized(x, of_bytes=isinstance(image, np.ndarray)))

    def _resized(self, x: Tensor, of_bytes: bool) -> Tensor:
        size = self._target(*x.shape[-2:])
        if size == tuple(x.shape[-2:]):
            return x
        if of_bytes and x.dtype == np.uint8:
            return from_numpy(resized_bytes(x.numpy(), *size, self.interpolation))
        return resized(x, *size, self.interpolation, bool(self.antialias))

    def _target(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.size, tuple):
            return self.size
        short, long = self.size, int(self.size * max(height, width) / min(height, width))
        if self.max_size is not None and long > self.max_size:
            short, long = int(self.max_size * short / long), self.max_size
        return (long, short) if width <= height else (short, long)

    def __repr__(self) -> str:
        return (
            f"Resize(size={self.size}, interpolation={self.interpolation.value}, max_size={self.max_size}, "
            f"antialias={self.antialias})"
        )


class CenterCrop:
    """The middle of the image, of a size (an int, or height and width); zeros are put around one that is smaller.

    >>> import tensorgrad as tg
    >>> from tensorgrad.vision import transforms
    >>> transforms.CenterCrop(2)(tg.arange(16).reshape(4, 4))
    tensor([[ 5,  6],
            [ 9, 10]])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = _pair("CenterCrop", size)

    def __call__(self, image: Any) -> Any:
        return _changed("CenterCrop", image, self._crop)

    def _crop(self, x: Tensor) -> Tensor:
        (h, w), (height, width) = self.size, x.shape[-2:]
        if h > height or w > width:
            more = max(w - width, 0), max(h - height, 0)
            x = _padded(x, (more[0] // 2, more[1] // 2, (more[0] + 1) // 2, (more[1] + 1) // 2), 0, "constant")
            height, width = x.shape[-2:]
        top, left = round((height - h) / 2), round((width - w) / 2)
        return x[..., top : top + h, left : left + w]

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class Pad:
    """The image with pixels put around it: an int, two for the sides and for top and bottom, or four.

    Four are for left, top, right and bottom. The pixels are `fill` in mode "constant", a number or one per channel,
    or made of the image: its "edge", or mirrored, "reflect", or "symmetric" with the edge.

    >>> import tensorgrad as tg
    >>> from tensorgrad.vision import transforms
    >>> transforms.Pad((2, 0), padding_mode="reflect")(tg.tensor([[1, 2, 3]]))
    tensor([[3, 2, 1, 2, 3, 2, 1]])
    """

    def __init__(
        self, padding: int | Sequence[int], fill: float | Sequence[float] = 0, padding_mode: str = "constant"
    ) -> None:
        self._sides = _four("Pad", padding, padding_mode)
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def __call__(self, image: Any) -> Any:
        return _changed("Pad", image, lambda x: _padded(x, self._sides, self.fill, self.padding_mode))

    def __repr__(self) -> str:
        return f"Pad(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop:
    """A part of the image, of a size (an int, or height and width), at a random place.

    First `padding` is put around it, as by `Pad`; with `pad_if_needed` as much as the part needs to fit. Raises
    `ShapeError` where the part does not fit.

    >>> import tensorgrad as tg
    >>> from tensorgrad.vision import transforms
    >>> transforms.RandomCrop(4, padding=1)(tg.zeros(3, 4, 4)).shape
    (3, 4, 4)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size, self.padding = _pair("RandomCrop", size), padding
        self._sides = _four("RandomCrop", 0 if padding is None else padding, padding_mode)
        self.pad_if_needed, self.fill, self.padding_mode = pad_if_needed, fill, padding_mode

    def __call__(self, image: Any) -> Any:
        return _changed("RandomCrop", image, self._crop)

    def _crop(self, x: Tensor) -> Tensor:
        if any(self._sides):
            x = _padded(x, self._sides, self.fill, self.padding_mode)
        (h, w), (height, width) = self.size, x.shape[-2:]
        if self.pad_if_needed and (h > height or w > width):
            across, down = max(w - width, 0), max(h - height, 0)
            x = _padded(x, (across, down, across, down), self.fill, self.padding_mode)
            height, width = x.shape[-2:]
        if h > height or w > width:
            raise ShapeError(
                f"RandomCrop: a part of {h} x {w} does not fit an image of {height} x {width}; give padding, or "
                "pad_if_needed=True"
            )
        source = numpy_of(None)
        top, left = int(source.integers(height - h + 1)), int(source.integers(width - w + 1))
        return x[..., top : top + h, left : left + w]

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


class RandomResizedCrop:
    """A random part of the image, made as large as `size`: an int, or a height and a width.

    Its share of the image's area is between the two of `scale`, and its width over its height between those of `ratio`,
    drawn as logarithms (Szegedy et al., 2015, arXiv:1409.4842); where ten draws give none that fits, it is the largest
    one in the middle whose ratio is allowed. Raises `ValueError` for a scale or a ratio that is not two positive
    numbers, the smaller first.

    >>> import tensorgrad as tg
    >>> from tensorgrad.vision import transforms
    >>> transforms.RandomResizedCrop(4, scale=(0.3, 1.0))(tg.zeros(3, 10, 8)).shape
    (3, 4, 4)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        for name, pair in (("scale", scale), ("ratio", ratio)):
            if len(pair) != 2 or not 0 < pair[0] <= pair[1]:
                raise ValueError(
                    f"RandomResizedCrop: {name} must be two positive numbers, the smaller first, not {pair!r}"
                )
        self.size = _pair("RandomResizedCrop", size)
        self.scale, self.ratio = (scale[0], scale[1]), (ratio[0], ratio[1])
        self._resize = Resize(self.size, interpolation, antialias=antialias)

    def __call__(self, image: Any) -> Any:
        return self._resize(_changed("RandomResizedCrop", image, self._crop))

    def _crop(self, x: Tensor) -> Tensor:
        top, left, h, w = self._part(*x.shape[-2:])
        return x[..., top : top + h, left : left + w]

    def _part(self, height: int, width: int) -> tuple[int, int, int, int]:
        """The top, the left, the height and the width of a part."""
        source = numpy_of(None)
        for _ in range(10):
            area = height * width * source.uniform(*self.scale)
            ratio = math.exp(source.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            h, w = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
            if 0 < h <= height and 0 < w <= width:
                return int(source.integers(height - h + 1)), int(source.integers(width - w + 1)), h, w
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        h, w = max(min(height, round(width / ratio)), 1), max(min(width, round(height * ratio)), 1)
        return (height - h) // 2, (width - w) // 2, h, w

    def __repr__(self) -> str:
        return (
            f"RandomResizedCrop(size={self.size}, scale={self.scale}, ratio={tuple(round(r, 4) for r in self.ratio)}, "
            f"interpolation={self._resize.interpolation.value}, antialias={self._resize.antialias})"
        )


class RandomHorizontalFlip:
    """The image mirrored, left for right, with probability `p`.

    >>> import numpy as np
    >>> from tensorgrad.vision import transforms
    >>> transforms.RandomHorizontalFlip(p=1.0)(np.array([[1, 2, 3]]))
    array([[3, 2, 1]])
    """

    dim = -1

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, image: Any) -> Any:
        if numpy_of(None).random() >= self.p:
            return image
        return _changed(type(self).__name__, image, lambda x: x.flip(self.dim))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(RandomHorizontalFlip):
    """The image mirrored, top for bottom, with probability `p`.

    >>> import numpy as np
    >>> from tensorgrad.vision import transforms
    >>> transforms.RandomVerticalFlip(p=1.0)(np.array([[1], [2]]))
    array([[2],
           [1]])
    """

    dim = -2
