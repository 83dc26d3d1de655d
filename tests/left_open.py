"""Whether a block of code leaves sockets or threads behind."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def open_sockets() -> set[str]:
    """Return the sockets of this process."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # that of the folder itself
            found.add(str(each.readlink()))
    return {each for each in found if each.startswith("socket:")}


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Fail if the block leaves a socket or a thread; grpcio's take a moment to end."""
    sockets, threads = open_sockets(), set(threading.enumerate())

    def left() -> set[object]:
        return {*(open_sockets() - sockets), *(set(threading.enumerate()) - threads)}

    yield
    end = time.monotonic() + 60
    while left() and time.monotonic() < end:
        time.sleep(0.01)
    assert left() == set()
