"""Tools to test derivatives with: gradcheck, gradgradcheck, and (with Hypothesis installed) `strategies`."""

from tensorgrad.testing.differences import GradcheckError, gradcheck, gradgradcheck

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
