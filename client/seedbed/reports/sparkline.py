"""Figures as a line of small bars, for a terminal."""

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.reports.bins import bin_edges, counts_between
from seedbed.reports.moments import BLOCK_ELEMENTS
from seedbed.reports.text import number_text
from seedbed.spec.dtypes import as_dtype

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.:-=+*#"
# Of a histogram in a terminal.
BARS = 32


def sparkline(values: Sequence[float], *, encoding: str | None = None) -> str:
    """Return one letter for each value: the higher, the more ink; a space is 0.

    Args:
        values: 0 or more each; the largest one is a full letter.
        encoding: of where it is written; by default that of standard output. One without block
            letters gets ASCII.

    Example:
        >>> sparkline([0, 1, 4, 8], encoding="ascii")
        ' _-#'
    """
    shown_in = encoding or (sys.stdout.encoding if sys.stdout is not None else None)
    letters = BLOCKS if _has_blocks(shown_in) else ASCII
    largest = max(values, default=0)
    # Even the least value above 0 is seen.
    return "".join(
        letters[max(0, round(len(letters) * value / largest) - 1)] if value > 0 else " "
        for value in values
    )


def histogram_line(
    array: NDArray[Any],
    low: float | None,
    high: float | None,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> str:
    """Return a histogram between two ends with both of them, or nothing if they are one.

    Args:
        array: the elements, of any dtype.
        low: the least element; None if there is none.
        high: the largest one.
        within: the ends of the distribution before it was rounded.
    """
    if low is None or high is None or not -math.inf < low < high < math.inf:
        return ""
    flat = array.reshape(-1)
    edges = bin_edges(low, high, as_dtype(array.dtype), BARS)
    counts = np.zeros(edges.size - 1)
    for begin in range(0, flat.size, BLOCK_ELEMENTS):
        counts += counts_between(flat[begin : begin + BLOCK_ELEMENTS].astype(np.float64), edges)
    # Beyond the ends of the distribution nothing is rounded to the numbers within.
    widths = np.diff(np.clip(edges, *within))
    heights = counts * (widths.min() / widths)
    return f"{number_text(low)} {sparkline(heights.tolist())} {number_text(high)}"


def _has_blocks(encoding: str | None) -> bool:
    try:
        BLOCKS.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
