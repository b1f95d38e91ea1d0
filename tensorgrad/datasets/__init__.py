"""Data sets to learn and to test with: handwritten digits, MNIST, cats, and toy points in the plane."""

from tensorgrad.datasets.cats import CatVsNonCat
from tensorgrad.datasets.digits import Digits
from tensorgrad.datasets.images import ImageDataset
from tensorgrad.datasets.mnist import MNIST, read_idx
from tensorgrad.datasets.toy import blobs, circles, moons, spiral

__all__ = ["MNIST", "CatVsNonCat", "Digits", "ImageDataset", "blobs", "circles", "moons", "read_idx", "spiral"]
