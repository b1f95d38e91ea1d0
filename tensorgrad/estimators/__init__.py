"""Neural networks as scikit-learn estimators: `train.Model` in pipelines, searches and cross-validation."""

try:
    from sklearn.utils.validation import validate_data
except ImportError as error:
    raise ImportError("tensorgrad.estimators needs scikit-learn 1.6 or newer: pip install scikit-learn") from error

from tensorgrad.estimators.classifier import NeuralNetClassifier
from tensorgrad.estimators.regressor import NeuralNetRegressor

__all__ = ["NeuralNetClassifier", "NeuralNetRegressor"]
