"""What training needs around the network: `utils.data`."""

from tensorgrad.utils import data

__all__ = ["data"]
