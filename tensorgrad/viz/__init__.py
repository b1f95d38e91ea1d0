"""Pictures of what a model computes: the graph behind a tensor."""

from tensorgrad.viz.graph import DotNotFound, Graph, graph

__all__ = ["DotNotFound", "Graph", "graph"]
