"""Waiting for what another thread or process does, and how long that takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def wait_until(is_so: Callable[[], object]) -> None:
    """Return when something is so; fail if that takes longer than half a minute."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def within(least_seconds: float, most_seconds: float) -> Iterator[None]:
    """Fail unless the block takes a time in this range."""
    begin = time.monotonic()
    yield
    assert least_seconds <= time.monotonic() - begin < most_seconds
