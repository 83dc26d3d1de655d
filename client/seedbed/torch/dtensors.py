"""What this process holds of a tensor, DTensors included: its layout, and the local memory.

The only file that knows torch's placements. ``torch.distributed.tensor`` may be missing from a
build of torch and takes
time to import, so it is asked for only where a program has imported it: without it, there are no
DTensors.
"""

import sys
from typing import Any

import torch

from seedbed.spec.errors import bad_value
from seedbed.torch.layout import Layout, whole_layout
from seedbed.torch.runs import AxisRuns, all_of

_FLOAT8 = (torch.float8_e4m3fn, torch.float8_e5m2)


def is_dtensor(tensor: torch.Tensor) -> bool:
    """Return whether a tensor is one of a device mesh."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def local_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """Return the memory of this process, without its history: of a DTensor, its shard."""
    # Without gradients, to_local is the shard itself and not a copy; what is written there is the
    # parameter's.
    return (tensor.to_local() if is_dtensor(tensor) else tensor).detach()


def layout_of(tensor: torch.Tensor) -> Layout | None:
    """Return what this process holds of a tensor; None if it is not on the tensor's mesh.

    Raises:
        InvalidValueError: if a placement is not a part of the tensor, such as ``Partial``.
    """
    shape = tuple(tensor.shape)
    if not is_dtensor(tensor):
        return whole_layout(shape)
    mesh: Any = tensor.device_mesh
    coordinate = mesh.get_coordinate()
    if coordinate is None:
        return None
    axes = list(map(all_of, shape))
    # From left to right, each placement cuts what the ones before it left: torch's own order.
    for place, placement in enumerate(tensor.placements):
        if not placement.is_replicate():
            axis = _sharded_axis(placement, len(shape))
            axes[axis] = _part(
                placement, axes[axis], index=coordinate[place], count=mesh.size(place)
            )
    return _checked(Layout(shape, tuple(axes)), tensor)


def reshard(module: torch.nn.Module) -> None:
    """Let FSDP put its shards back in the place of whole parameters.

    A forward pass may have left those there. What is written to a whole parameter is lost, and it
    is not a rank's own part.
    """
    fsdp = sys.modules.get("torch.distributed.fsdp")
    if fsdp is None:
        return
    for each in module.modules():
        if isinstance(each, fsdp.FSDPModule):
            each.reshard()


def gathered(tensor: Any) -> torch.Tensor:
    """Return all of a DTensor, or its bytes where collectives do not know the dtype.

    A collective call.
    """
    if tensor.dtype not in _FLOAT8:
        return tensor.full_tensor()
    # gloo and NCCL move bytes.
    same = sys.modules["torch.distributed.tensor"].DTensor.from_local(
        tensor.to_local().view(torch.uint8),
        tensor.device_mesh,
        tensor.placements,
        run_check=False,
        shape=tensor.shape,
        stride=tensor.stride(),
    )
    return same.full_tensor()


def _sharded_axis(placement: Any, rank: int) -> int:
    if not hasattr(placement, "dim"):
        raise bad_value(
            "tensor.placements",
            "Shard or Replicate: what is partial has no elements yet",
            placement,
        )
    return int(placement.dim) % rank


def _part(placement: Any, axis: AxisRuns, *, index: int, count: int) -> AxisRuns:
    split_factor = getattr(placement, "split_factor", 1)  # only _StridedShard has one
    return axis.strided_chunk(index, count, int(split_factor))


def _checked(layout: Layout, tensor: torch.Tensor) -> Layout:
    held = tuple(local_tensor(tensor).shape)
    # A shard of no elements keeps no trustworthy lengths on the other axes.
    if (
        held != layout.local_shape
        and not 0 == torch.Size(held).numel() == torch.Size(layout.local_shape).numel()
    ):
        allowed = (
            f"a DTensor whose shard here is {layout.local_shape}, "
            f"as its placements {tensor.placements} say"
        )
        raise bad_value("tensor", allowed, held)
    return layout
