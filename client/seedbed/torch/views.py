"""Which elements of a tensor a view of its memory shows: runs of indices on each of its axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seedbed.torch.runs import AxisRuns, all_of, runs


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a tensor's elements lie in its storage, in elements."""

    offset: int
    """The first element's place."""
    shape: tuple[int, ...]
    """The lengths of the axes."""
    strides: tuple[int, ...]
    """How far neighbours on each axis are apart."""


def geometry_of(tensor: torch.Tensor) -> Geometry:
    """Return where a plain tensor's elements lie in its storage."""
    return Geometry(tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride()))


def span_of(view: Geometry) -> tuple[int, int]:
    """Return the first element's place in the storage, and the place after the last one."""
    if 0 in view.shape:
        return view.offset, view.offset
    steps = ((length - 1) * stride for length, stride in zip(view.shape, view.strides, strict=True))
    return view.offset, view.offset + sum(steps) + 1


def shown_axes(view: Geometry, whole: Geometry) -> tuple[AxisRuns, ...] | None:
    """Return the indices on each axis of a tensor that a view of it shows.

    The view may be sliced, transposed, and reshaped in any order.

    Args:
        view: the view, not empty.
        whole: the tensor; no two of its elements share a place.

    Returns:
        The indices; None if no combination of indices gives the view, as with a diagonal.
    """
    # From the outermost axis in memory to the innermost. Axes of length 1 have no stride to speak
    # of.
    order = sorted(
        (axis for axis, length in enumerate(whole.shape) if length > 1),
        key=lambda axis: -whole.strides[axis],
    )
    starts, rest = {}, view.offset - whole.offset
    for axis in order:
        starts[axis], rest = divmod(rest, whole.strides[axis])
    steps = _steps_of_axes(view, whole, order, starts)
    if rest or steps is None:
        return None
    axes = [all_of(length) for length in whole.shape]
    for axis in order:
        shown = _indices(starts[axis], steps[axis], whole.shape[axis])
        if shown is None:
            return None
        axes[axis] = shown
    return tuple(axes)


def _steps_of_axes(
    view: Geometry, whole: Geometry, order: Sequence[int], starts: dict[int, int]
) -> dict[int, list[tuple[int, int]]] | None:
    """Return, for each axis of the whole, the steps that the view's axes take on it, and counts."""
    steps: dict[int, list[tuple[int, int]]] = {axis: [] for axis in order}
    todo = [pair for pair in zip(view.shape, view.strides, strict=True) if pair[0] > 1]
    while todo:
        count, stride = todo.pop()
        place = next((at for at, axis in enumerate(order) if whole.strides[axis] <= stride), None)
        if place is None or stride % whole.strides[order[place]]:
            return None
        axis = order[place]
        step, length = stride // whole.strides[axis], whole.shape[axis]
        if (count - 1) * step < length:
            steps[axis].append((step, count))
            continue
        # The view has flattened this axis and the next one out: it takes all of this one.
        outer = whole.strides[order[place - 1]] if place else None
        is_flat = outer == whole.strides[axis] * length
        if step != 1 or starts[axis] or count % length or outer is None or not is_flat:
            return None
        steps[axis].append((1, length))
        todo.append((count // length, outer))
    return steps


def _indices(start: int, steps: list[tuple[int, int]], length: int) -> AxisRuns | None:
    """Return the indices from a start by all combinations of steps; None if they leave the axis."""
    indices = np.array([start])
    for step, count in sorted(steps, reverse=True):
        indices = (indices[:, None] + step * np.arange(count)).reshape(-1)
    if indices[-1] >= length or (np.diff(indices) <= 0).any():
        return None
    breaks = np.flatnonzero(np.diff(indices) != 1) + 1
    return runs((int(run[0]), len(run)) for run in np.split(indices, breaks))
