"""The request that a server stop: made by a signal, heeded by whoever serves."""

import os
import threading
from collections.abc import Callable
from typing import NoReturn

# A second signal does not wait for streams; 128 + SIGTERM, as a shell reports a process that the
# signal ended.
FORCED_EXIT = 143


class StopRequest:
    """Made once, from wherever; it cannot be taken back."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self.is_made = False
        """Whether the server shall stop."""
        self.is_hurried = False
        """Whether nobody needs time to notice: a person at a terminal asked."""
        self.end_others: Callable[[], None] = lambda: None
        """Ends the other processes of the server at once."""

    def make(self, *, hurried: bool = False) -> None:
        """Ask for the end; a signal's handler may, also while another one does."""
        if self.is_made:  # the second would wait for a lock that the first has
            return
        self.is_hurried = hurried
        self.is_made = True
        self._wake.set()

    def force(self) -> NoReturn:
        """End the server at once, whatever it does; a signal's handler may."""
        self.end_others()
        os._exit(FORCED_EXIT)

    def wait(self) -> None:
        """Return when the server shall stop; not for the thread that handles signals."""
        self._wake.wait()
