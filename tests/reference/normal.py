"""The normal and truncated normal distributions of docs/numerics.md, one element at a time."""

import functools
import math
from dataclasses import dataclass

import mpmath

from tests.reference.document import tables
from tests.reference.floats import (
    FLOAT32,
    FLOAT64,
    add,
    decode,
    divide,
    encode,
    fma,
    multiply,
    round_ratio,
    round_to,
    square_root,
    subtract,
)

# Far more than any rounding to float64 can need.
DIGITS = 200
COUNTS_AS_INFINITE = 14.0


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers that place words between two bounds."""

    split: int
    step: float
    low_edge: float
    high_edge: float
    remainder: float


def _float64(value: mpmath.mpf) -> float:
    mantissa, exponent = (int(part) for part in value.man_exp)
    numerator = -mantissa if value < 0 else mantissa
    return round_ratio(numerator << max(0, exponent), 1 << max(0, -exponent), FLOAT64)


@functools.cache
def interval(lower: float, upper: float, word_bits: int) -> Interval:
    """Return where the words of ``word_bits`` bits fall."""
    with mpmath.workdps(DIGITS):
        root_2 = mpmath.sqrt(2)
        low = -mpmath.inf if lower < -COUNTS_AS_INFINITE else mpmath.mpf(lower)
        high = mpmath.inf if upper > COUNTS_AS_INFINITE else mpmath.mpf(upper)
        below_median, above_median = mpmath.erf(-low / root_2) / 2, mpmath.erf(high / root_2) / 2
        step = (below_median + above_median) / 2**word_bits
        split = min(max(int(mpmath.floor(below_median / step)), 0), 2**word_bits - 1)
        return Interval(
            split=split,
            step=_float64(step),
            low_edge=_float64(mpmath.erfc(-low / root_2) / 2),
            high_edge=_float64(mpmath.erfc(high / root_2) / 2),
            remainder=_float64(split * step - below_median),
        )


@functools.cache
def truncated_stddev(lower: float, upper: float) -> float:
    """Return the stddev of a normal number between two bounds, by integration, not by formula."""
    with mpmath.workdps(60):
        low = -mpmath.inf if lower < -COUNTS_AS_INFINITE else mpmath.mpf(lower)
        high = mpmath.inf if upper > COUNTS_AS_INFINITE else mpmath.mpf(upper)
        # In units of the width, about the middle, nothing cancels or is tiny, however close the
        # bounds are.
        finite = bool(mpmath.isfinite(high - low))
        middle, width = ((low + high) / 2, high - low) if finite else (mpmath.mpf(0), mpmath.mpf(1))
        edges = [low, *(mpmath.mpf(n) for n in range(-14, 15) if low < n < high), high]
        mass, first, second = (
            mpmath.quad(
                lambda t, power=power: t**power * mpmath.exp(-((middle + width * t) ** 2) / 2),
                [(edge - middle) / width for edge in edges],
            )
            for power in range(3)
        )
        return _float64(width * mpmath.sqrt(second / mass - (first / mass) ** 2))


def polynomial(name: str, x: float) -> float:
    """Return the value of one of the document's polynomials, by Horner's rule with fma."""
    coefficients = tables()[name]
    form = FLOAT32 if name in {"LOG2", "QUANTILE"} else FLOAT64
    value = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = fma(value, x, coefficient, form)
    return value


def _split_float(value: float, root_half: int, wide: bool) -> tuple[int, float]:
    form = FLOAT64 if wide else FLOAT32
    shifted = encode(value, form) - root_half
    exponent, fraction = divmod(shifted, 1 << (form.precision - 1))
    return exponent, decode(fraction + root_half, form)


def quantile_float32(tail: float) -> float:
    """Return the z below which a normal number falls with probability ``tail``."""
    exponent, mantissa = _split_float(tail, 0x3F3504F3, wide=False)
    f = subtract(mantissa, 1.0, FLOAT32)
    square = fma(polynomial("LOG2", f), f, exponent * -0.47265625, FLOAT32)
    s = square_root(square, FLOAT32)
    t = subtract(s, 0.6875, FLOAT32)
    r = polynomial("QUANTILE", subtract(s, 2.5, FLOAT32))
    r = fma(fma(-s, s, square, FLOAT32), -0.125, r, FLOAT32)
    return fma(r, t, -2.0 * t, FLOAT32)


def normal_float32(word: int, mean: float, stddev: float, lower: float, upper: float) -> float:
    """Return the element of a 32-bit word."""
    where = interval(lower, upper, 32)
    low, high, mean, stddev = (round_to(value, FLOAT32) for value in (lower, upper, mean, stddev))
    below = word < where.split
    distance = round_ratio(word if below else 2**32 - 1 - word, 1, FLOAT32)
    edge = round_to(where.low_edge if below else where.high_edge, FLOAT32)
    tail = fma(add(distance, 0.5, FLOAT32), round_to(where.step, FLOAT32), edge, FLOAT32)
    tail = min(0.5, tail)
    tail = max(2.0**-40, tail)
    z = quantile_float32(tail)
    return fma(_clipped(z if below else -z, low, high), stddev, mean, FLOAT32)


def minus_log_float64(p: float) -> float:
    """Return -ln p."""
    exponent, mantissa = _split_float(p, 0x3FE6A09E667F3BCD, wide=True)
    y = divide(subtract(mantissa, 1.0, FLOAT64), add(mantissa, 1.0, FLOAT64), FLOAT64)
    square = multiply(y, y, FLOAT64)
    series = divide(2.0, 21.0, FLOAT64)
    for odd in range(19, 0, -2):
        series = fma(series, square, divide(2.0, float(odd), FLOAT64), FLOAT64)
    return fma(float(exponent), -0.6931471805599453, -multiply(series, y, FLOAT64), FLOAT64)


def normal_float64(word: int, mean: float, stddev: float, lower: float, upper: float) -> float:
    """Return the element of a 64-bit word."""
    where = interval(lower, upper, 64)
    below = word < where.split
    distance = round_ratio(word if below else 2**64 - 1 - word, 1, FLOAT64)
    edge = where.low_edge if below else where.high_edge
    tail = fma(add(distance, 0.5, FLOAT64), where.step, edge, FLOAT64)
    tail = min(0.5, tail)
    steps = round_ratio(where.split - word - 1 if below else word - where.split, 1, FLOAT64)
    remainder = -where.remainder if below else where.remainder
    from_median = fma(add(steps, 0.5, FLOAT64), where.step, remainder, FLOAT64)
    if from_median <= 0.425:
        x = fma(-from_median, from_median, 0.180625, FLOAT64)
        ratio = divide(
            polynomial("CENTRAL_NUMERATOR", x), polynomial("CENTRAL_DENOMINATOR", x), FLOAT64
        )
        z = fma(from_median, 2.5, multiply(ratio, from_median, FLOAT64), FLOAT64)
    else:
        s = square_root(minus_log_float64(tail), FLOAT64)
        u = subtract(s, 1.5, FLOAT64)
        ratio = divide(polynomial("TAIL_NUMERATOR", u), polynomial("TAIL_DENOMINATOR", u), FLOAT64)
        z = fma(s, 1.5, ratio, FLOAT64)
    return fma(_clipped(-z if below else z, lower, upper), stddev, mean, FLOAT64)


def _clipped(z: float, lower: float, upper: float) -> float:
    assert not math.isnan(z)
    # Of two equal numbers, Python's max and min return the first: here the bound, as the document
    # has it.
    return min(upper, max(lower, z))
