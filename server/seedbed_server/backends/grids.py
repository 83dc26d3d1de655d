"""The blocks of a tensor that holds several matrices, each computed whole.

On each axis the blocks are equally long and side by side. So a block is a rectangle of the tensor,
and its elements are numbered in C order within it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed_server.backends.runs import Runs, rectangle_runs


@dataclass(frozen=True, slots=True)
class _Span:
    """Blocks along one axis, or along several that are joined into one."""

    total: int
    """The axis's length."""
    start: int
    """Where the first block begins."""
    length: int
    """The length of a block."""
    count: int
    """How many blocks there are."""

    def joined(self, inner: "_Span") -> "_Span | None":
        """Return this axis and the next one as one, if blocks still look the same."""
        if (inner.start, inner.length) == (0, inner.total):
            size = inner.total
            return _Span(self.total * size, self.start * size, self.length * size, self.count)
        if (self.length, inner.length) == (1, 1) and (
            inner.count == inner.total or (self.count, inner.count) == (1, 1)
        ):
            start = self.start * inner.total + inner.start
            return _Span(self.total * inner.total, start, 1, self.count * inner.count)
        return None


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """The blocks of a tensor. What lies in none of them is zero."""

    shape: tuple[int, ...]
    """Of the whole tensor."""
    starts: tuple[int, ...]
    """On each axis, where the first block begins."""
    lengths: tuple[int, ...]
    """On each axis, the length of a block."""
    counts: tuple[int, ...]
    """On each axis, how many blocks lie side by side."""
    columns: int
    """The last axis of the matrix that a block is; all before it are the rows."""

    @property
    def block_elements(self) -> int:
        """How many elements a block has."""
        return math.prod(self.lengths)

    @property
    def rows(self) -> int:
        """The rows of a block."""
        return self.block_elements // self.columns if self.columns else 0

    @property
    def interleaved(self) -> int:
        """How many blocks' elements alternate in C order, so that all are needed together."""
        spans = self._spans()
        outermost = next((i for i, span in enumerate(spans) if span.length > 1), len(spans))
        return math.prod(span.count for span in spans[outermost + 1 :])

    def touched(self, starts: tuple[int, ...], lengths: tuple[int, ...]) -> int:
        """Return how many blocks a rectangle of the tensor has elements of."""
        touched = 1
        for start, length, origin, size, count in zip(
            starts, lengths, self.starts, self.lengths, self.counts, strict=True
        ):
            begin, end = max(start, origin), min(start + length, origin + size * count)
            if begin >= end:
                return 0
            touched *= (end - 1 - origin) // size - (begin - origin) // size + 1
        return touched

    def runs(self, block: int) -> Runs:
        """Return the elements of a block, in its order."""
        starts = list(self.starts)
        for axis in reversed(range(len(self.counts))):
            block, index = divmod(block, self.counts[axis])
            starts[axis] += index * self.lengths[axis]
        return rectangle_runs(self.shape, starts, self.lengths)

    def cells(self, runs: Runs) -> Iterator[tuple[int | None, "Cells"]]:
        """Yield the elements of some runs by block, in order; those outside any come first."""
        spans = self._spans()
        pieces = runs.cut(spans[-1].length) if spans else runs
        blocks, places = _locate(spans, pieces.firsts)
        counts = pieces.counts.astype(np.int64)
        targets = np.cumsum(counts) - counts
        order = np.argsort(blocks, kind="stable")
        sorted_blocks = blocks[order]
        borders = np.flatnonzero(np.diff(sorted_blocks)) + 1
        for chosen in np.split(order, borders):
            block = int(blocks[chosen[0]])
            yield (
                (None if block < 0 else block),
                Cells(places[chosen], targets[chosen], counts[chosen]),
            )

    def _spans(self) -> list[_Span]:
        # Joined axes give longer runs, and cost each one division instead of several.
        spans: list[_Span] = []
        for span in map(_Span, self.shape, self.starts, self.lengths, self.counts):
            merged = spans[-1].joined(span) if spans else None
            if merged is not None:
                spans[-1] = merged
            else:
                spans.append(span)
        return spans


def _locate(
    spans: list[_Span], elements: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each element's block, -1 for none, and its place in it."""
    blocks = np.zeros(elements.size, np.int64)
    places = np.zeros(elements.size, np.int64)
    is_outside = np.zeros(elements.size, np.bool_)
    left = elements.astype(np.int64)
    stride = math.prod(span.total for span in spans)
    for span in spans:
        stride //= span.total
        index, left = np.divmod(left, stride)
        index -= span.start
        is_outside |= (index < 0) | (index >= span.length * span.count)
        number, within = np.divmod(index, span.length)
        blocks = blocks * span.count + number
        places = places * span.length + within
    blocks[is_outside] = -1
    return blocks, places


@dataclass(frozen=True, slots=True)
class Cells:
    """Runs of elements of one block, and where they go."""

    places: NDArray[np.int64]
    """Where in the block each run begins."""
    targets: NDArray[np.int64]
    """Where in the memory to fill each run begins."""
    counts: NDArray[np.int64]
    """How many elements each run has."""

    def copy(self, block: NDArray[np.generic] | None, out: NDArray[np.generic]) -> None:
        """Write the elements of a block, or zeros where there is none, to their places."""
        # A run costs about as much as copying this many elements one by one.
        if self.counts.size * 64 <= int(self.counts.sum()):
            for place, target, count in zip(
                self.places.tolist(), self.targets.tolist(), self.counts.tolist(), strict=True
            ):
                out[target : target + count] = 0 if block is None else block[place : place + count]
            return
        counts = self.counts.astype(np.uint64)
        targets = Runs(self.targets.astype(np.uint64), counts).indices()
        out[targets] = (
            0 if block is None else block[Runs(self.places.astype(np.uint64), counts).indices()]
        )
