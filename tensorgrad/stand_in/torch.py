"""`torch` for the processes that a script started: they inherit its `sys.path`, and on it this folder."""

from tensorgrad.as_torch import take_place

take_place(__name__)
