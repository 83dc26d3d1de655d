"""The parameters and buffers of a module by their names: each once, in the module's order.

What wraps a module does not count in the names.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.tensors import as_name
from seedbed.torch.dtensors import reshard

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
    owner: nn.Module
    """The layer that has it; the first of several."""
    zero_rows: tuple[int, ...]
    """Rows that stay zero: the padding of an embedding that has it."""

    @property
    def has_content(self) -> bool:
        """Whether it holds something already that nothing else knows.

        Of a parameter that is not trained that is taken for granted, and transformers marks what it
        has loaded.
        """
        is_loaded = getattr(self.tensor, "_is_hf_initialized", False)
        is_frozen = self.kind == "parameter" and not self.tensor.requires_grad
        return not self.tensor.is_meta and (is_loaded or is_frozen)


Rename = Callable[[str], str] | Mapping[str, str]
"""Other names for tensors: a function, or a mapping in which those may miss that keep theirs."""


def named_tensors(
    module: nn.Module, prefix: str = "", rename: Rename | None = None
) -> list[NamedTensor]:
    """Return a module's parameters, then its buffers, each in the module's order.

    A tensor that several names share comes once, under the first. Of a module of fully_shard, they
    are the shards.

    Args:
        module: the module; those that wrap it, such as DistributedDataParallel, are looked through.
        prefix: put before each name.
        rename: gives each name, the prefix included, another.

    Raises:
        InvalidTypeError: if it is no module.
        InvalidValueError: if a parameter has no shape yet, or is a piece of several.
    """
    if not isinstance(module, nn.Module):
        raise bad_type("module", "a torch.nn.Module", module)
    prefix = as_name(prefix, field="prefix")
    module = unwrapped(module)
    reshard(module)
    found = list(_walk(module, prefix, renaming(rename)))
    _check_different(found)
    return [each for each in found if each.kind == "parameter"] + [
        each for each in found if each.kind == "buffer"
    ]


def module_names(
    module: nn.Module, prefix: str = "", rename: Rename | None = None
) -> dict[int, str]:
    """Return the name of each module inside one, by its id; as their tensors' names have it."""
    renamed = renaming(rename)
    names = {}
    for path, each in unwrapped(module).named_modules():
        held = {**each._parameters, **each._buffers}  # noqa: SLF001
        own = next((last for last, tensor in held.items() if tensor is not None), "")
        name = prefix + f"{plain_name(path)}.{own}".removeprefix(".")
        try:
            name = renamed(name)
        except LookupError:
            # A function may know the names of tensors alone.
            if own:
                raise
        names[id(each)] = name.rpartition(".")[0]
    return names


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the module inside those that run it on several devices, compiled or not."""
    inner = module
    while True:
        if isinstance(inner, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            module = inner = inner.module
        elif _is_compiled(inner):
            inner = inner.get_submodule("_orig_mod")
        else:
            return module


def _is_compiled(module: nn.Module) -> bool:
    dynamo = sys.modules.get("torch._dynamo.eval_frame")  # takes seconds to import
    return dynamo is not None and isinstance(module, dynamo.OptimizedModule)


def plain_name(name: str) -> str:
    """Return a name without what wrappers put into it."""
    return ".".join(part for part in name.split(".") if part and part not in _WRAPPERS)


def _walk(module: nn.Module, prefix: str, renamed: Callable[[str], str]) -> Iterator[NamedTensor]:
    zero_rows = _zero_rows(module)
    seen: set[int] = set()
    for path, owner in module.named_modules():
        _check_owner(path, owner)
        held = [("parameter", *pair) for pair in owner.named_parameters(recurse=False)]
        held += [("buffer", *pair) for pair in owner.named_buffers(recurse=False)]
        for kind, last, tensor in held:
            if id(tensor) in seen:
                continue
            seen.add(id(tensor))
            name = renamed(prefix + plain_name(f"{path}.{last}"))
            _check_content(name, tensor)
            rows = tuple(sorted(zero_rows.get(id(tensor), ())))
            yield NamedTensor(name, kind, tensor, owner, rows)


def _zero_rows(module: nn.Module) -> dict[int, set[int]]:
    """Return the padding rows of embeddings, by the ids of their weights, whoever else has them."""
    rows: dict[int, set[int]] = {}
    for owner in module.modules():
        if isinstance(owner, (nn.Embedding, nn.EmbeddingBag)) and owner.padding_idx is not None:
            # Not `owner.weight`: that may be computed, and then it has no rows of its own.
            weight = owner.get_parameter("weight") if "weight" in owner._parameters else None  # noqa: SLF001
            if weight is not None:
                rows.setdefault(id(weight), set()).add(int(owner.padding_idx))
    return rows


def renaming(rename: Rename | None) -> Callable[[str], str]:
    """Return the function that renames.

    Raises:
        InvalidTypeError: if it is none, or no mapping.
    """
    if rename is None:
        return lambda name: name
    if isinstance(rename, Mapping):
        return lambda name: rename.get(name, name)
    if not callable(rename):
        raise bad_type("rename", "a function of a name, or a mapping from names to names", rename)
    return lambda name: as_name(rename(name), field="rename")


def _check_different(tensors: Sequence[NamedTensor]) -> None:
    counts = Counter(each.name for each in tensors)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise bad_value("rename", "one that leaves names different", ", ".join(twice))


def _check_owner(path: str, owner: nn.Module) -> None:
    fsdp = sys.modules.get("torch.distributed.fsdp")
    if fsdp is not None and isinstance(owner, fsdp.FullyShardedDataParallel):
        raise bad_value(
            "module",
            "sharded by fully_shard: FullyShardedDataParallel flattens parameters",
            path or "it",
        )


def _check_content(name: str, tensor: torch.Tensor) -> None:
    if nn.parameter.is_lazy(tensor):
        raise bad_value(
            "module", "one whose shapes are known: a lazy layer learns them in a first call", name
        )
    # DeepSpeed's ZeRO-3 leaves an empty tensor in a parameter's place, and marks it.
    is_torchs = type(tensor).__module__.split(".")[0] == "torch"
    if tuple(tensor.shape) == (0,) and (hasattr(tensor, "ds_shape") or not is_torchs):
        raise bad_value(
            "module",
            "one that has its parameters: ZeRO-3's are elsewhere until "
            "deepspeed.zero.GatheredParameters brings them; or shard by fully_shard instead",
            f"{name}, an empty {type(tensor).__name__}",
        )
