"""Keeping what was trained: parameters, numbers, pictures and models of each fit, in MLflow."""

from tensorgrad.tracking.logger import MLflowLogger
from tensorgrad.tracking.models import load_model, log_model

__all__ = ["MLflowLogger", "load_model", "log_model"]
