"""Normal numbers from words, truncated or not: the inverse distribution function, without tables.

A word is a position between the bounds' probabilities. Its distance from the nearer end gives a
tail probability p in (0, 1/2], and the side of the median gives the sign, so that both tails have
full resolution. Without truncation the bounds' probabilities are 0 and 1. Nothing is ever rejected
or drawn again.

float32: s = sqrt(-SCALE * log2(p)), with log2 from the float's exponent and a polynomial in its
mantissa, then a polynomial in s. Within 5e-7 of the exact quantile for every untruncated word;
within 1.1e-6 beyond 5.7 standard deviations, which only one-sided truncation reaches.

float64: a rational function of the squared distance from the median in the middle, and one of
sqrt(-ln p) in the tails, divided as in algorithm AS 241 (Wichura 1988, doi:10.2307/2347330). Within
4 units in the last place for |z| > 1e-3.
"""

import math
from typing import Any

from numba import float32, float64, int32, int64, njit, uint32, uint64

from seedbed_server.kernels import normal_coefficients as fitted
from seedbed_server.kernels.intrinsics import (
    bits_of_float32,
    bits_of_float64,
    float32_of_bits,
    float64_of_bits,
    fma,
)

# The bits of sqrt(1/2): subtracting them before the exponent is cut off leaves a mantissa in
# [sqrt(1/2), sqrt(2)).
FLOAT32_ROOT_HALF = 0x3F3504F3
FLOAT64_ROOT_HALF = 0x3FE6A09E667F3BCD

LOG2 = fitted.LOG2
QUANTILE = fitted.QUANTILE
SCALE = fitted.SCALE
ROOT_AT_HALF = fitted.ROOT_AT_HALF
CENTRE = fitted.CENTRE
SMALLEST_TAIL = fitted.SMALLEST_TAIL
# About half the derivative of the quantile in s over (-s * (s - ROOT_AT_HALF)), where the tails
# are.
ROOT_REMAINDER = -0.125

LN_2 = 0.6931471805599453
CENTRAL_HALF_WIDTH = fitted.CENTRAL_HALF_WIDTH
CENTRAL_HALF_WIDTH_SQUARED = fitted.CENTRAL_HALF_WIDTH_SQUARED
CENTRAL_SLOPE = fitted.CENTRAL_SLOPE
A, B = fitted.CENTRAL_NUMERATOR, fitted.CENTRAL_DENOMINATOR
TAIL_SHIFT = fitted.TAIL_SHIFT
TAIL_SLOPE = fitted.TAIL_SLOPE
C, D = fitted.TAIL_NUMERATOR, fitted.TAIL_DENOMINATOR


@njit(inline="always")
def lower_quantile_float32(tail: Any) -> Any:
    """Return the z <= 0 with P(Z < z) = ``tail``, in [2**-40, 1/2], for a standard normal Z."""
    shifted = uint32(bits_of_float32(tail) - uint32(FLOAT32_ROOT_HALF))
    exponent = int32(int32(shifted) >> int32(23))
    mantissa = float32_of_bits(
        uint32(uint32(shifted & uint32(0x7FFFFF)) + uint32(FLOAT32_ROOT_HALF))
    )
    f = mantissa - float32(1.0)
    q = float32(LOG2[7])
    q = fma(q, f, float32(LOG2[6]))
    q = fma(q, f, float32(LOG2[5]))
    q = fma(q, f, float32(LOG2[4]))
    q = fma(q, f, float32(LOG2[3]))
    q = fma(q, f, float32(LOG2[2]))
    q = fma(q, f, float32(LOG2[1]))
    q = fma(q, f, float32(LOG2[0]))
    # SCALE has 7 bits and the exponent 6, so their product is exact.
    square = fma(q, f, float32(exponent) * float32(-SCALE))
    s = float32(math.sqrt(square))
    t = s - float32(ROOT_AT_HALF)
    u = s - float32(CENTRE)
    r = float32(QUANTILE[15])
    r = fma(r, u, float32(QUANTILE[14]))
    r = fma(r, u, float32(QUANTILE[13]))
    r = fma(r, u, float32(QUANTILE[12]))
    r = fma(r, u, float32(QUANTILE[11]))
    r = fma(r, u, float32(QUANTILE[10]))
    r = fma(r, u, float32(QUANTILE[9]))
    r = fma(r, u, float32(QUANTILE[8]))
    r = fma(r, u, float32(QUANTILE[7]))
    r = fma(r, u, float32(QUANTILE[6]))
    r = fma(r, u, float32(QUANTILE[5]))
    r = fma(r, u, float32(QUANTILE[4]))
    r = fma(r, u, float32(QUANTILE[3]))
    r = fma(r, u, float32(QUANTILE[2]))
    r = fma(r, u, float32(QUANTILE[1]))
    r = fma(r, u, float32(QUANTILE[0]))
    # What the square root lost in rounding, given back to first order.
    r = fma(fma(-s, s, square), float32(ROOT_REMAINDER), r)
    return fma(r, t, float32(-2.0) * t)


