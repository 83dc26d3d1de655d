"""Parametrized tensors, such as a weight under ``weight_norm``, while code fills them.

What the code takes for the weight is computed from the module's parameters, and forgets what is
written to it. So a tensor stands in its place, and afterwards the parameters become what makes the
parametrization give it: what torch does when one is registered. Nothing evaluates the
parametrization itself, which may have an effect.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrizations

from seedbed.spec.initializers import RandomNormalSpec
from seedbed.torch.dtensors import gathered, is_dtensor
from seedbed.torch.initializing.recording import Recording
from seedbed.torch.initializing.tracked import Tracked, track

# What torch itself does when spectral_norm is applied.
_POWER_ITERATIONS = 15


@dataclass(frozen=True, slots=True)
class _Parametrized:
    """One parametrized tensor of a module."""

    owner: nn.Module
    name: str
    parametrizations: Any
    tracked: Tracked

    @property
    def originals(self) -> list[torch.Tensor]:
        """What it is computed from, in torch's order."""
        return list(self.parametrizations.parameters(recurse=False)) + list(
            self.parametrizations.buffers(recurse=False)
        )


@contextmanager
def unparametrized(
    module: nn.Module, names: Mapping[int, str], recording: Recording
) -> Iterator[None]:
    """Let code fill parametrized tensors as if they were parameters.

    Args:
        module: with memory.
        names: of the modules inside it, by their ids.
        recording: of the block.
    """
    found = [
        _parametrized(owner, name, f"{names[id(owner)]}.{name}".removeprefix("."))
        for owner in module.modules()
        if isinstance(owner.__dict__.get("_modules", {}).get("parametrizations"), nn.ModuleDict)
        for name in owner.parametrizations
    ]
    for each in found:
        recording.tensors.add(each.tracked)
    # Torch makes a class for each parametrized module, with a property for each tensor.
    properties = [
        (type(each.owner), each.name, vars(type(each.owner))[each.name]) for each in found
    ]
    for each in found:
        setattr(type(each.owner), each.name, _standing_in(found, each.name))
    try:
        yield
        for each in found:
            _finish(each, recording)
    finally:
        for kind, name, original in properties:
            setattr(kind, name, original)


def _parametrized(owner: nn.Module, name: str, full_name: str) -> _Parametrized:
    several = owner.parametrizations[name]
    empty = {
        key: torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
        for key, tensor in (*several.named_parameters(), *several.named_buffers())
    }
    # In training, spectral_norm's forward pass changes its vectors; of these tensors, nothing.
    like = torch.func.functional_call(several, empty, ())
    (first, *_) = (*several.parameters(), *several.buffers())
    device = first.to_local().device if is_dtensor(first) else first.device
    tensor = torch.empty(like.shape, dtype=like.dtype, device=device)
    return _Parametrized(owner, name, several, track(full_name, "parametrized", tensor))


def _standing_in(found: list[_Parametrized], name: str) -> property:
    tensors = {id(each.owner): each.tracked.tensor for each in found if each.name == name}

    def get(self: nn.Module) -> torch.Tensor:
        return tensors[id(self)]

    def set_to(self: nn.Module, value: torch.Tensor) -> None:
        with torch.no_grad():
            tensors[id(self)].copy_(value)

    return property(get, set_to)


def _finish(each: _Parametrized, recording: Recording) -> None:
    """Give the originals what the tensor says, and dependent vectors what belongs to them."""
    if each.tracked.is_written:
        recording.settle([each.tracked])
        values: Any = each.tracked.tensor
        for parametrization in reversed(each.parametrizations):
            if hasattr(parametrization, "right_inverse"):
                values = parametrization.right_inverse(values)
        listed = [values] if isinstance(values, torch.Tensor) else values
        for original, value in zip(each.originals, listed, strict=True):
            original.copy_(value)
    for parametrization in each.parametrizations:
        if isinstance(parametrization, parametrizations._SpectralNorm):  # noqa: SLF001
            _iterate(each, parametrization, recording)


def _iterate(each: _Parametrized, spectral: Any, recording: Recording) -> None:
    """Let the singular vectors of spectral_norm begin anew, as when it is applied."""
    recording.settle_memory(each.originals)
    (original, *_) = each.originals
    weight = gathered(original) if is_dtensor(original) else original
    if weight.ndim < 2 or not all(found.is_written for found in recording.behind([original])):
        return
    for vector in (spectral._u, spectral._v):  # noqa: SLF001
        recording.fill(vector, RandomNormalSpec(0.0, 1.0))
        recording.settle_memory([vector])
        vector.copy_(nn.functional.normalize(vector, dim=0, eps=spectral.eps))
    matrix = spectral._reshape_weight_to_matrix(weight.detach())  # noqa: SLF001
    spectral._power_method(matrix, _POWER_ITERATIONS)  # noqa: SLF001
