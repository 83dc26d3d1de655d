"""The bins of a histogram that do justice to numbers that are rounded."""

import math

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype

# From here on it shows whether bins hold equally many of a dtype's numbers.
FINE_SPACINGS = 64

# A bin at an end that is no wider, as a part of the others, has a height that is chance; and in
# float32 a uniform's end has no numbers of its own.
SLIVER = 0.5

# The distance from 1 to the next number, and the least number above 0, of the types in which a
# range can be so narrow that it matters.
EPSILONS = {
    Dtype.FLOAT32: 2.0**-23,
    Dtype.FLOAT16: 2.0**-10,
    Dtype.BFLOAT16: 2.0**-7,
    Dtype.FLOAT8_E4M3FN: 2.0**-3,
    Dtype.FLOAT8_E5M2: 2.0**-2,
}
LEAST = {
    Dtype.FLOAT32: 2.0**-149,
    Dtype.FLOAT16: 2.0**-24,
    Dtype.BFLOAT16: 2.0**-133,
    Dtype.FLOAT8_E4M3FN: 2.0**-9,
    Dtype.FLOAT8_E5M2: 2.0**-16,
}


def counts_between(sample: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many numbers are in each bin; one on an inner edge counts half for each side."""
    upwards = np.histogram(sample, edges)[0]
    downwards = np.histogram(-sample, -edges[::-1])[0][::-1]
    return np.asarray((upwards + downwards) / 2, np.float64)


def bin_edges(low: float, high: float, dtype: Dtype, bins: int) -> NDArray[np.float64]:
    """Return the edges of bins that hold equally many representable numbers each.

    A 16-bit float has few numbers, an 8-bit one fewer, and any float has few in a narrow range:
    bins of any other width hold now three, now four of them, which would look like a comb that the
    sample does not have. Bins end halfway between two numbers then.
    """
    width = (high - low) / bins
    if dtype not in EPSILONS or width > FINE_SPACINGS * (spacing := _spacing(low, high, dtype)):
        return np.unique(np.linspace(low, high, bins + 1))
    step = max(1, round(width / spacing))
    # In units of the spacing, as all that follows.
    begin, end = low / spacing, high / spacing
    first = math.floor(begin + 0.5) - 0.5
    edges = first + step * np.arange(math.ceil((end - first) / step) + 1)
    if edges.size > 2 and edges[1] - begin <= SLIVER * step:
        edges = np.delete(edges, 1)
    if edges.size > 2 and end - edges[-2] <= SLIVER * step:
        edges = np.delete(edges, -2)
    return np.asarray(edges * spacing, np.float64)


def _spacing(low: float, high: float, dtype: Dtype) -> float:
    """Return how far neighbours are apart where they are farthest."""
    exponent = math.frexp(min(max(abs(low), abs(high)), dtype.largest))[1] - 1
    return max(math.ldexp(EPSILONS[dtype], exponent), LEAST[dtype])