@njit(inline="always")
def normal_float32(
    word: Any,
    split: Any,
    step: Any,
    low_edge: Any,
    high_edge: Any,
    lower: Any,
    upper: Any,
    mean: Any,
    stddev: Any,
) -> Any:
    """Return ``fma(z, stddev, mean)`` for the z at a 32-bit word's position between the bounds.

    Args:
        word: uint32, the position.
        split: uint32, how many words lie below the median (at most 2**32 - 1).
        step: the probability between the bounds, times 2**-32.
        low_edge: the probability below ``lower``.
        high_edge: the probability above ``upper``.
        lower: the lower bound on z, or minus infinity.
        upper: the upper bound on z, or infinity.
        mean: added last.
        stddev: multiplies z.
    """
    below = word < split
    distance = word if below else uint32(~word)
    tail = fma(float32(distance) + float32(0.5), step, low_edge if below else high_edge)
    tail = tail if tail < float32(0.5) else float32(0.5)
    tail = tail if tail > float32(SMALLEST_TAIL) else float32(SMALLEST_TAIL)
    z = lower_quantile_float32(tail)
    z = z if below else -z
    z = z if z > lower else lower
    z = z if z < upper else upper
    return fma(z, stddev, mean)


@njit(inline="always")
def minus_log_float64(p: Any) -> Any:
    """Return the natural logarithm of 1/p, for p in (0, 1)."""
    shifted = uint64(bits_of_float64(p) - uint64(FLOAT64_ROOT_HALF))
    exponent = int64(int64(shifted) >> int64(52))
    mantissa = float64_of_bits(
        uint64(shifted & uint64(0xFFFFFFFFFFFFF)) + uint64(FLOAT64_ROOT_HALF)
    )
    # log(m) = 2 artanh(y) with y = (m - 1) / (m + 1), |y| < 0.1716; its series ends below 1e-17.
    y = (mantissa - 1.0) / (mantissa + 1.0)
    square = y * y
    series = 2.0 / 21.0
    series = fma(series, square, 2.0 / 19.0)
    series = fma(series, square, 2.0 / 17.0)
    series = fma(series, square, 2.0 / 15.0)
    series = fma(series, square, 2.0 / 13.0)
    series = fma(series, square, 2.0 / 11.0)
    series = fma(series, square, 2.0 / 9.0)
    series = fma(series, square, 2.0 / 7.0)
    series = fma(series, square, 2.0 / 5.0)
    series = fma(series, square, 2.0 / 3.0)
    series = fma(series, square, 2.0)
    return fma(float64(exponent), -LN_2, -(series * y))


