"""Real and toy data sets: what they hold, what they say about damaged files, and downloading from a local server."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.datasets import MNIST, CatVsNonCat, Digits, ImageDataset, blobs, circles, moons, read_idx, spiral
from tensorgrad.errors import ShapeError
from tensorgrad.utils.data import DataLoader, TensorDataset

NAMES = list(MNIST.checksums)


def idx(array, code=8):
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def small_mnist():
    """The unpacked content of four files, of 6 training and 2 test images."""
    rng = np.random.default_rng(0)
    return {
        name: idx(rng.integers(0, 10 if "labels" in name else 256, shape, np.uint8))
        for name, shape in zip(NAMES, [(6, 28, 28), (6,), (2, 28, 28), (2,)], strict=True)
    }


def write(folder, files, packed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in files.items():
        (folder / (name + ".gz" if packed else name)).write_bytes(gzip.compress(raw) if packed else raw)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A mirror on this machine that serves the files of a folder, and a list of what it was asked for."""
    asked = []
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as mirror:
        threading.Thread(target=mirror.serve_forever, args=(0.01,), daemon=True).start()
        mirror.folder, mirror.asked, mirror.url = folder, asked, f"http://127.0.0.1:{mirror.server_port}/"
        files = small_mnist()
        monkeypatch.setattr(MNIST, "mirrors", (mirror.url,))
        monkeypatch.setattr(MNIST, "checksums", {n: hashlib.sha256(raw).hexdigest() for n, raw in files.items()})
        write(folder, files)
        yield mirror
        mirror.shutdown()


# What all data sets of images have


def test_images_are_scaled_floats_and_labels_int64():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)
    data = ImageDataset(pixels, np.array([1, 0], np.uint8), ["a", "b"])
    assert (data.images.shape, data.images.dtype, data.labels.dtype) == ((2, 3, 2, 2), tg.float32, tg.int64)
    assert np.array_equal(data.images.numpy(), pixels.astype(np.float32) / np.float32(255))
    flat = ImageDataset(pixels, np.array([1, 0]), ["a", "b"], flat=True)
    assert np.array_equal(flat.images.numpy(), data.images.numpy().reshape(2, 12))
    assert isinstance(data, TensorDataset)
    assert repr(data) == "ImageDataset(2 images of shape (3, 2, 2), 2 classes)"


def test_images_take_the_default_dtype():
    tg.set_default_dtype(tg.float64)
    try:
        data = ImageDataset(np.full((1, 1, 1, 1), 51, np.uint8), np.array([0]), ["a"])
        X, _ = moons(4)
    finally:
        tg.set_default_dtype(tg.float32)
    assert (data.images.dtype, data.images.item(), X.dtype) == (tg.float64, 0.2, tg.float64)


def test_transforms_are_applied_to_each_item():
    pixels = np.zeros((4, 1, 2, 2), np.uint8)
    plain = ImageDataset(pixels, np.arange(4), "abcd")
    data = ImageDataset(pixels, np.arange(4), "abcd", lambda x: x.reshape(-1) + 1, lambda y: int(y.item()) * 10)
    assert (plain.in_memory() is plain.tensors, data.in_memory()) == (True, None)
    image, label = data[3]
    assert (image.tolist(), label) == ([1.0] * 4, 30)
    ((x, y),) = DataLoader(data, batch_size=4)
    assert (x.shape, x.sum().item(), y.tolist()) == ((4, 4), 16.0, [0, 10, 20, 30])


def test_a_subclass_that_computes_its_items_is_asked_for_them():
    class Negative(ImageDataset):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return 1 - image, label

    ((x, _),) = DataLoader(Negative(np.zeros((2, 1, 1, 1), np.uint8), np.zeros(2, int), ["a"]), batch_size=2)
    assert x.reshape(-1).tolist() == [1.0, 1.0]


def test_images_and_labels_that_do_not_go_together_are_refused():
    with pytest.raises(ShapeError, match=r"\(2, 1, 1, 1\) and \(3,\)"):
        ImageDataset(np.zeros((2, 1, 1, 1), np.uint8), np.zeros(3, int), ["a"])
    with pytest.raises(ValueError, match="labels run from 0 to 5, and there are 2 classes"):
        ImageDataset(np.zeros((2, 1, 1, 1), np.uint8), np.array([0, 5]), ["a", "b"])


