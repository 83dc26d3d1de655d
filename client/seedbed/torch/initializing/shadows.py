"""Plain tensors without memory in the place of a module's, to see what its code would do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def shadowed(module: nn.Module) -> Iterator[None]:
    """Let code run on a module without an effect on it.

    Its parameters and buffers are whole tensors on the meta device meanwhile, also where they are
    sharded; afterwards they, and all attributes of modules, are what they were.
    """
    modules = list(module.modules())
    states = [dict(vars(each)) for each in modules]
    shadows: dict[int, torch.Tensor] = {}

    def shadow(tensor: torch.Tensor | None) -> torch.Tensor | None:
        if tensor is None:
            return None
        if id(tensor) not in shadows:
            shadows[id(tensor)] = _shadow(tensor)
        return shadows[id(tensor)]

    try:
        for each in modules:
            for kind in ("_parameters", "_buffers"):
                own = vars(each)[kind]
                vars(each)[kind] = {name: shadow(tensor) for name, tensor in own.items()}
        yield
    finally:
        for each, state in zip(modules, states, strict=True):
            vars(each).clear()
            vars(each).update(state)


def _shadow(tensor: Any) -> torch.Tensor:
    plain = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(plain, requires_grad=tensor.requires_grad)
    return plain
