"""Calls that another thread can end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Ends the calls that are made under it, now and later. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: list[Callable[[], object]] = []
        self.is_cancelled = False
        """Whether calls under it have been ended."""

    def cancel(self) -> None:
        """Stop what is under way; what begins later is stopped as it begins."""
        # Under the lock, so that nothing is stopped after it has ended: a connection may be
        # another call's by then.
        with self._lock:
            self.is_cancelled = True
            for stop in self._stops:
                stop()

    @contextmanager
    def stopping(self, stop: Callable[[], object]) -> Iterator[None]:
        """Let ``cancel`` call ``stop`` while the block runs.

        Args:
            stop: makes the work of the block end soon, with an error; called by any thread.
        """
        with self._lock:
            self._stops.append(stop)
            if self.is_cancelled:
                stop()
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)

    @contextmanager
    def within(self, outer: "Cancellation") -> Iterator[None]:
        """Let the outer one cancel this one, too, while the block runs."""
        with outer.stopping(self.cancel):
            yield

    def sleep(self, seconds: float) -> None:
        """Return after a time, or as soon as this is cancelled."""
        woken = threading.Event()
        with self.stopping(woken.set):
            woken.wait(seconds)
