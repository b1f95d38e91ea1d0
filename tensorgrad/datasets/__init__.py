"""Data sets to learn and to test with: MNIST and its like, CIFAR-10, cats, digits, and toy points in the plane."""

from tensorgrad.datasets.cats import CatVsNonCat
from tensorgrad.datasets.cifar import CIFAR10
from tensorgrad.datasets.digits import Digits
from tensorgrad.datasets.images import ImageDataset
from tensorgrad.datasets.mnist import MNIST, FashionMNIST, read_idx
from tensorgrad.datasets.toy import blobs, circles, moons, spiral

__all__ = [
    "CIFAR10",
    "MNIST",
    "CatVsNonCat",
    "Digits",
    "FashionMNIST",
    "ImageDataset",
    "blobs",
    "circles",
    "moons",
    "read_idx",
    "spiral",
]
