"""The indices of one axis that a process holds, as runs of neighbours, by torch's rules."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AxisRuns:
    """Indices of one axis in the order in which they are held."""

    pairs: tuple[tuple[int, int], ...]
    """The runs: first index and length. None is empty, nor begins where the one before it ends."""

    @property
    def length(self) -> int:
        """How many indices there are."""
        return sum(length for _, length in self.pairs)

    def take(self, begin: int, end: int) -> "AxisRuns":
        """Return the indices at the places ``begin`` to ``end`` (excluded), where there are any."""
        taken, place = [], 0
        for start, length in self.pairs:
            low, high = max(begin, place), min(end, place + length)
            taken.append((start + low - place, high - low))
            place += length
        return runs(taken)

    def chunk(self, index: int, count: int) -> "AxisRuns":
        """Return part ``index`` of ``count`` by ``torch.chunk``'s rule: the last ones are short."""
        size = -(-self.length // count)
        return self.take(index * size, (index + 1) * size)

    def strided_chunk(self, index: int, count: int, split_factor: int) -> "AxisRuns":
        """Return part ``index`` of ``count`` of each of ``split_factor`` chunks, in their order.

        That is what FSDP leaves on a rank of an axis that tensor parallelism cuts further.
        """
        parts = (
            self.chunk(outer, split_factor).chunk(index, count) for outer in range(split_factor)
        )
        return runs(pair for part in parts for pair in part.pairs)

    def over(self, inner: "AxisRuns", inner_length: int) -> "AxisRuns":
        """Return the indices of an axis that is this one and the next one flattened.

        Args:
            inner: what is held of the next axis.
            inner_length: how long the next axis is.
        """
        if inner.pairs == ((0, inner_length),):
            return runs(
                (start * inner_length, length * inner_length) for start, length in self.pairs
            )
        outer = (index for start, length in self.pairs for index in range(start, start + length))
        return runs(
            (index * inner_length + start, length)
            for index in outer
            for start, length in inner.pairs
        )

    def of(self, places: "AxisRuns") -> "AxisRuns":
        """Return the indices at some places."""
        return runs(
            pair
            for start, length in places.pairs
            for pair in self.take(start, start + length).pairs
        )

    def common(self, others: "AxisRuns") -> list[tuple[int, int, int]]:
        """Return what is among others as well: first index, length and place of each run."""
        found, place = [], 0
        for start, length in self.pairs:
            for other, other_length in others.pairs:
                low, high = max(start, other), min(start + length, other + other_length)
                if low < high:
                    found.append((low, high - low, place + low - start))
            place += length
        return found

    def place_of(self, index: int) -> int | None:
        """Return at which place an index is held, or None."""
        place = 0
        for start, length in self.pairs:
            if start <= index < start + length:
                return place + index - start
            place += length
        return None


def runs(pairs: Iterable[tuple[int, int]]) -> AxisRuns:
    """Return runs without empty ones, and with neighbours joined."""
    joined: list[tuple[int, int]] = []
    for start, length in pairs:
        if length <= 0:
            continue
        if joined and sum(joined[-1]) == start:
            joined[-1] = (joined[-1][0], joined[-1][1] + length)
        else:
            joined.append((start, length))
    return AxisRuns(tuple(joined))


def all_of(length: int) -> AxisRuns:
    """Return all indices of an axis."""
    return runs([(0, length)])
