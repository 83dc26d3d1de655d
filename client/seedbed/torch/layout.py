"""Which elements of a tensor a process holds, and the rectangles to ask for that make them up."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType

from seedbed.spec.slices import TensorSlice
from seedbed.torch.runs import Runs, all_of

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
    axes: tuple[Runs, ...]
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

    def rectangles(self) -> Iterator[PlacedRectangle]:
        """Yield the rectangles that make up what is held; none where nothing is."""
        for spans in itertools.product(*(_placed(axis) for axis in self.axes)):
            starts, lengths = tuple(span[0] for span in spans), tuple(span[1] for span in spans)
            is_whole = lengths == self.shape
            places: Index = tuple(slice(place, place + length) for _, length, place in spans)
            yield PlacedRectangle(
                None if is_whole else TensorSlice(starts, lengths), (*places, ...)
            )


def whole_layout(shape: tuple[int, ...]) -> Layout:
    """Return the layout of a process that holds all of a tensor."""
    return Layout(shape, tuple(map(all_of, shape)))


def _placed(axis: Runs) -> list[tuple[int, int, int]]:
    """Return the first index, length and place among what is held of each of an axis's runs."""
    places = itertools.accumulate((length for _, length in axis.pairs), initial=0)
    return [
        (start, length, place) for (start, length), place in zip(axis.pairs, places, strict=False)
    ]
