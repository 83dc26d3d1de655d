"""The parameters and buffers of a module by their names: each once, in order, without the names of wrappers."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from seedbed.spec.errors import bad_type, bad_value
from seedbed.torch.dtensors import reshard
from seedbed.torch.recipes import Recipe, padding_row, recipes_of

# What torch.compile, activation checkpointing and data parallelism put into names; a model is the
# same without.
_WRAPPERS = ("_orig_mod", "_checkpoint_wrapped_module")


@dataclass(frozen=True, slots=True)
class NamedTensor:
    """A parameter or buffer."""

    name: str
    """Its fully qualified name."""
    kind: Literal["parameter", "buffer"]
    """Which of the two."""
    tensor: torch.Tensor
    """The tensor."""
    recipe: Recipe | None
    """What its layer's reset_parameters fills it with, if that is known."""
    zero_row: int | None
    """A row that stays zero."""


def named_tensors(module: nn.Module, prefix: str = "") -> list[NamedTensor]:
    """Return a module's parameters and buffers, as ``named_parameters`` and ``named_buffers`` order them.

    A tensor that several names share comes once, under the first. Of a module of fully_shard, they
    are the shards.

    Args:
        module: the module; those that wrap it, such as DistributedDataParallel, are looked through.
        prefix: put before each name.

    Raises:
        InvalidTypeError: if it is no module.
        InvalidValueError: if a parameter has no shape yet, or is a piece of several.
    """
    if not isinstance(module, nn.Module):
        raise bad_type("module", "a torch.nn.Module", module)
    if not isinstance(prefix, str):
        raise bad_type("prefix", "a string", prefix)
    module = _unwrapped(module)
    reshard(module)
    recipes = _recipes(module)
    found = list(_walk(module, prefix, recipes))
    return [each for each in found if each.kind == "parameter"] + [
        each for each in found if each.kind == "buffer"
    ]


def _walk(module: nn.Module, prefix: str, recipes: dict[str, Recipe]) -> Iterator[NamedTensor]:
    seen: set[int] = set()
    for path, owner in module.named_modules():
        _check_owner(path, owner)
        own = [("parameter", *pair) for pair in owner.named_parameters(recurse=False)]
        own += [("buffer", *pair) for pair in owner.named_buffers(recurse=False)]
        for kind, name, tensor in own:
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            full_name = prefix + _plain(f"{path}.{name}")
            _check_shape(full_name, tensor)
            recipe = recipes.get(_plain(f"{path}.{name}"))
            yield NamedTensor(full_name, kind, tensor, recipe, padding_row(owner, name))


def _recipes(module: nn.Module) -> dict[str, Recipe]:
    """Return what layers fill their tensors with; an outer layer, whose reset comes last, counts before an inner."""
    recipes: dict[str, Recipe] = {}
    for path, owner in module.named_modules():
        for name, recipe in recipes_of(owner):
            recipes.setdefault(_plain(f"{path}.{name}"), recipe)
    return recipes


def _plain(name: str) -> str:
    return ".".join(part for part in name.split(".") if part and part not in _WRAPPERS)


def _unwrapped(module: nn.Module) -> nn.Module:
    while isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        module = module.module
    return module


def _check_owner(path: str, owner: nn.Module) -> None:
    fsdp = sys.modules.get("torch.distributed.fsdp")
    if fsdp is not None and isinstance(owner, fsdp.FullyShardedDataParallel):
        raise bad_value(
            "module",
            "sharded by fully_shard: FullyShardedDataParallel flattens parameters",
            path or "it",
        )


def _check_shape(name: str, tensor: torch.Tensor) -> None:
    if nn.parameter.is_lazy(tensor):
        raise bad_value(
            "module", "one whose shapes are known: a lazy layer learns them in a first call", name
        )
