"""Elements of a whole tensor as runs of consecutive indices, such as those of a rectangle."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Runs:
    """Elements of a whole tensor, as runs of consecutive indices in C order."""

    firsts: NDArray[np.uint64]
    """The index of each run's first element."""
    counts: NDArray[np.uint64]
    """The number of elements of each run."""

    def indices(self) -> NDArray[np.uint64]:
        """Return the index of every element of every run."""
        counts = self.counts.astype(np.int64)
        skipped = np.cumsum(counts) - counts
        within_run = np.arange(int(counts.sum()), dtype=np.uint64) - np.repeat(
            skipped.astype(np.uint64), counts
        )
        return np.repeat(self.firsts, counts) + within_run

    def part(self, first: int, end: int) -> "Runs":
        """Return the runs of elements ``first`` to ``end``, counted over all runs; not empty."""
        if self.firsts.size == 1:
            return Runs(self.firsts + np.uint64(first), np.array([end - first], np.uint64))
        ends = np.cumsum(self.counts.astype(np.int64))
        begin_run = int(np.searchsorted(ends, first, side="right"))
        last_run = int(np.searchsorted(ends, end, side="left"))
        firsts = self.firsts[begin_run : last_run + 1].copy()
        counts = self.counts[begin_run : last_run + 1].copy()
        counts[-1] -= np.uint64(int(ends[last_run]) - end)
        skipped = np.uint64(first - (int(ends[begin_run]) - int(self.counts[begin_run])))
        firsts[0] += skipped
        counts[0] -= skipped
        return Runs(firsts, counts)

    def cut(self, unit: int) -> "Runs":
        """Return the same elements in runs that do not cross a multiple of ``unit``."""
        size, one = np.uint64(unit), np.uint64(1)
        first_units = self.firsts // size
        pieces = ((self.firsts + self.counts - one) // size - first_units + one).astype(np.int64)
        if int(pieces.max(initial=1)) == 1:
            return self
        number = np.arange(int(pieces.sum()), dtype=np.uint64)
        number -= np.repeat((np.cumsum(pieces) - pieces).astype(np.uint64), pieces)
        begins = (np.repeat(first_units, pieces) + number) * size
        ends = np.minimum(begins + size, np.repeat(self.firsts + self.counts, pieces))
        begins = np.maximum(begins, np.repeat(self.firsts, pieces))
        return Runs(begins, ends - begins)


def joined_axes(shape: Sequence[int], lengths: Sequence[int]) -> tuple[int, int]:
    """Return the length of a rectangle's runs, and the number of axes they are spread over."""
    axis, elements = len(lengths), 1
    while axis > 0:
        axis -= 1
        elements *= lengths[axis]
        if lengths[axis] != shape[axis]:
            break
    return elements, axis


def run_firsts(
    shape: Sequence[int],
    starts: Sequence[int],
    outer_shape: Sequence[int],
    first_run: int,
    end_run: int,
) -> NDArray[np.uint64]:
    """Return the first element of some of a rectangle's runs.

    Args:
        shape: of the whole tensor.
        starts: the rectangle's first index on each axis.
        outer_shape: its lengths on the axes that its runs are spread over.
        first_run: the first run wanted, by its place in the rectangle.
        end_run: the run after the last.
    """
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    base = sum(start * stride for start, stride in zip(starts, strides, strict=True))
    firsts = np.full(end_run - first_run, base, np.uint64)
    run = np.arange(first_run, end_run, dtype=np.uint64)
    for axis in reversed(range(len(outer_shape))):
        run, index = np.divmod(run, np.uint64(outer_shape[axis]))
        firsts += index * np.uint64(strides[axis])
    return firsts


def rectangle_runs(shape: Sequence[int], starts: Sequence[int], lengths: Sequence[int]) -> Runs:
    """Return all elements of a rectangle that has some, in its C order."""
    elements, outer = joined_axes(shape, lengths)
    run_count = math.prod(lengths[:outer])
    firsts = run_firsts(shape, starts, lengths[:outer], 0, run_count)
    return Runs(firsts, np.full(run_count, elements, np.uint64))
