"""The zeros of a sparse matrix: elements whose rank is at most their line's threshold.

A rank is 64 bits: the element's word, and below it its place in the line. So no two elements of a
line share one, and ties need no rule.
"""

from typing import Any

import numpy as np
from numba import uint64

from seedbed_server.kernels.philox import fill_run, next_words

TILE_WORDS = 4096
"""Words drawn at a time. No part of the contract."""


def plain_words(firsts: Any, counts: Any, key: Any, out: Any) -> None:
    """Fill a uint32 array with the words of elements of 32 bits or fewer."""
    next_words(firsts, counts, uint64(1), uint64(0), uint64(0), key, out)


def are_at_most(
    firsts: Any,
    counts: Any,
    key: Any,
    columns: Any,
    axis: Any,
    first_line: Any,
    thresholds: Any,
    out: Any,
) -> None:
    """Write for each element whether its rank is at most the threshold of its line.

    Args:
        firsts: the index of each run's first element (uint64).
        counts: how many elements each run has (uint64).
        key: four uint32.
        columns: of the matrix (uint64).
        axis: 0 if lines are columns, 1 if they are rows (uint64).
        first_line: the line of the first threshold (uint64).
        thresholds: of the lines from there on (uint64).
        out: uint8, receives 1 or 0.
    """
    words = np.empty(TILE_WORDS, np.uint32)
    at = uint64(0)
    for run in range(firsts.size):
        done = uint64(0)
        row, column = firsts[run] // columns, firsts[run] % columns
        while done < counts[run]:
            size = min(uint64(TILE_WORDS), counts[run] - done)
            fill_run(firsts[run] + done, size, key, words, uint64(0))
            for i in range(size):
                line, place = (column, row) if axis == uint64(0) else (row, column)
                rank = (uint64(words[i]) << uint64(32)) | place
                out[at] = rank <= thresholds[line - first_line]
                at += uint64(1)
                column += uint64(1)
                if column == columns:
                    column = uint64(0)
                    row += uint64(1)
            done += size
