"""Where a normal distribution may be cut: the same limits for every initializer that has bounds."""

from typing import Protocol

from seedbed.spec.errors import bad_value
from seedbed.spec.numbers import as_real

# A truncation whose nearer bound lies further out has next to no probability left to resolve:
# float32's quantile ends 7 standard deviations out.
FARTHEST_NEAR_BOUND = 4.0


class Bounded(Protocol):
    """A spec with bounds, in standard deviations."""

    @property
    def lower(self) -> float:
        """The lower one."""

    @property
    def upper(self) -> float:
        """The upper one."""


def check_bounds(spec: Bounded) -> None:
    """Make a spec's bounds floats, and raise unless they are allowed.

    Raises:
        InvalidTypeError: if one is no number.
        InvalidValueError: if too little, or nothing, lies between them.
    """
    for name in ("lower", "upper"):
        object.__setattr__(spec, name, as_real(name, getattr(spec, name)))
    if spec.lower > FARTHEST_NEAR_BOUND:
        raise bad_value("lower", f"at most {FARTHEST_NEAR_BOUND} standard deviations", spec.lower)
    if spec.upper < -FARTHEST_NEAR_BOUND:
        raise bad_value("upper", f"at least {-FARTHEST_NEAR_BOUND} standard deviations", spec.upper)
    if not spec.lower < spec.upper:
        raise bad_value("upper", f"above lower ({spec.lower})", spec.upper)
