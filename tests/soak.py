"""How much the tests under faults and floods do: a little in CI, all that is promised in a soak.

``SEEDBED_SOAK`` is an integer factor, 1 by default. ``make soak`` sets it so high that every count
reaches its full figure.

How fast something is, and who gets how much of it, is shown by a soak alone, on a machine that does
nothing else: CI's machines may be anything else's as well. There tests show that it is right.
"""

import os

FACTOR = int(os.environ.get("SEEDBED_SOAK", "1"))
IS_SOAK = FACTOR > 1


def scaled(count: int, *, full: int) -> int:
    """Return how many of something to do, or for how many seconds to do it.

    Args:
        count: how many in CI.
        full: the figure that a soak is for; the factor leads no further.
    """
    return min(count * FACTOR, full)
