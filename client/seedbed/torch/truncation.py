"""Torch's absolute bounds of a truncated normal, in standard deviations as on the wire."""

import math
from fractions import Fraction

import numpy as np

from seedbed.spec.dtypes import Dtype
from seedbed.spec.errors import bad_value
from seedbed.spec.initializers import TruncatedNormalSpec
from seedbed.spec.numbers import as_finite, as_real

# No word leads as far out as this, so such a bound cuts nothing.
_BEYOND_ALL_WORDS = 11.0


def truncated_normal(
    mean: float, std: float, a: float, b: float, dtype: Dtype
) -> TruncatedNormalSpec:
    """Return a normal distribution conditioned on [a, b], both as the dtype holds them.

    The kernel clips standard normal numbers to the bounds, and multiplies and adds afterwards; the
    bounds returned are the outermost ones whose products cannot leave the interval by that
    rounding.

    Args:
        mean: before truncation, finite.
        std: before truncation, finite and positive.
        a: the least value; may be ``-inf``.
        b: the greatest value; may be ``inf``.
        dtype: of the tensor.

    Raises:
        InvalidTypeError: if one is no number.
        InvalidValueError: if one is not allowed, or the interval is empty or lies too far out.
    """
    mean, std, a, b = (
        as_finite("mean", mean),
        as_finite("std", std),
        as_real("a", a),
        as_real("b", b),
    )
    if std <= 0:
        raise bad_value("std", "positive", std)
    if a >= b:
        raise bad_value("b", f"above a ({a})", b)
    # What kernels compute in: float64 for float64, else float32, which is rounded to the dtype once
    # afterwards.
    number = np.float64 if dtype is Dtype.FLOAT64 else np.float32
    return TruncatedNormalSpec(
        mean, std, _inside(a, mean, std, number, math.inf), _inside(b, mean, std, number, -math.inf)
    )


def _inside(
    bound: float, mean: float, std: float, number: type[np.floating], inwards: float
) -> float:
    """Return a bound in standard deviations, moved inwards until its value is not outside."""
    z = number((bound - mean) / std)
    if not abs(z) < _BEYOND_ALL_WORDS:
        return float(z)
    held, scale, shift = (Fraction(float(number(value))) for value in (bound, std, mean))
    sign = 1 if inwards > 0 else -1
    while sign * (Fraction(float(z)) * scale + shift - held) < 0:
        z = np.nextafter(z, number(inwards))
    return float(z)
