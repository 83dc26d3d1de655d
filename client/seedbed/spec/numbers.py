"""Checks that an argument is a number, and the number itself as a plain ``int`` or ``float``."""

import math
import operator

import numpy as np

from seedbed.spec.errors import bad_type, bad_value


def as_int(field: str, value: object) -> int:
    """Return what ``operator.index`` makes of an integer; a bool is no integer here.

    Raises:
        InvalidTypeError: for anything else, floats and bools included.
    """
    if isinstance(value, (bool, np.bool_)):
        raise bad_type(field, "an integer", value)
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise bad_type(field, "an integer", value) from None


def as_count(field: str, value: object) -> int:
    """Return an integer from 1 to 2**63 - 1.

    Raises:
        InvalidTypeError: unless it is an integer.
        InvalidValueError: outside that range.
    """
    number = as_int(field, value)
    if not 1 <= number < 2**63:
        raise bad_value(field, "1 or more", number)
    return number


def as_real(field: str, value: object) -> float:
    """Return a real number as a float, infinities allowed.

    Raises:
        InvalidTypeError: if it is no number.
        InvalidValueError: if it is NaN, or too large for a float.
    """
    if isinstance(value, (bool, np.bool_, str, bytes)) or not hasattr(value, "__float__"):
        raise bad_type(field, "a real number", value)
    try:
        number = float(value)
    except OverflowError:
        raise bad_value(field, "a finite number", value) from None
    except (TypeError, ValueError):
        raise bad_type(field, "a real number", value) from None
    if math.isnan(number):
        raise bad_value(field, "a number", number)
    return number


def as_finite(field: str, value: object) -> float:
    """Return a real number as a float.

    Raises:
        InvalidTypeError: if it is no number.
        InvalidValueError: if it is NaN or infinite.
    """
    number = as_real(field, value)
    if math.isinf(number):
        raise bad_value(field, "finite", number)
    return number


def as_flag(field: str, value: object) -> bool:
    """Return a bool.

    Raises:
        InvalidTypeError: for anything else, 0 and 1 included.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise bad_type(field, "True or False", value)
    return bool(value)
