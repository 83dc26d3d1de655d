"""A call's time: the timeout checked, and how much of it is left."""

import time
from collections.abc import Callable

from seedbed.errors import DeadlineError
from seedbed.spec.errors import bad_value
from seedbed.spec.numbers import as_finite

LONGEST_TIMEOUT_SECONDS = 1e9

DEFAULT_PATIENCE_SECONDS = 30.0
"""How long a call without a time limit goes on without progress."""

Remaining = Callable[[], float | None]
"""Tells how much of a call's time is left; None is no limit."""


def checked_timeout(seconds: float | None) -> float | None:
    """Return a time limit that gRPC takes, or None for no limit."""
    if seconds is None:
        return None
    number = as_finite("timeout_seconds", seconds)
    if number <= 0:
        raise bad_value("timeout_seconds", "positive, or None for no limit", seconds)
    # gRPC counts nanoseconds in 64 bits, and takes a longer time for one that is over.
    return min(number, LONGEST_TIMEOUT_SECONDS)


def checked_patience(seconds: float) -> float:
    """Return how long a call goes on without progress."""
    number = as_finite("patience_seconds", seconds)
    if number < 0:
        raise bad_value("patience_seconds", "0 or more", seconds)
    return number


def deadline(target: str, timeout_seconds: float | None) -> Remaining:
    """Return a function that tells how much of a call's time is left.

    The time is shared by the several requests that make up the call.

    Raises:
        InvalidArgumentError: if the time limit is none.
        DeadlineError: by what is returned, when no time is left.
    """
    timeout = checked_timeout(timeout_seconds)
    started = time.monotonic()

    def remaining() -> float | None:
        if timeout is None:
            return None
        left = timeout - (time.monotonic() - started)
        if left <= 0:
            message = (
                f"{target} did not finish within {timeout:.3g} s; allow more with timeout_seconds"
            )
            raise DeadlineError(message)
        return left

    return remaining