# Digits


def test_digits_are_scikit_learns_in_a_fixed_stratified_split():
    load_digits = pytest.importorskip("sklearn.datasets").load_digits
    held = load_digits()
    everything = Digits(train=None)
    assert np.array_equal(everything.images.numpy()[:, 0], (held.images / 16).astype(np.float32))
    assert np.array_equal(everything.labels.numpy(), held.target)
    train, test = Digits(), Digits(train=False)
    assert (len(train), len(test), train.images.shape[1:]) == (1437, 360, (1, 8, 8))
    rows = {image.tobytes() for image in everything.images.numpy()}
    parts = [{image.tobytes() for image in part.images.numpy()} for part in (train, test)]
    assert parts[0] | parts[1] == rows
    assert not parts[0] & parts[1]
    shares = [np.bincount(part.labels.numpy()) / len(part) for part in (train, test)]
    assert np.abs(shares[0] - shares[1]).max() < 0.005
    assert np.array_equal(Digits().labels.numpy(), train.labels.numpy())


def test_digits_take_a_test_size_and_can_be_flat():
    pytest.importorskip("sklearn")
    data = Digits(train=False, test_size=100, flat=True)
    assert (data.images.shape, data.classes) == ((100, 64), tuple("0123456789"))
    assert data.images.numpy().max() == 1.0


@pytest.mark.parametrize(
    ("module", "package", "make"), [("sklearn", "scikit-learn", lambda root: Digits()), ("h5py", "h5py", CatVsNonCat)]
)
def test_a_package_that_is_missing_is_named(module, package, make, tmp_path, monkeypatch):
    (tmp_path / "train_catvnoncat.h5").touch()
    for name in [n for n in sys.modules if n.split(".")[0] == module] + [module]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"pip install {package}"):
        make(tmp_path)


# MNIST


def test_the_real_mnist_is_read(data_root):
    path = data_root / "mnist" / "train-images-idx3-ubyte.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    train, test = MNIST(data_root), MNIST(data_root / "mnist", train=False, flat=True)
    assert (train.images.shape, test.images.shape) == ((60000, 1, 28, 28), (10000, 784))
    assert train.labels.tolist()[:10] == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels.tolist()[:5] == [7, 2, 1, 0, 4]
    assert np.bincount(train.labels.numpy()).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert round(train.images.mean().item(), 4) == 0.1307


def test_the_real_files_have_the_checksums_that_a_download_is_held_to(data_root):
    for name, sha256 in MNIST.checksums.items():
        path = data_root / "mnist" / f"{name}.gz"
        if not path.is_file():
            pytest.skip(f"{path} is not there")
        assert hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest() == sha256


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("folder", ["", "mnist", "MNIST/raw"])
def test_mnist_is_found_where_torchvision_and_people_put_it(tmp_path, folder, packed, monkeypatch):
    files = small_mnist()
    write(tmp_path / folder, files, packed)
    data = MNIST(tmp_path)
    assert data.labels.tolist() == list(files[NAMES[1]][8:])
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path))
    assert np.array_equal(MNIST().images.numpy(), data.images.numpy())


def test_train_none_takes_both_parts(tmp_path):
    write(tmp_path, small_mnist())
    both, train, test = (MNIST(tmp_path, train=train) for train in (None, True, False))
    assert (len(both), len(train), len(test)) == (8, 6, 2)
    assert both.labels.tolist() == train.labels.tolist() + test.labels.tolist()


def test_absent_files_are_named_with_where_they_were_looked_for(tmp_path):
    files = small_mnist()
    del files["train-labels-idx1-ubyte"]
    write(tmp_path, files)
    with pytest.raises(FileNotFoundError) as caught:
        MNIST(tmp_path)
    text = str(caught.value)
    assert "train-labels-idx1-ubyte not found" in text
    assert "train-images" not in text
    assert str(tmp_path / "MNIST" / "raw") in text
    assert "download=True" in text
    assert len(MNIST(tmp_path, train=False)) == 2


