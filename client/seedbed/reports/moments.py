"""The mean, spread and range of an array of any dtype, without a second copy of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A block in float64 fits in a processor's cache.
BLOCK_ELEMENTS = 2**18
# Squares of numbers from its inverse to it are numbers, too.
EXTREME = 1e100


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

    There are two passes, so that a large mean does not cancel the spread. With an element that is
    no finite number, there is no mean either: they are NaN.
    """
    flat = array.reshape(-1)
    if not flat.size:
        return Moments(None, None, None, None)
    low, high = _range(flat)
    if not (math.isfinite(low) and math.isfinite(high)):
        return Moments(math.nan, math.nan, low, high)
    # A power of two, which changes no bit: squares of huge numbers, and of tiny ones, are none.
    peak = max(abs(low), abs(high))
    is_usual = 1 / EXTREME < peak < EXTREME
    scale = 1.0 if is_usual else 2.0 ** max(math.frexp(peak)[1] - 1, -1022)
    mean = math.fsum(float(block.sum()) for block in _blocks(flat, scale)) / flat.size
    squares = (float(np.square(block - mean).sum()) for block in _blocks(flat, scale))
    std = math.sqrt(math.fsum(squares) / flat.size)
    return Moments(mean * scale, std * scale, low, high)


def _range(flat: NDArray[Any]) -> tuple[float, float]:
    ends = [(float(block.min()), float(block.max())) for block in _blocks(flat)]
    # numpy's functions keep NaN, Python's may lose it.
    return float(np.min([low for low, _ in ends])), float(np.max([high for _, high in ends]))


def _blocks(flat: NDArray[Any], scale: float = 1.0) -> Iterator[NDArray[np.float64]]:
    for begin in range(0, flat.size, BLOCK_ELEMENTS):
        block = flat[begin : begin + BLOCK_ELEMENTS].astype(np.float64)
        yield block if scale == 1 else block / scale
