"""The parameters and buffers of a module by their names: each once, in the module's order.

What wraps a module does not count in the names.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from seedbed.rules import Filling
from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.tensors import as_name
from seedbed.torch.dtensors import reshard
from seedbed.torch.layers import fillings_of, padding_row

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
    own: Filling | None
    """What its layer's reset_parameters fills it with, if that is known."""
    zero_row: int | None
    """A row that stays zero."""


def named_tensors(module: nn.Module, prefix: str = "") -> list[NamedTensor]:
    """Return a module's parameters, then its buffers, each in the module's order.

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
    prefix = as_name(prefix, field="prefix")
    module = _unwrapped(module)
    reshard(module)
    fillings = _own_fillings(module)
    found = list(_walk(module, prefix, fillings))
    return [each for each in found if each.kind == "parameter"] + [
        each for each in found if each.kind == "buffer"
    ]


def _walk(module: nn.Module, prefix: str, fillings: dict[str, Filling]) -> Iterator[NamedTensor]:
    seen: set[int] = set()
    for path, owner in module.named_modules():
        _check_owner(path, owner)
        held = [("parameter", *pair) for pair in owner.named_parameters(recurse=False)]
        held += [("buffer", *pair) for pair in owner.named_buffers(recurse=False)]
        for kind, name, tensor in held:
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            plain = _plain(f"{path}.{name}")
            _check_shape(prefix + plain, tensor)
            zero_row = padding_row(owner, name)
            yield NamedTensor(prefix + plain, kind, tensor, fillings.get(plain), zero_row)


def _own_fillings(module: nn.Module) -> dict[str, Filling]:
    """Return what layers fill their tensors with.

    An outer layer, whose reset comes last, counts before an inner one.
    """
    fillings: dict[str, Filling] = {}
    for path, owner in module.named_modules():
        for name, filling in fillings_of(owner):
            fillings.setdefault(_plain(f"{path}.{name}"), filling)
    return fillings


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
