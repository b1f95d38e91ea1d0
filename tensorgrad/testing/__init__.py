"""Tools to test derivatives with: gradcheck, gradgradcheck, and `strategies`, which draw tensors with Hypothesis."""

from tensorgrad.testing.differences import GradcheckError, gradcheck, gradgradcheck

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
