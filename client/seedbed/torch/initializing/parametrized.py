"""Parametrized tensors, such as a weight under ``weight_norm``, while code fills them.

Torch fills the weight when its layer is made; registering the parametrization then turns it into
the parameters that the weight is computed from. From then on the weight forgets what is written to
it. So here: a tensor stands in the weight's place, its layer resets it, and the parameters follow
from it at the end. Nothing evaluates the parametrization itself, which may have an effect.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrizations

from seedbed.spec.errors import bad_value
from seedbed.spec.initializers import RandomNormalSpec
from seedbed.torch.dtensors import gathered, is_dtensor
from seedbed.torch.initializing.recording import Recording
from seedbed.torch.initializing.tracked import Tracked, track

_TORCHS = parametrizations.__name__
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
    properties = [_property_of(each) for each in found]
    try:
        for kind, name, original in properties:
            setattr(kind, name, _standing_in(found, name, original))
        _reset(found, recording)
        yield
        # Where nothing is fetched, nothing can follow.
        if recording.fetching is not None:
            for each in found:
                _finish(each, recording)
    finally:
        for kind, name, original in properties:
            setattr(kind, name, original)


def _parametrized(owner: nn.Module, name: str, full_name: str) -> _Parametrized:
    several = owner.parametrizations[name]
    if any(isinstance(each, parametrizations._SpectralNorm) for each in list(several)[1:]):  # noqa: SLF001
        raise bad_value(full_name, "parametrized by spectral_norm first", "it upon another one")
    empty = {
        key: torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
        for key, tensor in (*several.named_parameters(), *several.named_buffers())
    }
    # In training, spectral_norm's forward pass changes its vectors; of these tensors, nothing.
    try:
        like = torch.func.functional_call(several, empty, ())
    except Exception as error:
        kinds = ", ".join(type(each).__name__ for each in several)
        allowed = "parametrized where it has memory, as this cannot be done on the meta device"
        raise bad_value(full_name, allowed, f"{kinds}: {error}") from error
    first = next(itertools.chain(several.parameters(), several.buffers()))
    device = first.to_local().device if is_dtensor(first) else first.device
    tensor = torch.empty(like.shape, dtype=like.dtype, device=device)
    return _Parametrized(owner, name, several, track(full_name, "parametrized", tensor))


def _property_of(each: _Parametrized) -> tuple[type, str, property]:
    # Wrappers such as fully_shard's make a class of that class.
    kind = next(kind for kind in type(each.owner).__mro__ if each.name in vars(kind))
    return kind, each.name, vars(kind)[each.name]


def _standing_in(found: list[_Parametrized], name: str, original: property) -> property:
    tensors = {id(each.owner): each.tracked.tensor for each in found if each.name == name}

    def get(self: nn.Module) -> Any:
        # Copies of a module have its class.
        return tensors[id(self)] if id(self) in tensors else original.__get__(self)

    def set_to(self: nn.Module, value: torch.Tensor) -> None:
        if id(self) not in tensors:
            original.__set__(self, value)
            return
        with torch.no_grad():
            tensors[id(self)].copy_(value)

    return property(get, set_to)


def _reset(found: list[_Parametrized], recording: Recording) -> None:
    """Fill what stands in as when the layers were made; nothing else changes."""
    standing_in = {each.tracked for each in found}
    others = [each for each in recording.tensors if each not in standing_in and not each.is_kept]
    for each in others:
        each.is_kept = True
    for owner in {id(each.owner): each.owner for each in found}.values():
        reset = getattr(owner, "reset_parameters", None)
        if reset is not None:
            # Some layers, such as an LSTM, go through their parameters.
            mine = [each.tracked.tensor for each in found if each.owner is owner]
            with _having(owner, [*owner.parameters(recurse=False), *mine]):
                reset()
    for each in others:
        each.is_kept = False
    for each in found:
        # What torch would forget, too; see the top.
        each.tracked.is_kept = each.tracked.is_written
        # Others than torch's may have parameters and buffers that follow from nothing.
        torchs = [item for item in each.parametrizations if type(item).__module__ == _TORCHS]
        buffers = [buffer for item in torchs for buffer in item.buffers()]
        for dependent in recording.behind([*each.originals, *buffers]):
            dependent.is_derived = each.tracked.is_written


@contextmanager
def _having(owner: nn.Module, tensors: list[torch.Tensor]) -> Iterator[None]:
    """Let a module say that some tensors are its parameters."""
    vars(owner)["parameters"] = lambda *_, **__: iter(tensors)
    try:
        yield
    finally:
        del vars(owner)["parameters"]


def _finish(each: _Parametrized, recording: Recording) -> None:
    """Give the originals what the tensor says, and dependent vectors what belongs to them."""
    if each.tracked.written:
        recording.settle([each.tracked])
        values: Any = each.tracked.tensor
        for parametrization in reversed(each.parametrizations):
            if hasattr(parametrization, "right_inverse"):
                # Torch, too, then takes the weight as it is.
                with suppress(NotImplementedError):
                    values = parametrization.right_inverse(values)
        listed = [values] if isinstance(values, torch.Tensor) else values
        for original, value in zip(each.originals, listed, strict=True):
            # Code and rules can fill these themselves.
            if not any(tracked.written for tracked in recording.behind([original])):
                original.copy_(value)
    for parametrization in each.parametrizations:
        if isinstance(parametrization, parametrizations._SpectralNorm):  # noqa: SLF001
            _iterate(each, parametrization, recording)


def _iterate(each: _Parametrized, spectral: Any, recording: Recording) -> None:
    """Let the singular vectors of spectral_norm begin anew, as when it is applied."""
    recording.settle_memory(each.originals)
    (original, *_) = each.originals
    weight = gathered(original) if is_dtensor(original) else original
    if weight.ndim < 2 or not any(found.written for found in recording.behind([original])):
        return
    for vector in (spectral._u, spectral._v):  # noqa: SLF001
        recording.fill(vector, RandomNormalSpec(0.0, 1.0))
        recording.settle_memory([vector])
        vector.copy_(nn.functional.normalize(vector, dim=0, eps=spectral.eps))
    matrix = spectral._reshape_weight_to_matrix(weight.detach())  # noqa: SLF001
    spectral._power_method(matrix, _POWER_ITERATIONS)  # noqa: SLF001
