"""How a module on the meta device gets memory: tensors that share it go on sharing it."""

import itertools
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import nn

from seedbed.spec.errors import bad_value
from seedbed.torch.dtensors import is_dtensor


def materialize(module: nn.Module, device: torch.device | str | None = None) -> None:
    """Give memory to every parameter and buffer that is on the meta device.

    Its content means nothing. Those that are on another device stay as they are. Parameters that
    several layers share are shared afterwards, too, where ``to_empty`` makes a copy for each.

    Args:
        module: changed in place; its meta parameters may be other objects afterwards, as with
            ``to_empty``.
        device: where; None is the CPU, and for a DTensor its mesh's kind of device.

    Raises:
        InvalidValueError: if it is no device of torch's, or has no memory.
    """
    _check(device)

    def with_memory(tensor: torch.Tensor) -> torch.Tensor:
        return torch.empty_like(tensor, device=_device_for(tensor, device))

    _replace(module, lambda tensor: tensor.is_meta, with_memory)


def back_to_meta(module: nn.Module, names: Collection[str]) -> None:
    """Put parameters and buffers back on the meta device: their content is none.

    Args:
        module: changed in place.
        names: of the tensors, as the module names them.
    """
    pairs = itertools.chain(module.named_parameters(), module.named_buffers())
    ids = {id(tensor) for name, tensor in pairs if name in names and not tensor.is_meta}
    _replace(
        module,
        lambda tensor: id(tensor) in ids,
        lambda tensor: torch.empty_like(tensor, device="meta"),
    )


def _replace(
    module: nn.Module,
    is_wanted: Callable[[torch.Tensor], bool],
    replaced: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    """Put others in the place of some tensors; those that are shared are shared afterwards, too."""
    names_of_shared = _shared(module, is_wanted)
    made: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def new(tensor: torch.Tensor) -> torch.Tensor:
        if not is_wanted(tensor):
            return tensor
        if id(tensor) not in made:
            # The old tensor is kept as well, so that no other one can get its id.
            made[id(tensor)] = (tensor, replaced(tensor))
        return made[id(tensor)][1]

    # What to_empty() calls; modules such as fully_shard's and RNNs override it to keep their own
    # references right.
    module._apply(new)  # noqa: SLF001
    for first, *others in names_of_shared:
        tensor = _get(module, first)
        for name in others:
            _set(module, name, tensor)


def _check(device: Any) -> None:
    try:
        kind = "cpu" if device is None else torch.device(device).type
    except (RuntimeError, TypeError):
        kind = "meta"
    if kind == "meta":
        raise bad_value("device", "a device of torch's with memory, such as cuda:0", device)


def _device_for(tensor: Any, device: torch.device | str | None) -> torch.device | str:
    if device is not None:
        return device
    return str(tensor.device_mesh.device_type) if is_dtensor(tensor) else "cpu"


def _shared(module: nn.Module, is_wanted: Callable[[torch.Tensor], bool]) -> list[list[str]]:
    """Return the names of each of some tensors that has several."""
    names: dict[int, list[str]] = {}
    for pairs in (
        module.named_parameters(remove_duplicate=False),
        module.named_buffers(remove_duplicate=False),
    ):
        for name, tensor in pairs:
            if is_wanted(tensor):
                names.setdefault(id(tensor), []).append(name)
    return [several for several in names.values() if len(several) > 1]


def _get(module: nn.Module, name: str) -> torch.Tensor:
    path, _, last = name.rpartition(".")
    tensor: torch.Tensor = getattr(module.get_submodule(path), last)
    return tensor


def _set(module: nn.Module, name: str, tensor: torch.Tensor) -> None:
    path, _, last = name.rpartition(".")
    setattr(module.get_submodule(path), last, tensor)
