"""mpmath at a given precision: no platform's mathematical library has a say."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mpmath

# mpmath keeps its precision in a global variable.
_LOCK = threading.Lock()


@contextmanager
def precise(*, digits: int | None = None, bits: int | None = None) -> Iterator[Any]:
    """Lend mpmath to one thread at a time, set to so many decimal or binary digits."""
    with _LOCK, mpmath.workprec(bits) if digits is None else mpmath.workdps(digits):
        yield mpmath
