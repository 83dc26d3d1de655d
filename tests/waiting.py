"""Waiting for what another thread or process does, and how long that takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# How late a busy machine may be. What a test shows to be quick would otherwise take longer.
LATE_SECONDS = 20.0


def wait_until(is_so: Callable[[], object]) -> None:
    """Return when something is so; fail if that takes longer than two minutes."""
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def within(least_seconds: float, most_seconds: float) -> Iterator[None]:
    """Fail unless the block takes a time in this range."""
    begin = time.monotonic()
    yield
    assert least_seconds <= time.monotonic() - begin < most_seconds
