"""Which elements of a tensor a process holds, and the rectangles to ask for that make them up."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import EllipsisType

from seedbed.spec.slices import TensorSlice
from seedbed.torch.runs import AxisRuns, all_of, runs

Index = tuple[slice | EllipsisType, ...]


@dataclass(frozen=True, slots=True)
class PlacedRectangle:
    """A rectangle of a whole tensor, and its place among what a process holds."""

    slice: TensorSlice | None
    """The rectangle; None is the whole tensor."""
    place: Index
    """Its place in an array of the local shape: an index that gives a view, whatever the rank."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a process holds of a tensor: all combinations of some runs of indices on each axis."""

    shape: tuple[int, ...]
    """The whole tensor's."""
    axes: tuple[AxisRuns, ...]
    """What is held of each axis."""

    @property
    def local_shape(self) -> tuple[int, ...]:
        """The lengths of all axes of what is held."""
        return tuple(axis.length for axis in self.axes)

    def as_matrix(self) -> "Layout":
        """Return the layout of the matrix of the first axis and all others, flattened."""
        columns = all_of(1)
        for axis, length in zip(self.axes[1:], self.shape[1:], strict=True):
            columns = columns.over(axis, length)
        return Layout((self.shape[0], math.prod(self.shape[1:])), (self.axes[0], columns))

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the tensor."""
        return all(
            axis.length == length for axis, length in zip(self.axes, self.shape, strict=True)
        )

    def covers(self, other: "Layout") -> bool:
        """Return whether this has all elements of another layout of the same tensor."""
        return all(
            sum(length for _, length, _ in mine.common(theirs)) == theirs.length
            for mine, theirs in zip(self.axes, other.axes, strict=True)
        )

    def rectangles(self, part: "Layout | None" = None) -> Iterator[PlacedRectangle]:
        """Yield the rectangles that make up what is held; none where nothing is.

        Args:
            part: only what is part of this as well; None is everything.
        """
        axes = tuple(map(all_of, self.shape)) if part is None else part.axes
        spans_of_axes = [mine.common(wanted) for mine, wanted in zip(self.axes, axes, strict=True)]
        for spans in itertools.product(*spans_of_axes):
            starts, lengths = tuple(span[0] for span in spans), tuple(span[1] for span in spans)
            is_whole = lengths == self.shape
            places: Index = tuple(slice(place, place + length) for _, length, place in spans)
            yield PlacedRectangle(
                None if is_whole else TensorSlice(starts, lengths), (*places, ...)
            )


def whole_layout(shape: tuple[int, ...]) -> Layout:
    """Return the layout of a process that holds all of a tensor."""
    return Layout(shape, tuple(map(all_of, shape)))


def are_all(parts: Iterable[Layout], shape: tuple[int, ...]) -> bool:
    """Return whether some parts of a tensor are all of it, however they overlap."""
    rest = [whole_layout(shape)] if 0 not in shape else []
    for part in parts:
        rest = [left for each in rest for left in _without(each, part)]
    return not rest


def _without(layout: Layout, part: Layout) -> Iterator[Layout]:
    """Yield what is left of a layout without a part, in pieces that do not overlap."""
    done: tuple[AxisRuns, ...] = ()
    for place, (mine, theirs) in enumerate(zip(layout.axes, part.axes, strict=True)):
        common = runs(sorted((start, length) for start, length, _ in mine.common(theirs)))
        if not common.length:
            yield Layout(layout.shape, (*done, *layout.axes[place:]))
            return
        if left := _difference(mine, common):
            yield Layout(layout.shape, (*done, left, *layout.axes[place + 1 :]))
        done = (*done, common)


def _difference(all_indices: AxisRuns, gone: AxisRuns) -> AxisRuns | None:
    """Return the indices that are not gone; None if that is none."""
    left = []
    for start, length in all_indices.pairs:
        position = start
        for first, taken in gone.pairs:
            if start <= first < start + length:
                left.append((position, first - position))
                position = first + taken
        left.append((position, start + length - position))
    found = runs(left)
    return found if found.pairs else None