@njit(inline="always")
def central_quantile_float64(from_median: Any) -> Any:
    """Return the z >= 0 with P(0 < Z < z) = ``from_median`` <= 0.425, for a standard normal Z."""
    x = fma(-from_median, from_median, CENTRAL_HALF_WIDTH_SQUARED)
    n = A[9]
    n = fma(n, x, A[8])
    n = fma(n, x, A[7])
    n = fma(n, x, A[6])
    n = fma(n, x, A[5])
    n = fma(n, x, A[4])
    n = fma(n, x, A[3])
    n = fma(n, x, A[2])
    n = fma(n, x, A[1])
    n = fma(n, x, A[0])
    d = B[9]
    d = fma(d, x, B[8])
    d = fma(d, x, B[7])
    d = fma(d, x, B[6])
    d = fma(d, x, B[5])
    d = fma(d, x, B[4])
    d = fma(d, x, B[3])
    d = fma(d, x, B[2])
    d = fma(d, x, B[1])
    d = fma(d, x, B[0])
    return fma(from_median, CENTRAL_SLOPE, (n / d) * from_median)


@njit(inline="always")
def tail_quantile_float64(tail: Any) -> Any:
    """Return the z >= 0 with P(Z > z) = ``tail``, at most 0.075, for a standard normal Z."""
    s = math.sqrt(minus_log_float64(tail))
    u = s - TAIL_SHIFT
    n = C[11]
    n = fma(n, u, C[10])
    n = fma(n, u, C[9])
    n = fma(n, u, C[8])
    n = fma(n, u, C[7])
    n = fma(n, u, C[6])
    n = fma(n, u, C[5])
    n = fma(n, u, C[4])
    n = fma(n, u, C[3])
    n = fma(n, u, C[2])
    n = fma(n, u, C[1])
    n = fma(n, u, C[0])
    d = D[11]
    d = fma(d, u, D[10])
    d = fma(d, u, D[9])
    d = fma(d, u, D[8])
    d = fma(d, u, D[7])
    d = fma(d, u, D[6])
    d = fma(d, u, D[5])
    d = fma(d, u, D[4])
    d = fma(d, u, D[3])
    d = fma(d, u, D[2])
    d = fma(d, u, D[1])
    d = fma(d, u, D[0])
    return fma(s, TAIL_SLOPE, n / d)


@njit(inline="always")
def place_float64(
    word: Any, split: Any, step: Any, low_edge: Any, high_edge: Any, remainder: Any
) -> Any:
    """Return where a 64-bit word lies.

    Returns:
        Whether it is below the median, the probability of the tail beyond it, and the probability
        between it and the median.
    """
    below = word < split
    distance = word if below else uint64(~word)
    tail = fma(float64(distance) + 0.5, step, low_edge if below else high_edge)
    tail = tail if tail < 0.5 else 0.5
    steps = uint64(split - word - uint64(1)) if below else uint64(word - split)
    from_median = fma(float64(steps) + 0.5, step, -remainder if below else remainder)
    return below, tail, from_median


@njit(inline="always")
def scaled_float64(z: Any, below: Any, lower: Any, upper: Any, mean: Any, stddev: Any) -> Any:
    """Return ``fma(z, stddev, mean)`` for a z >= 0, after giving z its sign and clipping it."""
    z = -z if below else z
    z = z if z > lower else lower
    z = z if z < upper else upper
    return fma(z, stddev, mean)


@njit(inline="always")
def normal_float64(
    word: Any,
    split: Any,
    step: Any,
    low_edge: Any,
    high_edge: Any,
    remainder: Any,
    lower: Any,
    upper: Any,
    mean: Any,
    stddev: Any,
) -> Any:
    """Return the same as :func:`normal_float32` from a 64-bit word.

    ``step`` is the probability between the bounds, times 2**-64. ``remainder`` is the part of a
    step between the median and the place where word number ``split`` begins: low_edge + split *
    step - 1/2. With it, positions near the median keep all their digits.
    """
    below, tail, from_median = place_float64(word, split, step, low_edge, high_edge, remainder)
    z = (
        central_quantile_float64(from_median)
        if from_median <= CENTRAL_HALF_WIDTH
        else tail_quantile_float64(tail)
    )
    return scaled_float64(z, below, lower, upper, mean, stddev)
