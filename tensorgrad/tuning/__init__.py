"""Finding good hyperparameters with Optuna: spaces, a search, pruning, and a picture of what was found."""

from tensorgrad.tuning.picture import plot_study
from tensorgrad.tuning.pruning import PruningCallback
from tensorgrad.tuning.spaces import Integer, LogUniform, Uniform
from tensorgrad.tuning.trials import SearchResult, search

__all__ = ["Integer", "LogUniform", "PruningCallback", "SearchResult", "Uniform", "plot_study", "search"]
