"""What stands for torchvision: its data sets from small files, its transforms beside Pillow's and PyTorch's results."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import datasets
from tensorgrad.errors import ShapeError
from tensorgrad.vision import transforms
from tensorgrad.vision.datasets import CIFAR10, MNIST, FashionMNIST
from tensorgrad.vision.transforms import InterpolationMode
from tensorgrad.vision.utils import make_grid

RNG = np.random.default_rng(0)
NAMES = list(datasets.FashionMNIST.checksums)


def drawn(*shape):
    return RNG.integers(0, 256, shape, np.uint8)


# Data sets


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def clothes(tmp_path):
    """Files of Fashion-MNIST, of 6 training and 2 test images, where torchvision puts them; and what they hold."""
    held = {name: drawn(*shape) for name, shape in zip(NAMES, [(6, 28, 28), (6,), (2, 28, 28), (2,)], strict=True)}
    held = {name: array % 10 if array.ndim == 1 else array for name, array in held.items()}
    folder = tmp_path / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for name, array in held.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path, held


def test_fashion_mnist_is_read_from_where_torchvision_puts_it(clothes):
    root, held = clothes
    train, test = FashionMNIST(root), FashionMNIST(root, train=False, transform=transforms.ToTensor())
    assert (len(train), len(test), train.class_to_idx["Bag"]) == (6, 2, 8)
    assert np.array_equal(train.data.numpy(), held[NAMES[0]])
    assert train.targets.tolist() == held[NAMES[1]].tolist()
    image, label = test[1]
    assert (image.shape, image.dtype, type(label)) == ((1, 28, 28), tg.float32, int)
    assert datasets.FashionMNIST(root, train=None).images.shape == (8, 1, 28, 28)


def test_digits_are_not_taken_for_clothes(clothes):
    root, _ = clothes
    (root / "FashionMNIST").rename(root / "MNIST")
    assert len(MNIST(root)) == 6
    with pytest.raises(FileNotFoundError, match=r"FashionMNIST: train-images-idx3-ubyte, .* not found"):
        FashionMNIST(root)


@pytest.fixture
def photographs(monkeypatch):
    """The archive of CIFAR-10 with 2 images to a batch, to which the checksums are set; and what it holds."""
    packed, held, sums = io.BytesIO(), {}, {}
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in datasets.CIFAR10.checksums:
            held[name] = drawn(2, 3072), [3, 9]
            raw = pickle.dumps({"data": held[name][0], "labels": held[name][1], "batch_label": "x"}, protocol=4)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size, sums[name] = len(raw), hashlib.md5(raw).hexdigest()
            tar.addfile(info, io.BytesIO(raw))
    monkeypatch.setattr(datasets.CIFAR10, "checksums", sums)
    monkeypatch.setattr(datasets.CIFAR10, "sha256", hashlib.sha256(packed.getvalue()).hexdigest())
    return packed.getvalue(), held


def offline(url, timeout):
    raise OSError("no network")


def test_cifar10_is_unpacked_from_its_archive(photographs, tmp_path, monkeypatch):
    archive, held = photographs
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: io.BytesIO(archive))
    test = CIFAR10(tmp_path, train=False, download=True)
    monkeypatch.setattr("urllib.request.urlopen", offline)
    train = CIFAR10(tmp_path, transform=transforms.ToTensor(), download=True)
    pixels, labels = held["test_batch"]
    assert np.array_equal(test.data, pixels.reshape(2, 3, 32, 32).transpose(0, 2, 3, 1))
    assert (test.targets, test.classes[3], test[1][1]) == (labels, "cat", 9)
    assert (len(train), train.data.shape, train[0][0].shape) == (10, (10, 32, 32, 3), (3, 32, 32))
    both = datasets.CIFAR10(tmp_path, train=None, flat=True)
    assert (both.images.shape, both.labels.dtype) == ((12, 3072), tg.int64)
    assert np.array_equal(both.images.numpy()[-1], pixels[1].astype(np.float32) / np.float32(255))


def test_absent_photographs_are_named_with_where_they_were_looked_for(photographs, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data_batch_1, .*data_batch_5 not found.*download=True") as caught:
        CIFAR10(tmp_path)
    assert "cifar-10-batches-py" in str(caught.value)


def test_offline_says_where_to_put_the_archive(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(ConnectionError, match=r"cifar-10-python.tar.gz.* no network.*put the file into") as caught:
        CIFAR10(tmp_path, download=True)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(ConnectionError, match=r"FashionMNIST: could not download train-images-idx3-ubyte.gz"):
        FashionMNIST(tmp_path, download=True)


def test_an_archive_that_is_another_is_not_kept(photographs, tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: io.BytesIO(b"another"))
    with pytest.raises(ConnectionError, match=r"its SHA-256 is .* and should be"):
        CIFAR10(tmp_path, download=True)
    assert list(tmp_path.iterdir()) == []


def test_damaged_photographs_are_named(photographs, tmp_path):
    archive, _ = photographs
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(archive[: len(archive) // 2])
    with pytest.raises(ValueError, match=r"cifar-10-python.tar.gz: it is not the whole archive"):
        CIFAR10(tmp_path, download=True)
    path.write_bytes(archive)
    CIFAR10(tmp_path, download=True)
    batch = tmp_path / "cifar-10-batches-py" / "test_batch"
    batch.write_bytes(batch.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match=r"test_batch: its MD5 is .* and should be .*: it is damaged"):
        CIFAR10(tmp_path, train=False)


def test_a_batch_that_would_run_code_is_refused(photographs, tmp_path, monkeypatch):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    raw = pickle.dumps(Evil())
    (tmp_path / "test_batch").write_bytes(raw)
    monkeypatch.setitem(datasets.CIFAR10.checksums, "test_batch", hashlib.md5(raw).hexdigest())
    with pytest.raises(ValueError, match=r"asks for builtins\.print"):
        CIFAR10(tmp_path, train=False)


# Transforms. Where Pillow takes the height first its bytes may round otherwise: these sizes leave it no choice.

MODES = [InterpolationMode.NEAREST, InterpolationMode.BILINEAR, InterpolationMode.BICUBIC]
SIZES = [((17, 23, 3), (33, 50)), ((40, 31), (50, 20)), ((12, 9, 3), (12, 4)), ((8, 8), (33, 50)), ((5, 5), (5, 5))]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_bytes_are_resized_as_by_pillow(shape, size, mode):
    Image = pytest.importorskip("PIL.Image")
    pixels = drawn(*shape)
    expected = np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling[mode.name]))
    resize = transforms.Resize(size, mode)
    assert np.array_equal(resize(pixels), expected)
    assert np.array_equal(np.asarray(resize(Image.fromarray(pixels))), expected)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(5, 9), (33, 50), (8, 40)])
def test_tensors_are_resized_as_by_pytorch(mode, antialias, size):
    torch = pytest.importorskip("torch")
    pixels = RNG.random((2, 3, 17, 23), np.float32)
    smooth = mode in ("bilinear", "bicubic")
    settings = {"align_corners": False, "antialias": antialias} if smooth else {}
    x, theirs = tg.from_numpy(pixels).requires_grad_(), torch.from_numpy(pixels.copy()).requires_grad_()
    y = transforms.Resize(size, InterpolationMode(mode), antialias=antialias)(x)
    expected = torch.nn.functional.interpolate(theirs, size, mode=mode, **settings)
    np.testing.assert_allclose(y.detach(), expected.detach().numpy(), atol=1e-5)
    y.square().sum().backward()
    expected.square().sum().backward()
    np.testing.assert_allclose(x.grad, theirs.grad.numpy(), atol=1e-4)


def test_tensors_of_bytes_are_rounded_and_stay_bytes():
    torch = pytest.importorskip("torch")
    pixels = drawn(1, 1, 4, 5)
    y = transforms.Resize((3, 9), InterpolationMode.BICUBIC)(tg.from_numpy(pixels))
    floats = torch.from_numpy(pixels).float()
    expected = torch.nn.functional.interpolate(floats, (3, 9), mode="bicubic", antialias=True)
    assert y.dtype == tg.uint8
    assert y.tolist() == expected.round().clamp(0, 255).long().tolist()


@pytest.mark.parametrize(
    ("size", "max_size", "shape", "expected"),
    [(4, None, (8, 10), (4, 5)), (4, None, (10, 8), (5, 4)), ((4,), None, (3, 10), (4, 13)), (7, None, (7, 9), (7, 9)),
     (4, 6, (8, 20), (2, 6)), (4, 6, (20, 8), (6, 2)), ((3, 9), None, (8, 10), (3, 9)), (5, None, (5, 5), (5, 5))],
)  # fmt: skip
def test_the_size_is_that_of_the_shorter_side(size, max_size, shape, expected):
    resize = transforms.Resize(size, max_size=max_size)
    assert resize(tg.zeros(3, *shape)).shape == (3, *expected)
    assert resize(np.zeros((*shape, 3), np.uint8)).shape == (*expected, 3)


def test_every_kind_of_image_comes_out_as_it_went_in():
    Image = pytest.importorskip("PIL.Image")
    pixels = drawn(6, 8, 3)
    palette = Image.fromarray(pixels).convert("P")
    for transform in (transforms.CenterCrop(4), transforms.CenterCrop((9, 2)), transforms.RandomVerticalFlip(p=1.0)):
        of_tensor = transform(tg.from_numpy(pixels.transpose(2, 0, 1).copy())).numpy().transpose(1, 2, 0)
        of_image = transform(Image.fromarray(pixels))
        assert np.array_equal(transform(pixels), of_tensor)
        assert np.array_equal(np.asarray(of_image), of_tensor)
        assert isinstance(of_image, Image.Image)
        assert transform(pixels[:, :, 0]).ndim == 2
    flipped = transforms.RandomHorizontalFlip(p=1.0)(palette)
    assert np.array_equal(np.asarray(flipped.convert("RGB")), np.asarray(palette.convert("RGB"))[:, ::-1])


def test_the_middle_is_cut_out_or_surrounded_by_zeros():
    x = tg.arange(1, 13).reshape(3, 4)
    assert transforms.CenterCrop((1, 2))(x).tolist() == [[6, 7]]
    assert transforms.CenterCrop((2, 3))(x).tolist() == [[1, 2, 3], [5, 6, 7]]  # halves are rounded to even, as there
    assert transforms.CenterCrop((3, 7))(x).tolist()[0] == [0, 1, 2, 3, 4, 0, 0]
    assert transforms.CenterCrop((5, 2))(x).tolist() == [[0, 0], [2, 3], [6, 7], [10, 11], [0, 0]]


def test_random_parts_are_everywhere_and_follow_the_seed():
    x = tg.arange(9).reshape(3, 3)
    crop = transforms.RandomCrop(2)
    assert {crop(x)[0, 0].item() for _ in range(100)} == {0, 1, 3, 4}
    tg.manual_seed(1)
    first = [crop(x)[0, 0].item() for _ in range(5)]
    tg.manual_seed(1)
    assert [crop(x)[0, 0].item() for _ in range(5)] == first
    flip = transforms.RandomHorizontalFlip()
    assert {flip(x)[0, 0].item() for _ in range(50)} == {0, 2}


@pytest.mark.parametrize(
    ("padding", "mode", "row"),
    [
        (1, "constant", [7, 1, 2, 3, 7]),
        ((2, 0), "edge", [1, 1, 1, 2, 3, 3, 3]),
        ((2, 0), "reflect", [3, 2, 1, 2, 3, 2, 1]),
        ((2, 0), "symmetric", [2, 1, 1, 2, 3, 3, 2]),
        ((0, 1, 2, 0), "constant", [1, 2, 3, 7, 7]),
    ],
)
def test_padding_is_put_around_before_a_part_is_taken(padding, mode, row):
    x = tg.tensor([[1, 2, 3]], dtype=tg.uint8)
    crop = transforms.RandomCrop((1, len(row)), padding, fill=7, padding_mode=mode)
    rows = [crop(x)[0].tolist() for _ in range(30)]
    assert row in rows
    assert all(r in (row, [7] * len(row)) for r in rows)


def test_padding_alone_is_that_of_a_part():
    x = tg.arange(6).reshape(2, 3)
    for mode in ("constant", "edge", "reflect", "symmetric"):
        padded = transforms.Pad((1, 1, 2, 0), fill=7, padding_mode=mode)(x)
        assert (
            padded.tolist()
            == np.pad(
                x.numpy(), ((1, 0), (1, 2)), mode, **({"constant_values": 7} if mode == "constant" else {})
            ).tolist()
        )
    assert transforms.Pad(1)(drawn(4, 5, 3)).shape == (6, 7, 3)
    assert transforms.Pad(1, fill=(9, 8, 7))(drawn(4, 5, 3))[0, 0].tolist() == [9, 8, 7]


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (9, 9)])
def test_random_parts_have_the_area_and_the_ratio_that_were_asked_for(height, width):
    crop = transforms.RandomResizedCrop(5, scale=(0.2, 0.5), ratio=(0.5, 2.0))
    top, left, h, w = np.array([crop._part(height, width) for _ in range(500)]).T
    assert min(top.min(), left.min(), (height - top - h).min(), (width - left - w).min()) == 0
    rounding = 2 / min(h.min(), w.min())
    for found, (low, high) in ((h * w / (height * width), crop.scale), (w / h, crop.ratio)):
        assert low * (1 - rounding) < found.min() < 1.3 * low
        assert 0.8 * high < found.max() < high * (1 + rounding)
    assert len({*zip(top, left)}) > 20


@pytest.mark.parametrize(
    ("shape", "ratio", "part"),
    [
        ((10, 100), (0.75, 4 / 3), (0, 43, 10, 13)),
        ((100, 10), (0.75, 4 / 3), (43, 0, 13, 10)),
        ((10, 10), (1, 1), (0, 0, 10, 10)),
    ],
)
def test_where_no_part_fits_it_is_the_largest_in_the_middle(shape, ratio, part):
    assert transforms.RandomResizedCrop(5, (4, 5), ratio)._part(*shape) == part


def test_a_part_is_made_as_large_as_was_asked_for():
    x = tg.arange(48.0).reshape(1, 6, 8)
    whole = transforms.RandomResizedCrop((3, 4), scale=(1, 1), ratio=(8 / 6, 8 / 6))
    assert whole(x).tolist() == transforms.Resize((3, 4))(x).tolist()
    assert transforms.RandomResizedCrop(7)(drawn(9, 9, 3)).shape == (7, 7, 3)
    assert repr(whole).startswith("RandomResizedCrop(size=(3, 4), scale=(1, 1), ratio=(1.3333, 1.3333), ")


def test_an_image_too_small_is_padded_where_that_is_asked_for():
    assert transforms.RandomCrop((4, 5), pad_if_needed=True)(tg.zeros(3, 2, 9)).shape == (3, 4, 5)
    with pytest.raises(ShapeError, match=r"a part of 4 x 5 does not fit an image of 2 x 9; give padding"):
        transforms.RandomCrop((4, 5))(tg.zeros(3, 2, 9))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: transforms.Resize(0), "Resize: size must be an int of 1 or more"),
        (lambda: transforms.CenterCrop((1, 2, 3)), "CenterCrop: size must be"),
        (lambda: transforms.Resize(4, max_size=4), "Resize: max_size, 4, is for"),
        (lambda: transforms.Resize((4, 4), max_size=9), "Resize: max_size, 9, is for"),
        (lambda: transforms.Resize(4, "lanczos"), "lanczos"),
        (lambda: transforms.RandomCrop(4, padding=(1, 2, 3)), "padding must be an int, or 2 or 4"),
        (lambda: transforms.RandomCrop(4, padding_mode="wrap"), "padding_mode must be one of"),
        (lambda: transforms.Pad((1, 2, 3)), "Pad: padding must be an int, or 2 or 4"),
        (lambda: transforms.RandomResizedCrop(4, scale=(1, 0.5)), r"RandomResizedCrop: scale must be .* \(1, 0.5\)"),
        (lambda: transforms.RandomResizedCrop(4, ratio=(0, 1)), "RandomResizedCrop: ratio must be"),
        (lambda: transforms.CenterCrop(2)(tg.zeros(3)), r"CenterCrop: an image is a tensor .* \(3,\)"),
        (lambda: transforms.CenterCrop(2)(np.zeros((1, 2, 3, 4))), r"CenterCrop: an image is \(height, width\)"),
    ],
)
def test_mistakes_name_the_transform(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_the_usual_augmentation_runs_on_bytes():
    augment = transforms.Compose(
        [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    )
    assert augment(drawn(32, 32, 3)).shape == (3, 32, 32)


def test_a_grid_of_images_has_their_values_and_leaves_them_as_they_were():
    images = tg.arange(16.0).reshape(2, 2, 2, 2)[:, :1]
    grid = make_grid(images, nrow=2, padding=1, pad_value=-1.0)
    assert grid.shape == (3, 4, 7)
    assert grid[0].tolist() == [[-1] * 7, [-1, 0, 1, -1, 8, 9, -1], [-1, 2, 3, -1, 10, 11, -1], [-1] * 7]
    together = make_grid(images, padding=0, normalize=True)
    np.testing.assert_allclose(together[1], np.array([[0, 1, 8, 9], [2, 3, 10, 11]]) / 11, rtol=1e-6)
    apart = make_grid(images, padding=0, normalize=True, scale_each=True)
    np.testing.assert_allclose(apart[2], np.array([[0, 1, 0, 1], [2, 3, 2, 3]]) / 3, rtol=1e-6)
    assert images.flatten().tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
