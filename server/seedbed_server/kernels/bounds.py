"""From the bounds of a truncated normal to the numbers its kernel takes, exactly rounded, on the host."""

import math
import threading
from dataclasses import dataclass
from functools import lru_cache

import mpmath

# A probability is computed with this many digits before it is rounded to float64: no platform's
# mathematical library has a say, and the rounding is that of the exact value.
DIGITS = 60
# mpmath keeps its precision in a global variable.
_MPMATH = threading.Lock()


@dataclass(frozen=True, slots=True)
class Interval:
    """Where words fall between two bounds; see :func:`seedbed_server.kernels.normal.normal_float64`."""

    split: int
    step: float
    low_edge: float
    high_edge: float
    remainder: float


def _mass_below(bound: float) -> mpmath.mpf:
    return mpmath.erfc(-mpmath.mpf(bound) / mpmath.sqrt(2)) / 2


@lru_cache(maxsize=1024)
def interval(lower: float, upper: float, word_bits: int) -> Interval:
    """Return the interval between ``lower`` and ``upper`` (in standard deviations) for words of 32 or 64 bits."""
    with _MPMATH, mpmath.workdps(DIGITS):
        low = mpmath.mpf(0) if math.isinf(lower) else _mass_below(lower)
        high = mpmath.mpf(0) if math.isinf(upper) else _mass_below(-upper)
        half = mpmath.mpf(1) / 2
        # Bounds on one side of the median: subtract the small tails, not numbers near 1.
        mass = (half - low) + (half - high)
        step = mass / 2**word_bits
        split = min(max(int(mpmath.floor((half - low) / step)), 0), 2**word_bits - 1)
        remainder = low + split * step - half
        return Interval(split, float(step), float(low), float(high), float(remainder))
