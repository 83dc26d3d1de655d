"""The parameters of a truncated normal's kernel, from its bounds: on the host, exactly rounded."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from seedbed_server.kernels.precision import precise

# A probability is computed with this many digits before it is rounded to float64, so that the
# rounding is that of the exact value.
DIGITS = 60


@dataclass(frozen=True, slots=True)
class Interval:
    """The positions of words between two bounds; the fields are arguments of ``normal_float64``."""

    split: int
    step: float
    low_edge: float
    high_edge: float
    remainder: float


@lru_cache(maxsize=1024)
def interval(lower: float, upper: float, word_bits: int) -> Interval:
    """Return the interval between two bounds for words of 32 or 64 bits.

    Args:
        lower: in standard deviations, or minus infinity.
        upper: likewise, or infinity.
        word_bits: 32 or 64.
    """
    with precise(digits=DIGITS) as mpmath:
        root_2 = mpmath.sqrt(2)
        low, high = mpmath.mpf(lower) / root_2, mpmath.mpf(upper) / root_2
        # erf keeps the digits of bounds next to the median, where differences of masses near 1/2
        # have none.
        below_median, above_median = mpmath.erf(-low) / 2, mpmath.erf(high) / 2
        step = (below_median + above_median) / 2**word_bits
        # Bounds on one side of the median would put the split outside of the words.
        split = min(max(int(mpmath.floor(below_median / step)), 0), 2**word_bits - 1)
        remainder = split * step - below_median
        low_edge, high_edge = mpmath.erfc(-low) / 2, mpmath.erfc(high) / 2
        return Interval(split, float(step), float(low_edge), float(high_edge), float(remainder))


@lru_cache(maxsize=1024)
def truncated_stddev(lower: float, upper: float) -> float:
    """Return the standard deviation that a standard normal number has between two bounds.

    Johnson, Kotz and Balakrishnan 1994, section 13.10.1.
    """
    # Between narrow bounds nearly all of the variance's terms cancels: their differences are of the
    # third order.
    lost = 4 * -math.floor(math.log10(min(upper - lower, 1.0)))
    with precise(digits=DIGITS + lost) as mpmath:
        root_2 = mpmath.sqrt(2)
        low, high = mpmath.mpf(lower) / root_2, mpmath.mpf(upper) / root_2
        # From the nearer tail, where the difference of two probabilities keeps its digits.
        near, far = (low, high) if low > 0 else (-high, -low)
        mass = (mpmath.erfc(near) - mpmath.erfc(far)) / 2
        below, above = mpmath.npdf(mpmath.mpf(lower)), mpmath.npdf(mpmath.mpf(upper))
        shift = (below - above) / mass
        edges = (_moment(lower, below) - _moment(upper, above)) / mass
        return float(mpmath.sqrt(1 + edges - shift * shift))


def _moment(bound: float, density: Any) -> Any:
    return density * bound if math.isfinite(bound) else density * 0
