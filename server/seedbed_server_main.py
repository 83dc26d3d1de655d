"""The program ``seedbed-server`` from its first line: a signal ends it quietly while it imports.

It is a module of its own, as importing anything below ``seedbed_server`` imports the SDK, too.
"""

import os
import signal
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Run the program and return its exit code."""
    for number in SIGNALS:
        # A program in the background may have been told to ignore a signal.
        if signal.getsignal(number) is not signal.SIG_IGN:
            # The first process of a container has no default for SIGTERM.
            signal.signal(number, _end)
    from seedbed_server.cli import main as program

    return program()


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End the process where it stands, with the exit code of a shell: nothing runs yet."""
    del frame
    os._exit(128 + number)