def test_without_root_and_variable_the_cache_is_used(monkeypatch, tmp_path):
    monkeypatch.delenv("TENSORGRAD_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(tmp_path / ".cache" / "tensorgrad" / "mnist", small_mnist())
    assert len(MNIST()) == 6


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda raw: gzip.compress(raw)[:-20], "not a whole gzip file"),
        (lambda raw: gzip.compress(raw)[:100] + b"\x55" * 30 + gzip.compress(raw)[130:], "not a whole gzip file"),
        (lambda raw: b"<html>Not found</html>", "not a whole gzip file"),
        (lambda raw: gzip.compress(b"<html>"), "not an IDX file: it begins with the bytes 3c 68 74 6d"),
        (lambda raw: gzip.compress(b""), r"not an IDX file: it begins with the bytes \(none\)"),
        (lambda raw: gzip.compress(raw[:9]), "truncated: its header should have 16 bytes, and it has 9"),
        (lambda raw: gzip.compress(raw[:-1]), "truncated.*4720 bytes, and it has 4719"),
        (lambda raw: gzip.compress(raw + b"\0"), "too long"),
        (lambda raw: gzip.compress(idx(np.zeros((6, 784), np.uint8))), r"uint8\[6, 784\], not bytes of 3 dim"),
        (lambda raw: gzip.compress(idx(np.zeros((5, 28, 28), np.uint8))), "has 5 images, and .* has 6 labels"),
    ],
)
def test_damaged_files_are_named(tmp_path, damage, match):
    files = small_mnist()
    write(tmp_path, files)
    path = tmp_path / f"{NAMES[0]}.gz"
    path.write_bytes(damage(files[NAMES[0]]))
    with pytest.raises(ValueError, match=match) as caught:
        MNIST(tmp_path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")])
def test_idx_files_of_every_dtype_are_read(tmp_path, code, dtype):
    array = np.arange(-3 if dtype != "u1" else 0, 3).astype(dtype).reshape(-1, 1)
    (tmp_path / "array").write_bytes(idx(array, code))
    read = read_idx(tmp_path / "array")
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert np.array_equal(read, array)


# Downloading


def test_download_fetches_the_files_that_are_missing_and_no_more(server, tmp_path):
    root = tmp_path / "root"
    assert len(MNIST(root, download=True)) == 6
    assert sorted(p.name for p in (root / "mnist").iterdir()) == sorted(f"{n}.gz" for n in NAMES)
    assert len(server.asked) == 4
    (root / "mnist" / f"{NAMES[2]}.gz").unlink()
    MNIST(root, train=False, download=True)
    assert server.asked[4:] == [f"/{NAMES[2]}.gz"]


def test_nothing_is_downloaded_unless_asked(server, tmp_path):
    with pytest.raises(FileNotFoundError):
        MNIST(tmp_path / "root")
    assert not server.asked
    assert not (tmp_path / "root").exists()


def test_a_mirror_without_the_file_is_passed_over(server, tmp_path, monkeypatch):
    monkeypatch.setattr(MNIST, "mirrors", (server.url + "elsewhere/", server.url))
    assert len(MNIST(tmp_path / "root", download=True)) == 6
    assert len(server.asked) >= 8


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (gzip.compress(b"another file"), "its SHA-256, unpacked, is .* and should be"),
        (gzip.compress(b"x" * 1000)[:-9], "not a whole gzip file"),
        (None, "Not Found|File not found"),
    ],
    ids=["foreign", "truncated", "absent"],
)
def test_what_cannot_be_verified_is_not_kept(server, tmp_path, content, match):
    served = server.folder / f"{NAMES[1]}.gz"
    if content is None:
        served.unlink()
    else:
        served.write_bytes(content)
    with pytest.raises(ConnectionError, match=match):
        MNIST(tmp_path / "root", download=True)
    assert [p.name for p in (tmp_path / "root" / "mnist").iterdir()] == [f"{NAMES[0]}.gz"]


def test_offline_says_which_hosts_which_file_and_where_to_put_it(tmp_path, monkeypatch):
    def offline(url, timeout):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(ConnectionError) as caught:
        MNIST(tmp_path, download=True)
    text = str(caught.value)
    for expected in (*MNIST.mirrors, "train-images-idx3-ubyte.gz", "no network", str(tmp_path / "mnist")):
        assert expected in text
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_no_partial_file(server, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        MNIST(tmp_path / "root", download=True)
    assert list((tmp_path / "root" / "mnist").iterdir()) == []


def test_the_mirrors_are_reached_over_https():
    assert len(MNIST.mirrors) >= 2
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in MNIST.mirrors)


