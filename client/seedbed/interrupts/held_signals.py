"""Signals that wait while code runs which an exception must not break off."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def signals_held() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait for the end of the block, where Python handles them.

    Only the main thread handles signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = _Held()
    try:
        held.hold()
        yield
    finally:
        held.release()


class _Held:
    """Stands for the handlers of signals, and calls them when it is released."""

    def __init__(self) -> None:
        self._is_holding = True
        self._came: list[tuple[int, FrameType | None]] = []
        self._handlers: dict[int, Callable[[int, FrameType | None], object]] = {}

    def hold(self) -> None:
        """Take the handlers' places."""
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):  # others raise nothing: the process ends, or goes on
                self._handlers[number] = handler
                signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_holding:
            self._came.append((number, frame))
        else:  # a signal during the release has broken it off
            self._handlers[number](number, frame)

    def release(self) -> None:
        """Give the handlers their places again, and the signals that came."""
        self._is_holding = False
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        # Not sent again: an event loop that was told of them would count them twice.
        for number, frame in self._came:
            self._handlers[number](number, frame)
