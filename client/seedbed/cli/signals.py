"""SIGINT and SIGTERM while a command runs: they raise, whatever the interpreter is about to do."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN_SECONDS = 0.01


class Terminated(BaseException):
    """SIGTERM came; like KeyboardInterrupt, so that unfinished files are removed."""


RAISED: dict[signal.Signals, type[BaseException]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
}


@contextmanager
def signals_raise() -> Iterator[None]:
    """Let a signal raise, and nothing be printed of what it broke off.

    Only a program's main thread may set a signal's handler. One that was started to ignore a
    signal does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ends = _Ends()
    hook = sys.unraisablehook
    sys.unraisablehook = ends.on_unraisable
    previous = {
        number: signal.signal(number, ends.on_signal)
        for number in RAISED
        if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}
    }
    try:
        try:
            yield
        finally:
            ends.await_again()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        # What was broken off may be deleted as late as at the interpreter's own end.
        if not ends.has_come:
            sys.unraisablehook = hook


class _Ends:
    """Whether a signal has come, and what the interpreter must not print then."""

    def __init__(self) -> None:
        self.has_come = False
        self._print = sys.unraisablehook
        self._again: list[threading.Timer] = []

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Raise what stands for the signal, or let it come again after an import.

        C code that is being imported may print the exception, and raise an ImportError instead.
        """
        self.has_come = True
        if _is_importing(frame):
            self._send_again(number)
            return
        raise RAISED[signal.Signals(number)]

    def on_unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Take what could not be raised: the signal itself, or what it led to.

        C code that calls Python swallows it, as LLVM does while it compiles kernels. An object
        whose making it broke off may fail when it is deleted.
        """
        for number, kind in RAISED.items():
            if issubclass(unraisable.exc_type, kind):
                self._send_again(number)  # nothing can be raised until this has returned
                return
        if not self.has_come:
            self._print(unraisable)

    def await_again(self) -> None:
        """Return when every signal that is to come again has: later, nobody here would raise it."""
        for each in self._again:
            each.join()

    def _send_again(self, number: int) -> None:
        main = threading.main_thread().ident
        timer = threading.Timer(AGAIN_SECONDS, signal.pthread_kill, [main, number])
        timer.start()
        self._again.append(timer)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
