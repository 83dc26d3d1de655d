"""Code that an exception of a signal's handler must not break off: the exception waits."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def signals_held(on_raise: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Let what the handlers of SIGINT and SIGTERM raise wait for the end of the block.

    Only the main thread handles signals.

    Args:
        on_raise: called when a handler has raised, to make the block end soon.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = _Held(on_raise)
    try:
        held.hold()
        yield
    finally:
        held.release()


class _Held:
    """Stands for the handlers of signals, and keeps what they raise until it is released."""

    def __init__(self, on_raise: Callable[[], object]) -> None:
        self._on_raise = on_raise
        self._is_holding = True
        self._raised: BaseException | None = None
        self._handlers: dict[int, Callable[[int, FrameType | None], object]] = {}

    def hold(self) -> None:
        """Take the handlers' places."""
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):  # others raise nothing: the process ends, or goes on
                self._handlers[number] = handler
                signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._is_holding:  # a signal has broken the release off
            self._give_back(number)
            self._handlers[number](number, frame)
            return
        try:
            self._handlers[number](number, frame)
        except BaseException as error:  # noqa: BLE001  # it is raised at the end
            self._raised = error
            self._on_raise()

    def release(self) -> None:
        """Give the handlers their places again, and raise what one has raised."""
        self._is_holding = False
        for number in self._handlers:
            self._give_back(number)
        raised, self._raised = self._raised, None
        try:
            if raised is not None:
                raise raised
        finally:
            # Its traceback has this frame: the two would keep each other, and all frames' memory.
            del raised

    def _give_back(self, number: int) -> None:
        current = signal.signal(number, self._handlers[number])
        if current != self._handle:  # a handler has put another one there
            signal.signal(number, current)
