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


def moments_of(array: NDArray[Any], *, finite_only: bool = False) -> Moments:
    """Return the moments, computed in float64.

    There are two passes, so that a large mean does not cancel the spread. With an element that is
    no finite number, there is no mean either: they are NaN.

    Args:
        array: the sample.
        finite_only: leave out what is NaN or infinite.
    """
    sizes, lows, highs = [], [], []
    for block in blocks_of(array, finite_only=finite_only):
        sizes.append(block.size)
        lows.append(block.min())
        highs.append(block.max())
    if not sizes:
        return Moments(None, None, None, None)
    count = sum(sizes)
    # numpy's functions keep NaN, Python's may lose it.
    low, high = float(np.min(lows)), float(np.max(highs))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Moments(math.nan, math.nan, low, high)
    # A power of two, which changes no bit: squares of huge numbers, and of tiny ones, are none.
    peak = max(abs(low), abs(high))
    is_usual = 1 / EXTREME < peak < EXTREME
    scale = 1.0 if is_usual else 2.0 ** max(math.frexp(peak)[1] - 1, -1022)

    def scaled() -> Iterator[NDArray[np.float64]]:
        for block in blocks_of(array, finite_only=finite_only):
            yield block if scale == 1 else block / scale

    mean = math.fsum(float(block.sum()) for block in scaled()) / count
    squares = (float(np.square(block - mean).sum()) for block in scaled())
    std = math.sqrt(math.fsum(squares) / count)
    return Moments(mean * scale, std * scale, low, high)


def blocks_of(array: NDArray[Any], *, finite_only: bool = False) -> Iterator[NDArray[np.float64]]:
    """Yield the elements of an array in blocks of float64, none of them empty.

    Args:
        array: of any shape and dtype.
        finite_only: leave out what is NaN or infinite.
    """
    flat = array.reshape(-1)
    for begin in range(0, flat.size, BLOCK_ELEMENTS):
        block = flat[begin : begin + BLOCK_ELEMENTS].astype(np.float64)
        if finite_only:
            block = block[np.isfinite(block)]
        if block.size:
            yield block
