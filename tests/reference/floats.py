"""IEEE 754 arithmetic by exact integers and one rounding, to nearest, ties to even.

Numbers of every format are Python floats, because float64 holds them all exactly, signed zeros
included.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format."""

    name: str
    bits: int
    precision: int
    """Digits of the significand, the hidden one included."""
    largest_exponent: int
    """The bias of the exponent.

    The largest numbers of float8_e4m3fn have one exponent more: it has no infinity.
    """
    saturates_at: float | None = None
    """What every larger number becomes, instead of infinity."""

    @property
    def last_place(self) -> int:
        """The exponent of the smallest step."""
        return 2 - self.largest_exponent - self.precision


FLOAT16 = Format("float16", 16, 11, 15)
BFLOAT16 = Format("bfloat16", 16, 8, 127)
FLOAT32 = Format("float32", 32, 24, 127)
FLOAT64 = Format("float64", 64, 53, 1023)
FLOAT8_E4M3FN = Format("float8_e4m3fn", 8, 4, 7, saturates_at=448.0)
FLOAT8_E5M2 = Format("float8_e5m2", 8, 3, 15, saturates_at=57344.0)
FORMATS = {
    form.name: form for form in (FLOAT16, BFLOAT16, FLOAT32, FLOAT64, FLOAT8_E4M3FN, FLOAT8_E5M2)
}


def round_ratio(numerator: int, denominator: int, form: Format) -> float:
    """Return the format's number nearest to a ratio of integers with a positive denominator."""
    if numerator == 0:
        return 0.0
    sign = -1.0 if numerator < 0 else 1.0
    magnitude = abs(numerator)
    exponent = magnitude.bit_length() - denominator.bit_length()
    if magnitude << max(0, -exponent) < denominator << max(0, exponent):
        exponent -= 1  # now 2**exponent <= ratio < 2**(exponent + 1)
    place = max(exponent - form.precision + 1, form.last_place)
    quotient, rest = divmod(magnitude << max(0, -place), denominator << max(0, place))
    twice, whole = 2 * rest, denominator << max(0, place)
    if twice > whole or (twice == whole and quotient % 2 == 1):
        quotient += 1
    if form.saturates_at is not None:
        return sign * min(form.saturates_at, math.ldexp(quotient, place))
    if quotient.bit_length() + place > form.largest_exponent + 1:
        return sign * math.inf
    return sign * math.ldexp(quotient, place)


def round_to(value: float, form: Format) -> float:
    """Return a number in another format."""
    if value == 0 or math.isinf(value):
        return value
    return round_ratio(*value.as_integer_ratio(), form)


def fma(a: float, b: float, c: float, form: Format) -> float:
    """Return a * b + c, rounded once."""
    a_top, a_bottom = a.as_integer_ratio()
    b_top, b_bottom = b.as_integer_ratio()
    c_top, c_bottom = c.as_integer_ratio()
    top = a_top * b_top * c_bottom + c_top * a_bottom * b_bottom
    if top == 0:
        negative = math.copysign(1.0, a) * math.copysign(1.0, b) < 0
        is_minus_zero = a * b == 0 and c == 0 and negative and math.copysign(1.0, c) < 0
        return -0.0 if is_minus_zero else 0.0
    return round_ratio(top, a_bottom * b_bottom * c_bottom, form)


def add(a: float, b: float, form: Format) -> float:
    """Return a + b."""
    return fma(a, 1.0, b, form)


def subtract(a: float, b: float, form: Format) -> float:
    """Return a - b."""
    return fma(b, -1.0, a, form)


def multiply(a: float, b: float, form: Format) -> float:
    """Return a * b."""
    return fma(a, b, -0.0, form)


def divide(a: float, b: float, form: Format) -> float:
    """Return a / b, for b other than 0."""
    sign = math.copysign(1.0, a) * math.copysign(1.0, b)
    a_top, a_bottom = abs(a).as_integer_ratio()
    b_top, b_bottom = abs(b).as_integer_ratio()
    return math.copysign(round_ratio(a_top * b_bottom, a_bottom * b_top, form), sign)


def square_root(value: float, form: Format) -> float:
    """Return the square root of a number that is 0 or more."""
    top, bottom = value.as_integer_ratio()
    # bottom is a power of two; make it a square, and leave far more digits than the format has.
    shift = 300 + (bottom.bit_length() - 1) % 2
    scaled = top << shift
    root = math.isqrt(scaled)
    inexact = root * root != scaled
    # One more digit stands for all the others: no number of the format lies between.
    half_exponent = (bottom.bit_length() - 1 + shift) // 2
    return round_ratio(2 * root + inexact, 2 << half_exponent, form)


def encode(value: float, form: Format) -> int:
    """Return the bits of a number of the format."""
    fraction_bits = form.precision - 1
    sign = int(math.copysign(1.0, value) < 0) << (form.bits - 1)
    if math.isinf(value):
        return sign | (2 * form.largest_exponent + 1) << fraction_bits
    top, bottom = abs(value).as_integer_ratio()
    exponent = (
        max(math.frexp(value)[1] - 1, 1 - form.largest_exponent)
        if value
        else 1 - form.largest_exponent
    )
    place = exponent - fraction_bits
    significand, rest = divmod(top << max(0, -place), bottom << max(0, place))
    assert rest == 0, f"{value!r} is no {form.name}"
    # A subnormal number's significand has no hidden digit to carry into the exponent.
    biased = exponent + form.largest_exponent - 1
    return sign | ((biased << fraction_bits) + significand)


def decode(bits: int, form: Format) -> float:
    """Return the number of the format that has these bits."""
    fraction_bits = form.precision - 1
    magnitude = bits & ((1 << (form.bits - 1)) - 1)
    biased, fraction = divmod(magnitude, 1 << fraction_bits)
    significand = fraction + (1 << fraction_bits) * (biased > 0)
    value = math.ldexp(significand, max(biased, 1) - form.largest_exponent - fraction_bits)
    return -value if bits >> (form.bits - 1) else value


def next_below(value: float, form: Format) -> float:
    """Return the largest number of the format that is less than a finite one."""
    bits = encode(value, form)
    if value > 0:
        return decode(bits - 1, form)
    if value == 0:
        return -math.ldexp(1.0, form.last_place)
    return decode(bits + 1, form)
