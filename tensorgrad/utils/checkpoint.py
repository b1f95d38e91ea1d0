"""`torch.utils.checkpoint`, for scripts that save memory by computing twice: here they compute once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Any = None,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`, with the gradients that it has in PyTorch, whose options change nothing.

    What backward needs is kept, and not computed anew: no memory is saved.

    >>> import tensorgrad as tg
    >>> from tensorgrad.utils.checkpoint import checkpoint
    >>> checkpoint(tg.nn.ReLU(), tg.tensor([-1.0, 2.0]), use_reentrant=False)
    tensor([0., 2.])
    """
    return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Iterable[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """What functions or layers give one after the other, which in PyTorch are checkpointed in so many segments.

    >>> import tensorgrad as tg
    >>> from tensorgrad.utils.checkpoint import checkpoint_sequential
    >>> checkpoint_sequential(tg.nn.Sequential(tg.nn.ReLU(), tg.nn.ReLU()), 2, tg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    for function in functions:
        input = function(input)
    return input
