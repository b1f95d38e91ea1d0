"""Files of models: the architecture, the weights, the labels, how it was compiled, and how far a fit has come."""

from __future__ import annotations

import copy
import os
from typing import Any

import numpy as np

from tensorgrad.errors import FileFormatError
from tensorgrad.io import load as load_file
from tensorgrad.io import save as save_file
from tensorgrad.nn.module import Module
from tensorgrad.nn.state import StateDictError
from tensorgrad.random import fork_rng, get_rng_state, set_rng_state
from tensorgrad.train.architecture import NotDescribed, build, describe
from tensorgrad.train.history import History
from tensorgrad.train.options import LayerOptions
from tensorgrad.train.recipe import Recipe

_FORMAT = "tensorgrad model"
_VERSION = 1


def write(model: Any, path: str | os.PathLike[str], *, training: bool, include_optimizer: bool = True) -> None:
    """Write a model to a file; with `training`, all that a fit needs to go on from here."""
    if os.fspath(path).endswith((".h5", ".hdf5", ".keras", ".pkl", ".onnx")):
        raise ValueError(
            f"save: a model is written as safetensors, and {os.fspath(path)!r} names another format; end it in "
            f".safetensors"
        )
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "network": _described(model.module),
        "weights": dict(model.module.state_dict()),
        "options": {name: dict(vars(said)) for name, said in model._options.items()},
        "frozen": sorted(model._frozen),
        "not_learned": [name for name, p in model.module.named_parameters() if not p.requires_grad],
        "kind": model._kind,
        "names": None if model._names is None else model._names.tolist(),
        "count": model._count,
        "columns": model._columns,
        "fitted": model.fitted,
        "recipe": model.recipe and model.recipe.described(),
        "optimizer": _optimizer(model) if include_optimizer else None,
        "history": _history(model.history),
        "training": _training(model) if training else None,
    }
    save_file(content, path)


def read(path: Any) -> dict[str, Any]:
    """The content of a model's file. Raises `FileFormatError` where it is another file."""
    content = load_file(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise FileFormatError(
            f"Model.load: {os.fspath(path)!r} is a safetensors file, but not one of a model; weights alone are loaded "
            f"with module.load_state_dict(tensorgrad.load(path))"
        )
    if content["version"] != _VERSION:
        raise FileFormatError(
            f"Model.load: {os.fspath(path)!r} has version {content['version']}, and this tensorgrad reads {_VERSION}; "
            f"update it"
        )
    return content


def load(cls: Any, path: Any, module: Module | None) -> Any:
    """The model in a file."""
    content = read(path)
    if module is None:
        network = content["network"]
        if "own" in network:
            raise ValueError(
                f"Model.load: the network in {os.fspath(path)!r} is {network['own']}; make it and give it: "
                f"Model.load(path, module=...)"
            )
        with fork_rng():  # building draws weights, and loading must not change what is drawn after it
            module = build(network)
    if not isinstance(module, Module):
        hint = f": write {module.__name__}(...)" if isinstance(module, type) else ""
        raise TypeError(f"Model.load: module must be an nn.Module, not {module!r}{hint}")
    try:
        return _model(cls, content, module)
    except StateDictError:
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"Model.load: {os.fspath(path)!r} is damaged: {error!r}") from error


def _model(cls: Any, content: dict[str, Any], module: Module) -> Any:
    module.load_state_dict(content["weights"])
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name not in content["not_learned"])
    model = cls(module)
    model._options = {name: LayerOptions(**said) for name, said in content["options"].items()}
    model._frozen = set(content["frozen"])
    if content["recipe"] is not None:
        model.recipe = Recipe.again(module, content["recipe"])
        model._waiting = content["optimizer"]
    model._kind = content["kind"]
    model._names = None if content["names"] is None else np.array(content["names"])
    model._count, model._columns, model.fitted = content.get("count"), content["columns"], content["fitted"]
    model.history = _history_again(content["history"])
    module.eval()
    return model


def restore(model: Any, content: dict[str, Any], path: Any) -> int:
    """Put a fit back to where it was when a checkpoint was written; return how many epochs it had done."""
    training = content["training"]
    if training is None:
        raise ValueError(
            f"fit: {os.fspath(path)!r} was written by Model.save, and knows of no fit; a file of ModelCheckpoint does"
        )
    before = copy.deepcopy(model.module.state_dict())
    model.module.load_state_dict(content["weights"])
    try:
        restore_optimizer(model, content["optimizer"])
    except Exception:
        model.module.load_state_dict(before)
        raise
    again = _history_again(content["history"])
    model.history.epoch, model.history.history = again.epoch, again.history
    waiting = [(name, state) for name, state in training["callbacks"]]
    for callback in model._callbacks.callbacks:
        own = next((pair for pair in waiting if pair[0] == type(callback).__name__), None)
        if own is not None:
            waiting.remove(own)
            callback.load_state_dict(own[1])
    model.stop_training = training["stopped"]
    model.fitted = content["fitted"]
    set_rng_state(training["random"])
    return len(model.history.epoch)


def _optimizer(model: Any) -> dict[str, Any] | None:
    if model._optimizer is None:
        return model._waiting  # of the file that the model is from
    schedule = None if model._schedule is None else model._schedule.state_dict()
    return {"optimizer": model._optimizer.state_dict(), "schedule": schedule}


def restore_optimizer(model: Any, state: dict[str, Any]) -> None:
    """Put the optimizer, and the decay of its learning rate, back to a state."""
    model.optimizer.load_state_dict(state["optimizer"])
    if model._schedule is not None and state["schedule"]:
        model._schedule.load_state_dict(state["schedule"])


def _training(model: Any) -> dict[str, Any]:
    return {
        "random": get_rng_state(),
        "stopped": model.stop_training,
        "callbacks": [[type(c).__name__, c.state_dict()] for c in model._callbacks.callbacks],
    }


def _described(module: Module) -> dict[str, Any]:
    try:
        return describe(module)
    except NotDescribed as error:
        return {"own": f"a {type(module).__name__} ({error})"}


def _history(history: History) -> dict[str, Any]:
    return {"epoch": np.array(history.epoch, np.int64), "history": {n: np.array(v) for n, v in history.items()}}


def _history_again(content: dict[str, Any]) -> History:
    history = History()
    history.epoch = content["epoch"].tolist()
    history.history = {name: values.tolist() for name, values in content["history"].items()}
    return history