# Cats


def test_the_real_cats_are_read(data_root):
    h5py = pytest.importorskip("h5py")
    path = data_root / "cat_vs_noncat" / "train_catvnoncat.h5"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    train, test = CatVsNonCat(data_root), CatVsNonCat(path.parent, train=False, flat=True)
    assert (train.images.shape, test.images.shape) == ((209, 3, 64, 64), (50, 12288))
    assert (train.classes, train.labels.sum().item(), test.labels.sum().item()) == (("non-cat", "cat"), 72, 33)
    with h5py.File(path) as file:
        pixels = file["train_set_x"][()]
    assert np.array_equal(train.images.numpy()[7, 2], pixels[7, :, :, 2].astype(np.float32) / np.float32(255))
    both = CatVsNonCat(data_root, train=None, flat=True)
    assert len(both) == 259
    assert np.array_equal(both.images.numpy()[209:], test.images.numpy())


def test_absent_cats_are_named_and_there_is_no_download(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        CatVsNonCat(tmp_path, train=None)
    text = str(caught.value)
    for expected in ("train_catvnoncat.h5, test_catvnoncat.h5", str(tmp_path / "cat_vs_noncat"), "no download"):
        assert expected in text


def h5(path, **arrays):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


def test_damaged_and_foreign_cats_are_named(tmp_path):
    path = tmp_path / "train_catvnoncat.h5"
    pixels, labels, classes = np.zeros((2, 4, 4, 3), np.uint8), np.array([[0, 1]]), np.array([b"non-cat", b"cat"])
    h5(path, train_set_x=pixels, train_set_y=labels, list_classes=classes)
    assert CatVsNonCat(tmp_path).labels.tolist() == [0, 1]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"train_catvnoncat.h5: it is not a whole HDF5 file"):
        CatVsNonCat(tmp_path)
    h5(path, x=pixels)
    with pytest.raises(ValueError, match=r"train_catvnoncat.h5: it has no train_set_x, .*; it holds x"):
        CatVsNonCat(tmp_path)
    h5(path, train_set_x=pixels[..., 0], train_set_y=labels, list_classes=classes)
    with pytest.raises(ValueError, match=r"train_catvnoncat.h5: it should hold bytes .* holds uint8\[2, 4, 4\]"):
        CatVsNonCat(tmp_path)


# Toys


@pytest.mark.parametrize("make", [spiral, moons, circles, blobs])
def test_toys_are_float32_points_and_int64_labels_from_a_seed(make):
    def drawn(seed):
        X, y = make(30, generator=tg.Generator().manual_seed(seed))
        return X.numpy(), y.numpy()

    (X, y), (again, labels), (other, _) = drawn(0), drawn(0), drawn(1)
    assert (X.dtype, y.dtype, X.shape) == (np.float32, np.int64, (len(y), 2))
    assert np.array_equal(X, again)
    assert np.array_equal(y, labels)
    assert not np.array_equal(X, other)
    tg.manual_seed(9)
    first = make(30)[0].numpy()
    tg.manual_seed(9)
    assert np.array_equal(make(30)[0].numpy(), first)


@pytest.mark.parametrize("turn", [1.0, 2.5])
def test_the_spiral_is_that_of_the_books(turn):
    n = 50
    X, y = spiral(n, classes=3, noise=0, turn=turn)
    for j in range(3):
        r, t = np.linspace(0.0, 1, n), np.linspace(j * 4, (j + 1) * 4, n) * turn
        arm = np.stack([r * np.sin(t), r * np.cos(t)], 1)
        np.testing.assert_allclose(X.numpy()[y.numpy() == j], arm, atol=1e-6)


def test_noise_bends_the_spiral_but_keeps_the_radius():
    X, _ = spiral(2000, classes=1, noise=0.2)
    r, expected = np.linalg.norm(X.numpy(), axis=1), np.linspace(0, 1, 2000)
    np.testing.assert_allclose(r, expected, atol=1e-6)
    off = np.angle(np.exp(1j * (np.arctan2(*X.numpy()[1:].T) - 4 * expected[1:])))
    assert abs(off.std() - 0.2) < 0.02
    assert abs(off.mean()) < 0.02


