"""The different values of an array, and how often each occurs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.reports.moments import BLOCK_ELEMENTS


def counts_of_few(array: NDArray[Any], most: int) -> dict[Any, int] | None:
    """Return how often each value occurs, sorted, or None if there are more than ``most``.

    Every element is counted. Most arrays are done after one block.
    """
    flat = array.reshape(-1)
    counts: dict[Any, int] = {}
    for begin in range(0, flat.size, BLOCK_ELEMENTS):
        block = flat[begin : begin + BLOCK_ELEMENTS]
        if array.dtype.kind not in "biu":  # those of ml_dtypes are not sorted by numpy itself
            block = block.astype(np.float64) + 0.0  # -0.0 is 0.0
        for value, count in zip(*np.unique(block, return_counts=True), strict=True):
            counts[value.item()] = counts.get(value.item(), 0) + int(count)
        if len(counts) > most:
            return None
    return dict(sorted(counts.items()))
