"""The request that a server stop: made by a signal, heeded by whoever serves."""

import threading

# A second signal does not wait for streams; 128 + SIGTERM, as a shell reports a process that the
# signal ended.
FORCED_EXIT = 143


class StopRequest:
    """Made once, from wherever; it cannot be taken back."""

    def __init__(self) -> None:
        self._is_made = threading.Event()
        self.is_hurried = False
        """Whether nobody needs time to notice: a person at a terminal asked."""

    @property
    def is_made(self) -> bool:
        """Whether the server shall stop."""
        return self._is_made.is_set()

    def make(self, *, hurried: bool = False) -> None:
        """Ask for the end; a signal's handler may."""
        self.is_hurried = hurried
        self._is_made.set()

    def wait(self) -> None:
        """Return when the server shall stop."""
        self._is_made.wait()
