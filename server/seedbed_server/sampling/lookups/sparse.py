"""The zeros of sparse matrices: in each line, the elements with the smallest words.

An element's rank in its line is (word, place), which no other element has. One threshold for each
line is enough, the largest rank that is zero: it takes all words of the line to find, and 8 bytes
to keep. Lines are treated in bands.
"""

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.slices import TensorSlice
from seedbed_server.backends.base import SamplingCancelledError
from seedbed_server.backends.rules import Normal, Sparse
from seedbed_server.backends.runs import Runs, rectangle_runs
from seedbed_server.sampling.lookups.base import SECONDS_PER_ELEMENT, Cost, Surroundings

BAND_ELEMENTS = 2**20
"""Words that are looked at together, unless a line has more."""
TILE_ELEMENTS = 2**20
"""Elements that are decided on at a time."""
WIDEST_TILE = 2**22
"""Lines that a tile may touch, which is every column where it goes beyond a row's end."""
MAX_KEPT_LINES = 2**24
"""Lines whose thresholds are kept, 128 MiB; a tensor with more of them recomputes some."""
DRAWN_WORDS = 2**18
"""Words that are drawn at a time."""
# A word, the run that it was drawn in, and what finding the run took.
_BYTES_PER_DRAWN_WORD = 64
_BYTES_PER_RANK = 8
_SECONDS_PER_WORD = 2.5e-8
_SECONDS_PER_RUN = 1e-7


def cost(rule: Sparse, part: TensorSlice) -> Cost:
    """Return the cost of a part: its lines' words, a band at a time, and their thresholds."""
    lines = part.lengths[1 - rule.axis]
    band = _lines_per_band(rule)
    words = band * rule.line_elements
    tile = min(TILE_ELEMENTS, part.lengths[0] * part.lengths[1])
    kept = min(lines + 2 * band, MAX_KEPT_LINES + band)
    copied = min(kept, WIDEST_TILE)
    working = _BYTES_PER_RANK * words + _BYTES_PER_DRAWN_WORD * DRAWN_WORDS
    working += 8 * (kept + copied) + tile
    seconds = SECONDS_PER_ELEMENT * part.lengths[0] * part.lengths[1]
    if not rule.zeros:
        return Cost(lines * rule.line_elements, 0, seconds)
    seconds += _core_seconds(rule, lines)
    return Cost(lines * rule.line_elements, working, seconds)


def _core_seconds(rule: Sparse, lines: int) -> float:
    """Return about how long one core takes for the thresholds of some lines."""
    words = lines * rule.line_elements
    runs = lines if rule.axis == 1 else words // max(1, min(_lines_per_band(rule), rule.shape[1]))
    return _SECONDS_PER_WORD * words + _SECONDS_PER_RUN * runs


