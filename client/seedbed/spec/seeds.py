"""Seeds and draws: the allowed integers, and the 64 bits that each becomes."""

from seedbed.spec.errors import bad_value
from seedbed.spec.numbers import as_int

MIN_SEED = -(2**63)
MAX_SEED = 2**64 - 1
MAX_DRAW = 2**64 - 1


def as_seed(value: object, *, field: str = "seed") -> int:
    """Return a seed's 64 bits, 0 to 2**64 - 1; a negative seed becomes its two's complement.

    Raises:
        InvalidTypeError: unless ``operator.index`` accepts it; bools and floats are refused.
        InvalidValueError: outside -2**63 to 2**64 - 1.
    """
    seed = as_int(field, value)
    if not MIN_SEED <= seed <= MAX_SEED:
        raise bad_value(field, "from -2**63 to 2**64 - 1", seed)
    return seed % 2**64


def as_draw(value: object, *, field: str = "draw") -> int:
    """Return the number of a draw, 0 to 2**64 - 1.

    Raises:
        InvalidTypeError: unless it is an integer.
        InvalidValueError: outside that range.
    """
    draw = as_int(field, value)
    if not 0 <= draw <= MAX_DRAW:
        raise bad_value(field, "from 0 to 2**64 - 1", draw)
    return draw
