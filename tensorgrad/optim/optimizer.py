"""Optimizer: what all optimizers share. It walks parameters and keeps their state; an algorithm is three methods."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tensorgrad.autograd.graph import TensorBase, edge, spec, wrap, writes
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.autograd.walk import clear
from tensorgrad.errors import ShapeError
from tensorgrad.optim.hooks import Hooks, hooked
from tensorgrad.optim.run import Array, Layout, Run, Workspace, check_state, computing_dtype

TAGS = {"params", "param_names", "initial_lr", "name"}  # what a group may hold beside the options
# PyTorch's choices among its kernels, which change no number here, and its differentiable steps, which are refused.
SWITCHES = {"foreach": None, "fused": None, "capturable": False, "differentiable": False}


def options(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options among the arguments of a constructor, which gives its `locals()`."""
    return {name: value for name, value in arguments.items() if name not in ("self", "params", "__class__")}


class Optimizer(Hooks):
    """Base of the optimizers: parameters in groups with options, state per parameter, and the walk over them.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dicts with "params" and options of their own that
    go before `defaults`. Options may be changed in `param_groups` at any time; `lr` may be a tensor of one element.
    Parameters without a gradient are skipped, and nothing is recorded. PyTorch's `foreach`, `fused` and `capturable`
    change nothing on a CPU, and `differentiable=True` is refused. Raises `ValueError` for no parameters, a computed
    tensor, a parameter given twice and options out of range, and `TypeError` for what is not a tensor.

    An algorithm that treats each element alike is made of `init`, `factors` and `update`; the base then applies
    `weight_decay` and `maximize` where the group has them, runs small parameters together and large ones in pieces.
    float16 parameters are updated in float32. Any other algorithm overrides `step`, which gets the hooks around it.

    >>> import numpy as np, tensorgrad as tg
    >>> class Lion(tg.optim.Optimizer):  # Chen et al. 2023
    ...     def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
    ...         super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))
    ...     def init(self, group):
    ...         return {"exp_avg": 0.0}
    ...     def factors(self, group, step):
    ...         return group["lr"], *group["betas"]
    ...     def update(self, group, factors, g, state, change):
    ...         (lr, b1, b2), (m,) = factors, state
    ...         change[...] = lr * np.sign(b1 * m + (1 - b1) * g)
    ...         m[...] = b2 * m + (1 - b2) * g
    >>> x = tg.ones(2, requires_grad=True)
    >>> optimizer = Lion([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.7500, 0.7500], requires_grad=True)
    """

    counted = True  # whether a parameter's state has a "step"
    # The numbers of a parameter's state beside its "step", and what they start from. `factors` is then given them as
    # they were before the step, and writes what they are after it.
    numbers: Mapping[str, float] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = hooked(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        super().__init__()
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._forget_layout()
        if isinstance(params, TensorBase) or not isinstance(params, Iterable):
            raise TypeError(
                f"{self._name}: params must be an iterable of tensors or dicts, not {type(params).__name__}; write "
                f"[tensor] for one tensor, model.parameters() for a model"
            )
        groups = list(params)
        if not groups:
            raise ValueError(
                f"{self._name}: there are no parameters to optimize; a generator such as model.parameters() gives them "
                f"only once and may be used up: call it anew, or keep list(model.parameters())"
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    # An algorithm

    def init(self, group: dict[str, Any]) -> dict[str, float]:
        """The arrays of a parameter's state under the group's options: their names, and what they start filled with."""
        return {}

    def factors(self, group: dict[str, Any], step: int) -> tuple[float, ...]:
        """The factors that the update of the `step`-th step, from 1, needs."""
        raise NotImplementedError(f"{self._name}.factors")

    def update(self, group: dict[str, Any], factors: list[Array], g: Array, state: list[Array], change: Array) -> None:
        """Update `state` with the gradient `g`, and write to `change` what is to be subtracted from the parameter.

        All are flat arrays of one dtype; `state` is in the order of `init`, and `factors` are the numbers of the method
        of that name, in the same dtype. `g` must not be changed; `change` may be used for what lies between.
        """
        raise NotImplementedError(f"{self._name}.update")

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ValueError` or `TypeError` for options that are out of range."""
        for option in ("lr", "weight_decay", "eps", "momentum"):
            if option in group:
                self._must_be(group, option, 0)
        if "betas" in group:
            self._must_be_pair(group, "betas")
            self._must_be(group, "betas", 0, 1)
        if group.get("differentiable"):
            raise ValueError(
                f"{self._name}: a step is not recorded, and differentiable=True is not to be had; write the step with "
                f"tensor operations, on gradients from autograd.grad(..., create_graph=True)"
            )
        if group.get("fused") and group.get("foreach"):
            raise ValueError(f"{self._name}: fused and foreach exclude each other; neither changes anything on a CPU")

    def _must_be_pair(self, group: dict[str, Any], option: str) -> None:
        if not isinstance(group[option], tuple | list) or len(group[option]) != 2:
            raise ValueError(f"{self._name}: {option} must be two numbers, not {group[option]!r}")

    def _must_be(self, group: dict[str, Any], option: str, low: float, below: float = math.inf) -> None:
        value = group[option]
        if isinstance(value, TensorBase):
            if value._data.size != 1:
                raise ShapeError(f"{self._name}: {option} must be one number, and has shape {value._data.shape}")
            value = value._data.item()
        for x in value if isinstance(value, tuple | list) else (value,):
            if not isinstance(x, int | float | np.floating | np.integer) or isinstance(x, bool):
                raise TypeError(f"{self._name}: {option} must be a number, not {type(x).__name__}")
            if not low <= x < below:
                limits = f"{low} or more" if below == math.inf else f"at least {low} and less than {below}"
                raise ValueError(f"{self._name}: {option} must be {limits}, not {value}")

    # The walk

    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; with a closure, call it first (recording) and return its loss."""
        loss = self._evaluate(closure)
        state = self.state
        for i, group in enumerate(self._groups()):
            params, fills = group["params"], self.init(group)
            layout = self._layouts.get(i)
            if layout is None or not layout.fits(params, fills):
                layout = self._layouts[i] = Layout(params, fills, self.counted, self.numbers)
            ready = [(run, run.gradients(state)) for run in layout.runs]
            for run, grads in ready:
                if grads is None:
                    layout.dissolve(run)
            if layout.idle:
                ready += [(run, run.gradients(state)) for run in layout.place(state, self._spaces)]
            for run, grads in ready:
                if grads:
                    self._advance(group, run, grads)
        return loss

    def _evaluate(self, closure: Callable[[], Any] | None) -> Any:
        if closure is None:
            return None
        with enable_grad():
            return closure()

    def _groups(self) -> Iterator[dict[str, Any]]:
        """The parameter groups, with the learning rate as a number where it is a tensor."""
        for group in self.param_groups:
            lr = group.get("lr")
            yield {**group, "lr": lr._data.item()} if isinstance(lr, TensorBase) else group

    def _advance(self, group: dict[str, Any], run: Run, grads: list[Array]) -> None:
        run.step = step = run.step + 1
        decay, maximize = group.get("weight_decay", 0), group.get("maximize", False)
        more = (run.numbers,) if run.numbers else ()
        needed = self.factors(group, step, *more)
        *factors, decay_, keep = run.space.scalars((*needed, decay, 1 - group.get("lr", 0) * decay))
        decoupled = decay and group.get("decoupled_weight_decay", False)
        flat = run.flatten(grads)
        for where, work, change, state, targets in run.pieces:
            g = flat[where]
            if maximize:
                g = np.negative(g, work)
            if decoupled:
                for p, _ in targets:
                    np.multiply(p, keep, p)
            elif decay:
                for p, part in targets:
                    np.multiply(p, decay_, part)
                g = np.add(g, change, work)
            self.update(group, factors, g, state, change)
            for p, part in targets:
                np.subtract(p, part, p)
        for _, array, entry, _ in run.members:
            writes.stamp(array)
            if self.counted:
                entry["step"] = step
                if run.numbers:
                    entry.update(run.numbers)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                clear(p, set_to_none)

    # Groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own: a dict of "params" and whatever is to differ from the defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"{self._name}: a parameter group must be a dict, not {type(param_group).__name__}")
        if "params" not in param_group:
            raise ValueError(
                f"{self._name}: a parameter group must have 'params', and this one has {list(param_group)}"
            )
        self._check_options(param_group)
        params, names = self._split_names(param_group["params"])
        group = {"params": params, **{k: v for k, v in param_group.items() if k != "params"}}
        if names:
            group["param_names"] = names
        if self.param_groups and bool(names) != ("param_names" in self.param_groups[0]):
            raise ValueError(f"{self._name}: parameters must be named in all groups or in none")
        for option, value in self.defaults.items():
            group.setdefault(option, value)
        self.check(group)
        seen = {id(p): f"in group {i}" for i, other in enumerate(self.param_groups) for p in other["params"]}
        for i, p in enumerate(params):
            which = f"parameter {names[i]!r}" if names else f"parameter {i}"
            self._check_parameter(p, which)
            if id(p) in seen:
                raise ValueError(
                    f"{self._name}: {which}, {spec(p.shape, p.dtype)}, is already {seen[id(p)]}; it would be updated "
                    f"twice"
                )
            seen[id(p)] = "in this group"
        self.param_groups.append(group)

    def _check_options(self, group: dict[str, Any]) -> None:
        from difflib import get_close_matches

        for option in group:
            meant = get_close_matches(option, self.defaults, 1, 0.8)
            if option not in self.defaults and option not in TAGS and meant:
                raise ValueError(f"{self._name}: a parameter group has {option!r}; did you mean {meant[0]!r}?")

    def _split_names(self, params: Any) -> tuple[list[Any], list[str]]:
        if isinstance(params, TensorBase):
            return [params], []
        if isinstance(params, set | frozenset):
            raise TypeError(f"{self._name}: a set has no order, which parameters must have; use a list")
        params = list(params)
        named = [isinstance(p, tuple) and len(p) == 2 for p in params]
        if any(named) != all(named):
            raise ValueError(f"{self._name}: in a group, parameters must be all (name, tensor) pairs or all tensors")
        if not any(named):
            return params, []
        return [p for _, p in params], [name for name, _ in params]

    def _check_parameter(self, p: Any, which: str) -> None:
        if not isinstance(p, TensorBase):
            raise TypeError(f"{self._name}: {which} must be a Tensor, not {type(p).__name__}")
        at = edge(p)
        if at is not None and at is not p:
            raise ValueError(
                f"{self._name}: {which}, {spec(p._data.shape, p._data.dtype)}, was computed by {at.name}, and only "
                f"leaf tensors can be optimized; .detach() it and set requires_grad_(), or give the tensor it came from"
            )

    # State

    def state_dict(self) -> dict[str, Any]:
        """The state and the options, with parameters as their index over all groups, in PyTorch's layout.

        The tensors in it are those of the optimizer, not copies.
        """
        for hook in list(self._hooks["state_dict_pre"].values()):
            hook(self)
        indices = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [{**group, "params": [indices[id(p)] for p in group["params"]]} for group in self.param_groups]
        state = {indices[id(p)]: dict(entry) for p, entry in self.state.items() if entry}
        return self._replaced("state_dict_post", {"state": state, "param_groups": groups})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a copy of the state and the options of an optimizer of the same kind and the same parameters.

        Arrays, which may be PyTorch's, are converted to the dtype of their parameter (float16's are float32). Raises
        `ValueError`, `KeyError`, `TypeError` or `ShapeError` where they do not fit, and then changes nothing.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{self._name}.load_state_dict: it takes a dict, not {type(state_dict).__name__}")
        state_dict = self._replaced("load_state_dict_pre", dict(state_dict))
        for key in ("state", "param_groups"):
            if key not in state_dict:
                raise KeyError(f"{self._name}.load_state_dict: there is no {key!r}; it has {list(state_dict)}")
        saved = state_dict["param_groups"]
        groups = self._fitting_groups(saved)
        owners = {
            index: (p, self.init(mine))
            for mine, theirs in zip(groups, saved)
            for index, p in zip(theirs["params"], mine["params"])
        }
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for index, entry in state_dict["state"].items():
            if index not in owners:
                raise ValueError(f"{self._name}.load_state_dict: parameter {index} has state, but is in no group")
            p, fills = owners[index]
            state[p] = {name: self._taken_over(name, value, p) for name, value in entry.items()}
            for name in fills.keys() & entry.keys():
                check_state(name, state[p][name], p._data)
        self.param_groups, self.state = groups, state
        self._forget_layout()
        for hook in list(self._hooks["load_state_dict_post"].values()):
            hook(self)

    def _taken_over(self, name: str, value: Any, p: Any) -> Any:
        """A copy of one loaded value of a parameter's state."""
        if name == "step":
            return int(value)
        if name in self.numbers:
            return float(value)
        if isinstance(value, list):
            return [self._taken_over(name, part, p) for part in value]
        if not hasattr(value, "__array__"):
            return value
        return wrap(np.array(value.__array__(), computing_dtype(p._data.dtype)))

    def _fitting_groups(self, saved: list[dict[str, Any]]) -> list[dict[str, Any]]:
        where = f"{self._name}.load_state_dict"
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"{where}: it has {len(saved)} parameter groups, and this optimizer {len(self.param_groups)}"
            )
        groups = []
        for i, (mine, theirs) in enumerate(zip(self.param_groups, saved)):
            if len(theirs["params"]) != len(mine["params"]):
                raise ValueError(
                    f"{where}: group {i} has {len(theirs['params'])} parameters, and this optimizer's "
                    f"{len(mine['params'])}"
                )
            missing: list[str] = sorted(self.defaults.keys() - theirs.keys() - SWITCHES.keys())
            if missing:
                raise ValueError(f"{where}: group {i} has no {missing}; it is of another kind of optimizer")
            own: dict[str, Any] = {key: mine[key] for key in ("params", "param_names") if key in mine}
            switches = {key: SWITCHES[key] for key in self.defaults.keys() & SWITCHES.keys()}
            group: dict[str, Any] = {**switches, **theirs, **own}
            if hasattr(group.get("lr"), "__array__"):
                group["lr"] = wrap(np.array(group["lr"].__array__()))
            for option, value in group.items():
                if isinstance(value, list) and isinstance(self.defaults.get(option), tuple):
                    group[option] = tuple(value)  # as JSON gives a tuple back
            self.check(group)
            groups.append(group)
        return groups

    def _forget_layout(self) -> None:
        self._layouts: dict[int, Layout] = {}
        self._spaces: dict[Any, Workspace] = {}

    def __getstate__(self) -> dict[str, Any]:
        # A copy's arrays would no longer be views of each other: it lays them out anew.
        return {key: value for key, value in self.__dict__.items() if key not in ("_layouts", "_spaces", "_hooks")}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        Hooks.__init__(self)
        self.__dict__.update(attributes)
        self._forget_layout()

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {option}: {group[option]}" for option in sorted(group) if option != "params"]
        return "\n".join([*lines, ")"])
