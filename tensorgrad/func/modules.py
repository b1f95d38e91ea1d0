"""Modules as functions of their parameters and buffers."""

from __future__ import annotations

from typing import Any

from tensorgrad import ops
from tensorgrad.nn.module import Module


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: Any = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with other tensors in place of the parameters and buffers that a dict names.

    Several dicts may be given as a tuple. What they do not name keeps its value, unless `strict`; with `tie_weights`, a
    tensor of several names is replaced by any of them. `args` is a tuple, or the one argument. Afterwards the module is
    as before. Raises `KeyError` for names that the module does not have, and with `tie_weights` `ValueError` for
    different tensors in place of one.

    >>> import tensorgrad as tg
    >>> layer = tg.nn.Linear(2, 1)
    >>> tg.func.functional_call(layer, {"weight": tg.ones(1, 2), "bias": tg.zeros(1)}, tg.ones(3, 2)).tolist()
    [[2.0], [2.0], [2.0]]
    """
    dicts = parameter_and_buffer_dicts
    given: dict[str, Any] = {}
    for some in (dicts,) if isinstance(dicts, dict) else tuple(dicts):
        given |= some
    places = _places(module)
    if unknown := [name for name in given if name not in places]:
        raise KeyError(f"functional_call: {type(module).__name__} has no parameter or buffer {', '.join(unknown)}")
    if tie_weights:
        _tie(places, given)
    if strict and (absent := [name for name in places if name not in given]):
        raise KeyError(f"functional_call: strict, and {', '.join(absent)} of {type(module).__name__} is not given")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    before = [places[name] for name in given]
    held = [table[key] for table, key in before]
    try:
        for (table, key), value in zip(before, given.values()):
            table[key] = value
        return module(*args, **(kwargs or {}))
    finally:
        for (table, key), value in zip(before, held):
            table[key] = value


def _tie(places: dict[str, tuple[dict[str, Any], str]], given: dict[str, Any]) -> None:
    """Give what is named by one of the names of a tensor to them all."""
    tied: dict[int, list[str]] = {}
    for name, (table, key) in places.items():
        tied.setdefault(id(table[key]), []).append(name)
    for names in tied.values():
        values = [given[name] for name in names if name in given]
        if any(value is not values[0] for value in values):
            raise ValueError(f"functional_call: {', '.join(names)} are one tensor; give one, or say tie_weights=False")
        if values:
            given.update(dict.fromkeys(names, values[0]))


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Where each parameter and buffer of a module and those below it is kept, by its name."""
    found = {}
    for path, below in module.named_modules(remove_duplicate=False):
        for table in (below._parameters, below._buffers):
            for key, value in table.items():
                if value is not None:
                    found[f"{path}.{key}" if path else key] = (table, key)
    return found


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of modules of one architecture, each stacked along a new first dimension.

    With `functional_call` and `vmap` they are run as one. Raises `ValueError` for no modules, or of several classes.

    >>> import tensorgrad as tg
    >>> params, buffers = tg.func.stack_module_state([tg.nn.Linear(2, 3) for _ in range(4)])
    >>> params["weight"].shape
    (4, 3, 2)
    """
    models = list(models)
    if not models or len({type(model) for model in models}) > 1:
        raise ValueError("stack_module_state: it takes modules of one class, one or more")

    def stacked(states: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            name: ops.stack([s[name].detach() for s in states]).requires_grad_(states[0][name].requires_grad)
            for name in states[0]
        }

    return (
        stacked([dict(model.named_parameters()) for model in models]),
        stacked([dict(model.named_buffers()) for model in models]),
    )
