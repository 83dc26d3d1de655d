"""The program ``seedbed`` from its first line: Ctrl-C ends it quietly while it still imports.

It is a module of its own, as importing anything below ``seedbed`` imports the SDK, which takes
longer than some people wait before they change their minds.
"""

import os
import signal
from types import FrameType
from typing import NoReturn

# As a shell reports a process that the signal ended.
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
STANDARD_ERROR = 2


def main() -> int:
    """Run the program and return its exit code."""
    # A program in the background may have been told to ignore the signal.
    is_ignored = signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    if not is_ignored:
        signal.signal(signal.SIGINT, _end)
    from seedbed.cli import main as program

    if is_ignored:
        return _ended(program())
    try:
        # From here on there may be files to remove.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = program()
        # The interpreter, too, would show a traceback while it ends.
        signal.signal(signal.SIGINT, _end)
    except KeyboardInterrupt:  # a second one, or one just before or after the program's own care
        _end()
    return _ended(code)


def _ended(code: int) -> int:
    """Return the program's exit code, or end the process if a signal has ended the program.

    What a signal breaks off may hold a lock for ever. The interpreter, at its own end, would wait
    for a thread that waits for it.
    """
    if code in {INTERRUPTED, TERMINATED}:
        os._exit(code)
    return code


def _end(number: int = signal.SIGINT, frame: FrameType | None = None) -> NoReturn:
    """End the process where it stands: nothing has begun, or all is done."""
    del number, frame
    try:
        os.write(STANDARD_ERROR, b"seedbed: error: interrupted\n")
    finally:  # nobody may be left to read it
        os._exit(INTERRUPTED)