def _lines_per_band(rule: Sparse) -> int:
    lines = rule.shape[1 - rule.axis]
    return max(1, min(lines, BAND_ELEMENTS // max(1, rule.line_elements)))


class SparseLookup:
    """The thresholds of one matrix's lines."""

    def __init__(self, rule: Sparse, surroundings: Surroundings) -> None:
        self._rule = rule
        self._in = surroundings
        self._band_lines = _lines_per_band(rule)
        self._touched_lines = surroundings.cost.sampled_elements // max(1, rule.line_elements)
        # Of the first and of the last band, some may be outside of what was asked for.
        self._most_bands = min(
            -(-rule.shape[1 - rule.axis] // self._band_lines),
            self._touched_lines // self._band_lines + 2,
        )
        self._bands: OrderedDict[int, NDArray[np.uint64]] = OrderedDict()

    def fill(self, runs: Runs, out: NDArray[np.uint8]) -> None:
        """Write the elements of the runs, one after another.

        Raises:
            SamplingCancelledError: if that is what became of it.
        """
        normal = Normal(0.0, self._rule.stddev)
        self._in.backend.fill(normal, self._in.key, runs, self._in.dtype, out)
        if not self._rule.zeros:
            return
        elements = out.view(self._in.dtype.numpy)
        for first in range(0, elements.size, TILE_ELEMENTS):
            end = min(first + TILE_ELEMENTS, elements.size)
            self._clear(runs.part(first, end), elements[first:end])

    def core_seconds(self, count: int, run_elements: int) -> float:
        """Return about how long filling takes at most, with the thresholds that are kept now."""
        seconds = SECONDS_PER_ELEMENT * count
        lines, columns = self._touched_lines, self._rule.shape[1]
        if lines <= MAX_KEPT_LINES:
            lines = min(lines, max(0, self._most_bands - len(self._bands)) * self._band_lines)
        if not self._rule.zeros or not lines:
            return seconds
        if self._rule.axis == 1 and run_elements >= columns:
            lines = min(lines, count // columns + 2 * self._band_lines)
        return seconds + _core_seconds(self._rule, lines)

    def _clear(self, runs: Runs, elements: NDArray[np.generic]) -> None:
        """Set the elements of the runs that are zero."""
        begin, end = self._lines(runs)
        # The thresholds of all lines are joined below, so a tile that touches too many is halved.
        if end - begin > WIDEST_TILE and elements.size > 1:
            half = elements.size // 2
            self._clear(runs.part(0, half), elements[:half])
            self._clear(runs.part(half, elements.size), elements[half:])
            return
        size = self._band_lines
        first_band, last_band = begin // size, (end - 1) // size
        thresholds = np.concatenate(
            [self._thresholds(band) for band in range(first_band, last_band + 1)]
        )
        elements[self._in.backend.are_zero(self._rule, runs, first_band * size, thresholds)] = 0

    def _lines(self, runs: Runs) -> tuple[int, int]:
        """Return the first line that the runs touch, and the one after the last."""
        columns = np.uint64(self._rule.shape[1])
        last = runs.firsts + runs.counts - np.uint64(1)
        if self._rule.axis == 1:
            return int(runs.firsts.min() // columns), int(last.max() // columns) + 1
        if (runs.firsts // columns != last // columns).any():
            return 0, int(columns)
        return int((runs.firsts % columns).min()), int((last % columns).max()) + 1

    def _thresholds(self, band: int) -> NDArray[np.uint64]:
        """Return the thresholds of a band's lines; the last band's are filled up with zeros."""
        if band in self._bands:
            self._bands.move_to_end(band)
            return self._bands[band]
        if self._in.is_cancelled():
            raise SamplingCancelledError
        while len(self._bands) * self._band_lines >= MAX_KEPT_LINES:
            self._bands.popitem(last=False)
        ranks = self._ranks_of_lines(band)
        last = self._rule.zeros - 1
        ranks.partition(last, axis=1)
        thresholds = np.zeros(self._band_lines, np.uint64)
        thresholds[: ranks.shape[0]] = ranks[:, last]
        self._bands[band] = thresholds
        return thresholds

    def _ranks_of_lines(self, band: int) -> NDArray[np.uint64]:
        """Return the ranks of all elements of a band's lines, a line a row."""
        first = band * self._band_lines
        count = min(self._band_lines, self._rule.shape[1 - self._rule.axis] - first)
        length = self._rule.line_elements
        ranks = np.empty((count, length), np.uint64)
        step = max(1, DRAWN_WORDS // count)
        for begin in range(0, length, step):
            if self._in.is_cancelled():
                raise SamplingCancelledError
            places = np.arange(begin, min(begin + step, length), dtype=np.uint64)
            part = ranks[:, begin : begin + step]
            part[:] = self._words((first, begin), (count, places.size))
            part <<= np.uint64(32)
            part |= places
        return ranks

    def _words(self, starts: tuple[int, int], lengths: tuple[int, int]) -> NDArray[np.uint32]:
        """Return the words of some places of some lines, a line a row."""
        if self._rule.axis == 1:
            runs = rectangle_runs(self._rule.shape, starts, lengths)
            return self._in.backend.words(self._rule.key, runs).reshape(lengths)
        runs = rectangle_runs(self._rule.shape, starts[::-1], lengths[::-1])
        return self._in.backend.words(self._rule.key, runs).reshape(lengths[::-1]).T
