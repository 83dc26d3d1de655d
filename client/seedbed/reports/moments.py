"""The mean, spread and range of an array of any dtype, without a second copy of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A block in float64 fits in a processor's cache.
BLOCK_ELEMENTS = 2**18


@dataclass(frozen=True, slots=True)
class Moments:
    """Figures of a sample; all None for one without elements."""

    mean: float | None
    """The mean."""
    std: float | None
    """The standard deviation of the sample itself (divided by the count)."""
    min: float | None
    """The least element."""
    max: float | None
    """The largest element."""


def moments_of(array: NDArray[Any]) -> Moments:
    """Return the moments, computed in float64.

    There are two passes, so that a large mean does not cancel the spread.
    """
    flat = array.reshape(-1)
    if not flat.size:
        return Moments(None, None, None, None)
    blocks = list(_summaries(flat))
    mean = math.fsum(total for total, _, _ in blocks) / flat.size
    squares = math.fsum(float(np.square(block - mean).sum()) for block in _blocks(flat))
    low, high = min(low for _, low, _ in blocks), max(high for _, _, high in blocks)
    return Moments(mean, math.sqrt(squares / flat.size), low, high)


def _summaries(flat: NDArray[Any]) -> Iterator[tuple[float, float, float]]:
    for block in _blocks(flat):
        yield float(block.sum()), float(block.min()), float(block.max())


def _blocks(flat: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    for begin in range(0, flat.size, BLOCK_ELEMENTS):
        yield flat[begin : begin + BLOCK_ELEMENTS].astype(np.float64)