@pytest.mark.parametrize("n", [100, 101, (10, 30)])
def test_moons_and_circles_without_chance_are_scikit_learns(n):
    theirs = pytest.importorskip("sklearn.datasets")
    for ours, reference in [
        (moons(n, shuffle=False), theirs.make_moons(n, shuffle=False)),
        (circles(n, shuffle=False, factor=0.3), theirs.make_circles(n, shuffle=False, factor=0.3)),
    ]:
        np.testing.assert_allclose(ours[0].numpy(), reference[0], atol=1e-6)
        assert np.array_equal(ours[1].numpy(), reference[1])


@pytest.mark.parametrize("make", [moons, circles])
def test_shuffling_permutes_the_points_and_noise_has_its_deviation(make):
    clean, labels = make(4000, shuffle=False)
    X, y = make(4000)
    assert sorted(map(tuple, X.tolist())) == sorted(map(tuple, clean.tolist()))
    assert y.tolist() != labels.tolist()
    noisy, _ = make(4000, shuffle=False, noise=0.1)
    off = noisy.numpy() - clean.numpy()
    assert abs(off.std() - 0.1) < 0.005
    assert abs(off.mean()) < 0.01


def test_blobs_are_normal_around_their_centers():
    centers = np.array([[0.0, 5.0, 1.0], [20.0, 0.0, -3.0]])
    X, y = blobs([3000, 1000], centers=centers, cluster_std=[0.5, 2.0])
    for j, (n, std) in enumerate([(3000, 0.5), (1000, 2.0)]):
        cloud = X.numpy()[y.numpy() == j]
        assert cloud.shape == (n, 3)
        np.testing.assert_allclose(cloud.mean(0), centers[j], atol=5 * std / n**0.5)
        np.testing.assert_allclose(cloud.std(0), std, rtol=0.1)


def test_blobs_divide_the_total_evenly_and_draw_centers_in_the_box():
    X, y = blobs(200, 5, centers=6, cluster_std=0.0, center_box=(2.0, 3.0))
    assert np.bincount(y.numpy()).tolist() == [34, 34, 33, 33, 33, 33]
    assert X.shape == (200, 5)
    assert 2 <= X.numpy().min() < X.numpy().max() <= 3
    assert np.unique(X.numpy(), axis=0).shape == (6, 5)
    assert np.bincount(blobs(np.int64(9))[1].numpy()).tolist() == [3, 3, 3]
    assert np.bincount(blobs([1, 2, 3, 4])[1].numpy()).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: spiral(-1), "points_per_class must be 0 or more"),
        (lambda: spiral(classes=0), "classes must be 1 or more"),
        (lambda: spiral(noise=-0.1), "noise must be 0 or more"),
        (lambda: moons((1, 2, 3)), "moons: n_samples"),
        (lambda: moons(2.5), "moons: n_samples must be an int"),
        (lambda: moons(noise=float("nan")), "noise must be 0 or more"),
        (lambda: circles(-1), "circles: n_samples"),
        (lambda: circles(factor=1.0), r"factor, the inner radius, must be in \[0, 1\)"),
        (lambda: blobs(-1), "n_samples must be 0 or more"),
        (lambda: blobs([1, 2], centers=3), "3 centers need as many n_samples"),
        (lambda: blobs(3, centers=2, cluster_std=[1.0] * 3), "one cluster_std or as many"),
        (lambda: blobs(3, cluster_std=-1.0), "all 0 or more"),
        (lambda: blobs(3, centers=[1.0, 2.0]), r"of shape \(clouds, n_features\), not \(2,\)"),
        (lambda: blobs(3, centers=0), "centers must be 1 or more"),
        (lambda: blobs(3, center_box=(1.0, -1.0)), "center_box"),
    ],
)
def test_toys_refuse_what_makes_no_sense(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_importing_the_data_sets_imports_no_optional_package_and_no_network():
    code = (
        "import sys, tensorgrad.datasets, tensorgrad.utils.data;"
        "print([m for m in ('sklearn', 'h5py', 'urllib.request', 'gzip', 'http.client') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert run.stdout.strip() == "[]", run.stderr
