"""How much the tests under faults and floods do: a little in CI, all that is promised in a soak.

``SEEDBED_SOAK`` is an integer factor, 1 by default. ``make soak`` sets it so high that every count
reaches its full figure.
"""

import os

FACTOR = int(os.environ.get("SEEDBED_SOAK", "1"))


def scaled(count: int, *, full: int) -> int:
    """Return how many of something to do, or for how many seconds to do it.

    Args:
        count: how many in CI.
        full: the figure that a soak is for; the factor leads no further.
    """
    return min(count * FACTOR, full)
