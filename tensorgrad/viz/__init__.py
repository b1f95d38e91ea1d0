"""Pictures of what a model computes, and of how it learned: graphs, networks, curves, decisions, scores, images."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorgrad.viz.drawing import DotNotFound
from tensorgrad.viz.graph import Graph, graph

if TYPE_CHECKING:
    from tensorgrad.viz.boundary import plot_decision_boundary
    from tensorgrad.viz.curves import compare_histories, plot_history
    from tensorgrad.viz.diagram import Diagram, network_diagram
    from tensorgrad.viz.histograms import plot_gradients, plot_weights
    from tensorgrad.viz.images import plot_images, plot_mistakes
    from tensorgrad.viz.scores import plot_confusion_matrix, plot_roc

_FOUND_IN = {
    "boundary": "plot_decision_boundary",
    "curves": "compare_histories plot_history",
    "diagram": "Diagram network_diagram",
    "histograms": "plot_gradients plot_weights",
    "images": "plot_images plot_mistakes",
    "scores": "plot_confusion_matrix plot_roc",
}
_LATE = {name: file for file, names in _FOUND_IN.items() for name in names.split()}

__all__ = sorted(["DotNotFound", "Graph", "graph", *_LATE])


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'tensorgrad.viz' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"tensorgrad.viz.{_LATE[name]}"), name)
    return found


def __dir__() -> list[str]:
    return __all__
