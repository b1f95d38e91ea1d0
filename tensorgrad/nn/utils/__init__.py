"""What serves layers and models beside them: limits on gradients, parametrizations, sequences of several lengths."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorgrad.nn.utils import rnn
from tensorgrad.nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from tensorgrad.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters

if TYPE_CHECKING:
    from tensorgrad.nn.utils import parametrizations, parametrize

# What PyTorch has deprecated, and what takes its place.
_ABSENT = {
    "weight_norm": "parametrizations.weight_norm",
    "spectral_norm": "parametrizations.spectral_norm",
    "remove_weight_norm": "parametrize.remove_parametrizations",
    "remove_spectral_norm": "parametrize.remove_parametrizations",
}


def __getattr__(name: str) -> Any:
    if name in ("parametrizations", "parametrize"):  # reached when first used
        return import_module(f"tensorgrad.nn.utils.{name}")
    if name in _ABSENT:
        raise AttributeError(f"nn.utils.{name} is deprecated in PyTorch, and absent; use nn.utils.{_ABSENT[name]}")
    raise AttributeError(f"module 'tensorgrad.nn.utils' has no attribute {name!r}")
