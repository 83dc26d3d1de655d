"""Where a normal distribution may be cut: the same limits for every initializer that has bounds."""

from seedbed.spec.errors import bad_value
from seedbed.spec.numbers import as_real

# A truncation whose nearer bound lies further out has next to no probability left to resolve:
# float32's quantile ends 7 standard deviations out.
FARTHEST_NEAR_BOUND = 4.0


def as_lower(name: str, value: object) -> float:
    """Return a lower bound, in standard deviations.

    Raises:
        InvalidTypeError: if it is no number.
        InvalidValueError: if too little lies above it.
    """
    lower = as_real(name, value)
    if lower > FARTHEST_NEAR_BOUND:
        raise bad_value(name, f"at most {FARTHEST_NEAR_BOUND} standard deviations", lower)
    return lower


def as_upper(name: str, value: object) -> float:
    """Return an upper bound, in standard deviations.

    Raises:
        InvalidTypeError: if it is no number.
        InvalidValueError: if too little lies below it.
    """
    upper = as_real(name, value)
    if upper < -FARTHEST_NEAR_BOUND:
        raise bad_value(name, f"at least {-FARTHEST_NEAR_BOUND} standard deviations", upper)
    return upper


def check_bounds(lower: float, upper: float) -> None:
    """Raise an InvalidValueError if nothing lies between two bounds."""
    if not lower < upper:
        raise bad_value("upper", f"above lower ({lower})", upper)
