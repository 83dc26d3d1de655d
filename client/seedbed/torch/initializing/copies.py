"""Copies to the tensors of a module: of what was computed, or of random numbers as they are."""

from collections.abc import Callable
from functools import partial

import torch

from seedbed.spec.errors import bad_value
from seedbed.torch.dtensors import is_dtensor
from seedbed.torch.initializing.distributions import is_by_element
from seedbed.torch.initializing.recording import Recording
from seedbed.torch.initializing.tracked import Found, elsewhere, local_of
from seedbed.torch.layout import Layout
from seedbed.torch.views import geometry_of


def copy(
    recording: Recording,
    found: Found,
    tensor: torch.Tensor,
    source: torch.Tensor,
    run: Callable[[], object],
) -> None:
    """Copy a tensor to a tracked one, or to a view of it.

    Args:
        recording: of the block.
        found: what the destination is.
        tensor: the destination.
        source: what is copied, in a shape that fits; whole where the destination is sharded.
        run: torch's own copying.
    """
    tracked, part = found.tracked, found.part
    assert part is not None
    if _takes_over(recording, found, tensor, source):
        return
    for each in recording.tensors.behind(source):
        if source.is_meta and each.twin is not None:
            raise elsewhere(each, f"a copy of {tuple(source.shape)}")
    recording.settle_memory([source])
    tracked.drop(part)
    recording.settle([tracked])
    if is_dtensor(source) or not (is_dtensor(tensor) or tensor.is_meta):
        run()
    elif tracked.layout is not None:
        _copy_own(found, part, tensor, source)
    tracked.wrote(part)


def _takes_over(
    recording: Recording, found: Found, tensor: torch.Tensor, source: torch.Tensor
) -> bool:
    """Fill a tensor with what a temporary was to get, under its own name, and say whether."""
    pending = recording.temporaries.find(source)
    if len(pending) != 1 or source.shape != tensor.shape:
        return False
    (temporary,) = pending
    like = temporary.tensor
    if source.shape != like.shape or source.stride() != like.stride() or not temporary.fills:
        return False
    (fill,) = temporary.fills
    initializer = fill.spec.initializer
    if not tensor.is_floating_point() or not (found.is_all or is_by_element(initializer)):
        return False
    recording.fill(tensor, initializer)
    # Whatever else reads the temporary finds the same numbers.
    repeat = partial(recording.repeat, found, geometry_of(tensor), initializer, temporary)
    recording.temporaries.share(temporary, repeat)
    return True


def _copy_own(found: Found, part: Layout, tensor: torch.Tensor, source: torch.Tensor) -> None:
    """Copy to a sharded tensor what this process holds of it."""
    tracked = found.tracked
    assert tracked.layout is not None
    if list(tensor.stride()) != sorted(tensor.stride(), reverse=True):
        raise bad_value(tracked.name, "copied to as it lies, not transposed", tuple(tensor.shape))
    whole = source.detach().expand(tensor.shape).reshape(part.local_shape)
    local = local_of(tracked)
    for rectangle in tracked.layout.rectangles(part):
        starts, lengths = (
            (rectangle.slice.starts, rectangle.slice.lengths)
            if rectangle.slice
            else ((0,) * len(part.axes), tracked.shape)
        )
        places = []
        for axis, start, length in zip(part.axes, starts, lengths, strict=True):
            place = axis.place_of(start) or 0
            places.append(slice(place, place + length))
        local[rectangle.place].copy_(whole[tuple(places)])
